"""This module reads a sister system that answers with JSON pages, walked by page number, offset, cursor or link."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from yarl import URL

from connectors.http import Reply, Upstream
from connectors.links import next_link
from connectors.mapping import Mapping
from connectors.paged import HttpConnector
from connectors.paging import Position, Turn, count_of, list_of
from connectors.problem import FeedProblem, Flaw, ProblemCode
from connectors.rules import Expression as Compiled
from connectors.rules import Unmapped
from connectors.settings import Expression, HttpSettings, PageSize, ParameterName, Settings, WebAuth
from connectors.surroundings import Surroundings


class PagePaging(Settings, frozen=True, kw_only=True, tag="page", tag_field="style"):
    """Pages are numbered from `first`; `pageSize` is needed, so that it can be checked that they stay where they are."""

    parameter: ParameterName = "page"
    first: Annotated[int, msgspec.Meta(ge=0, le=1)] = 1
    more: Expression | None = None


class OffsetPaging(Settings, frozen=True, kw_only=True, tag="offset", tag_field="style"):
    """A page begins behind so many records; `pageSize` is needed as for page numbers."""

    parameter: ParameterName = "offset"
    more: Expression | None = None


class CursorPaging(Settings, frozen=True, kw_only=True, tag="cursor", tag_field="style"):
    """The next page's cursor is in the body at `path` and goes out as `parameter`; `more` says whether there is one."""

    parameter: ParameterName
    path: Expression
    more: Expression


class LinkPaging(Settings, frozen=True, kw_only=True, tag="link", tag_field="style"):
    """The next page's URL is in the body at `path`; `more` says whether there is one."""

    path: Expression
    more: Expression


class HeaderPaging(Settings, frozen=True, kw_only=True, tag="header", tag_field="style"):
    """The next page's URL is in a Link header with rel="next" (RFC 8288); where there is none is the end."""


class PageSizing(Settings, frozen=True, kw_only=True):
    """How many records to ask for, and by which parameter."""

    parameter: ParameterName
    value: PageSize = 100


class Since(Settings, frozen=True, kw_only=True):
    """By which parameter to ask for changes only, and how the time is written."""

    parameter: ParameterName
    written: Literal["rfc3339", "unix"] = "rfc3339"


class RestSettings(HttpSettings, frozen=True, kw_only=True):
    """A JSON feed: where its records are in a page, how to get from page to page, and how many there are in all."""

    auth: WebAuth
    records: Expression
    paging: PagePaging | OffsetPaging | CursorPaging | LinkPaging | HeaderPaging
    page_size: PageSizing | None = None
    since: Since | None = None
    total: Expression | None = None
    parameters: Annotated[dict[ParameterName, str], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=dict)


class RestConnector(HttpConnector[RestSettings]):
    """One JSON feed."""

    def __init__(self, settings: RestSettings, mapping: Mapping, surroundings: Surroundings) -> None:
        super().__init__(settings, mapping, surroundings)
        self._expressions = {name: Compiled(text) for name, text in _expressions(settings).items()}
        self._counted = isinstance(settings.paging, PagePaging | OffsetPaging)
        self.incremental = settings.since is not None

    async def turn(self, upstream: Upstream, since: datetime | None, position: Position) -> Turn:
        """Fetch a page; its end is its stop signal, whatever its cursor or link says."""
        reply = await upstream.send("GET", self._url(upstream, since, position))
        body = reply.json()
        records = tuple(list_of(self._find("records", body)))
        if self._counted and position.at is not None:
            before = await upstream.get_json(self._url(upstream, since, position, probe=True))
            self.stay(list_of(self._find("records", before)), position)
        total = count_of(self._find("total", body)) if self.settings.total else None
        at = self._next(upstream, reply, body, position, len(records))
        return Turn(records, self._more(body, at, position.read + len(records), total), at, total)

    def _more(self, body: Any, at: object, read: int, total: int | None) -> bool:
        if "more" not in self._expressions:
            return at is not None if not self._counted or total is None else read < total
        more = self._find("more", body)
        if not isinstance(more, bool):
            raise FeedProblem(ProblemCode.BAD_SHAPE)
        return more

    def _next(self, upstream: Upstream, reply: Reply, body: Any, position: Position, count: int) -> object:
        match self.settings.paging:
            case PagePaging(first=first):
                return int(position.at or first) + 1
            case OffsetPaging():
                return position.read + count
            case CursorPaging():
                return self._find("next", body)
            case LinkPaging():
                link = self._find("next", body)
                return str(upstream.join(link)) if isinstance(link, str) and link else None
            case HeaderPaging():
                link = next_link(reply.headers.getall("Link", ()))
                return str(upstream.join(link)) if link else None

    def _url(self, upstream: Upstream, since: datetime | None, position: Position, *, probe: bool = False) -> URL:
        paging, size = self.settings.paging, self.settings.page_size
        if isinstance(paging, LinkPaging | HeaderPaging) and position.at is not None:
            return upstream.join(position.at)
        query = dict(self.settings.parameters)
        if size:
            query[size.parameter] = "1" if probe else str(size.value)
        if self.settings.since and since:
            query[self.settings.since.parameter] = _written(since, self.settings.since.written)
        if probe and isinstance(paging, PagePaging) and size:
            # The record before page n of m is page (n - first) * m of one, when pages are numbered from 1.
            query[paging.parameter] = str((int(position.at or 0) - paging.first) * size.value - 1 + paging.first)
        elif probe and isinstance(paging, OffsetPaging):
            query[paging.parameter] = str(int(position.at or 0) - 1)
        elif isinstance(paging, PagePaging):
            query[paging.parameter] = position.at or str(paging.first)
        elif isinstance(paging, OffsetPaging):
            query[paging.parameter] = position.at or "0"
        elif isinstance(paging, CursorPaging) and position.at is not None:
            query[paging.parameter] = position.at
        return self.url.update_query(query)

    def _find(self, name: str, body: object) -> Any:
        try:
            return self._expressions[name].search(body)
        except Unmapped:
            pass
        raise FeedProblem(ProblemCode.BAD_SHAPE)


def rest_flaws(settings: RestSettings) -> list[Flaw]:
    """Say which of the expressions are none, and what a way of paging lacks."""
    flaws = []
    for name, text in _expressions(settings).items():
        try:
            Compiled(text)
        except ValueError as error:
            flaws.append(Flaw(_PLACES[name], str(error)))
    if isinstance(settings.paging, PagePaging | OffsetPaging):
        if settings.page_size is None:
            flaws.append(Flaw(("pageSize",), "is required where pages are counted"))
        if settings.total is None and settings.paging.more is None:
            flaws.append(
                Flaw(("total",), "is required where pages are counted, or paging.more: nothing else ends them")
            )
    return flaws


_PLACES = {"records": ("records",), "total": ("total",), "next": ("paging", "path"), "more": ("paging", "more")}


def _expressions(settings: RestSettings) -> dict[str, str]:
    paging = settings.paging
    texts = {
        "records": settings.records,
        "total": settings.total,
        "next": getattr(paging, "path", None),
        "more": getattr(paging, "more", None),
    }
    return {name: text for name, text in texts.items() if text is not None}


def _written(moment: datetime, form: str) -> str:
    moment = moment.astimezone(UTC)
    return str(int(moment.timestamp())) if form == "unix" else moment.isoformat().replace("+00:00", "Z")

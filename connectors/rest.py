"""This module reads a sister system that answers with JSON pages, walked by a cursor or by links."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from yarl import URL

from connectors.http import Endpoint, Upstream
from connectors.mapping import Mapping
from connectors.paging import Walk
from connectors.problem import FeedProblem, Flaw, ProblemCode
from connectors.protocol import Cursor, Page
from connectors.record import CanonicalRecord, Reject, fingerprint
from connectors.rules import Expression as Compiled
from connectors.rules import Unmapped
from connectors.settings import Expression, HttpSettings, PageSize, ParameterName, Settings
from connectors.surroundings import Surroundings, endpoint


class CursorPaging(Settings, frozen=True, kw_only=True, tag="cursor", tag_field="style"):
    """The next page's cursor is in the body at `path` and goes out as `parameter`; `more` says whether there is one."""

    parameter: ParameterName
    path: Expression
    more: Expression


class LinkPaging(Settings, frozen=True, kw_only=True, tag="link", tag_field="style"):
    """The next page's URL is in the body at `path`; `more` says whether there is one."""

    path: Expression
    more: Expression


class PageSizing(Settings, frozen=True, kw_only=True):
    """How many records to ask for, and by which parameter."""

    parameter: ParameterName
    value: PageSize = 100


class Since(Settings, frozen=True, kw_only=True):
    """By which parameter to ask for changes only, and how the time is written."""

    parameter: ParameterName
    written: Literal["rfc3339", "unix"] = "rfc3339"


class RestSettings(HttpSettings, frozen=True, kw_only=True):
    """A JSON feed: where its records are in a page, and how to get from page to page."""

    records: Expression
    paging: CursorPaging | LinkPaging
    page_size: PageSizing | None = None
    since: Since | None = None
    parameters: Annotated[dict[ParameterName, str], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=dict)


class RestConnector:
    """One JSON feed."""

    def __init__(self, settings: RestSettings, mapping: Mapping, surroundings: Surroundings) -> None:
        self._settings = settings
        self._mapping = mapping
        self._surroundings = surroundings
        self._records = Compiled(settings.records)
        self._more = Compiled(settings.paging.more)
        self._next = Compiled(settings.paging.path)
        self.rules = fingerprint(msgspec.to_builtins(settings), mapping.rules)
        self.incremental = settings.since is not None

    def map(self, raw: object) -> CanonicalRecord | Reject:
        """Bring a record into the hub's words."""
        return self._mapping.map(raw)

    async def pull(self, cursor: Cursor) -> AsyncGenerator[Page, None]:
        """Yield pages to the one whose stop signal says that it is the last, whatever its cursor or link says."""
        where = endpoint(self._settings, self._surroundings)
        walk = Walk(cursor.after, self._settings.max_pages)
        async with Upstream(where) as upstream:
            while True:
                body = await upstream.get_json(self._url(upstream, where, cursor))
                records = _find(self._records, body)
                more = _find(self._more, body)
                if not isinstance(records, list) or not isinstance(more, bool):
                    raise FeedProblem(ProblemCode.BAD_SHAPE)
                if not more:
                    yield Page(tuple(records), cursor, complete=True)
                    return
                after = walk.on_to(_find(self._next, body))
                if isinstance(self._settings.paging, LinkPaging):
                    after = str(upstream.join(after))
                cursor = Cursor(cursor.since, after)
                yield Page(tuple(records), cursor, complete=False)

    def _url(self, upstream: Upstream, where: Endpoint, cursor: Cursor) -> URL:
        paging = self._settings.paging
        if isinstance(paging, LinkPaging) and cursor.after is not None:
            return upstream.join(cursor.after)
        query = dict(self._settings.parameters)
        if self._settings.page_size:
            query[self._settings.page_size.parameter] = str(self._settings.page_size.value)
        if self._settings.since and cursor.since:
            query[self._settings.since.parameter] = _written(cursor.since, self._settings.since.written)
        if isinstance(paging, CursorPaging) and cursor.after is not None:
            query[paging.parameter] = cursor.after
        return where.url.update_query(query)


def expression_flaws(settings: RestSettings) -> list[Flaw]:
    """Say which of the expressions are none."""
    flaws = []
    for path, text in (
        (("records",), settings.records),
        (("paging", "path"), settings.paging.path),
        (("paging", "more"), settings.paging.more),
    ):
        try:
            Compiled(text)
        except ValueError as error:
            flaws.append(Flaw(path, str(error)))
    return flaws


def _find(expression: Compiled, body: object) -> Any:
    try:
        return expression.search(body)
    except Unmapped:
        pass
    raise FeedProblem(ProblemCode.BAD_SHAPE)


def _written(moment: datetime, form: str) -> str:
    moment = moment.astimezone(UTC)
    return str(int(moment.timestamp())) if form == "unix" else moment.isoformat().replace("+00:00", "Z")

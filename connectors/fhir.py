"""This module reads resources of a FHIR R4 server, by search: each match with what was included beside it.

{"resource": {"resourceType": "ServiceRequest", ...}, "included": {"Patient": [{...}], "Task": [{...}]}}
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from yarl import URL

from connectors.http import Upstream
from connectors.paged import HttpConnector
from connectors.paging import Position, Turn, count_of, list_of, object_of
from connectors.problem import FeedProblem, Flaw, ProblemCode
from connectors.settings import BasicAuth, BearerAuth, HttpSettings, NoAuth, OAuth, PageSize, SmartAuth

Resource: TypeAlias = dict[str, Any]
SearchName = Annotated[str, msgspec.Meta(pattern=r"^[a-z_][A-Za-z0-9_.:-]{0,100}$")]
Include = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Za-z]{1,60}:[A-Za-z-]{1,60}(:[A-Z][A-Za-z]{1,60})?$")]
_OWN = frozenset({"_count", "_sort", "_lastUpdated", "_include", "_revinclude"})


class FhirSettings(HttpSettings, frozen=True, kw_only=True):
    """A search: `url` is the server's base; `trustTotal` false where the server counts what it does not show."""

    auth: SmartAuth | OAuth | BearerAuth | BasicAuth | NoAuth
    resource: Literal["ServiceRequest", "Task", "Consent"] = "ServiceRequest"
    parameters: Annotated[dict[SearchName, str], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=dict)
    include: Annotated[tuple[Include, ...], msgspec.Meta(max_length=10)] = ()
    revinclude: Annotated[tuple[Include, ...], msgspec.Meta(max_length=10)] = ()
    page_size: PageSize = 50
    trust_total: bool = True


class FhirConnector(HttpConnector[FhirSettings]):
    """One search."""

    incremental = True

    async def turn(self, upstream: Upstream, since: datetime | None, position: Position) -> Turn:
        """Fetch a bundle. Its `next` link is followed as it is: what it is made of is the server's own affair."""
        asked = self._search(since)
        url = asked if position.at is None else upstream.join(position.at)
        reply = await upstream.send("GET", url, None, {"Accept": "application/fhir+json", "Prefer": "handling=strict"})
        bundle = object_of(reply.json())
        if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "searchset":
            raise FeedProblem(ProblemCode.BAD_SHAPE)
        links = {link.get("relation"): link.get("url") for link in map(object_of, bundle.get("link") or [])}
        if position.at is None:
            self._obeyed(asked, links.get("self"))
        entries = [object_of(entry) for entry in list_of(bundle.get("entry", []))]
        found = tuple(_matches(entries, self.settings.resource))
        following = links.get("next")
        at = str(upstream.join(following)) if isinstance(following, str) else following
        counted = self.settings.trust_total and "total" in bundle
        return Turn(found, at is not None, at, count_of(bundle["total"]) if counted else None)

    def _search(self, since: datetime | None) -> URL:
        asked = self.settings
        url = URL(f"{str(self.url).rstrip('/')}/{asked.resource}")
        query = [("_count", str(asked.page_size)), ("_sort", "_lastUpdated"), *asked.parameters.items()]
        query += [("_include", each) for each in asked.include] + [("_revinclude", each) for each in asked.revinclude]
        if since is not None:
            query.append(("_lastUpdated", "ge" + since.astimezone(UTC).isoformat().replace("+00:00", "Z")))
        return url.with_query(query)

    def _obeyed(self, asked: URL, told: object) -> None:
        """See that the server narrowed the search as it was asked to: its `self` link says what it understood.

        It is how a server that knows no such parameter says so, and everybody would come instead of a few.
        """
        narrowing = {*self.settings.parameters, *({"_lastUpdated"} & set(asked.query))}
        try:
            understood = set(URL(told).query) if isinstance(told, str) else set()
        except ValueError:
            understood = set()
        if narrowing - understood:
            raise FeedProblem(ProblemCode.FILTER_IGNORED)


def fhir_flaws(settings: FhirSettings) -> list[Flaw]:
    """Say which parameters are not for a feed to set."""
    taken = sorted(_OWN & set(settings.parameters))
    return [Flaw(("parameters", name), "is set by the hub, or by a setting of its own") for name in taken]


def _matches(entries: list[Resource], wanted: str) -> Iterator[Resource]:
    """Give each match with what is beside it; raise FeedProblem(PARTIAL_ANSWER) if the server says that it fell short."""
    matches, beside = [], []
    for entry in entries:
        resource = object_of(entry.get("resource"))
        kind, mode = resource.get("resourceType"), object_of(entry.get("search", {})).get("mode")
        if kind == "OperationOutcome":
            issues = map(object_of, list_of(resource.get("issue")))
            if any(issue.get("severity") in ("error", "fatal") for issue in issues):
                raise FeedProblem(ProblemCode.PARTIAL_ANSWER)
        elif kind == wanted and mode in (None, "match"):
            matches.append(resource)
        else:
            beside.append(resource)
    for match in matches:
        included: dict[str, list[Resource]] = {}
        for resource in _linked(match, beside):
            included.setdefault(str(resource.get("resourceType")), []).append(resource)
        yield {"resource": match, "included": included}


def _linked(match: Resource, beside: list[Resource]) -> list[Resource]:
    """Pick what the match refers to, and what refers to it: a page holds those of other matches, too."""
    forth = set(_references(match))
    return [each for each in beside if _name(each) in forth or _name(match) in set(_references(each))]


def _name(resource: Resource) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}"


def _references(value: Any) -> Iterator[str]:
    """Walk over all references, written as Type/id, whatever server and version they name besides."""
    todo = [value]
    while todo:
        found = todo.pop()
        if isinstance(found, dict):
            reference = found.get("reference")
            if isinstance(reference, str):
                yield "/".join(reference.partition("/_history/")[0].split("/")[-2:])
            todo.extend(found.values())
        elif isinstance(found, list):
            todo.extend(found)

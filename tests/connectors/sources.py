"""One feed of each kind, with invented records that a test may change, for the tests that hold for all kinds."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.fakes import graphql, people, rest
from connectors.fakes.faults import Faults
from connectors.fakes.serve import serve
from connectors.kinds import connect
from connectors.memory import MemoryConnector
from connectors.protocol import Connector, Cursor, Page
from connectors.surroundings import Surroundings

TOKEN = "invented-token"
HTTP_KINDS = ("graphql", "rest-cursor", "rest-link")
ALL_KINDS = (*HTTP_KINDS, "memory")

MEMORY_MAPPING = {"sourceId": "id", "updatedAt": "updated", "person": {"identity": {"givenName": "name"}}}
LINKS = {"style": "link", "path": "next", "more": "has_more"}

Raw = dict[str, Any]
Shape = Callable[[str, str, str], Raw]


@dataclass
class Source:
    """A feed, its records as its own system has them, and its faults."""

    connector: Connector
    shape: Shape
    records: list[Any]
    faults: Faults = field(default_factory=Faults)

    def put(self, ident: str, updated: datetime, name: str = "Someone") -> None:
        """Write a record anew."""
        self.remove(ident)
        self.records.append(self.shape(ident, updated.isoformat(), name))

    def remove(self, ident: str) -> None:
        """Delete a record."""
        self.records[:] = [raw for raw in self.records if str(raw["id"]) != ident]

    async def pages(self, cursor: Cursor | None = None) -> list[Page]:
        """Pull to the end."""
        return [page async for page in self.connector.pull(cursor or Cursor())]

    async def idents(self, cursor: Cursor | None = None) -> list[str]:
        """The ids of a pull, in order."""
        return [str(raw["id"]) for page in await self.pages(cursor) for raw in page.records]  # type: ignore[index]


@asynccontextmanager
async def source(kind: str, **settings: Any) -> AsyncIterator[Source]:
    """A source of the kind, two records to a page, as long as the block lasts."""
    records: list[Any] = []
    if kind == "memory":
        yield Source(MemoryConnector(records, MEMORY_MAPPING), _memory_shape, records)
        return
    faults = Faults()
    app = graphql.app(records, TOKEN, faults) if kind == "graphql" else rest.app(records, TOKEN, faults)
    async with serve(app) as host:
        yield Source(http_connector(kind, host, **settings), _shape_of(kind), records, faults)


def http_connector(kind: str, host: str, **settings: Any) -> Connector:
    """A connector of the kind to a fake at `host`."""
    surroundings = Surroundings(lambda _: TOKEN, frozenset({host}))
    if kind == "graphql":
        own = {**people.GRAPHQL_SETTINGS, "url": f"http://{host}/graphql", "pageSize": 2, **settings}
        return connect("GRAPHQL", own, people.GRAPHQL_MAPPING, surroundings)
    size = {"parameter": "limit", "value": 2}
    own = {**people.REST_SETTINGS, "url": f"http://{host}/api/applications", "pageSize": size, **settings}
    if kind == "rest-link":
        own["paging"] = LINKS
    return connect("REST", own, people.REST_MAPPING, surroundings)


def _shape_of(kind: str) -> Shape:
    return _graphql_shape if kind == "graphql" else _rest_shape


def _memory_shape(ident: str, updated: str, name: str) -> Raw:
    return {"id": ident, "updated": updated, "name": name}


def _graphql_shape(ident: str, updated: str, name: str) -> Raw:
    return {"id": ident, "createdAt": updated, "updatedAt": updated, "applicant": {"firstName": name}}


def _rest_shape(ident: str, updated: str, name: str) -> Raw:
    return {"id": ident, "modified": updated, "full_name": name, "artform": "music"}

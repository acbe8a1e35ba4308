"""One feed of each kind and way of paging, with invented records that a test may change: for what holds for all kinds."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncssh
from joserfc.jwk import ECKey
from starlette.applications import Starlette

from connectors.fakes import civicrm, csv_file, fhir, graphql, hub, kobo, odk, people, primero, rest
from connectors.fakes.faults import Faults
from connectors.fakes.serve import serve
from connectors.fakes.walk import Layout
from connectors.kinds import connect
from connectors.memory import MemoryConnector
from connectors.protocol import Connector, Cursor, Page
from connectors.surroundings import Surroundings

TOKEN = "invented-token"
FHIR_KEY = json.dumps(ECKey.generate_key("P-384").as_dict(private=True))
HUB_KEY = json.dumps(ECKey.generate_key("P-256").as_dict(private=True))
HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")
MEMORY_MAPPING = {"sourceId": "id", "updatedAt": "updated", "person": {"identity": {"givenName": "name"}}}

Raw = dict[str, Any]
App = Callable[[list[Any], str, Faults], Starlette]
Shape = Callable[[str, datetime, str], Any]


@dataclass(frozen=True)
class Way:
    """How a kind is read in these tests: its fake, the settings and mapping, and what is special about it."""

    kind: str
    module: Any
    path: str
    settings: Raw
    mapping: Raw
    secret: str = TOKEN
    token_path: str | None = None


def _rest(paging: Raw, **more: Any) -> Way:
    own = {**people.REST_SETTINGS, "pageSize": {"parameter": "limit", "value": 2}, "paging": paging, **more}
    return Way("REST", rest, "/api/applications", own, people.REST_MAPPING)


WAYS: dict[str, Way] = {
    "graphql": Way("GRAPHQL", graphql, "/graphql", {**people.GRAPHQL_SETTINGS, "pageSize": 2}, people.GRAPHQL_MAPPING),
    "rest-cursor": _rest(people.REST_SETTINGS["paging"]),
    "rest-link": _rest({"style": "link", "path": "next", "more": "has_more"}),
    "rest-header": _rest({"style": "header"}, total="total"),
    "rest-page": _rest({"style": "page"}, total="total"),
    "rest-offset": _rest({"style": "offset", "more": "has_more"}, total="total"),
    "kobo": Way("KOBO", kobo, f"/api/v2/assets/{kobo.FORM}/data/", {**kobo.SETTINGS, "pageSize": 2}, kobo.MAPPING),
    "civicrm": Way("CIVICRM", civicrm, "/civicrm/ajax/api4", {**civicrm.SETTINGS, "pageSize": 2}, civicrm.MAPPING),
    "fhir": Way("FHIR", fhir, "/r4", {**fhir.SETTINGS, "pageSize": 2}, fhir.MAPPING, FHIR_KEY, "/token"),
    "primero": Way("PRIMERO", primero, "/api/v2", {**primero.SETTINGS, "pageSize": 2}, primero.MAPPING),
    "odk": Way("ODK", odk, "/v1/projects/1/forms/referral.svc", {**odk.SETTINGS, "pageSize": 2}, odk.MAPPING),
    "csv": Way("CSV", csv_file, "/export/people.csv", {**csv_file.SETTINGS, "pageSize": 2}, csv_file.MAPPING),
    "hub": Way("HUB", hub, "", {**hub.SETTINGS, "pageSize": 2}, hub.MAPPING, HUB_KEY),
}
HTTP_KINDS = tuple(WAYS)
#: Those that fetch page after page, each of which may go wrong by itself.
PAGED_KINDS = tuple(kind for kind in WAYS if kind != "csv")
ALL_KINDS = (*HTTP_KINDS, "csv-sftp", "memory")


@dataclass
class Source:
    """A feed, its records as its own system has them, and its faults."""

    connector: Connector
    shape: Shape
    layout: Layout
    records: list[Any]
    faults: Faults = field(default_factory=Faults)

    def put(self, ident: str, updated: datetime, name: str = "Someone") -> None:
        """Write a record anew."""
        self.remove(ident)
        self.records.append(self.shape(ident, updated, name))

    def remove(self, ident: str) -> None:
        """Delete a record."""
        self.records[:] = [raw for raw in self.records if self.layout.ident_of(raw) != ident]

    async def pages(self, cursor: Cursor | None = None) -> list[Page]:
        """Pull to the end."""
        return [page async for page in self.connector.pull(cursor or Cursor())]

    def ident(self, raw: object) -> str:
        """The id by which the hub knows a record."""
        return str(self.connector.map(raw).source_id).removeprefix("uuid:")

    async def idents(self, cursor: Cursor | None = None) -> list[str]:
        """The ids of a pull, in order."""
        return [self.ident(raw) for page in await self.pages(cursor) for raw in page.records]


@asynccontextmanager
async def source(kind: str, **settings: Any) -> AsyncIterator[Source]:
    """A source of the kind, two records to a page, as long as the block lasts."""
    records: list[Any] = []
    faults = Faults()
    if kind == "memory":
        layout = Layout(("id",), ("updated",))
        yield Source(MemoryConnector(records, MEMORY_MAPPING), _memory_shape, layout, records)
    elif kind == "csv-sftp":
        async with csv_file.serve_sftp(records, TOKEN, faults, HOST_KEY) as host:
            yield Source(sftp_connector(host, **settings), csv_file.record, csv_file.LAYOUT, records, faults)
    else:
        way = WAYS[kind]
        async with serve(way.module.app(records, way.secret, faults)) as host:
            connector = http_connector(kind, host, **settings)
            yield Source(connector, way.module.record, way.module.LAYOUT, records, faults)


def http_connector(kind: str, host: str, **settings: Any) -> Connector:
    """A connector of the kind to a fake at `host`."""
    way = WAYS[kind]
    own = {**way.settings, "url": f"http://{host}{way.path}", **settings}
    if way.token_path:
        own["auth"] = {**own["auth"], "tokenUrl": f"http://{host}{way.token_path}"}
    return connect(way.kind, own, way.mapping, Surroundings(lambda _: way.secret, frozenset({host})))


def sftp_connector(host: str, around: Surroundings | None = None, **settings: Any) -> Connector:
    """A connector to a file behind SFTP."""
    key = HOST_KEY.export_public_key().decode().strip()
    auth = {"scheme": "ssh", "user": csv_file.USER, "secret": "file-password", "hostKey": key}
    own = {"url": f"sftp://{host}/export/people.csv", "auth": auth, "pageSize": 2, **settings}
    return connect("CSV", own, csv_file.MAPPING, around or Surroundings(lambda _: TOKEN, frozenset({host})))


def _memory_shape(ident: str, updated: datetime, name: str) -> Raw:
    return {"id": ident, "updated": updated.isoformat(), "name": name}

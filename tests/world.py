"""What tests of the hub stand on: the whole application over one real database, clients with real keys, rows by plain INSERT."""

import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import httpx2
import msgspec
from joserfc.jwk import ECKey
from starlette.applications import Starlette

from auth.client import Answer, Credentials, HubClient, over_httpx
from auth.clients import register_client
from auth.keyring import Keyring
from auth.limits import CEILINGS
from auth.scopes import Scope
from connectors.problem import ConfigurationError
from connectors.protocol import Connector
from hub.app import Pools, create_app
from hub.engine.bind import name_digest
from hub.engine.compiled import WALLS
from hub.feeds.feed import Feed
from hub.postgres import open_pool
from hub.sealing import Sealing
from tests.conftest import Database

ISSUER = "https://hub.example"
NOON = 1_780_315_200.0  # 2026-06-01T12:00Z, as the clock of test databases
EVERY_SCOPE = [str(scope) for scope in Scope]
KEYS = json.dumps(
    {
        "keks": {"1": "QUFB" * 10 + "QUE="},
        "current": "1",
        "index": "QkJC" * 10 + "QkI=",
        "cursor": "Q0ND" * 10 + "Q0M=",
        "nonce": "RERE" * 10 + "REQ=",
    }
)
KEYRING = Keyring.parse(KEYS)
PARTNER = ["OVERVIEW", "PROFILE", "IDENTITY"]
UNLIMITED = {name: value for name, value in msgspec.to_builtins(CEILINGS).items() if name != "page_size"}
"""Limits that random operations do not meet."""


@cache
def key_of(name: str) -> ECKey:
    """Give a client's key; the same throughout a run, so that worlds can be alike."""
    del name
    return ECKey.generate_key("P-256")


@dataclass
class World:
    """The hub over one database, and what tests put into it."""

    database: Database
    app: Starlette
    http: httpx2.AsyncClient
    admin: Any
    sealing: Sealing
    organisations: dict[str, int] = field(default_factory=dict)
    clients: dict[str, HubClient] = field(default_factory=dict)
    now: float = NOON

    async def organisation(self, code: str, kind: str = "SISTER") -> int:
        """Add an organisation; a fixed pairwise key makes ids the same in every world."""
        found: int = await self.admin.fetchval(
            "insert into organisation (code, name, kind) values ($1, initcap($1), $2::text::organisation_kind) returning id",
            code,
            kind,
        )
        await self.admin.execute(
            "update pairwise_key set inner_pad = padded(sha256($2), 54), outer_pad = padded(sha256($2), 92) where organisation = $1",
            found,
            code.encode(),
        )
        self.organisations[code] = found
        return found

    async def client(
        self, name: str, organisation: str, scopes: list[str] | None = None, purpose: str | None = "PROTECTION",
        limits: Mapping[str, int] = UNLIMITED,
    ) -> HubClient:  # fmt: skip
        """Register a client with a real key; every scope and hardly a limit unless said otherwise: {} is the usual limits."""
        key = key_of(name)
        await register_client(
            self.admin,
            organisation=self.organisations[organisation],
            client_id=name,
            name=name.title(),
            scopes=scopes if scopes is not None else EVERY_SCOPE,
            jwks={"keys": [key.as_dict(private=False, kid="1")]},
            purpose=purpose,
            limits=limits,
        )
        credentials = Credentials(
            name, key.as_dict(private=True, kid="1"), ISSUER, f"{ISSUER}/oauth/token", f"{ISSUER}/graphql"
        )
        self.clients[name] = HubClient(credentials, over_httpx(self.http), clock=lambda: self.now)
        return self.clients[name]

    async def city(self, code: str, country: str = "NO") -> int:
        """Add a city of refuge."""
        found: int = await self.admin.fetchval(
            "insert into city (code, name, country) values ($1, initcap($1), $2) returning id", code, country
        )
        return found

    async def case(
        self, *, case_id: uuid.UUID | None = None, documents: Mapping[str, Any] | None = None, **columns: Any
    ) -> uuid.UUID:
        """Add a case with sealed documents by category."""
        case = case_id or uuid.uuid4()
        values = {"status": "CANDIDATE", "discipline": "WRITER", "origin": "IR", "risk_level": "HIGH", "opened_on": "2026-01-15", "updated_at": "2026-02-01T00:00:00+00:00", "sealed": "false", **columns}  # fmt: skip
        await self.insert("case_file", id=str(case), **values)
        key = self.sealing.new_key()
        await self.insert("case_key", case_id=case, kek=key.kek, wrapped=key.wrapped)
        for category, document in (documents if documents is not None else PERSON).items():
            sealed = self.sealing.seal(key.plain, f"case:{case}", category, 1, msgspec.json.encode(document))
            await self.insert(f"case_{category.lower()}", case_id=case, sealed=sealed)
            if category == "IDENTITY" and document.get("familyName"):
                await self.insert(
                    "case_name_digest", case_id=case, family_name=name_digest(self.index_key, document["familyName"])
                )
        return case

    async def agreement(self, organisation: str, categories: list[str] | None = None, **columns: Any) -> Any:
        """Add an approved agreement; all cases unless origins or disciplines are given."""
        values = {
            "purpose": "PROTECTION",
            "valid_from": "2026-01-01T00:00:00Z",
            "approved_at": "2026-01-01T00:00:00Z",
            **columns,
        }
        return await self.insert(
            "agreement", organisation=self.organisations[organisation], categories=categories or PARTNER, **values
        )

    async def consent(
        self,
        case: uuid.UUID | None,
        organisation: str | None = None,
        categories: list[str] | None = None,
        decision: str = "ALLOW",
        **columns: Any,
    ) -> uuid.UUID:
        """Add a consent; every partner when no organisation is named."""
        consent: uuid.UUID = columns.pop("id", None) or uuid.uuid4()
        values = {"given_on": "2026-01-01", "recorded_by": self.organisations["icorn"], **columns}
        named = None if organisation is None else self.organisations[organisation]
        await self.insert(
            "consent",
            id=consent,
            case_id=case,
            decision=decision,
            organisation=named,
            categories=categories or PARTNER,
            **values,
        )
        return consent

    async def referral(
        self, sender: str, recipient: str = "icorn", *, case: uuid.UUID | None = None, documents: Mapping[str, Any] | None = None,
        referral_id: uuid.UUID | None = None, **columns: Any,
    ) -> uuid.UUID:  # fmt: skip
        """Add a referral with what was said of the person."""
        referral = referral_id or uuid.uuid4()
        documents = PERSON if documents is None else documents
        values = {"urgency": "URGENT", "discipline": "WRITER", "origin": "IR", "submitted_at": "2026-03-01T00:00:00Z", "updated_at": "2026-03-02T00:00:00Z",
                  "client": sender, "shared_categories": ["OVERVIEW", *documents], **columns}  # fmt: skip
        key = self.sealing.new_key()
        reason = self.sealing.seal(key.plain, f"referral:{referral}", "REASON", 1, b"A reason")
        await self.insert("referral", id=referral, sender=self.organisations[sender], recipient=self.organisations[recipient], case_id=case, reason=reason, **values)  # fmt: skip
        await self.insert("referral_key", referral_id=referral, kek=key.kek, wrapped=key.wrapped)
        for category, document in documents.items():
            sealed = self.sealing.seal(key.plain, f"referral:{referral}", category, 1, msgspec.json.encode(document))
            await self.insert("referral_person", referral_id=referral, category=category, sealed=sealed)
        await self.insert("referral_event", referral_id=referral, ordinal=1, kind="SUBMITTED", status="SUBMITTED", organisation=self.organisations[sender], at=values["submitted_at"])  # fmt: skip
        return referral

    async def insert(self, table: str, **values: Any) -> Any:
        """Insert one row as the administrator; triggers fire, row policies do not bind. Values in their text form will do."""
        row = {
            name: value.hex() if isinstance(value, bytes) else str(value) if isinstance(value, uuid.UUID) else value
            for name, value in values.items()
        }
        marked = {name: f"\\x{value}" if isinstance(values[name], bytes) else value for name, value in row.items()}
        columns = ", ".join(marked)
        return await self.admin.execute(
            f"insert into {table} ({columns}) select {columns} from jsonb_populate_record(null::{table}, $1::text::jsonb)",  # noqa: S608 names of our own
            json.dumps(marked),
        )

    @property
    def index_key(self) -> bytes:
        """The key of blind indexes."""
        return KEYRING.subkey("index")

    async def send(self, client: str, query: str, variables: Mapping[str, Any] | None = None, **more: Any) -> Answer:
        """Send an operation over HTTP as a client, with its token and a fresh proof."""
        return await self.clients[client].graphql(query, variables, **more)

    async def ask(self, client: str, query: str, variables: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """Give the JSON of an answer."""
        return json.loads((await self.send(client, query, variables, **more)).body)

    async def data(self, client: str, query: str, variables: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """Give the data of an answer that has no errors."""
        answer = await self.ask(client, query, variables, **more)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def set_now(self, now: datetime) -> None:
        """Move both clocks: the database's and the hub's."""
        await self.database.set_now(now)
        self.now = now.timestamp()


PERSON: dict[str, Any] = {
    "PROFILE": {
        "biography": "Wrote two novels.",
        "languages": ["fa", "en"],
        "works": [{"title": "The Salt Road", "year": 2019, "kind": "novel"}],
    },
    "IDENTITY": {
        "givenName": "Mina",
        "familyName": "Farahani",
        "pseudonyms": ["M. Daryā"],
        "bornOn": "1987-04-02",
        "nationalities": ["IR"],
    },
    "CONTACT": {"channels": [{"kind": "signal", "address": "+00 000 000", "safe": True}], "mayContactDirectly": False},
    "WHEREABOUTS": {"country": "TR", "city": "Van", "inHiding": True},
    "THREAT": {
        "summary": "Warned twice.",
        "sources": ["STATE"],
        "incidents": [{"happenedOn": "2025-11-03", "kind": "summons"}],
    },
    "HEALTH": {"needs": "None known."},
    "FAMILY": {"members": [{"relation": "daughter", "relocating": True}]},
}
"""What is said of an invented person, category by category."""


def _no_feed(_: Feed) -> Connector:
    raise ConfigurationError(())


async def _stop_listening(world: World) -> None:
    await world.app.state.exchange.outbox.close()


@asynccontextmanager
async def build(
    database: Database,
    *,
    walls: frozenset[int] = WALLS,
    app_role: str = "hub_app",
    keyring: Keyring = KEYRING,
    connector_of: Callable[[Feed], Connector] = _no_feed,
) -> AsyncIterator[World]:
    """Put the hub together over a database. `app_role` other than hub_app takes the second wall down."""
    async with AsyncExitStack() as stack:
        pools = [
            await stack.enter_async_context(await open_pool(database.dsn(role), name="test", role=role, size=size))
            for role, size in ((app_role, 4), ("hub_auth", 2), ("hub_worker", 4))
        ]
        admin = await database.connect("postgres")
        world = World(database, Starlette(), httpx2.AsyncClient(), admin, Sealing(keyring))
        world.app = create_app(ISSUER, keyring, Pools(*pools), connector_of, clock=lambda: world.now, walls=walls)
        await world.http.aclose()
        world.http = await stack.enter_async_context(
            httpx2.AsyncClient(transport=httpx2.ASGITransport(world.app), base_url=ISSUER)
        )
        stack.push_async_callback(world.app.state.refresher.close)
        stack.push_async_callback(_stop_listening, world)
        yield world

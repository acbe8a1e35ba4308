"""The hub over real HTTP on a free port of loopback, real time, and a registered client: what programs of others meet."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from auth.clients import register_client, set_use
from auth.metadata import AUTHORIZE_PATH
from auth.people import People
from auth.people.cookies import SESSION
from hub.app import Pools, create_app
from hub.postgres import open_pool
from hub.serve import listener, serving
from tests.auth.people.browser import Browser
from tests.conftest import Database
from tests.world import EVERY_SCOPE, KEYRING, _no_feed

KEYS: dict[str, Any] = {
    "ES256": lambda: ECKey.generate_key("P-256", {"kid": "es"}),
    "PS256": lambda: RSAKey.generate_key(2048, {"kid": "ps"}),
    "Ed25519": lambda: OKPKey.generate_key("Ed25519", {"kid": "ed"}),
}
"""A new key for each algorithm of FAPI 2.0."""


@dataclass
class Served:
    """A hub that listens at `issuer`, over one database."""

    issuer: str
    database: Database
    organisation: int
    dpop_nonces: bool
    people: People
    cookie: str = ""

    async def register(self, client_id: str, key: Key, redirect_uris: Sequence[str] = ()) -> None:
        """Register a client of the PEN Centre by its public key, as `hub client add` does."""
        connection = await self.database.connect("postgres")
        public = {"keys": [key.as_dict(private=False)]}
        await register_client(
            connection, organisation=self.organisation, client_id=client_id, name=client_id.title(), scopes=EVERY_SCOPE,
            jwks=public, purpose=None,
        )  # fmt: skip
        await set_use(connection, client_id, redirect_uris=redirect_uris)

    async def sign_in(self, name: str) -> None:
        """Let somebody of the PEN Centre be signed in, in a browser of their own."""
        invited = await self.people.invitations.invite(
            organisation=self.organisation, email=f"{name.lower()}@pen.example", name=name, roles=["PARTNER_STAFF"],
            scopes=["cases:read", "referrals:read"],
        )  # fmt: skip
        await self.database.admin("update hub.usr set status = 'ACTIVE' where id = $1", invited.user)
        self.cookie = await self.people.sessions.begin(invited.user)

    async def approve(self, url: str) -> str:
        """Open the page that an app sent the browser to, and allow what it says; where the browser is sent then."""
        # No client program sends a Secure cookie over plain HTTP, not even on loopback, so the cookie goes by hand.
        async with httpx2.AsyncClient(headers={"cookie": f"{SESSION}={self.cookie}"}) as http:
            browser = Browser(http, page=await http.get(url))
            form = browser.form(AUTHORIZE_PATH)
            answer = await http.post(self.issuer + form.action, data={**form.fields, "answer": "yes"})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def credentials(self, folder: Path, client_id: str, key: Key) -> Path:
        """Write a credentials file as `hub keygen` does; it has no token URL, which clients find by themselves."""
        entry = {
            "name": client_id,
            "client_id": client_id,
            "issuer": self.issuer,
            "graphql_url": f"{self.issuer}/graphql",
            "private_jwk": key.as_dict(private=True),
        }
        file = folder / "credentials.json"
        file.write_text(json.dumps([entry]))
        return file


@asynccontextmanager
async def served(database: Database, *, dpop_nonces: bool = False) -> AsyncIterator[Served]:
    """Serve a hub with one sister organisation as long as the block lasts."""
    async with AsyncExitStack() as stack:
        listening = stack.enter_context(listener("127.0.0.1", 0))
        issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
        pools = [
            await stack.enter_async_context(await open_pool(database.dsn(role), name="test", role=role, size=4))
            for role in ("hub_app", "hub_auth", "hub_worker")
        ]
        app = create_app(issuer, KEYRING, Pools(*pools), _no_feed, dpop_nonces=dpop_nonces)
        stack.push_async_callback(app.state.refresher.close)
        # Programs of others know no clock but the machine's.
        await database.set_now(datetime.now(UTC))
        (row,) = await database.admin(
            "insert into hub.organisation (code, name, kind) values ($1, 'Northlight PEN Centre', 'SISTER') returning id",
            "pen-centre",
        )
        await stack.enter_async_context(serving(app, listening))
        yield Served(issuer, database, row["id"], dpop_nonces, app.state.people)

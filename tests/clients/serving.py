"""The hub over real HTTP on a free port of loopback, real time, and a registered client: what programs of others meet."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from auth.clients import register_client
from hub.app import Pools, create_app
from hub.postgres import open_pool
from hub.serve import listener, serving
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

    async def register(self, client_id: str, key: Key) -> None:
        """Register a client of the PEN Centre by its public key, as `hub client add` does."""
        connection = await self.database.connect("postgres")
        public = {"keys": [key.as_dict(private=False)]}
        await register_client(
            connection, organisation=self.organisation, client_id=client_id, name=client_id.title(), scopes=EVERY_SCOPE,
            jwks=public, purpose=None,
        )  # fmt: skip

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
        yield Served(issuer, database, row["id"], dpop_nonces)

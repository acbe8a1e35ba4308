"""What the FAPI 2.0 Security Profile asks of clients, of the example that partners take away. Our connectors are no OAuth clients."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import ModuleType
from urllib.parse import parse_qs

import httpx2
import pytest
from joserfc.jwk import ECKey

from tests.auth.kit import ec_key, opened, unb64
from tests.clients.serving import Served, served
from tests.conftest import Database

QUERY = "{ viewer { clientId } }"


@dataclass
class Watched:
    """The example client, and every request it sent to a hub that is served over HTTP."""

    client: ModuleType
    hub: Served
    key: ECKey
    sent: list[httpx2.Request]

    async def ask(self, **changes: str) -> object:
        """Ask who one is, with credentials changed as told."""
        entry = {
            "client_id": "writer",
            "private_jwk": self.key.as_dict(private=True),
            "issuer": self.hub.issuer,
            "graphql_url": f"{self.hub.issuer}/graphql",
            **changes,
        }

        def run() -> object:
            with httpx2.Client(event_hooks={"request": [self.sent.append]}) as http:
                return self.client.Hub(entry, http).ask(QUERY)

        return await asyncio.to_thread(run)

    def form(self) -> dict[str, list[str]]:
        """Return the form of the last token request."""
        (*_, request) = [request for request in self.sent if request.url.path == "/oauth/token"]
        return parse_qs(request.content.decode())


@pytest.fixture(params=[False, True], ids=["plain", "with nonces"])
async def watched(database: Database, request: pytest.FixtureRequest, example: ModuleType) -> AsyncIterator[Watched]:
    """The example, registered with a hub."""
    async with served(database, dpop_nonces=request.param) as hub:
        key = ec_key("own")
        await hub.register("writer", key)
        yield Watched(example, hub, key, [])


async def test_c1_c2_c3_the_example_shows_its_key_its_proofs_and_its_token_where_they_belong(watched: Watched) -> None:
    """An assertion, a proof of the same key with every request, the token in the header and in no URL."""
    assert await watched.ask() == {"data": {"viewer": {"clientId": "writer"}}}
    posted = [request for request in watched.sent if request.method == "POST"]
    keys = {json.dumps(json.loads(unb64(request.headers["dpop"].split(".")[0]))["jwk"]) for request in posted}

    assert set(watched.form()) == {"grant_type", "client_assertion_type", "client_assertion"}
    assert len(keys) == 1
    assert posted[-1].headers["authorization"].startswith("DPoP ")
    assert not [request.url for request in watched.sent if request.url.query]


async def test_c4_the_example_means_the_issuer_by_its_assertion(watched: Watched) -> None:
    """As one text; and the assertion ends after a minute."""
    await watched.ask()
    claims = opened(watched.form()["client_assertion"][0])

    assert claims["aud"] == watched.hub.issuer
    assert claims["exp"] - claims["iat"] == 60


async def test_c5_the_example_takes_up_the_hubs_nonce(watched: Watched) -> None:
    """Asked for one, it asks again; from then on its proofs carry the newest, without being asked."""
    await watched.ask()
    nonces = [opened(request.headers["dpop"]).get("nonce") for request in watched.sent if request.method == "POST"]

    if watched.hub.dpop_nonces:
        assert nonces[0] is None
        assert len(nonces) == 3
        assert all(nonces[1:])
    else:
        assert nonces == [None, None]


async def test_c6_c7_c8_the_example_believes_only_the_issuer_it_was_told(watched: Watched) -> None:
    """Endpoints come from its metadata alone; metadata that name another issuer end the program before anything is signed."""
    await watched.ask()
    assert [request.url.path for request in watched.sent[:2]] == [
        "/.well-known/oauth-authorization-server",
        "/oauth/token",
    ]
    watched.sent.clear()
    elsewhere = watched.hub.issuer.replace("127.0.0.1", "localhost")

    with pytest.raises(RuntimeError, match="Another issuer"):
        await watched.ask(issuer=elsewhere)
    assert [request.method for request in watched.sent] == ["GET"]

"""Two hub processes on one database: what may be used once is used once, and what ended in one has ended in the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any

import asyncpg
import httpx2
import pytest

from auth.keyring import Keyring
from hub.embedded import ADMIN
from hub.migrate import ensure_roles, migrate
from tests.auth.app import CALLBACK, PAR_URL, REVOKE_URL, VERIFIER, App, make_app
from tests.auth.kit import GRAPHQL_URL, ISSUER, TOKEN_URL, PinnedClock, build
from tests.conftest import Database
from tests.hub.test_worker import heard, running

CODE = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}


class Port(httpx2.AsyncBaseTransport):
    """Sends what is meant for the issuer to one process, as a balancer does."""

    def __init__(self, port: int) -> None:
        """Remember the port."""
        self.port, self.inner = port, httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request on."""
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self.port)
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what was opened."""
        await self.inner.aclose()


@dataclass
class Both:
    """An app, and the two processes that it may reach."""

    app: App
    processes: tuple[httpx2.AsyncClient, httpx2.AsyncClient]

    async def send(self, process: int, url: str, form: dict[str, str], proof: str | None = None) -> httpx2.Response:
        """Send a form to one of them, as the app."""
        self.app.world.http = self.processes[process]
        return await self.app.send(url, form, proof=proof)

    async def ask(self, process: int, token: str) -> int:
        """Ask the hub something with a token; return the status."""
        headers = {
            "Authorization": f"DPoP {token}",
            "DPoP": self.app.world.proof(self.app.proof_key, token=token),
            "Hub-Purpose": "PROTECTION",
        }
        answer = await self.processes[process].post(GRAPHQL_URL, json={"query": "{ cases { totalCount } }"}, headers=headers)  # fmt: skip
        return answer.status_code

    async def tokens(self, process: int) -> dict[str, str]:
        """Get tokens for Sara from one of them."""
        form = {**CODE, "code": await self.app.code()}
        answer = await self.send(process, TOKEN_URL, form, self.app.world.proof(self.app.proof_key))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@asynccontextmanager
async def two(database: Database, folder: Path, ports: list[int]) -> AsyncIterator[Both]:
    """Start two processes."""
    await ensure_roles(database.dsn(ADMIN))
    await migrate(database.dsn("hub_migrate"))
    keyring = Keyring.create(folder / "keys.json")
    (row,) = await database.admin(
        "insert into hub.organisation (code, name, kind) values ($1, 'Pen', 'SISTER') returning id", "pen-centre"
    )
    urls = {f"HUB_{name}_URL": database.dsn(role) for name, role in (("DATABASE", "hub_app"), ("AUTH_DATABASE", "hub_auth"), ("WORKER_DATABASE", "hub_worker"))}  # fmt: skip
    async with AsyncExitStack() as stack:
        started = [
            await stack.enter_async_context(
                running("serve", HUB_ISSUER=ISSUER, HUB_PORT=str(port), HUB_KEYS_FILE=str(folder / "keys.json"), **urls)
            )
            for port in ports
        ]
        await asyncio.gather(*(heard(process, "hub.serving") for process in started))
        pool = await stack.enter_async_context(asyncpg.create_pool(database.dsn("hub_auth"), min_size=0, max_size=4))
        clock = PinnedClock()
        clock.now = time()
        world = build(pool, keyring, int(row["id"]), clock=clock)
        app = await make_app(world, database, world.app.state.people)
        clients = [await stack.enter_async_context(httpx2.AsyncClient(transport=Port(port))) for port in ports]
        world.http = clients[0]
        yield Both(app, (clients[0], clients[1]))


@pytest.fixture
async def both(empty_database: Database, tmp_path: Path, unused_tcp_port_factory: object) -> AsyncIterator[Both]:
    """Two processes, and an app that reaches both."""
    ports = [unused_tcp_port_factory() for _ in range(2)]  # type: ignore[operator] # pytest-asyncio's
    async with two(empty_database, tmp_path, ports) as made:
        yield made


async def test_what_may_be_used_once_is_used_once_in_either(both: Both) -> None:
    """A code, an assertion, and a proof, each sent to both at the same moment, again and again: one of the two is served."""
    app, world = both.app, both.app.world
    for _ in range(5):
        world.clock.now = time()
        form = {**CODE, "code": await app.code()}
        proofs = [world.proof(app.proof_key) for _ in range(2)]
        codes = await asyncio.gather(*(both.send(n, TOKEN_URL, form, proofs[n]) for n in (0, 1)))
        assert sorted(answer.status_code for answer in codes) == [200, 400]

        claims: dict[str, Any] = {"iss": app.client_id, "sub": app.client_id}
        same = {**app.wish(), "client_assertion": world.assertion(key=app.key, **claims)}
        assertions = await asyncio.gather(*(both.send(n, PAR_URL, same) for n in (0, 1)))
        assert sorted(answer.status_code for answer in assertions) == [201, 400]

        proof = world.proof(app.proof_key, htu=PAR_URL)
        used = await asyncio.gather(*(both.send(n, PAR_URL, app.wish(), proof) for n in (0, 1)))
        assert sorted(answer.status_code for answer in used) == [201, 400]


async def test_what_ended_in_one_has_ended_in_the_other(both: Both) -> None:
    """The next statement knows: a revoked token, a replayed code, a session that ended, a disabled user."""
    app = both.app
    first, second, third, last = [await both.tokens(number % 2) for number in range(4)]
    assert [await both.ask(1, first["access_token"]), await both.ask(0, second["access_token"])] == [200, 200]

    await both.send(0, REVOKE_URL, {"token": first["access_token"]})
    assert await both.ask(1, first["access_token"]) == 401
    await both.send(1, REVOKE_URL, {"token": second["refresh_token"]})
    assert await both.ask(0, second["access_token"]) == 401

    code = await app.code()
    replayed = await both.send(0, TOKEN_URL, {**CODE, "code": code}, app.world.proof(app.proof_key))
    token = replayed.json()["access_token"]
    assert await both.ask(1, token) == 200
    await both.send(1, TOKEN_URL, {**CODE, "code": code}, app.world.proof(app.proof_key))
    assert [await both.ask(0, token), await both.ask(1, token)] == [401, 401]

    assert await both.ask(0, third["access_token"]) == 200
    await app.database.admin("update hub.usr set status = 'DISABLED'")
    assert [await both.ask(0, third["access_token"]), await both.ask(1, last["access_token"])] == [401, 401]
    refresh = {"grant_type": "refresh_token", "refresh_token": last["refresh_token"]}
    assert (await both.send(0, TOKEN_URL, refresh, app.world.proof(app.proof_key))).status_code == 400

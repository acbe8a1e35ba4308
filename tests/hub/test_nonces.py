"""Nonces in DPoP proofs, as an operator turns them on: HUB_DPOP_NONCES, for every process of a hub alike."""

from contextlib import AsyncExitStack
from pathlib import Path
from time import time

import asyncpg
import httpx2
import pytest

from auth.keyring import Keyring
from hub.settings import Settings, SettingsError
from tests.auth.kit import ISSUER, build, ec_key
from tests.conftest import Database
from tests.hub.test_two_processes import Port
from tests.hub.test_worker import heard, running


async def test_a_nonce_of_one_process_is_good_in_another(
    database: Database, tmp_path: Path, unused_tcp_port_factory: object
) -> None:
    """Behind a balancer nobody knows which process will be asked next: none of them keeps what it gave out."""
    keyring = Keyring.create(tmp_path / "keys.json")
    ports = [unused_tcp_port_factory() for _ in range(2)]  # type: ignore[operator] # pytest-asyncio's
    settings = {
        "HUB_ISSUER": ISSUER,
        "HUB_KEYS_FILE": str(tmp_path / "keys.json"),
        "HUB_DPOP_NONCES": "true",
        "HUB_DATABASE_URL": database.dsn("hub_app"),
        "HUB_AUTH_DATABASE_URL": database.dsn("hub_auth"),
        "HUB_WORKER_DATABASE_URL": database.dsn("hub_worker"),
    }
    (row,) = await database.admin(
        "insert into hub.organisation (code, name, kind) values ($1, 'Pen', 'SISTER') returning id", "pen-centre"
    )
    async with AsyncExitStack() as stack:
        for port in ports:
            process = await stack.enter_async_context(running("serve", HUB_PORT=str(port), **settings))
            await heard(process, "hub.serving")
        pool = await stack.enter_async_context(asyncpg.create_pool(database.dsn("hub_auth"), min_size=0, max_size=2))
        world = build(pool, keyring, row["id"])
        world.clock.now = time()
        await world.register("pen-centre", world.key)
        first, second = [await stack.enter_async_context(httpx2.AsyncClient(transport=Port(port))) for port in ports]
        world.http = first
        wanted = await world.ask_token()
        world.http = second
        answer = await world.ask_token(proof=world.proof(ec_key(), nonce=wanted.headers["dpop-nonce"]))

    assert (wanted.status_code, wanted.json()["error"]) == (400, "use_dpop_nonce")
    assert answer.status_code == 200


@pytest.mark.parametrize(("value", "wanted"), [("true", True), ("false", False)])
def test_nonces_are_turned_on_and_off(monkeypatch: pytest.MonkeyPatch, value: str, *, wanted: bool) -> None:
    """By one setting; anything but true or false stops the start."""
    monkeypatch.setenv("HUB_DPOP_NONCES", value)
    assert Settings.load().dpop_nonces is wanted
    monkeypatch.setenv("HUB_DPOP_NONCES", "sometimes")
    with pytest.raises(SettingsError, match="HUB_DPOP_NONCES is none of its choices"):
        Settings.load()

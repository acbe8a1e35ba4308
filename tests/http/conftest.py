"""The hub over real HTTP on a port of loopback, by the real clock, and node with what package-lock.json pins."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Any

import pytest

from hub.app import Pools, create_app
from hub.serve import listener, serving
from tests import npm
from tests.conftest import Database
from tests.world import KEYRING, World, _no_feed, build

HERE = Path(__file__).parent
Node = Callable[..., Awaitable[Any]]


@pytest.fixture
async def served(database: Database) -> AsyncIterator[tuple[World, str]]:
    """A hub that listens, and its address: ICORN's desk and the PEN Centre are its clients."""
    await database.set_now(datetime.now(UTC))
    async with build(database) as world:
        await world.organisation("icorn", "ICORN")
        await world.organisation("pen-centre")
        await world.client("desk", "icorn", limits={})
        await world.client("pen", "pen-centre", limits={})
        inside: Pools = world.app.state.pools
        with listener("127.0.0.1", 0) as listening:
            issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
            app = create_app(issuer, KEYRING, inside, _no_feed, clock=time)
            async with serving(app, listening):
                yield world, issuer
            await app.state.refresher.close()


@pytest.fixture
def node(served: tuple[World, str], packages: Path, tmp_path: Path) -> Node:
    """Run a program of this folder as a client of the hub: it is given credentials and more, and prints JSON."""
    world, issuer = served
    (tmp_path / "node_modules").symlink_to(packages)
    for program in HERE.glob("*.mjs"):
        shutil.copy(program, tmp_path)

    async def run(program: str, client: str, **more: Any) -> Any:
        known = world.clients[client].credentials
        given = {"client_id": client, "issuer": issuer, "private_jwk": known.private_jwk, **more}
        process = await asyncio.create_subprocess_exec(
            "node", tmp_path / program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = await process.communicate(json.dumps(given).encode())
        assert process.returncode == 0, err.decode()
        return json.loads(out)

    return run


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder node_modules."""
    return npm.packages(HERE)

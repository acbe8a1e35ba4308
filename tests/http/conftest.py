"""The hub over real HTTP on a port of loopback, by the real clock, and node with what package-lock.json pins."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Any

import pytest

from hub.app import Pools, create_app
from hub.serve import listener, serving
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
    """The folder node_modules: installed once, by exact versions and hashes, and kept in the environment."""
    npm = shutil.which("npm") if shutil.which("node") else None
    if npm is None:
        missing("node and npm are not on this machine")
    lock = (HERE / "package-lock.json").read_bytes()
    kept = Path(sys.prefix) / "node" / hashlib.sha256(lock).hexdigest()[:16]
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        folder = tempfile.mkdtemp(dir=kept.parent)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        command = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder]
        if subprocess.run(command, check=False, capture_output=True).returncode:  # noqa: S603 our own
            shutil.rmtree(folder)
            missing("npm could not install what tests/http/package-lock.json pins: is the registry reachable?")
        # Of two that install at once, the second finds the same there already.
        with suppress(OSError):
            Path(folder).rename(kept)
        shutil.rmtree(folder, ignore_errors=True)
    return kept / "node_modules"


def missing(reason: str) -> None:
    """Skip what this machine cannot run; where changes are judged, nothing is skipped."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)

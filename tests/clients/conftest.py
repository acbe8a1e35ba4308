"""Hubs to speak to, and node with the packages that examples/package-lock.json pins."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests import npm
from tests.clients.serving import Served, served
from tests.conftest import Database

EXAMPLES = Path(__file__).parents[2] / "examples"
HERE = Path(__file__).parent
Run = Callable[..., Awaitable[str]]
Talk = tuple[Callable[[], Awaitable[str]], Callable[[str], Awaitable[None]]]
Converse = Callable[..., AbstractAsyncContextManager[Talk]]


@pytest.fixture(params=[False, True], ids=["plain", "with nonces"])
async def hub(database: Database, request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    """A hub that asks for no nonces, and one that does: a client must not need to know."""
    async with served(database, dpop_nonces=request.param) as hub:
        yield hub


async def run(*command: str | Path) -> str:
    """Run a program of a partner's, while the hub goes on answering; what it printed, once it ended well."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PATH": os.environ["PATH"]}
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest.fixture(scope="session")
def python() -> Run:
    """Run a Python program with what this environment has installed."""

    async def start(program: Path, *arguments: str | Path) -> str:
        return await run(sys.executable, program, *arguments)

    return start


@pytest.fixture(scope="session")
def programs(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every JavaScript program beside the installed packages, which is where node looks for them."""
    folder = tmp_path_factory.mktemp("node")
    (folder / "node_modules").symlink_to(packages)
    for program in (*EXAMPLES.glob("*.mjs"), *HERE.glob("*.mjs")):
        shutil.copy(program, folder)
    return folder


@pytest.fixture(scope="session")
def node(programs: Path) -> Run:
    """Run a JavaScript program."""

    async def start(program: str, *arguments: str | Path) -> str:
        return await run("node", programs / program, *arguments)

    return start


@pytest.fixture(scope="session")
def converse(programs: Path) -> Converse:
    """Run a JavaScript program that waits for an answer: what it prints, line by line, and how to tell it something."""

    @asynccontextmanager
    async def start(program: str, *arguments: str | Path) -> AsyncIterator[Talk]:
        process = await asyncio.create_subprocess_exec(
            "node", programs / program, *arguments,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PATH": os.environ["PATH"]},
        )  # fmt: skip
        assert process.stdin
        assert process.stdout
        assert process.stderr
        stdin, stdout, stderr = process.stdin, process.stdout, process.stderr

        async def printed() -> str:
            line = (await asyncio.wait_for(stdout.readline(), 60)).decode()
            assert line, (await stderr.read()).decode()
            return line.rstrip()

        async def say(line: str) -> None:
            stdin.write(f"{line}\n".encode())
            await stdin.drain()

        try:
            yield printed, say
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    return start


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder node_modules."""
    return npm.packages(EXAMPLES)

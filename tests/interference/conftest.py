"""What the interference suite stands on: one event loop, and databases of worlds that are filled once."""

import asyncio
from collections.abc import Iterator

import pytest

from hub.embedded import Server
from tests.interference.twins import Filled


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One event loop for all tests of a module, so that they can share worlds."""
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="module")
def filled(runner: asyncio.Runner, server: Server, template: str) -> Iterator[Filled]:
    """The worlds that were filled so far."""
    databases = Filled(server, template)
    yield databases
    runner.run(databases.aclose())

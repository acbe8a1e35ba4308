"""What these tests share: one event loop, and the worlds that were filled so far."""

import asyncio
from collections.abc import Iterator

import pytest

from hub.embedded import Server
from hub.subscriptions import outbox
from tests.interference.twins import Filled


@pytest.fixture(scope="package")
def runner() -> Iterator[asyncio.Runner]:
    """One event loop for all of these tests, so that they can share worlds."""
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="package", autouse=True)
def quick() -> Iterator[None]:
    """Let the clock of what is followed tick faster, so that waiting for it takes no time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "TICK", 0.01)
        yield


@pytest.fixture(scope="package")
def filled(runner: asyncio.Runner, server: Server, template: str) -> Iterator[Filled]:
    """The worlds that were filled so far."""
    databases = Filled(server, template)
    yield databases
    runner.run(databases.aclose())

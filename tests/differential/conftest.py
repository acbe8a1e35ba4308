"""What differential tests share: one peopled world a module, asked by the hub and by the oracle."""

from collections.abc import AsyncIterator

import pytest_asyncio

from hub.embedded import Server
from tests.conftest import NUMBERS, new_database
from tests.differential.compare import Pair, pair
from tests.world import build


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(server: Server, template: str) -> AsyncIterator[Pair]:
    """The hub and its oracles over one database, which nothing changes."""
    async with new_database(server, f"test_{next(NUMBERS)}", template) as database, build(database) as world:
        yield await pair(world)

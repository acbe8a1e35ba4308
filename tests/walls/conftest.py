"""One world for each state of the walls, kept over a file: its operations are prepared once, its data replaced by every test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from hub import postgres
from hub.embedded import Server
from tests.conftest import NUMBERS, new_database
from tests.walls.raw import Raw, peopled
from tests.walls.standing import Worlds, standing
from tests.world import World


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def worlds(server: Server, template: str) -> AsyncIterator[Worlds]:
    """Give the world in which these walls stand."""
    made: dict[str, World] = {}
    with pytest.MonkeyPatch.context() as patch:
        # The longest operation here would be planned anew for each of a thousand requests.
        patch.setattr(postgres, "STATEMENT_LENGTH", 1 << 20)
        async with AsyncExitStack() as stack:

            async def world(walls: str) -> World:
                if walls not in made:
                    database = await stack.enter_async_context(new_database(server, f"test_{next(NUMBERS)}", template))
                    made[walls] = await stack.enter_async_context(standing(database, walls))
                return made[walls]

            yield world


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def raw(server: Server, template: str) -> AsyncIterator[Raw]:
    """One peopled database; every test undoes what it does."""
    async with new_database(server, f"test_{next(NUMBERS)}", template) as database, peopled(database) as made:
        yield made

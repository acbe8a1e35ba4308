"""Each wall alone gives the very answers that both give together."""

from typing import Any

import pytest

from tests.conftest import Database
from tests.differential.compare import pair
from tests.differential.test_features import OPERATIONS
from tests.population import CLIENTS
from tests.world import build

ALONE: dict[str, dict[str, Any]] = {
    "the plan": {"app_role": "postgres"},
    "row policies": {"walls": frozenset({2})},
}


@pytest.mark.parametrize("wall", ALONE)
async def test_one_wall_alone_answers_as_plain_resolvers_do(database: Database, wall: str) -> None:
    """With row policies bypassed, and with every access predicate left out of the statement: nothing more, nothing less."""
    async with build(database, **ALONE[wall]) as world:
        both = await pair(world)
        for query, variables in OPERATIONS.values():
            for client in CLIENTS:
                await both.compare(client, query, variables)

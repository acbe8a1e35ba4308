"""What tests of the hub share: a world with ICORN and two sister organisations."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import Database
from tests.hub.shell import hub_fixture
from tests.world import World, build

__all__ = ["hub_fixture"]


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """ICORN's desk, two sister organisations and a city, no cases."""
    async with build(database) as made:
        await made.organisation("icorn", "ICORN")
        await made.organisation("pen-centre")
        await made.organisation("arts-haven")
        await made.city("bergen")
        await made.client("desk", "icorn")
        await made.client("pen", "pen-centre")
        await made.client("arts", "arts-haven")
        yield made

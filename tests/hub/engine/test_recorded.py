"""Whoever is read of is on record, by whatever names an answer was asked for."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from hub.embedded import Server
from tests.conftest import NUMBERS, new_database
from tests.population import populate
from tests.world import World, build

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def peopled(server: Server, template: str) -> AsyncIterator[World]:
    """Everybody, over one database."""
    async with new_database(server, f"test_{next(NUMBERS)}", template) as database, build(database) as world:
        await populate(world)
        yield world


async def subjects(world: World, query: str) -> set[Any]:
    """Ask as the PEN Centre; give the pseudonyms that its one record names."""
    await world.admin.execute("delete from audit")
    await world.data("pen", query)
    (row,) = await world.admin.fetch("select subjects from audit")
    return {seen["subject"] for seen in row["subjects"]}


async def pseudonyms(world: World) -> set[Any]:
    """Give the pseudonyms of all cases and referrals that the PEN Centre may see now."""
    rows = await world.admin.fetch(
        "select pseudonym from case_access where organisation = $1 and overview @> hub_now()"
        " union select pseudonym from referral_access where organisation = $1 and visible @> hub_now()",
        world.organisations["pen-centre"],
    )
    return {row["pseudonym"] for row in rows}


NESTED = "referrals { edges { node { id } } }"


@pytest.mark.parametrize(
    "query",
    [
        f"{{ cases {{ edges {{ node {{ {NESTED} }} }} }} referrals {{ edges {{ node {{ id }} }} }} }}",
        f"{{ cases {{ edges {{ a: node {{ {NESTED} }} b: node {{ id }} }} }} referrals {{ totalCount edges {{ node {{ id }} }} }} }}",
        f"{{ cases {{ a: edges {{ cursor }} b: edges {{ a: node {{ id }} b: node {{ {NESTED} }} }} }} referrals {{ edges {{ node {{ case {{ id }} }} }} }} }}",
    ],
)
async def test_a_list_names_everybody_in_it_and_below(peopled: World, query: str) -> None:
    """Cases and referrals, whatever the edges and nodes are called and however often they are asked for."""
    assert await subjects(peopled, query) == await pseudonyms(peopled)

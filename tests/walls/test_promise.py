"""That the look at a case is not blind: it sees a hole made in a wall, and it sees everything when there is no wall."""

import pytest

from tests.conftest import Database
from tests.walls.look import arrange, differences
from tests.walls.situations import DENIED, NOON, Situation, agreement, consent
from tests.walls.standing import FIRST, NEITHER, SECOND, Worlds, standing
from tests.world import PARTNER

PART = Situation("", [agreement(), consent(["OVERVIEW", "PROFILE"])], ["OVERVIEW", "PROFILE"], {"AGREEMENT": PARTNER})
OVER = Situation("", [agreement(), consent(valid_until="2026-05-31")])
HOLES = {
    "identities": ("alter policy visible on case_identity using (true)", PART, "IDENTITY is shown"),
    "where people stay": ("alter policy visible on residency using (true)", PART, "residencies shown"),
    "what is past": (
        "alter policy visible on case_file using (true); alter policy own on case_access using (organisation = (select viewer_org()))",
        OVER,
        "a hidden case is there",
    ),
}


@pytest.mark.parametrize("hole", HOLES)
async def test_a_hole_in_the_second_wall_shows_when_the_first_is_down(database: Database, hole: str) -> None:
    """A policy loosened in one place is found by the very look that every denial rests on."""
    breach, given, sight = HOLES[hole]
    async with standing(database, SECOND) as world:
        case, pen = await arrange(world, given)
        assert await differences(world, pen, "pen-centre", case, given) == []

        await database.admin(breach)

        assert any(sight in line for line in await differences(world, pen, "pen-centre", case, given))


@pytest.mark.parametrize("hole", HOLES)
async def test_the_first_wall_covers_a_hole_in_the_second(database: Database, hole: str) -> None:
    """Nobody is seen through one hole: it takes two."""
    breach, given, _ = HOLES[hole]
    async with standing(database, FIRST) as world:
        case, pen = await arrange(world, given)
        await database.admin(breach)

        assert await differences(world, pen, "pen-centre", case, given) == []


WITHIN = [s for s in DENIED if s.at == NOON and "cases:read" in s.scopes]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("given", WITHIN, ids=lambda given: given.name)
async def test_what_is_denied_is_seen_where_there_is_no_wall(worlds: Worlds, given: Situation) -> None:
    """The denials are the walls' doing: without them the partner sees what was made visible to somebody else."""
    world = await worlds(NEITHER)
    case, pen = await arrange(world, given)

    assert await differences(world, pen, "pen-centre", case, given) != []

"""Under a freeze, too, the hub answers as graphql-core's own executor does over plain resolvers."""

import pytest

from tests.conftest import Database
from tests.differential.compare import judged
from tests.differential.test_features import OPERATIONS
from tests.population import CLIENTS, named, populate
from tests.world import build

READING = ("a case with everything", "a referral with everything", "feeds and their records")


@pytest.mark.parametrize("columns", [{"country": "IR"}, {"case_id": named("plain")}], ids=["an origin", "a case"])
async def test_a_freeze_is_what_plain_resolvers_make_of_it(database: Database, columns: dict[str, object]) -> None:
    """For each client of the peopled world: fewer cases and referrals for partners, and the same as ever for ICORN."""
    counts = {}
    async with build(database) as world:
        await populate(world)
        for when in ("before", "after"):
            if when == "after":
                frozen = {"case_id": None, "country": None, **columns}
                await world.insert("frozen", id=named("freeze"), starts="2026-05-01T00:00:00Z", **frozen)
            both = await judged(world)
            for client in CLIENTS:
                for name in READING:
                    await both.compare(client, *OPERATIONS[name])
                told = await world.ask(client, "{ cases { totalCount } }")
                counts[client, when] = (told["data"]["cases"] or {"totalCount": 0})["totalCount"]

    assert counts["desk", "before"] == counts["desk", "after"]
    assert counts["pen", "before"] > counts["pen", "after"]

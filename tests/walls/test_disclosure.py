"""Who sees what of a case, situation by situation, with either wall alone."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest

from tests.walls.look import arrange, differences, icorn, names, operation
from tests.walls.situations import ALLOWED, CATEGORIES, DENIED, Situation, agreement, consent, share
from tests.walls.standing import EACH, Worlds
from tests.world import PARTNER

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.parametrize("walls", EACH)]


@pytest.mark.parametrize("given", ALLOWED, ids=lambda given: given.name)
async def test_allows_what_the_policy_opens_and_no_more(worlds: Worlds, walls: str, given: Situation) -> None:
    """The categories of the verdict are there, the others null, and each says why: by every id, filter, order and page."""
    world = await worlds(walls)
    case, pen = await arrange(world, given)

    assert await differences(world, pen, "pen-centre", case, given) == []
    assert await differences(world, "desk", "icorn", case, icorn(given)) == []


@pytest.mark.parametrize("given", DENIED, ids=lambda given: given.name)
async def test_denies_without_a_trace(worlds: Worlds, walls: str, given: Situation) -> None:
    """The case is nowhere: no id, reference, filter, order, count or page knows it, and it is byte for byte like one that never was."""
    world = await worlds(walls)
    case, pen = await arrange(world, given)

    assert await differences(world, pen, "pen-centre", case, given) == []
    assert await differences(world, "desk", "icorn", case, icorn(given)) == []
    asked = operation(given.scopes)
    public = {"other": "organisation_icorn"}
    hidden = await world.send(pen, asked, {**await names(world, "pen-centre", case), **public})
    absent = await world.send(pen, asked, {**await names(world, "pen-centre", uuid4()), **public})
    assert (hidden.status, hidden.body) == (absent.status, absent.body)


async def test_an_end_needs_no_job(worlds: Worlds, walls: str) -> None:
    """Access begins and ends by the clock alone: nothing runs in between, and what was seen is gone the second it ends."""
    times = [
        agreement(valid_from="2026-06-02T00:00:00Z", valid_until="2026-06-10T00:00:00Z"),
        consent(valid_until="2026-06-05"),
    ]
    open_now = Situation("", times, PARTNER, {"AGREEMENT": PARTNER})
    shut, silent = replace(open_now, opens=(), bases={}), replace(open_now, opens=())
    world = await worlds(walls)
    case, pen = await arrange(world, open_now)
    for day, hour, verdict in (
        (1, 12, shut),
        (2, 0, open_now),
        (5, 23, open_now),
        (6, 0, silent),
        (10, 0, shut),
    ):
        await world.set_now(datetime(2026, 6, day, hour, tzinfo=UTC))
        assert await differences(world, pen, "pen-centre", case, verdict) == [], (day, hour)


async def test_what_was_told_while_it_was_open_outlives_no_access(worlds: Worlds, walls: str) -> None:
    """A cursor, an id and a reference from better days open nothing; when access comes back they are the same."""
    given = Situation("", [agreement(), consent()], PARTNER, {"AGREEMENT": PARTNER})
    page = "query ($at: String) { cases(first: 1, after: $at) { totalCount edges { cursor node { id } } } }"
    world = await worlds(walls)
    case, pen = await arrange(world, given)
    before = (await world.data(pen, page))["cases"]
    await world.admin.execute("update consent set withdrawn_at = hub_now()")

    assert await differences(world, pen, "pen-centre", case, replace(given, opens=())) == []
    cursor = before["edges"][0]["cursor"]
    assert (await world.data(pen, page, {"at": cursor}))["cases"] == {"totalCount": 0, "edges": []}
    await world.consent(case)
    assert (await world.data(pen, page))["cases"]["edges"][0]["node"] == before["edges"][0]["node"]


async def test_two_partners_know_a_case_by_names_that_have_nothing_in_common(worlds: Worlds, walls: str) -> None:
    """And the id of one finds nothing for the other."""
    given = Situation("", [agreement(), agreement(to="arts-haven"), consent(to=None)], PARTNER, {"AGREEMENT": PARTNER})
    world = await worlds(walls)
    case, _ = await arrange(world, given)
    if "arts" not in world.clients:
        await world.client("arts", "arts-haven")
    pens, arts = await names(world, "pen-centre", case), await names(world, "arts-haven", case)
    asked = "query ($id: ID!, $reference: String!) { node(id: $id) { id } case(by: {id: $id}) { id } r: case(by: {reference: $reference}) { id } }"

    assert set(pens.values()).isdisjoint(arts.values())
    assert await world.data("arts", asked, pens) == {"node": None, "case": None, "r": None}
    assert (await world.data("arts", asked, arts))["case"] == {"id": arts["id"]}


async def test_assessment_is_never_given_outside(worlds: Worlds, walls: str) -> None:
    """No agreement, share, consent, presentation or referral can name it, so there is nothing to go wrong later."""
    world = await worlds(walls)
    case, _ = await arrange(world, Situation("", []))
    everything = list(CATEGORIES)
    for attempt in (agreement(everything), share(everything), consent(everything)):
        with pytest.raises(asyncpg.CheckViolationError):
            await attempt(world, case)
    with pytest.raises(asyncpg.CheckViolationError):
        await world.referral("pen-centre", shared_categories=everything)

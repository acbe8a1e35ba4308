"""hub panic: what is stopped is stopped in the next statement, for everyone it concerns; and lifted as it was."""

import asyncio
from typing import Any

import pytest

from tests.hub.person import person
from tests.hub.shell import Run
from tests.world import World

SEEN = "{ cases { totalCount } referrals { totalCount } }"
SENT: dict[str, Any] = {"shared_categories": ["OVERVIEW", "PROFILE", "IDENTITY"]}


async def seen(world: World, client: str) -> tuple[int, int]:
    """Count the cases and referrals that a client sees."""
    data = await world.data(client, SEEN)
    return data["cases"]["totalCount"], data["referrals"]["totalCount"]


async def panicked(hub: Run, world: World, *words: str) -> Any:
    """Run `hub panic`."""
    url = {"HUB_ADMIN_DATABASE_URL": world.database.dsn("postgres")}
    return await asyncio.to_thread(hub, "panic", *words, **url)


@pytest.fixture
async def shared(world: World) -> World:
    """A case from Iran and one from Turkey, both open to the PEN Centre, which referred the first."""
    await world.agreement("pen-centre")
    for origin in ("IR", "TR"):
        case = await world.case(origin=origin)
        await world.consent(case)
        if origin == "IR":
            referral = await world.referral("pen-centre", case=case, **SENT)
            await world.consent(None, "icorn", referral_id=referral)
    return world


async def reference(world: World, client: str) -> str:
    """Give the reference that a client knows its first case by."""
    data = await world.data(client, '{ cases(filter: {origin: ["IR"]}) { edges { node { reference } } } }')
    return str(data["cases"]["edges"][0]["node"]["reference"])


async def test_a_suspended_partner_is_out_with_its_machines_and_its_people(hub: Run, shared: World) -> None:
    """Tokens that are out stop; after it is lifted machines go on, and people sign in anew."""
    sara = await person(shared, "sara", "pen", "pen-centre", ["cases:read"])
    assert await seen(shared, "pen") == (2, 1)
    before = (await sara.graphql("{ cases { totalCount } }")).status
    said = await panicked(hub, shared, "--organisation", "pen-centre")
    out = [(await shared.send("pen", SEEN)).status, (await sara.graphql("{ cases { totalCount } }")).status]
    others = (await shared.send("arts", SEEN)).status
    lifted = await panicked(hub, shared, "--organisation", "pen-centre", "--lift")

    assert (before, said.status, out, others, lifted.status) == (200, 0, [401, 401], 200, 0)
    assert await seen(shared, "pen") == (2, 1)
    assert await shared.admin.fetchval("select standing from organisation where code = 'pen-centre'") == 1


@pytest.mark.parametrize("whose", ["desk", "pen"])
async def test_a_frozen_case_is_icorns_alone(hub: Run, shared: World, whose: str) -> None:
    """By anybody's reference; the partner does not even see the referral that it sent itself, and all comes back as it was."""
    named = await reference(shared, whose)
    said = await panicked(hub, shared, "--case", named)
    during = await seen(shared, "pen"), await seen(shared, "desk")
    again = await panicked(hub, shared, "--case", named)
    lifted = await panicked(hub, shared, "--case", named, "--lift")

    assert (said.status, again.status, lifted.status) == (0, 0, 0)
    assert during == ((1, 0), (2, 1))
    assert await seen(shared, "pen") == (2, 1)
    assert "C-" not in said.words


async def test_a_frozen_origin_stops_also_what_is_still_to_come(hub: Run, shared: World) -> None:
    """Cases and referrals, with a case or without one."""
    await panicked(hub, shared, "--country", "IR")
    later = await shared.case(origin="IR")
    await shared.consent(later)
    waiting = await shared.referral("pen-centre", "arts-haven", **SENT)
    await shared.consent(None, "arts-haven", referral_id=waiting)
    frozen = [await seen(shared, client) for client in ("pen", "arts", "desk")]
    await panicked(hub, shared, "--country", "IR", "--lift")

    assert frozen == [(1, 0), (0, 0), (3, 1)]
    assert [await seen(shared, client) for client in ("pen", "arts")] == [(3, 2), (0, 1)]


async def test_a_case_that_turns_out_to_be_of_a_frozen_origin_takes_its_referral_along(hub: Run, shared: World) -> None:
    """Whichever of the two says so."""
    await shared.admin.execute("update case_file set origin = null; update referral set origin = null")
    await panicked(hub, shared, "--country", "SY")
    before = await seen(shared, "pen")
    await shared.admin.execute("update case_file set origin = 'SY'")

    assert (before, await seen(shared, "pen")) == ((2, 1), (0, 0))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Say one of"),
        (("--case", "C-1", "--country", "IR"), "Say one of"),
        (("--organisation", "nobody"), "there is none"),
        (("--organisation", "icorn"), "ICORN itself is not suspended"),
        (("--case", "C-0000-0000-0000-0000"), "no case has this reference"),
        (("--country", "Iran"), "two capital letters"),
        (("--country", "IR", "--lift"), "was not frozen"),
    ],
)
async def test_what_cannot_be_stopped_is_said_in_words(
    hub: Run, world: World, words: tuple[str, ...], said: str
) -> None:
    """And nothing was changed."""
    ended = await panicked(hub, world, *words)

    assert ended.status in (1, 2)
    assert said in ended.words
    assert await world.admin.fetchval("select (select count(*) from frozen) + (select count(*) from organisation where suspended_at is not null)") == 0  # fmt: skip

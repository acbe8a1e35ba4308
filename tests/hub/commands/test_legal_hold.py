"""A legal hold keeps a case from being erased. It begins and ends by two people, and neither can do the other's part."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from tests.hub.commands.kit import case_id, done, events, found, operation
from tests.hub.commands.whole_case import erase, erasing, left_of, whole_case
from tests.hub.keys import beside
from tests.world import World, build


async def say(world: World, client: str, case: UUID, *, held: bool, name: str = "") -> Any:
    """Say as a client that a case is to be held, or not; give what stands then."""
    given = {"case": name or await case_id(world, case), "held": held, "reason": "Hazelreason"}
    stands = (await done(world, client, "setLegalHold", given))["legalHold"]
    return stands and (stands["held"], stands["proposed"])


@pytest.fixture(autouse=True)
async def _second_desk(world: World) -> None:
    await world.client("counsel", "icorn")


async def test_it_begins_and_ends_by_two(world: World) -> None:
    """One proposes, and again, and nothing stands; another one says the same, and it does. So it ends."""
    case = await world.case()
    steps = [
        ("desk", True, (False, True)), ("desk", True, (False, True)), ("counsel", True, (True, None)), ("desk", True, (True, None)),
        ("counsel", False, (True, False)), ("counsel", False, (True, False)), ("desk", False, (False, None)),
    ]  # fmt: skip

    assert [await say(world, who, case, held=held) for who, held, _ in steps] == [after for *_, after in steps]
    assert await events(world) == ["case.legal_hold"] * len(steps)


async def test_a_proposal_is_taken_back_by_saying_what_stands(world: World) -> None:
    """Then it takes two again; and where nothing was ever held, there is nothing."""
    case = await world.case()
    steps = [
        ("desk", False, None), ("desk", True, (False, True)), ("counsel", False, (False, None)), ("counsel", True, (False, True)),
        ("desk", True, (True, None)), ("desk", False, (True, False)), ("counsel", True, (True, None)), ("counsel", False, (True, False)),
    ]  # fmt: skip

    assert [await say(world, who, case, held=held) for who, held, _ in steps] == [after for *_, after in steps]


async def test_a_case_that_is_held_is_not_erased(world: World) -> None:
    """A proposal alone hinders nobody, nor does one to end it free the case."""
    whole = await whole_case(world)
    await say(world, "counsel", whole.case, held=True)
    held = await left_of(world, whole)
    assert await found(world, "desk", "eraseCase", await erasing(world, whole)) == [("LEGAL_HOLD", "input.case")]
    await say(world, "counsel", whole.case, held=False)
    assert await found(world, "desk", "eraseCase", await erasing(world, whole)) == [("LEGAL_HOLD", "input.case")]
    assert await left_of(world, whole) == held

    await say(world, "desk", whole.case, held=False)
    assert await erase(world, whole)
    proposed = await whole_case(world, "n2")
    assert await erase(world, proposed)


@pytest.mark.parametrize(
    ("first", "second", "confirmed"),
    [
        (("desk", ""), ("desk", ""), False),
        (("desk", ""), ("counsel", ""), True),
        (("desk", "una"), ("desk", "una"), False),
        (("desk", "una"), ("counsel", "una"), False),
        (("desk", "una"), ("desk", "tor"), True),
        (("desk", "una"), ("counsel", "tor"), True),
        (("desk", ""), ("desk", "una"), False),
        (("desk", "una"), ("desk", ""), False),
    ],
)
async def test_one_person_is_not_two(
    world: World,
    first: tuple[str, str],
    second: tuple[str, str],
    confirmed: bool,  # noqa: FBT001 a case of the table
) -> None:
    """By no second client of theirs, nor once as themselves and once as their program."""
    case, app = await world.case(), await world.database.connect("hub_app")
    for client, user in (first, second):
        async with app.transaction():
            for name, value in {
                "organisation": str(world.organisations["icorn"]),
                "client": client,
                "user": user,
                "scopes": "cases:read cases:erase",
            }.items():
                await app.execute("select set_config($1, $2, true)", f"hub.{name}", value)
            await app.execute("select set_legal_hold($1, true, '\\x01')", case)

    assert await world.admin.fetchval("select held from legal_hold") is confirmed


async def test_two_who_propose_at_once_have_agreed(world: World) -> None:
    """However it falls out, one was first and the other confirmed; five times the same voice is one."""
    cases = [await world.case() for _ in range(4)]
    for case in cases:
        name = await case_id(world, case)
        await asyncio.gather(*(say(world, who, case, held=True, name=name) for who in ("desk", "counsel")))
    lone = await world.case()
    name = await case_id(world, lone)
    await asyncio.gather(*(say(world, "desk", lone, held=True, name=name) for _ in range(5)))

    assert await world.admin.fetch("select held from legal_hold where case_id <> $1", lone) == [(True,)] * 4
    assert await world.admin.fetchval("select held from legal_hold where case_id = $1", lone) is False


async def test_why_is_kept_sealed(world: World) -> None:
    """The reason stands under the case's key, and goes with it."""
    case = await world.case()
    await say(world, "desk", case, held=True)
    proposed = await world.admin.fetchval("select proposed_reason from legal_hold")
    await say(world, "counsel", case, held=True)
    row = await world.admin.fetchrow("select reason, proposed_reason from legal_hold")

    assert row["reason"] == proposed
    assert row["proposed_reason"] is None
    assert b"Hazelreason" not in proposed


@pytest.mark.parametrize("wall", ["the first", "the second"])
async def test_either_wall_alone_hides_a_hold(world: World, wall: str) -> None:
    """From a partner with every scope that sees the case."""
    await whole_case(world)
    alone: dict[str, Any] = {"app_role": "postgres"} if wall == "the first" else {"walls": frozenset({2})}
    async with build(world.database, **alone) as half:
        other = beside(world, half, "pen", "desk")
        asked = "{ cases { edges { node { legalHold { proposed } } } } }"
        told = [(await other.data(client, asked))["cases"]["edges"] for client in ("pen", "desk")]

    assert told == [[{"node": {"legalHold": None}}], [{"node": {"legalHold": {"proposed": True}}}]]


async def test_a_partner_does_not_see_that_a_case_is_held(world: World) -> None:
    """With every scope and the case in sight, held and not held are the same null."""
    whole = await whole_case(world)
    asked = "{ cases { edges { node { legalHold { held proposed } } } } }"
    before = await world.send("pen", asked)
    await say(world, "counsel", whole.case, held=True)
    after = await world.send("pen", asked)

    assert before.body == after.body
    assert b'{"legalHold":null}' in after.body
    assert (await world.data("desk", asked))["cases"]["edges"][0]["node"] == {"legalHold": {"held": True, "proposed": None}}  # fmt: skip
    ill = {"input": {"idempotencyKey": "k", "case": "case_x", "held": True, "reason": " "}}
    problems = (await world.data("desk", operation("setLegalHold"), ill))["setLegalHold"]["problems"]
    assert [problem["code"] for problem in problems] == ["NOT_FOUND", "REQUIRED"]

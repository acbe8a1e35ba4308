"""Erasing while others are at work on the same case: each comes before it or finds nothing, and nothing comes back after it."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.hub.commands.kit import case_id, consent, operation, referral, referral_id, run
from tests.hub.commands.test_erase import changes, names
from tests.hub.commands.whole_case import Whole, erasing, left_of, whole_case
from tests.hub.waiting import waiting
from tests.world import World

OTHERS = ("openCase", "shareCase", "holdCase", "linkRecords", "recordConsent", "withdrawConsent", "setLegalHold")


async def in_turn(world: World, whole: Whole, *commands: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Be at work on the case, let the desk's commands queue up for it in this order, and then let them go."""
    tasks, watch = [], await world.database.connect("postgres")
    async with world.admin.transaction():
        await world.admin.execute("select alone_with($1)", [whole.case, whole.referral])
        for number, (name, given) in enumerate(commands, 1):
            tasks.append(asyncio.create_task(run(world, "desk", name, given)))
            await waiting(watch, count=number)
    return await asyncio.gather(*tasks)


@pytest.mark.parametrize("first", ["the erasure first", "the erasure last"])
@pytest.mark.parametrize("name", OTHERS)
async def test_a_command_comes_before_an_erasure_or_finds_nothing(world: World, name: str, first: str) -> None:
    """It is never a fault, and never leaves anything of the case behind."""
    whole = await whole_case(world)
    given = changes(await names(world, "icorn", whole.case, whole.referral, whole.consent, whole.record))[name]
    commands = [("eraseCase", await erasing(world, whole)), (name, given)]
    payloads = await in_turn(world, whole, *(commands if first == "the erasure first" else reversed(commands)))
    erased, other = payloads if first == "the erasure first" else reversed(payloads)
    codes = {problem["code"] for problem in other["problems"]}
    alone = {"ALREADY_OPEN"} if name == "openCase" else set()
    # Who names the referral waits for that, and may be before an erasure that was first at the case.
    may = [{"NOT_FOUND"}, alone] if "referral" in given else [{"NOT_FOUND"} if first == "the erasure first" else alone]

    assert erased == {"erased": True, "problems": []}
    assert codes in may
    assert await left_of(world, whole) == set()


async def test_of_two_erasures_one_erases(world: World) -> None:
    """The other finds nothing, as of any id."""
    whole = await whole_case(world)
    payloads = await in_turn(world, whole, *[("eraseCase", await erasing(world, whole))] * 3)

    assert sorted(payload["erased"] for payload in payloads) == [False, False, True]
    assert {p["code"] for payload in payloads for p in payload["problems"]} == {"NOT_FOUND"}
    assert await world.admin.fetchval("select count(*) from erasure") == 1


async def test_everybody_at_once(world: World) -> None:
    """Everything that can name the case, in no order, round after round: no fault, one erasure, and nothing left."""
    for number in range(4):
        whole = await whole_case(world, f"n{number}")
        named = changes(await names(world, "icorn", whole.case, whole.referral, whole.consent, whole.record))
        pens = {"referral": await referral_id(world, whole.referral, "pen-centre"), "consent": consent(decision="DENY")}
        given = [("desk", name, named[name]) for name in OTHERS]
        given += [("pen", "recordConsent", pens), ("pen", "submitReferral", referral(clientReference=f"n{number}"))]
        payloads = await asyncio.gather(
            *(run(world, *each) for each in given[:4]),
            run(world, "desk", "eraseCase", await erasing(world, whole)),
            *(run(world, *each) for each in given[4:]),
        )

        assert payloads[4]["erased"] is True
        assert await left_of(world, whole) == set()
    assert await world.admin.fetchval("select count(*) from erasure") == 4


async def test_a_replay_of_what_is_being_erased_is_a_new_command(world: World) -> None:
    """Its outcome goes with the case while it waits to read it: it is answered as one that was never sent before."""
    whole = await whole_case(world)
    given = {"input": {"idempotencyKey": "k", "case": await case_id(world, whole.case), "held": True, "reason": "r"}}
    await world.data("desk", operation("setLegalHold"), given)
    heard = await asyncio.gather(
        *(world.data("desk", operation("setLegalHold"), given) for _ in range(6)),
        run(world, "desk", "eraseCase", await erasing(world, whole)),
        *(world.data("desk", operation("setLegalHold"), given) for _ in range(6)),
    )

    assert heard[6]["erased"] is True
    assert {p["code"] for each in heard[:6] + heard[7:] for p in each["setLegalHold"]["problems"]} <= {"NOT_FOUND"}
    after = await world.data("desk", operation("setLegalHold"), {"input": {**given["input"], "idempotencyKey": str(uuid4())}})  # fmt: skip
    assert [p["code"] for p in after["setLegalHold"]["problems"]] == ["NOT_FOUND"]


async def test_a_replay_that_finds_its_outcome_gone_is_run_anew(world: World) -> None:
    """Erased between the two looks that a replay takes: it is no fault, and no answer of nothing."""
    whole = await whole_case(world)
    given = {"input": {"idempotencyKey": "k", "case": await case_id(world, whole.case), "held": True, "reason": "r"}}
    await world.data("desk", operation("setLegalHold"), given)
    await world.database.admin(
        "create sequence hub.turns; create function hub.forgets() returns trigger language plpgsql security definer as"
        " $$ begin if nextval('hub.turns') = 1 then delete from hub.outcome where key = 'k'; end if; return null; end $$;"
        "create trigger forgets after insert on hub.outcome for each statement execute function hub.forgets()"
    )
    again = await world.data("desk", operation("setLegalHold"), given)

    assert again["setLegalHold"]["case"]["legalHold"] == {"held": False, "proposed": True, "since": "2026-06-01T12:00:00+00:00"}  # fmt: skip
    assert await world.admin.fetchval("select subject from outcome where key = 'k'") == whole.case

"""A retry is safe: the same key from the same asker changes nothing more, whoever else uses it and however often."""

import asyncio
from typing import Any

from tests.hub.commands.kit import consent, counts, events, operation, referral
from tests.world import World

SUBMIT = operation("submitReferral")


def submit(key: str, **changed: Any) -> dict[str, Any]:
    """Give the variables of a referral under a key."""
    return {"input": {"idempotencyKey": key, **referral(**changed)}}


async def test_twenty_at_once_are_one_referral_and_one_answer(world: World) -> None:
    """Concurrent replays have one effect, and everyone gets the very same answer."""
    await world.data("pen", "{ __typename }")

    answers = await asyncio.gather(*(world.send("pen", SUBMIT, submit("same")) for _ in range(20)))

    assert len({answer.body for answer in answers}) == 1
    assert await world.admin.fetchval("select count(*) from referral") == 1
    assert await events(world) == ["referral.submitted"]


async def test_a_replay_is_read_anew_under_the_rights_of_today(world: World) -> None:
    """The first outcome is shown as it stands now: what the person took back since is not in it."""
    first = await world.data("pen", SUBMIT, submit("k", to="organisation_arts-haven"))
    await world.admin.execute("update consent set withdrawn_at = hub_now()")

    second = await world.data("pen", SUBMIT, submit("k", to="organisation_arts-haven"))

    assert first["submitReferral"]["referral"]["id"] == second["submitReferral"]["referral"]["id"]
    assert first["submitReferral"]["referral"]["person"]["identity"] == {"familyName": "Mulberryson"}
    assert second["submitReferral"]["referral"]["person"]["identity"] is None


async def test_the_same_key_with_another_input_is_a_problem(world: World) -> None:
    """Nothing is done, and the sender is told to take a key of its own."""
    await world.data("pen", SUBMIT, submit("k"))
    before = await counts(world)

    answer = await world.data("pen", SUBMIT, submit("k", urgency="ROUTINE"))

    assert answer["submitReferral"]["referral"] is None
    assert [p["code"] for p in answer["submitReferral"]["problems"]] == ["IDEMPOTENCY_KEY_REUSED"]
    assert await counts(world) == before


async def test_keys_are_each_asker_s_own(world: World) -> None:
    """Another client of the same organisation, and another organisation, may use the same key for something else."""
    await world.client("pen-two", "pen-centre")
    answers = [
        await world.data(client, SUBMIT, submit("k", urgency=urgency))
        for client, urgency in (("pen", "URGENT"), ("pen-two", "ROUTINE"), ("arts", "EMERGENCY"))
    ]

    assert [a["submitReferral"]["problems"] for a in answers] == [[], [], []]
    assert len({a["submitReferral"]["referral"]["id"] for a in answers}) == 3


async def test_problems_are_an_outcome_too(world: World) -> None:
    """A refused input stays refused under its key, with the same problems."""
    wrong = submit("k", consents=[consent(categories=["OVERVIEW"])])

    first, second = [(await world.data("pen", SUBMIT, wrong))["submitReferral"] for _ in range(2)]

    assert first == second
    assert {p["code"] for p in first["problems"]} == {"NOT_CONSENTED"}


async def test_an_outcome_on_record_has_no_content(world: World) -> None:
    """What is kept for a retry is the mutation, a keyed digest, and an id or problems: nothing that was said."""
    await world.data("pen", SUBMIT, submit("k"))

    (row,) = await world.admin.fetch("select o::text as text from outcome o")

    for word in ("Mulberryson", "Zarifeh", "Hazelreason", "Rowanevidence"):
        assert word not in row["text"]

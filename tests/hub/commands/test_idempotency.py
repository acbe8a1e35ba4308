"""A retry changes nothing and is answered as the first time; keys are each asker's own."""

import asyncio
import json
from uuid import UUID, uuid4

import pytest

from tests.hub.commands.kit import AGREED, case_id, consent, counts, events, feed_record, operation, referral, run
from tests.world import EVERY_SCOPE, World


async def given(world: World, name: str) -> tuple[str, dict[str, object]]:
    """Give a client and an input with which a command does something."""
    case = await world.case()
    ours = await case_id(world, case)
    made = await world.consent(case)
    child = await world.admin.fetchval("select child_name(pairwise($1, 'case', $2), $3)", world.organisations["icorn"], case, made)  # fmt: skip
    proposed = uuid4()
    await world.agreement("pen-centre", id=proposed, approved_at=None)
    inputs: dict[str, dict[str, object]] = {
        "submitReferral": referral(clientReference="A", linkage={"algorithm": "a", "bits": "b"}),
        "openCase": {"discipline": "WRITER", "riskLevel": "LOW"},
        "shareCase": {"case": ours, "organisation": "organisation_pen-centre", "categories": AGREED, "until": "2026-07-01T00:00:00Z", "reason": "r"},
        "linkRecords": {"case": ours, "records": [f"record_{await feed_record(world, 'n1')}"], "reason": "r"},
        "holdCase": {"case": ours, "organisation": "organisation_pen-centre", "held": True, "reason": "r"},
        "recordConsent": {"case": ours, "consent": consent()},
        "withdrawConsent": {"consent": f"consent_{child}", "reason": "r"},
        "proposeAgreement": {"organisation": "organisation_pen-centre", "purpose": "PROTECTION", "categories": AGREED},
        "approveAgreement": {"agreement": f"agreement_{proposed}"},
        "endAgreement": {"agreement": f"agreement_{proposed}", "reason": "r"},
    }  # fmt: skip
    if name in ("acknowledgeRetraction", "breakGlass", "approveBreakGlass"):
        inputs |= await _afterwards(world, case)
    partner = ("submitReferral", "acknowledgeRetraction", "breakGlass")
    return "pen" if name in partner else "desk", {"idempotencyKey": "once", **inputs[name]}


async def _afterwards(world: World, case: UUID) -> dict[str, dict[str, object]]:
    """Give inputs about a sealed case that a partner sees, that waits for an approval, and another that it has lost."""
    pen, sealed, retraction = world.organisations["pen-centre"], await world.case(sealed="true"), uuid4()
    for each in (case, sealed):
        await world.insert("share", id=uuid4(), case_id=each, organisation=pen, categories=["OVERVIEW"], starts="2026-05-01T00:00:00Z")  # fmt: skip
        await world.consent(each)
    await world.insert("retraction", id=retraction, organisation=pen, kind="case", subject=uuid4(), categories=["OVERVIEW"], at="2026-05-01T00:00:00Z")  # fmt: skip
    await world.insert("emergency", id=uuid4(), case_id=sealed, organisation=pen, categories=["PROFILE"], asked_at="2026-06-01T12:00:00Z", client="pen")  # fmt: skip
    await world.admin.execute("delete from event")
    return {
        "acknowledgeRetraction": {"retraction": f"retraction_{retraction}", "deleted": True, "note": "Done"},
        "breakGlass": {"case": await case_id(world, case, "pen-centre"), "categories": ["PROFILE"], "reason": "r"},
        "approveBreakGlass": {"case": await case_id(world, sealed)},
    }


COMMANDS = [
    "submitReferral",
    "openCase",
    "shareCase",
    "linkRecords",
    "holdCase",
    "recordConsent",
    "withdrawConsent",
    "acknowledgeRetraction",
    "breakGlass",
    "approveBreakGlass",
    "proposeAgreement",
    "approveAgreement",
    "endAgreement",
]


EVENTS = {"approveBreakGlass": 2}
"""Events of one command, where they are not one: ICORN and whoever asked are told."""


@pytest.mark.parametrize("name", COMMANDS)
async def test_twenty_at_once_are_one(world: World, name: str) -> None:
    """One effect, one event, and twenty answers that are the same to the byte; so is one that comes later."""
    client, input_ = await given(world, name)
    before = await counts(world)
    answers = await asyncio.gather(*(world.send(client, operation(name), {"input": input_}) for _ in range(20)))
    after = await counts(world)
    later = await world.send(client, operation(name), {"input": input_})

    assert len({(answer.status, answer.body) for answer in (*answers, later)}) == 1
    assert json.loads(later.body)["data"][name]["problems"] == []
    assert len(await events(world)) == EVENTS.get(name, 1)
    assert after == await counts(world)
    assert after != before


async def test_a_problem_is_answered_again_as_it_was(world: World) -> None:
    """Also when the input would be well by now: a new try needs a new key."""
    case = await case_id(world, await world.case())
    input_ = {"idempotencyKey": "k", "case": case, "organisation": "organisation_late", "held": True, "reason": "r"}
    first = await run(world, "desk", "holdCase", input_)
    await world.organisation("late")

    assert first["problems"][0]["code"] == "NOT_FOUND"
    assert await run(world, "desk", "holdCase", input_) == first
    assert (await run(world, "desk", "holdCase", {**input_, "idempotencyKey": "new"}))["problems"] == []


async def test_a_key_belongs_to_one_input_and_one_mutation(world: World) -> None:
    """Another input, or another mutation, under a used key is a problem, and does nothing."""
    client, input_ = await given(world, "openCase")
    await run(world, client, "openCase", input_)
    before = await counts(world)
    reused = [{"code": "IDEMPOTENCY_KEY_REUSED", "path": ["input", "idempotencyKey"]}]
    case = await case_id(world, await world.admin.fetchval("select id from case_file limit 1"))
    hold = {"idempotencyKey": "once", "case": case, "organisation": "organisation_pen-centre", "held": True, "reason": "r"}  # fmt: skip
    for name, other in (("openCase", {**input_, "riskLevel": "HIGH"}), ("openCase", {**input_, "origin": None}), ("holdCase", hold)):  # fmt: skip
        payload = await run(world, client, name, other)
        assert [{k: v for k, v in p.items() if k != "message"} for p in payload["problems"]] == reused, name
        assert payload["case"] is None
    assert await counts(world) == before


async def test_the_same_key_of_another_client_is_another_key(world: World) -> None:
    """Of another organisation, and of the same one: neither learns that the key was used."""
    await world.client("pen-two", "pen-centre")
    ids = set()
    for client in ("pen", "pen-two", "arts"):
        payload = await run(world, client, "submitReferral", {"idempotencyKey": "k", **referral()})
        assert payload["problems"] == []
        ids.add(payload["referral"]["id"])
    assert len(ids) == 3


@pytest.mark.parametrize("key", ["", "k" * 201])
async def test_a_key_has_a_length(world: World, key: str) -> None:
    """None, or too long, is a problem beside it, and nothing is kept of it."""
    payload = await run(world, "pen", "submitReferral", {"idempotencyKey": key, **referral()})

    assert [(p["code"], p["path"]) for p in payload["problems"]] == [("BAD_KEY", ["input", "idempotencyKey"])]
    assert await world.admin.fetchval("select count(*) from outcome") == 0
    payload = await run(
        world, "pen", "submitReferral", {"idempotencyKey": key, **referral(reason="", clientReference="")}
    )
    assert [p["code"] for p in payload["problems"]] == ["BAD_KEY", "REQUIRED", "BAD_REFERENCE"]


async def test_a_retry_is_read_back_under_todays_rights(world: World) -> None:
    """What the first answer showed is not stored: who may no longer see it is not shown it again."""
    input_ = {"idempotencyKey": "k", **referral(to="organisation_arts-haven")}
    first = await run(world, "pen", "submitReferral", input_)
    await world.admin.execute("update consent set withdrawn_at = hub_now()")
    again = await run(world, "pen", "submitReferral", input_)

    assert first["referral"]["person"]["identity"] == {"familyName": "Mulberryson"}
    assert again["referral"]["id"] == first["referral"]["id"]
    assert again["referral"]["person"]["identity"] is None


async def test_several_mutations_of_one_request_each_stand_alone(world: World) -> None:
    """In the order written; one with a problem takes nothing from the others, and two with one key and input are one."""
    await world.client("clerk", "icorn", [s for s in EVERY_SCOPE if s != "cases:read"])
    asked = """mutation { a: openCase(input: {idempotencyKey: "1", discipline: WRITER, riskLevel: LOW}) { __typename problems { code } }
      b: openCase(input: {idempotencyKey: "2", riskLevel: LOW}) { problems { code path } } __typename
      c: openCase(input: {idempotencyKey: "1", discipline: WRITER, riskLevel: LOW}) { problems { code } } }"""

    assert await world.data("clerk", asked) == {
        "a": {"__typename": "CasePayload", "problems": []},
        "b": {"problems": [{"code": "REQUIRED", "path": ["input", "discipline"]}]},
        "__typename": "Mutation",
        "c": {"problems": []},
    }
    assert await world.admin.fetchval("select count(*) from case_file") == 1

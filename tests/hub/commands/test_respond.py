"""What a step brings with it is judged with the step: all trouble at once, each beside its field, and nothing half done."""

from typing import Any
from uuid import UUID

import pytest

from tests.hub.commands.kit import case_id, done, found, referral_id
from tests.hub.commands.life import codes, referred, stands, step
from tests.hub.commands.retracted import told
from tests.world import EVERY_SCOPE, World

TROUBLE: dict[str, tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = {
    "nothing said of what is missing": ("REQUEST_INFORMATION", "IN_REVIEW", {}, [("REQUIRED", "input.note")]),
    "blanks about what is missing": ("REQUEST_INFORMATION", "IN_REVIEW", {"note": " "}, [("REQUIRED", "input.note")]),
    "a note of blanks": ("REVIEW", "RECEIVED", {"note": " "}, [("BLANK", "input.note")]),
    "a note without end": ("REVIEW", "RECEIVED", {"note": "x" * 20_001}, [("TOO_LONG", "input.note")]),
    "no reason to decline": ("DECLINE", "RECEIVED", {}, [("REQUIRED", "input.declineReason")]),
    "another reason, unsaid": ("DECLINE", "RECEIVED", {"declineReason": "OTHER"}, [("REQUIRED", "input.note")]),
    "nobody to pass on to": ("REDIRECT", "RECEIVED", {}, [("REQUIRED", "input.redirectTo")]),
    "what goes with other steps, and the wrong state": (
        "COMPLETE",
        "RECEIVED",
        {"declineReason": "OTHER", "person": {"health": {"needs": ""}}, "redirectTo": "organisation_icorn", "case": "case_1"},
        [
            ("NOT_ALLOWED", "input.declineReason"), ("NOT_ALLOWED", "input.person"), ("NOT_ALLOWED", "input.redirectTo"), ("NOT_ALLOWED", "input.case"),
            ("BLANK", "input.person.health.needs"), ("WRONG_STATE", "input.referral"),
        ],
    ),
    "a case that is not the desk's to name": ("ACCEPT", "IN_REVIEW", {"case": "case_1"}, [("NOT_ALLOWED", "input.case")]),
}  # fmt: skip


async def test_every_problem_of_a_step_is_said_beside_its_field(world: World) -> None:
    """And the referral stands where it stood."""
    for trouble, (name, status, given, problems) in TROUBLE.items():
        made = await referred(world, status)
        input_ = {"referral": await referral_id(world, made, "arts-haven"), "response": name, **given}

        assert await found(world, "arts", "respondToReferral", input_) == problems, trouble
        assert await stands(world, made) == status, trouble


async def test_information_is_given_within_consent_and_sealed_under_the_referrals_own_key(world: World) -> None:
    """Documents are added, or take the place of what was sent; the recipient reads them at once, with the step."""
    made = await referred(world, "INFORMATION_REQUESTED")
    person = {"profile": {"biography": "Tangerine novels"}, "health": {"needs": "Sycamore medicine"}}
    assert (
        codes(await step(world, "pen", made, "GIVE_INFORMATION", "pen-centre", person=person, note="Lindenwords")) == []
    )
    asked = "query ($id: ID!) { referral(by: {id: $id}) { status sharedCategories person { profile { biography } health { needs } } } }"
    told_ = await world.data("arts", asked, {"id": await referral_id(world, made, "arts-haven")})

    assert told_["referral"] == {
        "status": "IN_REVIEW", "sharedCategories": ["OVERVIEW", "PROFILE", "HEALTH"],
        "person": {"profile": {"biography": "Tangerine novels"}, "health": {"needs": "Sycamore medicine"}},
    }  # fmt: skip
    rows = await world.admin.fetch("select sealed from referral_person")
    assert not any(b"Tangerine" in row["sealed"] or b"Sycamore" in row["sealed"] for row in rows)


async def test_information_that_the_person_does_not_allow_is_not_given(world: World) -> None:
    """Nothing of it, also not what would be allowed; a no counts whoever wrote it down."""
    made = await referred(world, "INFORMATION_REQUESTED")
    await world.consent(None, None, ["HEALTH"], "DENY", referral_id=made, recorded_by=world.organisations["arts-haven"])
    person = {"profile": {"biography": "x"}, "health": {"needs": "y"}, "family": {"members": []}}
    given = {"referral": await referral_id(world, made, "pen-centre"), "response": "GIVE_INFORMATION", "person": person}

    assert await found(world, "pen", "respondToReferral", given) == [("NOT_CONSENTED", "input.person.health"), ("NOT_CONSENTED", "input.person.family")]  # fmt: skip
    assert await found(world, "pen", "respondToReferral", {**given, "person": {}}) == [("REQUIRED", "input.note")]


@pytest.mark.parametrize(("client", "name"), [("arts", "DECLINE"), ("pen", "withdrawReferral")])
async def test_with_the_end_of_a_referral_its_recipient_loses_what_it_held(
    world: World, client: str, name: str
) -> None:
    """In the same transaction: of the person it reads nothing more, neither there nor in a case, and it is told to delete what it had read."""
    case = await world.case()
    made = await referred(world, "RECEIVED", case=case)
    await world.consent(case)
    theirs, of_case = await referral_id(world, made, "arts-haven"), await case_id(world, case, "arts-haven")
    asked = "query ($id: ID!, $case: ID!) { referral(by: {id: $id}) { status person { profile { biography } withheld } } case(by: {id: $case}) { id profile { biography } } }"
    read = {"id": theirs, "case": of_case}
    before = await world.data("arts", asked, read)
    organisation = {"pen": "pen-centre", "arts": "arts-haven"}[client]
    assert codes(await step(world, client, made, name, organisation)) == []
    after = await world.data("arts", asked, read)

    assert before["referral"]["person"]["profile"] == before["case"]["profile"] == {"biography": "Wrote two novels."}
    assert (after["case"], after["referral"]["person"]["profile"]) == (None, None)
    assert sorted(await told(world, "arts")) == sorted([(theirs, ["PROFILE"]), (of_case, ["OVERVIEW", "PROFILE"])])
    assert await told(world, "pen") == []


async def test_the_desk_accepts_a_referral_into_a_case_that_there_is(world: World) -> None:
    """With its consents, as when a case is opened from it: and of no case that it may not see, nor twice, nor without cases:write."""
    await world.client("reader", "icorn", [s for s in EVERY_SCOPE if s != "cases:write"])
    case = await case_id(world, await world.case())

    async def accepted(made: UUID) -> dict[str, Any]:
        return {"referral": await referral_id(world, made), "response": "ACCEPT", "case": case}

    taken = await referred(world, "IN_REVIEW", "icorn", case=await world.case())
    made = await referred(world, "IN_REVIEW", "icorn")
    given = await accepted(made)
    assert await found(world, "desk", "respondToReferral", await accepted(taken)) == [("ALREADY_OPEN", "input.case")]
    assert await found(world, "reader", "respondToReferral", given) == [("NOT_ALLOWED", "input.case")]
    assert await found(world, "desk", "respondToReferral", {**given, "case": "case_1"}) == [("NOT_FOUND", "input.case")]
    there = await done(world, "desk", "respondToReferral", given)

    assert (there["status"], there["case"]) == ("ACCEPTED", {"id": case})
    assert await world.admin.fetchval("select accepted from consent where referral_id = $1", made)


async def test_nobody_writes_where_a_referral_has_ended_nor_to_nobody(world: World) -> None:
    """A message says something, and its reader is still there."""
    made = await referred(world)
    given = {"referral": await referral_id(world, made, "pen-centre")}
    assert await found(world, "pen", "sendMessage", {**given, "body": " "}) == [("REQUIRED", "input.body")]
    sent = await done(world, "pen", "sendMessage", {**given, "body": "Lindenwords"})
    assert (sent["from"], sent["body"]) == ({"code": "pen-centre"}, "Lindenwords")
    assert await found(world, "pen", "withdrawReferral", {**given, "reason": ""}) == [("REQUIRED", "input.reason")]
    await done(world, "pen", "withdrawReferral", {**given, "reason": "Lindenwords"})
    assert await found(world, "pen", "sendMessage", {**given, "body": "x"}) == [("WRONG_STATE", "input.referral")]


async def test_a_message_is_on_record_as_of_its_referral_and_goes_with_it(world: World) -> None:
    """The log names the referral for whoever wrote; with the referral go the message and what a replay would answer."""
    made = await referred(world)
    await done(world, "pen", "sendMessage", {"referral": await referral_id(world, made, "pen-centre"), "body": "b"})
    pseudonym = await world.admin.fetchval(
        "select pseudonym from referral_access where organisation = $1 and referral_id = $2", world.organisations["pen-centre"], made
    )  # fmt: skip
    (record,) = await world.admin.fetch("select action, outcome, subjects from audit")
    assert (record["action"], record["outcome"]) == ("mutation sendMessage", "DONE")
    assert pseudonym in {seen["subject"] for seen in record["subjects"]}
    await world.admin.execute("delete from referral where id = $1", made)

    assert await world.admin.fetchval("select (select count(*) from message) + (select count(*) from outcome)") == 0


async def test_whoever_follows_a_referral_hears_of_each_step_as_they_may_see_it(world: World) -> None:
    """Each step is an event of the outbox that tells its referral and its number: enough to be read by right, and nothing more."""
    made = await referred(world)
    await step(world, "arts", made, "ACKNOWLEDGE", "arts-haven", note="Lindenwords")
    await step(world, "pen", made, "sendMessage", "pen-centre")
    rows = await world.admin.fetch(
        "select v.kind, v.ordinal, v.audience, v.organisation = e.organisation as theirs, e.kind::text as step"
        " from event v join referral_event e on e.referral_id = v.referral_id and e.ordinal = v.ordinal order by v.id"
    )

    assert [tuple(row) for row in rows] == [
        ("referral.acknowledged", 2, None, True, "ACKNOWLEDGED"),
        ("referral.message", 3, None, True, "MESSAGE"),
    ]

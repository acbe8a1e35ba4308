"""Handing a person to another organisation: within what they agreed to, all trouble said at once, nothing written by halves."""

import asyncio
from typing import Any

import pytest

from tests.hub.commands.kit import AGREED, PERSON, consent, done, events, found, referral, run
from tests.world import World


async def test_a_referral_reads_back_as_it_was_sent(world: World) -> None:
    """To ICORN unless said otherwise, SUBMITTED, with its consents, its first event, and an event in the outbox."""
    made = await done(world, "pen", "submitReferral", referral(clientReference="PEN-7"))

    assert made["status"] == "SUBMITTED"
    assert made["urgency"] == "URGENT"
    assert made["clientReference"] == "PEN-7"
    assert made["to"] == {"code": "icorn"}
    assert made["reason"] == "Hazelreason"
    assert made["sharedCategories"] == AGREED
    assert made["person"]["identity"] == {"familyName": "Mulberryson"}
    assert made["person"]["withheld"] == ["CONTACT", "WHEREABOUTS", "THREAT", "FAMILY"]
    assert [(c["decision"], c["categories"], c["evidence"]) for c in made["consents"]] == [("ALLOW", AGREED, "Rowanevidence")]  # fmt: skip
    assert made["events"]["edges"] == [{"node": {"kind": "SUBMITTED", "note": None}}]
    assert await events(world) == ["referral.submitted"]


async def test_the_recipient_sees_it_at_once_and_nobody_else_does(world: World) -> None:
    """Access is refreshed in the transaction of the command."""
    await done(world, "pen", "submitReferral", referral(to="organisation_arts-haven"))
    asked = "{ referrals { edges { node { from { code } person { identity { familyName } } } } } }"

    (edge,) = (await world.data("arts", asked))["referrals"]["edges"]
    assert edge["node"] == {"from": {"code": "pen-centre"}, "person": {"identity": {"familyName": "Mulberryson"}}}
    assert (await world.data("desk", asked))["referrals"]["edges"] == []


async def test_a_client_that_only_submits_learns_that_it_did(world: World) -> None:
    """It may not read referrals, so it is told no more than that there was no problem."""
    await world.client("box", "pen-centre", ["referrals:submit"])
    answer = await world.ask(
        "box",
        "mutation ($input: SubmitReferralInput!) { submitReferral(input: $input) { problems { code } } }",
        {"input": {"idempotencyKey": "1", **referral(clientReference="BOX")}},
    )

    assert answer == {"data": {"submitReferral": {"problems": []}}}
    assert await world.admin.fetchval("select client_reference from referral") == "BOX"


PROBLEMS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "no such recipient": ({"to": "organisation_nowhere"}, [("NOT_FOUND", "input.to")]),
    "an id of another kind": ({"to": "city_bergen"}, [("NOT_FOUND", "input.to")]),
    "oneself": ({"to": "organisation_pen-centre"}, [("NOT_ALLOWED", "input.to")]),
    "no reason": ({"reason": " \n"}, [("REQUIRED", "input.reason")]),
    "an empty reference": ({"clientReference": ""}, [("BAD_REFERENCE", "input.clientReference")]),
    "a long reference": ({"clientReference": "x" * 101}, [("BAD_REFERENCE", "input.clientReference")]),
    "no consent": (
        {"consents": []},
        [("NOT_CONSENTED", "input.consents")] + [("NOT_CONSENTED", f"input.person.{c}") for c in ("profile", "identity", "health")],
    ),
    "consent to less": ({"consents": [consent(categories=["OVERVIEW", "PROFILE", "IDENTITY"])]}, [("NOT_CONSENTED", "input.person.health")]),
    "consent to somebody else": (
        {"person": {}, "consents": [consent(recipients={"organisations": ["organisation_arts-haven"]})]},
        [("NOT_CONSENTED", "input.consents")],
    ),
    "consent that has ended": ({"person": {}, "consents": [consent(validUntil="2026-05-31")]}, [("NOT_CONSENTED", "input.consents")]),
    "a no beside a yes": (
        {"consents": [consent(), consent(decision="DENY", categories=["HEALTH"], recipients={"organisations": ["organisation_icorn"]})]},
        [("NOT_CONSENTED", "input.person.health")],
    ),
    "trouble elsewhere hides no missing consent": (
        {"clientReference": "", "consents": [consent(categories=["OVERVIEW", "PROFILE", "IDENTITY"])]},
        [("BAD_REFERENCE", "input.clientReference"), ("NOT_CONSENTED", "input.person.health")],
    ),
    "a person of blanks, of days to come, and without end": (
        {
            "consents": [consent(categories=["OVERVIEW", "IDENTITY", "CONTACT", "THREAT"])],
            "person": {
                "identity": {"familyName": " ", "bornOn": "2026-06-02", "pseudonyms": ["A pseudonym", ""]},
                "contact": {"mayContactDirectly": False, "instructions": "By letter", "channels": [{"kind": "", "address": "x", "safe": True}]},
                "threat": {"summary": "x" * 20_001, "incidents": [{"kind": "summons", "happenedOn": "2030-01-01"}]},
            },
        },
        [
            ("BLANK", "input.person.identity.familyName"),
            ("BLANK", "input.person.identity.pseudonyms.1"),
            ("IN_THE_FUTURE", "input.person.identity.bornOn"),
            ("BLANK", "input.person.contact.channels.0.kind"),
            ("TOO_LONG", "input.person.threat.summary"),
            ("IN_THE_FUTURE", "input.person.threat.incidents.0.happenedOn"),
        ],
    ),
    "everything at once": (
        {
            "to": "organisation_nowhere", "reason": "", "clientReference": "",
            "consents": [
                consent(recipients={"everyPartner": False}, categories=[], evidence=" "),
                consent(recipients={"organisations": []}, givenOn="2026-06-02"),
                consent(recipients={"organisations": ["organisation_icorn", "organisation_nowhere"]}, validUntil="2026-01-01", categories=["ASSESSMENT"]),
            ],
        },
        [
            ("NOT_FOUND", "input.to"),
            ("REQUIRED", "input.consents.0.categories"),
            ("REQUIRED", "input.consents.0.evidence"),
            ("REQUIRED", "input.consents.0.recipients.everyPartner"),
            ("IN_THE_FUTURE", "input.consents.1.givenOn"),
            ("REQUIRED", "input.consents.1.recipients.organisations"),
            ("NOT_SHAREABLE", "input.consents.2.categories"),
            ("ENDS_BEFORE_IT_STARTS", "input.consents.2.validUntil"),
            ("NOT_FOUND", "input.consents.2.recipients.organisations.1"),
            ("REQUIRED", "input.reason"),
            ("BAD_REFERENCE", "input.clientReference"),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("trouble", PROBLEMS)
async def test_every_problem_is_said_beside_its_field_and_nothing_is_written(world: World, trouble: str) -> None:
    """All of them in one answer, each with a code and the path to what it concerns."""
    changed, problems = PROBLEMS[trouble]

    assert await found(world, "pen", "submitReferral", referral(**changed)) == problems


async def test_a_reference_is_the_askers_own(world: World) -> None:
    """The same client cannot use it twice; another client, of the same organisation or not, knows nothing of it."""
    await world.client("pen-two", "pen-centre")
    for client in ("pen", "pen-two", "arts"):
        await done(world, client, "submitReferral", referral(clientReference="A"))

    assert await found(world, "pen", "submitReferral", referral(clientReference="A")) == [("CLIENT_REFERENCE_USED", "input.clientReference")]  # fmt: skip


async def test_of_two_with_one_reference_at_once_one_is_made(world: World) -> None:
    """However close together they come, the other is told that the reference is used."""
    payloads = await asyncio.gather(
        *(run(world, "pen", "submitReferral", referral(clientReference="A")) for _ in range(6))
    )

    codes = sorted([problem["code"] for problem in payload["problems"]] for payload in payloads)
    assert codes == [[]] + 5 * [["CLIENT_REFERENCE_USED"]]
    assert await world.admin.fetchval("select count(*) from referral") == 1


async def test_what_is_left_out_is_not_shared(world: World) -> None:
    """A category that was not sent is no part of the referral, though the person agreed to it."""
    made = await done(world, "pen", "submitReferral", referral(person={"profile": PERSON["profile"]}))

    assert made["sharedCategories"] == ["OVERVIEW", "PROFILE"]
    assert made["person"]["identity"] is None


async def test_consents_name_each_organisation_once(world: World) -> None:
    """One row for each organisation named, whoever is named twice."""
    names = ["organisation_icorn", "organisation_arts-haven", "organisation_icorn"]
    made = await done(world, "pen", "submitReferral", referral(consents=[consent(recipients={"organisations": names})]))

    assert len(made["consents"]) == 2

"""What the person decides is recorded and taken back: by those whose affair it is, in force everywhere at once."""

from typing import Any

import pytest

from tests.hub.commands.kit import LINKED, case_id, consent, consent_id, counts, done, events, found, referral
from tests.world import EVERY_SCOPE, World

HERS = {"organisations": ["organisation_pen-centre", "organisation_arts-haven"]}


async def test_a_yes_opens_and_a_no_closes_at_once(world: World) -> None:
    """Recorded by ICORN about a case; the partner's next look has it."""
    case = await world.case()
    ours, theirs = await case_id(world, case), await case_id(world, case, "pen-centre")
    await world.agreement("pen-centre")
    yes = await done(world, "desk", "recordConsent", {"case": ours, "consent": consent(validUntil="2026-06-30")})
    assert (await world.data("pen", LINKED, {"id": theirs}))["case"]["identity"] == {"familyName": "Farahani"}
    no = await done(
        world, "desk", "recordConsent", {"case": ours, "consent": consent(decision="DENY", recipients=HERS)}
    )

    assert (await world.data("pen", LINKED, {"id": theirs}))["case"] is None
    assert yes | {"id": ""} == {
        "id": "", "decision": "ALLOW", "categories": ["OVERVIEW", "PROFILE", "IDENTITY", "HEALTH"], "givenOn": "2026-05-20", "validUntil": "2026-06-30",
        "withdrawnAt": None, "evidence": "Rowanevidence", "organisation": None, "case": {"id": ours},
    }  # fmt: skip
    assert no["organisation"] == {"code": "pen-centre"}
    assert await world.admin.fetchval("select count(*) from consent") == 3
    assert await events(world) == ["consent.recorded", "retraction.made", "consent.recorded"]


async def test_a_sender_records_what_the_person_says_of_its_referral(world: World) -> None:
    """Also when ICORN has made a case of it that the sender does not see: the decision is about that case too."""
    sent = await done(world, "pen", "submitReferral", referral())
    case = await world.case()
    await world.admin.execute("update referral set case_id = $1", case)
    made = await done(world, "pen", "recordConsent", {"referral": sent["id"], "consent": consent(decision="DENY")})

    assert made["case"] is None
    assert await world.admin.fetchval("select count(*) from consent where case_id = $1 and decision = 'DENY'", case) == 1  # fmt: skip
    assert made["id"].startswith("agreed_")


async def test_what_is_taken_back_ends_at_once_and_stays_recorded(world: World) -> None:
    """By ICORN, or by who recorded it; taking it back again changes nothing, not even the time."""
    case = await world.case()
    theirs = await case_id(world, case, "pen-centre")
    await world.agreement("pen-centre")
    given = await world.consent(case)
    ours = await consent_id(world, case, given)
    assert (await world.data("pen", LINKED, {"id": theirs}))["case"] is not None
    first = await done(world, "desk", "withdrawConsent", {"consent": ours, "reason": "Aspenwithdrawal"})
    assert (await world.data("pen", LINKED, {"id": theirs}))["case"] is None

    await world.admin.execute("update hub.test_clock set now = now + interval '1 minute'")
    again = await done(world, "desk", "withdrawConsent", {"consent": ours})
    assert again == first == {"id": ours, "withdrawnAt": "2026-06-01T12:00:00+00:00"}
    assert await events(world) == ["retraction.made", "consent.withdrawn"]


async def test_a_sender_takes_back_what_came_with_its_referral(world: World) -> None:
    """The recipient's next look has lost the referral; the sender still has it."""
    sent = await done(world, "pen", "submitReferral", referral(to="organisation_arts-haven"))
    assert (await world.data("arts", "{ referrals { totalCount } }"))["referrals"] == {"totalCount": 1}
    await done(world, "pen", "withdrawConsent", {"consent": sent["consents"][0]["id"], "reason": "Aspenwithdrawal"})

    assert (await world.data("arts", "{ referrals { totalCount } }"))["referrals"] == {"totalCount": 0}
    back = await world.data("pen", "{ referrals { edges { node { person { identity { familyName } } } } } }")
    assert back["referrals"]["edges"] == [{"node": {"person": {"identity": None}}}]


async def test_who_loses_sight_by_its_own_withdrawal_is_told_no_more(world: World) -> None:
    """A partner takes back the yes it recorded itself: done, and there is nothing left for it to see."""
    case = await world.case()
    await world.agreement("pen-centre")
    sent = await world.referral("pen-centre", case=case)
    pen = world.organisations["pen-centre"]
    given = await world.consent(case, recorded_by=pen, accepted=True, referral_id=sent)
    named = await consent_id(world, case, given, "pen-centre")
    await world.client("narrow", "pen-centre", ["cases:read", "consents:read", "consents:write"])
    asked = 'mutation ($id: ID!) { withdrawConsent(input: {idempotencyKey: "w", consent: $id}) { consent { id } problems { code } } }'  # fmt: skip

    for _ in range(2):
        assert (await world.data("narrow", asked, {"id": named}))["withdrawConsent"] == {
            "consent": None,
            "problems": [],
        }
    assert await world.admin.fetchval("select withdrawn_at is not null from consent")


async def test_nobody_takes_back_what_somebody_else_recorded(world: World) -> None:
    """A partner reads ICORN's record of a yes to everyone; it is not its to end. A no about it, it does not even find."""
    case = await world.case()
    await world.agreement("pen-centre")
    yes = await world.consent(case)
    no = await world.consent(case, "pen-centre", ["HEALTH"], "DENY")
    for made, problem in ((yes, "NOT_ALLOWED"), (no, "NOT_FOUND")):
        named = await consent_id(world, case, made, "pen-centre")
        assert await found(world, "pen", "withdrawConsent", {"consent": named}) == [(problem, "input.consent")]
    own = (await done(world, "pen", "submitReferral", referral()))["consents"][0]["id"]
    assert await found(world, "arts", "withdrawConsent", {"consent": own}) == [("NOT_FOUND", "input.consent")]


async def test_a_desk_without_referrals_takes_back_what_came_with_one_but_gives_no_reason(world: World) -> None:
    """The reason would lie under the referral's key, which its token does not open: said as a problem, not found as a fault."""
    await world.client("clerk", "icorn", [s for s in EVERY_SCOPE if s != "referrals:read"])
    case = await world.case()
    subject = await world.referral("pen-centre", case=case)
    given = await world.consent(case, referral_id=subject)
    named = await consent_id(world, case, given)

    assert await found(world, "clerk", "withdrawConsent", {"consent": named, "reason": "r"}) == [("NOT_ALLOWED", "input.reason")]  # fmt: skip
    assert (await done(world, "desk", "withdrawConsent", {"consent": named, "reason": "r"}))["withdrawnAt"] is not None


PROBLEMS: dict[str, tuple[str, dict[str, Any], list[tuple[str, str]]]] = {
    "about nothing": ("recordConsent", {"consent": consent()}, [("REQUIRED", "input.case")]),
    "about both": ("recordConsent", {"case": "case_x", "referral": "referral_x", "consent": consent()}, [("REQUIRED", "input.case")]),
    "about what is not there": (
        "recordConsent",
        {"case": "case_x", "consent": consent(categories=["ASSESSMENT"], givenOn="2026-06-02", validUntil="2026-06-01", evidence="", recipients={"everyPartner": False})},
        [
            ("NOT_FOUND", "input.case"), ("NOT_SHAREABLE", "input.consent.categories"), ("IN_THE_FUTURE", "input.consent.givenOn"),
            ("ENDS_BEFORE_IT_STARTS", "input.consent.validUntil"), ("REQUIRED", "input.consent.evidence"),
            ("REQUIRED", "input.consent.recipients.everyPartner"),
        ],
    ),
    "about a referral that is not there": ("recordConsent", {"referral": "referral_x", "consent": consent()}, [("NOT_FOUND", "input.referral")]),
    "taking back what is not there": ("withdrawConsent", {"consent": "consent_x", "reason": "r"}, [("NOT_FOUND", "input.consent")]),
}  # fmt: skip


@pytest.mark.parametrize("trouble", PROBLEMS)
async def test_every_problem_is_said_beside_its_field(world: World, trouble: str) -> None:
    """All of them in one answer, and nothing is written."""
    name, given, problems = PROBLEMS[trouble]

    assert await found(world, "pen", name, given) == problems


@pytest.mark.parametrize("path", ["case", "referral"])
async def test_a_recipient_must_be_said(world: World, path: str) -> None:
    """Neither nothing nor both: the input itself is refused before anything is looked at, and no value is repeated."""
    for recipients in ({}, {"everyPartner": True, "organisations": ["organisation_secretive"]}, {"everyPartner": None}):
        before = await counts(world)
        asked = "mutation ($input: RecordConsentInput!) { recordConsent(input: $input) { problems { code } } }"
        given = {"idempotencyKey": "k", path: f"{path}_x", "consent": consent(recipients=recipients)}
        answer = await world.send("desk", asked, {"input": given})

        assert answer.status == 400
        assert b"BAD_USER_INPUT" in answer.body
        assert b"secretive" not in answer.body
        assert b"Rowanevidence" not in answer.body
        assert await counts(world) == before

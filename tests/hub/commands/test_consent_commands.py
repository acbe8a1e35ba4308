"""The person's decisions: recorded with how they are known, taken back at once, and by nobody who may not."""

import pytest

from tests.hub.commands.kit import case_id, consent, consent_id, done, events, found, referral
from tests.world import World

SEEN = "query ($id: ID!) { case(by: {id: $id}) { identity { familyName } } }"


async def test_a_consent_opens_and_its_withdrawal_closes_with_the_next_answer(world: World) -> None:
    """The partner sees the name once it is allowed, and not any more once that is taken back."""
    case = await world.case()
    await world.agreement("pen-centre")
    theirs = await case_id(world, case, "pen-centre")
    ours = await case_id(world, case)
    assert (await world.data("pen", SEEN, {"id": theirs}))["case"] is None

    agreed = consent(recipients={"organisations": ["organisation_pen-centre"]}, categories=["OVERVIEW", "IDENTITY"])
    made = await done(world, "desk", "recordConsent", {"case": ours, "consent": agreed})
    assert (await world.data("pen", SEEN, {"id": theirs}))["case"] == {"identity": {"familyName": "Farahani"}}

    taken = await done(world, "desk", "withdrawConsent", {"consent": made["id"], "reason": "Aspenwithdrawal"})
    assert taken["withdrawnAt"] == "2026-06-01T12:00:00+00:00"
    assert (await world.data("pen", SEEN, {"id": theirs}))["case"] is None
    assert await events(world) == ["consent.recorded", "consent.withdrawn"]


async def test_a_denial_beats_what_allows(world: World) -> None:
    """Recorded denials close what an agreement and a general consent had opened."""
    case = await world.case()
    await world.agreement("pen-centre")
    await world.consent(case)
    theirs = await case_id(world, case, "pen-centre")
    assert (await world.data("pen", SEEN, {"id": theirs}))["case"] is not None

    denied = consent(
        decision="DENY", recipients={"organisations": ["organisation_pen-centre"]}, categories=["OVERVIEW"]
    )
    await done(world, "desk", "recordConsent", {"case": await case_id(world, case), "consent": denied})

    assert (await world.data("pen", SEEN, {"id": theirs}))["case"] is None


async def test_every_problem_of_a_consent_is_said_at_once(world: World) -> None:
    """Categories, days, recipients and evidence are each named with their place."""
    case = await world.case()
    wrong = consent(
        categories=["ASSESSMENT"],
        givenOn="2026-06-02",
        validUntil="2026-05-01",
        evidence=" ",
        recipients={"everyPartner": False},
    )

    problems = await found(world, "desk", "recordConsent", {"case": await case_id(world, case), "consent": wrong})

    assert sorted(problems) == [
        ("ENDS_BEFORE_IT_STARTS", "input.consent.validUntil"),
        ("IN_THE_FUTURE", "input.consent.givenOn"),
        ("NOT_SHAREABLE", "input.consent.categories"),
        ("REQUIRED", "input.consent.evidence"),
        ("REQUIRED", "input.consent.recipients.everyPartner"),
    ]


@pytest.mark.parametrize("client", ["pen", "arts"])
async def test_a_case_that_is_not_seen_is_not_there(world: World, client: str) -> None:
    """A hidden case and one that never was have the same answer."""
    case = await world.case()
    hidden = await case_id(
        world,
        case,
        world.clients[client].credentials.client_id.replace("pen", "pen-centre").replace("arts", "arts-haven"),
    )

    for identifier in (hidden, "case_00000000-0000-0000-0000-000000000000", "nonsense"):
        problems = await found(world, client, "recordConsent", {"case": identifier, "consent": consent()})
        assert problems == [("NOT_FOUND", "input.case")]


async def test_only_icorn_and_who_recorded_it_record_a_withdrawal(world: World) -> None:
    """A partner that sees a consent ICORN recorded cannot end it; one that it recorded with a referral, it can."""
    case = await world.case()
    await world.agreement("pen-centre")
    theirs = await consent_id(world, case, await world.consent(case), "pen-centre")
    own = (await done(world, "pen", "submitReferral", referral()))["consents"][0]["id"]

    assert await found(world, "pen", "withdrawConsent", {"consent": theirs}) == [("NOT_ALLOWED", "input.consent")]
    assert await found(world, "arts", "withdrawConsent", {"consent": own}) == [("NOT_FOUND", "input.consent")]
    assert (await done(world, "pen", "withdrawConsent", {"consent": own}))["withdrawnAt"] is not None


async def test_a_second_withdrawal_changes_nothing(world: World) -> None:
    """The time of the first stands."""
    case = await world.case()
    made = await consent_id(world, case, await world.consent(case, withdrawn_at="2026-05-01T00:00:00Z"))

    assert (await done(world, "desk", "withdrawConsent", {"consent": made}))[
        "withdrawnAt"
    ] == "2026-05-01T00:00:00+00:00"

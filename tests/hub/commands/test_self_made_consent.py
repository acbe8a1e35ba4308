"""A partner that writes down a consent opens nothing by it: not to itself, not to others, until ICORN has accepted it."""

from typing import Any

from tests.hub.commands.kit import LINKED, case_id, consent, done, referral
from tests.world import World

LIST = "{ cases { totalCount } }"


async def seen(world: World, client: str, case: str) -> Any:
    """What a client sees of a case."""
    return (await world.data(client, LINKED, {"id": case}))["case"]


async def test_a_yes_that_a_partner_records_about_a_case_opens_it_to_nobody(world: World) -> None:
    """It sees the overview and records that the person allows it, or everyone, the rest: the rest stays closed until ICORN says so too."""
    case = await world.case()
    ours, theirs = await case_id(world, case), await case_id(world, case, "pen-centre")
    for partner in ("pen-centre", "arts-haven"):
        await world.agreement(partner)
    await world.consent(case, "pen-centre", ["OVERVIEW"])
    for recipients in ({"organisations": ["organisation_pen-centre"]}, {"everyPartner": True}):
        await done(world, "pen", "recordConsent", {"case": theirs, "consent": consent(recipients=recipients)})

    assert (await seen(world, "pen", theirs))["identity"] is None
    assert (await world.data("arts", LIST))["cases"] == {"totalCount": 0}

    await done(world, "desk", "recordConsent", {"case": ours, "consent": consent()})
    assert (await seen(world, "pen", theirs))["identity"] == {"familyName": "Farahani"}
    assert (await world.data("arts", LIST))["cases"] == {"totalCount": 1}


async def test_a_yes_that_a_sender_adds_after_the_case_was_opened_shows_it_no_case(world: World) -> None:
    """Nor does it open the case to another partner."""
    agreed = consent(recipients={"organisations": ["organisation_icorn"]})
    sent = await done(world, "pen", "submitReferral", referral(consents=[agreed]))
    handed = await world.admin.fetchval("select 'referral_' || pairwise from referral_access where organisation = $1", world.organisations["icorn"])  # fmt: skip
    await done(world, "desk", "openCase", {"referral": handed, "riskLevel": "LOW"})
    for partner in ("pen-centre", "arts-haven"):
        await world.agreement(partner)

    await done(world, "pen", "recordConsent", {"referral": sent["id"], "consent": consent()})

    for client in ("pen", "arts"):
        assert (await world.data(client, LIST))["cases"] == {"totalCount": 0}


async def test_what_a_referrer_said_the_person_allows_opens_to_itself_no_more_than_it_sent(world: World) -> None:
    """ICORN accepts the consents of a referral by opening a case from it; what ICORN learned later stays ICORN's, for the referrer."""
    everything = consent(categories=["OVERVIEW", "PROFILE", "IDENTITY", "HEALTH", "CONTACT"])
    await done(world, "pen", "submitReferral", referral(consents=[everything]))
    handed = await world.admin.fetchval("select 'referral_' || pairwise from referral_access where organisation = $1", world.organisations["icorn"])  # fmt: skip
    person = {"contact": {"mayContactDirectly": False, "instructions": "Mulberryson by post"}}
    await done(world, "desk", "openCase", {"referral": handed, "riskLevel": "LOW", "person": person})
    for partner in ("pen-centre", "arts-haven"):
        await world.agreement(partner, ["OVERVIEW", "IDENTITY", "CONTACT"])
    asked = "{ cases { edges { node { identity { familyName } contact { instructions } } } } }"

    name, contact = {"familyName": "Mulberryson"}, {"instructions": "Mulberryson by post"}
    (mine,) = (await world.data("pen", asked))["cases"]["edges"]
    assert mine["node"] == {"identity": name, "contact": None}
    (others,) = (await world.data("arts", asked))["cases"]["edges"]
    assert others["node"] == {"identity": name, "contact": contact}


async def test_a_recipient_cannot_give_itself_back_what_the_person_took_away(world: World) -> None:
    """It may write down a yes; it does not count for itself."""
    yes = await done(world, "pen", "submitReferral", referral(to="organisation_arts-haven"))
    asked = "{ referrals { edges { node { id person { identity { familyName } } } } } }"
    (edge,) = (await world.data("arts", asked))["referrals"]["edges"]
    told = consent(recipients={"organisations": ["organisation_arts-haven"]})
    await done(world, "arts", "recordConsent", {"referral": edge["node"]["id"], "consent": told})

    await done(world, "pen", "withdrawConsent", {"consent": yes["consents"][0]["id"]})

    assert (await world.data("arts", asked))["referrals"]["edges"] == []


async def test_what_is_decided_about_a_case_changes_nothing_of_what_its_referrer_reads_of_its_own_referral(
    world: World,
) -> None:
    """A no to everyone, a no to ICORN, a hold: each would tell the referrer that there is a case."""
    await done(world, "pen", "submitReferral", referral())
    case = await world.case()
    await world.admin.execute("update referral set case_id = $1", case)
    asked = "{ referrals { edges { node { id person { withheld identity { familyName } profile { biography } } } } } }"
    before = await world.data("pen", asked)
    for organisation in (None, "icorn", "pen-centre"):
        await world.consent(case, organisation, ["OVERVIEW", "IDENTITY", "PROFILE"], "DENY")
    ours = await case_id(world, case)
    held = {"case": ours, "organisation": "organisation_pen-centre", "held": True, "reason": "Asked"}
    await done(world, "desk", "holdCase", held)

    assert await world.data("pen", asked) == before

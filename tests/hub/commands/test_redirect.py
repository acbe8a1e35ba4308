"""A referral is passed on within the person's consent, whole, and nobody learns more of it than they must."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.hub.commands.kit import AGREED, case_id, counts, done, found, referral, referral_id, run
from tests.hub.commands.life import codes, referred, stands, step, to
from tests.hub.commands.retracted import NOON, told
from tests.world import EVERY_SCOPE, World

STORY = "id status from { code } to { code } clientReference reason sharedCategories case { id } redirectedTo { id to { code } } person { profile { biography } identity { familyName } health { needs } withheld } events { edges { node { kind by { code } note } } } messages { totalCount } consents { decision organisation { code } }"
ALL = f"{{ referrals(orderBy: [{{field: SUBMITTED_AT, direction: DESC}}]) {{ edges {{ node {{ {STORY} }} }} }} }}"
TO_STAGE = {"response": "REDIRECT", "redirectTo": "organisation_open-stage"}


@pytest.fixture(name="world")
async def with_another(world: World) -> World:
    """A world with an organisation more, to pass people on to."""
    await world.organisation("open-stage")
    await world.client("stage", "open-stage")
    return world


async def sent(world: World, *consents: dict[str, Any]) -> str:
    """Refer a person to Arts Haven; give how it names the referral."""
    both = [to("arts-haven", *AGREED), *(consents or [to("open-stage", *AGREED)])]
    await done(world, "pen", "submitReferral", referral(to="organisation_arts-haven", clientReference="PEN-1", consents=both))  # fmt: skip
    return await referral_id(world, await world.admin.fetchval("select id from referral"), "arts-haven")


async def everything(world: World, client: str) -> list[dict[str, Any]]:
    """Give every referral that a client sees, newest first."""
    return [edge["node"] for edge in (await world.data(client, ALL))["referrals"]["edges"]]


async def test_a_referral_begins_anew_with_somebody_else(world: World) -> None:
    """Its sender follows both, the first recipient has lost what it held and is told to delete it, the new one sees a referral like any other."""
    theirs = await sent(world)
    assert (await everything(world, "arts"))[0]["person"]["identity"] == {"familyName": "Mulberryson"}
    before = await counts(world)
    await world.set_now(NOON + timedelta(minutes=1))
    done_ = await done(world, "arts", "respondToReferral", {"referral": theirs, **TO_STAGE, "note": "Lindenwords"})
    (new,) = await everything(world, "stage")
    (was,) = await everything(world, "arts")
    follows, first = await everything(world, "pen")

    assert done_["status"] == "REDIRECTED"
    assert (new["status"], new["from"], new["to"]) == ("SUBMITTED", {"code": "pen-centre"}, {"code": "open-stage"})
    assert new["reason"] == "Hazelreason"
    assert new["sharedCategories"] == AGREED
    assert new["person"]["identity"] == {"familyName": "Mulberryson"}
    assert new["consents"] == [{"decision": "ALLOW", "organisation": {"code": "open-stage"}}]
    assert [e["node"] for e in new["events"]["edges"]] == [
        {"kind": "SUBMITTED", "by": {"code": "pen-centre"}, "note": None}
    ]
    assert "arts" not in json.dumps(new)
    assert (was["status"], was["person"]["identity"], was["redirectedTo"]) == ("REDIRECTED", None, None)
    assert "stage" not in json.dumps(was)
    assert await told(world, "arts") == [(theirs, ["PROFILE", "IDENTITY", "HEALTH"])]
    assert await told(world, "pen") == []
    assert (first["clientReference"], first["redirectedTo"]) == (
        "PEN-1",
        {"id": follows["id"], "to": {"code": "open-stage"}},
    )
    assert [e["node"]["kind"] for e in first["events"]["edges"]] == ["SUBMITTED", "REDIRECTED"]
    assert (follows["clientReference"], follows["person"]["health"]) == (None, {"needs": "Sycamore medicine"})
    after = await counts(world)
    assert {table: after[table] - n for table, n in before.items() if after[table] != n} == {
        "referral": 1, "referral_key": 1, "referral_person": 3, "referral_event": 2, "consent": 2, "retraction": 1, "event": 3, "referral_access": 2,
    }  # fmt: skip
    assert (await done(world, "stage", "respondToReferral", {"referral": new["id"], "response": "ACKNOWLEDGE"}))[
        "status"
    ] == "RECEIVED"


@pytest.mark.parametrize(
    ("consents", "lacking"),
    [
        ([to("open-stage", "OVERVIEW", "PROFILE", "IDENTITY")], ["HEALTH"]),
        ([to("open-stage", *AGREED, validUntil="2026-05-31")], AGREED),
        ([to("icorn", *AGREED)], AGREED),
        ([to("open-stage", *AGREED), to("open-stage", "IDENTITY", decision="DENY")], ["IDENTITY"]),
    ],
)
async def test_a_referral_goes_nowhere_that_the_person_has_not_agreed_to(
    world: World, consents: list[dict[str, Any]], lacking: list[str]
) -> None:
    """For each category that would be passed on there is a yes to the new recipient, and no no; else nothing happens."""
    theirs = await sent(world, *consents)
    given = {"referral": theirs, **TO_STAGE}

    assert await found(world, "arts", "respondToReferral", given) == [("NOT_CONSENTED", "input.redirectTo")] * len(lacking)  # fmt: skip
    told = [problem["message"] for problem in (await run(world, "arts", "respondToReferral", given))["problems"]]
    assert [message.rpartition(" may have ")[2] for message in told] == [f"{category}." for category in lacking]
    assert await everything(world, "stage") == []


async def test_a_yes_that_a_recipient_wrote_down_itself_passes_nothing_on(world: World) -> None:
    """Neither the one that would pass the person on, to whomever it likes, nor the one that would have them."""
    theirs = await sent(world, to("icorn", *AGREED))
    await done(world, "arts", "recordConsent", {"referral": theirs, "consent": to("open-stage", *AGREED)})

    assert len(await found(world, "arts", "respondToReferral", {"referral": theirs, **TO_STAGE})) == len(AGREED)


async def test_only_what_the_recipient_may_read_is_passed_on_and_only_by_a_token_that_opens_it(world: World) -> None:
    """What was closed to it meanwhile stays behind; what its token lacks, it would pass on unread or leave out unseen."""
    theirs = await sent(world)
    await done(world, "pen", "recordConsent", {"referral": (await everything(world, "pen"))[0]["id"], "consent": to("arts-haven", "HEALTH", decision="DENY")})  # fmt: skip
    await world.client("narrow", "arts-haven", [s for s in EVERY_SCOPE if s != "cases:identity"])
    asked = (
        "mutation ($input: RespondToReferralInput!) { respondToReferral(input: $input) { problems { code message } } }"
    )
    narrow = await world.data("narrow", asked, {"input": {"idempotencyKey": "k", "referral": theirs, **TO_STAGE}})
    (problem,) = narrow["respondToReferral"]["problems"]
    assert (problem["code"], "cases:identity" in problem["message"]) == ("NOT_ALLOWED", True)

    await done(world, "arts", "respondToReferral", {"referral": theirs, **TO_STAGE})
    assert [r["sharedCategories"] for r in await everything(world, "stage")] == [["OVERVIEW", "PROFILE", "IDENTITY"]]


async def test_what_the_person_decides_later_reaches_whoever_has_them_now(world: World) -> None:
    """A consent taken back, or a no, on the first referral: it closes what came of it, and what that became in turn."""
    theirs = await sent(world, to("open-stage", *AGREED), to("icorn", *AGREED))
    await done(world, "arts", "respondToReferral", {"referral": theirs, **TO_STAGE})
    (there,) = await everything(world, "stage")
    await done(world, "stage", "respondToReferral", {"referral": there["id"], "response": "REDIRECT", "redirectTo": "organisation_icorn"})  # fmt: skip
    (here,) = await everything(world, "desk")
    assert here["person"]["health"] == {"needs": "Sycamore medicine"}
    mine = next(r["id"] for r in await everything(world, "pen") if r["to"]["code"] == "arts-haven")
    await done(world, "pen", "recordConsent", {"referral": mine, "consent": to("open-stage", "OVERVIEW", decision="DENY")})  # fmt: skip
    asked = "query ($id: ID!) { referral(by: {id: $id}) { consents { id organisation { code } decision } } }"
    given = (await world.data("pen", asked, {"id": mine}))["referral"]["consents"]
    to_icorn = next(c["id"] for c in given if c["organisation"]["code"] == "icorn")
    await done(world, "pen", "withdrawConsent", {"consent": to_icorn})

    assert await everything(world, "stage") == []
    rows = await world.admin.fetch("select r.id, count(*) filter (where c.withdrawn_at is not null) as withdrawn, count(*) filter (where c.decision = 'DENY') as denied from referral r join consent c on c.referral_id = r.id group by r.id")  # fmt: skip
    assert [(row["withdrawn"], row["denied"]) for row in rows] == [(1, 1)] * 3


async def test_a_case_takes_along_where_its_referral_came_from(world: World) -> None:
    """Opened from what was passed on, it is erased with all that was said of the person; what was decided about a case passes with it."""
    theirs = await sent(world, to("icorn", *AGREED))
    await done(world, "arts", "respondToReferral", {"referral": theirs, "response": "REDIRECT", "redirectTo": "organisation_icorn"})  # fmt: skip
    (here,) = await everything(world, "desk")
    case = (await done(world, "desk", "openCase", {"referral": here["id"], "riskLevel": "LOW"}))["id"]
    assert await world.admin.fetchval("select count(distinct case_id) from referral") == 1
    denied = {"case": case, "consent": to("open-stage", "OVERVIEW", decision="DENY")}
    await done(world, "desk", "recordConsent", denied)
    mine = await referral_id(world, await world.admin.fetchval("select id from referral where recipient = 1"))
    await done(world, "pen", "recordConsent", {"referral": (await everything(world, "pen"))[0]["id"], "consent": to("open-stage", *AGREED)})  # fmt: skip

    assert ("NOT_CONSENTED", "input.redirectTo") in await found(world, "desk", "respondToReferral", {"referral": mine, **TO_STAGE})  # fmt: skip
    reference = (await world.data("desk", "query ($id: ID!) { case(by: {id: $id}) { reference } }", {"id": case}))["case"]["reference"]  # fmt: skip
    assert (await run(world, "desk", "eraseCase", {"case": case, "reason": "Asked", "confirmReference": reference}))[
        "erased"
    ]
    assert await world.admin.fetchval("select count(*) from referral") == 0


async def test_a_partner_that_passes_on_is_not_told_what_was_decided_about_a_case(world: World) -> None:
    """It hears of the decisions on this referral alone; whom the person said no to, or ICORN holds the case from, sees nothing all the same."""
    case = await world.case()
    made = await referred(world, "RECEIVED", case=case)
    await world.consent(case, "open-stage", decision="DENY")

    assert codes(await step(world, "arts", made, "REDIRECT", "arts-haven")) == []
    assert await stands(world, made) == "REDIRECTED"
    assert await everything(world, "stage") == []
    assert (
        await run(world, "desk", "respondToReferral", {"referral": await case_id(world, case), "response": "REVIEW"})
    )["problems"] != []


async def test_nobody_is_passed_on_to_whoever_has_part_in_the_referral(world: World) -> None:
    """Nor to nobody."""
    theirs = await sent(world)
    for whom, code in (("pen-centre", "NOT_ALLOWED"), ("arts-haven", "NOT_ALLOWED"), ("nowhere", "NOT_FOUND")):
        given = {"referral": theirs, "response": "REDIRECT", "redirectTo": f"organisation_{whom}"}
        assert (code, "input.redirectTo") in await found(world, "arts", "respondToReferral", given)

"""Agreements: proposed by either side, in force by both sides' signatures, replaced as a whole, ended by either at once."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.hub.commands.kit import case_id, done, events, found, run
from tests.world import World

MINE = "{ viewer { agreements { id status } } }"
READ = "query ($id: ID!) { case(by: {id: $id}) { profile { biography } identity { familyName } } }"
ALL = ["OVERVIEW", "PROFILE"]


def terms(**changed: Any) -> dict[str, Any]:
    """Give an agreement with the PEN Centre about everyone."""
    return {"organisation": "organisation_pen-centre", "purpose": "PROTECTION", "categories": ALL, **changed}


async def seen(world: World, case: Any) -> list[bool] | None:
    """Tell what the PEN Centre reads of a case: profile, identity; None where it is not there."""
    told = (await world.data("pen", READ, {"id": await case_id(world, case, "pen-centre")}))["case"]
    return told and [told["profile"] is not None, told["identity"] is not None]


async def in_force(world: World, **changed: Any) -> dict[str, Any]:
    """Have an agreement proposed by the PEN Centre, and signed by ICORN."""
    proposed = await done(world, "pen", "proposeAgreement", terms(**changed))
    return await done(world, "desk", "approveAgreement", {"agreement": proposed["id"]})


@pytest.mark.parametrize(("proposer", "other"), [("desk", "pen"), ("pen", "desk")])
async def test_it_opens_nothing_until_the_other_side_has_signed_too(world: World, proposer: str, other: str) -> None:
    """Whoever proposes signs for its own side by that, and cannot sign for the other."""
    case = await world.case()
    await world.consent(case)
    proposed = await done(world, proposer, "proposeAgreement", terms(origins=["IR"], disciplines=["WRITER"]))
    first = {"desk": "icorn", "pen": "pen-centre"}[proposer]
    assert (proposed["status"], proposed["version"], proposed["origins"], proposed["disciplines"]) == ("PROPOSED", 1, ["IR"], ["WRITER"])  # fmt: skip
    assert [(a["organisation"]["code"], a["by"]) for a in proposed["approvals"]] == [(first, proposer.title())]
    assert await found(world, proposer, "approveAgreement", {"agreement": proposed["id"]}) == [("ALREADY_APPROVED", "input.agreement")]  # fmt: skip
    assert await seen(world, case) is None

    approved = await done(world, other, "approveAgreement", {"agreement": proposed["id"]})
    assert (approved["status"], len(approved["approvals"])) == ("ACTIVE", 2)
    assert await seen(world, case) == [True, False]
    assert await found(world, other, "approveAgreement", {"agreement": proposed["id"]}) == [("NOT_PROPOSED", "input.agreement")]  # fmt: skip
    assert await events(world) == ["agreement.proposed", "agreement.approved"]
    told = await world.admin.fetch("select o.code from event e join organisation o on o.id = e.organisation order by e.id")  # fmt: skip
    assert [row["code"] for row in told] == [first, {"icorn": "pen-centre", "pen-centre": "icorn"}[first]]


async def test_two_who_sign_at_once_sign_once_for_each_side(world: World) -> None:
    """Of one side one signs; both sides together put it in force, whoever comes first."""
    proposed = await done(world, "pen", "proposeAgreement", terms())
    told = await asyncio.gather(*(run(world, "desk", "approveAgreement", {"agreement": proposed["id"]}) for _ in range(4)))  # fmt: skip

    assert sorted(len(each["problems"]) for each in told) == [0, 1, 1, 1]
    assert await world.admin.fetchval("select count(*) from agreement_approval") == 2


async def test_a_new_version_takes_the_place_of_the_old_one_in_one_step(world: World) -> None:
    """What both open is never lost, so nothing of it is retracted; what the new one leaves out is, and its other proposals are over."""
    case = await world.case()
    await world.consent(case)
    old = await in_force(world, categories=["OVERVIEW", "PROFILE", "IDENTITY"])
    assert await seen(world, case) == [True, True]
    new = await done(world, "desk", "proposeAgreement", terms(replaces=old["id"]))
    rival = await done(world, "pen", "proposeAgreement", terms(replaces=old["id"]))
    assert (new["version"], new["replaces"], new["status"]) == (2, {"id": old["id"], "status": "ACTIVE"}, "PROPOSED")
    assert await seen(world, case) == [True, True]

    approved = await done(world, "pen", "approveAgreement", {"agreement": new["id"]})
    assert (approved["status"], approved["replaces"]["status"]) == ("ACTIVE", "ENDED")
    assert await seen(world, case) == [True, False]
    assert [row["categories"] for row in await world.admin.fetch("select categories from retraction")] == [["IDENTITY"]]
    assert await found(world, "desk", "approveAgreement", {"agreement": rival["id"]}) == [("NOT_PROPOSED", "input.agreement")]  # fmt: skip
    assert await found(world, "desk", "proposeAgreement", terms(replaces=old["id"])) == [("NOT_ACTIVE", "input.replaces")]  # fmt: skip


@pytest.mark.parametrize("ended", [False, True])
async def test_until_a_later_version_begins_the_earlier_one_lasts(world: World, *, ended: bool) -> None:
    """Without a gap; and whoever ends the earlier one before ends what was to follow it."""
    case = await world.case()
    await world.consent(case)
    old = await in_force(world)
    new = await done(world, "pen", "proposeAgreement", terms(replaces=old["id"], validFrom="2026-06-02T00:00:00Z", categories=["OVERVIEW"]))  # fmt: skip
    await done(world, "desk", "approveAgreement", {"agreement": new["id"]})
    assert await seen(world, case) == [True, False]
    if ended:
        await done(world, "pen", "endAgreement", {"agreement": old["id"], "reason": "Hazelreason"})
        assert {a["status"] for a in (await world.data("pen", MINE))["viewer"]["agreements"]} == {"ENDED"}
    await world.set_now(datetime(2026, 6, 2, tzinfo=UTC))

    assert await seen(world, case) == (None if ended else [False, False])


@pytest.mark.parametrize("side", ["pen", "desk"])
async def test_either_side_ends_it_at_once_and_says_why(world: World, side: str) -> None:
    """What was read is retracted in the same transaction; the reason is sealed, and the other side reads it; no proposal is left behind."""
    case = await world.case()
    await world.consent(case)
    agreement = await in_force(world)
    await done(world, "pen", "proposeAgreement", terms(replaces=agreement["id"]))
    assert await seen(world, case) == [True, False]
    ended = await done(world, side, "endAgreement", {"agreement": agreement["id"], "reason": "Hazelreason"})

    assert (ended["status"], ended["endReason"]) == ("ENDED", "Hazelreason")
    assert ended["endedBy"] == {"code": {"pen": "pen-centre", "desk": "icorn"}[side]}
    assert await seen(world, case) is None
    assert await world.admin.fetchval("select count(*) from retraction") == 1
    assert b"Hazelreason" not in await world.admin.fetchval("select reason from agreement_end")
    assert {a["status"] for a in (await world.data("pen", MINE))["viewer"]["agreements"]} == {"ENDED"}
    told = await world.data("desk", "query ($id: ID!) { node(id: $id) { ... on Agreement { endReason } } }", {"id": ended["id"]})  # fmt: skip
    assert told["node"] == {"endReason": "Hazelreason"}
    assert await found(world, side, "endAgreement", {"agreement": agreement["id"], "reason": "Again"}) == [("ALREADY_OVER", "input.agreement")]  # fmt: skip


async def test_what_is_wrong_with_a_proposal_is_said_all_at_once(world: World) -> None:
    """Each beside its field."""
    wrong = terms(organisation="organisation_icorn", purpose="Curiosity", categories=["PROFILE", "ASSESSMENT"], validUntil="2026-01-01T00:00:00Z", replaces=f"agreement_{uuid4()}")  # fmt: skip

    assert await found(world, "pen", "proposeAgreement", wrong) == [
        ("NOT_ALLOWED", "input.organisation"),
        ("BAD_PURPOSE", "input.purpose"),
        ("REQUIRED", "input.categories"),
        ("NOT_SHAREABLE", "input.categories"),
        ("ENDS_TOO_SOON", "input.validUntil"),
        ("NOT_FOUND", "input.replaces"),
    ]
    assert await found(world, "pen", "proposeAgreement", terms(organisation="organisation_nowhere")) == [("NOT_FOUND", "input.organisation")]  # fmt: skip
    assert await found(world, "pen", "endAgreement", {"agreement": f"agreement_{uuid4()}", "reason": " "}) == [("NOT_FOUND", "input.agreement"), ("REQUIRED", "input.reason")]  # fmt: skip


async def test_another_partners_agreement_is_not_there(world: World) -> None:
    """Neither to be read, signed, replaced nor ended; and nobody proposes for another."""
    agreement = await in_force(world)
    theirs = {"agreement": agreement["id"]}
    absent = [("NOT_FOUND", "input.agreement")]

    assert await found(world, "arts", "approveAgreement", theirs) == absent
    assert await found(world, "arts", "endAgreement", {**theirs, "reason": "r"}) == absent
    assert await found(world, "arts", "proposeAgreement", terms(replaces=agreement["id"])) == [("NOT_ALLOWED", "input.organisation"), ("NOT_FOUND", "input.replaces")]  # fmt: skip
    asked = '{ organisation(code: "pen-centre") { agreements { id } } }'
    assert (await world.data("arts", asked))["organisation"] == {"agreements": []}
    assert (await world.data("pen", asked)) == (await world.data("desk", asked))


async def test_what_it_would_open_and_close_is_worked_out_by_the_rule_itself(world: World) -> None:
    """Before anyone signs; nothing is left behind; and when it is signed, it is just that."""
    for number, origin in enumerate(["IR", "IR", "TR", "IR"]):
        case = await world.case(origin=origin, sealed="true" if number == 3 else "false")
        await world.consent(case, categories=["OVERVIEW", "IDENTITY"] if number else ALL)
    agreement = await in_force(world, origins=["TR"], categories=["OVERVIEW", "IDENTITY"])
    asked = "query ($input: AgreementTerms!) { simulateAgreement(input: $input) { opens { category cases } closes { category cases } } }"
    planned = {
        "organisation": "organisation_pen-centre",
        "categories": [*ALL, "ASSESSMENT"],
        "origins": ["IR"],
        "replaces": agreement["id"],
    }
    before = await world.admin.fetchval("select jsonb_agg(a order by case_id, organisation) from case_access a")
    told = (await world.data("desk", asked, {"input": planned}))["simulateAgreement"]

    assert told == {
        "opens": [{"category": "OVERVIEW", "cases": 2}, {"category": "PROFILE", "cases": 1}],
        "closes": [{"category": "OVERVIEW", "cases": 1}, {"category": "IDENTITY", "cases": 1}],
    }
    assert await world.admin.fetchval("select jsonb_agg(a order by case_id, organisation) from case_access a") == before
    assert await world.admin.fetchval("select count(*) from agreement") == 1
    kept = {**planned, "replaces": None}
    assert (await world.data("desk", asked, {"input": kept}))["simulateAgreement"]["closes"] == []
    assert (await world.data("pen", asked, {"input": planned}))["simulateAgreement"] is None
    nowhere = {**planned, "organisation": "organisation_nowhere"}
    assert (await world.data("desk", asked, {"input": nowhere}))["simulateAgreement"] == {"opens": [], "closes": []}


async def test_icorn_is_told_why_an_organisation_sees_or_does_not_see_each_category(world: World) -> None:
    """With a hold, a freeze and a seal told from a missing basis, as no partner is; of a case that is not there, nothing."""
    case = await world.case()
    await world.consent(case, categories=["OVERVIEW", "IDENTITY"])
    await in_force(world)
    ours = await case_id(world, case)
    asked = 'query ($case: ID!) { explainAccess(organisation: "organisation_pen-centre", case: $case) { category visible basis missing } }'

    async def told(client: str = "desk", case: str = ours) -> dict[str, Any]:
        rules = (await world.data(client, asked, {"case": case}))["explainAccess"]
        return {r["category"]: (r["visible"], r["basis"], r["missing"]) for r in rules}

    explained = await told()
    assert explained["OVERVIEW"] == (True, ["AGREEMENT"], [])
    assert explained["PROFILE"] == (False, ["AGREEMENT"], ["CONSENT"])
    assert explained["IDENTITY"] == (False, [], ["BASIS"])
    held = {"case": ours, "organisation": "organisation_pen-centre", "reason": "r"}
    await done(world, "desk", "holdCase", {**held, "held": True})
    assert (await told())["OVERVIEW"] == (False, ["AGREEMENT"], ["HOLD"])
    await done(world, "desk", "holdCase", {**held, "held": False})
    await world.admin.execute("insert into frozen (country, starts) values ('IR', hub_now())")
    assert (await told())["PROFILE"] == (False, ["AGREEMENT"], ["FREEZE"])
    await world.admin.execute("delete from frozen")
    await world.admin.execute("update consent set categories = '{PROFILE}'")
    assert (await told())["PROFILE"] == (False, ["AGREEMENT"], ["OVERVIEW"])
    await world.admin.execute("update case_file set sealed = true")
    assert (await told())["OVERVIEW"] == (False, [], ["BASIS", "SEAL"])
    assert await told("pen", await case_id(world, case, "pen-centre")) == {}
    assert await told("desk", f"case_{uuid4()}") == {}

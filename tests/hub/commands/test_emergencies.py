"""Break-glass: hours of named categories, a reason, two people for a sealed case, and the owners told at once."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from hub.audit.entry import bases
from hub.postgres import open_pool
from hub.worker import retract
from tests.hub.commands.kit import case_id, counts, done, events, found, operation
from tests.world import EVERY_SCOPE, World

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
READ = "query ($id: ID!) { case(by: {id: $id}) { health { needs } threat { summary } emergencies { waits } } }"
HEALTH = {"needs": "None known."}
AGREED = ["OVERVIEW", "HEALTH", "THREAT"]


async def seen(world: World, **columns: Any) -> tuple[UUID, str]:
    """Show the PEN Centre the overview of a case whose person agrees to more: the case, and what the PEN Centre calls it."""
    case = await world.case(**columns)
    await world.insert("share", id=uuid4(), case_id=case, organisation=world.organisations["pen-centre"], categories=["OVERVIEW"], starts="2026-05-01T00:00:00Z")  # fmt: skip
    await world.consent(case, categories=AGREED)
    return case, await case_id(world, case, "pen-centre")


def glass(case: str, *categories: str) -> dict[str, Any]:
    """Give an emergency."""
    return {"case": case, "categories": list(categories or ["HEALTH"]), "reason": "In hospital, Hazelreason"}


async def reads(world: World, case: str) -> Any:
    """Give what the PEN Centre reads of a person's health."""
    return (await world.data("pen", READ, {"id": case}))["case"]["health"]


async def test_an_ordinary_case_opens_at_once_and_for_twelve_hours(world: World) -> None:
    """What was named, and no more; then it is closed again, and the worker retracts what was read."""
    case, theirs = await seen(world)
    assert await reads(world, theirs) is None
    opened = await done(world, "pen", "breakGlass", glass(theirs))
    (emergency,) = opened["emergencies"]
    assert emergency == {
        "organisation": {"code": "pen-centre"}, "categories": ["HEALTH"], "waits": False, "askedAt": "2026-06-01T12:00:00+00:00", "approvedAt": None,
        "until": "2026-06-02T00:00:00+00:00", "reason": "In hospital, Hazelreason",
    }  # fmt: skip
    assert {r["category"]: r["basis"] for r in opened["disclosure"] if r["basis"]} == {"OVERVIEW": ["SHARE"], "HEALTH": ["EMERGENCY"]}  # fmt: skip
    assert await reads(world, theirs) == HEALTH
    assert (await world.data("pen", READ, {"id": theirs}))["case"]["threat"] is None
    await world.set_now(NOON + timedelta(hours=12))
    assert await reads(world, theirs) is None

    async with await open_pool(world.database.dsn("hub_worker"), name="test", role="hub_worker") as pool:
        await retract(pool)
    owed = await world.admin.fetch("select categories from retraction")
    assert [row["categories"] for row in owed] == [["HEALTH"]]
    assert "Hazelreason" not in await world.admin.fetchval("select e::text from emergency e where case_id = $1", case)


async def test_a_read_under_an_emergency_is_on_record_as_one(world: World) -> None:
    """The audit entry's basis is EMERGENCY, for that category."""
    _, theirs = await seen(world)
    await done(world, "pen", "breakGlass", glass(theirs))
    await reads(world, theirs)

    bits = await world.admin.fetchval("select s.basis from audit a, unnest(a.subjects) s order by a.id desc limit 1")
    assert bases(bits) == {"OVERVIEW": ["SHARE"], "HEALTH": ["EMERGENCY"]}


async def test_a_sealed_case_opens_when_icorn_approves(world: World) -> None:
    """Until then nothing does; its hours begin with the approval, of all that waits."""
    case, theirs = await seen(world, sealed="true")
    ours = await case_id(world, case)
    asked = await done(world, "pen", "breakGlass", glass(theirs))
    assert [(e["waits"], e["until"]) for e in asked["emergencies"]] == [(True, None)]
    assert all("EMERGENCY" not in rule["basis"] for rule in asked["disclosure"])
    await done(world, "pen", "breakGlass", glass(theirs, "THREAT"))
    assert await reads(world, theirs) is None
    await world.set_now(NOON + timedelta(hours=1))
    approved = await done(world, "desk", "approveBreakGlass", {"case": ours})

    assert [(e["waits"], e["approvedAt"], e["until"]) for e in approved["emergencies"]] == [
        (False, "2026-06-01T13:00:00+00:00", "2026-06-02T01:00:00+00:00")
    ] * 2
    assert [e["reason"] for e in approved["emergencies"]] == ["In hospital, Hazelreason"] * 2
    assert await reads(world, theirs) == HEALTH
    assert await found(world, "desk", "approveBreakGlass", {"case": ours}) == [("NOTHING_WAITS", "input.case")]


async def test_nobodys_request_is_approved_along_with_anothers(world: World) -> None:
    """Where several ask, ICORN says whose; and it opens nothing that came after what it has read."""
    case, theirs = await seen(world, sealed="true")
    await world.insert("share", id=uuid4(), case_id=case, organisation=world.organisations["arts-haven"], categories=["OVERVIEW"], starts="2026-05-01T00:00:00Z")  # fmt: skip
    await done(world, "pen", "breakGlass", glass(theirs))
    await done(world, "arts", "breakGlass", glass(await case_id(world, case, "arts-haven")))
    await world.set_now(NOON + timedelta(hours=1))
    await done(world, "pen", "breakGlass", glass(theirs, "THREAT"))
    ours = {"case": await case_id(world, case)}
    assert await found(world, "desk", "approveBreakGlass", ours) == [("SEVERAL_WAIT", "input.organisation")]
    assert await found(world, "desk", "approveBreakGlass", {**ours, "organisation": "organisation_nobody"}) == [("NOT_FOUND", "input.organisation")]  # fmt: skip
    pens = {**ours, "organisation": "organisation_pen-centre", "askedUntil": NOON.isoformat()}
    approved = await done(world, "desk", "approveBreakGlass", pens)

    assert sorted((e["organisation"]["code"], e["categories"], e["waits"]) for e in approved["emergencies"]) == [
        ("arts-haven", ["HEALTH"], True),
        ("pen-centre", ["HEALTH"], False),
        ("pen-centre", ["THREAT"], True),
    ]
    assert await found(world, "desk", "approveBreakGlass", pens) == [("NOTHING_WAITS", "input.case")]


async def test_what_waits_too_long_is_not_approved(world: World) -> None:
    """An emergency of yesterday is none: it must be asked for anew."""
    case, theirs = await seen(world, sealed="true")
    await done(world, "pen", "breakGlass", glass(theirs))
    await world.set_now(NOON + timedelta(hours=12))

    ours = {"case": await case_id(world, case)}
    assert await found(world, "desk", "approveBreakGlass", ours) == [("NOTHING_WAITS", "input.case")]


async def test_a_case_that_is_sealed_meanwhile_waits_for_approval(world: World) -> None:
    """What was open closes with the seal."""
    case, theirs = await seen(world)
    await done(world, "pen", "breakGlass", glass(theirs))
    await world.admin.execute("update case_file set sealed = true")
    assert await reads(world, theirs) is None
    await done(world, "desk", "approveBreakGlass", {"case": await case_id(world, case)})
    assert await reads(world, theirs) == HEALTH


async def test_a_second_glass_adds_categories_and_time(world: World) -> None:
    """What is open is what all of them open together."""
    _, theirs = await seen(world)
    await done(world, "pen", "breakGlass", glass(theirs))
    await world.set_now(NOON + timedelta(hours=11))
    await done(world, "pen", "breakGlass", glass(theirs, "HEALTH", "THREAT"))
    await world.set_now(NOON + timedelta(hours=22))

    assert (await world.data("pen", READ, {"id": theirs}))["case"]["threat"] == {"summary": "Warned twice."}
    assert await reads(world, theirs) == HEALTH


async def test_an_emergency_does_not_prolong_itself(world: World) -> None:
    """Glass that opened the overview, too, shows a case whose share has ended, for its hours; from within it none is broken again."""
    case, theirs = await seen(world)
    await done(world, "pen", "breakGlass", glass(theirs, "OVERVIEW", "HEALTH"))
    await world.admin.execute("update share set ended_at = hub_now() where case_id = $1", case)
    await world.set_now(NOON + timedelta(hours=11))
    assert await reads(world, theirs) == HEALTH
    assert await found(world, "pen", "breakGlass", glass(theirs, "OVERVIEW")) == [("ONLY_EMERGENCY", "input.case")]
    await world.set_now(NOON + timedelta(hours=12))

    assert (await world.data("pen", READ, {"id": theirs}))["case"] is None


async def test_consent_counts_and_a_hold_beats_it(world: World) -> None:
    """What the person never agreed to does not open, nor what they take back; and held is held."""
    case, theirs = await seen(world)
    shown = await done(world, "pen", "breakGlass", glass(theirs, "HEALTH", "CONTACT"))
    rules = {rule["category"]: (rule["visible"], rule["basis"]) for rule in shown["disclosure"]}
    assert (rules["HEALTH"], rules["CONTACT"]) == ((True, ["EMERGENCY"]), (False, ["EMERGENCY"]))
    await world.consent(case, decision="DENY", categories=["HEALTH"])
    assert await reads(world, theirs) is None
    await done(world, "desk", "holdCase", {"case": await case_id(world, case), "organisation": "organisation_pen-centre", "held": True, "reason": "r"})  # fmt: skip
    assert (await world.data("pen", READ, {"id": theirs}))["case"] is None


async def test_what_is_wrong_is_said_all_at_once(world: World) -> None:
    """No category, ICORN's own, a blank reason; ICORN has no glass, and only ICORN approves."""
    case, theirs = await seen(world)
    ours = await case_id(world, case)
    wrong = {"case": theirs, "categories": [], "reason": " "}
    assert await found(world, "pen", "breakGlass", wrong) == [("REQUIRED", "input.categories"), ("REQUIRED", "input.reason")]  # fmt: skip
    own = glass(theirs, "HEALTH", "ASSESSMENT")
    assert await found(world, "pen", "breakGlass", own) == [("NOT_SHAREABLE", "input.categories")]
    assert await found(world, "desk", "breakGlass", glass(ours)) == [("NOT_ALLOWED", "input")]
    assert await found(world, "pen", "approveBreakGlass", {"case": theirs}) == [("NOT_ALLOWED", "input")]
    assert await found(world, "desk", "approveBreakGlass", {"case": ours}) == [("NOTHING_WAITS", "input.case")]
    assert await found(world, "desk", "approveBreakGlass", {"case": theirs}) == [("NOT_FOUND", "input.case")]


async def test_the_glass_of_a_hidden_case_is_not_there(world: World) -> None:
    """Of one that is not the asker's to see, or never was: the same to the byte, and nothing is left behind."""
    hidden = await world.case()
    held, theirs = await seen(world)
    await world.insert("hold", id=uuid4(), case_id=held, organisation=world.organisations["pen-centre"], starts="2026-05-01T00:00:00Z")  # fmt: skip
    before = await counts(world)
    answers = set()
    for number, name in enumerate((await case_id(world, hidden, "pen-centre"), theirs, await case_id(world, held), f"case_{uuid4()}", "")):  # fmt: skip
        given = {"input": {"idempotencyKey": str(number), **glass(name)}}
        answers.add((await world.send("pen", operation("breakGlass"), given)).body)

    (body,) = answers
    assert [p["code"] for p in json.loads(body)["data"]["breakGlass"]["problems"]] == ["NOT_FOUND"]
    assert await counts(world) == before


@pytest.mark.parametrize("sealed", ["true", "false"])
async def test_the_owners_are_told_at_once(world: World, sealed: str) -> None:
    """ICORN and the referrer that sees the case, of a sealed one with the same words; nobody who does not see it."""
    await world.organisation("open-stage")
    case, theirs = await seen(world, sealed=sealed)
    await world.referral("arts-haven", case=case)
    await world.referral("open-stage", case=case)
    await world.consent(case, "open-stage", ["OVERVIEW"], "DENY", given_on="2026-05-01")
    await done(world, "pen", "breakGlass", glass(theirs))
    if sealed == "true":
        await done(world, "desk", "approveBreakGlass", {"case": await case_id(world, case)})

    told = await world.admin.fetch(
        "select e.kind, o.code, e.case_id from event e join organisation o on o.id = e.audience where e.kind like 'emergency%' order by e.id"
    )
    approved = [("emergency.approved", "icorn", case), ("emergency.approved", "pen-centre", case)]
    asked = [("emergency.asked", "icorn", case), ("emergency.asked", "arts-haven", case)]
    assert [tuple(row) for row in told] == asked + (approved if sealed == "true" else [])
    assert set(await events(world)) <= {"emergency.asked", "emergency.approved", "retraction.made"}


async def test_only_who_broke_it_and_icorn_see_the_glass(world: World) -> None:
    """With the scope; another partner that sees the same case does not, nor a client without it."""
    case, theirs = await seen(world)
    await world.agreement("arts-haven", AGREED)
    await done(world, "pen", "breakGlass", glass(theirs))
    asked = "query ($id: ID!) { case(by: {id: $id}) { emergencies { categories } } }"
    await world.client("narrow", "pen-centre", [s for s in EVERY_SCOPE if s != "cases:emergency"])
    refused = await world.ask("narrow", asked, {"id": theirs})

    for client, organisation, there in (("pen", "pen-centre", 1), ("desk", "icorn", 1), ("arts", "arts-haven", 0)):
        data = await world.data(client, asked, {"id": await case_id(world, case, organisation)})
        assert len(data["case"]["emergencies"]) == there
    assert refused["data"] == {"case": {"emergencies": None}}
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["UNAUTHORIZED_FIELD_OR_TYPE"]


async def test_whoever_asks_never_approves(world: World) -> None:
    """The table says so too, whichever way a row gets there."""
    _, theirs = await seen(world, sealed="true")
    await done(world, "pen", "breakGlass", glass(theirs))
    with pytest.raises(asyncpg.CheckViolationError):
        await world.admin.execute("update emergency set approved_at = hub_now(), approver = client")

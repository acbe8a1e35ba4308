"""Two cases of one person become one: nothing of either is lost, the stricter of what was agreed holds, and both names are answered."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.conftest import Database
from tests.hub.commands.kit import case_id, city_office, consent_id, done, events, feed_record, found, reference, run
from tests.hub.commands.retracted import sequenced, told
from tests.walls.changes import stale
from tests.world import World

WHY = {"reason": "Hazelreason"}
WHOLE = (
    "query ($by: CaseBy!) { case(by: $by) { id reference status riskLevel profile { biography languages } identity { familyName pseudonyms } contact { mayContactDirectly }"
    " health { needs } whereabouts { city inHiding } consents { id evidence } emergencies { reason } residencies { id } presentations { note }"
    " referrals { totalCount } feedRecords { records { id } } legalHold { held } } }"
)
KEPT: dict[str, Any] = {
    "PROFILE": {"biography": "Tangerine novels", "languages": ["fa"]}, "IDENTITY": {"givenName": "Mina", "familyName": "Farahani", "pseudonyms": []},
    "CONTACT": {"channels": [], "mayContactDirectly": True}, "WHEREABOUTS": {"city": "Van", "asOf": "2026-01-01", "inHiding": True},
}  # fmt: skip
FORMER: dict[str, Any] = {
    "PROFILE": {"biography": "Quincebook", "languages": ["fa", "ku"]}, "IDENTITY": {"givenName": "Mina", "familyName": "Farahany"}, "HEALTH": {"needs": "Rest"},
    "CONTACT": {"channels": [], "mayContactDirectly": False}, "WHEREABOUTS": {"city": "Oslo", "asOf": "2026-05-01", "inHiding": False},
}  # fmt: skip


async def merged(world: World, keep: UUID, merge: UUID) -> str:
    """Merge two cases; give what ICORN calls the one."""
    ours = await case_id(world, keep)
    await done(world, "desk", "mergeCases", {"keep": ours, "merge": await case_id(world, merge), **WHY})
    return ours


async def opens(world: World, client: str, organisation: str, case: UUID) -> Any:
    """Look at a case by the name that an organisation had for it."""
    named = {"id": await case_id(world, case, organisation)}
    return (await world.data(client, "query ($id: ID!) { case(by: {id: $id}) { id identity { familyName } health { needs } } }", named))["case"]  # fmt: skip


async def test_everything_moves_and_both_names_are_answered(world: World) -> None:
    """Documents are folded and sealed anew, texts too; ids, references and replays of the former case lead to the kept one."""
    keep, merge = await world.case(documents=KEPT, risk_level="LOW"), await world.case(documents=FORMER, risk_level="HIGH", sealed=True)  # fmt: skip
    kept, former = await case_id(world, keep), await case_id(world, merge)
    await city_office(world)
    record = f"record_{await feed_record(world, 'n1')}"
    await world.referral("pen-centre", case=merge)
    agreed = {"decision": "ALLOW", "recipients": {"everyPartner": True}, "categories": ["OVERVIEW", "HEALTH"], "givenOn": "2026-05-20", "evidence": "Rowanevidence"}  # fmt: skip
    await done(world, "desk", "recordConsent", {"case": former, "consent": agreed})
    await done(world, "desk", "linkRecords", {"case": former, "records": [record], **WHY})
    await done(world, "desk", "presentCase", {"case": former, "cities": ["city_bergen"], "categories": ["OVERVIEW"], "until": "2026-07-01T00:00:00Z"})  # fmt: skip
    (shown,) = (await world.data("bergen", "{ presentations { edges { node { id } } } }"))["presentations"]["edges"]
    await done(world, "bergen", "answerPresentation", {"presentation": shown["node"]["id"], "answer": "INVITE", "note": "Aspenwithdrawal"})  # fmt: skip
    await done(world, "desk", "offerResidency", {"case": former, "city": "city_bergen"})
    await done(world, "bergen", "breakGlass", {"case": await case_id(world, merge, "bergen-office"), "categories": ["HEALTH"], **WHY})  # fmt: skip
    for name, held in (("holdCase", True), ("holdCase", False), ("setLegalHold", True)):
        await done(world, "desk", name, {"case": former, "held": held, **WHY, **({"organisation": "organisation_arts-haven"} if name == "holdCase" else {})})  # fmt: skip
    await world.admin.execute("update legal_hold set held = true, proposed = null, proposed_reason = null, client = null, usr = null")  # fmt: skip
    given = {"keep": kept, "merge": former, "idempotencyKey": "once", **WHY}
    await done(world, "desk", "mergeCases", given)

    found_as = [(await world.data("desk", WHOLE, {"by": by}))["case"] for by in (
        {"id": kept}, {"id": former}, {"reference": await reference(world, keep)}, {"reference": (await reference(world, merge)).lower()},
    )]  # fmt: skip
    assert all(one == found_as[0] for one in found_as)
    case = found_as[0]
    assert (case["id"], case["status"], case["riskLevel"]) == (kept, "INVITED", "HIGH")
    assert case["profile"] == {"biography": "Tangerine novels\n\nQuincebook", "languages": ["fa", "ku"]}
    assert case["identity"] == {"familyName": "Farahani", "pseudonyms": ["Mina Farahany"]}
    assert (case["contact"], case["health"]) == ({"mayContactDirectly": False}, {"needs": "Rest"})
    assert case["whereabouts"] == {"city": "Oslo", "inHiding": True}
    assert [one["evidence"] for one in case["consents"]] == ["Rowanevidence"]
    assert (case["emergencies"], case["presentations"]) == ([{"reason": "Hazelreason"}], [{"note": "Aspenwithdrawal"}])
    assert (case["referrals"], case["legalHold"], len(case["residencies"])) == ({"totalCount": 1}, {"held": True}, 1)
    assert [r for one in case["feedRecords"] for r in one["records"]] == [{"id": record}]
    assert await world.admin.fetchval("select sealed from case_file") is True
    assert await stale(world.admin) == []
    assert (await run(world, "desk", "mergeCases", given))["case"]["id"] == kept
    node = await world.data("desk", 'query ($id: ID!) { node(id: $id) { id } _entities(representations: [{__typename: "Case", id: $id}]) { ... on Case { id } } }', {"id": former})  # fmt: skip
    assert (node["node"], node["_entities"]) == ({"id": kept}, [{"id": kept}])
    await done(world, "desk", "holdCase", {"case": former, "organisation": "organisation_pen-centre", "held": True, **WHY})  # fmt: skip
    assert await found(world, "desk", "mergeCases", {**given, "idempotencyKey": "twice"}) == [("SAME_CASE", "input.merge")]  # fmt: skip
    assert "case.merged" in await events(world)


async def test_of_what_was_agreed_the_stricter_holds_and_what_was_lost_is_retracted(world: World) -> None:
    """Open is what both allow and neither denies; whoever reads no less than before is told nothing, whoever does by the name it knew."""
    keep, merge = await world.case(), await world.case()
    await world.agreement("pen-centre", ["OVERVIEW", "IDENTITY", "HEALTH"])
    await world.agreement("arts-haven", ["OVERVIEW", "IDENTITY", "HEALTH"])
    await world.consent(keep, categories=["OVERVIEW", "IDENTITY"])
    first = await world.consent(merge, categories=["OVERVIEW", "IDENTITY", "HEALTH"])
    await world.consent(merge, "arts-haven", ["OVERVIEW"], "DENY")
    pens = await opens(world, "pen", "pen-centre", merge)
    assert (pens["identity"], pens["health"] is None) == ({"familyName": "Farahani"}, False)
    assert (await opens(world, "pen", "pen-centre", keep))["health"] is None
    arts = await opens(world, "arts", "arts-haven", keep)
    assert arts["identity"] is not None
    await sequenced(world)
    ours = await merged(world, keep, merge)

    by_either = [await opens(world, "pen", "pen-centre", case) for case in (keep, merge)]
    assert by_either[0] == by_either[1] == {"id": await case_id(world, keep, "pen-centre"), "identity": {"familyName": "Farahani"}, "health": None}  # fmt: skip
    assert await told(world) == [(await case_id(world, merge, "pen-centre"), ["HEALTH"])]
    assert await opens(world, "arts", "arts-haven", keep) is None
    assert await opens(world, "arts", "arts-haven", merge) is None
    assert await told(world, "arts") == [(arts["id"], ["OVERVIEW", "IDENTITY"])]
    # What the person says of the one case counts for all of it; what is taken back of either is gone.
    agreed = {"decision": "ALLOW", "recipients": {"everyPartner": True}, "categories": ["HEALTH"], "givenOn": "2026-05-20", "evidence": "x"}  # fmt: skip
    await done(world, "desk", "recordConsent", {"case": ours, "consent": agreed})
    assert (await opens(world, "pen", "pen-centre", merge))["health"] is not None
    await done(world, "desk", "withdrawConsent", {"consent": await consent_id(world, keep, first)})
    assert await opens(world, "pen", "pen-centre", merge) is None
    # All that was read of either is in the log of the one, and all of it is retracted, once.
    log = await world.data("desk", "query ($id: ID!) { case(by: {id: $id}) { accessLog { edges { node { organisation { code } } } } } }", {"id": ours})  # fmt: skip
    assert {edge["node"]["organisation"]["code"] for edge in log["case"]["accessLog"]["edges"]} >= {"pen-centre", "arts-haven"}  # fmt: skip
    mine = [await case_id(world, case, "pen-centre") for case in (keep, merge)]
    assert sorted(await told(world)) == sorted([
        (mine[0], ["OVERVIEW", "IDENTITY", "HEALTH"]), (mine[1], ["HEALTH"]), (mine[1], ["OVERVIEW", "IDENTITY"]),
    ])  # fmt: skip


async def test_a_third_case_that_is_merged_is_one_more_that_must_have_agreed(world: World) -> None:
    """However often and in whatever order: each of them must have been spoken of."""
    cases = [await world.case() for _ in range(3)]
    await world.agreement("pen-centre", ["OVERVIEW", "IDENTITY"])
    for case in cases[:2]:
        await world.consent(case, categories=["OVERVIEW", "IDENTITY"])
    await world.consent(cases[2], categories=["OVERVIEW"])
    for case in cases:
        assert await opens(world, "pen", "pen-centre", case) is not None
    await merged(world, cases[1], cases[0])
    assert (await opens(world, "pen", "pen-centre", cases[0]))["identity"] is not None
    await merged(world, cases[2], cases[1])

    for case in cases:
        assert await opens(world, "pen", "pen-centre", case) == {"id": await case_id(world, cases[2], "pen-centre"), "identity": None, "health": None}  # fmt: skip
    assert await stale(world.admin) == []


async def test_a_name_of_a_merged_case_is_nothing_to_whoever_does_not_see_it(world: World) -> None:
    """By the former id, reference or node, a case that is not open is not there; nor is another organisation's name for it."""
    keep, merge = await world.case(), await world.case()
    await merged(world, keep, merge)
    assert await world.admin.fetchval("select count(*) from case_alias") == 1
    by = [{"id": await case_id(world, merge, org)} for org in ("pen-centre", "icorn")] + [{"reference": await reference(world, merge, "pen-centre")}]  # fmt: skip
    await world.agreement("pen-centre", ["OVERVIEW"])
    for one in by:
        assert (await world.data("pen", "query ($by: CaseBy!) { case(by: $by) { id } }", {"by": one}))["case"] is None


async def test_what_is_wrong_with_a_merge(world: World) -> None:
    """All at once; only for the desk; and two people in residence are not one."""
    keep, merge = await world.case(status="IN_RESIDENCE"), await world.case(status="RELOCATING")
    given = {"keep": await case_id(world, keep), "merge": await case_id(world, merge), **WHY}
    assert await found(world, "desk", "mergeCases", given) == [("BOTH_STAY", "input.merge")]
    assert await found(world, "desk", "mergeCases", {**given, "merge": f"case_{uuid4()}", "reason": " "}) == [("NOT_FOUND", "input.merge"), ("REQUIRED", "input.reason")]  # fmt: skip
    assert await found(world, "pen", "mergeCases", given) == [("NOT_ALLOWED", "input")]


async def test_two_who_merge_the_same_cases_the_other_way_round(world: World) -> None:
    """One wins, the other is told that they are one already; whatever is written meanwhile is not lost."""
    keep, merge = await world.case(), await world.case()
    names = await case_id(world, keep), await case_id(world, merge)
    agreed = {"decision": "DENY", "recipients": {"everyPartner": True}, "categories": ["HEALTH"], "givenOn": "2026-05-20", "evidence": "x"}  # fmt: skip
    one, other, *_ = await asyncio.gather(
        run(world, "desk", "mergeCases", {"keep": names[0], "merge": names[1], **WHY}),
        run(world, "desk", "mergeCases", {"keep": names[1], "merge": names[0], **WHY}),
        *(done(world, "desk", "recordConsent", {"case": name, "consent": agreed}) for name in names),
    )

    assert sorted([p["code"] for p in payload["problems"]] for payload in (one, other)) == [[], ["SAME_CASE"]]
    assert await world.admin.fetchval("select count(*) from consent") == 2
    assert await world.admin.fetchval("select count(*) from case_file") == 1


@pytest.mark.parametrize("call", ["sealed_of_case($1)", "merge_cases($1, $1, '{}', '{}', '{}', '{}', 'CANDIDATE')", "show_case($1, $1, 1, '{}', now())", "end_with_case($1, 1)", "follow_city($1, 'INVITED')", "place_is_free(1)"])  # fmt: skip
async def test_what_runs_as_more_than_its_caller_is_for_whom_it_is_meant(database: Database, call: str) -> None:
    """Called by nobody, each of them refuses."""
    app = await database.connect("hub_app")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute(f"select {call}".replace("$1", f"'{UUID(int=1)}'::uuid"))

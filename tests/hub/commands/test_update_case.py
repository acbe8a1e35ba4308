"""ICORN's desk changes a case as it was read: nobody's change is lost, and what is sealed is sealed anew."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from tests.hub.commands.kit import case_id, counts, done, events, feed_record, found, run
from tests.hub.commands.retracted import READ, opened, told
from tests.world import EVERY_SCOPE, World

PLACE = {"organisation": "organisation_pen-centre", "reason": "Hazelreason"}


async def version(world: World, case: str) -> str:
    """Read the version of a case, as the desk does."""
    answer = await world.data("desk", "query ($id: ID!) { case(by: {id: $id}) { version } }", {"id": case})
    read: str = answer["case"]["version"]
    return read


async def change(world: World, case: str, **given: Any) -> Any:
    """Change a case that was read just now."""
    return await done(
        world, "desk", "updateCase", {"case": case, "expectedVersion": await version(world, case), **given}
    )


async def test_what_is_left_out_stays_null_clears_and_a_list_replaces(world: World) -> None:
    """Field by field within a category, and category by category; the search by name goes along."""
    ours = await case_id(world, await world.case())
    first = await change(world, ours, person={"profile": {"biography": "Tangerine novels", "languages": ["fa", "ku"]}, "health": {"needs": "Sycamore medicine", "disability": "None"}})  # fmt: skip
    second = await change(world, ours, origin=None, riskLevel="EXTREME", person={"profile": {"languages": ["tr"]}, "health": {"disability": None}, "identity": {"familyName": "Mulberryson"}})  # fmt: skip
    third = await change(world, ours, person={"health": None, "identity": None}, assessment={"notes": "Invite her."})

    assert first["health"] == {"needs": "Sycamore medicine", "disability": "None"}
    assert second["profile"] == {"biography": "Tangerine novels", "languages": ["tr"]}
    assert second["health"] == {"needs": "Sycamore medicine", "disability": None}
    assert (second["origin"], second["riskLevel"]) == (None, "EXTREME")
    assert (third["health"], third["identity"]) == (None, None)
    assert third["assessment"] == {"recommendation": None, "notes": "Invite her.", "assessedBy": "desk", "assessedOn": "2026-06-01"}  # fmt: skip
    assert await world.admin.fetchval("select count(*) from case_name_digest") == 0
    assert await world.admin.fetchval("select key_version from case_profile") == 3
    assert await events(world) == 3 * ["case.updated"]


async def test_updated_at_is_of_the_overview_alone(world: World) -> None:
    """An edit that a partner does not see moves nothing that it sees; the version, which is ICORN's, moves with all."""
    ours = await case_id(world, await world.case())
    before = await world.admin.fetchval("select updated_at from case_file")
    for given in ({"person": {"health": {"needs": "Rest"}}}, {"riskLevel": "HIGH"}, {"assessment": {"notes": "x"}}):
        await change(world, ours, **given)
        assert await world.admin.fetchval("select updated_at from case_file") == before
    await done(world, "desk", "sealCase", {"case": ours, "sealed": True, "reason": "Hazelreason"})
    assert await world.admin.fetchval("select updated_at from case_file") == before
    assert await version(world, ours) == "5"
    await change(world, ours, riskLevel="LOW")

    assert await world.admin.fetchval("select updated_at from case_file") > before


async def test_of_many_who_read_the_same_version_one_changes_it(world: World) -> None:
    """The others are told that it was changed, and what they wrote changes nothing."""
    ours = await case_id(world, await world.case())
    given = [{"case": ours, "expectedVersion": "1", "person": {"health": {"needs": str(n)}}} for n in range(5)]
    payloads = await asyncio.gather(*(run(world, "desk", "updateCase", one) for one in given))

    assert sorted([p["code"] for p in payload["problems"]] for payload in payloads) == [[], *4 * [["STALE"]]]
    (kept,) = [payload["case"]["health"]["needs"] for payload in payloads if payload["case"]]
    read = await world.data("desk", "query ($id: ID!) { case(by: {id: $id}) { health { needs } } }", {"id": ours})
    assert read["case"]["health"]["needs"] == kept
    assert await found(world, "desk", "updateCase", given[0]) == [("STALE", "input.expectedVersion")]


async def test_what_is_wrong_with_a_change_is_said_at_once(world: World) -> None:
    """Everything beside its field; and of categories that the token does not open, nothing is written, whatever lies there."""
    ours = await case_id(world, await world.case(documents={}))
    await world.client("narrow", "icorn", [s for s in EVERY_SCOPE if s not in ("cases:health", "cases:assessment")])
    wrong = {
        "case": ours, "expectedVersion": "1", "status": "ALUMNUS", "riskLevel": None, "assessment": {"notes": " "},
        "person": {"health": {"needs": "Rest"}, "identity": {"bornOn": "2030-01-01"}},
    }  # fmt: skip
    asked = "mutation ($input: UpdateCaseInput!) { updateCase(input: $input) { problems { code path } } }"
    told = await world.data("narrow", asked, {"input": {"idempotencyKey": "k", **wrong}})
    assert sorted((p["code"], ".".join(p["path"])) for p in told["updateCase"]["problems"]) == [
        ("BLANK", "input.assessment.notes"), ("IN_THE_FUTURE", "input.person.identity.bornOn"), ("NOT_ALLOWED", "input.assessment"),
        ("NOT_ALLOWED", "input.person.health"), ("REQUIRED", "input.riskLevel"), ("WRONG_STATE", "input.status"),
    ]  # fmt: skip
    assert await found(world, "pen", "updateCase", wrong) == [("NOT_ALLOWED", "input")]


async def test_a_seal_takes_a_case_out_of_every_agreement_and_says_so_to_whoever_read_it(world: World) -> None:
    """It is retracted in the same transaction, and comes back when the seal is broken; why is kept sealed."""
    case, _, theirs = await opened(world)
    ours = await case_id(world, case)
    await world.data("pen", READ, {"id": theirs})
    given = {"case": ours, "reason": "Hazelreason"}
    await done(world, "desk", "sealCase", {**given, "sealed": True})
    assert (await world.data("pen", READ, {"id": theirs}))["case"] is None
    assert await told(world) == [(theirs, ["OVERVIEW", "PROFILE", "IDENTITY"])]
    await done(world, "desk", "sealCase", {**given, "sealed": False})

    assert (await world.data("pen", READ, {"id": theirs}))["case"] is not None
    kinds = await world.admin.fetch("select kind, reason from case_decision order by at, kind desc")
    assert sorted(row["kind"] for row in kinds) == ["SEALED", "UNSEALED"]
    assert all(b"Hazel" not in row["reason"] for row in kinds)


async def test_what_was_shared_or_linked_by_mistake_ends(world: World) -> None:
    """A share ends at once and is retracted; a record goes back to whoever finds where it belongs."""
    case = await world.case()
    ours, theirs = await case_id(world, case), await case_id(world, case, "pen-centre")
    await world.consent(case)
    await done(world, "desk", "shareCase", {"case": ours, **PLACE, "categories": ["OVERVIEW"]})
    await world.data("pen", READ, {"id": theirs})
    for _ in range(2):
        await done(world, "desk", "unshareCase", {"case": ours, **PLACE})
    assert (await world.data("pen", READ, {"id": theirs}))["case"] is None
    assert await told(world) == [(theirs, ["OVERVIEW"])]

    record = f"record_{await feed_record(world, 'n1')}"
    linked = {"case": ours, "records": [record], "reason": "Hazelreason"}
    assert await found(world, "desk", "unlinkRecords", linked) == [("NOT_LINKED", "input.records.0")]
    await done(world, "desk", "linkRecords", linked)
    assert (await done(world, "desk", "unlinkRecords", linked))["feedRecords"][0]["records"] == []
    assert (await counts(world))["feed_record_link"] == 0
    assert await found(world, "desk", "unlinkRecords", {**linked, "records": []}) == [("BAD_COUNT", "input.records")]


@pytest.mark.parametrize(
    "name", ["updateCase", "sealCase", "unshareCase", "unlinkRecords", "presentCase", "offerResidency"]
)
async def test_a_case_that_is_not_there_is_not_there_for_any_change(world: World, name: str) -> None:
    """Nor for a desk whose token does not read cases; whoever is no desk hears that alone."""
    absent = f"case_{UUID(int=7)}"
    places: dict[str, dict[str, Any]] = {
        "updateCase": {"expectedVersion": "1"}, "sealCase": {"sealed": True, "reason": "x"}, "unshareCase": PLACE, "unlinkRecords": {"records": [], "reason": "x"},
        "presentCase": {"cities": ["city_bergen"], "categories": ["OVERVIEW"], "until": "2026-07-01T00:00:00Z"}, "offerResidency": {"city": "city_bergen"},
    }  # fmt: skip
    rest = places[name]
    assert ("NOT_FOUND", "input.case") in await found(world, "desk", name, {"case": absent, **rest})
    assert await found(world, "pen", name, {"case": absent, **rest}) == [("NOT_ALLOWED", "input")]

"""What was retracted is listed to whoever owes a receipt and to ICORN, and the receipt is given once."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.hub.commands.kit import case_id, done, events, found, run
from tests.hub.commands.retracted import LOOK, NOON, OWED, READ, opened, owed, told, withdrawn
from tests.world import World


async def test_icorn_is_told_what_everyone_owes_in_its_own_names(world: World) -> None:
    """And owes nothing itself, also where a case is held from it."""
    case, made, theirs = await opened(world)
    ours = await case_id(world, case)
    for client, name in (("pen", theirs), ("desk", ours)):
        await world.data(client, READ, {"id": name})
    await withdrawn(world, case, made)
    await world.insert("hold", id=uuid4(), case_id=case, organisation=world.organisations["icorn"], starts="2026-05-01T00:00:00Z")  # fmt: skip

    (seen,) = await owed(world, "desk", "(acknowledged: false)")
    assert (seen["organisation"], seen["subject"]) == ({"code": "pen-centre"}, ours)
    assert await owed(world, "arts") == []


async def test_a_receipt_is_given_once(world: World) -> None:
    """With a note or without; the time stays that of the first."""
    case, made, theirs = await opened(world)
    await world.data("pen", READ, {"id": theirs})
    await withdrawn(world, case, made)
    (first,) = await owed(world)
    given = {"retraction": first["id"], "deleted": True, "note": "Shredded, Hazelreason"}
    receipt = await done(world, "pen", "acknowledgeRetraction", given)
    await world.set_now(NOON + timedelta(minutes=1))

    assert receipt == {"id": first["id"], "acknowledgedAt": "2026-06-01T12:00:00+00:00", "note": given["note"]}
    assert await done(world, "pen", "acknowledgeRetraction", given) == receipt
    late = {"retraction": first["id"], "deleted": False, "note": "No"}
    assert await found(world, "pen", "acknowledgeRetraction", late) == [("ALREADY_ACKNOWLEDGED", "input.deleted")]
    assert (await events(world))[2:] == ["retraction.acknowledged"]
    assert (await owed(world, "desk"))[0]["note"] == given["note"]


async def test_who_keeps_it_says_why(world: World) -> None:
    """Not acknowledged: the note is there for ICORN, sealed, and a later one stands in its place."""
    case, made, theirs = await opened(world)
    await world.data("pen", READ, {"id": theirs})
    await withdrawn(world, case, made)
    (first,) = await owed(world)
    keep = {"retraction": first["id"], "deleted": False}
    assert await found(world, "pen", "acknowledgeRetraction", keep) == [("REQUIRED", "input.note")]
    assert await found(world, "pen", "acknowledgeRetraction", {**keep, "note": " "}) == [("REQUIRED", "input.note")]
    for note in ("A court asked for it, Hazelreason", "Until Friday, Hazelreason"):
        await done(world, "pen", "acknowledgeRetraction", {**keep, "note": note})
        (kept,) = await owed(world, "desk", "(acknowledged: false)")
        assert (kept["note"], kept["acknowledgedAt"]) == (note, None)
    text = await world.admin.fetchval("select string_agg(r::text, ' ') from retraction r")
    assert "Hazelreason" not in text
    assert b"Hazelreason".hex() not in text


async def test_anothers_retraction_is_not_there(world: World) -> None:
    """Asked for by id or acknowledged, by a partner or by ICORN for a partner: answered like one that never was, byte for byte."""
    case, made, theirs = await opened(world)
    await world.data("pen", READ, {"id": theirs})
    await withdrawn(world, case, made)
    (first,) = await owed(world)
    ask = "mutation ($i: AcknowledgeRetractionInput!) { acknowledgeRetraction(input: $i) { retraction { id } problems { code path } } }"
    answers = set()
    for number, name in enumerate((first["id"], f"retraction_{uuid4()}", "retraction_", theirs, "")):
        given = {"idempotencyKey": str(number), "retraction": name, "deleted": True}
        for client in ("arts", "desk"):
            answers.add((await world.send(client, ask, {"i": given})).body)
    node = "query ($id: ID!) { node(id: $id) { id } }"
    nodes = {(await world.send("arts", node, {"id": name})).body for name in (first["id"], f"retraction_{uuid4()}")}
    await world.client("narrow", "pen-centre", ["cases:profile"])

    assert [json.loads(body)["data"]["acknowledgeRetraction"] for body in answers] == [
        {"retraction": None, "problems": [{"code": "NOT_FOUND", "path": ["input", "retraction"]}]}
    ]
    assert len(nodes) == 1
    assert (await world.data("pen", node, {"id": first["id"]}))["node"] == {"id": first["id"]}
    assert (await world.data("narrow", node, {"id": first["id"]}))["node"] is None
    assert (await owed(world))[0]["acknowledgedAt"] is None


@pytest.mark.parametrize("scope", ["cases:read", "referrals:read"])
async def test_either_scope_opens_retractions(world: World, scope: str) -> None:
    """And without both there is one error, and null."""
    case, made, theirs = await opened(world)
    await world.data("pen", READ, {"id": theirs})
    await withdrawn(world, case, made)
    await world.client("narrow", "pen-centre", [scope])
    await world.client("none", "pen-centre", ["cases:profile"])

    assert len(await owed(world, "narrow")) == 1
    refused = await world.ask("none", OWED)
    assert refused["data"] == {"retractions": None}
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["UNAUTHORIZED_FIELD_OR_TYPE"]


async def test_pages_of_retractions_leave_none_out(world: World) -> None:
    """Newest first, in pages of two."""
    await world.agreement("pen-centre")
    for minute in range(5):
        await world.set_now(NOON + timedelta(minutes=minute // 2))
        case = await world.case()
        made = await world.consent(case)
        await world.data("pen", LOOK, {"id": await case_id(world, case, "pen-centre")})
        await withdrawn(world, case, made)
    everything, seen, after = await told(world), [], None
    while True:
        page = (await world.data("pen", "query ($after: String) { retractions(first: 2, after: $after) { totalCount edges { node { subject categories } } pageInfo { endCursor hasNextPage } } }", {"after": after}))["retractions"]  # fmt: skip
        seen += [(edge["node"]["subject"], edge["node"]["categories"]) for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert (seen, len(seen), page["totalCount"]) == (everything, 5, 5)


async def test_a_receipt_needs_no_more_than_what_it_is_about(world: World) -> None:
    """A payload asked for by a client that may read either: the same as the list's."""
    case, made, theirs = await opened(world)
    await world.data("pen", READ, {"id": theirs})
    await withdrawn(world, case, made)
    (first,) = await owed(world)
    await world.client("narrow", "pen-centre", ["referrals:read"])
    payload = await run(world, "narrow", "acknowledgeRetraction", {"retraction": first["id"], "deleted": True})

    assert payload["problems"] == []
    assert payload["retraction"]["id"] == first["id"]

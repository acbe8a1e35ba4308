"""What was retracted, and glass that was broken: each organisation's own and ICORN's to see, with either wall alone."""

from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Database
from tests.population import CLIENTS, named, populate
from tests.walls.raw import DESK, PEN, STRANGER, Bound, Raw
from tests.walls.standing import FIRST, SECOND, UNBOUND
from tests.world import EVERY_SCOPE, build

OWED = "{ retractions(first: 100) { totalCount edges { node { id subject note organisation { code } } } } }"
BROKEN = "{ cases(first: 100) { edges { node { emergencies { organisation { code } reason } } } } }"
NODE = "query ($id: ID!) { node(id: $id) { id ... on Retraction { note } } }"
RETRACTIONS = {"t one": "pen-centre", "t two": "pen-centre", "t three": "arts-haven", "t gone": "harbour-city"}


@pytest.mark.parametrize("walls", [FIRST, SECOND])
async def test_each_sees_its_own_and_icorn_all(database: Database, walls: str) -> None:
    """Lists, ids, notes and reasons: nothing of anybody else's, whichever wall stands."""
    await database.admin(f"do $$ begin if not exists (select from pg_roles where rolname = '{UNBOUND}') then create role {UNBOUND} login bypassrls in role hub_app; end if; end $$")  # fmt: skip
    plan, role = (frozenset({1, 2}), UNBOUND) if walls == FIRST else (frozenset({2}), "hub_app")
    async with build(database, walls=plan, app_role=role) as world:
        await populate(world)
        for client in ("desk", "pen", "arts", "city", "reader"):
            organisation, scopes = CLIENTS[client]
            mine = {named(n) for n, o in RETRACTIONS.items() if organisation in (o, "icorn")}
            owed = await world.data(client, OWED)
            assert {edge["node"]["id"] for edge in owed["retractions"]["edges"]} == {f"retraction_{n}" for n in mine}
            assert owed["retractions"]["totalCount"] == len(mine)
            for name in RETRACTIONS:
                node = (await world.data(client, NODE, {"id": f"retraction_{named(name)}"}))["node"]
                assert (node is not None) == (named(name) in mine)
            if "cases:emergency" in scopes:
                cases = (await world.data(client, BROKEN))["cases"]["edges"]
                seen = {e["organisation"]["code"] for case in cases for e in case["node"]["emergencies"]}
                assert seen == ({"pen-centre", "harbour-city"} if organisation == "icorn" else {organisation})


@pytest.mark.asyncio(loop_scope="module")
async def test_a_receipt_is_ones_own_and_given_now(raw: Raw) -> None:
    """Not for another, not for another time, not twice; and a note only under a retraction that is still owed."""
    give = "update retraction set acknowledged_at = {} where id = $1"
    key = "insert into retraction_key (retraction_id, kek, wrapped) values ($1, '1', '')"
    async with raw.bound(PEN):
        assert await raw.passes(give.format("hub_now()"), named("t two"))
        assert not await raw.passes(give.format("hub_now() - interval '1 day'"), named("t two"))
        assert not await raw.passes(give.format("hub_now()"), named("t one"))
        assert not await raw.passes(give.format("null"), named("t one"))
        assert not await raw.passes(give.format("hub_now()"), named("t three"))
        assert await raw.passes(key, named("t two"))
        assert not await raw.passes(key, named("t one"))
        assert not await raw.passes(key, named("t three"))
        for column in ("organisation", "subject", "categories", "at"):
            assert not await raw.passes(f"update retraction set {column} = {column} where id = $1", named("t two"))  # noqa: S608 our own names
    for nobody in (STRANGER, DESK, Bound("pen-centre", "pen", ["cases:profile"])):
        async with raw.bound(nobody):
            assert not await raw.passes(give.format("hub_now()"), named("t two"))


@pytest.mark.asyncio(loop_scope="module")
async def test_no_event_is_put_into_the_outbox_in_the_databases_name(raw: Raw) -> None:
    """A receipt of one's own is told of; that something was retracted, or whom else an event is for, is not the asker's to say."""
    pen, icorn = raw.world.organisations["pen-centre"], raw.world.organisations["icorn"]
    plain: dict[str, Any] = {"kind": "x", "organisation": pen, "at": "2026-06-01"}
    own = {**plain, "kind": "retraction.acknowledged", "retraction_id": str(named("t two"))}
    for who in (PEN, DESK):
        async with raw.bound(who):
            there = {"organisation": raw.world.organisations[str(who.organisation)]}
            assert await raw.inserts("event", {**plain, **there})
            assert await raw.inserts("event", {**own, **there}) == (who is PEN)
            for forged in (
                {**own, "retraction_id": str(named("t three"))},
                {**own, "kind": "retraction.made"},
                {**own, "audience": raw.world.organisations["arts-haven"]},
                {**plain, "audience": icorn},
                {**plain, "kind": "retraction.made"},
                {**plain, "kind": "emergency.approved", "case_id": str(named("plain"))},
            ):
                assert not await raw.inserts("event", {**forged, **there})


@pytest.mark.asyncio(loop_scope="module")
async def test_glass_is_broken_in_ones_own_name_and_now(raw: Raw) -> None:
    """Of a case that one sees; never approved by whom it is not for, and ICORN breaks none."""
    orgs = raw.world.organisations
    own: dict[str, Any] = {"id": str(uuid4()), "case_id": str(named("plain")), "organisation": orgs["pen-centre"], "categories": ["HEALTH"], "asked_at": "2026-06-01T12:00:00Z", "client": "pen", "usr": ""}  # fmt: skip
    attempts: list[tuple[dict[str, Any], bool]] = [
        (own, True),
        ({**own, "organisation": orgs["arts-haven"]}, False),
        ({**own, "client": "other"}, False),
        ({**own, "usr": "somebody"}, False),
        ({**own, "asked_at": "2026-06-01T13:00:00Z"}, False),
        ({**own, "case_id": str(named("sealed"))}, False),
        ({**own, "approved_at": "2026-06-01T12:00:00Z", "approver": "desk"}, False),
    ]
    approve = "update emergency set approved_at = {}, approver = {}, approver_usr = '' where id = $1"
    async with raw.bound(PEN):
        assert [await raw.inserts("emergency", row) for row, _ in attempts] == [passes for _, passes in attempts]
        assert not await raw.passes(approve.format("hub_now()", "'pen'"), named("g pen"))
    for without in ("cases:emergency", "cases:read"):
        async with raw.bound(Bound("pen-centre", "pen", [s for s in EVERY_SCOPE if s != without])):
            assert not await raw.inserts("emergency", own)
    async with raw.bound(DESK):
        assert not await raw.inserts("emergency", {**own, "organisation": orgs["icorn"], "client": "desk"})
        assert await raw.passes(approve.format("hub_now()", "'desk'"), named("g waits"))
        assert not await raw.passes(approve.format("hub_now()", "'other'"), named("g waits"))
        assert not await raw.passes(approve.format("hub_now() + interval '1 day'", "'desk'"), named("g waits"))
        assert not await raw.passes(approve.format("hub_now()", "'desk'"), named("g let"))

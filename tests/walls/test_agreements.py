"""Agreements at the second wall, by raw SQL: each side proposes, signs and ends for itself alone, now, and nothing else of it is theirs to say."""

from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.population import named
from tests.walls.raw import DESK, PEN, READER, Bound, Raw

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = "2026-06-01T12:00:00Z"
ARTS = Bound("arts-haven", "arts")


async def test_a_side_writes_in_its_own_name_alone(raw: Raw) -> None:
    """A proposal for itself, or for ICORN's part anyone; a signature, an end and an event of its own, of what is its own, now."""
    org = raw.world.organisations
    proposed, active = str(named("pen proposed")), str(named("pen all"))
    agreement = {
        "id": str(uuid4()),
        "organisation": org["pen-centre"],
        "purpose": "PROTECTION",
        "categories": ["OVERVIEW"],
        "valid_from": NOW,
    }
    signature = {
        "agreement": proposed,
        "organisation": org["pen-centre"],
        "approver": "Pen",
        "client": "pen",
        "usr": "",
        "at": NOW,
    }
    end = {"agreement": active, "organisation": org["pen-centre"], "reason": "\\x01", "kek": "1", "wrapped": "\\x01"}
    event = {"kind": "agreement.ended", "organisation": org["pen-centre"], "agreement_id": active, "at": NOW}
    attempts: list[tuple[str, dict[str, Any], bool]] = [
        ("agreement", agreement, True),
        ("agreement", {**agreement, "replaces": active}, True),
        ("agreement", {**agreement, "organisation": org["arts-haven"]}, False),
        ("agreement", {**agreement, "organisation": org["icorn"]}, False),
        ("agreement", {**agreement, "id": "00000000-0000-0000-0000-000000000000"}, False),
        ("agreement", {**agreement, "approved_at": NOW}, False),
        ("agreement", {**agreement, "ended_at": NOW}, False),
        ("agreement_approval", signature, True),
        ("agreement_approval", {**signature, "organisation": org["icorn"]}, False),
        ("agreement_approval", {**signature, "client": "other"}, False),
        ("agreement_approval", {**signature, "usr": "somebody"}, False),
        ("agreement_approval", {**signature, "at": "2026-01-01T00:00:00Z"}, False),
        ("agreement_approval", {**signature, "agreement": str(named("pen ended"))}, False),
        ("agreement_approval", {**signature, "agreement": str(named("arts"))}, False),
        ("agreement_end", end, True),
        ("agreement_end", {**end, "organisation": org["icorn"]}, False),
        ("agreement_end", {**end, "agreement": str(named("pen ended"))}, False),
        ("agreement_end", {**end, "agreement": str(named("arts"))}, False),
        ("event", event, True),
        ("event", {**event, "organisation": org["icorn"]}, False),
        ("event", {**event, "kind": "agreement.expiring"}, False),
        ("event", {**event, "kind": "case.opened"}, False),
        ("event", {**event, "agreement_id": None}, False),
        ("event", {**event, "agreement_id": str(named("arts"))}, False),
    ]  # fmt: skip
    async with raw.bound(PEN):
        assert [(t, row) for t, row, passes in attempts if await raw.inserts(t, row) != passes] == []
    for who in (ARTS, Bound("pen-centre", "pen", READER.scopes)):
        async with raw.bound(who):
            assert [(t, row) for t, row, passes in attempts if passes and await raw.inserts(t, row)] == []


async def test_an_end_is_now_and_for_good(raw: Raw) -> None:
    """Nobody brings back what has ended, or ends something in the past; and by whom it is signed, only the database counts."""
    end = "update agreement set ended_at = {} where id = $1"
    for who in (PEN, DESK):
        async with raw.bound(who):
            assert await raw.passes(end.format("hub_now()"), named("pen all"))
            assert not await raw.passes(end.format("hub_now() - interval '1 day'"), named("pen all"))
            assert not await raw.passes(end.format("null"), named("pen ended"))
            assert not await raw.passes(end.format("hub_now()"), named("pen ended"))
            assert not await raw.passes("update agreement set approved_at = hub_now()")
            assert not await raw.passes("update agreement_approval set at = hub_now()")
            assert not await raw.passes("delete from agreement_approval")
    async with raw.bound(PEN):
        assert not await raw.passes(end.format("hub_now()"), named("arts"))
    async with raw.bound(READER):
        assert not await raw.passes(end.format("hub_now()"), named("pen all"))


async def test_another_organisation_is_neither_replaced_nor_tried_out(raw: Raw) -> None:
    """An agreement replaces one of its own organisation; what one would do is told to ICORN's desk, with both scopes, alone."""
    replacing = "insert into agreement (id, organisation, purpose, categories, valid_from, replaces) values (gen_random_uuid(), $1, 'PROTECTION', '{OVERVIEW}', now(), $2)"
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await raw.world.admin.execute(replacing, raw.world.organisations["pen-centre"], named("arts"))
    arts, case = raw.world.organisations["arts-haven"], named("plain")
    tried = "select count(*) from simulate_agreement($1, '{OVERVIEW}', null, null, null, null, null) where opens + closes > 0"
    told = "select count(*) from explain_access($1, $2)"
    without = [
        Bound("icorn", "desk", [s for s in DESK.scopes if s != lacking])
        for lacking in ("access:manage", "access:explain", "cases:read")
    ]
    expected = [(PEN, False, 0), (DESK, True, 9), (without[0], False, 9), (without[1], True, 0), (without[2], False, 0)]
    for who, counted, rules in expected:
        async with raw.bound(who):
            assert (await raw.app.fetchval(tried, arts) > 0, await raw.app.fetchval(told, arts, case)) == (
                counted,
                rules,
            )
    assert await raw.world.admin.fetchval("select count(*) from agreement where purpose = 'ADMINISTRATION'") == 0

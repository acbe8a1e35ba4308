"""Whoever meddles with the log is found out: a superuser's tampering with a real database, and the first bad leaf by its number."""

# ruff: noqa: S608  # every statement here is made of our own words

from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.audit.entry import entry, events
from hub.audit.head import Head, signed, written
from hub.audit.merkle import Frontier, leaf_hash
from tests.hub.audit.logs import RECORD, meddle, settle, verdicts
from tests.world import World

PEN = "(select id from organisation where code = 'pen-centre')"
LEAF = f"organisation = {PEN} and leaf_index"
AUDIT = f"id = (select audit_id from audit_leaf where {LEAF} ="


@pytest.fixture
async def logged(world: World) -> World:
    """Seven leaves of pen-centre under three heads (over 3, 5 and 7), and one of arts-haven."""
    for count in (3, 2, 2):
        for _ in range(count):
            await world.admin.execute(RECORD, "pen-centre")
        await settle(world)
    await world.admin.execute(RECORD, "arts-haven")
    await settle(world)
    assert {code: (v.size, v.heads, v.fault) for code, v in (await verdicts(world)).items()} == {
        "arts-haven": (1, 1, None),
        "icorn": (0, 0, None),
        "pen-centre": (7, 3, None),
    }
    return world


ATTACKS = {
    "a record edited": (f"update audit set purpose = 'AUDIT' where {AUDIT} 3)", 3),
    "a byte of a record flipped": (f"update audit set proof = '\\x03' where {AUDIT} 6)", 6),
    "an outcome changed": (f"update audit set outcome = 'REFUSED' where {AUDIT} 0)", 0),
    "a person put in": (f"update audit set subjects = array[row(gen_random_uuid(), 1)::seen] where {AUDIT} 2)", 2),
    "a record moved an hour": (f"update audit set at = at - interval '1 hour' where {AUDIT} 2)", 2),
    "a letter of an entry": (f"update audit_leaf set entry = replace(entry, 'query', 'query ') where {LEAF} = 4", 4),
    "a bit of a leaf's hash": (f"update audit_leaf set nodes[1] = set_byte(nodes[1], 31, get_byte(nodes[1], 31) # 1) where {LEAF} = 2", 2),
    "a bit of a subtree's hash": (f"update audit_leaf set nodes[2] = set_byte(nodes[2], 0, get_byte(nodes[2], 0) # 1) where {LEAF} = 3", 3),
    "a subtree's hash removed": (f"update audit_leaf set nodes = nodes[1:1] where {LEAF} = 5", 5),
    "a record deleted": (f"delete from audit where {AUDIT} 4)", 4),
    "a leaf deleted": (f"delete from audit_leaf where {LEAF} = 1", 1),
    "a leaf deleted and the rest moved up": (
        f"delete from audit_event where {LEAF} = 1; delete from audit_leaf where {LEAF} = 1; update audit_leaf set leaf_index = -leaf_index where {LEAF} > 1; update audit_leaf set leaf_index = -leaf_index - 1 where {LEAF} < 0", 1),
    "two leaves in each other's place": (
        f"update audit_leaf set leaf_index = -leaf_index where {LEAF} in (2, 4); update audit_leaf set leaf_index = 6 + leaf_index where {LEAF} < 0", 2),
    "a record given to another organisation": (f"update audit set organisation = (select id from organisation where code = 'arts-haven') where {AUDIT} 5)", 5),
    "what readers find removed": (f"delete from audit_event where {LEAF} = 3", 3),
    "what readers find changed": (f"update audit_event set basis = 1 where {LEAF} = 3", 3),
    "what readers find at another hour": (f"update audit_event set at = at + interval '1 hour' where {LEAF} = 3", 3),
    "the end cut off": (f"delete from audit_event where {LEAF} > 4; delete from audit_leaf where {LEAF} > 4; delete from audit a where organisation = {PEN} and not exists (select from audit_leaf l where l.audit_id = a.id)", 5),
    "everything cut off but the heads": (f"delete from audit_event where {LEAF} >= 0; delete from audit_leaf where {LEAF} >= 0; delete from audit where organisation = {PEN}", 0),
    "the last head removed": (f"delete from audit_head where size = 7 and organisation = {PEN}", 5),
    "a head's root changed": (f"update audit_head set root = sha256(root) where size = 5 and organisation = {PEN}", 4),
    "a head's signature changed": (f"update audit_head set signature = overlay(signature placing 'AAAA' from length(signature) - 20) where size = 5 and organisation = {PEN}", 4),
    "a head of another size's": (f"update audit_head h set signature = (select signature from audit_head where size = 3) where size = 7 and organisation = {PEN}", 6),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
async def test_the_first_bad_leaf_is_named(logged: World, attack: str) -> None:
    """Of the log that was meddled with, and of no other."""
    sql, index = ATTACKS[attack]
    await meddle(logged, sql)

    found = await verdicts(logged)

    assert found["pen-centre"].fault is not None
    assert found["pen-centre"].fault.index == index
    assert found["arts-haven"].fault is None


async def rewrite(world: World, changed: int) -> None:
    """Write the whole log of pen-centre anew with one record changed, every hash and index fitting: all but the signatures."""
    await meddle(world, f"update audit set purpose = 'AUDIT' where {AUDIT} {changed})")
    rows = await world.admin.fetch(
        "select a.*, a.categories::text[] as categories, o.code as organisation, l.leaf_index from audit_leaf l"
        " join audit a on a.id = l.audit_id join organisation o on o.id = l.organisation where o.code = 'pen-centre' order by l.leaf_index"
    )
    tree = Frontier()
    for row in rows:
        text = entry(row, tree.size)
        nodes = tree.append(leaf_hash(text.encode()))
        (event,) = events(row, row["leaf_index"], nodes[0])
        await world.admin.execute(f"update audit_event set leaf = $1, purpose = $2 where {LEAF} = $3", event.leaf, event.purpose, row["leaf_index"])  # fmt: skip
        await world.admin.execute(f"update audit_leaf set entry = $1, nodes = $2 where {LEAF} = $3", text, nodes, row["leaf_index"])  # fmt: skip


async def test_a_log_written_anew_is_found_by_its_heads(logged: World) -> None:
    """Everything fits together, but what was signed does not: the leaf is one of those between two heads."""
    await rewrite(logged, 4)

    fault = (await verdicts(logged))["pen-centre"].fault

    assert fault is not None
    assert fault.index == 3
    assert "or one after it up to 4" in fault.reason


async def test_a_log_whose_heads_were_removed_too_is_found_by_one_that_was_kept(logged: World) -> None:
    """Cut off with all its traces it looks whole; a head that the operator or a partner kept names the first missing leaf."""
    (kept,) = await logged.admin.fetch(f"select signature from audit_head where size = 7 and organisation = {PEN}")
    await meddle(
        logged,
        f"delete from audit_event where {LEAF} > 4; delete from audit_leaf where {LEAF} > 4; delete from audit_head where size = 7;"
        f" delete from audit a where organisation = {PEN} and not exists (select from audit_leaf l where l.audit_id = a.id)",
    )

    alone = (await verdicts(logged))["pen-centre"]
    beside = (await verdicts(logged, written(kept["signature"])))["pen-centre"]

    assert alone.fault is None
    assert beside.fault is not None
    assert beside.fault.index == 5


async def test_a_log_written_anew_and_signed_anew_is_found_by_a_head_that_was_kept(logged: World) -> None:
    """Even whoever holds database and keys cannot unsay what a partner has: the two heads disagree."""
    (kept,) = await logged.admin.fetch(f"select signature from audit_head where size = 5 and organisation = {PEN}")
    await rewrite(logged, 1)
    keys = logged.app.state.head_keys
    key, now = await keys.signing(), datetime(2026, 6, 1, 12, tzinfo=UTC)
    rows = await logged.admin.fetch(f"select nodes[1] as leaf from audit_leaf where organisation = {PEN} order by leaf_index")  # fmt: skip
    tree = Frontier()
    for row in rows:
        tree.append(row["leaf"])
        forged = Head("pen-centre", tree.size, tree.root(), now)
        await logged.admin.execute(f"update audit_head set root = $2, at = $3, signature = $4 where size = $1 and organisation = {PEN}", tree.size, tree.root(), now, signed(forged, key))  # fmt: skip

    alone = (await verdicts(logged))["pen-centre"]
    beside = (await verdicts(logged, written(kept["signature"])))["pen-centre"]

    assert alone.fault is None
    assert beside.fault is not None
    assert beside.fault.index == 0
    assert "or one after it up to 4" in beside.fault.reason


async def test_a_leaf_put_in_by_another_hand_is_named(logged: World) -> None:
    """It fits the tree, but nobody signed for it."""
    record: Any = await logged.admin.fetchval(RECORD, "pen-centre")
    row = await logged.admin.fetchrow("select a.*, a.categories::text[] as categories, 'pen-centre' as organisation from audit a where id = $1", record)  # fmt: skip
    nodes = [r["leaf"] for r in await logged.admin.fetch(f"select nodes[1] as leaf from audit_leaf where organisation = {PEN} order by leaf_index")]  # fmt: skip
    tree = Frontier()
    for leaf in nodes:
        tree.append(leaf)
    text = entry(row, 7)
    grown = tree.append(leaf_hash(text.encode()))
    (event,) = events(row, 7, grown[0])
    org = logged.organisations["pen-centre"]
    await logged.admin.execute("insert into audit_leaf values ($1, 7, $2, $3, $4)", org, record, text, grown)
    await logged.admin.execute("insert into audit_event select o.id, $1::int, 7, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text[]::category[] from organisation o where o.id = $1 or o.kind = 'ICORN'", org, *astuple(event))  # fmt: skip

    fault = (await verdicts(logged))["pen-centre"].fault

    assert fault is not None
    assert fault.index == 7


async def test_an_organisation_whose_whole_log_is_gone_is_named(logged: World) -> None:
    """Its head was kept, so its absence is seen."""
    found = await verdicts(logged, Head("vanished", 1, b"x", datetime(2026, 6, 1, tzinfo=UTC)))

    assert [code for code, v in found.items() if v.fault] == ["vanished"]


async def test_records_that_wait_beyond_the_grace_are_named(logged: World) -> None:
    """No worker is at work, or their leaves were removed."""
    await logged.admin.execute(RECORD, "arts-haven")
    await logged.set_now(datetime(2026, 6, 1, 12, tzinfo=UTC) + timedelta(minutes=2))

    found = (await verdicts(logged))["arts-haven"]

    assert found.fault is not None
    assert (found.fault.index, found.waiting) == (1, 1)
    assert "1 records wait for a leaf" in found.fault.reason


async def test_the_worker_can_only_add(logged: World) -> None:
    """Not even the role that writes the log may change or remove anything of it."""
    worker = await logged.database.connect("hub_worker")
    for table in ("audit", "audit_leaf", "audit_event", "audit_head", "audit_key"):
        for sql in (f"delete from {table}", f"update {table} set organisation = 1", f"truncate {table}"):
            with pytest.raises(Exception, match=r"permission denied|does not exist"):
                await worker.execute(sql)

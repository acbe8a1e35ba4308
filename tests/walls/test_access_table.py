"""That what is stored of access is always what the rule says: after any changes, and whoever else is changing the same things."""

import asyncio
import random
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Database
from tests.walls.changes import Change, apply, changes, disagreements, number, small_world, stale

CASE, OTHER, REFERRAL = number("case_file", 0), number("case_file", 1), number("referral", 0)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(changes(), min_size=3, max_size=20))
async def test_the_tables_are_what_the_rule_says_after_any_changes(database: Database, made: list[Change]) -> None:
    """Rows put, changed and taken away in any order; the rule in SQL, its tables, and the rule in plain Python agree."""
    admin = await database.connect("postgres")
    try:
        transaction = admin.transaction()
        await transaction.start()
        await admin.execute("alter table organisation alter column id restart")
        await small_world(admin)
        for change in made:
            if await apply(admin, change):
                assert await stale(admin) == [], change
        assert await disagreements(admin) == []
        await transaction.rollback()
    finally:
        await admin.close()


AGAIN = "delete from frozen; delete from referral; delete from case_file; delete from agreement;"
START = """
insert into case_file (id, discipline, risk_level, opened_on, updated_at) values ('{case}', 'WRITER', 'LOW', '2026-01-01', '2026-01-01'), ('{other}', 'WRITER', 'LOW', '2026-01-01', '2026-01-01');
insert into agreement (id, organisation, purpose, categories, valid_from, approved_at) values ('{case}', 2, 'PROTECTION', '{{OVERVIEW,PROFILE}}', '2026-01-01', '2026-01-01');
insert into referral (id, sender, recipient, urgency, discipline, submitted_at, updated_at, client, shared_categories)
  values ('{referral}', 1, 2, 'URGENT', 'WRITER', '2026-01-01', '2026-01-01', 'x', '{{OVERVIEW,PROFILE}}');
insert into consent (id, case_id, decision, categories, given_on, recorded_by) values ('{case}', '{case}', 'ALLOW', '{{OVERVIEW,PROFILE,HEALTH}}', '2026-01-01', 1);
insert into consent (id, referral_id, decision, categories, given_on, recorded_by) values ('{referral}', '{referral}', 'ALLOW', '{{OVERVIEW,PROFILE}}', '2026-01-01', 1);
insert into share (id, case_id, organisation, categories, starts) values ('{case}', '{case}', 3, '{{OVERVIEW,HEALTH}}', '2026-01-01');
insert into hold (id, case_id, organisation, starts) values ('{case}', '{case}', 3, '2026-01-01');
"""
MOVES = {
    "share": "insert into share (id, case_id, organisation, categories, starts) values (gen_random_uuid(), '{case}', 2, '{{OVERVIEW,HEALTH}}', '2026-01-01')",
    "end the share": "update share set ended_at = hub_now() where id = '{case}'",
    "withdraw": "update consent set withdrawn_at = hub_now() where id = '{case}'",
    "withdraw in the referral": "update consent set withdrawn_at = hub_now() where id = '{referral}'",
    "deny": "insert into consent (id, case_id, decision, categories, given_on, recorded_by) values (gen_random_uuid(), '{case}', 'DENY', '{{OVERVIEW}}', '2026-01-01', 1)",
    "carry the consent": "update consent set case_id = '{case}' where id = '{referral}'",
    "hold": "insert into hold (id, case_id, organisation, starts) values (gen_random_uuid(), '{case}', 2, '2026-01-01')",
    "freeze": "insert into frozen (case_id, starts) values ('{case}', '2026-01-01')",
    "freeze the origin": "insert into frozen (country, starts) values ('IR', '2026-01-01')",
    "lift the freeze": "update frozen set ended_at = hub_now()",
    "move": "update case_file set origin = 'IR' where id = '{case}'",
    "end the hold": "update hold set ended_at = hub_now() where id = '{case}'",
    "seal": "update case_file set sealed = true where id = '{case}'",
    "move both cases": "update case_file set updated_at = hub_now(), risk_level = 'HIGH' where id in ('{case}', '{other}')",
    "link": "update referral set case_id = '{case}' where id = '{referral}'",
    "link elsewhere": "update referral set case_id = '{other}' where id = '{referral}'",
    "decline": "update referral set status = 'DECLINED' where id = '{referral}'",
    "agree more": "insert into agreement (organisation, purpose, categories, valid_from, approved_at) values (3, 'PROTECTION', '{{OVERVIEW}}', '2026-01-01', '2026-01-01')",
    "end the agreement": "update agreement set ended_at = hub_now() where id = '{case}'",
    "present": "insert into presentation (id, case_id, organisation, categories, presented_at, until) values (gen_random_uuid(), '{case}', 3, '{{OVERVIEW}}', '2026-01-01', '2027-01-01')",
    "break the glass": "insert into emergency (id, case_id, organisation, categories, asked_at, client) values (gen_random_uuid(), '{case}', 2, '{{OVERVIEW,HEALTH}}', hub_now(), 'x')",
    "erase": "delete from case_file where id = '{case}'",
}  # fmt: skip


def _sql(text: str) -> str:
    return text.format(case=CASE, other=OTHER, referral=REFERRAL)


async def _meets_a_lock(admin: Any, pid: int, running: "asyncio.Task[Any]") -> bool:
    """Wait until a statement is done or waits for somebody; tell whether it waits."""
    while not running.done():
        if await admin.fetchval("select wait_event_type = 'Lock' from pg_stat_activity where pid = $1", pid):
            return True
        await asyncio.sleep(0)
    return False


@pytest.mark.parametrize("first", MOVES)
async def test_two_changes_at_once_never_leave_a_stale_row(database: Database, first: str) -> None:
    """One transaction has made its change and not committed; another makes any change meanwhile: both count afterwards."""
    admin = await database.connect("postgres")
    await small_world(admin)
    one, two = await database.connect("postgres"), await database.connect("postgres")
    pid = await two.fetchval("select pg_backend_pid()")
    for second, move in MOVES.items():
        await admin.execute(AGAIN + _sql(START))
        earlier, later = one.transaction(), two.transaction()
        await earlier.start()
        await one.execute(_sql(MOVES[first]))
        await later.start()
        running = asyncio.create_task(two.execute(_sql(move)))
        await _meets_a_lock(admin, pid, running)
        await earlier.commit()
        try:
            await running
            await later.commit()
        except asyncpg.ForeignKeyViolationError:
            await later.rollback()

        assert await stale(admin) == [], f"{first}, then {second}"


async def test_many_changes_at_once_never_leave_a_stale_row(database: Database) -> None:
    """Six connections change the same few things in transactions of several statements; who meets a deadlock gives up."""
    admin = await database.connect("postgres")
    await small_world(admin)
    await admin.execute(AGAIN + _sql(START))
    moves = [move for name, move in MOVES.items() if name != "erase"]

    async def change(seed: int) -> None:
        chosen = random.Random(seed)  # noqa: S311 the same sequence in every run
        connection = await database.connect("postgres")
        await connection.execute("set deadlock_timeout = '20ms'")
        for _ in range(8):
            try:
                async with connection.transaction():
                    for move in chosen.sample(moves, 3):
                        await connection.execute(_sql(move))
            except asyncpg.DeadlockDetectedError:
                continue

    await asyncio.gather(*(change(seed) for seed in range(6)))

    assert await stale(admin) == []


@pytest.mark.parametrize("isolation", ["repeatable_read", "serializable"])
async def test_a_transaction_that_looks_at_an_old_snapshot_changes_no_access(
    database: Database, isolation: Any
) -> None:
    """It could not see what was decided while it waited, so it is refused."""
    admin = await database.connect("postgres")
    await small_world(admin)
    await admin.execute(AGAIN + _sql(START))

    with pytest.raises(asyncpg.InvalidTransactionStateError):
        async with admin.transaction(isolation=isolation):
            await admin.execute(_sql(MOVES["share"]))
    assert await stale(admin) == []


MANY = """
insert into case_file (id, discipline, risk_level, opened_on, updated_at) select gen_random_uuid(), 'WRITER', 'LOW', '2026-01-01', '2026-01-01' from generate_series(1, 1000);
insert into consent (id, case_id, decision, categories, given_on, recorded_by) select gen_random_uuid(), id, 'ALLOW', '{OVERVIEW}', '2026-01-01', 1 from case_file;
insert into referral (id, sender, recipient, urgency, discipline, submitted_at, updated_at, client, shared_categories, case_id)
  select gen_random_uuid(), 2, 1, 'URGENT', 'WRITER', '2026-01-01', '2026-01-01', 'x', '{OVERVIEW,PROFILE}', id from case_file;
insert into share (id, case_id, organisation, categories, starts) select gen_random_uuid(), id, 2, '{OVERVIEW}', '2026-01-01' from case_file;
insert into hold (id, case_id, organisation, starts) select gen_random_uuid(), id, 3, '2026-01-01' from case_file;
insert into presentation (id, case_id, organisation, categories, presented_at, until) select gen_random_uuid(), id, 3, '{OVERVIEW}', '2026-01-01', '2027-01-01' from case_file;
"""
READ = "select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::int from pg_stat_xact_user_tables where schemaname = 'hub' and relname <> 'test_clock'"


async def test_a_change_of_one_case_reads_that_case_alone(database: Database) -> None:
    """Among a thousand cases, consents and referrals a change reads a handful of rows, by a plan made for it or for all."""
    admin = await database.connect("postgres")
    await small_world(admin)
    await admin.execute(MANY + _sql(START) + "analyze")
    read = {}
    # A thousand rows are few enough to be read whole, so a plan made without looking at the change is asked to prefer an index.
    for mode in ("force_generic_plan; set enable_seqscan = off", "force_custom_plan; set enable_seqscan = on"):
        await admin.execute(f"set plan_cache_mode = {mode}")
        for name in MOVES.keys() - {
            "agree more",
            "end the agreement",
            "freeze",
            "freeze the origin",
            "lift the freeze",
        }:
            transaction = admin.transaction()
            await transaction.start()
            before = await admin.fetchval(READ)
            await admin.execute(_sql(MOVES[name]))
            read[name, mode] = await admin.fetchval(READ) - before
            await transaction.rollback()

    assert {change: rows for change, rows in read.items() if rows > 300} == {}

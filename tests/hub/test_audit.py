"""The audit log in the database: every record gets its place, and whoever meddles with one is found out."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from hub.audit import Sequencer, Verdict, lag, verify
from hub.audit_chain import Head
from hub.postgres import open_pool
from tests.conftest import Database
from tests.world import World

RECORD = """
insert into audit (organisation, client, action, operation, subjects, categories, proof)
select id, 'test', 'query cases', '\\x01', '{}', '{OVERVIEW}', '\\x02' from organisation where code = $1 returning id
"""


@asynccontextmanager
async def worker_pool(database: Database) -> AsyncIterator[Any]:
    """A pool of the role hub_worker."""
    async with await open_pool(database.dsn("hub_worker"), name="test", role="hub_worker", size=4) as pool:
        yield pool


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Any]:
    """A pool of the role hub_worker."""
    async with worker_pool(database) as opened:
        yield opened


@pytest.fixture
async def logged(world: World, pool: Any) -> World:
    """Five records of pen-centre and two of arts-haven, all in their chains."""
    for code in ("pen-centre", "arts-haven", "pen-centre", "pen-centre", "arts-haven", "pen-centre", "pen-centre"):
        await world.admin.execute(RECORD, code)
    await until_settled(Sequencer(pool), pool, 7)
    return world


async def until_settled(sequencer: Sequencer, pool: Any, count: int) -> None:
    """Sequence until there are so many leaves; transactions elsewhere may hold the horizon back a moment."""
    async with asyncio.timeout(20):
        while await pool.fetchval("select count(*) from audit_leaf") < count:
            await sequencer.run()
            await asyncio.sleep(0.01)


async def verdicts(world: World, known: dict[str, Head] | None = None) -> dict[str, Verdict]:
    """What verification finds, by organisation."""
    worker = await world.database.connect("hub_worker")
    return {verdict.organisation: verdict for verdict in await verify(worker, None, known or {})}


async def meddle(world: World, sql: str) -> None:
    """Do what only a superuser with foreign keys off can do."""
    await world.admin.execute(f"set session_replication_role = replica; {sql}; set session_replication_role = origin")


async def test_each_organisation_has_a_chain_of_its_own(logged: World) -> None:
    """In order, whole, and nothing left over."""
    found = await verdicts(logged)

    assert {code: (v.head.seq, v.waiting, v.fault) for code, v in found.items()} == {
        "arts-haven": (2, 0, None),
        "icorn": (0, 0, None),
        "pen-centre": (5, 0, None),
    }


async def test_what_a_request_leaves_behind_is_chained(world: World, pool: Any) -> None:
    """The record that the reading statement wrote, by the role that answers requests."""
    await world.data("pen", "{ cases { totalCount } }")

    await until_settled(Sequencer(pool), pool, 1)

    assert (await verdicts(world))["pen-centre"].head.seq == 1


async def test_the_role_of_requests_cannot_choose_a_records_place(world: World) -> None:
    """Id, time and transaction are the database's to say."""
    connection = await world.database.connect("hub_app")

    for column in ("id", "at", "xid"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("insert into audit ({}) values (default)".format(column))  # noqa: S608, UP032


async def test_a_record_that_commits_late_is_not_skipped(world: World, pool: Any) -> None:
    """A later one that commits first waits for it; then both get their places."""
    sequencer = Sequencer(pool)
    slow = await world.database.connect("postgres")
    transaction = slow.transaction()
    await transaction.start()
    early = await slow.fetchval(RECORD, "pen-centre")
    late = await world.admin.fetchval(RECORD, "pen-centre")

    assert await sequencer.run() == 0

    await transaction.commit()
    await until_settled(sequencer, pool, 2)
    rows = await world.admin.fetch("select audit_id from audit_leaf order by seq")
    assert [row["audit_id"] for row in rows] == [early, late]


async def test_concurrent_writers_and_workers_lose_and_double_nothing(world: World, database: Database) -> None:
    """Transactions that end in any order, some rolled back, beside two workers: what committed is there exactly once."""
    chance = random.Random(7)  # noqa: S311 no secret
    committed: set[Any] = set()
    writing = True

    async def write(number: int) -> None:
        connection = await database.connect("postgres")
        for _ in range(12):
            transaction = connection.transaction()
            await transaction.start()
            found = {
                await connection.fetchval(RECORD, ("pen-centre", "arts-haven")[(number + i) % 2]) for i in range(2)
            }
            await asyncio.sleep(chance.random() / 50)
            if chance.random() < 0.2:
                await transaction.rollback()
            else:
                await transaction.commit()
                committed.update(found)

    async def work() -> None:
        async with worker_pool(database) as pool:
            sequencer = Sequencer(pool)
            while writing:
                await sequencer.run()
            # Nothing is looked for from the beginning again: what was passed over would stay lost.
            await until_settled(sequencer, pool, len(committed))

    workers = [asyncio.create_task(work()) for _ in range(2)]
    await asyncio.gather(*map(write, range(6)))
    writing = False
    await asyncio.gather(*workers)

    rows = await world.admin.fetch("select audit_id from audit_leaf")
    assert len(rows) == len(committed)
    assert {row["audit_id"] for row in rows} == committed
    assert all(verdict.fault is None for verdict in (await verdicts(world)).values())


@pytest.mark.parametrize(
    ("sql", "seq"),
    [
        ("update audit set purpose = 'AUDIT' where id = (select audit_id from pen where seq = 3)", 3),
        ("update audit set proof = '\\x03' where id = (select audit_id from pen where seq = 5)", 5),
        ("update audit_leaf set hash = set_byte(hash, 31, get_byte(hash, 31) # 1) where seq = 2 and organisation = (select organisation from pen limit 1)", 2),
        ("delete from audit where id = (select audit_id from pen where seq = 4)", 4),
        ("delete from audit_leaf where seq = 2 and organisation = (select organisation from pen limit 1)", 2),
        ("update audit set organisation = (select id from organisation where code = 'arts-haven') where id = (select audit_id from pen where seq = 1)", 1),
        ("update audit_leaf l set seq = case l.seq when 2 then -3 else -2 end where seq in (2, 3) and organisation = (select organisation from pen limit 1); update audit_leaf set seq = -seq where seq < 0", 2),
    ],
    ids=["edited", "byte-flipped", "hash-flipped", "record-deleted", "leaf-deleted", "moved-to-another", "reordered"],
)  # fmt: skip
async def test_the_first_bad_leaf_is_named(logged: World, sql: str, seq: int) -> None:
    """Of the log that was meddled with, and of no other."""
    await logged.admin.execute(
        "create temporary view pen as select l.* from audit_leaf l join organisation o on o.id = l.organisation where o.code = 'pen-centre'"
    )
    await meddle(logged, sql)

    found = await verdicts(logged)

    assert found["pen-centre"].fault is not None
    assert found["pen-centre"].fault.seq == seq
    assert found["arts-haven"].fault is None


async def test_a_log_cut_off_at_its_end_is_found_by_the_head_that_was_kept(logged: World) -> None:
    """Without one it looks whole; with one, the first missing leaf is named."""
    kept = {code: verdict.head for code, verdict in (await verdicts(logged)).items() if verdict.head.seq}
    await meddle(logged, "delete from audit_leaf where seq > 3")
    await meddle(logged, "delete from audit a where not exists (select from audit_leaf l where l.audit_id = a.id)")

    alone, beside = (await verdicts(logged))["pen-centre"], (await verdicts(logged, kept))["pen-centre"]

    assert alone.fault is None
    assert beside.fault is not None
    assert beside.fault.seq == 4


async def test_an_organisation_whose_whole_log_is_gone_is_named(logged: World) -> None:
    """Its head was kept, so its absence is seen."""
    worker = await logged.database.connect("hub_worker")

    found = await verify(worker, None, {"vanished": Head(1, b"x")})

    assert [v.organisation for v in found if v.fault] == ["vanished"]


async def test_what_has_no_place_yet_is_counted(logged: World) -> None:
    """It is no fault; how long it has waited says whether a worker is at work."""
    await logged.admin.execute(RECORD, "pen-centre")
    worker = await logged.database.connect("hub_worker")

    found = (await verdicts(logged))["pen-centre"]

    assert (found.waiting, found.fault) == (1, None)
    assert (await lag(worker))[0] == 1

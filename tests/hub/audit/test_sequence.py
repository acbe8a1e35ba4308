"""Records become leaves: every one, once, in an order that holds, however transactions end."""

import asyncio
import random
from typing import Any

import asyncpg
import pytest

from hub.audit.head import HeadKeys, believed
from hub.audit.sequence import lag
from tests.conftest import Database
from tests.hub.audit.logs import RECORD, sequencer, settle, verdicts, worker_pool
from tests.world import KEYRING, World


async def test_each_organisation_has_a_log_of_its_own(world: World) -> None:
    """In order, whole, and nothing left over; one's activity shows in no other's size or root."""
    for code in ("pen-centre", "arts-haven", "pen-centre"):
        await world.admin.execute(RECORD, code)
    await settle(world)
    before = (await verdicts(world))["pen-centre"]
    for _ in range(3):
        await world.admin.execute(RECORD, "arts-haven")
    await settle(world)

    found = await verdicts(world)

    assert {code: (v.size, v.waiting, v.fault) for code, v in found.items()} == {
        "arts-haven": (4, 0, None),
        "icorn": (0, 0, None),
        "pen-centre": (2, 0, None),
    }
    assert found["pen-centre"] == before


async def test_what_a_request_leaves_behind_gets_its_leaf_and_a_signed_head(world: World) -> None:
    """The record that the reading statement wrote, by the role that answers requests."""
    await world.data("pen", "{ cases { totalCount } }")
    await settle(world)

    row: Any = await world.admin.fetchrow("select * from audit_head")
    head = believed(row["signature"], await HeadKeys(world.admin, KEYRING).all())

    assert (head.log, head.size, head.root) == ("pen-centre", 1, row["root"])
    assert (await verdicts(world))["pen-centre"].root == head.root


async def test_the_role_of_requests_cannot_choose_a_records_place(world: World) -> None:
    """Id, time and transaction are the database's to say."""
    connection = await world.database.connect("hub_app")

    for column in ("id", "at", "xid"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("insert into audit ({}) values (default)".format(column))  # noqa: S608, UP032


async def test_a_record_that_commits_late_is_not_skipped(world: World) -> None:
    """A later one that commits first waits for it; then both get their places."""
    pool = world.app.state.pools.worker
    slow = await world.database.connect("postgres")
    transaction = slow.transaction()
    await transaction.start()
    early = await slow.fetchval(RECORD, "pen-centre")
    late = await world.admin.fetchval(RECORD, "pen-centre")

    assert await sequencer(pool).run() == 0

    await transaction.commit()
    await settle(world)
    rows = await world.admin.fetch("select audit_id from audit_leaf order by leaf_index")
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
            while writing:
                await sequencer(pool).run()

    workers = [asyncio.create_task(work()) for _ in range(2)]
    await asyncio.gather(*map(write, range(6)))
    writing = False
    await asyncio.gather(*workers)
    # Nothing is looked for from the beginning again: what was passed over would stay lost.
    assert await world.admin.fetchval("select count(*) from audit_horizon") == 1
    await settle(world)

    rows = await world.admin.fetch("select audit_id from audit_leaf")
    assert len(rows) == len(committed)
    assert {row["audit_id"] for row in rows} == committed
    assert all(verdict.fault is None for verdict in (await verdicts(world)).values())


async def test_a_worker_that_starts_looks_no_further_back_than_the_last_one(world: World) -> None:
    """Of a long log it reads what came since: everything of an earlier transaction has its leaf."""
    await world.admin.execute(RECORD, "pen-centre")
    await settle(world)
    horizon = await world.admin.fetchval("select xid::text from audit_horizon")
    last = await world.admin.fetchval("select max(xid)::text from audit")

    assert int(horizon) > int(last)
    assert await sequencer(world.app.state.pools.worker).run() == 0


async def test_a_horizon_that_came_with_a_backup_is_not_believed(world: World) -> None:
    """It lies beyond what this server has begun, as may the records: all are looked at once more, and none is lost."""
    await world.admin.execute(RECORD, "pen-centre")
    await world.admin.execute("update audit set xid = '900000000'")
    await world.admin.execute("insert into audit_horizon (xid) values ('800000000')")
    await world.admin.execute(RECORD, "pen-centre")

    await settle(world)

    assert (await verdicts(world))["pen-centre"].size == 2
    assert int(await world.admin.fetchval("select xid::text from audit_horizon")) < 800000000


async def test_what_has_no_leaf_yet_is_counted(world: World) -> None:
    """For a moment it is no fault; how long it has waited says whether a worker is at work."""
    await world.admin.execute(RECORD, "pen-centre")

    found = (await verdicts(world))["pen-centre"]

    assert (found.waiting, found.fault) == (1, None)
    assert (await lag(await world.database.connect("hub_worker")))[0] == 1


async def test_a_key_that_does_not_open_under_the_keyring_is_none(world: World) -> None:
    """Whoever can write the table but does not hold the keyring cannot add a key to sign with."""
    await world.data("pen", "{ cases { totalCount } }")
    await settle(world)
    ours = set(await HeadKeys(world.admin, KEYRING).all())
    await world.admin.execute(
        "insert into audit_key select 'forged', kek, set_byte(wrapped, 0, get_byte(wrapped, 0) # 1), created_at + interval '1 day' from audit_key"
    )
    await world.admin.execute("insert into audit_key select 'moved', kek, wrapped, created_at + interval '1 day' from audit_key limit 1")  # fmt: skip

    keys = await HeadKeys(world.admin, KEYRING).all()

    assert len(ours) == 1
    assert set(keys) == ours
    told = (await world.http.get("/audit/jwks")).json()["keys"]
    assert [(key["kid"], key["crv"], key.get("d")) for key in told] == [(*ours, "Ed25519", None)]

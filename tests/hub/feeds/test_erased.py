"""What was erased does not come back by a feed: not when it is sent again, nor when it changed, nor when everything is read anew."""

import asyncio
import hashlib
from datetime import timedelta
from uuid import uuid4

from tests.hub.feeds.desk import NOW, SEAL, Desk, fill
from tests.hub.waiting import waiting

LINK = """
with c as (insert into case_file (id, status, discipline, risk_level, opened_on, updated_at) values ($1, 'CLOSED', 'WRITER', 'LOW', '2020-01-01', '2020-01-01') returning id)
insert into feed_record_link (record, case_id, linked_by) select r.id, c.id, 1 from c, feed_record r where r.source_id = any($2)
"""


async def erase(desk: Desk, *sources: str) -> None:
    """Erase a case that these records are linked to, as the worker does when it is overdue."""
    await desk.admin.execute(LINK, uuid4(), list(sources))
    assert await desk.worker.fetchval("select erase_overdue(1)") == 1


async def test_a_record_of_someone_erased_is_not_stored_again(desk: Desk) -> None:
    """Unchanged, changed, unmappable, in a changes pass or a full one: it is read past, and the others are held."""
    fill(desk)
    await desk.sync()
    await erase(desk, "r1", "r3")
    left = {"r0", "r2", "r4"}
    assert set(await desk.names()) == left

    again = await desk.sync(full=True)
    desk.put("r1", "Another name", NOW + timedelta(hours=1))
    await desk.sync()
    desk.put("r3", "Another name", NOW + timedelta(hours=2), art="brush")
    last = await desk.sync(full=True)

    assert set(await desk.names()) == left
    assert (again.complete, again.read, again.changed, again.removed) == (True, 5, 0, 0)
    assert (last.complete, last.removed, await desk.quarantine()) == (True, 0, {})
    assert await desk.admin.fetchval("select count(*) from feed_record where source_id in ('r1', 'r3')") == 0


async def test_a_replica_made_anew_is_made_without_it(desk: Desk) -> None:
    """Also when every record was thrown away, and when other rules have everything read again."""
    fill(desk)
    await desk.sync()
    await erase(desk, "r1")
    await desk.admin.execute("delete from feed_record")
    await desk.admin.execute("update feed set cursor = null, watermark = null, rules = null, last_full_at = null")
    await desk.sync(full=True)

    assert set(await desk.names()) == {"r0", "r2", "r4", "r3"}


async def test_one_feeds_record_is_not_anothers(desk: Desk) -> None:
    """Two sources may use the same ids for two people."""
    other = await Desk.of(desk.worker, desk.admin, "other-feed")
    for each in (desk, other):
        fill(each, 3)
        await each.sync()
    await desk.admin.execute("delete from feed_record where feed = $1 and source_id = 'r1'", other.feed_id)
    await erase(desk, "r1")
    await other.sync(full=True)

    assert set(await desk.names()) == {"r0", "r2"}
    assert set(await other.names()) == {"r0", "r1", "r2"}


async def test_what_it_is_known_by_names_nobody(desk: Desk) -> None:
    """A digest keyed outside the database: whoever has the database and a list of ids can not tell who was erased."""
    fill(desk)
    await desk.sync()
    await erase(desk, "r1")
    (row,) = await desk.admin.fetch("select * from feed_erased")

    assert list(row.keys()) == ["mark"]
    assert row["mark"] == SEAL.mark_source("pen-feed", "r1")
    guesses = ("r1", "pen-feed:r1", '["pen-feed", "r1"]')
    assert row["mark"] not in {hashlib.sha256(guess.encode()).digest() for guess in guesses}


async def test_a_record_read_before_marks_were_kept_gets_one_when_it_is_read_again(desk: Desk) -> None:
    """Though nothing of it changed."""
    fill(desk)
    await desk.sync()
    await desk.admin.execute("update feed_record set source_mark = sha256(uuid_send(gen_random_uuid()))")
    await desk.sync(full=True)
    await erase(desk, "r1")
    await desk.sync(full=True)

    assert "r1" not in await desk.names()


async def test_a_page_under_way_is_waited_for(desk: Desk) -> None:
    """An erasure begins after the page that is being written, and the next page knows of it."""
    fill(desk)
    await desk.sync()
    await desk.admin.execute(LINK, uuid4(), ["r1"])
    async with desk.admin.transaction():
        await desk.admin.execute("select pg_advisory_xact_lock_shared(hashtextextended('hub.feed_erased', 0))")
        erasing = asyncio.create_task(desk.worker.fetchval("select erase_overdue(1)"))
        await waiting(desk.admin)
        await desk.admin.execute("update feed_record set fetched_at = hub_now() where source_id = 'r1'")
    assert await erasing == 1
    desk.put("r1", "Changed", NOW + timedelta(hours=1))
    await desk.sync()

    assert "r1" not in await desk.names()

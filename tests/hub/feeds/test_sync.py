"""How a feed is replicated: soundly, resumably, sealed, and never removing what was not proven gone."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from uuid import UUID

import pytest

from connectors.memory import MemoryConnector
from connectors.problem import FeedProblem, ProblemCode
from connectors.protocol import Cursor, Page
from connectors.record import CanonicalRecord, Reject
from hub.feeds.feed import FeedState, record_id
from hub.feeds.sync import PAGE_RECORDS, note_problem, sync
from tests.conftest import Database
from tests.hub.feeds.desk import NOW, SEAL, Desk, Trouble, failing, fill, running


async def test_a_first_sync_replicates_everything(desk: Desk) -> None:
    """And the feed is fresh as of the pass's beginning."""
    fill(desk)

    result = await desk.sync()
    feed = await desk.feed()

    assert await desk.names() == desk.truth()
    assert (result.complete, result.full, result.read, result.changed) == (True, True, 5, 5)
    assert (feed.state, feed.last_synced_at, feed.last_problem) == (FeedState.FRESH, NOW, None)
    assert feed.cursor is None


async def test_ids_are_the_same_in_every_replica(desk: Desk) -> None:
    """They follow from the feed's code and the source's id."""
    desk.put("r1", "Ada")
    await desk.sync()

    row = await desk.admin.fetchrow("select id from feed_record")

    assert row is not None
    assert row["id"] == record_id("pen-feed", "r1")
    assert record_id("pen-feed", "NL-3") == UUID("e4b946e9-45dc-5179-a07e-ba288884b02d")


async def test_an_unchanged_record_is_not_sealed_again(desk: Desk) -> None:
    """It is only seen again."""
    fill(desk)
    await desk.sync()
    before = await desk.admin.fetch("select record, wrapped from feed_record_key order by record")

    result = await desk.sync(full=True)

    assert (result.read, result.changed) == (5, 0)
    assert await desk.admin.fetch("select record, wrapped from feed_record_key order by record") == before


async def test_a_changed_record_gets_a_new_key(desk: Desk) -> None:
    """What it was before cannot be opened any more."""
    desk.put("r1", "Ada", needs="Rest")
    await desk.sync()
    before = await desk.admin.fetchval("select wrapped from feed_record_key")
    desk.put("r1", "Eda", NOW + timedelta(seconds=1))

    await desk.sync()

    assert await desk.held() == {"r1": {"IDENTITY": (await desk.held())["r1"]["IDENTITY"]}}
    assert await desk.names() == {"r1": "Eda"}
    assert await desk.admin.fetchval("select wrapped from feed_record_key") != before


async def test_a_second_sync_asks_for_changes_with_an_overlap(desk: Desk) -> None:
    """A record that became visible late, with a time before the watermark, is found within the overlap."""
    fill(desk)
    await desk.sync()
    desk.put("late", "Late", NOW - timedelta(hours=1, minutes=10))

    result = await desk.sync()

    assert not result.full
    assert result.read == 2
    assert (await desk.names())["late"] == "Late"


async def test_a_record_later_than_the_overlap_is_found_by_the_next_full_pass(desk: Desk, database: Database) -> None:
    """Timestamps alone lose records; so everything is read again when its time has come."""
    fill(desk)
    await desk.sync()
    desk.put("late", "Late", NOW - timedelta(days=3))
    await desk.sync()
    missed = await desk.names()
    await database.set_now(NOW + timedelta(days=1, minutes=1))

    result = await desk.sync()

    assert "late" not in missed
    assert result.full
    assert await desk.names() == desk.truth()


async def test_a_time_in_the_future_does_not_advance_the_watermark_past_now(desk: Desk) -> None:
    """One wrong clock must not make the hub blind to all that follows."""
    desk.put("r1", "Ada", NOW + timedelta(days=900))
    await desk.sync()

    assert (await desk.feed()).watermark == NOW


async def test_a_failed_pass_keeps_its_pages_and_goes_on_behind_them(desk: Desk) -> None:
    """The next sync resumes the same pass, and its removals are as good as if it had never stopped."""
    fill(desk, 7)
    await desk.sync()
    desk.remove("r0")
    desk.put("r1", "Changed", NOW - timedelta(hours=6))
    desk.before_page = failing(2, FeedProblem(ProblemCode.TIMEOUT))
    stopped = await desk.sync(full=True)
    half = await desk.names()
    seen: list[int] = []
    desk.before_page = seen.append

    resumed = await desk.sync()

    assert (stopped.problem, stopped.read, stopped.state) == (ProblemCode.TIMEOUT, 4, FeedState.STALE)
    assert half["r1"] == "Changed"
    assert (resumed.full, resumed.read, resumed.removed, seen) == (True, 2, 1, [0])
    assert await desk.names() == desk.truth()


async def test_a_position_that_leads_nowhere_is_given_up(desk: Desk) -> None:
    """A saved cursor that the source refuses must not stop the feed for ever."""
    fill(desk, 7)
    desk.before_page = failing(1, FeedProblem(ProblemCode.TIMEOUT))
    await desk.sync()
    desk.before_page = failing(0, FeedProblem(ProblemCode.UNEXPECTED_STATUS))
    await desk.sync()

    assert (await desk.feed()).cursor is None


async def test_trouble_that_goes_on_gives_up_the_position_in_the_end(desk: Desk) -> None:
    """A source may say that it is busy when it means that the cursor has expired."""
    fill(desk, 7)
    desk.before_page = failing(1, FeedProblem(ProblemCode.UPSTREAM_FAILED))
    await desk.sync()
    desk.before_page = failing(0, FeedProblem(ProblemCode.UPSTREAM_FAILED))
    kept = []
    for _ in range(3):
        await desk.sync()
        kept.append((await desk.feed()).cursor is not None)

    assert kept == [True, True, False]


async def test_a_feed_that_never_synced_is_unavailable_and_one_that_did_is_stale(desk: Desk) -> None:
    """Old truth is something; none is nothing."""
    fill(desk)
    desk.before_page = failing(0, FeedProblem(ProblemCode.UNREACHABLE))
    first = await desk.sync()
    desk.before_page = lambda _: None
    await desk.sync()
    desk.before_page = failing(0, FeedProblem(ProblemCode.UNREACHABLE))

    later = await desk.sync()

    assert (first.state, first.synced_at) == (FeedState.UNAVAILABLE, None)
    assert (later.state, later.synced_at) == (FeedState.STALE, NOW)
    assert (await desk.feed()).last_problem == "UNREACHABLE"


async def test_what_a_connector_should_not_raise_is_a_problem_like_any_other(desk: Desk) -> None:
    """And its text goes nowhere."""
    fill(desk)
    desk.before_page = failing(1, Trouble("SECRET"))

    result = await desk.sync()

    assert result.problem is ProblemCode.INTERNAL
    assert (await desk.feed()).last_problem == "INTERNAL"


async def test_rejects_go_to_quarantine_and_come_out_when_they_fit(desk: Desk) -> None:
    """With a reason that quotes nothing; a better mapping takes them up without being told."""
    fill(desk, 2)
    desk.put("odd", "Odd", art="brush")
    result = await desk.sync()
    waiting = await desk.quarantine()
    desk.mapping = {**desk.mapping, "discipline": {"path": "art", "table": {"brush": "VISUAL_ARTIST"}}}

    await desk.sync()

    assert result.rejected == 1
    assert waiting == {"odd": "UNMAPPED_VALUE discipline"}
    assert await desk.quarantine() == {}
    assert await desk.names() == desk.truth()


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("page_size", [1, 2])
async def test_an_older_duplicate_does_not_undo_a_newer_version(desk: Desk, newest_first: bool, page_size: int) -> None:  # noqa: FBT001
    """Whichever comes first in a pass, on one page or on two."""
    desk.page_size, desk.newest_first = page_size, newest_first
    desk.put("r1", "new", NOW)
    desk.records.append({"id": "r1", "name": "old", "updated": (NOW - timedelta(hours=2)).isoformat()})

    await desk.sync()

    assert await desk.names() == {"r1": "new"}


async def test_an_older_version_in_a_later_pass_is_the_truth(desk: Desk) -> None:
    """A source restored from a backup is still the source."""
    desk.put("r1", "New")
    await desk.sync()
    desk.put("r1", "Old", NOW - timedelta(days=1))

    await desk.sync(full=True)

    assert await desk.names() == {"r1": "Old"}


async def test_two_workers_do_not_sync_one_feed_at_once(desk: Desk, database: Database) -> None:
    """The second leaves it to the first, and is told so."""
    fill(desk)
    other = await database.connect("hub_worker")
    outcomes = []

    class Nosy(MemoryConnector):
        """A source during whose pull another worker comes along."""

        async def pull(self, cursor: Cursor) -> AsyncGenerator[Page, None]:
            outcomes.append(await sync(other, await desk.feed(), desk.connector, SEAL))
            async for page in super().pull(cursor):
                yield page

    first = await sync(desk.worker, await desk.feed(), Nosy(desk.records, desk.mapping), SEAL)
    outcomes.append(await sync(other, await desk.feed(), desk.connector, SEAL))

    assert first.complete
    assert [outcome.busy for outcome in outcomes] == [True, False]


async def test_a_worker_that_waited_takes_what_the_other_brought(desk: Desk, database: Database) -> None:
    """It does not pull the same again."""
    fill(desk)
    stale = await desk.feed()
    await desk.sync()
    pages: list[int] = []
    desk.before_page = pages.append
    other = await database.connect("hub_worker")

    result = await sync(other, stale, desk.connector, SEAL, wait=True)

    assert (result.busy, result.state, pages) == (True, FeedState.FRESH, [])


async def test_trouble_before_a_pull_is_noted(desk: Desk) -> None:
    """A feed whose settings cannot work says so in its row."""
    result = await note_problem(desk.worker, await desk.feed(), ProblemCode.SETTINGS)

    assert (result.state, result.problem) == (FeedState.UNAVAILABLE, ProblemCode.SETTINGS)
    assert (await desk.feed()).last_problem == "SETTINGS"


def crowd(desk: Desk, count: int) -> None:
    """Put very many records into the source, on one page."""
    desk.page_size = count
    desk.records.extend({"id": f"r{number}", "name": "Ada", "updated": NOW.isoformat()} for number in range(count))


async def test_a_page_of_more_records_than_any_page_should_have_is_not_taken(desk: Desk) -> None:
    """A kilobyte of gzip can hold half a million empty records: none is mapped, and the problem is told."""
    crowd(desk, PAGE_RECORDS + 1)

    result = await desk.sync()

    assert (result.problem, result.read) == (ProblemCode.TOO_LARGE, 0)
    assert await desk.names() == {}


async def test_others_are_served_while_a_page_is_mapped(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The work gives way every few records: another task of the same process gets its turn again and again."""
    crowd(desk, 1000)
    turns, seen, plain = 0, set(), MemoryConnector.map

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def noted(self: MemoryConnector, raw: object) -> CanonicalRecord | Reject:
        seen.add(turns)
        return plain(self, raw)

    monkeypatch.setattr(MemoryConnector, "map", noted)
    async with running(other()):
        result = await desk.sync()

    assert result.read == 1000
    assert len(seen) >= 20

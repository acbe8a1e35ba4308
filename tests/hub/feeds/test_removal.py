"""What leaves the replica: only what a whole pass has proven gone, and not suspiciously much of it."""

from datetime import timedelta

from connectors.problem import FeedProblem, ProblemCode
from hub.feeds.feed import FeedState
from tests.hub.feeds.desk import NOW, Desk, failing, fill


async def test_an_incremental_pass_removes_nothing(desk: Desk) -> None:
    """What it does not show may just not have changed."""
    fill(desk)
    await desk.sync()
    desk.remove("r0")

    result = await desk.sync()

    assert (result.full, result.removed) == (False, 0)
    assert "r0" in await desk.names()


async def test_a_full_pass_removes_what_is_gone_and_destroys_what_was_held(desk: Desk) -> None:
    """The row stays for what was linked to it, and says nothing any more."""
    fill(desk)
    desk.put("gone", "Perpetua", NOW - timedelta(hours=1), art="pen")
    await desk.sync()
    desk.remove("gone")

    result = await desk.sync(full=True)

    row = await desk.admin.fetchrow("select * from feed_record where source_id = 'gone'")
    assert row is not None
    assert result.removed == 1
    assert await desk.names() == desk.truth()
    assert (row["present"], row["content_hash"], row["discipline"]) == (False, None, None)
    for table in ("feed_record_key", "feed_record_person"):
        assert not await desk.admin.fetch(f"select from {table} where record = $1", row["id"])


async def test_a_removed_record_that_comes_back_is_there_again(desk: Desk) -> None:
    """With the content it had."""
    fill(desk)
    await desk.sync()
    raw = next(raw for raw in desk.records if raw["id"] == "r2")
    desk.remove("r2")
    await desk.sync(full=True)
    desk.records.append(raw)

    await desk.sync(full=True)

    assert await desk.names() == desk.truth()


async def test_a_pass_that_would_remove_too_much_removes_nothing_and_asks(desk: Desk) -> None:
    """It is more likely that the source is in trouble; a person may say otherwise for once."""
    fill(desk, 8)
    await desk.sync()
    desk.records[:] = desk.records[:4]

    refused = await desk.sync(full=True)
    kept = await desk.names()
    state = (await desk.feed()).state
    again = await desk.sync()
    allowed = await desk.sync(full=True, removal_share=0.5)

    assert (refused.problem, refused.removed, len(kept)) == (ProblemCode.REMOVAL_REFUSED, 0, 8)
    assert state is FeedState.STALE
    assert again.full
    assert (allowed.removed, allowed.problem, allowed.state) == (4, None, FeedState.FRESH)
    assert await desk.names() == desk.truth()


async def test_a_pass_that_did_not_end_removes_nothing(desk: Desk) -> None:
    """However many records it has not seen."""
    fill(desk, 8)
    await desk.sync()
    desk.records[:] = desk.records[:5]
    desk.before_page = failing(1, FeedProblem(ProblemCode.TRUNCATED))

    result = await desk.sync(full=True, removal_share=1)

    assert (result.complete, result.removed) == (False, 0)
    assert len(await desk.names()) == 8


async def test_a_record_that_can_no_longer_be_mapped_is_not_taken_for_removed(desk: Desk) -> None:
    """It stands as it last could be."""
    fill(desk, 3)
    await desk.sync()
    desk.put("r1", "Odd", art="brush")

    await desk.sync(full=True, removal_share=1)

    assert (await desk.names())["r1"] == "Name 1"
    assert set(await desk.quarantine()) == {"r1"}


async def test_a_record_without_a_readable_id_makes_removal_unproven(desk: Desk) -> None:
    """It could be any of those that are missing."""
    fill(desk, 3)
    await desk.sync()
    desk.remove("r1")
    desk.records.append({"id": None, "updated": NOW.isoformat(), "name": "Nobody"})

    result = await desk.sync(full=True, removal_share=1)

    assert (result.problem, result.removed, result.state) == (ProblemCode.UNPROVEN, 0, FeedState.FRESH)
    assert set(await desk.quarantine()) == {None}

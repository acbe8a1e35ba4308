"""How a source that has changed its form is noticed, and how what a feed was told is kept."""

from datetime import timedelta

from hub.feeds.drift import ALL, drifted, remembered
from tests.hub.feeds.desk import MAPPING, NOW, Desk


async def test_a_rule_that_finds_nothing_any_more_is_told_until_it_does_again(desk: Desk) -> None:
    """By its place in the mapping, after a full pass; one that few had filled is not missed."""
    for number in range(6):
        desk.put(
            f"r{number}", f"Name {number}", needs="Insulin." if number < 4 else None, art="pen" if number == 0 else None
        )
    await desk.sync()
    first = await desk.feed()
    for number in range(6):
        desk.put(f"r{number}", f"Name {number}", requirements="Insulin.")
    await desk.sync(full=True)
    second = await desk.feed()
    await desk.sync(full=True)
    third = await desk.feed()
    desk.put("r0", "Name 0", needs="Insulin.")
    await desk.sync(full=True)

    assert (first.drift, second.drift, third.drift) == ([], ["person.health.needs"], ["person.health.needs"])
    assert first.filled == {ALL: 6, "sourceId": 6, "updatedAt": 6, "discipline": 1, "person.identity.givenName": 6, "person.health.needs": 4}  # fmt: skip
    assert (await desk.feed()).drift == []


async def test_a_changed_pass_and_a_changed_mapping_raise_no_alarm(desk: Desk) -> None:
    """What changed says little of all; and a new mapping begins to count anew."""
    for number in range(4):
        desk.put(f"r{number}", "Name", NOW - timedelta(hours=number + 1), needs="Insulin.")
    await desk.sync()
    desk.put("r9", "Name", NOW)
    await desk.sync()
    after_changes = await desk.feed()
    for number in range(4):
        desk.put(f"r{number}", "Name", NOW)
    desk.mapping = {**MAPPING, "riskLevel": {"value": "HIGH"}}
    await desk.sync()

    assert after_changes.drift == []
    assert (await desk.feed()).drift == []


def test_an_empty_feed_misses_nothing() -> None:
    """That nobody is there is not a change of form, and what was known of the form is kept."""
    before = {ALL: 10, "sourceId": 10}

    assert drifted(before, {}) == []
    assert remembered(before, {}) == before


async def test_what_a_feed_was_told_is_kept_by_version(desk: Desk) -> None:
    """A new version for new settings or a new mapping, and for nothing else."""
    await desk.admin.execute("""update feed set mapping = '{"sourceId": "number"}' where id = $1""", desk.feed_id)
    await desk.admin.execute("update feed set paused = true, settings = settings where id = $1", desk.feed_id)
    await desk.admin.execute("""update feed set settings = '{"url": "x"}' where id = $1""", desk.feed_id)
    rows = await desk.admin.fetch(
        "select version, mapping::text, settings::text from feed_version where feed = $1 order by version", desk.feed_id
    )

    assert [tuple(row) for row in rows] == [
        (1, "{}", "{}"),
        (2, '{"sourceId": "number"}', "{}"),
        (3, '{"sourceId": "number"}', '{"url": "x"}'),
    ]
    assert (await desk.feed()).version == 3

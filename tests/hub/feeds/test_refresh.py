"""How feeds are refreshed for an asker: side by side, once for all askers, never past the deadline, never failing it."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from connectors.problem import FeedProblem, ProblemCode
from hub.feeds.feed import FeedState
from hub.feeds.refresh import FeedFreshness, Refresher
from tests.conftest import Database
from tests.hub.feeds.desk import NOW, SEAL, running
from tests.hub.feeds.house import AGES_AGO, LATE, SOON, House

FRESH = FeedFreshness(FeedState.FRESH, NOW)


async def test_feeds_are_pulled_side_by_side(house: House) -> None:
    """Each waits for all the others to have begun; one after the other, none would ever end."""
    for source in house.sources.values():
        source.gate.clear()

    async with running(house.refresh()) as asking:
        for source in house.sources.values():
            await source.began.wait()
        for source in house.sources.values():
            source.gate.set()
        found = await asking

    assert found == dict.fromkeys(house.sources, FRESH)


async def test_many_askers_make_one_pull(house: House) -> None:
    """Those who come while a pull is under way wait for it."""
    house.sources["alpha"].gate.clear()

    async with running(asyncio.gather(*(house.refresh("alpha") for _ in range(20)))) as asking:
        await house.sources["alpha"].began.wait()
        house.sources["alpha"].gate.set()
        found = await asking

    assert found == [{"alpha": FRESH}] * 20
    assert house.sources["alpha"].pulls == 1


async def test_a_hanging_feed_does_not_hold_up_the_others(house: House) -> None:
    """At the deadline the answer comes: the others fresh, the hanging one with what is known of it."""
    house.sources["beta"].gate.clear()

    found = await house.refresh(deadline=timedelta(seconds=2))

    assert found == {"alpha": FRESH, "beta": FeedFreshness(FeedState.UNAVAILABLE, None), "gamma": FRESH}


async def test_a_pull_that_outlives_the_deadline_serves_the_next_asker(house: House) -> None:
    """It goes on behind the answer, and is not begun again."""
    source = house.sources["alpha"]
    source.gate.clear()
    early = await house.refresh("alpha", deadline=SOON)
    await source.began.wait()

    async with running(house.refresh("alpha")) as asking:
        source.gate.set()
        found = await asking

    assert early == {"alpha": FeedFreshness(FeedState.UNAVAILABLE, None)}
    assert found == {"alpha": FRESH}
    assert source.pulls == 1


async def test_a_hanging_feed_that_was_read_before_is_stale(house: House, database: Database) -> None:
    """With the time as of which it is true."""
    await house.refresh("alpha")
    await database.set_now(NOW + timedelta(minutes=10))
    house.sources["alpha"].gate.clear()

    found = await house.refresh("alpha", age=timedelta(minutes=5), deadline=SOON)

    assert found == {"alpha": FeedFreshness(FeedState.STALE, NOW)}


async def test_a_feed_young_enough_is_not_pulled(house: House, database: Database) -> None:
    """`maxAge` is what decides."""
    await house.refresh("alpha")
    await database.set_now(NOW + timedelta(minutes=10))

    young = await house.refresh("alpha", age=timedelta(minutes=15))
    pulls = house.sources["alpha"].pulls
    renewed = await house.refresh("alpha", age=timedelta(minutes=5))

    assert (young, pulls) == ({"alpha": FRESH}, 1)
    assert renewed == {"alpha": FeedFreshness(FeedState.FRESH, NOW + timedelta(minutes=10))}


async def test_without_a_maximal_age_nothing_is_pulled(house: House, database: Database) -> None:
    """The answer says how things stand: a feed that missed its turn is stale whatever its last sync said."""
    never = await house.refresh("alpha", age=None)
    await house.refresh("alpha")
    lately = await house.refresh("alpha", age=None)
    await database.set_now(NOW + timedelta(hours=2))
    overdue = await house.refresh("alpha", age=None)

    assert never == {"alpha": FeedFreshness(FeedState.UNAVAILABLE, None)}
    assert lately == {"alpha": FRESH}
    assert overdue == {"alpha": FeedFreshness(FeedState.STALE, NOW)}
    assert house.sources["alpha"].pulls == 1


@pytest.mark.parametrize("error", [FeedProblem(ProblemCode.AUTH_REFUSED), RuntimeError("SECRET"), KeyError("SECRET")])
async def test_a_failing_feed_is_a_state_and_no_exception(house: House, error: Exception) -> None:
    """Whatever is wrong with it."""
    house.sources["alpha"].error = error

    found = await house.refresh("alpha", "beta")

    assert found == {"alpha": FeedFreshness(FeedState.UNAVAILABLE, None), "beta": FRESH}


async def test_a_feed_with_settings_that_cannot_work_is_a_state(house: House) -> None:
    """And its row says so to those who manage it, and one line of the log to the operator."""
    house.misconfigured.add("alpha")

    with capture_logs() as lines:
        found = await house.refresh("alpha")

    assert lines == [
        {"event": "feed.misconfigured", "log_level": "warning", "feed": "alpha", "code": "SETTINGS", "count": 1}
    ]

    assert found == {"alpha": FeedFreshness(FeedState.UNAVAILABLE, None)}
    assert await house.admin.fetchval("select last_problem from feed where code = 'alpha'") == "SETTINGS"


async def test_unknown_feeds_are_left_out(house: House) -> None:
    """There is nothing to say of them."""
    assert await house.refresh("nowhere") == {}


async def test_a_paused_feed_is_not_pulled(house: House) -> None:
    """Whoever asks."""
    await house.admin.execute("update feed set paused = true where code = 'alpha'")

    assert await house.refresh("alpha") == {"alpha": FeedFreshness(FeedState.UNAVAILABLE, None)}
    assert house.sources["alpha"].pulls == 0


async def test_a_dead_feed_is_left_alone_for_a_while_and_then_tried_once(house: House) -> None:
    """After two failures the breaker opens; when it has cooled down one try decides."""
    source = house.sources["alpha"]
    source.error = FeedProblem(ProblemCode.UNREACHABLE)
    for _ in range(4):
        await house.refresh("alpha")
    left_alone = source.pulls
    house.seconds[0] = 61
    await house.refresh("alpha")
    await house.refresh("alpha")
    tried = source.pulls
    house.seconds[0] = 122
    source.error = None

    found = await house.refresh("alpha")

    assert (left_alone, tried, source.pulls) == (2, 3, 4)
    assert found == {"alpha": FRESH}


async def test_a_feed_that_asks_for_a_pause_gets_it(house: House) -> None:
    """Retry-After is obeyed from the first time."""
    source = house.sources["alpha"]
    source.error = FeedProblem(ProblemCode.RATE_LIMITED, retry_after=300)
    await house.refresh("alpha")
    house.seconds[0] = 299
    await house.refresh("alpha")
    asked = source.pulls
    house.seconds[0] = 301
    await house.refresh("alpha")

    assert (asked, source.pulls) == (1, 2)


async def test_an_asker_who_gives_up_does_not_take_the_pull_along(house: House) -> None:
    """The others are still waiting for it."""
    source = house.sources["alpha"]
    source.gate.clear()
    async with running(house.refresh("alpha")) as impatient, running(house.refresh("alpha")) as patient:
        await source.began.wait()
        impatient.cancel()
        source.gate.set()

        assert await patient == {"alpha": FRESH}
    assert source.pulls == 1


async def test_closing_ends_pulls_and_leaves_the_feed_to_others(house: House) -> None:
    """The lock is free again, and what was begun can be resumed."""
    source = house.sources["alpha"]
    source.gate.clear()
    await house.refresh("alpha", deadline=SOON)
    await source.began.wait()

    await house.refresher.close()
    source.gate.set()
    again = Refresher(house.pool, house.connector_of, SEAL)

    assert await again.refresh(["alpha"], AGES_AGO, LATE) == {"alpha": FRESH}


async def test_two_processes_share_a_feed(house: House) -> None:
    """The second waits for the first's pull, takes what it brought, and makes none of its own."""
    source = house.sources["alpha"]
    source.gate.clear()
    other = Refresher(house.pool, house.connector_of, SEAL)
    async with running(house.refresh("alpha")) as here:
        await source.began.wait()
        async with running(other.refresh(["alpha"], AGES_AGO, LATE)) as there:
            # Postgres tells nobody when a lock is waited for.
            while not await house.admin.fetchval("select exists (select from pg_locks where not granted)"):  # noqa: ASYNC110
                await asyncio.sleep(0)
            source.gate.set()

            assert await here == await there == {"alpha": FRESH}
    assert source.pulls == 1
    await other.close()


async def test_a_feed_rests_between_the_pulls_that_queries_ask_for(house: House, database: Database) -> None:
    """In every process: however often it is asked for, a sister is left in peace; one under way is still joined."""
    await house.admin.execute("update feed set rest = '30 seconds'")
    source = house.sources["alpha"]
    other = Refresher(house.pool, house.connector_of, SEAL)
    await house.refresh("alpha")
    await database.set_now(NOW + timedelta(seconds=29))
    told = [await each.refresh(["alpha"], AGES_AGO, LATE) for each in (house.refresher, other) for _ in range(3)]

    assert told == [{"alpha": FeedFreshness(FeedState.STALE, NOW)}] * 6
    assert source.pulls == 1
    await database.set_now(NOW + timedelta(seconds=30))
    assert (await other.refresh(["alpha"], AGES_AGO, LATE))["alpha"].state == FeedState.FRESH
    assert source.pulls == 2
    await other.close()

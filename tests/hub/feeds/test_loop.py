"""How the worker keeps feeds synced until it is told to stop."""

import asyncio
from datetime import timedelta

from hub.feeds.loop import keep_synced
from tests.hub.feeds.desk import running
from tests.hub.feeds.house import House


async def test_the_loop_pulls_what_is_due_and_stops_when_told(house: House) -> None:
    """Each feed once, a paused one not at all, and what is under way is finished first."""
    await house.admin.execute("update feed set paused = true where code = 'gamma'")
    stop = asyncio.Event()
    source = house.sources["beta"]
    source.gate.clear()
    async with running(keep_synced(house.pool, house.refresher, stop, tick=timedelta(milliseconds=10))) as loop:
        await source.began.wait()
        stop.set()
        await asyncio.sleep(0)
        source.gate.set()
        await loop

    states = dict(await house.admin.fetch("select code, state::text from feed order by code"))
    assert states == {"alpha": "FRESH", "beta": "FRESH", "gamma": "UNAVAILABLE"}
    assert [source.pulls for source in house.sources.values()] == [1, 1, 0]

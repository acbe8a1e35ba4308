"""This module is the worker's loop: it pulls each feed when its turn comes, until it is told to stop."""

import asyncio
from datetime import timedelta

import asyncpg
import structlog

from hub.feeds.feed import due_feeds
from hub.feeds.refresh import Refresher

log = structlog.get_logger(__name__)


async def keep_synced(
    pool: "asyncpg.Pool[asyncpg.Record]",
    refresher: Refresher,
    stop: asyncio.Event,
    *,
    tick: timedelta = timedelta(seconds=5),
    grace: timedelta = timedelta(seconds=20),
) -> None:
    """Pull the feeds that are due, looking every `tick`; when `stop` is set, give pulls under way `grace` to finish.

    Any number of workers may run it: a feed's advisory lock lets one of them have it. Trouble with the database is
    waited out.
    """
    while not stop.is_set():
        try:
            feeds = await due_feeds(pool)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.error("feed.loop_waits", error=type(error).__name__)  # noqa: TRY400 (a traceback may hold content)
            feeds = []
        for feed in feeds:
            if refresher.allows(feed):
                refresher.pull(feed, wait=False)
        try:
            async with asyncio.timeout(tick.total_seconds()):
                await stop.wait()
        except TimeoutError:
            continue
    await refresher.close(grace)

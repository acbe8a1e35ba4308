"""This module answers for the freshness of feeds: it pulls those too old, side by side, never past a deadline."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import structlog

from connectors.problem import ConfigurationError, ProblemCode
from connectors.protocol import Connector
from hub.feeds.breaker import Breaker
from hub.feeds.feed import Feed, FeedState, read_feeds
from hub.feeds.seal import Seal
from hub.feeds.sync import LIMIT, SyncResult, note_problem, sync

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FeedFreshness:
    """What an answer says of a feed: its state, and as of when the replica is true (None: it never was)."""

    state: FeedState
    fetched_at: datetime | None


class Refresher:
    """Pulls feeds on demand: one pull a feed, however many ask; feeds side by side; a dead one left alone.

    `pool` is of the role hub_worker. Each pull holds one of its connections, and one is always kept free for reading:
    give it at least one more than there are feeds.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        connector_of: Callable[[Feed], Connector],
        seal: Seal,
        *,
        breaker: Breaker | None = None,
        limit: timedelta = LIMIT,
    ) -> None:
        self._pool = pool
        self._connector_of = connector_of
        self._seal = seal
        self._breaker = breaker or Breaker()
        self._limit = limit
        self._slots = asyncio.Semaphore(max(1, pool.get_max_size() - 1))
        self._pulls: dict[int, asyncio.Task[SyncResult]] = {}

    async def refresh(
        self, feeds: Collection[str] | None, max_age: timedelta | None, deadline: timedelta
    ) -> dict[str, FeedFreshness]:
        """Bring feeds (by code; None: all) to at most `max_age`, as far as `deadline` allows; say how fresh each is.

        None as `max_age` pulls nothing. A pull that outlives the deadline goes on for the next asker, and a feed just
        pulled is left to rest, so that no one can have a sister asked as often as it likes. Unknown codes are
        left out, and so is every feed when not even their standing could be read in time. A feed's trouble is its state, never an exception.
        """
        until = asyncio.get_running_loop().time() + deadline.total_seconds()
        try:
            async with asyncio.timeout_at(until):
                rows = await read_feeds(self._pool, feeds)
        except TimeoutError:
            return {}
        pulls = {feed.code: self.pull(feed, rested=True) for feed in rows if self._wanted(feed, max_age)}
        if pulls:
            left = until - asyncio.get_running_loop().time()
            await asyncio.wait(pulls.values(), timeout=max(0.0, left))
        return {feed.code: _freshness(feed, max_age, pulls.get(feed.code)) for feed in rows}

    def pull(self, feed: Feed, *, wait: bool = True, rested: bool = False) -> asyncio.Task[SyncResult]:
        """Pull a feed now, or join the pull under way; the task never raises for the feed's trouble.

        When another process is at it, `wait` for what it brings, or leave the feed to it. With `rested`, leave one in peace
        that was pulled a moment ago.
        """
        task = self._pulls.get(feed.id)
        if task is None:
            task = asyncio.create_task(self._pull(feed, wait=wait, rested=rested), name=f"pull {feed.code}")
            self._pulls[feed.id] = task
            task.add_done_callback(lambda _: self._pulls.pop(feed.id, None))
        return task

    def allows(self, feed: Feed) -> bool:
        """Say whether a feed may be asked now: not while it is paused, or left alone after failures."""
        return not feed.paused and self._breaker.allows(feed.code)

    async def close(self, grace: timedelta = timedelta(0)) -> None:
        """Let pulls under way finish within `grace`, then stop them; what they wrote stays, the rest is for later."""
        tasks = set(self._pulls.values())
        if tasks and grace:
            _, tasks = await asyncio.wait(tasks, timeout=grace.total_seconds())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _wanted(self, feed: Feed, max_age: timedelta | None) -> bool:
        too_old = max_age is not None and (feed.age is None or feed.age > max_age)
        # A pull under way, here or in another process, is joined: that asks nothing of the sister.
        under_way = feed.id in self._pulls or feed.cursor is not None
        return too_old and self.allows(feed) and (feed.rested or under_way)

    async def _pull(self, feed: Feed, *, wait: bool, rested: bool) -> SyncResult:
        try:
            async with self._slots, self._pool.acquire() as connection:
                try:
                    connector = self._connector_of(feed)
                except ConfigurationError as error:
                    # What they are, hub doctor says: a flaw names places of the settings, which no log should hold.
                    log.warning(
                        "feed.misconfigured", feed=feed.code, code=ProblemCode.SETTINGS.value, count=len(error.flaws)
                    )
                    result = await note_problem(connection, feed, ProblemCode.SETTINGS)
                else:
                    result = await sync(
                        connection, feed, connector, self._seal, wait=wait, rested=rested, limit=self._limit
                    )
        except Exception as error:  # noqa: BLE001 (one feed's pull must not fail the others' answer)
            log.error(  # noqa: TRY400 (a traceback may hold content)
                "feed.pull_failed", feed=feed.code, error=type(error).__name__
            )
            state = FeedState.UNAVAILABLE if feed.last_synced_at is None else FeedState.STALE
            result = SyncResult(state=state, synced_at=feed.last_synced_at, problem=ProblemCode.INTERNAL)
        if result.complete:
            self._breaker.succeeded(feed.code)
        elif not result.busy:
            self._breaker.failed(feed.code, result.retry_after)
        return result


def _freshness(feed: Feed, max_age: timedelta | None, pull: asyncio.Task[SyncResult] | None) -> FeedFreshness:
    if pull is not None and pull.done() and not pull.cancelled():
        result = pull.result()
        return FeedFreshness(result.state, result.synced_at)
    if feed.age is None:
        return FeedFreshness(FeedState.UNAVAILABLE, None)
    if max_age is None:
        return FeedFreshness(feed.standing, feed.last_synced_at)
    fresh_enough = pull is None and feed.age <= max_age
    return FeedFreshness(FeedState.FRESH if fresh_enough else FeedState.STALE, feed.last_synced_at)

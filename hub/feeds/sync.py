"""This module replicates one feed: page by page, resumable anywhere, removing only what a whole pass has not seen."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from connectors.problem import FeedProblem, ProblemCode
from connectors.protocol import Connector, Page
from connectors.record import CanonicalRecord, Reject
from hub.feeds.drift import count, drifted, remembered
from hub.feeds.feed import Connection, Feed, FeedState, read_feed
from hub.feeds.page import Written, write_page
from hub.feeds.progress import Progress
from hub.feeds.removal import remove_unseen
from hub.feeds.seal import Seal

log = structlog.get_logger(__name__)

#: The longest a feed may keep a worker, unless said otherwise; the next sync goes on where this one stopped.
LIMIT: Final = timedelta(minutes=10)
#: The most records one page may hold: a few bytes, compressed, can say very many.
PAGE_RECORDS: Final = 10_000
_SLICE: Final = 50
_LOCKS: Final = 0x66656564

_BEGIN = "update feed set passes = $2, cursor = $3::text::jsonb, attempted_at = hub_now() where id = $1"
_ATTEMPT = "update feed set attempted_at = hub_now() where id = $1"
_MOVE = "update feed set cursor = $2::text::jsonb where id = $1"
_FINISH = """
update feed set cursor = null, watermark = $2, rules = $3, last_synced_at = $4, last_problem = $5,
  last_full_at = $6, state = $7::text::feed_state
where id = $1
"""
_COMPARE = "update feed set filled = $2::text::jsonb, drift = $3 where id = $1"
_FAIL = """
update feed set cursor = $2::text::jsonb, last_problem = $3, attempted_at = hub_now(),
  state = case when last_synced_at is null then 'UNAVAILABLE' else 'STALE' end::feed_state
where id = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """How a sync went: `complete` when a pass reached its end, `busy` when another process has the feed.

    `synced_at` is when the newest complete pass began: the replica is at least as fresh as that.
    """

    state: FeedState
    synced_at: datetime | None
    problem: ProblemCode | None = None
    complete: bool = False
    busy: bool = False
    full: bool = False
    read: int = 0
    changed: int = 0
    rejected: int = 0
    removed: int = 0
    retry_after: float | None = None


async def sync(  # noqa: PLR0913 each is one choice of whoever asks
    connection: Connection,
    feed: Feed,
    connector: Connector,
    seal: Seal,
    *,
    full: bool = False,
    removal_share: float | None = None,
    wait: bool = False,
    rested: bool = False,
    limit: timedelta = LIMIT,
) -> SyncResult:
    """Pull a feed into its replica; whatever its trouble, the answer is a result and the trouble a code in the row.

    `full` reads everything, whatever is due; `removal_share` overrides, for this once, how much may be removed. When
    another process has the feed, the answer is busy: at once, or with `wait` when that one has brought it up to date. With `rested` it is busy too while
    it rests from its latest pull.
    `connection` is of the role hub_worker, outside a transaction, and the feed's advisory lock lives on it: should it
    be lost, nothing more can be written. Raises only for the database.
    """
    async with _locked(connection, feed.id, wait=wait) as held:
        before, feed = feed, await read_feed(connection, feed.id)
        brought = wait and feed.last_synced_at != before.last_synced_at
        if not held or brought or (rested and not feed.rested):
            return SyncResult(state=feed.standing, synced_at=feed.last_synced_at, busy=True)
        progress = Progress.resume(feed, connector, full=full)
        if progress is None:
            progress = Progress.begin(feed, connector, full=full)
            await connection.execute(_BEGIN, feed.id, progress.number, _json(progress))
        else:
            await connection.execute(_ATTEMPT, feed.id)
        share = feed.removal_share if removal_share is None else removal_share
        return await _Pass(connection, feed, connector, seal, progress, share).run(limit)


async def note_problem(connection: Connection, feed: Feed, code: ProblemCode) -> SyncResult:
    """Record trouble that kept a feed from being pulled at all."""
    await connection.execute(_FAIL, feed.id, None, code)
    state = FeedState.UNAVAILABLE if feed.last_synced_at is None else FeedState.STALE
    return SyncResult(state=state, synced_at=feed.last_synced_at, problem=code)


class _Pass:
    """One run of a pass, from where it stands to its end or its first trouble."""

    def __init__(
        self, connection: Connection, feed: Feed, connector: Connector, seal: Seal, progress: Progress, share: float
    ) -> None:
        self._connection = connection
        self._feed = feed
        self._connector = connector
        self._seal = seal
        self._progress = progress
        self._share = share
        self._pages: list[Written] = []

    async def run(self, limit: timedelta) -> SyncResult:
        try:
            async with asyncio.timeout(limit.total_seconds()), aclosing(self._pull()) as pages:
                async for page in pages:
                    finished = await self._take(page)
                    if finished is not None:
                        return finished
            problem = FeedProblem(ProblemCode.UNPROVEN)
        except FeedProblem as error:
            problem = error
        except TimeoutError:
            problem = FeedProblem(ProblemCode.TIMEOUT)
        return await self._fail(problem)

    async def _pull(self) -> AsyncGenerator[Page, None]:
        """Pull, with anything a connector should not have raised reduced to a code."""
        async with aclosing(self._connector.pull(self._progress.cursor)) as pages:
            while True:
                try:
                    page = await anext(pages)
                except StopAsyncIteration:
                    return
                except (FeedProblem, TimeoutError):
                    raise
                except Exception as error:  # noqa: BLE001 (a connector's fault must not take the worker down)
                    log.error(  # noqa: TRY400 (a traceback may hold content)
                        "feed.connector_failed", feed=self._feed.code, error=type(error).__name__
                    )
                    raise FeedProblem(ProblemCode.INTERNAL) from None
                yield page

    async def _mapped(self, page: Page) -> list[CanonicalRecord | Reject]:
        """Map a page a few records at a time, so that whoever else is served meanwhile hardly waits."""
        if len(page.records) > PAGE_RECORDS:
            raise FeedProblem(ProblemCode.TOO_LARGE)
        mapped = []
        for number, raw in enumerate(page.records, 1):
            mapped.append(self._connector.map(raw))
            if number % _SLICE == 0:
                await asyncio.sleep(0)
        return mapped

    async def _take(self, page: Page) -> SyncResult | None:
        """Write a page and the position behind it, or the end of the pass, in one transaction."""
        mapped = await self._mapped(page)
        moments = [each.overview.updated_at for each in mapped if isinstance(each, CanonicalRecord)]
        newest = max((moment for moment in moments if moment is not None), default=None)
        finished = None
        async with self._connection.transaction():
            written = await write_page(self._connection, self._feed, self._progress.number, mapped, self._seal)
            filled = count(mapped, self._progress.filled)
            progress = self._progress.moved(page.cursor, newest, filled, identified=written.identified)
            if page.complete:
                finished = await self._finish(progress)
            else:
                await self._connection.execute(_MOVE, self._feed.id, _json(progress))
        # Only now is it true: a failure above must leave the pass where its last page was committed.
        self._progress = progress
        self._pages.append(written)
        return self._result(*finished, complete=True) if finished else None

    async def _finish(self, progress: Progress) -> tuple[FeedState, datetime, ProblemCode | None, int]:
        removed, problem = 0, None
        if progress.full:
            removed, problem = await remove_unseen(self._connection, self._feed.id, progress, self._share)
            await self._compare(progress)
        refused = problem is ProblemCode.REMOVAL_REFUSED
        # After a refusal every pass is a full one, until the source or a person has settled it.
        last_full_at = None if refused else progress.started if progress.full else self._feed.last_full_at
        state = FeedState.STALE if refused else FeedState.FRESH
        await self._connection.execute(
            _FINISH,
            self._feed.id,
            progress.watermark(self._feed.watermark),
            progress.rules,
            progress.started,
            problem,
            last_full_at,
            state,
        )
        return state, progress.started, problem, removed

    async def _compare(self, progress: Progress) -> None:
        """See whether rules of the mapping find nothing any more that found something in the full pass before."""
        same = self._feed.rules == progress.rules
        before = (self._feed.filled or {}) if same else {}
        missed = drifted(before, progress.filled)
        kept = msgspec.json.encode(remembered(before, progress.filled)).decode()
        await self._connection.execute(_COMPARE, self._feed.id, kept, missed)
        if missed:
            log.warning("feed.drifted", feed=self._feed.code, count=len(missed))

    async def _fail(self, problem: FeedProblem) -> SyncResult:
        left = self._progress.failed(problem.code, moved=bool(self._pages))
        await self._connection.execute(_FAIL, self._feed.id, _json(left) if left else None, problem.code)
        log.warning("feed.incomplete", feed=self._feed.code, code=problem.code.value)
        synced_at = self._feed.last_synced_at
        state = FeedState.UNAVAILABLE if synced_at is None else FeedState.STALE
        return self._result(state, synced_at, problem.code, 0, complete=False, retry_after=problem.retry_after)

    def _result(
        self,
        state: FeedState,
        synced_at: datetime | None,
        problem: ProblemCode | None,
        removed: int,
        *,
        complete: bool,
        retry_after: float | None = None,
    ) -> SyncResult:
        return SyncResult(
            state=state,
            synced_at=synced_at,
            problem=problem,
            complete=complete,
            full=self._progress.full,
            read=sum(page.read for page in self._pages),
            changed=sum(page.changed for page in self._pages),
            rejected=sum(page.rejected for page in self._pages),
            removed=removed,
            retry_after=retry_after,
        )


@asynccontextmanager
async def _locked(connection: Connection, feed_id: int, *, wait: bool) -> AsyncIterator[bool]:
    """Hold the feed's advisory lock; yields whether it was to be had."""
    if wait:
        await connection.execute("select pg_advisory_lock($1, $2)", _LOCKS, feed_id)
        held = True
    else:
        held = await connection.fetchval("select pg_try_advisory_lock($1, $2)", _LOCKS, feed_id)
    try:
        yield held
    finally:
        if held and not connection.is_closed():
            await connection.execute("select pg_advisory_unlock($1, $2)", _LOCKS, feed_id)


def _json(progress: Progress) -> str:
    return msgspec.json.encode(progress.to_json()).decode()

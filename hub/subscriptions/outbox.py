"""This module tells a process's followers what was committed to the outbox: in order, without gaps, and at the ticks of a clock.

One connection listens for all of them. A call only says that there is something to read; where one was missed, because that
connection was lost, a slow poll finds it. An event is read only when no transaction older than its own is under way.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog

from hub.postgres import UNREACHABLE

Pool = asyncpg.Pool
TICK: Final = 0.25
"""Seconds: whatever happens between two ticks is told at once, so that the moment of an answer tells little."""
POLL: Final = 5.0
"""Seconds after which the outbox is read though nobody called."""
UNREAD: Final = 5000
"""How many events may wait for one follower to read them; and how many are read of the outbox at once, so that no process holds more."""
EVENTS: Final = "hub_event"
STANDING: Final = "hub_standing"
_NOW: Final = (
    "select pg_snapshot_xmin(s)::text as horizon, pg_snapshot_xmax(s)::text as newest from pg_current_snapshot() s"
)
_READ: Final = """
select e.id, e.ordinal, e.referral_id, e.retraction_id, told_to(e.referral_id, e.audience) as told_to
from event e where e.xid >= $1::text::xid8 and e.xid < $2::text::xid8 and e.id > $3 and (e.ordinal is not null or e.kind = 'retraction.made')
order by e.id limit $4
"""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Happened:
    """An event by what it tells of: a step of a referral, or a retraction."""

    field: str
    subject: UUID
    ordinal: int | None = None


Inbox = asyncio.Queue[Happened]


class Outbox:
    """What happens, as one process hears of it. `pool` is of the role hub_worker. It begins with the first follower."""

    def __init__(self, pool: "Pool[Any]") -> None:
        self._pool: Any = pool
        self._inboxes: defaultdict[tuple[str, int], dict[Inbox, Callable[[], None]]] = defaultdict(dict)
        self._running: asyncio.Task[None] | None = None
        self._beginning = asyncio.Lock()
        self._ticked, self._doubted = asyncio.Event(), asyncio.Event()
        self._listener: Any = None
        self._called = True
        self._since = self._until = 0
        self._next = 0.0
        self.closing = False

    async def begin(self) -> None:
        """See to it that what is committed from now on is told; raise what the database raises."""
        async with self._beginning:
            if self._running is None and not self.closing:
                self._since = int((await self._pool.fetchrow(_NOW))["horizon"])
                self._running = asyncio.create_task(self._run(), name="outbox")

    async def close(self) -> None:
        """End, and let everyone who waits know."""
        self.closing = True
        self._doubt()
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        await self._hang_up()

    @contextmanager
    def joined(self, field: str, organisation: int, overflow: Callable[[], None]) -> Iterator[Inbox]:
        """Give a queue of what happens from now on and may be told to an organisation; `overflow` is called when it is full.

        What is hidden from it never gets there, so that it can neither fill the queue nor make work.
        """
        inbox, place = Inbox(UNREAD), (field, organisation)
        self._inboxes[place][inbox] = overflow
        try:
            yield inbox
        finally:
            del self._inboxes[place][inbox]
            if not self._inboxes[place]:
                del self._inboxes[place]

    async def tick(self) -> None:
        """Wait for the next tick, which is the same for everyone."""
        await self._ticked.wait()

    @property
    def doubt(self) -> asyncio.Event:
        """What is set when, from now on, somebody may have lost the right to be connected."""
        return self._doubted

    def _doubt(self) -> None:
        waiting, self._doubted = self._doubted, asyncio.Event()
        waiting.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK - loop.time() % TICK)
            waiting, self._ticked = self._ticked, asyncio.Event()
            waiting.set()
            try:
                due = loop.time() >= self._next
                if due:
                    self._next = loop.time() + POLL
                    if self._listener is None:
                        await self._listen()
                if due or self._called or self._since < self._until:
                    await self._read()
            except Exception as error:  # noqa: BLE001 whatever it was, those who follow are told of what comes after it
                sqlstate = getattr(error, "sqlstate", None)
                log.error("outbox.unavailable", error=type(error).__name__, sqlstate=sqlstate)  # noqa: TRY400 a traceback may hold content
                await self._hang_up()

    async def _read(self) -> None:
        called, self._called = self._called, False
        try:
            now = await self._pool.fetchrow(_NOW, timeout=POLL)
            horizon, last, read = int(now["horizon"]), 0, UNREAD
            # Below the horizon nothing is added any more, so that it can be read page by page.
            while horizon > self._since and read == UNREAD:
                rows = await self._pool.fetch(_READ, str(self._since), str(horizon), last, UNREAD, timeout=POLL)
                read = len(rows)
                for row in rows:
                    last = row["id"]
                    self._deliver(_happened(row), row["told_to"])
        except BaseException:
            self._called = True
            raise
        if called:
            # What called may lie beyond the horizon still: it is looked for at each tick until the horizon has passed it.
            self._until = int(now["newest"])
        self._since = max(self._since, horizon)

    def _deliver(self, event: Happened, organisations: list[int]) -> None:
        for organisation in organisations:
            for inbox, overflow in tuple(self._inboxes.get((event.field, organisation), {}).items()):
                try:
                    inbox.put_nowait(event)
                except asyncio.QueueFull:
                    overflow()

    async def _listen(self) -> None:
        connection = await self._pool.acquire(timeout=POLL)
        self._listener = connection
        await connection.add_listener(EVENTS, self._heard)
        await connection.add_listener(STANDING, self._heard)
        connection.add_termination_listener(self._lost)
        # Whatever was called before now went unheard.
        self._called = True
        self._doubt()

    def _heard(self, _connection: Any, _process: int, channel: str, _nothing: str) -> None:
        if channel == EVENTS:
            self._called = True
        else:
            self._doubt()

    def _lost(self, _: Any) -> None:
        if not self.closing:
            log.warning("outbox.not_listening")
        self._listener, self._next = None, 0.0
        self._doubt()

    async def _hang_up(self) -> None:
        connection, self._listener = self._listener, None
        if connection is None:
            return
        with suppress(*UNREACHABLE, TimeoutError):
            if not connection.is_closed():
                connection.remove_termination_listener(self._lost)
                await connection.remove_listener(EVENTS, self._heard)
                await connection.remove_listener(STANDING, self._heard)
            await self._pool.release(connection, timeout=POLL)


def _happened(row: Any) -> Happened:
    if row["retraction_id"] is not None:
        return Happened("retractions", row["retraction_id"])
    return Happened("referralEvents", row["referral_id"], row["ordinal"])

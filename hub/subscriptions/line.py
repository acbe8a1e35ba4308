"""This module is one client's connection: what waits to be sent on it, what is followed on it, and when and why it ends."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
import structlog

from auth.budgets import Budgets, Spending
from auth.clock import Clock
from auth.principal import Principal
from auth.resource import AuthError
from hub.engine.documents import RequestRefusedError
from hub.engine.execute import Engine, Operation, occurrence
from hub.postgres import UNREACHABLE
from hub.subscriptions import ends
from hub.subscriptions.ends import End
from hub.subscriptions.outbox import Happened, Inbox, Outbox
from hub.subscriptions.standing import Standing

WAITING: Final = 1000
"""How many events may wait for a client that does not read them; and twice as many messages with what is said between them."""
ROOM: Final = 1024 * 1024
"""Bytes that may wait besides the last message; and twice as many with what is said between events."""
AT_ONCE: Final = 64 * 1024
"""Bytes after which a follower puts what it has read where it is sent from, before it reads on."""
PATIENCE: Final = 10.0
"""Seconds that a client may read nothing while so much waits."""
KEEP_ALIVE: Final = 12.0
"""Seconds of silence after which something is sent that says nothing."""
FAREWELL: Final = 2.0
"""Seconds that the last words of a connection may take."""
READERS: Final = 4
"""How many events a process reads at once, for however many followers: most of its connections to Postgres are for those who ask."""
OWN_READERS: Final = 2
"""How many of them at most are one organisation's, so that a crowd of its followers holds nobody else up."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Exchange:
    """What connections of a process share."""

    engine: Engine
    outbox: Outbox
    standing: Standing
    budgets: Budgets
    clock: Clock
    readers: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(READERS))
    own_readers: dict[int, asyncio.Semaphore] = field(
        default_factory=lambda: defaultdict(lambda: asyncio.Semaphore(OWN_READERS))
    )

    async def close(self) -> None:
        """End what is followed, and listen no more."""
        await self.outbox.close()
        await self.standing.close()


class Line:
    """One connection. Only what is `watched` is live."""

    def __init__(self, exchange: Exchange, principal: Principal) -> None:
        self.exchange, self.principal = exchange, principal
        self.end: End | None = None
        self.ended = asyncio.Event()
        self.followed: list[Operation] = []
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._something, self._room = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def expired(self) -> bool:
        """Tell whether the token's time is over."""
        return self._left() <= 0

    async def offer(self, message: bytes) -> None:
        """Let an event wait to be sent, once there is room; where none comes the connection ends."""
        try:
            while self.end is None and (len(self._waiting) >= WAITING or self._bytes >= ROOM):
                self._room.clear()
                async with asyncio.timeout(PATIENCE):
                    await self._room.wait()
        except TimeoutError:
            self.finish(ends.SLOW)
        self.put(message)

    def put(self, message: bytes) -> None:
        """Let a message wait to be sent; with too many of them the connection ends."""
        if len(self._waiting) >= 2 * WAITING or self._bytes >= 2 * ROOM:
            self.finish(ends.SLOW)
        elif self.end is None:
            self._waiting.append(message)
            self._bytes += len(message)
            self._something.set()

    def finish(self, why: End) -> None:
        """End it; what waits is not sent any more."""
        if self.end is None:
            self.end = why
            self._waiting.clear()
            self.ended.set()

    async def next(self) -> bytes | None:
        """Give the next message to send; None when there was none for some time."""
        try:
            async with asyncio.timeout(KEEP_ALIVE):
                while not self._waiting:
                    self._something.clear()
                    await self._something.wait()
        except TimeoutError:
            return None
        self._room.set()
        message = self._waiting.popleft()
        self._bytes -= len(message)
        return message

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """See to it that it ends when its time has come; on the way out everything that is followed on it ends."""
        await self.exchange.outbox.begin()
        with self.exchange.standing.holding(self):
            self._task(self._expire())
            try:
                yield
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    def follow(self, asked: Operation, told: Callable[[bytes], bytes]) -> "asyncio.Task[None]":
        """Put what happens from now on, as the asker may see it, among what waits; `told` makes a message of an answer."""
        self.followed.append(asked)
        joined = self.exchange.outbox.joined(
            asked.compiled.plan.actions[0], self.principal.organisation, lambda: self.finish(ends.SLOW)
        )
        inbox = joined.__enter__()
        task = self._task(self._follow(asked, inbox, told))

        def leave(_: Any) -> None:
            joined.__exit__(None, None, None)
            self.followed.remove(asked)

        task.add_done_callback(leave)
        return task

    def _task(self, work: Any) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _left(self) -> float:
        return self.principal.expires_at.timestamp() - self.exchange.clock()

    async def _expire(self) -> None:
        await asyncio.sleep(self._left())
        self.finish(ends.EXPIRED)

    async def _follow(self, asked: Operation, inbox: Inbox, told: Callable[[bytes], bytes]) -> None:
        while self.end is None:
            try:
                read, found = await self._some(asked, inbox)
                await self.exchange.outbox.tick()
                for body in found:
                    await self._tell(asked, told(body))
                for _ in range(read):
                    inbox.task_done()
            except AuthError:
                self.finish(ends.REVOKED)
            except RequestRefusedError:
                self.finish(ends.UNFIT)
            except (asyncpg.QueryCanceledError, TimeoutError):
                self.finish(ends.TIMEOUT)
            except UNREACHABLE:
                self.finish(ends.UNREACHED)
            except Exception as error:  # noqa: BLE001 whatever went wrong, its text may hold what no one may read
                sqlstate = getattr(error, "sqlstate", None)
                log.error("subscription.fault", error=type(error).__name__, sqlstate=sqlstate)  # noqa: TRY400 as above
                self.finish(ends.FAULT)

    async def _some(self, asked: Operation, inbox: Inbox) -> tuple[int, list[bytes]]:
        """Read the next event, and those that wait already; say how many there were, and what may be seen of them."""
        read, found, size = 0, [], 0
        while not read or (size < AT_ONCE and not inbox.empty()):
            event = await inbox.get()
            read += 1
            if (body := await self._read(asked, event)) is not None:
                found.append(body)
                size += len(body)
        return read, found

    async def _tell(self, asked: Operation, message: bytes) -> None:
        if self.expired:
            self.finish(ends.EXPIRED)
        elif await Spending(self.exchange.budgets, self.principal).take(asked.cost):
            await self.offer(message)
        else:
            self.finish(ends.SPENT)

    async def _read(self, asked: Operation, event: Happened) -> bytes | None:
        """Read one event, waiting out trouble with the database."""
        while True:
            try:
                async with self.exchange.own_readers[self.principal.organisation], self.exchange.readers:
                    return await occurrence(self.exchange.engine, asked, event.subject, event.ordinal)
            except asyncpg.QueryCanceledError:
                raise
            except UNREACHABLE as error:
                log.error("subscription.waits", error=type(error).__name__)  # noqa: TRY400 a traceback may hold content
                await self.exchange.outbox.tick()

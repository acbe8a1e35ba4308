"""This module is one client's connection: what waits to be sent on it, what is followed on it, and when and why it ends."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import structlog

from auth.budgets import Budgets, Spending
from auth.clock import Clock
from auth.principal import Principal
from auth.resource import AuthError
from hub.engine.documents import RequestRefusedError
from hub.engine.execute import Engine, Operation, occurrence, still
from hub.postgres import UNREACHABLE
from hub.subscriptions import ends
from hub.subscriptions.ends import End
from hub.subscriptions.outbox import Batch, Outbox

WAITING: Final = 1000
"""How many events may wait for a client that does not read them; and twice as many messages with what is said between them."""
PATIENCE: Final = 10.0
"""Seconds that a client may read nothing while so many wait."""
RECHECK: Final = 10.0
"""Seconds after which a token is looked up again though nobody called."""
KEEP_ALIVE: Final = 12.0
"""Seconds of silence after which something is sent that says nothing."""
FAREWELL: Final = 2.0
"""Seconds that the last words of a connection may take."""
_IS_LIVE: Final = "select hub.token_is_live($1, $2, $3, $4, $5)"
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Exchange:
    """What connections of a process share. `auth` is a pool of the role hub_auth."""

    engine: Engine
    outbox: Outbox
    budgets: Budgets
    auth: "asyncpg.Pool[Any]"
    clock: Clock


class Line:
    """One connection. Only `listening` makes it live."""

    def __init__(self, exchange: Exchange, principal: Principal) -> None:
        self.exchange, self.principal = exchange, principal
        self.end: End | None = None
        self.ended = asyncio.Event()
        self._waiting: deque[bytes] = deque()
        self._something, self._room = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._followed: list[Operation] = []

    async def offer(self, message: bytes) -> None:
        """Let an event wait to be sent, once there is room; where none comes the connection ends."""
        try:
            while len(self._waiting) >= WAITING and self.end is None:
                self._room.clear()
                async with asyncio.timeout(PATIENCE):
                    await self._room.wait()
        except TimeoutError:
            self.finish(ends.SLOW)
        self.put(message)

    def put(self, message: bytes) -> None:
        """Let a message wait to be sent; with too many of them the connection ends."""
        if len(self._waiting) >= 2 * WAITING:
            self.finish(ends.SLOW)
        elif self.end is None:
            self._waiting.append(message)
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
        return self._waiting.popleft()

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Watch that it ends when its time has come; on the way out everything that is followed on it ends."""
        await self.exchange.outbox.begin()
        self._task(self._watch())
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def follow(self, asked: Operation, told: Callable[[bytes], bytes]) -> "asyncio.Task[None]":
        """Put what happens from now on, as the asker may see it, among what waits; `told` makes a message of an answer."""
        outbox = self.exchange.outbox
        inbox = outbox.join()
        self._followed.append(asked)
        task = self._task(self._follow(asked, inbox, told))

        def leave(_: Any) -> None:
            outbox.leave(inbox)
            self._followed.remove(asked)

        task.add_done_callback(leave)
        return task

    def _task(self, work: Any) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _watch(self) -> None:
        outbox, asker = self.exchange.outbox, self.principal
        while self.end is None:
            # Taken before looking: what is called meanwhile is looked at again.
            doubt = outbox.doubt
            left = asker.expires_at.timestamp() - self.exchange.clock()
            if outbox.closing:
                self.finish(ends.STOPPING)
            elif left <= 0:
                self.finish(ends.EXPIRED)
            elif why := await self._lost():
                self.finish(why)
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(RECHECK, left)):
                        await doubt.wait()

    async def _lost(self) -> End | None:
        """Say why it may not go on: also where nothing has happened, or an event that it may not see would show in its end."""
        asker = self.principal
        given = asker.token_id, asker.client, asker.organisation, asker.user, sorted(asker.scopes)
        try:
            if not await self.exchange.auth.fetchval(_IS_LIVE, *given):
                return ends.REVOKED
            for asked in tuple(self._followed):
                await still(self.exchange.engine, asked)
        except AuthError:
            return ends.REVOKED
        except RequestRefusedError:
            return ends.UNFIT
        except (*UNREACHABLE, TimeoutError):
            # Nothing can be delivered meanwhile; the token's own end is kept.
            return None
        return None

    async def _follow(self, asked: Operation, inbox: "asyncio.Queue[Batch]", told: Callable[[bytes], bytes]) -> None:
        while self.end is None:
            batch = await inbox.get()
            try:
                found = [body for body in await self._seen(asked, batch) if body is not None]
                await self.exchange.outbox.tick()
                for body in found:
                    if not await Spending(self.exchange.budgets, self.principal).take(asked.cost):
                        self.finish(ends.SPENT)
                    await self.offer(told(body))
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

    async def _seen(self, asked: Operation, batch: Batch) -> list[bytes | None]:
        field = asked.compiled.plan.actions[0]
        return [await self._read(asked, each.subject, each.ordinal) for each in batch if each.field == field]

    async def _read(self, asked: Operation, subject: object, ordinal: int | None) -> bytes | None:
        """Read one event, waiting out trouble with the database."""
        while True:
            try:
                return await occurrence(self.exchange.engine, asked, subject, ordinal)
            except asyncpg.QueryCanceledError:
                raise
            except UNREACHABLE as error:
                log.error("subscription.waits", error=type(error).__name__)  # noqa: TRY400 a traceback may hold content
                await self.exchange.outbox.tick()

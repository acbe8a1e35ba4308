"""This module is the worker's part: it sees which webhooks have something to be told, and tells each, one message after the other.

Every webhook has its place in the order of all events. What its organisation may not see is passed over without a trace: it sends
nothing, and neither counts as a delivery nor moves a retry. A message is recorded as told once it was taken, so that a worker that
is killed in between tells it once more, under the same id.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from time import time
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog

from auth.clock import Clock
from hub.engine.statement import Statement
from hub.postgres import UNREACHABLE
from hub.sealing import Sealing
from hub.webhooks.courier import Courier, Receipt
from hub.webhooks.messages import message_id, signed
from hub.webhooks.telling import TELLING, EndedError, Happened, Webhook, first_seen
from hub.webhooks.turns import Turns

TICK: Final = 0.25
"""Seconds: whatever happens between two ticks is told at once, so that the moment of a message tells little."""
AT_ONCE: Final = 100
"""Events looked at in one statement."""
REST: Final = 5.0
"""Seconds to wait for a database that cannot be reached."""
AFTER_FAULT: Final = timedelta(minutes=5)
FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(hours=6)
"""Between two tries of a message: three times as long after each, give or take a quarter."""
PATIENCE: Final = timedelta(days=3)
"""How long a message is tried before its webhook is paused."""

_PLACE: Final = "(case when w.xid < pg_snapshot_xmax(pg_current_snapshot()) then w.xid else '0'::xid8 end, w.event)"
"""From the beginning, where the mark came with a restored backup."""
_AHEAD: Final = f"(e.xid, e.id) > {_PLACE} and e.xid < pg_snapshot_xmin(pg_current_snapshot()) and (e.ordinal is not null or e.kind = 'retraction.made')"
_LIVE: Final = "w.ended_at is null and w.paused_at is null and (w.next_try_at is null or w.next_try_at <= hub_now())"
_DUE: Final = f"select w.id, w.number from webhook w where {_LIVE} and exists (select from event e where {_AHEAD})"  # noqa: S608 texts of our own
_WEBHOOK: Final = (
    "select w.id, w.organisation, w.events::text[] as kinds, w.purpose, w.url, w.failures, w.xid::text, w.event, s.sealed, s.kek, s.wrapped"  # noqa: S608 as above
    f" from webhook w join webhook_secret s on s.webhook_id = w.id where w.id = $1 and {_LIVE}"
)
_EVENTS: Final = (
    "select e.xid::text, e.id, e.referral_id, e.ordinal, e.retraction_id from webhook w join lateral"  # noqa: S608 as above
    f" (select * from event e where {_AHEAD} order by e.xid, e.id limit $2) e on true where w.id = $1 order by e.xid, e.id"
)
# What was recorded meanwhile by another worker, or resumed, stands.
_SAME: Final = " where id = $1 and xid = $2::text::xid8 and event = $3"
_PASSED: Final = (
    "update webhook set xid = $4::text::xid8, event = $5, failures = case when $6 then 0 else failures end,"  # noqa: S608 as above
    f" failing_since = case when $6 then null else failing_since end, next_try_at = case when $6 then null else next_try_at end{_SAME}"
)
_TAKEN: Final = (
    "update webhook set xid = $4::text::xid8, event = $5, last_delivery_at = hub_now(), failures = 0, last_problem = null,"  # noqa: S608 as above
    f" failing_since = null, next_try_at = null{_SAME}"
)
_FAILED: Final = (
    "update webhook set failures = failures + 1, last_problem = $4, failing_since = coalesce(failing_since, hub_now()),"  # noqa: S608 as above
    " next_try_at = hub_now() + $5::interval, ended_at = case when $6 then hub_now() end,"
    " paused_at = case when not $6 and failing_since <= hub_now() - $7::interval then hub_now() end"
    f"{_SAME} returning paused_at is not null as paused, ended_at is not null as ended"
)
_RESTED: Final = "update webhook set next_try_at = hub_now() + $2::interval where id = $1"
_NOT_DELIVERING: Final = (
    "select o.code, count(*) from webhook w join organisation o on o.id = w.organisation"
    " where w.paused_at is not null or w.ended_at is not null group by o.code order by o.code"
)
_TELL: Final = "insert into event (kind, organisation, at) values ($1, $2, hub_now())"
log = structlog.get_logger(__name__)


async def not_delivering(connection: Any) -> list[tuple[str, int]]:
    """Say which organisations have webhooks that are paused or have ended, and how many."""
    return [(row["code"], row["count"]) for row in await connection.fetch(_NOT_DELIVERING)]


def pause_after(failures: int, chance: float) -> timedelta:
    """Say how long to wait after so many failures in a row; `chance` from 0 to 1 spreads out those that failed together.

    >>> [pause_after(failures, 0.5).total_seconds() for failures in (1, 2, 3, 20)]
    [5.0, 15.0, 45.0, 21600.0]
    """
    return min(FIRST_PAUSE * int(3 ** min(failures - 1, 20)), LONGEST_PAUSE) * (0.75 + chance / 2)


class Rounds:
    """Tells webhooks. `pool` is of the role hub_worker, `id_key` names messages."""

    def __init__(
        self,
        pool: Any,
        courier: Courier,
        sealing: Sealing,
        id_key: bytes,
        *,
        clock: Clock = time,
        chance: Callable[[], float] = random.random,
        tick: float = TICK,
        statement: Statement = TELLING,
    ) -> None:
        self._pool, self._courier, self._sealing, self._id_key = pool, courier, sealing, id_key
        self._clock, self._chance, self._tick, self._statement = clock, chance, tick, statement
        self._turns = Turns(pool, self._interrupt)
        self._under_way: dict[UUID, asyncio.Task[None]] = {}
        self._stop = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Look at every tick, until `stop` is set; then wait for the messages that are on their way."""
        self._stop = stop
        while not stop.is_set():
            try:
                await self.look()
                await self._next_tick()
            except (*UNREACHABLE, asyncpg.PostgresError, TimeoutError) as error:
                log.error("webhooks.wait", error=type(error).__name__)  # noqa: TRY400 a traceback may hold content
                with suppress(TimeoutError):
                    async with asyncio.timeout(REST):
                        await stop.wait()
        await self.settle()
        await self._turns.close()

    async def look(self) -> None:
        """Begin to tell each webhook that there is something for, and that nobody else tells."""
        for row in await self._pool.fetch(_DUE):
            if row["id"] not in self._under_way and await self._turns.take(row["number"]):
                self._begin(row["id"], row["number"])

    async def settle(self) -> None:
        """Wait until what was begun is done."""
        while self._under_way:
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def close(self) -> None:
        """Interrupt what is on its way, and give all back."""
        self._interrupt()
        await self.settle()
        await self._turns.close()

    def _begin(self, webhook: UUID, number: int) -> None:
        def done(_: Any) -> None:
            self._under_way.pop(webhook, None)

        task = asyncio.create_task(self._tell(webhook, number), name="webhook")
        self._under_way[webhook] = task
        task.add_done_callback(done)

    def _interrupt(self) -> None:
        for task in self._under_way.values():
            task.cancel()

    async def _next_tick(self) -> None:
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(self._tick - now % self._tick if self._tick else 0)

    async def _tell(self, webhook: UUID, number: int) -> None:
        try:
            first = True
            while not self._stop.is_set() and await self._told_one(webhook, at_tick=first):
                first = False
        except EndedError:
            pass
        except (*UNREACHABLE, asyncpg.PostgresError, TimeoutError) as error:
            log.error("webhooks.wait", error=type(error).__name__)  # noqa: TRY400 a traceback may hold content
        except Exception as error:  # noqa: BLE001 one webhook's fault keeps no other from being told; its text may hold anything
            log.error("webhooks.fault", error=type(error).__name__)  # noqa: TRY400 as above
            with suppress(*UNREACHABLE, asyncpg.PostgresError):
                await self._pool.execute(_RESTED, webhook, AFTER_FAULT)
        finally:
            await self._turns.give_back(number)

    async def _told_one(self, webhook: UUID, *, at_tick: bool) -> bool:
        """Tell the next message that there is; whether to look for another one at once."""
        row = await self._pool.fetchrow(_WEBHOOK, webhook)
        if row is None:
            return False
        events = [_happened(event) for event in await self._pool.fetch(_EVENTS, webhook, AT_ONCE)]
        if not events:
            return False
        at = (webhook, row["xid"], row["event"])
        asker = Webhook(webhook, row["organisation"], row["kinds"], row["purpose"])
        found = await first_seen(self._pool, asker, events, self._statement)
        if found is None:
            # Once nothing is left that is due, nothing has failed either: what did was taken out of sight.
            drained = len(events) < AT_ONCE
            await self._pool.execute(_PASSED, *at, *_place(events[-1]), drained)
            return not drained
        index, body = found
        if at_tick:
            await self._next_tick()
        receipt = await self._courier.carry(row["url"], self._headers(row, events[index], body), body)
        if receipt.problem is None:
            await self._pool.execute(_TAKEN, *at, *_place(events[index]))
            return True
        await self._failed(row, at, receipt)
        return False

    def _headers(self, row: Any, event: Happened, body: bytes) -> Mapping[str, str]:
        del event  # it has no part in them: it would be told of the others by them
        key = self._sealing.key(row["kek"], row["wrapped"])
        secret = self._sealing.open(key, f"webhook:{row['id']}", "SECRET", 1, row["sealed"]).decode()
        return signed(secret, message_id(self._id_key, row["id"], body), int(self._clock()), body)

    async def _failed(self, row: Any, at: tuple[Any, ...], receipt: Receipt) -> None:
        pause = pause_after(row["failures"] + 1, self._chance())
        async with self._pool.acquire() as connection, connection.transaction():
            now = await connection.fetchrow(_FAILED, *at, receipt.problem, pause, receipt.gone, PATIENCE)
            ending = now and ("paused" if now["paused"] else "ended" if now["ended"] else None)
            if ending:
                await connection.execute(_TELL, f"webhook.{ending}", row["organisation"])
                log.warning("webhook.given_up", state=ending, code=receipt.problem)


def _place(event: Happened) -> tuple[str, int]:
    return str(event.place[0]), event.place[1]


def _happened(row: Any) -> Happened:
    return Happened((int(row["xid"]), row["id"]), row["referral_id"], row["ordinal"], row["retraction_id"])

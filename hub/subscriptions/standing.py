"""This module ends connections whose right has ended: one look for all of a process, when there is a call, and now and then without one."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Protocol

import asyncpg
import structlog

from auth.principal import Principal
from hub.engine.documents import RequestRefusedError
from hub.engine.execute import Operation
from hub.engine.limits import problem
from hub.postgres import UNREACHABLE
from hub.subscriptions import ends
from hub.subscriptions.ends import End
from hub.subscriptions.outbox import Outbox

RECHECK: Final = 10.0
"""Seconds after which everyone is looked up again though nobody called."""
PAUSE: Final = 0.1
"""Seconds between two looks, however often somebody calls."""
LAST_WORDS: Final = 5.0
"""Seconds that all connections of a process that stops have to be told so."""
TOGETHER: Final = 500
"""How many are looked up in one statement."""
MOST: Final = 10_000
"""How many connections a process holds."""
FULL: Final = "This process of the hub holds as many connections as it can: connect again, and by and by elsewhere."
_LOST: Final = """
select a.n::int as place, m.may from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::bytea[], $7::boolean[])
  with ordinality a (token, client, organisation, usr, scopes, document, by_id, n),
  lateral (select hub.may_follow(a.token, a.client, a.organisation, a.usr, string_to_array(a.scopes, ' ', ''), a.document, a.by_id) as may) m
where m.may is not true
"""
Question = tuple[Any, ...]
log = structlog.get_logger(__name__)


class FullError(RequestRefusedError):
    """A connection that this process has no room for."""

    status, well_formed, wait = 503, False, 1

    def __init__(self) -> None:
        super().__init__(problem("SERVICE_UNAVAILABLE", FULL))


class Held(Protocol):
    """A connection that is open."""

    principal: Principal
    followed: list[Operation]

    @property
    def expired(self) -> bool:
        """Tell whether its token's time is over."""

    def finish(self, why: End) -> None:
        """End it."""


class Standing:
    """The connections of a process. `pool` is of the role hub_auth."""

    def __init__(self, pool: "asyncpg.Pool[Any]", outbox: Outbox) -> None:
        self._pool, self._outbox = pool, outbox
        self._held: set[Held] = set()
        self._looking: asyncio.Task[None] | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    async def close(self) -> None:
        """End every connection, and wait until each has been told why, or cannot be."""
        for line in tuple(self._held):
            line.finish(ends.STOPPING)
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                await self._empty.wait()

    @contextmanager
    def holding(self, line: Held) -> Iterator[None]:
        """End a connection when its time has come; raise FullError where there are too many."""
        if len(self._held) >= MOST:
            raise FullError
        self._held.add(line)
        self._empty.clear()
        if self._outbox.closing:
            line.finish(ends.STOPPING)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_on(), name="standing")
        try:
            yield
        finally:
            self._held.discard(line)
            if not self._held:
                self._empty.set()
                self._looking.cancel()
                self._looking = None

    async def lost(self, principal: Principal, asked: Operation) -> End | None:
        """Say why something may not be followed, if it may not."""
        question = _question(principal, asked)
        return (await self._asked([question])).get(question)

    async def _look_on(self) -> None:
        while True:
            # Taken before looking: what is called meanwhile is looked at again.
            doubt = self._outbox.doubt
            try:
                await self._look()
            except (*UNREACHABLE, TimeoutError):
                # Nothing can be delivered meanwhile; each token's own end is kept.
                pass
            except Exception as error:  # noqa: BLE001 whatever it was, the next look may find more
                log.error("subscription.fault", error=type(error).__name__)  # noqa: TRY400 a traceback may hold content
            await asyncio.sleep(PAUSE)
            with suppress(TimeoutError):
                async with asyncio.timeout(RECHECK):
                    await doubt.wait()

    async def _look(self) -> None:
        """Ask it of all, also where nothing has happened: or an event that somebody may not see would show in the end of its connection."""
        asking: defaultdict[Question, list[Held]] = defaultdict(list)
        for line in tuple(self._held):
            if self._outbox.closing:
                line.finish(ends.STOPPING)
            elif line.expired:
                line.finish(ends.EXPIRED)
            else:
                for question in {_question(line.principal, asked) for asked in (None, *line.followed)}:
                    asking[question].append(line)
        for question, why in (await self._asked(asking)).items():
            for line in asking[question]:
                line.finish(why)

    async def _asked(self, questions: Iterable[Question]) -> dict[Question, End]:
        left, found = list(questions), {}
        for start in range(0, len(left), TOGETHER):
            some = left[start : start + TOGETHER]
            for row in await self._pool.fetch(_LOST, *(list(column) for column in zip(*some, strict=True))):
                found[some[row["place"] - 1]] = ends.REVOKED if row["may"] is None else ends.UNFIT
        return found


def _question(asker: Principal, asked: Operation | None) -> Question:
    document, by_id = (None, False) if asked is None else (asked.document.digest, asked.by_id)
    scopes = " ".join(sorted(asker.scopes))
    return asker.token_id, asker.client, asker.organisation, asker.user, scopes, document, by_id

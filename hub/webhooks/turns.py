"""This module gives a webhook to one worker at a time, by advisory locks on one connection: when its process dies, they are free."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from hub.postgres import UNREACHABLE

WEBHOOK: Final = 0x686F6F6B
"""The first key of the advisory locks."""
PATIENCE: Final = 5.0


class Turns:
    """Whose turn it is. `lost` is called when the connection is: from then on anybody may have the webhooks that were taken."""

    def __init__(self, pool: Any, lost: Callable[[], None]) -> None:
        self._pool, self._lost = pool, lost
        self._connection: Any = None
        self._one = asyncio.Lock()

    async def take(self, number: int) -> bool:
        """Take a webhook that nobody has; raise what the database raises."""
        async with self._one:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._pool.acquire(timeout=PATIENCE)
                self._connection.add_termination_listener(self._gone)
            taken: bool = await self._connection.fetchval("select pg_try_advisory_lock($1, $2)", WEBHOOK, number)
            return taken

    async def give_back(self, number: int) -> None:
        """Let others have it."""
        async with self._one:
            if self._connection is not None:
                with suppress(*UNREACHABLE):
                    await self._connection.execute("select pg_advisory_unlock($1, $2)", WEBHOOK, number)

    async def close(self) -> None:
        """Give all back."""
        async with self._one:
            connection, self._connection = self._connection, None
            if connection is not None and not connection.is_closed():
                connection.remove_termination_listener(self._gone)
                with suppress(*UNREACHABLE, TimeoutError):
                    await self._pool.release(connection, timeout=PATIENCE)

    def _gone(self, _: Any) -> None:
        self._connection = None
        self._lost()

"""This module says what the package asks of Postgres: single statements, from a pool or from one connection."""

from collections.abc import Sequence
from typing import Any, Protocol


class Database(Protocol):
    """The part of `asyncpg.Pool` and `asyncpg.Connection` used here, logged in as hub_auth.

    Everything is one statement, so that a pool serves as well as a connection inside a caller's transaction.
    """

    async def execute(self, query: str, *args: Any) -> str:
        """Run a statement; return its command tag."""

    async def fetch(self, query: str, *args: Any) -> Sequence[Any]:
        """Return all rows."""

    async def fetchrow(self, query: str, *args: Any) -> Any:
        """Return the first row, or None."""

    async def fetchval(self, query: str, *args: Any) -> Any:
        """Return the first value of the first row, or None."""

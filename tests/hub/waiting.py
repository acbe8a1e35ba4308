"""Waiting in tests for what another session or process does: for as long as it takes, but not for what never comes."""

import asyncio
from typing import Any

LOOKS = 2000
ON_LOCKS = "select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())"
ON_TABLE = "select count(*) from pg_locks where not granted and relation = $1::text::regclass"


async def waiting(connection: Any, *table: str, count: int = 1) -> None:
    """Look until so many sessions wait for an advisory lock, or for one of a table."""
    for _ in range(LOOKS):
        if await connection.fetchval(ON_TABLE if table else ON_LOCKS, *table) >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")

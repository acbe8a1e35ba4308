"""This module looks after agreements in force: which of them run out soon, and that both sides are warned."""

from datetime import datetime
from typing import Any, Final

import asyncpg

Pool = asyncpg.Pool

_SOON: Final = """
select o.code, a.valid_until, extract(day from a.valid_until - hub_now())::int as days
from agreement a join organisation o on o.id = a.organisation
where agreement_state(a, hub_now()) = 'ACTIVE' and a.valid_until <= hub_now() + interval '30 days'
  and (a.ended_at is null or a.ended_at > a.valid_until)
order by a.valid_until, o.code
"""


async def expiring(connection: Any) -> list[Any]:
    """Give the agreements that run out within thirty days, with nothing to follow them; `connection` is the worker's."""
    found: list[Any] = await connection.fetch(_SOON)
    return found


async def warn(pool: "Pool[Any]") -> int:
    """Tell both sides of what runs out within thirty days, and again within seven; return how many were told of."""
    count: int = await pool.fetchval("select warn_of_expiry()")
    return count


def left(until: datetime | None, days: int | None) -> str:
    """Say until when an agreement holds, and how many whole days are left.

    >>> left(datetime(2026, 7, 1), 12)
    '2026-07-01, 12 days left'
    """
    return "no end" if until is None else f"{until:%Y-%m-%d}, {days} day{'' if days == 1 else 's'} left"

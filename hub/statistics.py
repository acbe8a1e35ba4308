"""This module decides what statistics tell, and freezes it once a quarter. Whoever asks reads that release, never a case.

The rule, in three steps:

1. Whoever would stand in a cell of fewer than ten is counted nowhere, in no other cell and in no total: else the total less the
   other cells would tell of them. Origins too few to be named stay in the other counts, as cases of unknown origin do.
2. Whoever is left is told by one dimension at a time.
3. Every count is rounded to tens so that each dimension still adds up to the same total (controlled rounding).

Why nothing can be worked out from it: **a release could always have come from a world in which people come in tens.** Give
the first ten cases the first origin, the first discipline, ... that the release still has tens of, then the next ten: of this
world the rule makes the very same release, for nobody in it stands in a small cell and nothing needs rounding. In it every
group that can be described, however it is put together, is nought or a multiple of ten, and so is every difference between
two releases. So no adding, subtracting or solving of answers, over whatever groupings, filters and releases, by whoever knows
the rule, can prove that a group or a change is one to nine. Who knows more of the cases, and from elsewhere, may conclude
more: against that no count is safe.

What it costs: dimensions are not crossed. Of cells by two dimensions most are under ten at ICORN's size, and each that is told
would take those beside it out of every other count. The few who stand in small cells are missing from the totals.

Suppression with its complements and controlled rounding: Hundepool et al., "Statistical Disclosure Control" (Wiley 2012),
ch. 5; Cox, "A constructive procedure for unbiased controlled rounding" (JASA 82, 1987). That a rule must withstand who knows
it: Wong et al., "Minimality attack in privacy preserving data publishing" (VLDB 2007).
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import asyncpg
import structlog

from schema.enums import CaseDimension

Pool = asyncpg.Pool
Kind = tuple[str | int | None, ...]
"""What a case is counted by: a value for each dimension, in their order."""
Told = dict[tuple[CaseDimension | None, str | int | None], int]
"""A release: for a dimension and value, or for (None, None), which is all, how many cases."""
SMALLEST: Final = 10
"""The smallest cell, and what counts are rounded to."""
DIMENSIONS: Final = tuple(CaseDimension)
ORIGIN: Final = DIMENSIONS.index(CaseDimension.ORIGIN)
log = structlog.get_logger(__name__)

_BEGIN: Final = """
insert into statistics_release (period, as_of, smallest_cell)
select date_trunc('quarter', today)::date, today, $1 from (select (hub_now() at time zone 'UTC')::date as today) t
on conflict do nothing returning period
"""
_COUNT: Final = "select origin, discipline, status, risk_level, year, cases from count_cases()"
_LATEST: Final = """
select as_of, period = date_trunc('quarter', hub_now() at time zone 'UTC')::date as current,
  (select count(*) from statistics_cell c where c.period = r.period) as cells
from statistics_release r order by period desc limit 1
"""
_KEEP: Final = """
insert into statistics_cell (period, origin, discipline, status, risk_level, year, count)
select $1, case d when 'ORIGIN' then v end, case d when 'DISCIPLINE' then v end::discipline, case d when 'STATUS' then v end::case_status,
  case d when 'RISK_LEVEL' then v end::risk_level, case d when 'YEAR' then v end::int, n
from unnest($2::text[], $3::text[], $4::int[]) t(d, v, n)
"""


async def freeze(pool: "Pool[Any]") -> int:
    """Freeze this quarter's release, as the role hub_worker, unless it is there; return how many cells it has.

    Any number may try at once: the second waits for the first, and finds it done. Raises what the database raises.
    """
    async with pool.acquire() as connection, connection.transaction():
        period = await connection.fetchval(_BEGIN, SMALLEST)
        if period is None:
            return 0
        kinds = {tuple(row)[:-1]: row["cases"] for row in await connection.fetch(_COUNT)}
        told = await asyncio.to_thread(release, kinds)
        cells = [(dimension, None if value is None else str(value)) for dimension, value in told]
        await connection.execute(_KEEP, period, [d for d, _ in cells], [v for _, v in cells], list(told.values()))
    log.info("statistics.frozen", count=len(told))
    return len(told)


async def latest(connection: Any) -> tuple[date, int, bool] | None:
    """Give the last release's day, how many cells it has, and whether it is this quarter's; None before the first."""
    row = await connection.fetchrow(_LATEST)
    return row and (row["as_of"], row["cells"], row["current"])


def release(kinds: Mapping[Kind, int], smallest: int = SMALLEST) -> Told:
    """Decide what is told of cases, given how many there are of each kind.

    >>> people = {("IR", "WRITER", "ALUMNUS", "HIGH", 2024): 34, ("TR", "WRITER", "ALUMNUS", "HIGH", 2025): 15,
    ...           ("BY", "MUSICIAN", "ALUMNUS", "HIGH", 2025): 7}
    >>> {str(value or "all"): count for (_, value), count in release(people).items()}
    {'all': 40, 'IR': 30, 'TR': 10, 'WRITER': 40, 'ALUMNUS': 40, 'HIGH': 40, '2024': 30, '2025': 10}
    """
    margins = counted(kinds, smallest)
    total = sum(margins[ORIGIN].values()) // smallest
    told: Told = {(None, None): total * smallest} if total else {}
    for dimension, margin in zip(DIMENSIONS, margins, strict=True):
        for value, units in rounded(margin, total, smallest).items():
            if value is not None:
                told[dimension, value] = units * smallest
    return told


def counted(kinds: Mapping[Kind, int], smallest: int) -> list[Counter[str | int | None]]:
    """Count by each dimension, without whoever would stand in a small cell of any."""
    left = Counter(kinds)
    while True:
        margins: list[Counter[str | int | None]] = [Counter() for _ in DIMENSIONS]
        for kind, count in left.items():
            for margin, value in zip(margins, kind, strict=True):
                margin[value] += count
        small = [{value for value, count in margin.items() if count < smallest} for margin in margins]
        if not any(small):
            return margins
        unnamed, left, before = small[ORIGIN] - {None}, Counter(), left
        for kind, count in before.items():
            if unnamed:
                left[*kind[:ORIGIN], None if kind[ORIGIN] in unnamed else kind[ORIGIN], *kind[ORIGIN + 1 :]] += count
            elif not any(value in cell for value, cell in zip(kind, small, strict=True)):
                left[kind] += count


def rounded(margin: Counter[str | int | None], total: int, unit: int) -> dict[str | int | None, int]:
    """Round counts to units that add up to `total`, which is theirs rounded down: up where most is left over, else down.

    Each is less than a unit from what it was; a whole number of units stays as it is.
    """
    units = {value: count // unit for value, count in margin.items()}
    most = sorted(margin, key=lambda value: (-(margin[value] % unit), -margin[value], str(value)))
    for value in most[: total - sum(units.values())]:
        units[value] += 1
    return units

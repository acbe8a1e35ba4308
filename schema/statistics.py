"""This module holds what is told of all cases together: counts of a frozen release, the same for everyone who may ask.

What a release holds was decided when it was frozen (hub/statistics.py). An answer is picked from it and from nothing else, so
asking in another way, or adding and subtracting answers, tells no more than the release.
"""

from typing import Final

import strawberry

from auth.scopes import Scope
from schema.enums import CaseDimension, CaseStatus, Discipline, RiskLevel
from schema.fields import One, asked, column, many, noun
from schema.rows import STATISTICS, STATISTICS_CELL
from schema.scalars import CountryCode, Date

LATEST: Final = One(
    STATISTICS,
    "{row}.period = (select max(period) from statistics_release)",
    carried={
        "grouped": ("groupBy", "text[]::case_dimension[]"),
        "origins": ("filter.origin", "text[]"),
        "since": ("filter.from", "date"),
        "until": ("filter.to", "date"),
    },
)


@noun()
class StatisticsCell:
    """Cases that are alike in what was asked for; what was not asked for is null. A cell that is too small is not there."""

    origin: CountryCode | None = column("origin")
    discipline: Discipline | None = column("discipline")
    status: CaseStatus | None = column("status")
    risk_level: RiskLevel | None = column("risk_level")
    year: int | None = column("year", description="The year in which the case was opened.")
    count: int = column("count", description="In tens.")


@noun()
class Statistics:
    """Counts of cases as of one day. Every dimension adds up to the same total, but for origins too few to be named."""

    as_of: Date = column("as_of", description="The day of the count; what happened since is in the next release.")
    smallest_cell: int = column("smallest_cell", description="Fewer cases than this are never counted by themselves.")
    cells: list[StatisticsCell] = many(
        STATISTICS_CELL, "true", "{row}.origin, {row}.discipline, {row}.status, {row}.risk_level, {row}.year"
    )


@strawberry.input
class StatisticsFilter:
    """Narrows what is counted. `from` and `to` stand for the whole years they lie in."""

    from_: Date | None = strawberry.field(default=strawberry.UNSET, name="from")
    to: Date | None = strawberry.UNSET
    origin: list[CountryCode] | None = strawberry.UNSET


@asked(LATEST, Scope.STATISTICS_READ)
def statistics(
    self: object,
    group_by: list[CaseDimension],
    filter: StatisticsFilter | None = strawberry.UNSET,  # noqa: A002 the contract's name
) -> Statistics | None:
    """Counts from the last frozen snapshot, small cells suppressed; by one dimension at a time, a filter's included."""
    raise NotImplementedError

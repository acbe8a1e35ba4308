"""This module holds the contract's own scalars. Postgres writes their values; parsing here only ever judges what came in.

A refusal never repeats the value it refuses: inputs are personal.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from schema.directives import PULLED

CountryCode = NewType("CountryCode", str)
LanguageTag = NewType("LanguageTag", str)
DateTime = NewType("DateTime", datetime)
Date = NewType("Date", date)
Duration = NewType("Duration", timedelta)
JSON = NewType("JSON", object)
MaxAge = Annotated[Duration | None, strawberry.argument(directives=[PULLED])]
"""An argument that asks for feeds no older than this, and so perhaps for a pull."""

_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_DURATION: Final = re.compile(r"P(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,6}(?:\.\d{1,6})?)S)?)?")


def _matching(pattern: re.Pattern[str], hint: str) -> Any:
    def parse(value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(hint)
        return value

    return parse


def parse_date(value: Any) -> date:
    """Read a calendar day of UTC, such as 2026-05-01."""
    try:
        return date.fromisoformat(value if isinstance(value, str) and len(value) == 10 else "")  # noqa: PLR2004 YYYY-MM-DD
    except ValueError:
        raise ValueError("A Date is a day like 2026-05-01.") from None


def parse_datetime(value: Any) -> datetime:
    """Read an RFC 3339 date-time with its offset."""
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 refused just below, as every time without an offset
    if moment.tzinfo is None:
        raise ValueError("A DateTime is RFC 3339 with an offset, like 2026-05-01T12:00:00Z.")
    return moment.astimezone(UTC)


def parse_duration(value: Any) -> timedelta:
    """Read an ISO 8601 duration of days, hours, minutes and seconds, such as PT5M."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not found or not any(found.groups()):
        raise ValueError("A Duration is ISO 8601 in days, hours, minutes and seconds, like PT5M.")
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


SCALARS: Final[dict[object, ScalarDefinition]] = {
    CountryCode: strawberry.scalar(
        name="CountryCode",
        description="ISO 3166-1 alpha-2",
        parse_value=_matching(_COUNTRY, "A CountryCode is two capital letters, like IR."),
    ),
    LanguageTag: strawberry.scalar(
        name="LanguageTag",
        description="BCP 47",
        parse_value=_matching(_LANGUAGE, "A LanguageTag is BCP 47, like fa or zh-Hans."),
    ),
    DateTime: strawberry.scalar(name="DateTime", description="RFC 3339, UTC", parse_value=parse_datetime),
    Date: strawberry.scalar(name="Date", description="A day of UTC, like 2026-05-01", parse_value=parse_date),
    JSON: strawberry.scalar(name="JSON", description="Any JSON", parse_value=lambda value: value),
    Duration: strawberry.scalar(name="Duration", description="ISO 8601, e.g. PT5M", parse_value=parse_duration),
}

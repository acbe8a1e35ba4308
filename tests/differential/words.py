"""How times, days and durations are written in answers, as the contract has it."""

from datetime import date, datetime, timedelta


def moment(at: datetime | None) -> str | None:
    """Write a time as the contract does: RFC 3339, UTC, no more digits than it has."""
    if at is None:
        return None
    fraction = f".{at.microsecond:06d}".rstrip("0") if at.microsecond else ""
    return f"{at:%Y-%m-%dT%H:%M:%S}{fraction}+00:00"


def day(on: date | None) -> str | None:
    """Write a day."""
    return None if on is None else on.isoformat()


def duration(span: timedelta) -> str:
    """Write a duration in days, hours and minutes."""
    hours, minutes = divmod(span.seconds // 60, 60)
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    return "P" + (f"{span.days}D" if span.days else "") + (f"T{clock}" if clock else "")

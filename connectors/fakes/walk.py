"""This module pages a fake system's records by a sound cursor: in order of change, then of id."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

Raw = Mapping[str, Any]


class BadCursorError(ValueError):
    """A cursor this system did not give out."""


def page(
    records: Sequence[Raw],
    updated: str,
    first: int,
    after: str | None = None,
    since: str | None = None,
    late: Collection[str] = (),
) -> tuple[list[Raw], str | None, bool]:
    """Take `first` records behind `after`, changed since `since`; answer with them, their end, and if more follow."""
    start = _read(after) if after else ("", "")
    moment = datetime.fromisoformat(since) if since else None
    rows = sorted(
        (raw for raw in records if str(raw["id"]) not in late and _place(raw, updated) > start),
        key=lambda raw: _place(raw, updated),
    )
    rows = [raw for raw in rows if moment is None or datetime.fromisoformat(raw[updated]) >= moment]
    taken = rows[:first]
    return taken, cursor(taken[-1], updated) if taken else None, len(rows) > first


def cursor(raw: Raw, updated: str) -> str:
    """Write down the place of a record."""
    return urlsafe_b64encode("\n".join(_place(raw, updated)).encode()).decode()


def _place(raw: Raw, updated: str) -> tuple[str, str]:
    return datetime.fromisoformat(raw[updated]).isoformat(timespec="microseconds"), str(raw["id"])


def _read(text: str) -> tuple[str, str]:
    try:
        moment, _, ident = urlsafe_b64decode(text.encode()).decode().partition("\n")
        datetime.fromisoformat(moment)
    except ValueError:
        raise BadCursorError from None
    return moment, ident

"""This module shows a fake system's records as they are seen from outside, and pages them by a sound cursor."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.fakes.faults import Faults

Raw = Mapping[str, Any]


class BadCursorError(ValueError):
    """A cursor this system did not give out."""


@dataclass(frozen=True)
class Layout:
    """Where a system keeps a record's id and the time of its last change, and how it writes a time."""

    ident: tuple[str, ...]
    changed: tuple[str, ...]
    write: Callable[[datetime], str] = datetime.isoformat

    def ident_of(self, raw: Raw) -> str:
        """Tell a record's id, without the scheme that some write before it."""
        return str(_at(raw, self.ident)).removeprefix("uuid:")

    def moment_of(self, raw: Raw) -> datetime:
        """Tell when a record was changed last."""
        return datetime.fromisoformat(_at(raw, self.changed))

    def seen(self, records: Sequence[Raw], faults: Faults) -> list[Raw]:
        """Give the records as whoever asks now sees them."""
        hidden = faults.late | faults.deleted
        shown = [raw for raw in records if self.ident_of(raw) not in hidden]
        if faults.skew or faults.drift:
            shown = [self._altered(raw, faults) for raw in shown]
        return [raw for raw in shown for _ in range(2 if faults.doubled else 1)]

    def _altered(self, raw: Raw, faults: Faults) -> Raw:
        changed: dict[str, Any] = deepcopy(dict(raw))
        place = changed
        for name in self.changed[:-1]:
            place = place[name]
        place[self.changed[-1]] = self.write(self.moment_of(raw) + faults.skew)
        if faults.drift and faults.drift[0] in changed:
            changed[faults.drift[1]] = changed.pop(faults.drift[0])
        return changed


def page(
    records: Sequence[Raw], layout: Layout, first: int, after: str | None = None, since: str | None = None
) -> tuple[list[Raw], str | None, bool]:
    """Take `first` records behind `after`, changed since `since`; answer with them, their end, and if more follow."""
    start = _read(after) if after else ("", "")
    moment = datetime.fromisoformat(since) if since else None
    rows = sorted(
        (raw for raw in records if _place(raw, layout) > start),
        key=lambda raw: _place(raw, layout),
    )
    rows = [raw for raw in rows if moment is None or layout.moment_of(raw) >= moment]
    taken = rows[:first]
    return taken, cursor(taken[-1], layout) if taken else None, len(rows) > first


def cursor(raw: Raw, layout: Layout) -> str:
    """Write down the place of a record."""
    return urlsafe_b64encode("\n".join(_place(raw, layout)).encode()).decode()


def _at(raw: Raw, path: tuple[str, ...]) -> Any:
    found: Any = raw
    for name in path:
        found = found[name]
    return found


def _place(raw: Raw, layout: Layout) -> tuple[str, str]:
    return layout.moment_of(raw).isoformat(timespec="microseconds"), layout.ident_of(raw)


def _read(text: str) -> tuple[str, str]:
    try:
        moment, _, ident = urlsafe_b64decode(text.encode()).decode().partition("\n")
        datetime.fromisoformat(moment)
    except ValueError:
        raise BadCursorError from None
    return moment, ident

"""Relay pages in plain Python: sort keys, cursors and both directions, over rows that are all at hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tests.differential.tables import Row

RISKS = ("LOW", "MODERATE", "HIGH", "EXTREME")
URGENCIES = ("ROUTINE", "URGENT", "EMERGENCY")
EARLIEST = datetime.fromisoformat("0001-01-01T00:00:00+00:00")
DEFAULT_SIZE = 50
Place = tuple[Any, ...]


@dataclass(frozen=True)
class Key:
    """A sort key: its column, and how its values compare."""

    column: str
    rank: Callable[[Any], Any] = lambda value: value

    def of(self, row: Row) -> Any:
        """Give what a row has under this key."""
        return self.rank(row[self.column])


@dataclass(frozen=True)
class Listing:
    """How one list can be ordered; `tie` ends every order, and the first order is the default."""

    orders: Mapping[str, Key]
    tie: Key
    descending: bool = True

    def keys(self, order_by: Sequence[Mapping[str, str]] | None) -> list[tuple[Key, bool]]:
        """Give the keys asked for and whether each descends."""
        asked = [(self.orders[o["field"]], o["direction"] == "DESC") for o in order_by or []]
        keys = asked or [(next(iter(self.orders.values())), self.descending)]
        return [*(k for k in keys if k[0] != self.tie), (self.tie, keys[0][1])]


_PAIRWISE, _ORDINAL, _CODE = Key("pairwise", lambda u: u.int), Key("ordinal"), Key("code")
_CASES = Listing({"OPENED_ON": Key("opened_on"), "UPDATED_AT": Key("updated_at"), "RISK_LEVEL": Key("risk_level", RISKS.index)}, _PAIRWISE)  # fmt: skip
_REFERRALS = Listing({"SUBMITTED_AT": Key("submitted_at"), "UPDATED_AT": Key("updated_at"), "URGENCY": Key("urgency", URGENCIES.index)}, _PAIRWISE)  # fmt: skip
_IN_ORDER = Listing({"AT": _ORDINAL}, _ORDINAL, descending=False)
_BY_CODE = Listing({"CODE": _CODE}, _CODE, descending=False)
LISTINGS = {
    "Query.cases": _CASES,
    "Query.referrals": _REFERRALS,
    "Case.referrals": _REFERRALS,
    "Referral.events": _IN_ORDER,
    "Referral.messages": _IN_ORDER,
    "Query.cities": _BY_CODE,
    "Query.organisations": _BY_CODE,
    "City.residencies": Listing({"STARTS_ON": Key("starts", lambda day: day or date.max)}, Key("name")),
    "Query.auditEvents": Listing({"AT": Key("at")}, Key("name")),
    "Case.accessLog": Listing({"AT": Key("at")}, Key("name")),
    "Query.changes": Listing({"PLACE": Key("place", int)}, Key("name"), descending=False),
    "Query.retractions": Listing({"AT": Key("at")}, Key("name", lambda u: u.int)),
    "Query.presentations": Listing({"AT": Key("at")}, Key("name", lambda u: u.int)),
    "Query.auditHeads": Listing({"SIZE": Key("size")}, Key("size")),
    "FeedResult": Listing({"MOVED": Key("moved_at", lambda at: at or EARLIEST)}, Key("record_id", lambda u: u.int)),
}


def text(column: str, value: Any) -> str:
    """Write a value as Postgres does in a cursor."""
    if value is None:
        return "infinity" if column == "starts" else "-infinity"
    if isinstance(value, datetime):
        fraction = f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
        return f"{value:%Y-%m-%d %H:%M:%S}{fraction}+00"
    return str(value)


@dataclass(frozen=True)
class Slice:
    """A page of rows in the list's order, and whether there is more on either side."""

    rows: list[Row]
    next: bool
    previous: bool
    total: int


def cut(
    rows: list[Row],
    keys: Sequence[tuple[Key, bool]],
    values: Mapping[str, Any],
    after: Place | None,
    before: Place | None,
) -> Slice:
    """Cut the page that first, last, after and before ask for out of a whole list."""
    ordered = list(rows)
    for key, descending in reversed(keys):
        ordered.sort(key=key.of, reverse=descending)

    def side(row: Row, place: Place) -> int:
        for (key, descending), there in zip(keys, place, strict=True):
            if (here := key.of(row)) != there:
                return -1 if (here < there) != descending else 1
        return 0

    within = [
        row for row in ordered if (after is None or side(row, after) > 0) and (before is None or side(row, before) < 0)
    ]
    first, last = values.get("first"), values.get("last")
    if last is not None or (before is not None and first is None and after is None):
        size = DEFAULT_SIZE if last is None else last
        beyond = before is not None and any(side(row, before) >= 0 for row in ordered)
        return Slice(within[len(within) - size if size < len(within) else 0 :], beyond, len(within) > size, len(rows))
    size = DEFAULT_SIZE if first is None else first
    passed = after is not None and any(side(row, after) <= 0 for row in ordered)
    return Slice(within[:size], len(within) > size, passed, len(rows))

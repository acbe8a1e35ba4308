"""An attacker who has every answer of every release and solves for what must not be known: it bounds groups from above and below.

It knows the rule and every kind of case there is. It takes a count to mean anything from `below` under to `above` over it, and
a cell that is not shown to mean fewer than the smallest; it takes cells from totals, adds what is apart, and bounds one kind by
the others, until nothing more follows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, combinations
from typing import Any, Final

from hub.statistics import DIMENSIONS, Kind, Told
from tests.differential.statistics import COLUMNS, statistics
from tests.differential.tables import Row, Tables

NAMES: Final = ("origin", "discipline", "status", "riskLevel", "year")
GROUPINGS: Final = [list(map(str, g)) for n in range(len(DIMENSIONS) + 1) for g in combinations(DIMENSIONS, n)]
UNKNOWN: Final = 10**6
Group = frozenset[Kind]
Bounds = tuple[int, int]


@dataclass(frozen=True)
class Asked:
    """A grouping and a filter, with what was answered: counts by the values of a cell."""

    grouped: tuple[str, ...]
    years: tuple[int | None, int | None]
    origins: tuple[str, ...] | None
    cells: Mapping[Kind, int]

    def crossed(self) -> bool:
        """Tell whether it takes two dimensions at once."""
        return len({*self.grouped, *(["YEAR"] if any(self.years) else []), *(["ORIGIN"] if self.origins else [])}) > 1

    def covers(self, kind: Kind) -> bool:
        """Tell whether a kind of case passes the filter."""
        origin, year = kind[0], kind[-1]
        first, last = self.years
        assert isinstance(year, int)
        return (first or year) <= year <= (last or year) and (self.origins is None or origin in self.origins)

    def cell(self, kind: Kind) -> Kind:
        """Give the cell that a kind of case falls into."""
        return tuple(
            value if str(dimension) in self.grouped else None for dimension, value in zip(DIMENSIONS, kind, strict=True)
        )


def filters(kinds: Sequence[Kind]) -> Iterator[dict[str, Any]]:
    """Give every filter that means something different: by years, by origins, and by both."""
    years = sorted({int(kind[-1]) for kind in kinds if kind[-1] is not None})
    spans = [
        (None, None),
        *((a, b) for a in [None, *years] for b in [None, *years] if (a or b) and (a or 0) <= (b or 9999)),
    ]
    named = sorted({str(kind[0]) for kind in kinds if kind[0] is not None})
    choices = chain.from_iterable(combinations(named, n) for n in range(1, len(named) + 1))
    for origins in [None, *choices]:
        for first, last in spans:
            yield {
                "from": first and f"{first}-05-01",
                "to": last and f"{last}-05-01",
                "origin": None if origins is None else list(origins),
            }


def rows(told: Told) -> list[Row]:
    """Give a release as the rows it is kept in."""
    empty: Row = dict.fromkeys(COLUMNS)
    return [
        {"period": 1, **empty, **({} if d is None else {COLUMNS[DIMENSIONS.index(d)]: value}), "count": count}
        for (d, value), count in told.items()
    ]


def everything_asked(told: Told, kinds: Sequence[Kind]) -> list[Asked]:
    """Ask a release every grouping under every filter."""
    release: Row = {"period": 1, "as_of": datetime(2026, 1, 1, tzinfo=UTC).date(), "smallest_cell": 10}
    tables = Tables(datetime(2026, 1, 1, tzinfo=UTC), {"statistics_release": [release], "statistics_cell": rows(told)})
    found = []
    for asked in filters(kinds):
        for grouped in GROUPINGS:
            answer = statistics(tables, grouped, asked)
            assert answer is not None
            found.append(heard(grouped, asked, answer["cells"]))
    return found


def heard(grouped: list[str], asked: Mapping[str, Any], cells: list[dict[str, Any]]) -> Asked:
    """Take down one answer."""
    first, last = (int(asked[name][:4]) if asked.get(name) else None for name in ("from", "to"))
    origins = None if asked.get("origin") is None else tuple(asked["origin"])
    counts = {tuple(cell[name] for name in NAMES): cell["count"] for cell in cells}
    return Asked(tuple(grouped), (first, last), origins, counts)


@dataclass
class Attacker:
    """What follows from the answers of one release."""

    kinds: Sequence[Kind]
    below: int
    above: int
    smallest: int = 10
    known: dict[Group, Bounds] = field(default_factory=dict)
    parts: list[tuple[Group, list[Group]]] = field(default_factory=list)

    def listen(self, answers: Sequence[Asked], *, crossed: bool = False) -> None:
        """Learn from answers; `crossed` when the rule is known to tell two dimensions at once, too."""
        for asked in answers:
            cells: dict[Kind, set[Kind]] = {}
            for kind in filter(asked.covers, self.kinds):
                cells.setdefault(asked.cell(kind), set()).add(kind)
            if not crossed and asked.crossed():
                continue
            for cell, group in cells.items():
                count = asked.cells.get(cell)
                # Nothing follows from a total that is not shown, nor for cases of no known origin: they never are.
                silent = not asked.grouped or ("ORIGIN" in asked.grouped and cell[0] is None)
                unseen = (0, UNKNOWN if silent else self.smallest - 1)
                self.learn(frozenset(group), unseen if count is None else (count - self.below, count + self.above))
            if asked.grouped:
                groups = [frozenset(group) for group in cells.values()]
                self.parts.append((frozenset().union(*groups), groups))

    def learn(self, group: Group, bounds: Bounds) -> bool:
        """Keep what is the tighter on either side; tell whether that is news."""
        before = self.known.get(group, (0, UNKNOWN))
        self.known[group] = (max(before[0], bounds[0]), min(before[1], bounds[1]))
        return self.known[group] != before

    def solve(self) -> None:
        """Draw every conclusion, until there is none left. What contradicts itself was read wrongly, and is given up."""
        for kind in self.kinds:
            self.learn(frozenset({kind}), (0, UNKNOWN))
        news = True
        for _ in range(20):
            if not news or any(low > high for low, high in self.known.values()):
                break
            news = False
            for whole, groups in self.parts:
                news |= self.divide(whole, groups)
            for group in list(self.known):
                news |= self.divide(group, [frozenset({kind}) for kind in group])
            for larger, smaller in list(combinations(sorted(self.known, key=len, reverse=True), 2)):
                if smaller < larger and len(self.known) < 200:
                    news |= self.divide(larger, [smaller, larger - smaller])

    def divide(self, whole: Group, groups: Sequence[Group]) -> bool:
        """Bound a whole by its parts, and each part by the whole less the others."""
        news = False
        bounds = [self.known.get(group, (0, UNKNOWN)) for group in groups]
        low, high = sum(b[0] for b in bounds), sum(b[1] for b in bounds)
        news |= self.learn(whole, (low, high))
        for group, (least, most) in zip(groups, bounds, strict=True):
            lowest, highest = self.known[whole]
            news |= self.learn(group, (lowest - (high - most), highest - (low - least)))
        return news

    def small(self) -> list[tuple[Group, Bounds]]:
        """Give the groups that surely have someone, and surely fewer than the smallest cell."""
        return [(group, b) for group, b in self.known.items() if 1 <= b[0] <= b[1] < self.smallest]


def moved(before: Attacker, after: Attacker) -> list[tuple[Group, Bounds]]:
    """Give the groups that surely changed between two releases, and surely by fewer than the smallest cell."""
    found = []
    for group in before.known.keys() & after.known.keys():
        (low, high), (then_low, then_high) = before.known[group], after.known[group]
        least, most = then_low - high, then_high - low
        if (
            low <= high
            and then_low <= then_high
            and (1 <= least <= most < before.smallest or -before.smallest < least <= most <= -1)
        ):
            found.append((group, (least, most)))
    return found

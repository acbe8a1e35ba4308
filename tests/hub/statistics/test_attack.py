"""From all that statistics answer, over groupings, filters and releases, nobody works out a cell, or a change, of one to nine."""

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import combinations_with_replacement, pairwise, product
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hub.statistics import DIMENSIONS, ORIGIN, SMALLEST, Kind, Told, release
from schema.enums import CaseDimension
from tests.hub.statistics.attack import GROUPINGS, Attacker, everything_asked, filters, heard, moved

DOMAIN: list[Kind] = list(
    product(("IR", "TR", None), ("WRITER", "MUSICIAN"), ("ALUMNUS", "CLOSED"), ("HIGH", "LOW"), (2025, 2026))
)
POPULATIONS = st.dictionaries(st.sampled_from(DOMAIN), st.one_of(st.integers(1, 12), st.integers(1, 60)), max_size=8)
READINGS = ((0, 0), (0, 9), (9, 9))
"""What an attacker may take a count to mean: so many under it, so many over it."""


@st.composite
def histories(draw: Callable[..., Any]) -> list[dict[Kind, int]]:
    """Draw a population, and what becomes of it in two quarters: a few come, go, or change."""
    found = [draw(POPULATIONS)]
    for _ in range(2):
        changes = draw(st.dictionaries(st.sampled_from(DOMAIN), st.integers(-9, 9), max_size=6))
        after = Counter(found[-1]) + Counter()
        for kind, change in changes.items():
            after[kind] = max(0, after[kind] + change)
        found.append({kind: count for kind, count in after.items() if count})
    return found


def in_tens(told: Told, smallest: int = SMALLEST) -> dict[Kind, int]:
    """Give the world of the proof: people who come in tens, of whom the same would have been told."""
    total = told.get((None, None), 0) // smallest
    values = []
    for dimension in DIMENSIONS:
        tens = [v for (d, v), count in told.items() if d == dimension for _ in range(count // smallest)]
        values.append(tens + [None] * (total - len(tens)))
    return {kind: smallest * tens for kind, tens in Counter(zip(*values, strict=True)).items()}


@settings(max_examples=300, deadline=None)
@given(POPULATIONS)
def test_a_release_could_have_come_from_a_world_in_which_people_come_in_tens(people: dict[Kind, int]) -> None:
    """The proof itself: in that world no group of any description is one to nine, and its release is this one.

    For several releases take a world for each: every change is a multiple of ten, too.
    """
    told = release(people)

    world = in_tens(told)

    assert release(world) == told
    assert all(count % SMALLEST == 0 for count in world.values())
    assert all(kind[i] is not None for kind in world for i in range(len(DIMENSIONS)) if i != ORIGIN)


@settings(max_examples=300, deadline=None)
@given(POPULATIONS)
def test_what_is_told_is_near_the_truth(people: dict[Kind, int]) -> None:
    """No cell is told that has fewer than ten; counts are tens, less than ten off for those counted; dimensions agree."""
    told = release(people)
    total = told.get((None, None), 0)

    for (dimension, value), count in told.items():
        assert count > 0
        assert count % SMALLEST == 0
        if dimension is not None:
            true = sum(n for kind, n in people.items() if kind[DIMENSIONS.index(dimension)] == value)
            assert true >= SMALLEST
            assert count < true + SMALLEST
    for dimension in DIMENSIONS:
        named = sum(count for (d, _), count in told.items() if d == dimension)
        assert named == total or (dimension == CaseDimension.ORIGIN and named < total)
    assert total <= sum(people.values())


@settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(histories(), st.sampled_from(READINGS))
def test_an_attacker_finds_no_small_cell_and_no_small_change(
    history: list[dict[Kind, int]], reading: tuple[int, int]
) -> None:
    """With every grouping, every filter and three releases, however it reads the counts."""
    attackers = []
    for people in history:
        attackers.append(Attacker(DOMAIN, *reading))
        attackers[-1].listen(everything_asked(release(people), DOMAIN))
        attackers[-1].solve()

    assert all(low <= high for attacker in attackers for low, high in attacker.known.values())
    assert [found for attacker in attackers for found in attacker.small()] == []
    assert [found for before, after in pairwise(attackers) for found in moved(before, after)] == []


Rule = Callable[[int], int | None]


def tabulated(people: Mapping[Kind, int], rule: Rule) -> list[Any]:
    """Answer as careless statistics would: count each cell of each answer, and show what the rule makes of it, if anything."""
    found = []
    for asked in filters(DOMAIN):
        for grouped in GROUPINGS:
            answer = heard(grouped, asked, [])
            cells: Counter[Kind] = Counter()
            for kind, count in people.items():
                if answer.covers(kind):
                    cells[answer.cell(kind)] += count
            shown = {cell: told for cell, count in cells.items() if (told := rule(count)) is not None}
            found.append(type(answer)(answer.grouped, answer.years, answer.origins, shown))
    return found


def attacked(people: Mapping[Kind, int], rule: Rule, below: int, above: int) -> Attacker:
    """Let the attacker at careless statistics."""
    attacker = Attacker(DOMAIN, below, above)
    attacker.listen(tabulated(people, rule), crossed=True)
    attacker.solve()
    return attacker


FEW: dict[Kind, int] = {
    ("IR", "WRITER", "CLOSED", "HIGH", 2025): 40,
    ("IR", "WRITER", "CLOSED", "HIGH", 2026): 3,
}


def test_the_attacker_finds_a_cell_that_was_only_hidden() -> None:
    """Small cells left out and nothing else: the total less the others is the cell."""
    found = attacked(FEW, lambda count: count if count >= SMALLEST else None, 0, 0)

    assert (frozenset(kind for kind in DOMAIN if kind[-1] == 2026), (3, 3)) in found.small()


def test_the_attacker_finds_a_cell_though_each_count_is_rounded_by_itself() -> None:
    """Rounding down to tens without regard to what adds up: three cells of 9 over their ten leave the fourth little room."""
    people: dict[Kind, int] = {
        ("IR", "WRITER", "ALUMNUS", "HIGH", 2025): 19,
        ("IR", "WRITER", "ALUMNUS", "LOW", 2025): 19,
        ("IR", "WRITER", "CLOSED", "HIGH", 2025): 19,
        ("IR", "WRITER", "CLOSED", "LOW", 2025): 9,
    }
    found = attacked(people, lambda count: count // SMALLEST * SMALLEST if count >= SMALLEST else None, 0, 9)

    assert any(low <= 9 <= high for _, (low, high) in found.small())


def test_the_attacker_finds_who_came_between_two_exact_counts() -> None:
    """Nothing small in either, and yet three came."""
    later = {**FEW, ("IR", "WRITER", "CLOSED", "HIGH", 2025): 43}
    before, after = (attacked(people, lambda count: count, 0, 0) for people in (FEW, later))

    assert (3, 3) in [bounds for _, bounds in moved(before, after)]


RISKS: list[Kind] = [("IR", "WRITER", "CLOSED", risk, 2025) for risk in ("LOW", "MODERATE", "HIGH", "EXTREME")]
SQUARE: list[Kind] = [
    ("IR", "WRITER", status, risk, 2025) for status in ("ALUMNUS", "CLOSED") for risk in ("HIGH", "LOW")
]
ORIGINS: list[Kind] = [
    (origin, art, "CLOSED", "HIGH", 2025) for origin in ("IR", "TR", None) for art in ("WRITER", "OTHER")
]


@pytest.mark.parametrize(
    ("kinds", "most"), [(RISKS, 12), (SQUARE, 12), (ORIGINS, 9)], ids=["line", "square", "origins"]
)
def test_no_attacker_whatever_finds_a_small_group_or_change(kinds: list[Kind], most: int) -> None:
    """Every world of so many people at most, in cells of three instead of ten: for each release, all worlds it can have come from.

    Who knows the rule and can think without end knows no more than that. Of no group, of kinds put together in any way, are
    all those worlds agreed that it is one or two; nor, of any two releases, that it changed by one or two.
    """
    smallest = 3
    ranges: dict[frozenset[Any], list[tuple[int, int]]] = {}
    groups = [[i for i in range(len(kinds)) if chosen >> i & 1] for chosen in range(1, 2 ** len(kinds))]
    for size in range(most + 1):
        for people in map(Counter, combinations_with_replacement(range(len(kinds)), size)):
            told = frozenset(release({kinds[i]: n for i, n in people.items()}, smallest).items())
            sums = [sum(people[i] for i in group) for group in groups]
            known = ranges.get(told)
            ranges[told] = (
                [(min(a, s), max(b, s)) for (a, b), s in zip(known, sums, strict=True)]
                if known
                else [(s, s) for s in sums]
            )

    assert len(ranges) > 3
    for group in range(len(groups)):
        bounds = {known[group] for known in ranges.values()}
        assert not [b for b in bounds if 1 <= b[0] <= b[1] < smallest]
        changes = {(low - high_before, high - low_before) for low, high in bounds for low_before, high_before in bounds}
        assert not [c for c in changes if 1 <= c[0] <= c[1] < smallest]

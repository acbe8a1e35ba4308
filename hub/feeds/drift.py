"""This module notices that a source has changed its form: a rule that used to find something finds nothing any more."""

from collections.abc import Iterable, Mapping
from typing import Final

from connectors.record import CanonicalRecord, Reject

ALL: Final = ""
"""Under this name all records are counted, those too that could not be mapped."""
FEW: Final = 3
SHARE: Final = 0.2
"""A rule has to have found something in so many records, and in such a share of them, to be missed."""

Filled = Mapping[str, int]


def count(mapped: Iterable[CanonicalRecord | Reject], before: Filled) -> dict[str, int]:
    """Add the records of a page to what was counted before it."""
    counts = dict(before)
    for each in mapped:
        places = each.said if isinstance(each, CanonicalRecord) else ()
        for place in (ALL, *places):
            counts[place] = counts.get(place, 0) + 1
    return counts


def drifted(before: Filled, now: Filled) -> list[str]:
    """Name the rules that found something before and find nothing now; in an empty feed nothing can be missed."""
    if not now.get(ALL):
        return []
    enough = max(FEW, before.get(ALL, 0) * SHARE)
    return sorted(place for place, held in before.items() if place and held >= enough and not now.get(place))


def remembered(before: Filled, now: Filled) -> dict[str, int]:
    """Keep what is missed beside what was counted, so that it stays missed until a pass finds it again."""
    return {**now, **{place: before[place] for place in drifted(before, now)}} if now.get(ALL) else dict(before)

"""This module makes two cases of one person one. Everything moves to the case that is kept, and it answers under both names."""

import uuid
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hub.commands.asker import Asker, Input, problems
from hub.commands.cases import NOT_THERE, desk, judge_reason, sealed_reason
from hub.commands.changes import decide
from hub.commands.lifecycle_of_cases import UNDER_WAY
from hub.commands.moving import overview
from schema.enums import Category

Document = dict[str, Any]
STAYING: Final = ("RELOCATING", "IN_RESIDENCE")
PROSE: Final = frozenset({"biography", "instructions", "summary", "needs", "disability", "recommendation", "notes"})
"""Texts of which no word may be lost: where two cases differ, both stand, one after the other."""
NAMES: Final = {"withdrawal_reason": "WITHDRAWAL", "evidence": "EVIDENCE", "note": "NOTE"}
"""What a text is sealed as, by its column; the others are reasons."""


async def merge_cases(asker: Asker, given: Input) -> uuid.UUID:
    """Make one case of two. Of what both say, the stricter holds: of consents and seals, and whether to contact the person."""
    cases = await _both(asker, given)
    with problems() as found:
        await desk(asker, found)
        for name, case in zip(("keep", "merge"), cases, strict=True):
            if case is None:
                found.add("NOT_FOUND", NOT_THERE, name)
        if cases[0] is not None and cases[0] == cases[1]:
            found.add("SAME_CASE", "These are one case already.", "merge")
        judge_reason(given, found)
        found.settle()
        kept, former = cases
        assert kept is not None and former is not None  # noqa: S101, PT018 missing ones are problems
        statuses = [(await overview(asker, case))["status"] for case in (kept, former)]
        if all(status in STAYING for status in statuses):
            found.add("BOTH_STAY", "Both have a residency under way: end one of them first.", "merge")
    moved = await _sealed_anew(asker, kept, former)
    await asker.connection.execute(
        "select merge_cases($1, $2, $3, $4, $5, $6, $7::text::case_status)",
        kept,
        former,
        [place for place, *_ in moved],
        [row for _, row, *_ in moved],
        [version for *_, version, _ in moved],
        [text for *_, text in moved],
        max(statuses, key=lambda status: (status in UNDER_WAY, UNDER_WAY.index(status) if status in UNDER_WAY else 0)),
    )
    await decide(asker, kept, "MERGED", await sealed_reason(asker, kept, given))
    await asker.tell("case.merged", case=kept)
    return kept


async def _both(asker: Asker, given: Input) -> list[uuid.UUID | None]:
    """Find the two cases, as they are once nobody else is deciding about either."""
    seen = [await asker.seen_case(given[name]) for name in ("keep", "merge")]
    await asker.alone(*{case for case in seen if case is not None})
    return [await asker.seen_case(given[name]) for name in ("keep", "merge")]


async def _sealed_anew(asker: Asker, kept: uuid.UUID, former: uuid.UUID) -> list[tuple[str, uuid.UUID, int, bytes]]:
    """Seal under the kept case's key what is sealed under the other's; a document of both is folded into one."""
    ours, theirs = [await asker.case_key(case) for case in (kept, former)]
    find = "select place, id, version, sealed from sealed_of_case($1)"
    there = {row["place"]: row for row in await asker.connection.fetch(find, kept) if row["place"] in set(Category)}
    moved = []
    for row in await asker.connection.fetch(find, former):
        place, version, name = row["place"], 1, _name(row["place"])
        text = asker.sealing.open(theirs, f"case:{former}", name, row["version"], row["sealed"])
        if place in there:
            mine = there[place]
            version = mine["version"] + 1
            said = asker.sealing.open(ours, f"case:{kept}", name, mine["version"], mine["sealed"])
            text = msgspec.json.encode(folded(place, msgspec.json.decode(said), msgspec.json.decode(text)))
        moved.append((place, row["id"], version, asker.sealing.seal(ours, f"case:{kept}", name, version, text)))
    return moved


def _name(place: str) -> str:
    _, _, column = place.partition(".")
    return NAMES.get(column, "REASON") if column else place


def folded(category: str, kept: Document, former: Document) -> Document:
    r"""Fold what two cases say of one person in a category: what one leaves out the other says, lists are joined, prose stands after prose.

    >>> folded("HEALTH", {"needs": "Insulin"}, {"needs": "Rest", "disability": "None"})
    {'needs': 'Insulin\n\nRest', 'disability': 'None'}
    """
    if category == Category.WHEREABOUTS:
        # Half of one place and half of another would be nowhere: what is known later holds.
        later = former if str(former.get("asOf") or "") > str(kept.get("asOf") or "") else kept
        return {**later, "inHiding": bool(kept.get("inHiding") or former.get("inHiding"))}
    found = {**former, **{name: value for name, value in kept.items() if value not in (None, [])}}
    for name in kept.keys() & former.keys():
        mine, other = kept[name], former[name]
        if isinstance(mine, list) and isinstance(other, list):
            found[name] = [*mine, *(each for each in other if each not in mine)]
        elif name in PROSE and mine and other and mine != other:
            found[name] = f"{mine}\n\n{other}"
    if category == Category.CONTACT:
        found["mayContactDirectly"] = bool(kept.get("mayContactDirectly") and former.get("mayContactDirectly"))
    if category == Category.IDENTITY and (name := _other_name(kept, former)):
        found["pseudonyms"] = [*(found.get("pseudonyms") or []), name]
    return found


def _other_name(kept: Mapping[str, Any], former: Mapping[str, Any]) -> str:
    """Give the name that the former case had for the person, if it is another."""
    names = [" ".join(filter(None, (said.get("givenName"), said.get("familyName")))) for said in (kept, former)]
    return names[1] if all(names) and names[0] != names[1] else ""

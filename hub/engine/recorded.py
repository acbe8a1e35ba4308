"""This module writes, beside a row of an answer, what the audit record says of its person: who, and on which bases what was open."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.engine.plan import Ask
from schema.fields import Nested, Personal, Rows, Sealed
from schema.seen import mask

if TYPE_CHECKING:
    from hub.engine.statement import Writer

CHANGED = " || audit_written({subject}) || coalesce(nullif(current_setting('hub.erased', true), ''), '{{}}')::seen[]"
"""Whom a command concerned: of what it changed, the database says; of what it erased, erase_case said before it was gone."""


@dataclass(frozen=True)
class People:
    """Who is in an object: `own`, the person its row is of, and those in lists `below` it. Empty where there is nobody."""

    own: str = ""
    below: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.own or self.below)

    def listed(self) -> str:
        """Write them as one array, for an object that stands alone."""
        return " || ".join([f"array[{self.own}]"] * bool(self.own) + list(self.below))

    def column(self) -> str:
        """Write the column `k` of an object that stands alone, if anybody is in it."""
        return f", {self.listed()} as k" if self else ""

    def gathered(self, kept: str = "") -> str:
        """Write the aggregates that gather them over rows: each row's own in one growing array, lists one behind the other."""
        own = [f"array_agg({self.own}){kept}"] if self.own else []
        return " || ".join(own + ([f"concatenated({' || '.join(self.below)}){kept}"] if self.below else []))


def seen(writer: "Writer", rows: Rows, asks: Sequence[Ask], row: str) -> str:
    """Write who a row is of, and the bases of what is asked of them and open to the viewer now."""
    bits = [f"{mask(rows.tells)}::bigint"]
    for category, access in sorted(opening(asks)):
        holds = writer.fill(access, row=row, category=category.lower(), CATEGORY=category)
        bits.append(f"case when {holds} then {mask(category)}::bigint else 0 end")
    return f"row({row}.{rows.subject}, {row}.basis & ({' | '.join(bits)}))::seen"


def searched(writer: "Writer", rows: Rows, ask: Ask, candidates: Callable[[str], str]) -> str:
    """Write who was found by what a filter reads of them, also those who are only counted; nothing where none reads anything."""
    read = sorted({mask(rule.reads) for rule, _ in ask.wheres if rule.reads})
    if not read or not rows.subject:
        return ""
    row = writer.alias()
    bits = " | ".join(f"{one}::bigint" for one in (mask(rows.tells), *read))
    people = f"row({row}.{rows.subject}, {row}.basis & ({bits}))::seen"
    return f"(select coalesce(array_agg({people}), '{{}}') {candidates(row)})"


def opening(asks: Sequence[Ask]) -> set[tuple[str, str]]:
    """Give the categories that are asked of a row's own person, and when each is open."""
    found: set[tuple[str, str]] = set()
    for ask in asks:
        if isinstance(ask.source, Sealed | Personal) and ask.documents is not None:
            found.add((ask.name, ask.documents.access))
        if isinstance(ask.source, Nested):
            found |= opening(ask.asks)
    return found

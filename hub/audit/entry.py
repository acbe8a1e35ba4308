"""This module says what an entry of the audit log is: the text that is hashed, and what its readers find of it. It is pure.

Entries hold no content, no name of a person, and no time but the hour. They are each organisation's own: pseudonyms and order
come from that organisation's accesses alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from schema.enums import Category, DisclosureBasis

WIDTH: Final = len(DisclosureBasis)
"""Bits of a category in `basis`."""


@dataclass(frozen=True, slots=True)
class Event:
    """An entry as its readers find it: once for each person in it, or once with number 0 and nobody."""

    ordinal: int
    subject: UUID | None
    basis: int
    at: datetime
    name: str
    leaf: UUID
    actor: str
    action: str
    outcome: str
    purpose: str | None
    categories: tuple[str, ...]


def seen(subjects: Iterable[Any]) -> list[tuple[UUID, int]]:
    """Give each person once, with all that was seen anywhere in the answer, in an order that tells nothing."""
    found: dict[UUID, int] = {}
    for subject, basis in subjects:
        found[subject] = found.get(subject, 0) | basis
    return sorted(found.items())


def bases(bits: int) -> dict[str, list[str]]:
    """Give the bases of each category that was open.

    >>> bases(0b10)
    {'OVERVIEW': ['AGREEMENT']}
    """
    told = {
        str(category): [str(basis) for bit, basis in enumerate(DisclosureBasis) if bits >> (WIDTH * number + bit) & 1]
        for number, category in enumerate(Category)
    }
    return {category: found for category, found in told.items() if found}


def hour(at: datetime) -> datetime:
    """Give the hour of a time: all that an entry says of when."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def entry(record: Mapping[str, Any], index: int) -> str:
    """Write the entry of a record at a place in its log: JSON with sorted names. `organisation` is the code, which never changes."""
    told = {
        "log": record["organisation"],
        "index": index,
        "hour": hour(record["at"]).strftime("%Y-%m-%dT%H:00:00Z"),
        "client": record["client"],
        "user": record["usr"],
        "action": record["action"],
        "operation": record["operation"].hex(),
        "purpose": record["purpose"],
        "outcome": record["outcome"],
        "categories": list(record["categories"]),
        "seen": [{"subject": str(subject), "basis": bases(bits)} for subject, bits in seen(record["subjects"])],
        "proof": record["proof"].hex(),
    }
    return msgspec.json.encode(told, order="sorted").decode()


def events(record: Mapping[str, Any], index: int, leaf: bytes) -> list[Event]:
    """Give what its readers find of an entry, whose leaf has this hash."""
    people: list[tuple[UUID | None, int]] = list(seen(record["subjects"])) or [(None, 0)]
    first = 1 if people[0][0] is not None else 0
    log, name = record["organisation"], UUID(bytes=leaf[:16])
    said = (record["usr"] or record["client"], record["action"], record["outcome"], record["purpose"], tuple(record["categories"]))  # fmt: skip
    return [
        Event(ordinal, subject, basis, hour(record["at"]), f"{index:012}_{ordinal:05}_{log}", name, *said)
        for ordinal, (subject, basis) in enumerate(people, first)
    ]

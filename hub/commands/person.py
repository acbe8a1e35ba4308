"""This module reads what an input says of a person, and says what is wrong with it."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import msgspec

from hub.commands.asker import Input, Problems
from schema.persons import PERSONAL

TEXT_LENGTH: Final = 20_000
"""Characters of one text written by a person: about seven pages."""


def person_documents(person: Input | None) -> dict[str, bytes]:
    """Give what an input says of a person, a JSON document a category; what was left out is not there."""
    return {
        str(category): msgspec.json.encode(person[category.lower()])
        for category in PERSONAL
        if person and person.get(category.lower()) is not None
    }


def judge_person(person: Input | None, found: Problems, today: date) -> None:
    """Refuse what judge_texts does, and a contact that could lead somebody into harm."""
    judge_texts(person, found, today)
    if person and person.get("contact"):
        judge_contact(person["contact"], found)


def judge_texts(person: Input | None, found: Problems, today: date) -> None:
    """Refuse blank and endless texts and days to come, wherever they stand."""
    for path, value in _leaves(person or {}, ("person",)):
        if isinstance(value, date) and value > today:
            found.add("IN_THE_FUTURE", "This day is still to come.", *path)
        if type(value) is str:
            judge_text(value, found, *path)


def judge_contact(contact: Input, found: Problems) -> None:
    """Refuse what leaves a reader guessing: whom to go through, what is wrong with a channel, or which channel is safe."""
    channels, direct = contact.get("channels") or [], contact["mayContactDirectly"]
    unsafe = any(not channel["safe"] for channel in channels)
    if not contact.get("instructions") and (unsafe or not direct):
        why = (
            "what makes the channel unsafe, and what to do instead"
            if direct
            else "through whom, or how, they are reached"
        )
        found.add("REQUIRED", f"Say {why}: whoever reads the contact must not have to guess.", "person", "contact", "instructions")  # fmt: skip
    if direct and not any(channel["safe"] for channel in channels):
        found.add("UNSAFE_CONTACT", "Who may be contacted directly needs a safe channel: name one, or say false.", "person", "contact", "mayContactDirectly")  # fmt: skip


def judge_text(text: str, found: Problems, *path: str | int, required: str = "") -> None:
    """Refuse a text that says nothing, with `required` as what it should say where it must, or that has no end."""
    if not text.strip() and required:
        found.add("REQUIRED", required, *path)
    elif not text.strip():
        found.add("BLANK", "Leave the field out instead of sending it blank.", *path)
    elif len(text) > TEXT_LENGTH:
        found.add("TOO_LONG", f"A text has at most {TEXT_LENGTH:,} characters.", *path)


def _leaves(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(each, (*path, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _leaves(each, (*path, number))
    else:
        yield path, value

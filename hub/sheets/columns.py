"""This module names the columns of a sheet of referrals: one for each value of SubmitReferralInput, as the schema has it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

from graphql import GraphQLEnumType, get_named_type, is_input_object_type, is_list_type, is_non_null_type

from schema.query import SCHEMA

Path = tuple[str, ...]
INPUT: Final = "SubmitReferralInput"
NOT_TYPED: Final = ("idempotencyKey", "linkage")
"""What a program makes, not a person with a sheet."""
NUMBER: Final = re.compile(r"(?<=\.)[1-9](?=\.)")
EXAMPLE_REFERENCE: Final = "EXAMPLE-DELETE-THIS-ROW"
EXAMPLE: Final = {
    "clientReference": EXAMPLE_REFERENCE,
    "to": "icorn",
    "discipline": "WRITER",
    "origin": "XX",
    "urgency": "URGENT",
    "reason": "Invented: threatened after an essay; asks for a place to write.",
    "profile.biography": "Essayist.",
    "profile.languages": "en; fr",
    "profile.works.1.title": "An Invented Book",
    "profile.works.1.year": "2019",
    "profile.works.1.kind": "essays",
    "identity.givenName": "Example",
    "identity.familyName": "Person",
    "identity.pseudonyms": "E. P.; Nobody",
    "identity.bornOn": "1985-04-30",
    "identity.nationalities": "XX",
    "contact.channels.1.kind": "signal",
    "contact.channels.1.address": "example.01",
    "contact.channels.1.safe": "yes",
    "contact.instructions": "Write in the evening only.",
    "contact.mayContactDirectly": "yes",
    "consents.1.decision": "ALLOW",
    "consents.1.recipients.organisations": "icorn",
    "consents.1.categories": "OVERVIEW; PROFILE; IDENTITY; CONTACT",
    "consents.1.givenOn": "2026-05-01",
    "consents.1.evidence": "Signed form, in our archive.",
}
MEANING: Final = {
    "clientReference": "your own number for this referral: a word without a name in it, another in each row, and the same for ever",
    "to": "whom the person is referred to: an organisation's code; empty is ICORN",
    "discipline": "what the person does",
    "origin": "the country whose dangers the person flees",
    "urgency": "how soon somebody must look at it",
    "reason": "why the person is referred, in your words",
    "contact.channels.1.safe": "whether this way to the person is safe",
    "contact.instructions": "through whom, when and how; needed when a channel is unsafe or the person must not be contacted directly",
    "contact.mayContactDirectly": "whether the recipient may contact the person itself",
    "whereabouts.inHiding": "whether nobody must know where the person is",
    "consents.1.decision": "what the person said",
    "consents.1.recipients.organisations": "to whom the decision applies: their codes; or say yes in consents.1.recipients.everyPartner",
    "consents.1.recipients.everyPartner": "yes when the person spoke of every partner; else leave it empty",
    "consents.1.categories": "what the person spoke of: OVERVIEW always, and each category that you fill in",
    "consents.1.givenOn": "the day on which the person decided",
    "consents.1.validUntil": "the last day on which it holds; empty is until it is withdrawn",
    "consents.1.evidence": "how you know: a signed form, a recorded call",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: where its value goes in the input, and of which type it is."""

    path: Path
    type: Any
    many: bool
    required: bool

    @property
    def name(self) -> str:
        """Name it as a sheet's first row does."""
        return name_of(self.path)

    @property
    def form(self) -> str:
        """Say what stands in its cells."""
        words = FORMS.get(self.type.name, "text")
        if isinstance(self.type, GraphQLEnumType):
            words = f"one of {', '.join(self.type.values)}"
        return f"{words}; several with ; between" if self.many else words


FORMS: Final = {
    "Boolean": "yes or no",
    "Int": "a whole number, like 2019",
    "ID": "an organisation's code, like icorn",
    "Date": "a day like 2026-05-01 (format the column as text, or as yyyy-mm-dd)",
    "CountryCode": "two capital letters, like IR",
    "LanguageTag": "a code like fa or zh-Hans",
}


def name_of(path: Path) -> str:
    """Name the column of a path, counting from one; what is said of a person needs no `person` before it.

    >>> name_of(("person", "profile", "works", "0", "title"))
    'profile.works.1.title'
    """
    shown = path[1:] if path[:1] == ("person",) else path
    return ".".join(str(int(part) + 1) if part.isdigit() else part for part in shown)


@cache
def columns() -> dict[str, Column]:
    """Give every column by its name, in the schema's order; of lists of things the first thing's."""
    return {column.name: column for column in _walk(input_type(), ())}


def input_type() -> Any:
    """Give the type that a row becomes."""
    return SCHEMA._schema.type_map[INPUT]  # noqa: SLF001 graphql-core's schema is kept there


def _walk(kind: Any, path: Path) -> Iterator[Column]:
    for name, field in kind.fields.items():
        if name in NOT_TYPED:
            continue
        inner = field.type.of_type if is_non_null_type(field.type) else field.type
        many, leaf = is_list_type(inner), get_named_type(field.type)
        if is_input_object_type(leaf):
            yield from _walk(leaf, (*path, name, "0") if many else (*path, name))
        else:
            yield Column((*path, name), leaf, many, is_non_null_type(field.type))


def find(header: str) -> tuple[Column, Path] | None:
    """Find the column that a first row names, and where its values go: `works.2.title` is of the second work."""
    column = columns().get(NUMBER.sub("1", header))
    if column is None or len(numbers := NUMBER.findall(header)) > 1:
        return None
    return column, tuple(str(int(numbers[0]) - 1) if part == "0" else part for part in column.path)


def nearest(header: str) -> str | None:
    """Guess which column was meant."""
    return next(iter(get_close_matches(header, columns(), 1, 0.75)), None)


def letter(position: int) -> str:
    """Name a column as spreadsheets do, by its position from zero.

    >>> letter(0), letter(27)
    ('A', 'AB')
    """
    before, last = divmod(position, 26)
    return (letter(before - 1) if before else "") + chr(ord("A") + last)

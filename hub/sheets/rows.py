"""This module makes a row of a sheet what submitReferral takes, and finds all that can be known to be wrong before anything is sent.

The rules are the hub's own: the schema says what is needed, and the functions that the hub judges an input by judge it here.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from graphql import get_named_type, is_input_object_type, is_non_null_type

from hub.commands.asker import Organisation, Problems
from hub.commands.consent import Given, judge_decision
from hub.commands.person import judge_contact, judge_text, judge_texts, person_documents
from hub.commands.referrals import judge_consent
from hub.sheets.cells import CellError, parse
from hub.sheets.columns import EXAMPLE_REFERENCE, NOT_TYPED, Path, columns, input_type, name_of
from hub.sheets.reading import Flaw, Sheet

REFERENCE: str = "clientReference"


@dataclass
class Row:
    """One row: its number in the sheet, what it becomes, and what is wrong with it."""

    number: int
    input: dict[str, Any] = field(default_factory=dict, repr=False)
    flaws: list[Flaw] = field(default_factory=list)

    def flaw(self, path: Path, text: str) -> None:
        """Note what is wrong with the value of a path."""
        self.flaws.append(Flaw(self.number, name_of(path), text))

    def whole(self, *path: str) -> bool:
        """Say whether nothing is wrong yet below a path."""
        name = name_of(path)
        return not any(flaw.column.startswith(name) for flaw in self.flaws)

    def sent(self) -> dict[str, Any]:
        """Give the input as it goes over the wire."""
        told: dict[str, Any] = json.loads(json.dumps(self.input, default=str))
        return told

    def key(self, secret: bytes) -> str:
        """Name what the row says: the same row has the same idempotency key in every file, which nobody else can work out."""
        text = json.dumps(self.sent(), sort_keys=True, ensure_ascii=True)
        return "sheet-" + hmac.digest(secret, text.encode(), hashlib.sha256).hex()


def rows(sheet: Sheet, organisations: Mapping[str, Organisation], today: date) -> list[Row]:
    """Make every row an input, with all that is wrong; `organisations` are those there are, by their ids."""
    made = [_row(sheet, number, cells) for number, cells in sheet.rows.items()]
    seen: dict[str, int] = {}
    for row in made:
        _need(row, input_type(), row.input, ())
        _judge_reference(row, seen)
        _judge(row, organisations, today)
    return made


def _row(sheet: Sheet, number: int, cells: list[str]) -> Row:
    row = Row(number)
    tree: dict[str, Any] = {"person": {}, "consents": {"0": {}}}
    for position, heading in sheet.headings.items():
        cell = cells[position] if position < len(cells) else ""
        if not cell.strip():
            continue
        *before, last = heading.path
        place = tree
        for part in before:
            place = place.setdefault(part, {})
        try:
            place[last] = parse(cell, heading.column)
        except CellError as error:
            place[last] = None
            row.flaw(heading.path, str(error))
    row.input = tree
    _close_up(row, tree, ())
    return row


def _close_up(row: Row, tree: dict[str, Any], path: Path) -> None:
    """Make lists of what was numbered; a number left out would make the hub's own numbers others than the sheet's."""
    for name, value in tree.items():
        if not isinstance(value, dict):
            continue
        _close_up(row, value, (*path, name))
        if value and all(part.isdigit() for part in value):
            if sorted(map(int, value)) != list(range(len(value))):
                row.flaw((*path, name, "0"), "Begin with 1, and leave no number out.")
            tree[name] = [value[part] for part in sorted(value, key=int)]


def _need(row: Row, kind: Any, value: dict[str, Any], path: Path) -> None:
    if kind.is_one_of:
        if len(value) != 1:
            names = " or ".join(name_of((*path, name)) for name in kind.fields)
            row.flaw((*path, next(iter(kind.fields))), f"Fill in one of {names}.")
        return
    for name, item in kind.fields.items():
        leaf, place = get_named_type(item.type), (*path, name)
        given = value.get(name)
        if is_input_object_type(leaf):
            if given is None and is_non_null_type(item.type):
                given = {}
            if isinstance(given, dict):
                _need(row, leaf, given, place)
            for number, each in enumerate(given if isinstance(given, list) else ()):
                _need(row, leaf, each, (*place, str(number)))
        elif name not in value and name not in NOT_TYPED and is_non_null_type(item.type):
            row.flaw(place, f"Needed: {columns()[_first(place)].form}.")


def _first(path: Path) -> str:
    return name_of(tuple("0" if part.isdigit() else part for part in path))


def _judge_reference(row: Row, seen: dict[str, int]) -> None:
    if not row.whole(REFERENCE):
        return
    reference = row.input.get(REFERENCE)
    if reference is None:
        row.flaw((REFERENCE,), "Needed: your own number for this referral, so that a second run submits nothing twice.")
    elif reference == EXAMPLE_REFERENCE:
        row.flaw((REFERENCE,), "This is the template's example: delete the row.")
    elif (first := seen.setdefault(reference, row.number)) != row.number:
        row.flaw((REFERENCE,), f"Row {first} has the same: each referral has its own.")


def _judge(row: Row, organisations: Mapping[str, Organisation], today: date) -> None:
    given, found = row.input, Problems()
    judge_texts(given["person"], found, today)
    if isinstance(given.get("reason"), str):
        judge_text(given["reason"], found, "reason", required="Say why the person is referred.")
    if given["person"].get("contact") and row.whole("person", "contact"):
        judge_contact(given["person"]["contact"], found)
    recipient = _recipient(row, organisations)
    agreed: list[Given] = []
    spoken = Problems()
    for number, consent in enumerate(given["consents"]):
        place = ("consents", str(number))
        if row.whole(*place):
            judge_decision(consent, tuple(consent["categories"]), spoken, today, place)
            agreed += _given(row, consent, place, organisations)
    if recipient and row.whole("consents") and row.whole("to") and not spoken.found:
        judge_consent(recipient, agreed, person_documents(given["person"]), found, today)
    for problem in (*found.found, *spoken.found):
        row.flaw(tuple(problem["path"][1:]), problem["message"])


def _recipient(row: Row, organisations: Mapping[str, Organisation]) -> Organisation | None:
    to = row.input.get("to")
    if to is None:
        return next((each for each in organisations.values() if each.kind == "ICORN"), None)
    if to not in organisations:
        row.flaw(("to",), "There is no organisation of this code.")
    return organisations.get(to)


def _given(
    row: Row, consent: dict[str, Any], place: Path, organisations: Mapping[str, Organisation]
) -> Iterator[Given]:
    said = consent["recipients"]
    named: list[int | None] = []
    if "everyPartner" in said:
        if not said["everyPartner"]:
            row.flaw((*place, "recipients", "everyPartner"), "Say yes, or name the organisations.")
        named.append(None)
    for identifier in said.get("organisations", ()):
        if identifier in organisations:
            named.append(organisations[identifier].id)
        else:
            row.flaw((*place, "recipients", "organisations"), "There is no organisation of one of these codes.")
    for each in named:
        yield Given(consent["decision"], each, tuple(consent["categories"]), consent["givenOn"], consent.get("validUntil"), consent["evidence"])  # fmt: skip

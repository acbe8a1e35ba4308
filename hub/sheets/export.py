"""This module writes the referrals that a client sees, page by page as they come: as CSV for a spreadsheet, as JSON Lines for a program."""

import csv
import json
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from typing import Any, Final, Protocol

from graphql import get_named_type, is_object_type

from hub.sheets.cells import safe, worded
from hub.sheets.patience import Patient
from hub.sheets.sending import WHO
from schema.query import SCHEMA

PAGE: Final = 50
PLAIN: Final = (
    "reference", "clientReference", "from", "to", "status", "urgency", "discipline", "origin", "submittedAt", "updatedAt",
    "declineReason", "reason", "sharedCategories",
)  # fmt: skip
PARTIES: Final = ("from", "to")
CONSENTS: Final = "consents { decision organisation { code } categories givenOn validUntil withdrawnAt evidence }"
REFERRALS: Final = (
    "query Export($first: Int, $after: String) { referrals(first: $first, after: $after)"
    " { totalCount edges { node { %s } } pageInfo { hasNextPage endCursor } } }"
)


class Output(Protocol):
    """Where text goes."""

    def write(self, text: str, /) -> object:
        """Take some text."""


@cache
def personal() -> dict[str, tuple[str, ...]]:
    """Give what the schema has said of a referred person: the fields of each category."""
    return {
        name: tuple(_type(field).fields) for name, field in _person().fields.items() if is_object_type(_type(field))
    }


def _person() -> Any:
    return SCHEMA._schema.type_map["ReferredPerson"]  # noqa: SLF001 graphql-core's schema is kept there


def _type(field: Any) -> Any:
    return get_named_type(field.type)


def _selection(kind: Any) -> str:
    fields = (
        f"{name} {{ {_selection(_type(field))} }}" if is_object_type(_type(field)) else name
        for name, field in kind.fields.items()
    )
    return " ".join(fields)


def operation(*, consents: bool) -> str:
    """Give the operation that asks for a page of referrals."""
    plain = (f"{name} {{ code }}" if name in PARTIES else name for name in PLAIN)
    return REFERRALS % " ".join((*plain, f"person {{ {_selection(_person())} }}", CONSENTS if consents else ""))


async def referrals(hub: Patient, told: Callable[[int | None], None]) -> AsyncIterator[dict[str, Any]]:
    """Give each referral that the client sees, newest first; `told` hears how many there are, if the hub says so."""
    scopes = (await hub.ask(WHO, {}))["viewer"]["scopes"]
    async for page in hub.pages(operation(consents="consents:read" in scopes), "referrals", PAGE):
        told(page["totalCount"])
        for edge in page["edges"]:
            yield edge["node"]


def write_line(output: Output) -> Callable[[dict[str, Any]], object]:
    """Write referrals as JSON Lines: each as the API has it."""
    return lambda node: output.write(json.dumps(node, ensure_ascii=False) + "\n")


def write_row(output: Output) -> Callable[[dict[str, Any]], object]:
    """Write referrals as CSV that spreadsheets open as what it is: UTF-8 by its mark, and no cell a formula."""
    output.write("\ufeff")
    writer = csv.writer(output)
    writer.writerow(header())
    return lambda node: writer.writerow(map(safe, cells(node)))


def header() -> list[str]:
    """Name the columns, those of a person as a sheet to submit does."""
    of_person = [f"{category}.{name}" for category, names in personal().items() for name in names]
    return [*PLAIN, *of_person, "withheld", "consents"]


def cells(node: dict[str, Any]) -> Iterator[str]:
    """Give the cells of a referral: of what is withheld they are empty, and the column `withheld` names it."""
    for name in PLAIN:
        yield worded(node[name]["code"] if name in PARTIES else node[name])
    person = node["person"] or {}
    for category, names in personal().items():
        said = person.get(category) or {}
        yield from (worded(said.get(name)) for name in names)
    yield worded(person.get("withheld"))
    yield worded([_consent(each) for each in node.get("consents") or ()])


def _consent(said: dict[str, Any]) -> dict[str, Any]:
    return {**said, "organisation": said["organisation"]["code"] if said["organisation"] else "every partner"}

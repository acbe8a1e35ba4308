"""This module reads consents out of an input, and says what is wrong with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.commands.asker import Asker, Input, Organisation, Problems
from hub.commands.person import judge_text
from schema.enums import Category


@dataclass(frozen=True)
class Given:
    """One decision of the person; `organisation` None is every partner."""

    decision: str
    organisation: int | None
    categories: tuple[str, ...]
    given_on: date
    valid_until: date | None
    evidence: str

    def covers(self, recipient: Organisation, category: str, today: date) -> bool:
        """Tell whether it speaks of this recipient and category, today."""
        in_force = self.given_on <= today and (self.valid_until is None or today <= self.valid_until)
        return in_force and category in self.categories and self.organisation in (None, recipient.id)


async def consents(asker: Asker, inputs: list[Input], found: Problems, today: date, *path: str | int) -> list[Given]:
    """Read consents, one for each organisation named; every problem is noted beside its field."""
    made: list[Given] = []
    for number, given in enumerate(inputs):
        place = (*path, number) if len(inputs) > 1 or path[-1] == "consents" else path
        categories = tuple(str(c) for c in given["categories"])
        judge_decision(given, categories, found, today, place)
        made += [
            Given(
                str(given["decision"]),
                organisation,
                categories,
                given["givenOn"],
                given.get("validUntil"),
                given["evidence"],
            )
            for organisation in await _recipients(asker, given["recipients"], found, place)
        ]
    return made


def judge_decision(
    given: Input, categories: tuple[str, ...], found: Problems, today: date, place: tuple[str | int, ...]
) -> None:
    """Refuse a decision that says nothing, speaks of what is never shared, or is of a day to come."""
    if not categories:
        found.add("REQUIRED", "Say which categories the person spoke of.", *place, "categories")
    if Category.ASSESSMENT in categories:
        found.add("NOT_SHAREABLE", "ASSESSMENT is ICORN's own and is never shared.", *place, "categories")
    if given["givenOn"] > today:
        found.add("IN_THE_FUTURE", "A consent cannot be given on a day to come.", *place, "givenOn")
    if given.get("validUntil") is not None and given["validUntil"] < given["givenOn"]:
        found.add("ENDS_BEFORE_IT_STARTS", "validUntil must not be before givenOn.", *place, "validUntil")
    judge_text(
        given["evidence"],
        found,
        *place,
        "evidence",
        required="Say how the decision is known: a signed form, a recorded call.",
    )


async def _recipients(
    asker: Asker, given: Input, found: Problems, place: tuple[str | int, ...]
) -> Iterable[int | None]:
    if given.get("everyPartner") is not None:
        if given["everyPartner"]:
            return [None]
        found.add(
            "REQUIRED",
            "Everyone must be said: name the organisations, or set everyPartner to true.",
            *place,
            "recipients",
            "everyPartner",
        )
        return []
    if not given["organisations"]:
        found.add("REQUIRED", "Name at least one organisation.", *place, "recipients", "organisations")
    named = [await asker.organisation(identifier) for identifier in given["organisations"]]
    for number, organisation in enumerate(named):
        if organisation is None:
            found.add(
                "NOT_FOUND", "There is no organisation with this id.", *place, "recipients", "organisations", number
            )
    return list(dict.fromkeys(organisation.id for organisation in named if organisation))


async def store_consents(
    asker: Asker, given: list[Given], evidence: list[bytes], *, referral: Any = None, case: Any = None
) -> list[Any]:
    """Write consents down, in one statement, so that access is judged once."""
    ids = [asker.new_id(f"consent {number}") for number in range(len(given))]
    await asker.connection.executemany(
        "insert into consent (id, case_id, referral_id, decision, organisation, categories, given_on, valid_until, recorded_by, evidence)"
        " values ($1, $2, $3, $4::text::consent_decision, $5, $6::text[]::category[], $7, $8, $9, $10)",
        [
            (
                i,
                case,
                referral,
                c.decision,
                c.organisation,
                list(c.categories),
                c.given_on,
                c.valid_until,
                asker.principal.organisation,
                sealed,
            )
            for i, c, sealed in zip(ids, given, evidence, strict=True)
        ],
    )
    return ids

"""This module holds data-sharing agreements: what opens which cases to an organisation, and until when."""

import strawberry

from schema.agreement_rows import AGREEMENT_REASON, CLOSES, EFFECT, OPENS
from schema.edges import AgreementRef, OrganisationRef
from schema.enums import AgreementStatus, Category, Discipline
from schema.fields import One, SealedText, Where, column, given, many, noun, one, source
from schema.nodes import Node
from schema.rows import AGREEMENT, APPROVAL, ORGANISATION
from schema.scalars import CountryCode, DateTime

EFFECT_OF_TERMS = One(
    EFFECT,
    carried={
        "organisation": ("input.organisation", "text"),
        "categories": ("input.categories", "text[]"),
        "origins": ("input.origins", "text[]"),
        "disciplines": ("input.disciplines", "text[]"),
        "starts": ("input.validFrom", "timestamptz"),
        "ends": ("input.validUntil", "timestamptz"),
        "replaces": ("input.replaces", "text"),
    },
)


@noun()
class Approval:
    """One side's signature under an agreement."""

    organisation: OrganisationRef = one(ORGANISATION, "{row}.organisation = {parent}.organisation")
    by: str = column("approver", description="The client by which it was given; who used it stands in that side's log.")
    at: DateTime = column("at")


@noun(
    rows=AGREEMENT,
    places={"agreement": Where("{row}.agreement = {value}::uuid", "uuid:agreement")},
    description="A data-sharing agreement: which categories of which cases an organisation may see, for what purpose, and until when.",
)
class Agreement(Node):
    """A data-sharing agreement with one organisation."""

    id: strawberry.ID = column("'agreement_' || {row}.agreement")
    organisation: OrganisationRef = one(ORGANISATION, "{row}.organisation = {parent}.organisation")
    status: AgreementStatus = column("status")
    purpose: str = column("purpose")
    categories: list[Category] = column("categories")
    origins: list[CountryCode] | None = column("origins")
    disciplines: list[Discipline] | None = column("disciplines")
    valid_from: DateTime = column("valid_from")
    valid_until: DateTime | None = column("valid_until")
    approvals: list[Approval] = many(APPROVAL, "{row}.agreement = {parent}.agreement", "{row}.at, {row}.organisation")
    version: int = column("version", description="1, or one more than that of the agreement it replaces.")
    replaces: AgreementRef | None = one(
        AGREEMENT,
        "{row}.agreement = {parent}.replaces",
        description="The earlier one, which ends when this one begins.",
    )
    ended_at: DateTime | None = column("ended_at")
    ended_by: OrganisationRef | None = one(
        ORGANISATION,
        "{row}.organisation = {parent}.ended_by",
        description="The side that ended it; null where another agreement took its place.",
    )
    end_reason: str | None = source(SealedText(AGREEMENT_REASON, "REASON"), description="Why, as that side wrote it.")


@noun()
class CategoryCount:
    """How many cases one category would open or close of."""

    category: Category = column("category")
    cases: int = column("cases")


@noun(
    description="What an agreement would open and close when it begins, by the rule itself. Told to ICORN alone, of cases that the viewer sees."
)
class AgreementEffect:
    """What an agreement would open and close."""

    opens: list[CategoryCount] = many(OPENS, "{row}.cases > 0", "{row}.category")
    closes: list[CategoryCount] = many(CLOSES, "{row}.cases > 0", "{row}.category")


@strawberry.input
class AgreementTerms:
    """What an agreement says; no origins or disciplines are all of them, an empty list is none."""

    organisation: strawberry.ID
    categories: list[Category]
    origins: list[CountryCode] | None = given()
    disciplines: list[Discipline] | None = given()
    valid_from: DateTime | None = given()
    valid_until: DateTime | None = given()
    replaces: strawberry.ID | None = given()


@strawberry.input
class ProposeAgreementInput:
    """An agreement as the asker's side would sign it; `replaces` names the active one that it shall take the place of."""

    idempotency_key: str
    organisation: strawberry.ID
    purpose: str
    categories: list[Category]
    origins: list[CountryCode] | None = given()
    disciplines: list[Discipline] | None = given()
    valid_from: DateTime | None = given()
    valid_until: DateTime | None = given()
    replaces: strawberry.ID | None = given()


@strawberry.input
class ApproveAgreementInput:
    """The asker's side's signature."""

    idempotency_key: str
    agreement: strawberry.ID


@strawberry.input
class EndAgreementInput:
    """The end of an agreement, or of a proposal, and why."""

    idempotency_key: str
    agreement: strawberry.ID
    reason: str

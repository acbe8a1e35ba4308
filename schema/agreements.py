"""This module holds data-sharing agreements: what opens which cases to an organisation, and until when."""

import strawberry

from schema.edges import OrganisationRef
from schema.enums import AgreementStatus, Category, Discipline
from schema.fields import Where, column, many, noun, one
from schema.nodes import Node
from schema.rows import AGREEMENT, APPROVAL, ORGANISATION
from schema.scalars import CountryCode, DateTime


@noun()
class Approval:
    """One side's signature under an agreement."""

    organisation: OrganisationRef = one(ORGANISATION, "{row}.organisation = {parent}.organisation")
    by: str = column("approver")
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

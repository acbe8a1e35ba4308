"""This module holds residencies. Where a person stays is WHEREABOUTS: a residency is there only for those who may see that."""

import strawberry

from auth.scopes import Scope
from schema.edges import CaseRef, CityRef
from schema.enums import ResidencyStatus
from schema.fields import Where, column, given, noun, one
from schema.nodes import Node
from schema.rows import CASE, CITY, RESIDENCY
from schema.scalars import Date


@noun(
    Scope.RESIDENCIES_READ,
    rows=RESIDENCY,
    places={
        "residency": Where(
            "{row}.pairwise = split_part({value}::text, '_', 1)::uuid and {row}.name = {value}::text", "child:residency"
        )
    },
    category="WHEREABOUTS",
)
class Residency(Node):
    """A stay in a city of refuge."""

    id: strawberry.ID = column("'residency_' || {row}.name")
    case: CaseRef | None = one(CASE, "{row}.case_id = {parent}.case_id")
    city: CityRef = one(CITY, "{row}.city = {parent}.city")
    status: ResidencyStatus = column("status")
    starts_on: Date | None = column("starts_on")
    ends_on: Date | None = column("ends_on")


@strawberry.input
class OfferResidencyInput:
    """A stay offered to a person: of two years from its start, if nothing is said of its end."""

    idempotency_key: str
    case: strawberry.ID
    city: strawberry.ID
    starts_on: Date | None = given()
    ends_on: Date | None = given()


@strawberry.input
class UpdateResidencyInput:
    """How a residency goes on, or its days: with the status that it has, nothing else changes."""

    idempotency_key: str
    residency: strawberry.ID
    status: ResidencyStatus
    starts_on: Date | None = given()
    ends_on: Date | None = given()

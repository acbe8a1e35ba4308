"""This module holds the organisations that take part; their names are public."""

import strawberry

from auth.scopes import Scope
from schema.cities import City
from schema.edges import AgreementRef
from schema.enums import OrganisationKind
from schema.fields import Order, Page, Where, column, many, noun, one
from schema.nodes import Node
from schema.rows import AGREEMENT, CITY, ORGANISATION

ORGANISATIONS = Page(ORGANISATION, "true", {"CODE": Order("code", "text")}, ("CODE", "ASC"), Order("code", "text"))
ORGANISATION_BY_CODE = Where("{row}.code = {value}::text")


@noun(rows=ORGANISATION, places={"organisation": Where("{row}.code = {value}::text", "key:organisation")})
class Organisation(Node):
    """ICORN, a sister organisation, or a city of refuge."""

    id: strawberry.ID = column("'organisation_' || {row}.code")
    code: str = column("code")
    name: str = column("name")
    kind: OrganisationKind = column("kind")
    website: str | None = column("website")
    city: City | None = one(CITY, "{row}.city = {parent}.city")
    agreements: list[AgreementRef] | None = many(
        AGREEMENT,
        "{row}.organisation = {parent}.organisation",
        "{row}.valid_from, {row}.agreement",
        Scope.ACCESS_MANAGE,
        description="What was proposed, is in force, or has ended; of another organisation, for ICORN alone.",
    )

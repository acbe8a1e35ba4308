"""This module holds the organisations that take part; their names are public."""

import strawberry

from auth.scopes import Scope
from schema.cities import City
from schema.edges import AgreementRef, ClientRef, UserRef
from schema.enums import OrganisationKind
from schema.fields import Order, Page, Where, column, given, many, noun, one
from schema.nodes import Node
from schema.rows import AGREEMENT, CITY, CLIENT, ORGANISATION, USER, WEBHOOK
from schema.scalars import CountryCode
from schema.webhooks import Webhook

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
    clients: list[ClientRef] | None = many(
        CLIENT, "{row}.organisation = {parent}.organisation", "{row}.client_id", Scope.ACCESS_MANAGE
    )
    users: list[UserRef] | None = many(
        USER, "{row}.organisation = {parent}.organisation", "{row}.usr", Scope.ACCESS_MANAGE
    )
    webhooks: list[Webhook] | None = many(
        WEBHOOK,
        "{row}.organisation = {parent}.organisation",
        "{row}.created_at, {row}.name",
        Scope.ACCESS_MANAGE,
        description="Where its events are sent; of the viewer's own organisation alone.",
    )


@strawberry.input
class CreateOrganisationInput:
    """An organisation, and its first admin: nothing is sent to the address. A CITY is one that is there, or is made in a country under the same code."""

    idempotency_key: str
    code: str
    name: str
    kind: OrganisationKind
    website: str | None = given()
    city: strawberry.ID | None = given()
    country: CountryCode | None = given()
    first_admin_email: str
    first_admin_name: str


@strawberry.input
class UpdateOrganisationInput:
    """What changes of an organisation. Suspended, its clients and people are refused at once, and what they were signed in with ends for good."""

    idempotency_key: str
    organisation: strawberry.ID
    name: str | None = given()
    website: str | None = given()
    suspended: bool | None = given()

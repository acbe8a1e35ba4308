"""This module holds retractions: what an organisation received and may hold no longer, and its receipt for having deleted it."""

import strawberry

from schema.edges import OrganisationRef
from schema.enums import Category
from schema.fields import Order, Page, SealedText, Where, column, given, noun, one, source
from schema.nodes import Node
from schema.rows import ORGANISATION, RETRACTION, RETRACTION_NOTE
from schema.scalars import DateTime

RETRACTIONS = Page(RETRACTION, "true", {"AT": Order("at", "timestamptz")}, ("AT", "DESC"), Order("name", "uuid"))
ACKNOWLEDGED = Where("({row}.acknowledged_at is not null) = {value}::boolean")


@noun(
    rows=RETRACTION,
    places={"retraction": Where("{row}.name = {value}::uuid", "uuid:retraction")},
    description="Something the viewer's organisation held and may hold no longer; it owes a receipt. ICORN reads everyone's.",
)
class Retraction(Node):
    """Something the viewer's organisation held and may hold no longer; it owes a receipt."""

    id: strawberry.ID = column("'retraction_' || {row}.name")
    organisation: OrganisationRef = one(
        ORGANISATION, "{row}.organisation = {parent}.organisation", description="Who owes the receipt."
    )
    subject: strawberry.ID = column(
        "{row}.kind || '_' || {row}.subject", description="The case or referral, as the viewer knew it."
    )
    categories: list[Category] = column("categories")
    at: DateTime = column("at")
    acknowledged_at: DateTime | None = column("acknowledged_at")
    note: str | None = source(
        SealedText(RETRACTION_NOTE, "NOTE"), description="Why it is not deleted yet, or how it was."
    )


@strawberry.input
class AcknowledgeRetractionInput:
    """The receipt: deleted, or not yet, and then why."""

    idempotency_key: str
    retraction: strawberry.ID
    deleted: bool
    note: str | None = given()

"""This module holds emergencies: a case's categories opened for hours to an organisation that breaks the glass."""

import strawberry

from auth.scopes import Scope
from schema.edges import OrganisationRef
from schema.enums import Category
from schema.fields import SealedText, column, given, noun, one, source
from schema.rows import EMERGENCY_REASON, ORGANISATION
from schema.scalars import DateTime


@noun(
    Scope.CASES_EMERGENCY,
    description="Glass that an organisation broke. A sealed case opens only once ICORN has approved it; consent and holds count as ever.",
)
class Emergency:
    """Glass that an organisation broke."""

    organisation: OrganisationRef = one(ORGANISATION, "{row}.organisation = {parent}.organisation")
    categories: list[Category] = column("categories")
    asked_at: DateTime = column("asked_at")
    waits: bool = column("waits", description="Waits for ICORN's approval, as the case is sealed.")
    approved_at: DateTime | None = column("approved_at")
    until: DateTime | None = column("until", description="When it ends; null while nothing opens.")
    reason: str | None = source(SealedText(EMERGENCY_REASON, "REASON"))


@strawberry.input
class BreakGlassInput:
    """An emergency: which categories of which case, and why."""

    idempotency_key: str
    case: strawberry.ID
    categories: list[Category]
    reason: str


@strawberry.input
class ApproveBreakGlassInput:
    """ICORN's approval of what waits for it about a sealed case: whose, where several ask, and of what was asked by then."""

    idempotency_key: str
    case: strawberry.ID
    organisation: strawberry.ID | None = given()
    asked_until: DateTime | None = given()

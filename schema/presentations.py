"""This module holds presentations: a candidate is shown to a city for a time, and the city decides."""

import strawberry

from auth.scopes import Scope
from schema.edges import CaseRef, CityRef
from schema.enums import Category, PresentationAnswer, PresentationStatus
from schema.fields import Order, Page, SealedText, Where, column, given, noun, one, source
from schema.nodes import Node
from schema.rows import CASE, CITY, PRESENTATION, PRESENTATION_NOTE
from schema.scalars import DateTime

PRESENTATIONS = Page(PRESENTATION, "true", {"AT": Order("at", "timestamptz")}, ("AT", "DESC"), Order("name", "uuid"))
BY_STATUS = Where("{row}.status = any ({value}::text[])")


@noun(
    Scope.PRESENTATIONS_READ,
    rows=PRESENTATION,
    places={"presentation": Where("{row}.name = {value}::uuid", "uuid:presentation")},
    category="OVERVIEW",
    description="A city is shown a candidate, and decides. It is there while the city sees the case, and once it has answered.",
)
class Presentation(Node):
    """A city is shown a candidate, and decides."""

    id: strawberry.ID = column("'presentation_' || {row}.name")
    case: CaseRef | None = one(CASE, "{row}.case_id = {parent}.case_id")
    city: CityRef = one(CITY, "{row}.city = {parent}.city")
    status: PresentationStatus = column("status")
    categories: list[Category] = column("categories")
    until: DateTime = column("until")
    answered_at: DateTime | None = column("answered_at")
    note: str | None = source(
        SealedText(PRESENTATION_NOTE, "NOTE"),
        description="What the city said to its answer: for whoever sees the case.",
    )


@strawberry.input
class PresentCaseInput:
    """A candidate shown to cities until a time, in these categories and no others."""

    idempotency_key: str
    case: strawberry.ID
    cities: list[strawberry.ID]
    categories: list[Category]
    until: DateTime


@strawberry.input
class AnswerPresentationInput:
    """The city's own decision."""

    idempotency_key: str
    presentation: strawberry.ID
    answer: PresentationAnswer
    note: str | None = given()

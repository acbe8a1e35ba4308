"""This module holds what ICORN's desk is asked to do with cases: the input of each mutation."""

import strawberry

from schema.enums import CaseStatus, Category, Discipline, RiskLevel
from schema.fields import given
from schema.persons import AssessmentInput, PersonInput
from schema.scalars import CountryCode, DateTime


@strawberry.input
class OpenCaseInput:
    """A case opened from a referral, from a feed record, or from a first conversation."""

    idempotency_key: str
    referral: strawberry.ID | None = given()
    feed_record: strawberry.ID | None = given()
    discipline: Discipline | None = given()
    origin: CountryCode | None = given()
    risk_level: RiskLevel
    person: PersonInput | None = given()


@strawberry.input
class UpdateCaseInput:
    """A case changed as it was read: what is left out stays, null clears, and a list takes the place of another."""

    idempotency_key: str
    case: strawberry.ID
    expected_version: str
    status: CaseStatus | None = given()
    risk_level: RiskLevel | None = given()
    discipline: Discipline | None = given()
    origin: CountryCode | None = given()
    person: PersonInput | None = given()
    assessment: AssessmentInput | None = given()


@strawberry.input
class SealCaseInput:
    """Out of every agreement's reach, or no longer."""

    idempotency_key: str
    case: strawberry.ID
    sealed: bool
    reason: str


@strawberry.input
class UnshareCaseInput:
    """No longer shared with this organisation."""

    idempotency_key: str
    case: strawberry.ID
    organisation: strawberry.ID
    reason: str


@strawberry.input
class MergeCasesInput:
    """Two cases of one person: `merge` becomes part of `keep`, which answers by the names of both. It is not undone."""

    idempotency_key: str
    keep: strawberry.ID
    merge: strawberry.ID
    reason: str


@strawberry.input
class ShareCaseInput:
    """One case opened to one organisation, until a date."""

    idempotency_key: str
    case: strawberry.ID
    organisation: strawberry.ID
    categories: list[Category]
    until: DateTime | None = given()
    reason: str


@strawberry.input
class LegalHoldInput:
    """Not to be erased, or no longer. One person proposes it, another one confirms."""

    idempotency_key: str
    case: strawberry.ID
    held: bool
    reason: str


@strawberry.input
class EraseCaseInput:
    """A case to be destroyed; its reference is asked for again, so that it is no other."""

    idempotency_key: str
    case: strawberry.ID
    reason: str
    confirm_reference: str


@strawberry.input
class LinkRecordsInput:
    """Feed records said to be of the same person."""

    idempotency_key: str
    case: strawberry.ID
    records: list[strawberry.ID]
    reason: str


@strawberry.input
class HoldCaseInput:
    """Never to this organisation, whatever else allows it; or no longer held."""

    idempotency_key: str
    case: strawberry.ID
    organisation: strawberry.ID
    held: bool
    reason: str

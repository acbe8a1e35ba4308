"""This module holds the person's own decisions, and who may read them."""

import strawberry

from auth.scopes import Scope
from schema.edges import CaseRef, OrganisationRef
from schema.enums import Category, ConsentDecision
from schema.fields import SealedText, Where, column, given, noun, one, source
from schema.nodes import Node
from schema.rows import CASE, CONSENT, CONSENT_EVIDENCE, ORGANISATION
from schema.scalars import Date, DateTime

# A consent given with a referral is known by it until there is a case that the viewer may see.
BY_CASE = Where(
    "{row}.case_pairwise = split_part({value}::text, '_', 1)::uuid and {row}.case_name = {value}::text", "child:consent"
)
BY_REFERRAL = Where(
    "{row}.referral_pairwise = split_part({value}::text, '_', 1)::uuid and {row}.referral_name = {value}::text",
    "child:agreed",
)


@noun(
    Scope.CONSENTS_READ,
    rows=CONSENT,
    places={"consent": BY_CASE, "agreed": BY_REFERRAL},
    category="OVERVIEW",
    description="The person's own decision. `organisation` null means every partner, and is only ever set by saying so."
    " DENY beats ALLOW. Withdrawing takes effect at once, everywhere.",
)
class Consent(Node):
    """The person's own decision."""

    id: strawberry.ID = column("coalesce('consent_' || {row}.case_name, 'agreed_' || {row}.referral_name)")
    case: CaseRef | None = one(CASE, "{row}.case_id = {parent}.case_id")
    decision: ConsentDecision = column("decision")
    organisation: OrganisationRef | None = one(ORGANISATION, "{row}.organisation = {parent}.organisation")
    categories: list[Category] = column("categories")
    given_on: Date = column("given_on")
    valid_until: Date | None = column("valid_until")
    withdrawn_at: DateTime | None = column("withdrawn_at")
    evidence: str | None = source(SealedText(CONSENT_EVIDENCE, "EVIDENCE"))


@strawberry.input(one_of=True, description="Everyone must be said; leaving it out is an error.")
class RecipientsInput:
    """Whom the person speaks of."""

    organisations: list[strawberry.ID] | None = given()
    every_partner: bool | None = given()


@strawberry.input
class ConsentInput:
    """A decision as the person gave it, and how that is known."""

    decision: ConsentDecision
    recipients: RecipientsInput
    categories: list[Category]
    given_on: Date
    valid_until: Date | None = given()
    evidence: str


@strawberry.input
class RecordConsentInput:
    """A decision of the person, about a case or a referral."""

    idempotency_key: str
    case: strawberry.ID | None = given()
    referral: strawberry.ID | None = given()
    consent: ConsentInput


@strawberry.input
class WithdrawConsentInput:
    """The person takes a decision back."""

    idempotency_key: str
    consent: strawberry.ID
    reason: str | None = given()

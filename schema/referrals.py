"""This module holds referrals: one organisation hands a person to another, with the person's consent."""

import strawberry

from auth.scopes import Scope
from schema.consents import Consent, ConsentInput
from schema.edges import CaseRef, ReferralRef
from schema.enums import (
    Category,
    DeclineReason,
    Discipline,
    ReferralEventKind,
    ReferralResponse,
    ReferralStatus,
    Urgency,
)
from schema.fields import (
    Nested,
    Order,
    Page,
    SealedText,
    Where,
    asked,
    column,
    given,
    many,
    named,
    noun,
    one,
    source,
    where,
)
from schema.nodes import Connection, Node
from schema.ordering import Direction, ReferralOrderField
from schema.organisations import Organisation
from schema.persons import PersonInput, ReferredPerson
from schema.rows import CASE, CONSENT, EVENT, MESSAGE, ORGANISATION, REFERRAL, REFERRED_PERSON, referral_text
from schema.scalars import CountryCode, DateTime

BY_ORDINAL = "{row}.pairwise = split_part({value}::text, '_', 1)::uuid and {row}.ordinal = split_part({value}::text, '_', 2)::int"


REFERRALS = Page(
    REFERRAL,
    "true",
    {
        "SUBMITTED_AT": Order("submitted_at", "timestamptz"),
        "UPDATED_AT": Order("updated_at", "timestamptz"),
        "URGENCY": Order("urgency", "urgency"),
    },
    ("SUBMITTED_AT", "DESC"),
    Order("pairwise", "uuid"),
)
EVENTS = Page(
    EVENT,
    "{row}.referral_id = {parent}.referral_id",
    {"AT": Order("ordinal", "int")},
    ("AT", "ASC"),
    Order("ordinal", "int"),
)
MESSAGES = Page(
    MESSAGE,
    "{row}.referral_id = {parent}.referral_id",
    {"AT": Order("ordinal", "int")},
    ("AT", "ASC"),
    Order("ordinal", "int"),
)


@noun(
    Scope.REFERRALS_READ,
    rows=EVENT,
    places={"event": Where(BY_ORDINAL, "ordinal:event")},
    category="OVERVIEW",
    description="One step in the life of a referral.",
)
class ReferralEvent(Node):
    """One step in the life of a referral."""

    id: strawberry.ID = column("'event_' || {row}.pairwise || '_' || {row}.ordinal")
    referral: ReferralRef | None = one(REFERRAL, "{row}.referral_id = {parent}.referral_id")
    kind: ReferralEventKind = column("kind")
    status: ReferralStatus = column("status")
    by: Organisation = one(ORGANISATION, "{row}.organisation = {parent}.organisation")
    at: DateTime = column("at")
    note: str | None = source(SealedText(referral_text("note"), "NOTE"))


@noun(
    Scope.REFERRALS_READ,
    rows=MESSAGE,
    places={"message": Where(BY_ORDINAL, "ordinal:message")},
    category="OVERVIEW",
    description="A message between the parties of a referral.",
)
class Message(Node):
    """A message between the parties of a referral."""

    id: strawberry.ID = column("'message_' || {row}.pairwise || '_' || {row}.ordinal")
    from_: Organisation = named("from", one(ORGANISATION, "{row}.organisation = {parent}.organisation"))
    body: str = source(SealedText(referral_text("body"), "BODY"))
    at: DateTime = column("at")


@noun(
    Scope.REFERRALS_READ,
    rows=REFERRAL,
    places={"referral": Where("{row}.pairwise = {value}::uuid", "uuid:referral")},
    category="OVERVIEW",
    description="One organisation hands a person to another, with the person's consent.",
)
class Referral(Node):
    """One organisation hands a person to another."""

    id: strawberry.ID = column("'referral_' || {row}.pairwise")
    reference: str = column("reference")
    client_reference: str | None = column("client_reference")
    from_: Organisation = named("from", one(ORGANISATION, "{row}.organisation = {parent}.sender"))
    to: Organisation = one(ORGANISATION, "{row}.organisation = {parent}.recipient")
    status: ReferralStatus = column("status")
    urgency: Urgency = column("urgency")
    discipline: Discipline = column("discipline")
    origin: CountryCode | None = column("origin")
    submitted_at: DateTime = column("submitted_at")
    updated_at: DateTime = column("updated_at")
    reason: str | None = source(SealedText(referral_text("reason"), "REASON"))
    person: ReferredPerson | None = source(
        Nested(REFERRED_PERSON),
        description="What the referring organisation sent, readable by sender and recipient within the consented categories.",
    )
    shared_categories: list[Category] = column("shared_categories")
    consents: list[Consent] | None = many(
        CONSENT, "{row}.referral_id = {parent}.referral_id", "{row}.given_on, {row}.consent_id", Scope.CONSENTS_READ
    )
    decline_reason: DeclineReason | None = column("decline_reason")
    case: CaseRef | None = one(CASE, "{row}.case_id = {parent}.case_id")
    redirected_to: ReferralRef | None = one(
        REFERRAL,
        "{row}.redirected_from = {parent}.referral_id",
        description="What it was passed on as, for whoever takes part in that too.",
    )

    @asked(EVENTS)
    def events(
        self, first: int | None = strawberry.UNSET, after: str | None = strawberry.UNSET
    ) -> Connection[ReferralEvent]:
        """What happened to the referral, in order."""
        raise NotImplementedError

    @asked(MESSAGES)
    def messages(
        self, first: int | None = strawberry.UNSET, after: str | None = strawberry.UNSET
    ) -> Connection[Message]:
        """What its parties wrote to each other, in order."""
        raise NotImplementedError


@strawberry.input(one_of=True)
class ReferralBy:
    """Names one referral. A clientReference is the asker's own: organisation, client and user."""

    id: strawberry.ID | None = where("{row}.pairwise = {value}::uuid", "uuid:referral")
    reference: str | None = where("{row}.reference = upper(btrim({value}::text, E' \\t\\r\\n'))")
    client_reference: str | None = where(
        "{row}.client_reference = {value}::text and {row}.client = (select viewer_client()) and {row}.usr = coalesce((select viewer_user()), '')"
    )


@strawberry.input
class ReferralFilter:
    """Narrows a list of referrals."""

    status: list[ReferralStatus] | None = where("{row}.status = any ({value}::text[]::referral_status[])")
    urgency: list[Urgency] | None = where("{row}.urgency = any ({value}::text[]::urgency[])")
    from_: strawberry.ID | None = named(
        "from",
        where("{row}.sender = (select o.id from organisation o where o.code = {value}::text)", "key:organisation"),
    )
    to: strawberry.ID | None = where(
        "{row}.recipient = (select o.id from organisation o where o.code = {value}::text)", "key:organisation"
    )
    submitted_from: DateTime | None = where("{row}.submitted_at >= {value}::timestamptz")
    submitted_to: DateTime | None = where("{row}.submitted_at <= {value}::timestamptz")


@strawberry.input
class ReferralOrder:
    """One sort key of a list of referrals."""

    field: ReferralOrderField
    direction: Direction


@strawberry.input
class LinkageDigest:
    """A keyed encoding of who someone is, made where the name is known; never a name."""

    algorithm: str
    bits: str


@strawberry.input
class SubmitReferralInput:
    """A person handed to another organisation, with what they agreed to share. `to` left out is ICORN."""

    idempotency_key: str
    client_reference: str | None = given()
    to: strawberry.ID | None = given()
    discipline: Discipline
    origin: CountryCode | None = given()
    urgency: Urgency
    reason: str
    person: PersonInput
    consents: list[ConsentInput]
    linkage: LinkageDigest | None = given()


@strawberry.input
class WithdrawReferralInput:
    """A referral taken back by its sender."""

    idempotency_key: str
    referral: strawberry.ID
    reason: str


@strawberry.input
class RespondToReferralInput:
    """One step of a referral's life. `declineReason` goes with DECLINE, `person` with GIVE_INFORMATION, `redirectTo` with REDIRECT, `case` with ACCEPT."""

    idempotency_key: str
    referral: strawberry.ID
    response: ReferralResponse
    note: str | None = given()
    decline_reason: DeclineReason | None = given()
    person: PersonInput | None = given()
    redirect_to: strawberry.ID | None = given()
    case: strawberry.ID | None = given()


@strawberry.input
class SendMessageInput:
    """What one party of a referral writes to the other."""

    idempotency_key: str
    referral: strawberry.ID
    body: str

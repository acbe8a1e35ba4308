"""This module holds what mutations answer: what became of the thing, and the problems with the input."""

import strawberry

from schema.access import Client, User
from schema.agreements import Agreement
from schema.cases import Case
from schema.cities import City
from schema.consents import Consent
from schema.feeds import Feed
from schema.fields import Once, Problems, column, one, source
from schema.organisations import Organisation
from schema.presentations import Presentation
from schema.referrals import Message, Referral
from schema.residencies import Residency
from schema.retractions import Retraction
from schema.rows import (
    AGREEMENT,
    CASE,
    CITY,
    CLIENT,
    CONSENT,
    FEED,
    MESSAGE,
    ORGANISATION,
    PRESENTATION,
    REFERRAL,
    RESIDENCY,
    RETRACTION,
    USER,
    WEBHOOK,
)
from schema.webhooks import Webhook

INVITED = (
    "Where the invited person begins: good once, for seven days, and whoever has it first is let in as them, so hand it over by a"
    " channel that only they read. Told this once: an answer to the same idempotency key is without it, and the hub keeps only a digest."
)

SIGNED_WITH = (
    "What its messages are signed with. Told this once: an answer to the same idempotency key is without it, and the hub keeps it sealed."
    " Who lost it deletes the webhook and creates another."
)


@strawberry.type(description="Expected trouble with an input: shown beside the field it concerns. Nothing was changed.")
class Problem:
    """Expected trouble with an input."""

    code: str
    message: str
    path: list[str]


@strawberry.type
class ReferralPayload:
    """What became of a referral."""

    referral: Referral | None = one(REFERRAL, "{row}.referral_id = {subject}::uuid")
    problems: list[Problem] = source(Problems())


@strawberry.type
class CasePayload:
    """What became of a case."""

    case: Case | None = one(CASE, "{row}.case_id = {subject}::uuid")
    problems: list[Problem] = source(Problems())


@strawberry.type
class ErasePayload:
    """What became of an erasure. Nothing of the case is there to be told."""

    erased: bool = column("{outcome} = 'DONE'")
    problems: list[Problem] = source(Problems())


@strawberry.type
class ConsentPayload:
    """What became of a consent."""

    consent: Consent | None = one(CONSENT, "{row}.consent_id = {subject}::uuid")
    problems: list[Problem] = source(Problems())


@strawberry.type
class PresentationPayload:
    """What became of a presentation."""

    presentation: Presentation | None = one(PRESENTATION, "{row}.name = {subject}::uuid")
    problems: list[Problem] = source(Problems())


@strawberry.type
class ResidencyPayload:
    """What became of a residency."""

    residency: Residency | None = one(RESIDENCY, "{row}.residency_id = {subject}::uuid")
    problems: list[Problem] = source(Problems())


@strawberry.type
class CityPayload:
    """What became of a city. Its number is the last part of the subject."""

    city: City | None = one(CITY, "lpad(to_hex({row}.city), 32, '0')::uuid = {subject}::uuid")
    problems: list[Problem] = source(Problems())


@strawberry.type
class MessagePayload:
    """What became of a message."""

    message: Message | None = one(MESSAGE, "{row}.message_id = {subject}::uuid")
    problems: list[Problem] = source(Problems())


@strawberry.type
class RetractionPayload:
    """What became of a retraction."""

    retraction: Retraction | None = one(RETRACTION, "{row}.name = {subject}::uuid")
    problems: list[Problem] = source(Problems())


@strawberry.type
class OrganisationPayload:
    """What became of an organisation; of a new one, with the invitation of its first admin."""

    organisation: Organisation | None = one(ORGANISATION, "{row}.code = {named}")
    invitation: str | None = source(Once(), description=INVITED)
    problems: list[Problem] = source(Problems())


@strawberry.type
class FeedPayload:
    """What became of a feed."""

    feed: Feed | None = one(FEED, "{row}.code = {named}")
    problems: list[Problem] = source(Problems())


@strawberry.type
class ClientPayload:
    """What became of a client."""

    client: Client | None = one(CLIENT, "{row}.client_id = {named}")
    problems: list[Problem] = source(Problems())


@strawberry.type
class UserPayload:
    """What became of a user; of one who was invited, with the invitation."""

    user: User | None = one(USER, "{row}.usr = {subject}::uuid")
    invitation: str | None = source(Once(), description=INVITED)
    problems: list[Problem] = source(Problems())


@strawberry.type
class WebhookPayload:
    """What became of a webhook; null once it is deleted."""

    webhook: Webhook | None = one(WEBHOOK, "{row}.name = {subject}::uuid")
    secret: str | None = source(Once(), description=SIGNED_WITH)
    problems: list[Problem] = source(Problems())


@strawberry.type
class AgreementPayload:
    """What became of an agreement."""

    agreement: Agreement | None = one(AGREEMENT, "{row}.agreement = {subject}::uuid")
    problems: list[Problem] = source(Problems())

"""This module holds webhooks: where an organisation has its events sent. What they are told is hub/webhooks' matter."""

from dataclasses import replace

import strawberry

from auth.scopes import Scope
from schema.enums import AccessStatus, ReferralEventKind
from schema.fields import Where, column, noun
from schema.nodes import Node
from schema.rows import EVENT, RETRACTION, WEBHOOK
from schema.scalars import DateTime

# What a message tells of a step or a retraction, under the rule of either: that it was.
STEP = replace(EVENT, select="select e.referral_id, e.ordinal, e.kind, a.pairwise, a.pseudonym, a.basis"
    " from referral_event e join referral_access a on a.referral_id = e.referral_id")  # fmt: skip
RETRACTED = replace(
    RETRACTION,
    select="select r.id as name, r.kind, case when r.organisation = {org} then r.subject else r.icorn_subject end as subject from retraction r",
)


@noun(Scope.ACCESS_MANAGE, rows=WEBHOOK, places={"webhook": Where("{row}.name = {value}::uuid", "uuid:webhook")})
class Webhook(Node):
    """An address that is told of the steps of referrals, and of every retraction, as its organisation may see them at that moment: ids alone, signed."""

    id: strawberry.ID = column("'webhook_' || {row}.name")
    url: str = column("url")
    events: list[ReferralEventKind] = column(
        "events",
        description="The steps that are told. Retractions always are: what must be deleted is no matter of choice.",
    )
    status: AccessStatus = column(
        "status",
        description="DISABLED while it is paused, and for good once it answered 410 Gone or its organisation was suspended.",
    )
    created_at: DateTime = column("created_at")
    last_delivery_at: DateTime | None = column("last_delivery_at")
    failures: int = column("failures", description="How often in a row the message that is due was not taken.")
    last_problem: str | None = column(
        "last_problem",
        description="Why, when last it was not: a code, or the HTTP status. Nothing of what was answered.",
    )
    paused_at: DateTime | None = column(
        "paused_at",
        description="Since when nothing is tried, because for three days nothing was taken: resumeWebhook goes on where it stopped.",
    )


@strawberry.input
class CreateWebhookInput:
    """Where to send what: an https address on the internet, of the asker's own organisation."""

    idempotency_key: str
    organisation: strawberry.ID
    url: str
    events: list[ReferralEventKind]


@strawberry.input
class ResumeWebhookInput:
    """Which webhook takes messages again."""

    idempotency_key: str
    webhook: strawberry.ID


@strawberry.input
class DeleteWebhookInput:
    """Which webhook is wanted no more."""

    idempotency_key: str
    webhook: strawberry.ID

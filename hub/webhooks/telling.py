"""This module reads the next message for a webhook, as its organisation: by the statement's gate, walls and record, like any request.

Of events in their order it gives the first that the organisation may see now; those before it are as if they had not been.
"""

import hashlib
import os
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from auth.scopes import Scope
from hub.engine.compiled import WALLS
from hub.engine.json_text import Known, members, value
from hub.engine.parameters import Base
from hub.engine.recorded import seen
from hub.engine.statement import Statement, Writer, assembled
from schema.webhooks import RETRACTED, STEP

SCOPES: Final = " ".join(sorted((Scope.CASES_READ, Scope.REFERRALS_READ)))
"""What its messages tell of: that there is a referral, and what must be deleted."""
OPERATION: Final = hashlib.sha256(b"webhook").digest()
LIVE: Final = (
    "(select true from webhook w join organisation o on o.id = w.organisation where w.id = {webhook} and w.organisation = {org}"
    " and w.ended_at is null and w.paused_at is null and o.suspended_at is null)"
)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Whom to tell, and which steps."""

    id: UUID
    organisation: int
    kinds: list[str]
    purpose: str


@dataclass(frozen=True, slots=True)
class Happened:
    """An event by its place in the order of all, and by what it tells of: a step of a referral, or a retraction."""

    place: tuple[int, int]
    referral: UUID | None
    ordinal: int | None
    retraction: UUID | None


class EndedError(Exception):
    """The webhook, or its organisation, is no longer live."""


class MixedUpError(Exception):
    """The database answered as somebody else than it was asked as: nothing it said may be used."""


def telling(walls: frozenset[int] = WALLS) -> Statement:
    """Write the statement. Its body is the number of the event that is told of, and the message."""
    writer = Writer(walls)
    told = "cardinality(answer.subjects) > 0"
    writer.context = {
        "action": f"case when {told} then 'webhook referralEvents' else 'webhook retractions' end",
        "categories": f"case when {told} then '{{OVERVIEW}}' else '{{}}' end",
    }
    base = writer.base
    step = _message(
        "referral.event", id="'event_' || s.pairwise || '_' || s.ordinal", referral="'referral_' || s.pairwise"
    )
    lost = _message("retraction.made", id="'retraction_' || l.name", subject="l.kind || '_' || l.subject")
    answer = (
        f"select n.body, n.subjects from gate join lateral (select concat(x.n, ' ', case when s.ordinal is not null then {step} else {lost} end) as body,"  # noqa: S608 parts of our own
        f" case when s.ordinal is not null then array[{seen(writer, STEP, (), 's')}] else '{{}}' end as subjects"
        f" from unnest({base('referrals')}, {base('ordinals')}, {base('retractions')}) with ordinality x(referral, ordinal, retraction, n)"
        f" left join lateral (select * from {writer.rows(STEP)} r where r.referral_id = x.referral and r.ordinal = x.ordinal and r.kind::text = any ({base('kinds')})) s on true"
        f" left join lateral (select * from {writer.rows(RETRACTED)} r where r.name = x.retraction) l on true"
        " where gate.ok and (s.ordinal is not null or l.name is not null) order by x.n limit 1) n on true"
    )
    return assembled(writer, answer, "live", audited=True, standing=LIVE)


def _message(kind: str, **ids: str) -> str:
    data = members([(name, value("quoted", sql)) for name, sql in ids.items()])
    return members([("type", Known(f'"{kind}"')), ("data", data)])


TELLING: Final = telling()


async def first_seen(
    pool: Any, webhook: Webhook, events: list[Happened], statement: Statement = TELLING
) -> tuple[int, bytes] | None:
    """Give the index of the first of these events that is told now, and its message; None where none is. Raise EndedError."""
    given = {
        "org": webhook.organisation,
        "client": f"webhook_{webhook.id}",
        "user": None,
        "scopes": SCOPES,
        "proof": os.urandom(32),
        "commit": "off",
        "webhook": webhook.id,
        "kinds": webhook.kinds,
        "purpose": webhook.purpose,
        "operation": OPERATION,
        "outcome": "DONE",
        "referrals": [event.referral for event in events],
        "ordinals": [event.ordinal for event in events],
        "retractions": [event.retraction for event in events],
    }
    values = [given[parameter.name] for parameter in statement.parameters if isinstance(parameter, Base)]
    row = await pool.fetchrow(statement.sql, *values)
    if row is None or row["ran_as"] != webhook.organisation:
        raise MixedUpError
    if not row["trusted"]:
        raise EndedError
    if row["body"] is None:
        return None
    number, _, message = row["body"].partition(b" ")
    return int(number) - 1, message

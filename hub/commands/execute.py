"""This module runs mutations: each in one transaction, once for each idempotency key, and read back like a query."""

import hashlib
import hmac
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import asyncpg
import msgspec

from hub.commands.agreements import approve_agreement, end_agreement, propose_agreement
from hub.commands.asker import Asker, Input, Made, Problems, ProblemsError
from hub.commands.cases import hold_case, link_records, open_case, share_case
from hub.commands.changes import seal_case, unlink_records, unshare_case, update_case
from hub.commands.clients import create_client, disable_client, update_client
from hub.commands.consents import record_consent, withdraw_consent
from hub.commands.emergencies import approve_break_glass, break_glass
from hub.commands.erasure import erase_case, set_legal_hold
from hub.commands.feeds import create_feed, sync_feed, update_feed
from hub.commands.merging import merge_cases
from hub.commands.organisations import create_organisation, update_organisation
from hub.commands.presentations import answer_presentation, present_case
from hub.commands.referrals import submit_referral
from hub.commands.residencies import offer_residency, publish_vacancies, update_residency
from hub.commands.retractions import acknowledge_retraction
from hub.commands.steps import respond_to_referral, send_message, withdraw_referral
from hub.commands.users import disable_user, invite_user, update_user
from hub.commands.webhooks import create_webhook, delete_webhook, resume_webhook
from hub.engine.compiled import entrance
from hub.engine.execute import Engine, Operation, feed_results, fetch, fills
from hub.engine.plan import Ask
from hub.engine.splice import Fill, splice
from hub.engine.splice import problems as shown
from hub.engine.statement import Statement

Command = Callable[[Asker, Input], Awaitable[uuid.UUID | str | Made | None]]
COMMANDS: Final[Mapping[str, Command]] = {
    "submitReferral": submit_referral,
    "withdrawReferral": withdraw_referral,
    "respondToReferral": respond_to_referral,
    "sendMessage": send_message,
    "openCase": open_case,
    "updateCase": update_case,
    "sealCase": seal_case,
    "shareCase": share_case,
    "unshareCase": unshare_case,
    "mergeCases": merge_cases,
    "linkRecords": link_records,
    "unlinkRecords": unlink_records,
    "holdCase": hold_case,
    "presentCase": present_case,
    "answerPresentation": answer_presentation,
    "offerResidency": offer_residency,
    "updateResidency": update_residency,
    "publishVacancies": publish_vacancies,
    "setLegalHold": set_legal_hold,
    "eraseCase": erase_case,
    "recordConsent": record_consent,
    "withdrawConsent": withdraw_consent,
    "acknowledgeRetraction": acknowledge_retraction,
    "breakGlass": break_glass,
    "approveBreakGlass": approve_break_glass,
    "proposeAgreement": propose_agreement,
    "approveAgreement": approve_agreement,
    "endAgreement": end_agreement,
    "createOrganisation": create_organisation,
    "updateOrganisation": update_organisation,
    "createFeed": create_feed,
    "updateFeed": update_feed,
    "syncFeed": sync_feed,
    "createClient": create_client,
    "updateClient": update_client,
    "disableClient": disable_client,
    "inviteUser": invite_user,
    "updateUser": update_user,
    "disableUser": disable_user,
    "createWebhook": create_webhook,
    "resumeWebhook": resume_webhook,
    "deleteWebhook": delete_webhook,
}
KEY_LENGTH: Final = 200
ATTEMPTS: Final = 3
"""How often a command is begun when changes of the same cases stand in each other's way, or what it named is erased meanwhile."""


@dataclass(frozen=True)
class Outcome:
    """What became of a command: what it changed or made, by its id or a name, or its problems. No content; `told` is for this answer alone."""

    subject: uuid.UUID | None = None
    named: str | None = None
    problems: list[dict[str, Any]] = field(default_factory=list)
    told: str | None = field(default=None, repr=False)


async def mutate(engine: Engine, asked: Operation) -> bytes:
    """Run the commands of a mutation one after the other; each stands or falls alone (GraphQL, section 6.2.2)."""
    answers: list[tuple[str, bytes, Mapping[bytes, Fill]]] = []
    statements = iter(asked.compiled.own)
    gate = "proof"
    async with engine.pool.acquire() as connection:
        for root in asked.compiled.plan.roots:
            if root.constant:
                answers.append((root.key, root.constant.encode(), {}))
                continue
            wanted = next(statements)
            body, outcome = await _committed(engine, asked, connection, root, wanted, gate)
            gate = "live"
            filled = {
                **fills(engine, asked, wanted),
                b"problems": shown(asked.compiled.plan, outcome.problems),
                b"once": _once(outcome),
            }
            answers.append((root.key, body, filled))
        if gate == "proof":
            # Nothing was asked that needs a statement; a dead token or a used proof is no better for it.
            await fetch(connection, entrance(gate), asked, {})
    # Feeds are asked on a connection of their own, so this one is given back first: who holds one and waits for another waits for ever.
    members = [await _member(engine, asked, *answer) for answer in answers]
    return b"{" + b",".join(members) + b"}"


async def _committed(
    engine: Engine, asked: Operation, connection: Any, root: Ask, wanted: Statement, gate: str
) -> tuple[bytes, Outcome]:
    """Run one command and read it back in one transaction; begin it anew when two changes met."""
    attempt = 1
    while True:
        try:
            async with connection.transaction():
                await fetch(connection, entrance(gate), asked, {})
                outcome = await settle(engine, asked, connection, root)
                told = "REFUSED" if outcome.problems else "DONE"
                about = {"subject": outcome.subject, "named": outcome.named, "outcome": told}
                return await fetch(connection, wanted, asked, {}, **about), outcome
        except (asyncpg.DeadlockDetectedError, asyncpg.ForeignKeyViolationError):
            if attempt == ATTEMPTS:
                raise
            attempt += 1


async def _member(engine: Engine, asked: Operation, key: str, body: bytes, filled: Mapping[bytes, Fill]) -> bytes:
    if asked.compiled.feeds is not None:
        filled = {**filled, b"remote": await feed_results(engine, asked, asked.compiled.feeds, body)}
    return msgspec.json.encode(key) + b":" + splice(body, filled)


async def settle(engine: Engine, asked: Operation, connection: Any, root: Ask) -> Outcome:
    """Run a command, or find what it did when the same asker sent the same key before, also at this very moment."""
    assert root.arguments is not None  # noqa: S101 every mutation has an input
    given: Input = asked.binding.arguments(root.arguments)["input"]
    principal = asked.principal
    asker = (principal.organisation, principal.client, principal.user or "", given["idempotencyKey"])
    seed = hmac.digest(engine.index_key, json.dumps(asker).encode(), hashlib.sha256)
    hand = Asker(connection, principal, engine.sealing, engine.people, engine.index_key, seed, engine.private_hosts)
    if not 0 < len(given["idempotencyKey"]) <= KEY_LENGTH:
        return await _without_key(hand, root.name, given)
    digest = hmac.digest(engine.index_key, json.dumps(given, sort_keys=True, default=str).encode(), hashlib.sha256)
    new = await connection.fetchval(
        "insert into outcome (organisation, client, usr, key, mutation, input_digest, at) values ($1, $2, $3, $4, $5, $6, hub_now())"
        " on conflict do nothing returning true",
        *asker,
        root.name,
        digest,
    )
    if not new:
        # It may have been erased this very moment, with what it was about: then it is as if it had never been.
        return await _earlier(connection, asker, root.name, digest) or await settle(engine, asked, connection, root)
    try:
        async with connection.transaction():
            outcome = _made(await COMMANDS[root.name](hand, given))
    except ProblemsError as error:
        outcome = Outcome(problems=error.found)
    await connection.execute(
        "update outcome set subject = $5, named = $6, problems = $7 where organisation = $1 and client = $2 and usr = $3 and key = $4",
        *asker,
        outcome.subject,
        outcome.named,
        json.dumps(outcome.problems),
    )
    return outcome


def _made(done: uuid.UUID | str | Made | None) -> Outcome:
    if isinstance(done, Made):
        return replace(_made(done.subject), told=done.told)
    return Outcome(named=done) if isinstance(done, str) else Outcome(done)


def _once(outcome: Outcome) -> Fill:
    return lambda _: msgspec.json.encode(outcome.told)


async def _without_key(asker: Asker, mutation: str, given: Input) -> Outcome:
    """Say what else is wrong with an input whose key cannot be one; nothing of it is kept."""
    found = Problems()
    found.add("BAD_KEY", f"An idempotency key has 1 to {KEY_LENGTH} characters.", "idempotencyKey")
    try:
        async with asker.connection.transaction():
            await COMMANDS[mutation](asker, given)
            found.settle()
    except ProblemsError as error:
        found.found += [each for each in error.found if each not in found.found]
    return Outcome(problems=found.found)


async def _earlier(connection: Any, asker: tuple[Any, ...], mutation: str, digest: bytes) -> Outcome | None:
    row = await connection.fetchrow(
        "select mutation, input_digest, subject, named, problems from outcome where organisation = $1 and client = $2 and usr = $3 and key = $4",
        *asker,
    )
    if row is None:
        return None
    if row["mutation"] == mutation and hmac.compare_digest(row["input_digest"], digest):
        return Outcome(row["subject"], row["named"], json.loads(row["problems"]))
    wrong = Problems()
    wrong.add(
        "IDEMPOTENCY_KEY_REUSED",
        "This key was used for another input: give each new request a key of its own.",
        "idempotencyKey",
    )
    return Outcome(problems=wrong.found)

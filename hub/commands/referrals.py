"""This module changes referrals."""

import uuid
from datetime import date

import msgspec

from hub.commands.asker import WRITTEN, Asker, Input, Organisation, Problems, problems, sealed_text
from hub.commands.consent import Given, consents, store_consents
from hub.commands.person import judge_person, judge_text, person_documents

REFERENCE_LENGTH = 100


async def submit_referral(asker: Asker, given: Input) -> uuid.UUID:
    """Hand a person to another organisation: only what they agreed that the recipient may have."""
    today = await asker.connection.fetchval("select (hub_now() at time zone 'UTC')::date")
    with problems() as found:
        recipient = await _recipient(asker, given, found)
        spoken = Problems()
        agreed = await consents(asker, given["consents"], spoken, today, "consents")
        found.found += spoken.found
        documents = person_documents(given["person"])
        judge_person(given["person"], found, today)
        judge_text(given["reason"], found, "reason", required="Say why the person is referred.")
        await _judge_reference(asker, given.get("clientReference"), found)
        if recipient and not spoken.found:
            judge_consent(recipient, agreed, documents, found, today)
    assert recipient is not None  # noqa: S101 a missing one is a problem
    referral = asker.new_id("referral")
    subject = f"referral:{referral}"
    key = asker.sealing.new_key()
    linkage = msgspec.json.encode(given["linkage"]).decode() if given.get("linkage") else None
    done = await asker.connection.execute(
        "insert into referral (id, sender, recipient, urgency, discipline, origin, submitted_at, updated_at, client, usr, client_reference,"
        " shared_categories, reason, linkage) values ($1, $2, $3, $4::text::urgency, $5::text::discipline, $6, hub_now(), hub_now(), $7, $8, $9,"
        " $10::text[]::category[], $11, $12) on conflict do nothing",
        referral,
        asker.principal.organisation,
        recipient.id,
        str(given["urgency"]),
        str(given["discipline"]),
        given.get("origin"),
        asker.principal.client,
        asker.principal.user or "",
        given.get("clientReference"),
        ["OVERVIEW", *documents],
        sealed_text(asker.sealing, key.plain, subject, "REASON", given["reason"]),
        sealed_text(asker.sealing, key.plain, subject, "LINKAGE", linkage),
    )
    with problems() as found:
        if done != WRITTEN:
            _reference_used(found)
    await asker.connection.execute(
        "insert into referral_key (referral_id, kek, wrapped) values ($1, $2, $3)", referral, key.kek, key.wrapped
    )
    await asker.connection.executemany(
        "insert into referral_person (referral_id, category, sealed) values ($1, $2::text::category, $3)",
        [(referral, c, asker.sealing.seal(key.plain, subject, c, 1, document)) for c, document in documents.items()],
    )
    evidence = [asker.sealing.seal(key.plain, subject, "EVIDENCE", 1, c.evidence.encode()) for c in agreed]
    await store_consents(asker, agreed, evidence, referral=referral)
    await asker.connection.execute(
        "insert into referral_event (referral_id, ordinal, kind, status, organisation, at) values ($1, 1, 'SUBMITTED', 'SUBMITTED', $2, hub_now())",
        referral,
        asker.principal.organisation,
    )
    await asker.tell("referral.submitted", referral=referral)
    return referral


async def _recipient(asker: Asker, given: Input, found: Problems) -> Organisation | None:
    recipient = await asker.icorn() if given.get("to") is None else await asker.organisation(given["to"])
    if recipient is None:
        found.add("NOT_FOUND", "There is no organisation with this id.", "to")
    elif recipient.id == asker.principal.organisation:
        found.add("NOT_ALLOWED", "A person is referred to another organisation.", "to")
        return None
    return recipient


async def _judge_reference(asker: Asker, reference: str | None, found: Problems) -> None:
    if reference is None:
        return
    if not 0 < len(reference) <= REFERENCE_LENGTH:
        found.add("BAD_REFERENCE", f"A client reference has 1 to {REFERENCE_LENGTH} characters.", "clientReference")
    used = await asker.connection.fetchval(
        "select true from referral where sender = $1 and client = $2 and usr = $3 and client_reference = $4",
        asker.principal.organisation,
        asker.principal.client,
        asker.principal.user or "",
        reference,
    )
    if used:
        _reference_used(found)


def _reference_used(found: Problems) -> None:
    found.add("CLIENT_REFERENCE_USED", "You have used this reference for another referral.", "clientReference")


def judge_consent(
    recipient: Organisation, agreed: list[Given], documents: dict[str, bytes], found: Problems, today: date
) -> None:
    """Refuse what the person did not agree that the recipient may have. DENY beats ALLOW."""
    for category in ("OVERVIEW", *documents):
        said = {c.decision for c in agreed if c.covers(recipient, category, today)}
        if said != {"ALLOW"}:
            place = ("consents",) if category == "OVERVIEW" else ("person", category.lower())
            found.add("NOT_CONSENTED", f"The person has not agreed that {recipient.name} may have {category}.", *place)

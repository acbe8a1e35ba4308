"""This module records what the person decides, and takes it back. Either takes effect at once, everywhere."""

import uuid
from typing import Any

from hub.commands.asker import Asker, Input, problems, sealed_text
from hub.commands.consent import consents, store_consents
from hub.engine.parameters import split_id

NOT_THERE = "There is nothing with this id."


async def record_consent(asker: Asker, given: Input) -> uuid.UUID:
    """Record a decision about a case or a referral; one consent for each organisation it names, the first is returned."""
    today = await asker.connection.fetchval("select (hub_now() at time zone 'UTC')::date")
    case = referral = None
    with problems() as found:
        if (given.get("case") is None) == (given.get("referral") is None):
            found.add("REQUIRED", "Give either a case or a referral.", "case")
        elif given.get("case") is not None:
            case = await asker.case(given["case"])
            if case is None:
                found.add("NOT_FOUND", NOT_THERE, "case")
        else:
            row = await asker.referral(given["referral"])
            if row is None:
                found.add("NOT_FOUND", NOT_THERE, "referral")
            else:
                referral, case = row["id"], row["case_id"]
        agreed = await consents(asker, [given["consent"]], found, today, "consent")
    key = await asker.referral_key(referral) if referral else await asker.case_key(case)  # type: ignore[arg-type] # one of them was found
    subject = f"referral:{referral}" if referral else f"case:{case}"
    evidence = [asker.sealing.seal(key, subject, "EVIDENCE", 1, c.evidence.encode()) for c in agreed]
    made: list[uuid.UUID] = await store_consents(asker, agreed, evidence, referral=referral, case=case)
    await asker.tell("consent.recorded", referral=referral, case=case)
    return made[0]


async def withdraw_consent(asker: Asker, given: Input) -> uuid.UUID:
    """Take a decision back. What it opened is closed in this very transaction."""
    row = await _named(asker, given["consent"])
    if row is not None:
        await asker.alone(*(row[name] for name in ("case_id", "referral_id") if row[name] is not None))
        row = await _named(asker, given["consent"])
    with problems() as found:
        if row is None:
            found.add("NOT_FOUND", NOT_THERE, "consent")
        elif row["recorded_by"] != asker.principal.organisation and not await asker.is_icorn():
            found.add(
                "NOT_ALLOWED",
                "A withdrawal is recorded by ICORN or by the organisation that recorded the consent.",
                "consent",
            )
        elif given.get("reason") is not None and not row["key_there"]:
            found.add("NOT_ALLOWED", "This decision came with a referral: a reason needs referrals:read.", "reason")
    if row["withdrawn_at"] is None:
        await asker.connection.execute(
            "update consent set withdrawn_at = hub_now(), withdrawal_reason = $2 where id = $1 and withdrawn_at is null",
            row["id"],
            await _reason(asker, row, given.get("reason")),
        )
        await asker.tell("consent.withdrawn", referral=row["referral_id"], case=row["case_id"])
    found_id: uuid.UUID = row["id"]
    return found_id


async def _named(asker: Asker, identifier: str) -> Any:
    """Find a consent by the case or the referral that its id begins with."""
    columns = (
        "select c.id, c.case_id, c.referral_id, c.recorded_by, c.withdrawn_at,"
        " c.referral_id is null or viewer_has('referrals:read') and exists (select from referral_key k where k.referral_id = c.referral_id) as key_there"
    )
    return await asker.connection.fetchrow(
        f"{columns} from case_access a join consent c on c.case_id = a.case_id where a.organisation = $1"
        " and a.pairwise = split_part($2, '_', 1)::uuid and a.overview @> hub_now() and child_name(a.pairwise, c.id) = $2 and viewer_has('cases:read')"
        f" union all {columns} from referral_access a join consent c on c.referral_id = a.referral_id where a.organisation = $1"
        " and a.pairwise = split_part($3, '_', 1)::uuid and a.visible @> hub_now() and child_name(a.pairwise, c.id) = $3 and viewer_has('referrals:read')",
        asker.principal.organisation,
        split_id(identifier, "child:consent"),
        split_id(identifier, "child:agreed"),
    )


async def _reason(asker: Asker, row: Any, reason: str | None) -> bytes | None:
    """Seal why a decision was taken back where its evidence is sealed."""
    if reason is None:
        return None
    if row["referral_id"] is not None:
        key, subject = await asker.referral_key(row["referral_id"]), f"referral:{row['referral_id']}"
    else:
        key, subject = await asker.case_key(row["case_id"]), f"case:{row['case_id']}"
    return sealed_text(asker.sealing, key, subject, "WITHDRAWAL", reason)

"""This module makes and ends agreements. Each side signs for itself alone; that the second signature counts is the database's to say."""

import uuid
from datetime import datetime
from typing import Any

from auth.purposes import Purpose
from hub.commands.asker import Asker, Input, Problems, problems, sealed_text
from hub.commands.person import judge_text
from hub.engine.parameters import split_id
from schema.enums import Category

NOT_THERE = "There is nothing with this id."


async def propose_agreement(asker: Asker, given: Input) -> uuid.UUID:
    """Write down what the asker's side would agree to, and sign it for that side. Nothing opens by it."""
    now: datetime = await asker.connection.fetchval("select hub_now()")
    replaced = None
    with problems() as found:
        partner = await _partner(asker, given, found)
        _judge_terms(given, now, found)
        if given.get("replaces") is not None:
            replaced = await _named(asker, given["replaces"])
            if replaced is None or partner is None or replaced["organisation"] != partner:
                found.add("NOT_FOUND", NOT_THERE, "replaces")
            elif replaced["status"] != "ACTIVE":
                found.add("NOT_ACTIVE", "Only an agreement in force is replaced: leave this out.", "replaces")
    agreement = asker.new_id("agreement")
    await asker.connection.execute(
        "insert into agreement (id, organisation, purpose, categories, origins, disciplines, valid_from, valid_until, version, replaces)"
        " values ($1, $2, $3, $4::text[]::category[], $5, $6::text[]::discipline[], coalesce($7, hub_now()), $8, $9, $10)",
        agreement,
        partner,
        given["purpose"],
        list(dict.fromkeys(str(category) for category in given["categories"])),
        given.get("origins"),
        None if given.get("disciplines") is None else [str(discipline) for discipline in given["disciplines"]],
        given.get("validFrom"),
        given.get("validUntil"),
        replaced["version"] + 1 if replaced else 1,
        replaced["id"] if replaced else None,
    )
    await _sign(asker, agreement)
    await asker.tell("agreement.proposed", agreement=agreement)
    return agreement


async def approve_agreement(asker: Asker, given: Input) -> uuid.UUID:
    """Sign for the asker's side. With the other side's signature it is in force, in this very transaction."""
    with problems() as found:
        row = await _alone(asker, given["agreement"])
        if row is None:
            found.add("NOT_FOUND", NOT_THERE, "agreement")
        elif row["status"] != "PROPOSED":
            found.add("NOT_PROPOSED", "Only what is proposed is approved; this is in force, or over.", "agreement")
        elif await asker.connection.fetchval(
            "select true from agreement_approval where agreement = $1 and organisation = $2",
            row["id"],
            asker.principal.organisation,
        ):
            found.add("ALREADY_APPROVED", "Your side has signed: the other side must sign too.", "agreement")
    agreement: uuid.UUID = row["id"]
    await _sign(asker, agreement)
    await asker.tell("agreement.approved", agreement=agreement)
    return agreement


async def end_agreement(asker: Asker, given: Input) -> uuid.UUID:
    """End an agreement or a proposal at once. What it opened closes, and is retracted, in this very transaction."""
    with problems() as found:
        row = await _alone(asker, given["agreement"])
        if row is None:
            found.add("NOT_FOUND", NOT_THERE, "agreement")
        elif row["status"] not in ("PROPOSED", "ACTIVE"):
            found.add("ALREADY_OVER", "This agreement is over already.", "agreement")
        judge_text(given["reason"], found, "reason", required="Say why: the other side reads it.")
    agreement: uuid.UUID = row["id"]
    key = asker.sealing.new_key()
    await asker.connection.execute(
        "insert into agreement_end (agreement, organisation, reason, kek, wrapped) values ($1, $2, $3, $4, $5)",
        agreement,
        asker.principal.organisation,
        sealed_text(asker.sealing, key.plain, f"agreement:{agreement}", "REASON", given["reason"]),
        key.kek,
        key.wrapped,
    )
    await asker.connection.execute("update agreement set ended_at = hub_now() where id = $1", agreement)
    await asker.tell("agreement.ended", agreement=agreement)
    return agreement


async def _partner(asker: Asker, given: Input, found: Problems) -> int | None:
    """Find whom an agreement would be with: for ICORN any partner, for a partner itself."""
    partner = await asker.organisation(given["organisation"])
    if partner is None:
        found.add("NOT_FOUND", NOT_THERE, "organisation")
    elif partner.kind == "ICORN":
        found.add("NOT_ALLOWED", "ICORN keeps the cases: name the partner.", "organisation")
    elif partner.id != asker.principal.organisation and not await asker.is_icorn():
        found.add("NOT_ALLOWED", "An agreement is between your organisation and ICORN: name your own.", "organisation")
    return None if partner is None else partner.id


def _judge_terms(given: Input, now: datetime, found: Problems) -> None:
    """Judge what stands in an agreement, whoever proposes it."""
    if given["purpose"] not in set(Purpose):
        found.add("BAD_PURPOSE", f"A purpose is one of {', '.join(Purpose)}.", "purpose")
    if Category.OVERVIEW not in [str(category) for category in given["categories"]]:
        found.add("REQUIRED", "OVERVIEW comes before every other category: name it too.", "categories")
    if Category.ASSESSMENT in [str(category) for category in given["categories"]]:
        found.add("NOT_SHAREABLE", "ASSESSMENT is ICORN's own and is in no agreement.", "categories")
    starts, ends = given.get("validFrom") or now, given.get("validUntil")
    if ends is not None and ends <= max(starts, now):
        found.add("ENDS_TOO_SOON", "validUntil must be a time to come, and after validFrom.", "validUntil")


async def _named(asker: Asker, identifier: str) -> Any:
    """Find an agreement of the asker's own side; for ICORN, of anyone."""
    return await asker.connection.fetchrow(
        "select a.id, a.organisation, a.version, agreement_state(a, hub_now())::text as status from agreement a"
        " where a.id = $1::text::uuid and viewer_has('access:manage') and (a.organisation = $2 or viewer_is_icorn())",
        split_id(identifier, "uuid:agreement"),
        asker.principal.organisation,
    )


async def _alone(asker: Asker, identifier: str) -> Any:
    """Find an agreement as it is once nobody else is deciding about that organisation's."""
    seen = await _named(asker, identifier)
    if seen is None:
        return None
    await asker.connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('hub.agreement', $1))", seen["organisation"]
    )
    return await _named(asker, identifier)


async def _sign(asker: Asker, agreement: uuid.UUID) -> None:
    """Put the asker's side's signature under an agreement."""
    await asker.connection.execute(
        "insert into agreement_approval (agreement, organisation, approver, client, usr, at)"
        " select $1, $2, c.name, c.client_id, $4, hub_now() from client c where c.client_id = $3",
        agreement,
        asker.principal.organisation,
        asker.principal.client,
        asker.principal.user or "",
    )

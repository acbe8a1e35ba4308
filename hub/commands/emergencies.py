"""This module opens a case in an emergency: a partner breaks the glass, and ICORN approves it where the case is sealed."""

import uuid

from hub.commands.asker import Asker, Input, problems, sealed_text
from hub.commands.person import judge_text
from schema.enums import Category

NOT_THERE = "There is nothing with this id."
ONLY_EMERGENCY = (
    "You see this case by an emergency alone, and one does not prolong itself: ask ICORN to share it with you."
)


async def break_glass(asker: Asker, given: Input) -> uuid.UUID:
    """Open categories of a case that the asker sees, not by an emergency alone, for hours; a sealed case once ICORN approves. Its owners are told by the database."""
    with problems() as found:
        if await asker.is_icorn():
            found.add("NOT_ALLOWED", "ICORN keeps the case: it has no glass to break.")
            found.settle()
        case = await asker.case(given["case"])
        if case is None:
            found.add("NOT_FOUND", NOT_THERE, "case")
        elif not await asker.connection.fetchval("select sees_case_anyway($1)", case):
            found.add("ONLY_EMERGENCY", ONLY_EMERGENCY, "case")
        categories = list(dict.fromkeys(str(category) for category in given["categories"]))
        if not categories:
            found.add("REQUIRED", "Name the categories that the emergency needs, and no others.", "categories")
        if Category.ASSESSMENT in categories:
            found.add("NOT_SHAREABLE", "ASSESSMENT is ICORN's own and is never opened.", "categories")
        judge_text(given["reason"], found, "reason", required="Say what the emergency is: ICORN reads it.")
    assert case is not None  # noqa: S101 a missing one is a problem
    await asker.connection.execute(
        "insert into emergency (id, case_id, organisation, categories, asked_at, client, usr, reason)"
        " values ($1, $2, $3, $4::text[]::category[], hub_now(), $5, $6, $7)",
        asker.new_id("emergency"),
        case,
        asker.principal.organisation,
        categories,
        asker.principal.client,
        asker.principal.user or "",
        sealed_text(asker.sealing, await asker.case_key(case), f"case:{case}", "REASON", given["reason"]),
    )
    return case


async def approve_break_glass(asker: Asker, given: Input) -> uuid.UUID:
    """Approve, for ICORN, all that waits for a sealed case: its hours begin now."""
    with problems() as found:
        if not await asker.is_icorn():
            found.add("NOT_ALLOWED", "Only ICORN approves.")
            found.settle()
        case = await asker.case(given["case"])
        if case is None:
            found.add("NOT_FOUND", NOT_THERE, "case")
    assert case is not None  # noqa: S101 a missing one is a problem
    with problems() as found:
        approved = await asker.connection.fetch(
            "update emergency e set approved_at = hub_now(), approver = $2, approver_usr = $3 from case_file f"
            " where e.case_id = $1 and f.id = e.case_id and emergency_waits(e, f.sealed, hub_now()) returning e.id",
            case,
            asker.principal.client,
            asker.principal.user or "",
        )
        if not approved:
            found.add(
                "NOTHING_WAITS", "Nothing waits for approval: it was approved already, or its time is over.", "case"
            )
    return case

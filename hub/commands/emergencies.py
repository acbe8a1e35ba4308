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
    """Approve, for ICORN, what waits for a sealed case: its hours begin now.

    Of one organisation: nobody's request is carried along by another's, however late it came. With `askedUntil`, also nothing that
    came after what the approver has read.
    """
    with problems() as found:
        if not await asker.is_icorn():
            found.add("NOT_ALLOWED", "Only ICORN approves.")
            found.settle()
        case = await asker.case(given["case"])
        if case is None:
            found.add("NOT_FOUND", NOT_THERE, "case")
        named = await asker.organisation(given["organisation"]) if given.get("organisation") is not None else None
        if named is None and given.get("organisation") is not None:
            found.add("NOT_FOUND", NOT_THERE, "organisation")
    assert case is not None  # noqa: S101 a missing one is a problem
    waiting = await asker.connection.fetch(
        "select e.id, e.organisation from emergency e join case_file f on f.id = e.case_id"
        " where e.case_id = $1 and emergency_waits(e, f.sealed, hub_now())"
        " and ($2::int is null or e.organisation = $2) and ($3::timestamptz is null or e.asked_at <= $3)",
        case,
        named and named.id,
        given.get("askedUntil"),
    )
    with problems() as found:
        if not waiting:
            found.add(
                "NOTHING_WAITS", "Nothing waits for approval: it was approved already, or its time is over.", "case"
            )
        elif len({row["organisation"] for row in waiting}) > 1:
            found.add("SEVERAL_WAIT", "Several organisations ask: say whose request you approve.", "organisation")
    await asker.connection.execute(
        "update emergency set approved_at = hub_now(), approver = $2, approver_usr = $3 where id = any ($1)",
        [row["id"] for row in waiting],
        asker.principal.client,
        asker.principal.user or "",
    )
    return case

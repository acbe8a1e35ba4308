"""This module erases cases for good, and keeps what must not be erased. ICORN's desk alone does either."""

import uuid

from hub.commands.asker import Asker, Input, problems
from hub.commands.cases import desk, judge_reason, named_case, sealed_reason


async def erase_case(asker: Asker, given: Input) -> None:
    """Destroy all that is held of a person: keys, documents, indexes, names in audit logs, and what replays stored.

    Why is asked, so that nobody does it unasked, and kept nowhere: it may speak of the person.
    """
    with problems() as found:
        await desk(asker, found)
        case = await named_case(asker, given, found)
        judge_reason(given, found)
        if case is not None and given["confirmReference"].strip().upper() != await _reference(asker, case):
            found.add("NOT_CONFIRMED", "This is not the reference of the case: nothing was erased.", "confirmReference")
    with problems() as found:
        if not await asker.connection.fetchval("select erase_case($1)", case):
            found.add("LEGAL_HOLD", "A legal hold forbids it: two people may end that by setLegalHold.", "case")


async def set_legal_hold(asker: Asker, given: Input) -> uuid.UUID:
    """Forbid that a case is erased, or end that: one asker proposes it, another one says the same."""
    with problems() as found:
        await desk(asker, found)
        case = await named_case(asker, given, found)
        judge_reason(given, found)
    assert case is not None  # noqa: S101 a missing one is a problem
    reason = await sealed_reason(asker, case, given)
    await asker.connection.execute("select set_legal_hold($1, $2, $3)", case, given["held"], reason)
    await asker.tell("case.legal_hold", case=case)
    return case


async def _reference(asker: Asker, case: uuid.UUID) -> str:
    found: str = await asker.connection.fetchval(
        "select reference from case_access where organisation = $1 and case_id = $2", asker.principal.organisation, case
    )
    return found

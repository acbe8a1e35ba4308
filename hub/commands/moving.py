"""This module moves a case along its life, and ends with that what ends with it. The steps are those of hub/commands/lifecycle_of_cases.py."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from hub.commands.asker import Asker, Problems
from hub.commands.lifecycle_of_cases import CASE, UNDER_WAY, Table, goals, leads


async def overview(asker: Asker, case: uuid.UUID) -> Any:
    """Read what a step depends on of a case that the asker has found and is alone with."""
    return await asker.connection.fetchrow(
        "select status::text, version, discipline::text, origin, risk_level::text as risk_level from case_file where id = $1",
        case,
    )


def judge_step(table: Table, command: str, status: str, to: str, found: Problems, *path: str) -> None:
    """Refuse a step that the table does not list, and say which there are."""
    if not leads(table, command, status, to):
        may = ", ".join(goals(table, command, status)) or "nowhere"
        found.add("WRONG_STATE", f"From {status} this leads to {may}, not to {to}.", *path)


def judge_case(command: str, status: str, to: str, found: Problems, *path: str) -> None:
    """Refuse a step of a case that its table does not list."""
    judge_step(CASE, command, status, to, found, *path)


async def move(asker: Asker, case: uuid.UUID, status: str, to: str) -> None:
    """Bring a case to a status for ICORN's desk. Where cities no longer decide, what they were shown and offered ends at once."""
    if status == to:
        return
    await asker.connection.execute(
        "update case_file set status = $2::text::case_status, updated_at = hub_now(), version = version + 1 where id = $1",
        case,
        to,
    )
    if to not in UNDER_WAY:
        await end_with_case(asker, case)


@asynccontextmanager
async def named_in_the_log(asker: Asker, case: uuid.UUID, subject: uuid.UUID) -> AsyncIterator[None]:
    """Have the log name whom a change concerned, also where the asker sees them no more after it."""
    whom = await asker.connection.fetchval("select audit_written($1)::text", subject)
    yield
    await asker.connection.execute("select set_config('hub.erased', $2, true) where not sees_case($1)", case, whom)


async def end_with_case(asker: Asker, case: uuid.UUID, but_of: int | None = None) -> None:
    """End what cities were shown of a case, but for the city that was accepted, and with it their access; and what was only offered."""
    await asker.connection.execute("select end_with_case($1, $2)", case, but_of)

"""This module takes receipts for what was retracted."""

import uuid
from typing import Any

from hub.commands.asker import Asker, Input, problems, sealed_text
from hub.commands.person import judge_text
from hub.engine.parameters import split_id


async def acknowledge_retraction(asker: Asker, given: Input) -> uuid.UUID:
    """Confirm that what was retracted is deleted; or note for ICORN why it is not, and go on owing the receipt."""
    row = await _named(asker, given["retraction"])
    with problems() as found:
        if row is None:
            found.add("NOT_FOUND", "There is nothing with this id.", "retraction")
        elif row["acknowledged_at"] is not None and not given["deleted"]:
            found.add("ALREADY_ACKNOWLEDGED", "You have confirmed that it is deleted.", "deleted")
        why = "" if given["deleted"] else "Say why it is not deleted: ICORN reads it."
        if given.get("note") is not None:
            judge_text(given["note"], found, "note", required=why)
        elif why:
            found.add("REQUIRED", why, "note")
    retraction: uuid.UUID = row["id"]
    if row["acknowledged_at"] is not None:
        return retraction
    if given.get("note") is not None:
        await _note(asker, retraction, given["note"])
    if given["deleted"]:
        await asker.connection.execute("update retraction set acknowledged_at = hub_now() where id = $1", retraction)
    await asker.tell(f"retraction.{'acknowledged' if given['deleted'] else 'kept'}", retraction=retraction)
    return retraction


async def _named(asker: Asker, identifier: str) -> Any:
    """Find a retraction of the asker's own, as it is once nobody else is deciding about it."""
    find = "select id, acknowledged_at from retraction where id = $1::text::uuid and organisation = $2"
    named = (split_id(identifier, "uuid:retraction"), asker.principal.organisation)
    row = await asker.connection.fetchrow(find, *named)
    if row is not None:
        await asker.alone(row["id"])
    return row and await asker.connection.fetchrow(find, *named)


async def _note(asker: Asker, retraction: uuid.UUID, note: str) -> None:
    """Seal a note under the retraction's own key: the case's may be gone."""
    key = asker.sealing.new_key()
    await asker.connection.execute(
        "insert into retraction_key (retraction_id, kek, wrapped) values ($1, $2, $3) on conflict do nothing",
        retraction,
        key.kek,
        key.wrapped,
    )
    kept = await asker.connection.fetchrow(
        "select kek, wrapped from retraction_key where retraction_id = $1", retraction
    )
    plain = asker.sealing.key(kept["kek"], kept["wrapped"])
    await asker.connection.execute(
        "update retraction set note = $2 where id = $1",
        retraction,
        sealed_text(asker.sealing, plain, f"retraction:{retraction}", "NOTE", note),
    )

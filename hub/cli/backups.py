"""This module tells until when a backup can still open what was erased since it was made: until its key epochs are destroyed."""

from datetime import datetime, timedelta
from typing import Any

from auth.keyring import Keyring
from hub.rotation import Epoch, epochs, erased_since


async def flaws(connection: Any, keyring: Keyring) -> list[str]:
    """Say where the file of keys and the database disagree."""
    found = []
    for epoch in await epochs(connection):
        if epoch.wraps and epoch.name not in keyring.keks:
            found.append(
                f"{epoch.wraps} keys are wrapped by epoch {epoch.name}, which is not in the file: bring it back"
            )
        if epoch.destroyed_at and epoch.name in keyring.keks:
            found.append(f"epoch {epoch.name} is destroyed, and still in the file: hub epochs destroy {epoch.name}")
    return found


async def openable(connection: Any, keyring: Keyring, days: int) -> tuple[bool, str]:
    """Tell what of what was erased backups can still open and until when; and whether there is nothing to be done now."""
    living = [epoch for epoch in await epochs(connection) if epoch.destroyed_at is None]
    since = living[0].made_at if living else None
    gone = f"what was erased before {since:%Y-%m-%d %H:%M} UTC is gone from every backup" if since else ""
    count, last = await erased_since(connection, since)
    if last is None:
        return True, gone or "nothing was erased yet"
    said = f"{gone}; " if gone else ""
    said += f"backups older than {last:%Y-%m-%d %H:%M} UTC can still open some of the {count} erased {'since' if gone else 'so far'}"
    old = [epoch for epoch in living if epoch.name != keyring.current and _was_there(epoch, last)]
    current = next((epoch for epoch in living if epoch.name == keyring.current), None)
    if current is None or _was_there(current, last):
        return False, f"{said}, until {days} days after the next hub epochs rotate"
    until = max(epoch.retired_at or last for epoch in old) + timedelta(days=days)
    if await connection.fetchval("select hub_now() < $1", until):
        return True, f"{said}, until {until:%Y-%m-%d}"
    named = ", ".join(epoch.name for epoch in old)
    return False, f"{said}, until hub epochs destroy takes what is due: {named}"


def _was_there(epoch: Epoch, at: datetime) -> bool:
    return epoch.made_at is None or epoch.made_at <= at

"""This module is in charge of refusing keys that are not those the database was sealed with; it changes nothing."""

from time import time
from typing import Any, Final

from auth.keyring import Keyring, KeyringError
from auth.signing_keys import SigningKeys
from hub.rotation import DATA_KEYS

# As ICORN, for the transaction only: without it no row is there for the role that answers requests.
BIND: Final = """
select set_config('hub.organisation', coalesce((select id::text from organisation where kind = 'ICORN'), ''), true),
       set_config('hub.scopes', 'cases:read referrals:read feeds:read', true)
"""
READABLE: Final = "select has_column_privilege($1, 'kek', 'SELECT') and has_column_privilege($1, 'wrapped', 'SELECT')"


async def check_signing_keys(connection: Any, keyring: Keyring, setting: str = "HUB_KEYS_FILE") -> int:
    """Open every live signing key (`connection` is of hub_auth) and say how many there are; raise KeyringError, naming `setting`."""
    try:
        return await SigningKeys(connection, keyring, time).check()
    except KeyringError:
        raise _others(setting, "a signing key") from None


async def check_data_keys(connection: Any, keyring: Keyring, setting: str = "HUB_KEYS_FILE") -> int:
    """Unwrap one key of each kind that the role of `connection` may read, and say how many; raise KeyringError, naming `setting`."""
    count = 0
    async with connection.transaction(readonly=True):
        await connection.execute(BIND)
        # Which of them a role may read is its grants' matter.
        for table in DATA_KEYS:
            if not await connection.fetchval(READABLE, table):
                continue
            row = await connection.fetchrow(f"select kek, wrapped from {table} limit 1")  # noqa: S608 a name of our own
            if row is None:
                continue
            try:
                keyring.unwrap(row["kek"], row["wrapped"])
            except KeyringError:
                raise _others(setting, "a data key") from None
            count += 1
    return count


def _others(setting: str, what: str) -> KeyringError:
    return KeyringError(
        f"{setting}: these are not the keys this database was sealed with: {what} does not open under them. "
        "Bring back the file that was made with the database; another opens nothing that is there."
    )

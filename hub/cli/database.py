"""This module reaches databases for the command line, and says in one line when one cannot be reached."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from hub.cli.errors import CommandError
from hub.postgres import HubConnection, connect
from hub.settings import DSN_ROLES, PREFIX, Settings

UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
PATIENCE = 5
ADMIN_ONCE = "set HUB_ADMIN_DATABASE_URL once, to an administrator's, and hub migrate makes them"

MIGRATED = f"Has hub migrate run with this password? If it never has: {ADMIN_ONCE}."
REFUSED = {
    "admin_database_url": "Is it the name and password of an administrator of this server?",
    "migrate_database_url": f"Is it the password that it was made with? If the roles are not there yet, {ADMIN_ONCE}.",
}
"""What to ask about a login that is refused, where it is not the usual."""


@asynccontextmanager
async def connected(settings: Settings, name: str) -> AsyncIterator[HubConnection]:
    """Connect by the DSN setting called `name`; raise SettingsError when it is not set, CommandError when it is no use."""
    dsn = settings.dsn(name)
    try:
        connection = await connect(dsn, name="hub cli", role=DSN_ROLES.get(name, "hub_app"))
    except UNREACHABLE as error:
        raise unreachable(name, error) from None
    try:
        yield connection
    finally:
        await connection.close(timeout=PATIENCE)


async def need_databases(settings: Settings, *names: str) -> None:
    """Raise SettingsError for all of these that are not set, CommandError for all that cannot be reached."""
    settings.need(*names)
    problems = []
    for name in names:
        try:
            async with connected(settings, name):
                pass
        except CommandError as error:
            problems.append(str(error))
    if problems:
        raise CommandError("\n".join(problems))


def unreachable(name: str, error: Exception) -> CommandError:
    """Say which database could not be reached and how, never where it is."""
    setting = f"{PREFIX}{name.upper()}"
    match error:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return CommandError(f"{setting}: the database refuses this login. {REFUSED.get(name, MIGRATED)}")
        case asyncpg.InvalidCatalogNameError():
            return CommandError(f"{setting}: there is no such database. Create it, then run hub migrate.")
        case asyncpg.InsufficientPrivilegeError() if name != "admin_database_url":
            return CommandError(f"{setting}: this login may not enter the database. {MIGRATED}")
        case OSError() | TimeoutError():
            return CommandError(f"{setting}: the database cannot be reached ({type(error).__name__}). Is it running?")
    return CommandError(f"{setting}: the database cannot be used ({type(error).__name__}).")

"""This module reaches databases for the command line, and says in one line when one cannot be reached."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from hub.cli.errors import CommandError
from hub.postgres import HubConnection, connect
from hub.settings import DSN_ROLES, PREFIX, Settings

UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
PATIENCE = 5


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
    """Raise SettingsError for all of these that are not set, CommandError for the first that cannot be reached."""
    settings.need(*names)
    for name in names:
        async with connected(settings, name):
            pass


def unreachable(name: str, error: Exception) -> CommandError:
    """Say which database could not be reached and how, never where it is."""
    setting = f"{PREFIX}{name.upper()}"
    match error:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return CommandError(f"{setting}: the database refuses this login. Has hub migrate run with this password?")
        case asyncpg.InvalidCatalogNameError():
            return CommandError(f"{setting}: there is no such database. Create it, then run hub migrate.")
        case OSError() | TimeoutError():
            return CommandError(f"{setting}: the database cannot be reached ({type(error).__name__}). Is it running?")
    return CommandError(f"{setting}: the database cannot be used ({type(error).__name__}).")

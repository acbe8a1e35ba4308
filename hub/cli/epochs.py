"""This module lets an operator change the key-encryption keys while the hub serves, and destroy old ones for good."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from hub import rotation
from hub.cli.database import connected
from hub.cli.errors import CommandError
from hub.cli.running import started
from hub.settings import Settings

epochs: Final = typer.Typer(
    name="epochs", no_args_is_help=True, help="Change and destroy the keys that wrap all others."
)


@epochs.callback()
def about() -> None:
    """Change and destroy the keys that wrap all others."""


@epochs.command("list")
def list_epochs() -> None:
    """List every epoch: when its key was made, retired and destroyed, and how many keys it wraps.

    Needs HUB_WORKER_DATABASE_URL, HUB_AUTH_DATABASE_URL and HUB_KEYS_FILE.

    ```sh
    hub epochs list
    ```
    """
    settings = _settings()

    async def go() -> list[rotation.Epoch]:
        async with _databases(settings) as (worker, auth):
            return await rotation.epochs(worker, auth)

    here = settings.keyring()
    table = Table("epoch", "made", "retired", "destroyed", "wraps", "", box=None, pad_edge=False)
    for epoch in asyncio.run(go()):
        days = [f"{at:%Y-%m-%d}" if at else "" for at in (epoch.made_at, epoch.retired_at, epoch.destroyed_at)]
        state = "in use" if epoch.name == here.current else "" if epoch.name in here.keks else "not in the file"
        table.add_row(epoch.name, *days, str(epoch.wraps), state)
    Console(highlight=False, emoji=False).print(table)


@epochs.command()
def rotate() -> None:
    """Add a new key to the file, to wrap from now on. Processes that serve notice; none is started anew.

    Needs HUB_WORKER_DATABASE_URL, HUB_AUTH_DATABASE_URL and HUB_KEYS_FILE, in a folder where this command may write. Then run **hub epochs rewrap**, and renew the copy of the file.

    ```sh
    hub epochs rotate && hub epochs rewrap
    ```
    """
    settings = _settings()

    async def go() -> str:
        async with connected(settings, "worker_database_url") as worker:
            return await rotation.rotate(worker, settings.keyring())

    typer.echo(f"Epoch {asyncio.run(go())} wraps from now on. Keep a copy of the file; next: hub epochs rewrap.")


@epochs.command()
def rewrap() -> None:
    """Wrap every key that an older epoch wraps by the current one, in batches. Stopped anywhere, it goes on when run again.

    Needs HUB_WORKER_DATABASE_URL, HUB_AUTH_DATABASE_URL and HUB_KEYS_FILE.

    ```sh
    hub epochs rewrap
    ```
    """
    done, left = asyncio.run(_rewrap(_settings()))
    typer.echo(f"{done} keys wrapped anew" + (f"; {left} were in use: run it again." if left else ", none left."))


@epochs.command()
def destroy(
    epoch: Annotated[str, typer.Argument(metavar="EPOCH", help="As hub epochs list names it.")],
    *,
    early: Annotated[bool, typer.Option("--early", help="Now, though backups that are not old yet need it.")] = False,
) -> None:
    """Destroy an epoch's key: no backup from before its end opens any more, and what was erased until then is gone for good.

    Refused while a key is wrapped by it, and until it has been retired for HUB_EPOCH_DAYS. Renew the copies of the file
    too: as long as one of them has the key, it is not destroyed.

    Needs HUB_WORKER_DATABASE_URL, HUB_AUTH_DATABASE_URL and HUB_KEYS_FILE.

    ```sh
    hub epochs destroy 1
    ```
    """
    settings = _settings()

    async def go() -> None:
        async with _databases(settings) as (worker, auth):
            try:
                await rotation.destroy(worker, auth, settings.keyring(), epoch, settings.epoch_days, early=early)
            except rotation.EpochError as error:
                raise CommandError(str(error)) from None

    asyncio.run(go())
    typer.echo(f"Epoch {epoch} is destroyed. Now put the new file in the place of every copy of the old one.")


def _settings() -> Settings:
    return started("worker_database_url", "auth_database_url", keys=True)


@asynccontextmanager
async def _databases(settings: Settings) -> AsyncIterator[tuple[Any, Any]]:
    async with connected(settings, "worker_database_url") as worker, connected(settings, "auth_database_url") as auth:
        yield worker, auth


async def _rewrap(settings: Settings) -> tuple[int, int]:
    keyring, count = settings.keyring(), 0
    async with _databases(settings) as (worker, auth):
        for table in rotation.DATA_KEYS:
            while done := await rotation.rewrap(worker, keyring, table):
                count += done
        count += await rotation.rewrap_signing_keys(auth, keyring)
        left = sum(epoch.wraps for epoch in await rotation.epochs(worker, auth) if epoch.name != keyring.current)
    return count, left

"""This module lets an operator change the keys that the hub signs access tokens with."""

import asyncio
from time import time
from typing import Annotated, Final

import typer

from auth.signing_keys import AHEAD, SigningKeys
from hub.cli.database import connected
from hub.cli.errors import CommandError
from hub.cli.running import started
from hub.settings import Settings

keys: Final = typer.Typer(name="keys", no_args_is_help=True, help="Change the keys that the hub signs with.")


@keys.callback()
def about() -> None:
    """Change the keys that the hub signs with."""


@keys.command()
def rotate(
    *,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Somebody may have the old one: believe nothing signed with it any more.")
    ] = False,
) -> None:
    """Sign access tokens with a new key. The old one is believed until its last token has ended, so no request is lost.

    Needs HUB_AUTH_DATABASE_URL, and HUB_KEYS_FILE or HUB_KEYS. The new key is published at once and signs after five
    minutes; the old one retires by itself a quarter of an hour later. With --at-once every token that is out is refused
    within half a minute, and clients get new ones.

    ```sh
    hub keys rotate
    ```
    """
    kid = asyncio.run(_rotate(started("auth_database_url", keys=True), at_once=at_once))
    if kid is None:
        raise CommandError("A rotation is under way: its old key has not retired yet. Wait, or say --at-once.")
    typer.echo(f"{kid} signs {'from now on' if at_once else f'in {AHEAD // 60} minutes'}.")


async def _rotate(settings: Settings, *, at_once: bool) -> str | None:
    async with connected(settings, "auth_database_url") as connection:
        return await SigningKeys(connection, settings.keyring(), time).rotate(at_once=at_once)

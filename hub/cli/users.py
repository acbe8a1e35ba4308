"""This module lets an operator invite people: an organisation's first admin, or whoever an organisation cannot invite itself."""

import asyncio
from collections.abc import Collection
from time import time
from typing import Annotated, Any, Final

import typer

from auth.keyring import Keyring
from auth.people import Role
from auth.people.invitations import (
    ICORN_ADMIN_SCOPES,
    PARTNER_ADMIN_SCOPES,
    Invitation,
    InvitationRefusedError,
    Invitations,
)
from auth.people.seal import UserSeal
from hub.cli.database import connected
from hub.cli.errors import CommandError
from hub.cli.running import started
from hub.key_check import check_data_keys, check_signing_keys
from hub.settings import Settings

FIND: Final = "select id, kind::text as kind from hub.organisation where code = $1"
CODES: Final = "select code from hub.organisation order by code"
FIELDS: Final = {"email": "--email", "name": "--name", "roles": "--role", "scopes": "--scopes"}

user: Final = typer.Typer(name="user", no_args_is_help=True, help="Invite people.")


@user.callback()
def about() -> None:
    """Invite people."""


@user.command(name="invite")
def invite_user(
    organisation: Annotated[str, typer.Option("--organisation", "-o", metavar="CODE", help="Where they work.")],
    email: Annotated[str, typer.Option(help="Their address; nothing is sent there.")],
    name: Annotated[str, typer.Option(help="What they are called.")],
    role: Annotated[list[Role] | None, typer.Option(help="An admin, unless said; several if repeated.")] = None,
    scopes: Annotated[
        str | None, typer.Option(help="What they may ever do, with spaces or commas between; an admin's, unless said.")
    ] = None,
) -> None:
    """Invite somebody, and print the link that lets them make their passkey: good once, for seven days.

    Needs HUB_AUTH_DATABASE_URL, HUB_ISSUER, and HUB_KEYS_FILE or HUB_KEYS. Nothing is sent: hand the link over yourself, by a
    channel that only this person reads. For somebody who has not come yet, a new link ends the one before.

    ```sh
    hub user invite -o pen-centre --email sara@pen.example --name 'Sara Lindqvist'
    hub user invite -o icorn --email jon@icorn.example --name Jon --role ICORN_STAFF --scopes 'cases:read referrals:read'
    ```
    """
    settings = started("auth_database_url", keys=True)
    told = asyncio.run(_invite(settings, settings.keyring(), organisation, email, name, role or (), words(scopes)))
    show(told, settings.issuer, name)


async def _invite(
    settings: Settings,
    keyring: Keyring,
    organisation: str,
    email: str,
    name: str,
    roles: Collection[str],
    scopes: Collection[str],
) -> Invitation:
    async with connected(settings, "auth_database_url") as connection:
        return await invite(connection, keyring, organisation, email=email, name=name, roles=roles, scopes=scopes)


async def invite(
    connection: Any,
    keyring: Keyring,
    organisation: str,
    *,
    email: str,
    name: str,
    roles: Collection[str] = (),
    scopes: Collection[str] = (),
) -> Invitation:
    """Invite somebody into an organisation, as its admin unless `roles` are given; raise CommandError, and KeyringError for keys that are not this hub's."""
    # A user who was sealed under other keys could never sign in.
    await check_signing_keys(connection, keyring)
    await check_data_keys(connection, keyring)
    row = await house(connection, organisation)
    admin, its = (
        (Role.ICORN_ADMIN, ICORN_ADMIN_SCOPES) if row["kind"] == "ICORN" else (Role.PARTNER_ADMIN, PARTNER_ADMIN_SCOPES)
    )
    if not scopes and roles and admin not in roles:
        raise CommandError("--scopes: say what they may ever do.")
    try:
        return await Invitations(connection, UserSeal(keyring), time).invite(
            organisation=row["id"], email=email, name=name, roles=roles or (admin,), scopes=scopes or its
        )
    except InvitationRefusedError as refused:
        said = [problem.partition(": ") for problem in refused.problems]
        raise CommandError("\n".join(f"{FIELDS.get(field, field)}: {what}" for field, _, what in said)) from None


async def house(connection: Any, code: str) -> Any:
    """Return id and kind of an organisation; raise CommandError, saying which there are."""
    row = await connection.fetchrow(FIND, code)
    if row is None:
        codes = ", ".join(found["code"] for found in await connection.fetch(CODES)) or "none"
        raise CommandError(f"There is no organisation {code!r}; there are: {codes}.")
    return row


def show(told: Invitation, issuer: str, name: str) -> None:
    """Print an invitation: the link alone on standard output, what to do with it beside."""
    typer.echo(
        f"For {name} alone, once, within seven days. Whoever has the link first is let in as them: "
        "hand it over by a channel that only they read.",
        err=True,
    )
    typer.echo(told.link(issuer))


def words(text: str | None) -> list[str]:
    """Split what may have commas or spaces between."""
    return (text or "").replace(",", " ").split()

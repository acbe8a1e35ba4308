"""This module lets an operator create an organisation, before there is anyone whom the hub would let do it."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from time import time
from typing import Annotated, Final

import asyncpg
import typer
from yarl import URL

from auth import organisations
from auth.people.identities import SUBJECTS, Identities
from auth.people.invitations import Invitation
from auth.people.provider import Provider, redirect_uri
from connectors.secrets import NAME
from hub.cli.database import connected
from hub.cli.errors import CommandError
from hub.cli.running import started
from hub.cli.users import house, invite, show
from hub.settings import Settings

FIELDS: Final = {"code": "CODE", "name": "--name"}

organisation: Final = typer.Typer(
    name="organisation",
    no_args_is_help=True,
    help="Create an organisation, and let its people sign in as they do there.",
)


class Kind(StrEnum):
    """What an organisation is to the hub."""

    ICORN = "ICORN"
    SISTER = "SISTER"
    CITY = "CITY"


@organisation.callback()
def about() -> None:
    """Create an organisation."""


@organisation.command()
def create(
    code: Annotated[str, typer.Argument(metavar="CODE", help="Its short name: a-z, 0-9 and dash, as pen-centre.")],
    name: Annotated[str, typer.Option(help="What it is called.")],
    kind: Annotated[Kind, typer.Option(help="ICORN is there once; a CITY receives people; others are SISTERs.")],
    country: Annotated[
        str | None, typer.Option(metavar="XX", help="A CITY's country (ISO 3166): the city is made with it.")
    ] = None,
    admin_email: Annotated[str | None, typer.Option(help="The address of its first admin.")] = None,
    admin_name: Annotated[str | None, typer.Option(help="What the first admin is called.")] = None,
) -> None:
    """Create an organisation. It sees nothing until it has a client, an agreement, and a person's consent.

    Needs HUB_ADMIN_DATABASE_URL. ICORN itself comes first; its admins create the others by `createOrganisation` too. With a first
    admin it needs HUB_ISSUER and the keys, and prints the link of their invitation, good once: hand it over, by a channel that only
    they read. Their passkey and their clients' keys they make themselves. **hub user invite** does the same later.

    ```sh
    hub organisation create icorn --name ICORN --kind ICORN
    hub organisation create bergen --name Bergen --kind CITY --country NO
    hub organisation create pen-centre --name 'PEN Centre' --kind SISTER --admin-email sara@pen.example --admin-name 'Sara Lindqvist'
    ```
    """
    if (kind is Kind.CITY) != (country is not None):
        raise typer.BadParameter("--country belongs to a CITY, and a CITY needs it.")
    if (admin_email is None) != (admin_name is None):
        raise typer.BadParameter("--admin-email and --admin-name belong together.")
    settings = started("admin_database_url", keys=admin_email is not None)
    admin = None if admin_email is None or admin_name is None else Admin(admin_email, admin_name)
    invitation = asyncio.run(_create(settings, code, name, kind, country, admin))
    typer.echo(
        f"Created {code}. Next: hub client add NAME --organisation {code} --scopes ... --jwks FILE", err=bool(admin)
    )
    if invitation and admin:
        show(invitation, settings.issuer, admin.name)


@organisation.command()
def provider(
    code: Annotated[str, typer.Argument(metavar="CODE", help="Whose it is.")],
    issuer: Annotated[str, typer.Option(metavar="URL", help="The issuer, exactly as its discovery document says.")],
    client_id: Annotated[str, typer.Option(help="What the hub is called there.")],
    secret: Annotated[str, typer.Option(metavar="NAME", help="The name of our secret there, beside those of feeds.")],
) -> None:
    """Let an organisation's people sign in through its own OpenID provider, those who take up their invitation with it.

    Needs HUB_AUTH_DATABASE_URL, HUB_ISSUER, and HUB_KEYS_FILE or HUB_KEYS. Prints the redirect URI to enter at the provider.

    ```sh
    hub organisation provider pen-centre --issuer https://login.pen.example --client-id icorn-hub --secret pen-login
    ```
    """
    settings = started("auth_database_url", keys=True)
    if (
        not issuer.startswith("https://")
        and f"{URL(issuer).host}:{URL(issuer).port}" not in settings.feed_private_hosts
    ):
        raise CommandError("--issuer: https, unless its host:port stands in HUB_FEED_PRIVATE_HOSTS.")
    if not NAME.match(secret):
        raise CommandError("--secret: the name of a secret, a-z, 0-9, dash and underscore; never the secret itself.")
    asyncio.run(_provider(settings, code, issuer, client_id, secret))
    typer.echo(redirect_uri(settings.issuer, code))


async def _provider(settings: Settings, code: str, issuer: str, client_id: str, secret: str) -> None:
    async with connected(settings, "auth_database_url") as connection:
        number = (await house(connection, code))["id"]
        key = settings.keyring().subkey(SUBJECTS)
        await Identities(connection, key, time).set_provider(Provider(number, code, issuer, client_id, secret))


@dataclass(frozen=True, slots=True)
class Admin:
    """The first admin of an organisation."""

    email: str
    name: str


async def _create(
    settings: Settings, code: str, name: str, kind: Kind, country: str | None, admin: Admin | None
) -> Invitation | None:
    if wrong := organisations.code_problems(code) + organisations.name_problems(name):
        said = [problem.partition(": ") for problem in wrong]
        raise CommandError("\n".join(f"{FIELDS[field]}: {what}" for field, _, what in said))
    async with connected(settings, "admin_database_url") as connection:
        try:
            # Together or not at all: an admin who cannot be invited is no reason to have half of it.
            async with connection.transaction():
                if await organisations.add(connection, code=code, name=name, kind=kind.value, country=country) is None:
                    raise CommandError(f"{code} is there already.")
                if admin is None:
                    return None
                return await invite(connection, settings.keyring(), code, email=admin.email, name=admin.name)
        except asyncpg.UniqueViolationError:
            raise CommandError("There is one ICORN only.") from None
        except asyncpg.CheckViolationError:
            raise CommandError("--country: two letters as NO.") from None
        except asyncpg.UndefinedTableError:
            raise CommandError("The tables are not there yet: run hub migrate first.") from None
        except asyncpg.InsufficientPrivilegeError:
            raise CommandError(
                "HUB_ADMIN_DATABASE_URL: a superuser is needed, whom row security does not bind."
            ) from None

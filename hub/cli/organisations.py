"""This module lets an operator add an organisation, before there is anyone whom the hub would let do it."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

import asyncpg
import typer

from auth.people.invitations import Invitation
from hub.cli.database import connected
from hub.cli.errors import CommandError
from hub.cli.running import started
from hub.cli.users import invite, show
from hub.settings import Settings

ADD: Final = """
with place as (
    insert into city (code, name, country) select $1::text, $2::text, $4::text where $4::text is not null
    on conflict (code) do update set name = city.name returning id
)
insert into organisation (code, name, kind, city)
select $1::text, $2::text, $3::text::organisation_kind, (select id from place)
"""

organisation: Final = typer.Typer(name="organisation", no_args_is_help=True, help="Add an organisation.")


class Kind(StrEnum):
    """What an organisation is to the hub."""

    ICORN = "ICORN"
    SISTER = "SISTER"
    CITY = "CITY"


@organisation.callback()
def about() -> None:
    """Add an organisation."""


@organisation.command()
def add(
    code: Annotated[str, typer.Argument(metavar="CODE", help="Its short name: a-z, 0-9 and dash, as pen-centre.")],
    name: Annotated[str, typer.Option(help="What it is called.")],
    kind: Annotated[Kind, typer.Option(help="ICORN is there once; a CITY receives people; others are SISTERs.")],
    country: Annotated[
        str | None, typer.Option(metavar="XX", help="A CITY's country (ISO 3166): the city is made with it.")
    ] = None,
    admin_email: Annotated[str | None, typer.Option(help="The address of its first admin.")] = None,
    admin_name: Annotated[str | None, typer.Option(help="What the first admin is called.")] = None,
) -> None:
    """Add an organisation. It sees nothing until it has a client, an agreement, and a person's consent.

    Needs HUB_ADMIN_DATABASE_URL, for no login that serves may do this. ICORN itself comes first. With a first admin it needs
    HUB_ISSUER and the keys too, and prints an invitation, good once; **hub user invite** does the same later.

    ```sh
    hub organisation add icorn --name ICORN --kind ICORN
    hub organisation add bergen --name Bergen --kind CITY --country NO
    hub organisation add pen-centre --name 'PEN Centre' --kind SISTER --admin-email sara@pen.example --admin-name 'Sara Lindqvist'
    ```
    """
    if (kind is Kind.CITY) != (country is not None):
        raise typer.BadParameter("--country belongs to a CITY, and a CITY needs it.")
    if (admin_email is None) != (admin_name is None):
        raise typer.BadParameter("--admin-email and --admin-name belong together.")
    settings = started("admin_database_url", keys=admin_email is not None)
    admin = None if admin_email is None or admin_name is None else Admin(admin_email, admin_name)
    invitation = asyncio.run(_add(settings, code, name, kind, country, admin))
    typer.echo(
        f"Added {code}. Next: hub client add NAME --organisation {code} --scopes ... --jwks FILE", err=bool(admin)
    )
    if invitation and admin:
        show(invitation, settings.issuer, admin.name)


@dataclass(frozen=True, slots=True)
class Admin:
    """The first admin of an organisation."""

    email: str
    name: str


async def _add(
    settings: Settings, code: str, name: str, kind: Kind, country: str | None, admin: Admin | None
) -> Invitation | None:
    async with connected(settings, "admin_database_url") as connection:
        try:
            # Together or not at all: an admin who cannot be invited is no reason to have half of it.
            async with connection.transaction():
                await connection.execute(ADD, code, name, kind.value, country)
                if admin is None:
                    return None
                return await invite(connection, settings.keyring(), code, email=admin.email, name=admin.name)
        except asyncpg.UniqueViolationError as error:
            again = "There is one ICORN only." if error.constraint_name == "one_icorn" else f"{code} is there already."
            raise CommandError(again) from None
        except asyncpg.CheckViolationError as error:
            wrong = (
                "--country: two letters as NO."
                if error.table_name is None
                else "CODE: a-z, 0-9 and dash, as pen-centre."
            )
            raise CommandError(wrong) from None
        except asyncpg.UndefinedTableError:
            raise CommandError("The tables are not there yet: run hub migrate first.") from None
        except asyncpg.InsufficientPrivilegeError:
            raise CommandError(
                "HUB_ADMIN_DATABASE_URL: a superuser is needed, whom row security does not bind."
            ) from None

"""This module lets an operator register a partner's client by its public keys, and set how it may ask."""

import asyncio
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from auth.clients import RegistrationRefusedError, register_client, set_client, set_use
from auth.purposes import Purpose
from hub.cli.database import connected, need_databases
from hub.cli.errors import CommandError
from hub.cli.running import started
from hub.settings import Settings

client: Final = typer.Typer(
    name="client", no_args_is_help=True, help="Register a partner's client, and set how it may ask."
)


class Asking(StrEnum):
    """What a client may send: published documents only, or any."""

    ONLY = "only"
    ANY = "any"


class Urls(StrEnum):
    """What the URL of a client's GET may hold: the ids of published documents, or text and variables too."""

    IDS = "ids"
    TEXT = "text"


@client.callback()
def about() -> None:
    """Register a partner's client, and set how it may ask."""


@client.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The client id: the `iss` and `sub` of its assertions.")],
    organisation: Annotated[str, typer.Option("--organisation", "-o", metavar="CODE", help="Whose it is.")],
    scopes: Annotated[str, typer.Option(help="What it may ever do, with spaces or commas between.")],
    jwks: Annotated[
        str, typer.Option(metavar="FILE", help="Its public keys, as hub keygen prints them; - reads them.")
    ],
    title: Annotated[str | None, typer.Option(help="What people call it; NAME if left out.")] = None,
    purpose: Annotated[Purpose | None, typer.Option(help="Why it asks, when a request does not say.")] = None,
    *,
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Where it sends people back to; with one, people may use it."),
    ] = None,
    introspects: Annotated[
        bool, typer.Option("--introspects", help="Let it ask what a token is worth: a resource server of ICORN's own.")
    ] = False,
) -> None:
    """Register a client of an organisation; what of its scopes opens a case is still the agreements' and consents' matter.

    Needs HUB_DATABASE_URL and HUB_AUTH_DATABASE_URL. The partner made its key by **hub keygen**; no private key is taken.

    ```sh
    hub client add pen-centre -o pen-centre --scopes 'cases:read referrals:submit' --jwks pen-centre.jwks.json
    hub client add pen-desk -o pen-centre --scopes cases:read --jwks desk.jwks.json --redirect-uri https://desk.pen.example/back
    ```
    """
    asyncio.run(
        _add(
            started("database_url", "auth_database_url"),
            organisation,
            client_id=name,
            name=title or name,
            scopes=scopes.replace(",", " ").split(),
            jwks=_read(jwks),
            purpose=str(purpose) if purpose else None,
            redirect_uris=redirect_uri or [],
            introspects=introspects,
        )
    )
    typer.echo(f"Added {name}.")


@client.command(name="set")
def set_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The client id.")],
    documents: Annotated[
        Asking | None, typer.Option(help="only: nothing but documents published for it. At once.")
    ] = None,
    urls: Annotated[
        Urls | None,
        typer.Option(help="text: its GETs may hold text and variables, which logs on the way then hold too."),
    ] = None,
) -> None:
    """Set how a client may ask; what is not named stays as it is. A new client may send any document, and GET by ids.

    Needs HUB_AUTH_DATABASE_URL. `--documents` holds at once, also for tokens that are out; `--urls` within ten minutes.

    ```sh
    hub client set pen-centre --documents only
    ```
    """
    if documents is None and urls is None:
        raise typer.BadParameter("Name what to set: --documents, --urls, or both.")
    only = None if documents is None else documents is Asking.ONLY
    text = None if urls is None else urls is Urls.TEXT
    asyncio.run(_set(started("auth_database_url"), name, only, text))
    typer.echo(f"Set {name}.")


async def _set(settings: Settings, name: str, only: bool | None, text: bool | None) -> None:  # noqa: FBT001 two settings
    async with connected(settings, "auth_database_url") as connection:
        if not await set_client(connection, name, documents_only=only, text_in_urls=text):
            raise CommandError(f"There is no client {name!r}; hub client add registers one.")


async def _add(
    settings: Settings, organisation: str, *, redirect_uris: list[str], introspects: bool, **wanted: Any
) -> None:
    await need_databases(settings, "database_url", "auth_database_url")
    async with connected(settings, "database_url") as reading, connected(settings, "auth_database_url") as writing:
        number = await reading.fetchval("select id from organisation where code = $1", organisation)
        if number is None:
            codes = [row["code"] for row in await reading.fetch("select code from organisation order by code")]
            raise CommandError(
                f"--organisation: there is no {organisation!r}; there are: {', '.join(codes) or 'none'}."
            )
        try:
            async with writing.transaction():
                await register_client(writing, organisation=number, **wanted)
                if redirect_uris or introspects:
                    await set_use(writing, wanted["client_id"], redirect_uris=redirect_uris, introspects=introspects)
        except RegistrationRefusedError as refused:
            raise CommandError("\n".join(refused.problems)) from None


def _read(file: str) -> Any:
    try:
        return json.loads(sys.stdin.read() if file == "-" else Path(file).read_text())
    except OSError as error:
        raise CommandError(f"--jwks: {file} cannot be read ({type(error).__name__}).") from None
    except ValueError:
        raise CommandError(f"--jwks: {file} is not JSON. It should be what hub keygen prints.") from None

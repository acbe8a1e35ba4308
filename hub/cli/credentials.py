"""This module finds a client's credentials and speaks to the hub as that client."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import aiohttp
import typer

from auth.client import Credentials, HubClient, over_aiohttp
from hub.cli.errors import CommandError

DEFAULT: Final = Path(".demo/credentials.json")
SECONDS: Final = 60
ClientName = Annotated[str, typer.Option("--client", "-c", metavar="NAME", help="Who asks: a name in the credentials.")]
CredentialsFile = Annotated[
    Path, typer.Option("--credentials", metavar="FILE", help="Where the clients' credentials are.")
]


@dataclass(frozen=True, slots=True)
class Known:
    """An entry of a credentials file."""

    name: str
    scopes: tuple[str, ...]
    credentials: Credentials


def find(name: str, file: Path) -> Known:
    """Find a client by its name; raise CommandError, saying which there are."""
    try:
        entries = json.loads(file.read_text())
        known = {entry["name"]: entry for entry in entries}
        if name in known:
            return Known(name, tuple(known[name]["scopes"]), Credentials.of(known[name]))
    except FileNotFoundError:
        raise CommandError(f"{file} is not there: start `hub demo`, or name a file with --credentials.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{file} is not a credentials file ({type(error).__name__}).") from None
    raise CommandError(f"There is no client {name!r} in {file}; there are {', '.join(known)}.")


@asynccontextmanager
async def speaking(known: Known) -> AsyncIterator[HubClient]:
    """Give a client that speaks to the hub; raise CommandError when nothing answers."""
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            yield HubClient(known.credentials, over_aiohttp(session))
    except (aiohttp.ClientError, TimeoutError) as error:
        raise CommandError(
            f"Nothing answers at {known.credentials.issuer} ({type(error).__name__}): is the hub running?"
        ) from None


def variables(text: str | None) -> dict[str, Any]:
    """Read --variables; raise CommandError when it is not a JSON object."""
    try:
        given = json.loads(text) if text else {}
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise CommandError("--variables should be a JSON object, like '{\"first\": 5}'.")
    return given

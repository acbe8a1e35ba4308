"""This module finds a client's credentials and speaks to the hub as that client."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import aiohttp
import typer
from joserfc.errors import JoseError

from auth.client import Answer, Credentials, HubClient, TokenRefusedError, over_aiohttp, signing_key
from hub.cli.errors import CommandError

DEFAULT: Final = Path(".demo/credentials.json")
SECONDS: Final = 60
FIELDS: Final = ("client_id", "private_jwk", "issuer", "token_url", "graphql_url")
KEY_TYPES: Final = ("EC", "RSA", "OKP")
ClientName = Annotated[str, typer.Option("--client", "-c", metavar="NAME", help="Who asks: a name in the credentials.")]
CredentialsFile = Annotated[
    Path, typer.Option("--credentials", metavar="FILE", help="Where the clients' credentials are.")
]


@dataclass(frozen=True, slots=True)
class Known:
    """An entry of a credentials file."""

    name: str
    scopes: tuple[str, ...] | None
    credentials: Credentials


def find(name: str, file: Path) -> Known:
    """Find a client by its name; raise CommandError, saying which there are, or what its entry lacks."""
    known = {entry.get("name"): entry for entry in entries(file)}
    if name not in known:
        there = ", ".join(str(each) for each in known) or "none"
        raise CommandError(f"There is no client {name!r} in {file}; there are: {there}.")
    entry = known[name]
    wrong = [field for field in FIELDS if not isinstance(entry.get(field), dict if field == "private_jwk" else str)]
    if wrong:
        raise CommandError(f"{file}: the entry of {name} lacks, or has wrong: {', '.join(wrong)}.")
    if not is_private(entry["private_jwk"]):
        raise CommandError(f"{file}: private_jwk of {name} is no private key that can sign. `hub keygen` makes one.")
    scopes = entry.get("scopes")
    return Known(name, tuple(scopes) if isinstance(scopes, list) else None, Credentials.of(entry))


def entries(file: Path) -> list[dict[str, Any]]:
    """Read a credentials file; raise CommandError when it is not there or is none."""
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError:
        raise CommandError(f"{file} is not there: start `hub demo`, or name a file with --credentials.") from None
    except OSError as error:
        raise CommandError(f"{file} cannot be read ({type(error).__name__}).") from None
    except ValueError:
        raise CommandError(f"{file} is not a credentials file: it is not JSON.") from None
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise CommandError(f"{file} is not a credentials file: a JSON list with an object for each client is.")
    return found


def is_private(jwk: dict[str, Any]) -> bool:
    """Say whether a key can sign as the hub asks for it."""
    if jwk.get("kty") not in KEY_TYPES or jwk.get("crv") not in (None, "P-256", "Ed25519"):
        return False
    try:
        return signing_key(jwk).is_private
    except (JoseError, ValueError, TypeError, KeyError):
        return False


@asynccontextmanager
async def speaking(known: Known) -> AsyncIterator[HubClient]:
    """Give a client that speaks to the hub; raise CommandError, naming the URL, when nothing answers there."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session:
        over = over_aiohttp(session)

        async def send(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
            try:
                return await over(url, headers, body)
            except (aiohttp.ClientError, TimeoutError) as error:
                raise CommandError(f"Nothing answers at {url} ({type(error).__name__}): is the hub running?") from None

        try:
            yield HubClient(known.credentials, send)
        except TokenRefusedError as error:
            if error.error != "unknown":
                raise
            url = known.credentials.token_url
            raise CommandError(f"{url} answers (HTTP {error.status}), but not as a token endpoint does.") from None


def variables(text: str | None) -> dict[str, Any]:
    """Read --variables; raise CommandError when it is not a JSON object."""
    try:
        given = json.loads(text) if text else {}
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise CommandError("--variables should be a JSON object, like '{\"first\": 5}'.")
    return given

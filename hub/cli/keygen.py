"""This module makes keys, each on the machine that keeps it: a client's, and those that seal the database."""

import json
import os
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from joserfc.jwk import OKPKey

from auth.keyring import Keyring
from auth.metadata import TOKEN_PATH, checked_issuer
from hub.cli.errors import CommandError

GRAPHQL_PATH: Final = "/graphql"
FILE: Final = Path("credentials.json")


def keygen(
    client: Annotated[
        str | None, typer.Option("--client", "-c", metavar="NAME", help="Make a key pair for the client of this id.")
    ] = None,
    issuer: Annotated[
        str | None, typer.Option(metavar="URL", help="The hub's address, as its metadata say: https://hub.example.org.")
    ] = None,
    credentials: Annotated[
        Path, typer.Option("--credentials", metavar="FILE", help="Where to put the private key (0600).")
    ] = FILE,
    sealing: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Make a hub's key-encryption keys instead: its HUB_KEYS_FILE.")
    ] = None,
) -> None:
    """Make a client's key pair on the partner's own machine, or a hub's key-encryption keys. Nothing is overwritten.

    The private key goes to a credentials file that its owner alone may read, for **hub token** and **hub query**. The
    public JWKS is printed: only that goes to the hub's operator, who registers it with **hub client add**.

    ```sh
    hub keygen --client pen-centre --issuer https://hub.example.org > pen-centre.jwks.json
    hub keygen --sealing /etc/hub/keys.json
    ```
    """
    if (client is None) == (sealing is None):
        raise typer.BadParameter("Say either --client, with --issuer, or --sealing.")
    if sealing is not None:
        Keyring.create(sealing, setting="--sealing")
        typer.echo(
            f"Made {sealing}. Keep a copy apart from the database's backups: without it nothing opens.", err=True
        )
        return
    if issuer is None:
        raise typer.BadParameter("Say where the hub is: --issuer https://hub.example.org")
    try:
        checked_issuer(issuer)
    except ValueError:
        raise CommandError("--issuer should be like https://hub.example.org, with nothing after it.") from None
    key = OKPKey.generate_key("Ed25519")
    key.ensure_kid()
    _write(credentials, [_entry(str(client), issuer, key)])
    typer.echo(f"The private key is in {credentials}. Give what is printed to the hub's operator.", err=True)
    typer.echo(json.dumps({"keys": [key.as_dict(private=False)]}, indent=2))


def _entry(client: str, issuer: str, key: OKPKey) -> dict[str, Any]:
    return {
        "name": client,
        "client_id": client,
        "issuer": issuer,
        "token_url": issuer + TOKEN_PATH,
        "graphql_url": issuer + GRAPHQL_PATH,
        "private_jwk": key.as_dict(private=True),
    }


def _write(file: Path, entries: list[dict[str, Any]]) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandError(f"--credentials: {file} is there already, and is not overwritten. Name another.") from None
    except OSError as error:
        raise CommandError(f"--credentials: {file} cannot be written ({type(error).__name__}).") from None
    with os.fdopen(descriptor, "w") as output:
        output.write(json.dumps(entries, indent=2) + "\n")

"""This module asks the hub as one of its clients, from the command line."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from auth.client import Answer
from auth.purposes import Purpose
from hub.cli.credentials import DEFAULT, ClientName, CredentialsFile, Known, find, speaking, variables
from hub.cli.errors import CommandError


def token(client: ClientName, credentials: CredentialsFile = DEFAULT) -> None:
    """Print an access token of a client.

    It lives ten minutes and is bound to the key of a DPoP proof (RFC 9449), made for this call and then forgotten: it shows
    what a token is, and opens nothing by itself. To ask something, use **hub query**.

    ```sh
    hub token --client pen-centre
    ```
    """

    async def get() -> str:
        async with speaking(find(client, credentials)) as speaker:
            return (await speaker.token()).value

    typer.echo(asyncio.run(get()))


def query(
    client: ClientName,
    operation: Annotated[
        str, typer.Argument(metavar="GRAPHQL", help="The operation; @FILE reads it from a file, - from standard input.")
    ],
    given: Annotated[str | None, typer.Option("--variables", "-v", metavar="JSON", help="Its variables.")] = None,
    name: Annotated[
        str | None, typer.Option("--operation", metavar="NAME", help="Which one to run, if the document has several.")
    ] = None,
    purpose: Annotated[Purpose | None, typer.Option(help="Why you ask, if not for the client's usual purpose.")] = None,
    credentials: CredentialsFile = DEFAULT,
) -> None:
    """Send an operation as a client, with its token and a fresh DPoP proof, and print the answer as JSON.

    The exit status is 1 when the answer has errors.

    ```sh
    hub query --client pen-centre '{ cases(first: 2) { edges { node { reference withheld } } } }'
    hub query --client icorn-desk @operation.graphql --variables '{"case": "case_..."}' --purpose PROTECTION
    ```
    """
    answer = asyncio.run(_ask(find(client, credentials), read(operation), variables(given), name, purpose))
    try:
        told = json.loads(answer.body)
    except ValueError:
        raise CommandError(f"The hub answered with status {answer.status} and no JSON.") from None
    show(told)
    if "errors" in told:
        raise typer.Exit(1)


async def _ask(
    known: Known, operation: str, given: dict[str, Any], name: str | None, purpose: Purpose | None
) -> Answer:
    async with speaking(known) as speaker:
        return await speaker.graphql(operation, given, operation=name, purpose=str(purpose) if purpose else None)


def read(operation: str) -> str:
    """Give the text of an operation that is named or given; raise CommandError."""
    if operation == "-":
        return sys.stdin.read()
    if not operation.startswith("@"):
        return operation
    try:
        return Path(operation[1:]).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{operation[1:]} cannot be read ({type(error).__name__}).") from None


def show(told: Any) -> None:
    """Print JSON, in colour on a terminal."""
    text = json.dumps(told, indent=2, ensure_ascii=False)
    if sys.stdout.isatty():
        Console().print_json(text)
    else:
        typer.echo(text)

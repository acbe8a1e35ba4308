"""This module prints the schema: all of it, or the part that a client's scopes open."""

from pathlib import Path
from typing import Annotated

import typer
from graphql import parse, print_ast

from hub.cli.credentials import DEFAULT, CredentialsFile, find
from hub.cli.errors import CommandError
from hub.cli.opened import opened_part
from schema.query import SCHEMA


def schema(
    client: Annotated[
        str | None, typer.Option("--client", "-c", metavar="NAME", help="Only the part this client's scopes open.")
    ] = None,
    credentials: CredentialsFile = DEFAULT,
) -> None:
    """Print the schema in GraphQL's own language (SDL), with the scopes each field asks for.

    The schema is public and the same for all. It needs no hub and no database.

    ```sh
    hub schema > schema.graphql
    hub schema --client pen-readonly
    ```
    """
    text = SCHEMA.as_str()
    if client is not None:
        scopes = find(client, Path(credentials)).scopes
        if scopes is None:
            raise CommandError(f"{credentials} does not say which scopes {client} has: add its list `scopes`.")
        text = print_ast(opened_part(parse(text), frozenset(scopes)))
    typer.echo(text)

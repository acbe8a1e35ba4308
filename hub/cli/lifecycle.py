"""This module prints the life of a referral."""

from typing import Annotated

import typer

from hub.commands import lifecycle as life


def lifecycle(
    *,
    picture: Annotated[bool, typer.Option("--picture", help="As a Mermaid state diagram, like the README's.")] = False,
) -> None:
    """Print who may take which step of a referral, from where, and where it leads.

    It is the table that the hub itself asks. It needs no hub and no database.

    ```sh
    hub lifecycle
    ```
    """
    typer.echo(life.picture() if picture else life.table())

"""This module prints the lives of referrals, cases, presentations and residencies."""

from typing import Annotated

import typer

from hub import lifecycle_of_cases as of_cases
from hub.commands import lifecycle as life


def lifecycle(
    *,
    picture: Annotated[bool, typer.Option("--picture", help="As a Mermaid state diagram, like the README's.")] = False,
) -> None:
    """Print who may take which step of a referral, from where, and where it leads; and the steps of cases, presentations and residencies.

    They are the tables that the hub itself asks. It needs no hub and no database.

    ```sh
    hub lifecycle
    ```
    """
    typer.echo(life.picture() if picture else f"{life.table()}\n\n{of_cases.table()}")

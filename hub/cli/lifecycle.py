"""This module prints the lives of referrals, cases, presentations and residencies."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Final

import typer

from hub.commands import lifecycle as life
from hub.commands import lifecycle_of_cases as lives


class Of(StrEnum):
    """What has a life."""

    REFERRAL = "referral"
    CASE = "case"
    PRESENTATION = "presentation"
    RESIDENCY = "residency"


PRINTED: Final[dict[Of, tuple[Callable[[], str], Callable[[], str]]]] = {
    Of.REFERRAL: (life.table, life.picture),
    Of.CASE: (lambda: lives.table(lives.CASE), lambda: lives.picture(lives.CASE)),
    Of.PRESENTATION: (lambda: lives.table(lives.PRESENTATION), lambda: lives.picture(lives.PRESENTATION)),
    Of.RESIDENCY: (lambda: lives.table(lives.RESIDENCY), lambda: lives.picture(lives.RESIDENCY)),
}


def lifecycle(
    of: Annotated[Of, typer.Argument(help="Whose life.")] = Of.REFERRAL,
    *,
    picture: Annotated[bool, typer.Option("--picture", help="As a Mermaid state diagram, like the README's.")] = False,
) -> None:
    """Print which step of a referral, a case, a presentation or a residency leads from where to where, and by whom or what.

    These are the tables that the hub itself asks. It needs no hub and no database.

    ```sh
    hub lifecycle case
    ```
    """
    typer.echo(PRINTED[of][picture]())

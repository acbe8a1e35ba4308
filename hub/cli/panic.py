"""This module lets an operator stop things at once: a partner, a case, or everyone of an origin; and lift it again."""

import asyncio
from typing import Annotated, Final

import asyncpg
import typer

from auth.organisations import suspend
from hub.cli.database import connected
from hub.cli.errors import CommandError
from hub.cli.running import started
from hub.settings import Settings

CODES: Final = "select code from organisation where kind <> 'ICORN' order by code"
CASE: Final = "select distinct case_id from case_access where reference = $1"
FREEZE: Final = """
insert into frozen (case_id, country, starts) select $1::uuid, $2::text, hub_now()
where not exists (select from frozen where case_id is not distinct from $1::uuid and country is not distinct from $2::text and ended_at is null)
"""
LIFT: Final = """
update frozen set ended_at = hub_now()
where case_id is not distinct from $1::uuid and country is not distinct from $2::text and ended_at is null returning true
"""


def panic(
    *,
    organisation: Annotated[
        str | None, typer.Option("--organisation", "-o", metavar="CODE", help="Suspend this partner.")
    ] = None,
    case: Annotated[
        str | None, typer.Option(metavar="REF", help="Freeze this case, by any organisation's reference: C-....")
    ] = None,
    country: Annotated[
        str | None,
        typer.Option(metavar="CC", help="Freeze whatever is of this origin, as IR; also what is still to come."),
    ] = None,
    lift: Annotated[bool, typer.Option("--lift", help="Undo it.")] = False,
) -> None:
    """Stop at once: the next statement of every process already knows. Needs HUB_ADMIN_DATABASE_URL.

    A suspended partner's clients and people are refused, and what they were signed in with ends for good. A frozen case
    is ICORN's alone: no partner sees it, nor a referral of it that it sent itself, whatever allows it. A country is where
    people come from; where they are now is sealed, and nobody can freeze by it.

    ```sh
    hub panic --organisation pen-centre
    hub panic --case C-0F3A-99B2-7C41-E05D
    hub panic --country IR --lift
    ```
    """
    named = [name for name in (organisation, case, country) if name is not None]
    if len(named) != 1:
        raise typer.BadParameter("Say one of --organisation, --case and --country.")
    settings = started("admin_database_url")
    told = asyncio.run(
        _suspend(settings, organisation, lift=lift) if organisation else _freeze(settings, case, country, lift=lift)
    )
    typer.echo(told)


async def _suspend(settings: Settings, code: str, *, lift: bool) -> str:
    async with connected(settings, "admin_database_url") as connection, connection.transaction():
        kind = await suspend(connection, code, suspended=not lift)
        if kind is None:
            codes = ", ".join(row["code"] for row in await connection.fetch(CODES))
            raise CommandError(f"--organisation: there is none of this code; there are: {codes or 'none'}.")
        if kind == "ICORN" and not lift:
            raise CommandError("--organisation: ICORN itself is not suspended: stop the hub instead.")
    return f"{code} is {'let in again; its people sign in anew' if lift else 'suspended'}."


async def _freeze(settings: Settings, reference: str | None, country: str | None, *, lift: bool) -> str:
    async with connected(settings, "admin_database_url") as connection:
        found = None
        if reference is not None:
            cases = [row["case_id"] for row in await connection.fetch(CASE, reference)]
            if len(cases) != 1:
                raise CommandError("--case: no case has this reference. It looks like C-0F3A-99B2-7C41-E05D.")
            (found,) = cases
        try:
            changed = await connection.execute(LIFT if lift else FREEZE, found, country)
        except asyncpg.CheckViolationError:
            raise CommandError("--country: two capital letters, as IR.") from None
    if lift and changed.endswith(" 0"):
        raise CommandError("It was not frozen.")
    what = "The case" if reference is not None else f"Whatever is of {country}"
    return f"{what} is {'open again to whom it was open' if lift else 'frozen: ICORN alone sees it'}."

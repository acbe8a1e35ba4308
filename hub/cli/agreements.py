"""This module shows an operator which agreements there are, and how long each still holds."""

import asyncio
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table

from hub.agreements import left
from hub.cli.database import connected
from hub.cli.running import started
from hub.settings import Settings

LIST: Final = """
select o.code, a.version, agreement_state(a, hub_now())::text as status, array_to_string(a.categories, ' ') as categories,
  coalesce(array_to_string(a.origins, ' '), 'all') as origins, coalesce(array_to_string(a.disciplines, ' '), 'all') as disciplines,
  a.valid_until, extract(day from a.valid_until - hub_now())::int as days
from agreement a join organisation o on o.id = a.organisation
where $1::text is null or o.code = $1 order by o.code, a.valid_from, a.id
"""

agreement: Final = typer.Typer(name="agreement", no_args_is_help=True, help="See which agreements there are.")


@agreement.callback()
def about() -> None:
    """See which agreements there are; both sides make and end them through the API."""


@agreement.command(name="list")
def list_agreements(
    organisation: str | None = typer.Option(None, "--organisation", "-o", metavar="CODE", help="Of one partner alone."),
) -> None:
    """List agreements, with the days that are left of those in force. Needs HUB_WORKER_DATABASE_URL.

    ```sh
    hub agreement list -o pen-centre
    ```
    """
    rows = asyncio.run(_rows(started("worker_database_url"), organisation))
    table = Table(box=None, pad_edge=False)
    for heading in ("partner", "version", "status", "until", "categories", "origins", "disciplines"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        until = left(row["valid_until"], row["days"]) if row["status"] == "ACTIVE" else ""
        table.add_row(
            row["code"], str(row["version"]), row["status"], until, row["categories"], row["origins"] or "none", row["disciplines"] or "none",
        )  # fmt: skip
    Console(highlight=False, emoji=False).print(table)


async def _rows(settings: Settings, organisation: str | None) -> list[Any]:
    async with connected(settings, "worker_database_url") as connection:
        found: list[Any] = await connection.fetch(LIST, organisation)
    return found

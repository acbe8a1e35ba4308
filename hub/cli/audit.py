"""This module lets an operator check that the audit log is whole."""

import asyncio
import json
import os
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from hub.audit import Verdict
from hub.audit import verify as walk
from hub.audit_chain import Head
from hub.cli.database import connected
from hub.cli.errors import CommandError
from hub.cli.running import started
from hub.settings import Settings

audit: Final = typer.Typer(name="audit", no_args_is_help=True, help="Check the record of who looked at what.")


@audit.callback()
def about() -> None:
    """Check the record of who looked at what."""


@audit.command()
def verify(
    organisation: Annotated[
        str | None,
        typer.Option("--organisation", "-o", metavar="CODE", help="One organisation's log; all if left out."),
    ] = None,
    heads: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Compare with the heads kept here by the last run; keep today's if all is well."
        ),
    ] = None,
) -> None:
    """Walk each organisation's audit chain from its first leaf, and name the first that is not what was written.

    A chain shows what was changed, removed, put in or moved. That its end was cut off only an earlier head shows: keep
    them with --heads, on another machine. Needs HUB_WORKER_DATABASE_URL. The exit status is 1 when a chain is broken.

    ```sh
    hub audit verify --organisation pen-centre
    hub audit verify --heads /mnt/elsewhere/heads.json
    ```
    """
    _may_keep(heads)
    known = _read(heads)
    found = asyncio.run(_verify(started(), organisation, known))
    show(found)
    if any(verdict.fault for verdict in found):
        raise typer.Exit(1)
    if heads is not None:
        now = {v.organisation: {"seq": v.head.seq, "hash": v.head.hash.hex()} for v in found if v.head.seq}
        kept = {code: {"seq": head.seq, "hash": head.hash.hex()} for code, head in known.items()}
        heads.write_text(json.dumps({**kept, **now}, indent=2) + "\n")


async def _verify(settings: Settings, organisation: str | None, known: dict[str, Head]) -> list[Verdict]:
    async with connected(settings, "worker_database_url") as connection:
        try:
            return await walk(connection, organisation, known)
        except LookupError:
            raise CommandError(f"There is no organisation with the code {organisation!r}.") from None


def _read(file: Path | None) -> dict[str, Head]:
    if file is None or not file.exists():
        return {}
    try:
        kept = json.loads(file.read_text())
        return {code: Head(int(head["seq"]), bytes.fromhex(head["hash"])) for code, head in kept.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"{file} does not hold heads of audit chains ({type(error).__name__}).") from None


def _may_keep(file: Path | None) -> None:
    """Raise CommandError when heads could not be kept there: better before the walk than after it."""
    if file is None:
        return
    place = file if file.exists() else file.parent
    if file.is_dir() or not place.exists() or not os.access(place, os.W_OK):
        raise CommandError(f"--heads: {file} cannot be written. Name a file in a folder that is there.")


def show(found: list[Verdict]) -> None:
    """Print one line for each log, and what is wrong below."""
    table = Table("organisation", "leaves", "head", "not sequenced yet", "", box=None, pad_edge=False)
    for v in found:
        state = "[red]broken[/red]" if v.fault else "[green]whole[/green]" if v.head.seq else "empty"
        table.add_row(
            v.organisation, str(v.head.seq), v.head.hash.hex()[:16] if v.head.seq else "", str(v.waiting), state
        )
    console = Console(highlight=False)
    console.print(table)
    for v in found:
        if v.fault:
            console.print(
                f"{v.organisation}: the first bad leaf is {v.fault.seq}: {v.fault.reason}.", style="red", soft_wrap=True
            )

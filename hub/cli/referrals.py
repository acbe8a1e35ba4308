"""This module lets a partner with a spreadsheet submit referrals and take its own out, from its own machine."""

import asyncio
import csv
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from auth.purposes import Purpose
from hub.cli.credentials import DEFAULT, ClientName, CredentialsFile, Known, find, speaking
from hub.cli.errors import CommandError
from hub.sheets.cells import safe
from hub.sheets.columns import EXAMPLE, MEANING, columns
from hub.sheets.export import referrals as all_referrals
from hub.sheets.export import write_line, write_row
from hub.sheets.patience import Patient
from hub.sheets.reading import Sheet, read, readable_by_others
from hub.sheets.rows import Row, rows
from hub.sheets.sending import Outcome, State, Submission, ask_around, secret_of

REPORT: Final = ("row", "outcome", "reference", "column", "problem")
COLOURS: Final = {State.SUBMITTED: "green", State.REFUSED: "red", State.UNCERTAIN: "yellow", State.NOT_SENT: "yellow"}
Why = Annotated[Purpose, typer.Option(help="Why you ask.")]
referrals: Final = typer.Typer(
    name="referrals", no_args_is_help=True, help="Submit referrals from a spreadsheet, and take your own out."
)


class Format(StrEnum):
    """How referrals are written."""

    CSV = "csv"
    JSONL = "jsonl"


@referrals.callback()
def about() -> None:
    """Submit referrals from a spreadsheet, and take your own out."""


@referrals.command()
def template(
    *, meanings: Annotated[bool, typer.Option("--columns", help="Say instead what each column means.")] = False
) -> None:
    """Print a CSV with every column and one invented row: open it in a spreadsheet, delete that row, and write yours.

    ```sh
    hub referrals template > referrals.csv
    hub referrals template --columns
    ```
    """
    if not meanings:
        text = io.StringIO(newline="")
        csv.writer(text).writerows([columns(), [EXAMPLE.get(name, "") for name in columns()]])
        typer.echo("\ufeff" + text.getvalue(), nl=False)
        return
    for name, column in columns().items():
        typer.echo(f"{name}: {MEANING[name] + '; ' if name in MEANING else ''}{column.form}")
    typer.echo("A second work, channel, incident, member or consent has columns with 2: profile.works.2.title.")


@referrals.command("import")
def submit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV with the template's columns, in UTF-8.")],
    client: ClientName,
    *,
    check: Annotated[bool, typer.Option("--check", help="Only say what is wrong; submit nothing.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Write what became of each row as CSV, too.")
    ] = None,
    at_once: Annotated[int, typer.Option(min=1, max=16, help="How many rows are under way together.")] = 4,
    purpose: Why = Purpose.REFERRAL,
    credentials: CredentialsFile = DEFAULT,
) -> None:
    """Submit a referral for each row of a sheet. Nothing is sent before every row is without a flaw that can be known.

    Run it again after a break: what was submitted is not submitted twice. The exit status is 1 when a row was not submitted.

    ```sh
    hub referrals import referrals.csv --client pen-centre --check
    hub referrals import referrals.csv --client pen-centre --report outcome.csv
    ```
    """
    known, sheet = find(client, credentials), read(file)
    if readable_by_others(file):
        typer.echo(f"Others on this machine can read {file}: chmod 600 {file}", err=True)
    outcomes: dict[int, Outcome] = {number: Outcome(number) for number in sheet.rows}
    with written(report) as output:
        try:
            stopped = asyncio.run(_submit(known, purpose, sheet, outcomes, at_once, check=check))
        finally:
            _show(outcomes, check=check)
            if output is not None:
                _write(outcomes, output)
    if stopped:
        raise stopped
    if check and not any(outcome.flaws for outcome in outcomes.values()):
        typer.echo("Nothing is wrong as far as can be known here. Leave out --check to submit.")
    if any(outcome.flaws or (outcome.state is not State.SUBMITTED and not check) for outcome in outcomes.values()):
        raise typer.Exit(1)


async def _submit(
    known: Known, purpose: Purpose, sheet: Sheet, outcomes: dict[int, Outcome], at_once: int, *, check: bool
) -> Exception | None:
    with progress() as bar:
        task = bar.add_task("checking", total=None)
        async with speaking(known) as speaker:
            hub = Patient(speaker, purpose, lambda why: bar.update(task, description=why))
            around = await ask_around(hub)
            made = rows(sheet, around.organisations, datetime.now(UTC).date())
            if _flawed(sheet, made, outcomes) or check:
                return None
            submission = Submission(hub, around, secret_of(known.credentials.private_jwk))
            bar.update(task, description="submitting", total=len(made))
            await submission.send(
                made, outcomes, at_once, lambda: bar.update(task, advance=1, description="submitting")
            )
            return submission.stopped


def _flawed(sheet: Sheet, made: list[Row], outcomes: dict[int, Outcome]) -> bool:
    for flaw in (*sheet.flaws, *(flaw for row in made for flaw in row.flaws)):
        outcomes.setdefault(flaw.row, Outcome(flaw.row)).flaws.append(flaw)
    return any(outcome.flaws for outcome in outcomes.values())


def _lines(outcomes: dict[int, Outcome]) -> Iterator[tuple[Outcome, list[str]]]:
    for _, outcome in sorted(outcomes.items()):
        for flaw in outcome.flaws or (None,):
            yield (
                outcome,
                [
                    str(outcome.row),
                    str(outcome.state),
                    outcome.reference,
                    flaw.column if flaw else "",
                    flaw.text if flaw else "",
                ],
            )


def _show(outcomes: dict[int, Outcome], *, check: bool) -> None:
    table = Table(*REPORT, box=None, pad_edge=False)
    for outcome, line in _lines(outcomes):
        if outcome.flaws or outcome.state is not State.NOT_SENT:
            table.add_row(
                *(Text(cell, COLOURS[outcome.state] if place == 1 else "") for place, cell in enumerate(line))
            )
    if table.row_count:
        Console(highlight=False, emoji=False).print(table)
    counts = {state: sum(outcome.state is state for outcome in outcomes.values()) for state in State}
    typer.echo(", ".join(f"{count} {state}" for state, count in counts.items() if count) + ".")
    flawed = any(outcome.flaws for outcome in outcomes.values())
    if not flawed and check:
        return
    if counts[State.NOT_SENT] == len(outcomes):
        typer.echo("Nothing was submitted." + (" Mend what is named, and run it again." if flawed else ""))
    elif counts[State.SUBMITTED] < len(outcomes):
        again = "Mend what is named, and run" if flawed else "Run"
        typer.echo(f"{again} it again with the whole file: what was submitted is not submitted twice.")


def _write(outcomes: dict[int, Outcome], output: TextIO) -> None:
    csv.writer(output).writerows([REPORT, *(map(safe, line) for _, line in _lines(outcomes))])


@referrals.command()
def export(
    client: ClientName,
    *,
    form: Annotated[Format, typer.Option("--format", help="CSV for a spreadsheet; JSON Lines (jsonl) for a program.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to (0600); else it is printed.")
    ] = None,
    purpose: Why = Purpose.REFERRAL,
    credentials: CredentialsFile = DEFAULT,
) -> None:
    """Write the referrals that a client sees, newest first: sent and received, and of each what is open to it.

    A cell of the CSV that begins with =, +, - or @ gets an apostrophe before it, so that no spreadsheet runs it; `import` takes it off again.

    ```sh
    hub referrals export --client pen-centre --format csv --output referrals.csv
    hub referrals export --client pen-centre --format jsonl
    ```
    """
    known = find(client, credentials)
    with written(output, whole=True) as opened:
        asyncio.run(_export(known, purpose, form, opened or sys.stdout))


async def _export(known: Known, purpose: Purpose, form: Format, output: TextIO) -> None:
    with progress() as bar:
        task = bar.add_task("reading", total=None)
        async with speaking(known) as speaker:
            hub = Patient(speaker, purpose, lambda why: bar.update(task, description=why))
            write = write_row(output) if form is Format.CSV else write_line(output)
            async for node in all_referrals(hub, lambda count: bar.update(task, total=count, description="reading")):
                write(node)
                bar.advance(task)


def progress() -> Progress:
    """Make a progress bar for whoever watches: it counts, and tells nothing of anyone."""
    console = Console(stderr=True)
    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*shown, console=console, disable=not console.is_terminal)


@contextmanager
def written(file: Path | None, *, whole: bool = False) -> Iterator[TextIO | None]:
    """Open a file that its owner alone may read, and that is not there yet; with `whole`, what broke off is taken away again."""
    if file is None:
        yield None
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandError(f"{file} is there already, and is not overwritten. Name another.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as output:
        try:
            yield output
        except BaseException:
            if whole:
                file.unlink()
            raise

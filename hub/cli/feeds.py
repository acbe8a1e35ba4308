"""This module lets an operator see how feeds stand, try one out, and have one read again, from the command line."""

import asyncio
import json
from collections import Counter
from contextlib import aclosing
from datetime import timedelta
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.kinds import KINDS
from connectors.mapping import compile_mapping
from connectors.problem import ConfigurationError, FeedProblem
from connectors.protocol import Connector, Cursor, Page
from connectors.record import CanonicalRecord
from hub.app import feed_connectors
from hub.cli.database import connected
from hub.cli.errors import CommandError
from hub.cli.running import started
from hub.feeds.feed import Feed, read_feeds
from hub.feeds.sync import SyncResult, sync
from hub.postgres import HubConnection
from hub.settings import Settings
from hub.worker import feed_seal

SHOWN: Final = 10
LONGEST: Final = timedelta(minutes=2)
CODE = Annotated[str, typer.Argument(metavar="CODE", help="The feed's code.")]
feed: Final = typer.Typer(name="feed", no_args_is_help=True, help="Look after the feeds of sister organisations.")


@feed.callback()
def about() -> None:
    """Look after the feeds of sister organisations."""


@feed.command()
def kinds(
    kind: Annotated[str | None, typer.Argument(metavar="KIND", help="Print this kind's settings only.")] = None,
) -> None:
    """List the kinds of systems that can be read, each with the JSON Schema of its settings.

    ```sh
    hub feed kinds
    hub feed kinds KOBO
    ```
    """
    if kind is not None and kind.upper() not in KINDS:
        raise CommandError(f"{kind} is no kind of feed; choose from {', '.join(KINDS)}.")
    for chosen in KINDS.values() if kind is None else (KINDS[kind.upper()],):
        typer.echo(f"{chosen.name}: {chosen.summary}")
        typer.echo(json.dumps(chosen.schema(), indent=2, ensure_ascii=False))


@feed.command()
def status() -> None:
    """Show how each feed stands: how fresh, how many records are held and how many wait in quarantine, and why.

    Needs HUB_WORKER_DATABASE_URL. **hub doctor** names the flaws of settings and mappings.

    ```sh
    hub feed status
    ```
    """
    settings = started("worker_database_url")
    table = Table("feed", "kind", "state", "synced", "records", "quarantine", "version", "", box=None, pad_edge=False)
    for row, counts in asyncio.run(_standing(settings)):
        synced = f"{row.last_synced_at:%Y-%m-%d %H:%M}" if row.last_synced_at else "never"
        numbers = [str(counts["records"]), str(counts["quarantine"]), str(row.version)]
        table.add_row(row.code, row.kind, str(row.standing), synced, *numbers, Text(", ".join(notes(row))))
    Console(highlight=False, emoji=False).print(table)


@feed.command("try")
def try_out(code: CODE) -> None:
    """Pull one page of a feed, write nothing, and show what was mapped, what was rejected and why.

    Of persons, only which fields are filled is shown, never with what. Needs HUB_WORKER_DATABASE_URL and the feed's
    secret. The exit status is 1 when nothing could be mapped.

    ```sh
    hub feed try pen-centre
    ```
    """
    settings = started("worker_database_url")
    row, page, connector = asyncio.run(_page(settings, code))
    mapped = [connector.map(raw) for raw in page.records]
    records = [each for each in mapped if isinstance(each, CanonicalRecord)]
    table = Table("record", "discipline", "origin", "risk", "urgency", "updated", "says", box=None, pad_edge=False)
    table.columns[-1].overflow = "fold"
    for record in records[:SHOWN]:
        view = record.overview
        updated = f"{view.updated_at:%Y-%m-%d %H:%M}" if view.updated_at else ""
        cells = [
            view.source_id,
            *(str(each or "") for each in (view.discipline, view.origin, view.risk_level, view.urgency)),
        ]
        table.add_row(*map(Text, [*cells, updated, ", ".join(each.lower() for each in record.person)]))
    console = Console(highlight=False, emoji=False)
    console.print(table)
    places = sorted(compile_mapping(row.mapping).places)
    said = Counter(place for record in records for place in record.said)
    rules = Table("rule", "finds something in", box=None, pad_edge=False)
    for place in places:
        rules.add_row(Text(place), f"{said[place]} of {len(records)}")
    console.print(rules)
    for reason, count in Counter(each.reason for each in mapped if not isinstance(each, CanonicalRecord)).items():
        console.print(Text(f"rejected {count}: {reason}"))
    more = "that is all" if page.complete else "more follow"
    console.print(f"{len(records)} of {len(mapped)} records on the first page can be mapped; {more}.")
    if mapped and not records:
        raise typer.Exit(1)


@feed.command("sync")
def sync_now(
    code: CODE,
    *,
    full: Annotated[bool, typer.Option(help="Read everything again: what is in quarantine is tried anew.")] = False,
    remove: Annotated[
        float | None, typer.Option(min=0, max=1, help="For this once, up to which share of the records may be removed.")
    ] = None,
) -> None:
    """Pull a feed now, instead of when its turn comes.

    Needs HUB_WORKER_DATABASE_URL, HUB_KEYS_FILE or HUB_KEYS, and the feed's secret. The exit status is 1 when the pull
    reached no end.

    ```sh
    hub feed sync pen-centre --full
    ```
    """
    settings = started("worker_database_url", keys=True)
    result = asyncio.run(_sync(settings, code, full=full, remove=remove))
    if result.busy:
        raise CommandError(f"{code} is being pulled by another process. Try again in a minute.")
    counts = f"{result.read} read, {result.changed} changed, {result.rejected} rejected, {result.removed} removed"
    typer.echo(f"{result.state}: {counts}{f' ({result.problem})' if result.problem else ''}.")
    if not result.complete:
        raise typer.Exit(1)


def notes(row: Feed) -> list[str]:
    """Say what is worth knowing of a feed besides its state."""
    missed = f"its form has changed, nothing is found any more for {', '.join(row.drift)}" if row.drift else None
    return [note for note in ("paused" if row.paused else None, row.last_problem, missed) if note]


async def counts_of(connection: HubConnection) -> dict[str, dict[str, int]]:
    """Count what is held and what waits, by feed."""
    rows = await connection.fetch(
        "select code, (select count(*) from feed_record r where r.feed = f.id and present) as records,"
        " (select count(*) from feed_quarantine q where q.feed = f.id) as quarantine from feed f"
    )
    return {row["code"]: dict(row) for row in rows}


async def _standing(settings: Settings) -> list[tuple[Feed, dict[str, int]]]:
    async with connected(settings, "worker_database_url") as connection:
        counts = await counts_of(connection)
        return [(row, counts[row.code]) for row in await read_feeds(connection)]


async def _named(connection: HubConnection, code: str) -> Feed:
    rows = await read_feeds(connection)
    for row in rows:
        if row.code == code:
            return row
    raise CommandError(f"There is no feed {code!r}; there are: {', '.join(row.code for row in rows) or 'none'}.")


async def _page(settings: Settings, code: str) -> tuple[Feed, Page, Connector]:
    async with connected(settings, "worker_database_url") as connection:
        row = await _named(connection, code)
    connector = _connector(settings, row)
    try:
        async with asyncio.timeout(LONGEST.total_seconds()), aclosing(connector.pull(Cursor())) as pages:
            return row, await anext(pages), connector
    except FeedProblem as problem:
        reason = str(problem.code)
    except TimeoutError:
        reason = "TIMEOUT"
    raise CommandError(f"{code} cannot be read: {reason}. The README says what that means.")


async def _sync(settings: Settings, code: str, *, full: bool, remove: float | None) -> SyncResult:
    async with connected(settings, "worker_database_url") as connection:
        row = await _named(connection, code)
        connector = _connector(settings, row)
        return await sync(connection, row, connector, feed_seal(settings.keyring()), full=full, removal_share=remove)


def _connector(settings: Settings, row: Feed) -> Connector:
    try:
        return feed_connectors(settings)(row)
    except ConfigurationError as error:
        raise CommandError(f"{row.code} cannot be read as it is described:\n{error}") from None

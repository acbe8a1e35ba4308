"""This module examines an installation and says, in one table, what is well and what is not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auth.keyring import KeyringError
from connectors.kinds import check
from connectors.surroundings import Surroundings
from hub.agreements import expiring, left
from hub.app import surroundings
from hub.audit.sequence import lag
from hub.cli.backups import flaws, openable
from hub.cli.database import UNREACHABLE, connected
from hub.cli.errors import CommandError
from hub.cli.feeds import counts_of, notes
from hub.cli.running import started
from hub.definers import DEFINERS
from hub.feeds.feed import FeedState, read_feeds
from hub.key_check import check_data_keys, check_signing_keys
from hub.migrate import read_migrations
from hub.postgres import HubConnection
from hub.self_check import self_check
from hub.settings import DSN_ROLES, PREFIX, Settings, SettingsError
from hub.statistics import SMALLEST, latest
from hub.webhooks.rounds import not_delivering

LATE: Final = timedelta(minutes=1)
"""The age from which a record that has no leaf means that no worker is at work."""
PATIENCE: Final = timedelta(days=14)
"""The age from which a receipt that is owed is worth a word with whoever owes it."""
WELL, LOOK, WRONG = "well", "look", "wrong"
COLOURS: Final = {WELL: "green", LOOK: "yellow", WRONG: "red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: its state, and what there is to say of it."""

    subject: str
    state: str
    text: str


def doctor() -> None:
    """Examine keys, databases, row security, migrations, the audit log, statistics, receipts, agreements, webhooks and the feeds, as far as what is set reaches.

    HUB_WORKER_DATABASE_URL and the keys are enough for all but the other logins. The exit status is 1 when something
    is wrong; a feed that is behind is worth a look, but is its own organisation's to mend.

    ```sh
    HUB_WORKER_DATABASE_URL=... HUB_KEYS_FILE=... hub doctor
    ```
    """
    settings = started("worker_database_url")
    found = asyncio.run(_examine(settings))
    table = Table("", "", box=None, show_header=False, pad_edge=False)
    table.add_column(overflow="fold")
    for finding in found:
        colour = COLOURS[finding.state]
        table.add_row(finding.subject, f"[{colour}]{finding.state}[/{colour}]", Text(finding.text))
    Console(highlight=False, emoji=False).print(table)
    if any(finding.state == WRONG for finding in found):
        raise typer.Exit(1)


async def _examine(settings: Settings) -> list[Finding]:
    return [finding async for finding in _findings(settings)]


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    yield _keys(settings)
    for name in ("database_url", "auth_database_url", "worker_database_url"):
        if getattr(settings, name) is None:
            continue
        setting = f"{PREFIX}{name.upper()}"
        try:
            async with connected(settings, name) as connection:
                yield Finding(setting, WELL, f"PostgreSQL {connection.get_server_version().major} answers")
                holes = await self_check(connection, DEFINERS)
                yield Finding(
                    f"{DSN_ROLES[name]}: roles and row security", WRONG if holes else WELL, "\n".join(holes) or "hold"
                )
                yield await _keys_fit(settings, name, connection)
                if name == "worker_database_url":
                    for finding in await _contents(connection, settings):
                        yield finding
        except CommandError as error:
            yield Finding(setting, WRONG, str(error).removeprefix(f"{setting}: "))


def _keys(settings: Settings) -> Finding:
    try:
        keyring = settings.keyring()
    except (KeyringError, SettingsError) as error:
        return Finding("keys", WRONG, str(error))
    count = len(keyring.keks)
    where = "HUB_KEYS" if settings.keys is not None else "a file that its owner alone may read"
    return Finding("keys", WELL, f"{count} key-encryption key{'s' if count > 1 else ''}, from {where}")


async def _keys_fit(settings: Settings, name: str, connection: HubConnection) -> Finding:
    subject = f"{DSN_ROLES[name]}: sealed keys"
    opened = check_signing_keys if name == "auth_database_url" else check_data_keys
    try:
        count = await opened(connection, settings.keyring())
    except (KeyringError, SettingsError) as error:
        return Finding(subject, WRONG, str(error))
    except UNREACHABLE as error:
        return Finding(subject, WRONG, f"cannot be read ({type(error).__name__}): run hub migrate")
    return Finding(subject, WELL, f"{count} tried, each opens" if count else "none that this login may read")


async def _contents(connection: HubConnection, settings: Settings) -> list[Finding]:
    try:
        return [
            await _migrations(connection),
            *await _backups(connection, settings),
            await _audit(connection),
            await _statistics(connection),
            await _receipts(connection),
            await _webhooks(connection),
            await _agreements(connection),
            *await _feeds(connection, surroundings(settings)),
        ]
    except UNREACHABLE as error:
        return [Finding("contents", WRONG, f"cannot be read ({type(error).__name__}): run hub migrate")]


async def _migrations(connection: HubConnection) -> Finding:
    applied = {row["name"]: row["sha256"] for row in await connection.fetch("select name, sha256 from migration")}
    there = {migration.name: migration.sha256 for migration in read_migrations()}
    pending = sorted(there.keys() - applied.keys())
    foreign = sorted(name for name in applied if there.get(name) != applied[name])
    if foreign:
        return Finding("migrations", WRONG, f"not those of this version: {', '.join(foreign)}")
    if pending:
        return Finding("migrations", WRONG, f"pending: {', '.join(pending)}: run hub migrate")
    return Finding("migrations", WELL, f"{len(applied)} applied, none pending")


async def _backups(connection: HubConnection, settings: Settings) -> list[Finding]:
    try:
        keyring = settings.keyring()
    except (KeyringError, SettingsError):
        return []
    found = [Finding("key epochs", WRONG, flaw) for flaw in await flaws(connection, keyring)]
    well, text = await openable(connection, keyring, settings.epoch_days)
    return [*found, Finding("backups", WELL if well else LOOK, text)]


async def _audit(connection: HubConnection) -> Finding:
    count, age = await lag(connection)
    late = age > LATE
    text = f"{count} records are not in their log yet, the oldest for {age.total_seconds():.0f} s"
    return Finding(
        "audit log",
        WRONG if late else WELL,
        text + (": is a worker running?" if late else "") if count else "every record has its leaf",
    )


async def _statistics(connection: Any) -> Finding:
    found = await latest(connection)
    if found is None or not found[2]:
        return Finding("statistics", LOOK, "this quarter's are not frozen yet: is a worker running?")
    return Finding("statistics", WELL, f"frozen {found[0]}, {found[1]} cells; fewer than {SMALLEST} are never told")


async def _receipts(connection: Any) -> Finding:
    owed = await connection.fetchrow(
        "select count(*) as count, min(at) as since, coalesce(min(at) < hub_now() - $1::interval, false) as late"
        " from retraction where acknowledged_at is null",
        PATIENCE,
    )
    if not owed["count"]:
        return Finding("receipts", WELL, "none is owed for what was retracted")
    text = f"{owed['count']} owed for what was retracted, the oldest since {owed['since']:%Y-%m-%d}"
    return Finding("receipts", LOOK if owed["late"] else WELL, text + (": remind them" if owed["late"] else ""))


async def _webhooks(connection: Any) -> Finding:
    found = await not_delivering(connection)
    if not found:
        return Finding("webhooks", WELL, "each is delivered to")
    whose = ", ".join(f"{code} ({count})" for code, count in found)
    return Finding("webhooks", LOOK, f"paused or ended: {whose}: their admins resume or delete them")


async def _agreements(connection: Any) -> Finding:
    soon = await expiring(connection)
    if not soon:
        return Finding("agreements", WELL, "none runs out within 30 days")
    told = [f"{row['code']}: {left(row['valid_until'], row['days'])}" for row in soon]
    return Finding("agreements", LOOK, "\n".join([*told, "either side proposes the next one (proposeAgreement)"]))


async def _feeds(connection: HubConnection, around: Surroundings) -> list[Finding]:
    found, counts = [], await counts_of(connection)
    for feed in await read_feeds(connection):
        if flaws := check(feed.kind, feed.settings, feed.mapping, around):
            found.append(Finding(f"feed {feed.code}", WRONG, "\n".join(str(flaw) for flaw in flaws)))
            continue
        waiting = counts[feed.code]["quarantine"]
        look = feed.paused or feed.drift or waiting or feed.standing is not FeedState.FRESH
        when = f"synced {feed.last_synced_at:%Y-%m-%d %H:%M} UTC" if feed.last_synced_at else "never synced"
        told = [str(feed.standing), when, *notes(feed), *([f"{waiting} in quarantine"] if waiting else [])]
        found.append(Finding(f"feed {feed.code}", LOOK if look else WELL, ", ".join(told)))
    return found

"""This module runs what an operator runs: the hub, the worker, and the migrations before both."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop
from rich.console import Console

from hub import serve as serving
from hub import worker as working
from hub.cli.database import ADMIN_ONCE, connected, need_databases
from hub.cli.errors import CommandError
from hub.log import set_up_logging
from hub.migrate import ensure_roles
from hub.migrate import migrate as apply
from hub.settings import Settings


def serve() -> None:
    """Answer requests, until SIGTERM or Ctrl-C; what is in flight is finished first.

    Needs HUB_DATABASE_URL, HUB_AUTH_DATABASE_URL, HUB_WORKER_DATABASE_URL, and HUB_KEYS_FILE or HUB_KEYS. Refuses a
    database whose row security has a hole. Run as many as you like behind any balancer, and a **hub worker**.

    ```sh
    HUB_ISSUER=https://hub.example.org HUB_KEYS_FILE=/run/keys hub serve
    ```
    """
    _run(serving.serve, "database_url", "auth_database_url", "worker_database_url")


def worker() -> None:
    """Sync feeds, sequence the audit log, retract, erase what is overdue, and prune, until SIGTERM or Ctrl-C.

    Needs HUB_WORKER_DATABASE_URL, and HUB_KEYS_FILE or HUB_KEYS. Two of them do no harm.

    ```sh
    HUB_KEYS_FILE=/run/keys hub worker
    ```
    """
    _run(working.work, "worker_database_url")


def migrate() -> None:
    """Bring the database up to date: roles, then what is new of the migrations. Safe to repeat.

    Needs HUB_MIGRATE_DATABASE_URL. With HUB_ADMIN_DATABASE_URL, an administrator's, it makes the roles too, and gives
    them the passwords that the other database URLs carry.

    ```sh
    HUB_ADMIN_DATABASE_URL=... HUB_MIGRATE_DATABASE_URL=... hub migrate
    ```
    """
    settings = started("migrate_database_url")
    applied = asyncio.run(_migrate(settings))
    console = Console(highlight=False, emoji=False)
    for name in applied:
        console.print(f"applied {name}")
    console.print("Up to date.")


async def _migrate(settings: Settings) -> list[str]:
    if settings.admin_database_url is not None:
        await need_databases(settings, "admin_database_url")
        await ensure_roles(settings.dsn("admin_database_url"), settings.role_passwords())
    async with connected(settings, "migrate_database_url") as connection:
        if not await connection.fetchval("select to_regnamespace('hub') is not null"):
            raise CommandError(f"The roles and schemas are not there yet: {ADMIN_ONCE}.")
    return await apply(settings.dsn("migrate_database_url"))


def started(*needed: str, keys: bool = False) -> Settings:
    """Read the settings and set logging up as they say; raise SettingsError for all that is wrong, or `needed` and not set."""
    settings = Settings.load(*needed, keys=keys)
    set_up_logging(settings.log_level, settings.log_format)
    return settings


def _run(run: Callable[[Settings], Coroutine[Any, Any, None]], *databases: str) -> None:
    settings = started(*databases, keys=True)

    async def go() -> None:
        await need_databases(settings, *databases)
        await run(settings)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(go())

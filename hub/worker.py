"""This module is the worker: it syncs feeds, tells webhooks, orders audit records, freezes statistics, retracts what has ended, warns of what will, erases what is overdue, and prunes."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import asyncpg
import structlog

from auth.keyring import Keyring
from hub.agreements import warn
from hub.app import ConnectorOf, feed_connectors
from hub.audit.head import HeadKeys
from hub.audit.sequence import Sequencer
from hub.feeds.loop import keep_synced
from hub.feeds.refresh import Refresher
from hub.feeds.seal import Seal
from hub.key_check import check_data_keys
from hub.metrics import Numbers, told
from hub.postgres import open_pool
from hub.sealing import Sealing
from hub.settings import Settings
from hub.statistics import freeze
from hub.stopping import stopping
from hub.webhooks.courier import Courier
from hub.webhooks.rounds import Rounds

Pool = asyncpg.Pool
SEQUENCE_EVERY: Final = timedelta(seconds=1)
PRUNE_EVERY: Final = timedelta(minutes=1)
FREEZE_EVERY: Final = timedelta(minutes=10)
"""How often to see whether a new quarter has begun."""
ERASE_EVERY: Final = timedelta(minutes=10)
ERASED_AT_ONCE: Final = 20
WARN_EVERY: Final = timedelta(minutes=10)
MEASURE_EVERY: Final = timedelta(seconds=15)
PRUNED: Final = ("seen_proof", "revoked_token", "case_access", "referral_access")
"""Tables of which the worker may delete what is past; row policies say which rows those are, so no condition stands here."""
log = structlog.get_logger(__name__)


async def work(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises SettingsError, KeyringError, and what the database raises."""
    keyring = settings.keyring()
    dsn = settings.dsn("worker_database_url")
    numbers = Numbers()
    with stopping() as stop, told(numbers, settings.metrics_port):
        size = max(4, settings.pool_size)
        async with await open_pool(dsn, name="hub worker", role="hub_worker", size=size) as pool:
            async with pool.acquire() as connection:
                await check_data_keys(connection, keyring)
            log.info("worker.started")
            refresher = make_refresher(pool, keyring, feed_connectors(settings))
            async with Courier(settings.feed_private_hosts) as courier, asyncio.TaskGroup() as group:
                rounds = make_rounds(pool, keyring, courier)
                group.create_task(duties(pool, refresher, rounds, HeadKeys(pool, keyring), stop))
                if settings.metrics_port is not None:
                    group.create_task(every(MEASURE_EVERY, lambda: numbers.measure(pool, keyring), stop))
            log.info("worker.stopped")


def make_refresher(pool: "Pool[Any]", keyring: Keyring, connector_of: ConnectorOf) -> Refresher:
    """Make what pulls feeds, sealing what it reads with keys of `keyring`."""
    return Refresher(pool, connector_of, feed_seal(keyring))


def feed_seal(keyring: Keyring) -> Seal:
    """Make what seals the records of feeds, and marks them by keys of `keyring`."""
    return Seal(Sealing(keyring), keyring.subkey("index/feed mark"))


def make_rounds(pool: "Pool[Any]", keyring: Keyring, courier: Courier, **more: Any) -> Rounds:
    """Make what tells webhooks, opening their secrets with keys of `keyring`; `more` is for tests."""
    return Rounds(pool, courier, Sealing(keyring), keyring.subkey("index/webhook message"), **more)


async def duties(pool: "Pool[Any]", refresher: Refresher, rounds: Rounds, keys: HeadKeys, stop: asyncio.Event) -> None:
    """Do all that a worker does, until `stop` is set; then finish what is under way."""
    sequencer = Sequencer(pool, keys)
    async with asyncio.TaskGroup() as group:
        group.create_task(keep_synced(pool, refresher, stop))
        group.create_task(rounds.run(stop))
        group.create_task(every(SEQUENCE_EVERY, sequencer.run, stop))
        group.create_task(every(PRUNE_EVERY, lambda: prune(pool), stop))
        group.create_task(every(PRUNE_EVERY, lambda: retract(pool), stop))
        group.create_task(every(PRUNE_EVERY, lambda: turn(pool), stop))
        group.create_task(every(FREEZE_EVERY, lambda: freeze(pool), stop))
        group.create_task(every(ERASE_EVERY, lambda: erase_overdue(pool), stop))
        group.create_task(every(WARN_EVERY, lambda: warn(pool), stop))
    # What was recorded up to the end is in its log before this process goes.
    await attempt(sequencer.run)


async def prune(pool: "Pool[Any]") -> int:
    """Remove what is past from the tables that would otherwise grow; return how many rows."""
    count = 0
    for table in PRUNED:
        status = await pool.execute(f"delete from {table}")  # noqa: S608 a name of our own; the policy has the condition
        count += int(status.rpartition(" ")[2])
    return count


async def retract(pool: "Pool[Any]") -> int:
    """Retract what ended by time alone; return how many rows were looked at."""
    count = 0
    while looked := await pool.fetchval("select retract_lapsed()"):
        count += looked
    return count


async def turn(pool: "Pool[Any]") -> int:
    """Note what time alone has opened or closed, for those who keep copies; return how many rows were looked at."""
    count = 0
    while looked := await pool.fetchval("select note_turns()"):
        count += looked
    return count


async def erase_overdue(pool: "Pool[Any]") -> int:
    """Erase every case and referral that was kept as long as its status allows; return how many."""
    count = 0
    while erased := await pool.fetchval("select erase_overdue($1)", ERASED_AT_ONCE):
        count += erased
    if count:
        log.info("worker.erased", count=count)
    return count


async def every(pause: timedelta, duty: Callable[[], Awaitable[int]], stop: asyncio.Event) -> None:
    """Do a duty again and again, waiting out trouble with the database."""
    while not stop.is_set():
        await attempt(duty)
        try:
            async with asyncio.timeout(pause.total_seconds()):
                await stop.wait()
        except TimeoutError:
            continue


async def attempt(duty: Callable[[], Awaitable[int]]) -> None:
    """Do a duty once; trouble is logged, and its turn comes again."""
    try:
        await duty()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        log.error("worker.waits", error=type(error).__name__)  # noqa: TRY400 a traceback may hold content

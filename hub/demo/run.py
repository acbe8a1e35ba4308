"""This module runs the demonstration: everything it needs is started in this process, and ends with it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp
import structlog
import uvloop
from rich.console import Console

from auth.keyring import Keyring
from hub.app import check_keys, create_app, feed_connectors, opened, surroundings
from hub.audit.head import HeadKeys
from hub.demo.actor import Actor
from hub.demo.clients import ensure_clients
from hub.demo.database import fill_database, make_database, offer_place, tellings
from hub.demo.goodbye import invitation
from hub.demo.newcomer import Newcomer
from hub.demo.place import DATABASE, DemoError, Place
from hub.demo.progress import Steps, steps
from hub.demo.sisters import Sister, link_known_people, register_feeds, sister_systems
from hub.demo.stage import Stage
from hub.demo.story import Story
from hub.embedded import ADMIN, Server, embedded_server
from hub.engine.bind import name_digest
from hub.feeds.feed import read_feeds
from hub.feeds.refresh import Refresher
from hub.log import set_up_logging
from hub.postgres import HubConnection, connect
from hub.serve import listener, serving
from hub.settings import Settings
from hub.stopping import stopping
from hub.webhooks.courier import Courier
from hub.worker import duties, make_rounds

RECEIVER = "127.0.0.1:9100"
"""Where a webhook may be tried out (examples/receiver.py): nowhere else inside."""
log = structlog.get_logger(__name__)


class Part(Enum):
    """What of the demonstration is wanted."""

    BOTH = "both"
    STORY = "story"
    SERVING = "serving"


@dataclass(frozen=True)
class Demo:
    """A demonstration that runs: the hub at `issuer`, an administrator's connection, and the clients' credentials."""

    issuer: str
    admin: HubConnection
    entries: dict[str, dict[str, Any]]
    sisters: list[Sister]
    told: int


def demonstrate(directory: Path, port: int, part: Part) -> None:
    """Start everything, tell the story, and stay until Ctrl-C. Raises DemoError, EmbeddedPostgresError, SettingsError."""
    console = Console(highlight=False)
    place = Place(directory.resolve())
    place.prepare()
    with listener("127.0.0.1", port, "--port") as listening, place.log.open("a") as file:
        set_up_logging("INFO", "json", file)
        with steps(console) as progress, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            keyring = place.keyring()
            with embedded_server(place.server) as server:
                progress.done()
                runner.run(_run(console, place, server, keyring, listening, progress, part))


async def _run(
    console: Console, place: Place, server: Server, keyring: Keyring, listening: socket.socket, progress: Steps, part: Part
) -> None:  # fmt: skip
    with stopping() as stop:
        async with running(place, server, keyring, listening, progress, newcomer=part is not Part.SERVING) as demo:
            progress.hide()
            console.print(f"The hub answers at [bold]{demo.issuer}[/bold] ({progress.seconds:.1f} s).")
            if part is not Part.SERVING:
                await unless_stopped(stop, tell(console, demo))
            if part is not Part.STORY and not stop.is_set():
                # Not in a box and not wrapped: a command is there to be copied.
                said = invitation(place, demo.issuer, demo.sisters, server.dsn("hub_worker", DATABASE))
                console.print(said, soft_wrap=True)
                await stop.wait()
            if stop.is_set():
                console.print("Stopping.")


@asynccontextmanager
async def running(
    place: Place, server: Server, keyring: Keyring, listening: socket.socket, progress: Steps, *, newcomer: bool
) -> AsyncIterator[Demo]:
    """Run the database's contents, the sister systems, the worker and the hub as long as the block lasts."""
    port: int = listening.getsockname()[1]
    await make_database(server, progress)
    admin = await connect(server.dsn(ADMIN, DATABASE), name="hub demo", role=ADMIN)
    try:
        await fill_database(admin, keyring, progress)
        told = await tellings(admin)
        async with sister_systems(place, told + newcomer) as sisters:
            settings = place.settings(server, port, [*(sister.address for sister in sisters), RECEIVER])
            await register_feeds(admin, sisters)
            entries = await ensure_clients(admin, place.credentials, settings.issuer)
            async with opened(settings, "hub demo") as pools:
                await check_keys(pools, keyring, str(place.keys))
                app = create_app(
                    settings.issuer, keyring, pools, feed_connectors(settings), around=surroundings(settings)
                )
                progress.now("Reading two sister systems")
                await sync(pools.worker, app.state.refresher)
                await link_known_people(admin, lambda name: name_digest(keyring.subkey("index"), name))
                progress.done()
                async with (
                    at_work(settings, pools.worker, keyring, app.state.refresher, app.state.head_keys),
                    serving(app, listening),
                ):
                    progress.done()
                    log.info("hub.serving", port=port)
                    yield Demo(settings.issuer, admin, {e["name"]: e for e in entries}, sisters, told)
    finally:
        await admin.close()


async def sync(pool: Any, refresher: Refresher) -> None:
    """Read every feed once; raise DemoError when one cannot be read, for here both are ours."""
    for feed in await read_feeds(pool):
        result = await refresher.pull(feed)
        if not result.complete:
            raise DemoError(f"The feed {feed.code} could not be read ({result.problem}): see the log.")


@asynccontextmanager
async def at_work(
    settings: Settings, pool: Any, keyring: Keyring, refresher: Refresher, keys: HeadKeys
) -> AsyncIterator[None]:
    """Do what a worker does, as long as the block lasts."""
    stop = asyncio.Event()
    async with Courier(settings.feed_private_hosts) as courier:
        rounds = make_rounds(pool, keyring, courier)
        task = asyncio.create_task(duties(pool, refresher, rounds, keys, stop), name="worker")
        try:
            yield
        finally:
            stop.set()
            await task


async def tell(console: Console, demo: Demo) -> None:
    """Tell the story of the next newcomer; raise StoryError when it does not hold."""
    stage = Stage(console)
    async with aiohttp.ClientSession() as session:

        def actor(name: str, title: str) -> Actor:
            return Actor.of(title, demo.entries[name], session)

        story = Story(
            stage,
            actor("pen-centre", "Northlight PEN Centre"),
            actor("icorn-desk", "ICORN's desk"),
            actor("arts-haven", "Arts Haven"),
            Newcomer(demo.told + 1),
            lambda case: offer_place(demo.admin, case),
        )
        began = perf_counter()
        await story.tell()
    console.print(
        f"\n   [bold green]The story held:[/bold green] {stage.held} claims in {perf_counter() - began:.1f} s.\n"
    )


async def unless_stopped(stop: asyncio.Event, telling: Coroutine[Any, Any, None]) -> None:
    """Run to the end, or until `stop` is set."""
    task = asyncio.ensure_future(telling)
    waiting = asyncio.ensure_future(stop.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if task.done():
        await task
    else:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

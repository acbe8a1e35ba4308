"""This module measures how long after its commit an event is with a webhook's receiver: alone, and beside receivers that never answer."""

import asyncio
import random
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from rich.console import Console
from rich.table import Table

from auth.keyring import Keyring
from bench.world import DATABASE, SETTINGS
from hub.embedded import ADMIN, Server, embedded_server
from hub.migrate import ensure_roles, migrate
from hub.postgres import connect, open_pool
from hub.sealing import Sealing
from hub.webhooks.courier import Courier
from hub.webhooks.messages import spoken
from hub.worker import make_rounds

EVENTS: Final = 200
SILENT: Final = 20
STEP: Final = """
insert into hub.referral_event (referral_id, ordinal, kind, status, organisation, at) values ($1, $2, 'IN_REVIEW', 'IN_REVIEW', $3, now())
"""
EVENT: Final = "insert into hub.event (kind, organisation, referral_id, at) values ('referral.moved', $2, $1, now())"


async def events(console: Console) -> None:
    """Print the delays, median and p99."""
    table = Table(title=f"{EVENTS} events, one after the other at odd moments: from commit to receipt, milliseconds")
    for heading in ("webhooks", "median", "p99", "longest"):
        table.add_column(heading, justify="left" if heading == "webhooks" else "right", no_wrap=True)
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        keyring = Keyring.create(Path(folder) / "keys.json")
        with embedded_server(Path(folder) / "postgres", SETTINGS) as server:
            for name, silent in (("one", 0), (f"one, and {SILENT} that never answer", SILENT)):
                delays = sorted(await measured(server, f"{DATABASE}{silent}", keyring, silent))
                cells = (statistics.median(delays), delays[int(0.99 * len(delays))], delays[-1])
                table.add_row(name, *(f"{delay * 1e3:.0f}" for delay in cells))
    console.print(table)


async def measured(server: Server, database: str, keyring: Keyring, silent: int) -> list[float]:
    """Let events happen, and take the time until each is received."""
    admin = await _world(server, database)
    arrived: dict[str, asyncio.Future[float]] = {}

    async def receive(request: web.Request) -> web.Response:
        if request.path != "/":
            await asyncio.Event().wait()
        ordinal = (await request.json())["data"]["id"].rpartition("_")[2]
        arrived[ordinal].set_result(time.perf_counter())
        return web.Response(status=204)

    runner = web.AppRunner(_routed(receive), shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host = f"127.0.0.1:{runner.addresses[0][1]}"
    sender, referral = await admin.fetchval("select id from hub.organisation where code = 'org-1'"), uuid.uuid4()
    for number in range(silent + 1):
        path = f"silent/{number}" if number else ""
        await _webhook(admin, keyring, sender, f"http://{host}/{path}")
    await _referral(admin, referral, sender)
    stop, delays = asyncio.Event(), []
    async with (
        await open_pool(server.dsn("hub_worker", database), name="bench", role="hub_worker", size=10) as pool,
        Courier(frozenset({host})) as courier,
    ):
        rounds = make_rounds(pool, keyring, courier)
        working = asyncio.create_task(rounds.run(stop))
        for ordinal in range(2, EVENTS + 2):
            arrived[str(ordinal)] = asyncio.get_running_loop().create_future()
            async with admin.transaction():
                await admin.execute(STEP, referral, ordinal, sender)
                await admin.execute(EVENT, referral, sender)
            committed = time.perf_counter()
            delays.append(await arrived[str(ordinal)] - committed)
            await asyncio.sleep(random.uniform(0, 0.3))  # noqa: S311 an odd moment, not a secret
        stop.set()
        await rounds.close()
        await working
    await runner.cleanup()
    await admin.close()
    return delays


def _routed(receive: Any) -> web.Application:
    app = web.Application()
    app.router.add_post("/{path:.*}", receive)
    return app


async def _world(server: Server, database: str) -> Any:
    admin = await connect(server.dsn(ADMIN, "postgres"), name="bench", role=ADMIN)
    await admin.execute(f"create database {database}")
    await admin.close()
    await ensure_roles(server.dsn(ADMIN, database))
    await migrate(server.dsn("hub_migrate", database))
    admin = await connect(server.dsn(ADMIN, database), name="bench", role=ADMIN)
    for code, kind in (("icorn", "ICORN"), ("org-1", "SISTER")):
        await admin.execute(
            "insert into hub.organisation (code, name, kind) values ($1, $1, $2::text::hub.organisation_kind)",
            code,
            kind,
        )
    return admin


async def _webhook(admin: Any, keyring: Keyring, organisation: int, url: str) -> None:
    sealing, webhook = Sealing(keyring), uuid.uuid4()
    key = sealing.new_key()
    await admin.execute(
        "insert into hub.webhook (id, organisation, url, events, purpose, created_at) values ($1, $2, $3, '{IN_REVIEW}', 'REFERRAL', now())",
        webhook, organisation, url,
    )  # fmt: skip
    sealed = sealing.seal(key.plain, f"webhook:{webhook}", "SECRET", 1, spoken(bytes(32)).encode())
    await admin.execute(
        "insert into hub.webhook_secret (webhook_id, sealed, kek, wrapped) values ($1, $2, $3, $4)",
        webhook, sealed, key.kek, key.wrapped,
    )  # fmt: skip


async def _referral(admin: Any, referral: uuid.UUID, sender: int) -> None:
    await admin.execute(
        "insert into hub.referral (id, sender, recipient, status, urgency, discipline, origin, submitted_at, updated_at, client, usr, shared_categories)"
        " select $1, $2, o.id, 'SUBMITTED', 'ROUTINE', 'WRITER', 'IR', now(), now(), 'bench', '', '{OVERVIEW}' from hub.organisation o where o.kind = 'ICORN'",
        referral, sender,
    )  # fmt: skip

"""This module measures what a request costs as the hub grows: rows of a page, cases, organisations, connections; and writes the plans."""

import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
from rich.console import Console

from auth.keyring import Keyring
from bench.askers import Partners
from bench.compare import HUB, Line, free_port, since, spent, start, until_up
from bench.draw import Panel, picture
from bench.load import run
from bench.operations import Q1
from bench.parts import ISSUER, Inside
from bench.plans import PLANS, Golden, golden, names, written
from bench.servers import application
from bench.world import Partner, people, register
from hub.embedded import ADMIN, Server, dsns, embedded_server
from hub.migrate import ensure_roles, migrate
from hub.postgres import connect

RESULTS: Final = Path(__file__).parent / "results"
ORGANISATIONS: Final = 40
SIZES: Final = (10**3, 10**4, 10**5, 10**6)
PLANNED: Final = (10**3, 10**5, 10**6)
PAGES: Final = (1, 5, 20, 50, 100, 500)
COMMUNITIES: Final = (5, 40, 200, 400)
CONNECTIONS: Final = (1, 2, 4, 8, 16, 32)
TIMES: Final = 200
# What is made here need not survive a power cut, and a million cases are made sooner for it.
SETTINGS: Final = {
    "shared_buffers": "1GB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "fsync": "off",
    "full_page_writes": "off",
    "max_locks_per_transaction": "256",
}


@dataclass(frozen=True)
class World:
    """One database of some size, and who asks in it."""

    dsns: dict[str, str]
    admin: Any
    partners: list[Partner]


async def prepare(server: Server) -> None:
    """Make the empty database that every world is a copy of."""
    admin = await connect(server.dsn(ADMIN, "postgres"), name="bench", role=ADMIN)
    await admin.execute("create database empty")
    await admin.close()
    await ensure_roles(server.dsn(ADMIN, "empty"))
    await migrate(server.dsn("hub_migrate", "empty"))


@asynccontextmanager
async def world(server: Server, cases: int, organisations: int = ORGANISATIONS) -> AsyncIterator[World]:
    """Make a world, and drop it afterwards."""
    name = f"cases_{cases}_{organisations}"
    root = await connect(server.dsn(ADMIN, "postgres"), name="bench", role=ADMIN)
    await root.execute(f"create database {name} template empty")
    admin = await connect(server.dsn(ADMIN, name), name="bench", role=ADMIN)
    try:
        await people(admin, cases, cases, organisations)
        await admin.execute("vacuum analyze")
        yield World(dsns(server, name), admin, [await register(admin, number) for number in (1, 2, 3)])
    finally:
        await admin.close()
        await root.execute(f"drop database {name} with (force)")
        await root.close()


async def cost(where: World, keyring: Keyring, postgres: psutil.Process, query: str) -> dict[str, float]:
    """Give what one request of a partner costs: CPU of hub and database in microseconds, and milliseconds of waiting."""
    app, pools = await application(where.dsns, keyring, ISSUER)
    inside = Inside(app, where.partners[1])
    inside.token = (await inside.client.token()).value
    body = msgspec.json.encode({"query": query})
    waited = []
    for number in range(TIMES + 20):
        if number == 20:
            before, database = time.process_time(), spent(postgres)
            signing = 0.0
        begun = time.process_time()
        headers = inside.headers()
        if number >= 20:
            signing += time.process_time() - begun
        begun = time.perf_counter()
        answer = await inside.post(f"{ISSUER}/graphql", headers, body)
        waited.append(time.perf_counter() - begun)
        if answer.status != 200:
            raise RuntimeError("The hub refused what it should answer.")
    used = time.process_time() - before - signing + since(database, spent(postgres))
    for pool in (pools.app, pools.auth, pools.worker):
        await pool.close()
    return {"q1_us": used / TIMES * 1e6, "ms": statistics.median(waited[20:]) * 1e3}


async def crowd(where: World, keys: Path) -> list[dict[str, float]]:
    """Give requests a second for each number of connections, of a hub process of its own."""
    port = free_port()
    process = start("hub", {"dsns": where.dsns, "keys": str(keys), "port": port})
    found = []
    try:
        await until_up(port, process)
        partners = Partners(where.partners[1:], [["-"]] * 2, port)
        await partners.sign_in()
        line = Line(HUB, "Q1", "", port, psutil.Process(process.pid))
        for connections in CONNECTIONS:
            result = await run(port, line.messages(partners, 4000), connections, 3.0)
            found.append({"connections": connections, "rate": result.rate, "p50_ms": result.percentile(0.5) * 1e3})
    finally:
        process.terminate()
        process.wait()
    return found


async def plans(where: World, keyring: Keyring) -> dict[str, Golden]:
    """Explain every golden operation in this world."""
    app, pools = await application(where.dsns, keyring, ISSUER)
    async with pools.app.acquire() as connection:
        found = {name: await golden(app.state.engine, where.admin, connection, name) for name in names()}
    for pool in (pools.app, pools.auth, pools.worker):
        await pool.close()
    return found


Curves = dict[str, list[dict[str, float]]]


async def grown(where: World, size: int, keys: Path, postgres: psutil.Process, curves: Curves) -> dict[str, Golden]:
    """Measure in the world of one size, and give its plans where they are kept."""
    keyring = Keyring.load(keys)
    curves["cases"].append({"cases": size, **await cost(where, keyring, postgres, Q1)})
    if size == 10**4:
        for rows in PAGES:
            asked = Q1.replace("first: 50", f"first: {rows}")
            curves["rows"].append({"rows": rows, **await cost(where, keyring, postgres, asked)})
        curves["connections"] = await crowd(where, keys)
    return await plans(where, keyring) if size in PLANNED else {}


async def scale(console: Console, *, plans_alone: bool = False) -> None:
    """Make the worlds one after the other, measure unless plans are wanted alone, and write results, picture and plans."""
    curves: Curves = {"rows": [], "cases": [], "organisations": [], "connections": []}
    explained: dict[int, dict[str, Golden]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hub-bench-")))
        keys = folder / "keys.json"
        Keyring.create(keys)
        server = stack.enter_context(embedded_server(folder / "postgres", SETTINGS))
        postgres = postmaster(folder)
        await prepare(server)
        for size in PLANNED if plans_alone else SIZES:
            async with world(server, size) as where:
                console.print(f"{size:,} cases are there", style="dim")
                if plans_alone:
                    explained[size] = await plans(where, Keyring.load(keys))
                else:
                    explained[size] = await grown(where, size, keys, postgres, curves)
        for organisations in () if plans_alone else COMMUNITIES:
            async with world(server, 10**4, organisations) as where:
                found = await cost(where, Keyring.load(keys), postgres, Q1)
                curves["organisations"].append({"organisations": organisations, **found})
    keep_plans(explained)
    if not plans_alone:
        keep(curves)
        console.print("written: bench/results")
    console.print("written: tests/operations/plans")


def keep_plans(explained: dict[int, dict[str, Golden]]) -> None:
    """Write every operation's plans."""
    PLANS.mkdir(exist_ok=True)
    for name in names():
        (PLANS / f"{name}.txt").write_text(written({size: one[name] for size, one in explained.items() if one}))


def keep(curves: Curves) -> None:
    """Write the numbers, and their picture."""
    RESULTS.mkdir(exist_ok=True)
    told = {"measured": datetime.now(UTC).date().isoformat(), **curves}
    (RESULTS / "scale.json").write_text(json.dumps(told, indent=1) + "\n")
    panels = [
        Panel(f"Combined view by {axis}", axis, "CPU µs a request", [(p[axis], p["q1_us"]) for p in curves[axis]])
        for axis in ("rows", "cases", "organisations")
    ]
    crowded = [(point["connections"], point["rate"]) for point in curves["connections"]]
    panels.append(Panel("Combined view by connections", "connections", "requests a second", crowded))
    (RESULTS / "scale.svg").write_text(picture(panels))


def postmaster(folder: Path) -> psutil.Process:
    """Find the server of our own."""
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or [""]
        if command[0].endswith("/postgres") and any(str(folder) in word for word in command):
            return process
    raise RuntimeError("There is no server.")

"""The worker: it removes what is past and nothing else, and finishes before it goes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from auth.keyring import Keyring
from hub.audit.head import HeadKeys
from hub.audit.verify import verify
from hub.postgres import open_pool
from hub.worker import every, prune
from tests.conftest import Database
from tests.world import World

START = "from hub.cli import main; main()"
RECORD = """
insert into audit (organisation, client, action, operation, subjects, categories, proof)
select id, 'test', 'query', '\\x01', '{}', '{OVERVIEW}', '\\x02' from organisation where code = 'pen-centre'
"""


@asynccontextmanager
async def running(*command: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command of the hub as a process of its own, ended with the block."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", START, *command, env={**kept, **environment}, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def heard(process: asyncio.subprocess.Process, word: str) -> None:
    """Read what a process logs until it has said this."""
    assert process.stderr is not None
    while line := await process.stderr.readline():
        if word in line.decode():
            return
    raise AssertionError(f"{word} was never said")


async def test_pruning_leaves_what_is_live(world: World) -> None:
    """Proofs, revocations and access that are past go; what is still of use, and what is to come, stays."""
    case = await world.case()
    await world.agreement("pen-centre")
    await world.consent(case, "pen-centre", valid_until="2026-06-10")
    await world.consent(case, "arts-haven", given_on="2026-06-20")
    await world.agreement("arts-haven")
    now = datetime.fromisoformat("2026-06-01T12:00:00+00:00")
    for number, until in enumerate((now - timedelta(hours=1), now, now + timedelta(hours=1))):
        await world.admin.execute("insert into seen_proof values ($1, $2, 1)", bytes([number]), until)
        await world.admin.execute("insert into revoked_token values ($1, $2)", str(number), until)

    async with await open_pool(world.database.dsn("hub_worker"), name="test", role="hub_worker") as pool:
        await prune(pool)
        today = await access(world)
        await world.set_now(now + timedelta(days=10))
        await prune(pool)
        later = await access(world)

    assert today == {"icorn", "pen-centre", "arts-haven"}
    assert later == {"icorn", "arts-haven"}
    assert await world.admin.fetchval("select count(*) from seen_proof") == 0
    assert await world.admin.fetchval("select count(*) from revoked_token") == 0


async def test_a_proof_is_remembered_until_nobody_would_accept_it(world: World) -> None:
    """One whose time is now is kept."""
    now = datetime.fromisoformat("2026-06-01T12:00:00+00:00")
    await world.admin.execute(
        "insert into seen_proof values ('\\x01', $1, 1), ('\\x02', $2, 1)", now, now - timedelta(seconds=1)
    )

    async with await open_pool(world.database.dsn("hub_worker"), name="test", role="hub_worker") as pool:
        assert await prune(pool) == 1

    assert await world.admin.fetchval("select proof from seen_proof") == b"\x01"


async def access(world: World) -> set[str]:
    """Whose access to cases is on record."""
    rows = await world.admin.fetch("select o.code from case_access a join organisation o on o.id = a.organisation")
    return {row["code"] for row in rows}


async def test_a_duty_that_fails_is_tried_again() -> None:
    """Trouble with the database is waited out."""
    stop, tries = asyncio.Event(), []

    async def duty() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise asyncpg.ConnectionDoesNotExistError
        stop.set()
        return 0

    await every(timedelta(0), duty, stop)

    assert len(tries) == 2


async def test_a_worker_told_to_stop_leaves_the_log_in_order(database: Database, world: World, tmp_path: Path) -> None:
    """SIGTERM ends it with status 0, and what was recorded until then is in its chain."""
    Keyring.create(tmp_path / "keys.json")
    settings = {"HUB_WORKER_DATABASE_URL": database.dsn("hub_worker"), "HUB_KEYS_FILE": str(tmp_path / "keys.json")}

    async with running("worker", **settings) as process:
        await heard(process, "worker.started")
        await world.admin.execute(RECORD)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0

    worker = await database.connect("hub_worker")
    keys = await HeadKeys(worker, Keyring.load(tmp_path / "keys.json")).all()
    (verdict,) = await verify(worker, "pen-centre", keys)
    assert (verdict.size, verdict.heads, verdict.waiting, verdict.fault) == (1, 1, 0, None)


async def test_a_worker_freezes_the_quarters_statistics(database: Database, world: World, tmp_path: Path) -> None:
    """As soon as it is at work, if nobody has yet."""
    Keyring.create(tmp_path / "keys.json")
    settings = {"HUB_WORKER_DATABASE_URL": database.dsn("hub_worker"), "HUB_KEYS_FILE": str(tmp_path / "keys.json")}

    async with running("worker", **settings) as process:
        await heard(process, "statistics.frozen")

    assert await world.data("pen", "{ statistics(groupBy: []) { asOf } }") == {"statistics": {"asOf": "2026-06-01"}}


async def test_a_hub_told_to_stop_finishes_what_is_in_flight(
    database: Database, tmp_path: Path, unused_tcp_port: int
) -> None:
    """A request whose body is still on its way when SIGTERM comes is answered; then the process ends with status 0."""
    Keyring.create(tmp_path / "keys.json")
    settings: dict[str, Any] = {
        "HUB_DATABASE_URL": database.dsn("hub_app"),
        "HUB_AUTH_DATABASE_URL": database.dsn("hub_auth"),
        "HUB_WORKER_DATABASE_URL": database.dsn("hub_worker"),
        "HUB_KEYS_FILE": str(tmp_path / "keys.json"),
        "HUB_PORT": str(unused_tcp_port),
    }
    body = b"grant_type=client_credentials"

    async with running("serve", **settings) as process:
        await heard(process, "hub.serving")
        reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        head = f"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body[:5])
        await writer.drain()
        other, asking = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        asking.write(b"GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        ready = await other.read()
        process.send_signal(signal.SIGTERM)
        await heard(process, "hub.stopping")
        writer.write(body[5:])
        answer = await reader.read()
        assert await process.wait() == 0

    assert ready.startswith(b"HTTP/1.1 200") and b"server:" not in ready.lower()  # noqa: PT018 one answer
    assert answer.startswith(b"HTTP/1.1 4")
    assert b"invalid_" in answer
    for connection in (writer, asking):
        connection.close()

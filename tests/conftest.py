"""What every test stands on: one embedded PostgreSQL per process, one template database, a fresh copy for each test."""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hub.embedded import ADMIN, Server, embedded_server
from hub.migrate import ensure_roles, migrate
from hub.postgres import HubConnection, connect

NUMBERS = itertools.count(1)

# A database of tests need not survive a power cut.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200", "max_wal_size": "256MB"}  # fmt: skip
MEMORY = Path("/dev/shm")  # noqa: S108 a place for folders that are made there, not a name that others could guess
ENOUGH = 4 << 30
"""The bytes that must be free in memory for the tests' databases to be kept there: a copy is made three times as fast."""

TEST_CLOCK = """
set role hub_owner;
create table hub.test_clock (now timestamptz not null);
alter table hub.test_clock enable row level security, force row level security;
create policy everyone_reads_the_clock on hub.test_clock using (true);
grant select on hub.test_clock to public;
insert into hub.test_clock values ('2026-06-01T12:00Z');
create or replace function hub.hub_now() returns timestamptz language sql stable parallel safe
    return (select now from hub.test_clock);
reset role;
-- The walls are tried with whatever scopes a token could have; tests/hub/test_ceiling.py is about what it can. (It names the tables
-- that the true one names, so that a dump knows what to drop first.)
create or replace function hub.scope_ceiling(asker int, asked text[]) returns text[]
    language sql stable security definer set search_path = hub, pg_temp
    return (select asked from organisation where id = asker and (true or exists (select from agreement)));
"""


@dataclass
class Database:
    """A database of one test's own: migrated, empty, its clock at 2026-06-01T12:00Z until set."""

    server: Server
    name: str
    opened: list[HubConnection] = field(default_factory=list)

    def dsn(self, role: str) -> str:
        """Say where `role` (hub_app, ..., or postgres for the administrator) reaches this database."""
        return self.server.dsn(role, self.name)

    async def connect(self, role: str) -> HubConnection:
        """Open a connection as `role`, closed when the test ends."""
        connection = await connect(self.dsn(role), name="test", role=role)
        self.opened.append(connection)
        return connection

    async def admin(self, sql: str, *arguments: Any) -> list[Any]:
        """Run one statement (or, without arguments, several) as the administrator, whom no policy binds."""
        connection = await connect(self.dsn(ADMIN), name="test", role=ADMIN)
        try:
            if arguments:
                return list(await connection.fetch(sql, *arguments))
            await connection.execute(sql)
            return []
        finally:
            await connection.close()

    async def set_now(self, now: datetime) -> None:
        """Set hub_now(), for everyone, until set again."""
        await self.admin("update hub.test_clock set now = $1", now)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --rewrite-golden, which `make golden` uses."""
    parser.addoption("--rewrite-golden", action="store_true", help="write the golden files anew from what comes out")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """An embedded PostgreSQL of this test process, gone when it ends."""
    kept = MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH else None
    with tempfile.TemporaryDirectory(prefix="hub-", dir=kept) as folder, embedded_server(Path(folder), FAST) as running:
        yield running


@asynccontextmanager
async def new_database(server: Server, name: str, template: str = "template1") -> AsyncIterator[Database]:
    """Create database `name` as a copy of `template`, and drop it afterwards whoever is still connected."""
    database = Database(server, name)
    admin = await connect(server.dsn(ADMIN, "postgres"), name="test", role=ADMIN)
    try:
        await admin.execute(f'create database "{name}" template "{template}" strategy file_copy')
        try:
            yield database
        finally:
            for connection in database.opened:
                await connection.close()
            await admin.execute(f'drop database "{name}" with (force)')
    finally:
        await admin.close()


async def build_template(server: Server, name: str) -> None:
    """Make the database that tests copy: the roles, every migration, and a clock to set."""
    admin = await connect(server.dsn(ADMIN, "postgres"), name="test", role=ADMIN)
    await admin.execute(f'create database "{name}"')
    await admin.close()
    await ensure_roles(server.dsn(ADMIN, name))
    await migrate(server.dsn("hub_migrate", name))
    await Database(server, name).admin(TEST_CLOCK)


@pytest.fixture(scope="session")
def template(server: Server) -> str:
    """The name of the migrated database that each test's own is copied from; nobody stays connected to it."""
    name = "hub_template"
    # In a thread of its own, away from the event loop that the tests run in.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(asyncio.run, build_template(server, name)).result()
    return name


@pytest.fixture
async def database(server: Server, template: str) -> AsyncIterator[Database]:
    """A fresh copy of the template, dropped after the test."""
    async with new_database(server, f"test_{next(NUMBERS)}", template) as copy:
        yield copy


@pytest.fixture
async def empty_database(server: Server) -> AsyncIterator[Database]:
    """A database without roles, schemas or tables of ours, dropped after the test."""
    async with new_database(server, f"test_{next(NUMBERS)}") as bare:
        yield bare

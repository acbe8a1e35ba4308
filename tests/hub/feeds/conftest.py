"""Fixtures of the replication tests: a desk with one feed, and a pool of the worker's."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager

import asyncpg
import pytest

from hub.embedded import ADMIN, Server
from hub.postgres import open_pool
from tests.conftest import Database, new_database
from tests.hub.feeds.desk import Desk
from tests.hub.feeds.house import Gated, House


@pytest.fixture
async def desk(database: Database) -> Desk:
    """One feed with its source in memory."""
    admin = await database.connect(ADMIN)
    return await Desk.of(await database.connect("hub_worker"), admin)


@pytest.fixture
async def pool(database: Database) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    """A pool of the worker's."""
    opened = await open_pool(database.dsn("hub_worker"), name="test", role="hub_worker", size=8)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def shared(server: Server, template: str) -> Iterator[tuple[Server, str]]:
    """A database for many examples, each with a feed of its own."""
    with asyncio.Runner() as runner:
        database = new_database(server, "test_replication", template)
        yield server, runner.run(anext_of(database)).name
        runner.run(database.__aexit__(None, None, None))


async def anext_of(database: AbstractAsyncContextManager[Database]) -> Database:
    """Enter a database's context."""
    return await database.__aenter__()


@pytest.fixture
async def house(database: Database, pool: "asyncpg.Pool[asyncpg.Record]") -> AsyncIterator[House]:
    """A house of three feeds."""
    admin = await database.connect(ADMIN)
    worker = await database.connect("hub_worker")
    sources = {code: Gated() for code in ("alpha", "beta", "gamma")}
    for code in sources:
        await Desk.of(worker, admin, code)
    made = House(pool, admin, sources)
    yield made
    await made.refresher.close()

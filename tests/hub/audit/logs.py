"""What tests of the audit log share: a worker's pool, records put in by hand, and the log brought up to date."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from hub.audit.head import Head, HeadKeys
from hub.audit.sequence import Sequencer
from hub.audit.verify import Verdict, verify
from hub.postgres import open_pool
from tests.conftest import Database
from tests.world import KEYRING, World

RECORD = """
insert into audit (organisation, client, action, operation, subjects, categories, proof)
select id, 'test', 'query cases', '\\x01', '{}', '{OVERVIEW}', '\\x02' from organisation where code = $1 returning id
"""


@asynccontextmanager
async def worker_pool(database: Database) -> AsyncIterator[Any]:
    """A pool of the role hub_worker."""
    async with await open_pool(database.dsn("hub_worker"), name="test", role="hub_worker", size=4) as pool:
        yield pool


def sequencer(pool: Any) -> Sequencer:
    """A worker's sequencer, with the keys of the tests' keyring."""
    return Sequencer(pool, HeadKeys(pool, KEYRING))


async def settle(world: World) -> None:
    """Sequence until every record has its leaf; transactions elsewhere may hold the horizon back a moment."""
    pool = world.app.state.pools.worker
    async with asyncio.timeout(20):
        while await world.admin.fetchval(
            "select count(*) from audit where id not in (select audit_id from audit_leaf)"
        ):
            await sequencer(pool).run()
            await asyncio.sleep(0.01)


async def verdicts(world: World, *known: Head) -> dict[str, Verdict]:
    """What verification finds, by organisation."""
    pool = world.app.state.pools.worker
    async with pool.acquire() as connection:
        keys = await HeadKeys(connection, KEYRING).all()
        return {verdict.organisation: verdict for verdict in await verify(connection, None, keys, known)}


async def meddle(world: World, sql: str) -> None:
    """Do what only a superuser with foreign keys off can do."""
    await world.admin.execute(f"set session_replication_role = replica; {sql}; set session_replication_role = origin")

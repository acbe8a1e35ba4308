"""How Postgres goes about every golden operation, on record for worlds of a thousand, a hundred thousand and a million cases.

`make bench-scale` writes the record. Here the smallest world is made again, and its plans are to be those on record; of the large
ones it is held that their record is of the SQL that is sent today.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from bench.parts import ISSUER
from bench.plans import OPERATIONS, Golden, golden, names, read
from bench.scale import ORGANISATIONS, PLANNED
from bench.servers import application
from bench.world import people, register
from hub.embedded import Server, dsns
from hub.engine.pages import COUNT_LIMIT
from tests.conftest import NUMBERS, new_database
from tests.world import KEYRING

TRUE_CLOCK = "create or replace function hub.hub_now() returns timestamptz language sql stable parallel safe return statement_timestamp()"
TIMES = 4
"""How many rows may be touched for each object that an operation may cost: a row, its access, its sealed document and the key of it."""


@dataclass
class Small:
    """The hub over the smallest world."""

    engine: Any
    admin: Any
    connection: Any


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def small(server: Server, template: str) -> AsyncIterator[Small]:
    """A thousand cases, by the true clock: the one that tests set is read from a table, in every plan."""
    async with new_database(server, f"test_{next(NUMBERS)}", template) as database:
        admin = await database.connect("postgres")
        await admin.execute(TRUE_CLOCK)
        await people(admin, PLANNED[0], PLANNED[0], ORGANISATIONS)
        await admin.execute("vacuum analyze")
        for organisation in (1, 2):
            await register(admin, organisation)
        app, pools = await application(dsns(server, database.name), KEYRING, ISSUER)
        async with pools.app.acquire() as connection:
            yield Small(app.state.engine, admin, connection)
        for pool in (pools.app, pools.auth, pools.worker):
            await pool.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", names())
async def test_an_operation_is_planned_as_it_is_on_record(small: Small, name: str) -> None:
    """By the same indexes, in the same order; and the plans on record for larger worlds are of this very SQL."""
    found = await golden(small.engine, small.admin, small.connection, name)
    digest, cost, rows, plans = read(name)

    assert (found.digest, found.cost) == (digest, cost), "run make bench-scale: the SQL is not what was planned"
    assert set(rows) == set(plans) == set(PLANNED)
    assert found.plan == plans[PLANNED[0]]
    assert within(found, found.rows, name)


def within(found: Golden, rows: int, name: str) -> bool:
    """Tell whether so many rows are as many as the page asks for, or as are counted at most."""
    counted = COUNT_LIMIT + 1 if "totalCount" in (OPERATIONS / f"{name}.graphql").read_text() else 0
    return rows <= TIMES * found.cost + counted


@pytest.mark.parametrize("name", names())
def test_no_table_is_read_from_end_to_end_however_large(name: str) -> None:
    """No sequential scan in any world, and rows touched that follow from the page asked for, not from how many there are."""
    digest, cost, rows, plans = read(name)

    assert not [size for size, plan in plans.items() if "Seq Scan" in plan]
    assert all(within(Golden(digest, "", count, cost), count, name) for count in rows.values())

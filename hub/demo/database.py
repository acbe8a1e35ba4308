"""This module makes the demonstration's database: roles, tables, the invented world, and what a story needs of it."""

import asyncpg

from auth.keyring import Keyring
from hub.demo.load import is_loaded, load
from hub.demo.place import DATABASE
from hub.demo.progress import Steps
from hub.embedded import ADMIN, Server
from hub.engine.parameters import split_id
from hub.migrate import ensure_roles, migrate
from hub.postgres import HubConnection, connect
from hub.sealing import Sealing

_OFFER = """
insert into residency (id, case_id, city, status, starts_on)
select gen_random_uuid(), a.case_id, c.id, 'OFFERED', (hub_now() at time zone 'UTC')::date + 60
from case_access a join organisation o on o.id = a.organisation and o.kind = 'ICORN', city c
where a.pairwise = $1::text::uuid and c.code = 'harbour-city'
"""


async def make_database(server: Server, steps: Steps) -> None:
    """Make the database, its roles and its tables, as far as they are not there yet."""
    steps.now("Making roles and tables")
    admin = await connect(server.dsn(ADMIN, "postgres"), name="hub demo", role=ADMIN)
    try:
        await admin.execute(f'create database "{DATABASE}"')
    except asyncpg.DuplicateDatabaseError:
        pass
    finally:
        await admin.close()
    await ensure_roles(server.dsn(ADMIN, DATABASE))
    await migrate(server.dsn("hub_migrate", DATABASE))
    steps.done()


async def fill_database(admin: HubConnection, keyring: Keyring, steps: Steps) -> None:
    """Load the world unless it is there."""
    steps.now("Inventing a world")
    if not await is_loaded(admin):
        await load(admin, Sealing(keyring), keyring.subkey("index"), steps.part)
    steps.done()


async def tellings(admin: HubConnection) -> int:
    """Return how many stories have come as far as a referral."""
    count: int = await admin.fetchval("select count(*) from referral where client_reference ~ '^NPC-[0-9]{4}$'")
    return count


async def offer_place(admin: HubConnection, case: str) -> None:
    """Record that Harbour City offers a place, for the case that ICORN knows by this id."""
    await admin.execute(_OFFER, split_id(case, "uuid:case"))

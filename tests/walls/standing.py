"""What stands of the two walls while a test looks: the first in the plan, the second in Postgres, or one of them alone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from tests.conftest import Database
from tests.world import World, build

FIRST: Final = "the first wall alone"
SECOND: Final = "the second wall alone"
NEITHER: Final = "no wall"
EACH: Final = (FIRST, SECOND)
Worlds = Callable[[str], Awaitable[World]]
"""Gives the world in which certain walls stand."""
UNBOUND: Final = "unbound_app"
"""A role with every right of hub_app, whom no row policy binds."""


@asynccontextmanager
async def standing(database: Database, walls: str) -> AsyncIterator[World]:
    """Put the hub together with only these walls, and ICORN, two sister organisations and a city office in it."""
    await database.admin(
        f"do $$ begin if not exists (select from pg_roles where rolname = '{UNBOUND}') then"
        f" create role {UNBOUND} login bypassrls in role hub_app; end if; end $$"
    )
    bound = walls == SECOND
    plan = frozenset({1, 2}) if walls == FIRST else frozenset({2})
    async with build(database, walls=plan, app_role="hub_app" if bound else UNBOUND) as world:
        for code, kind in (("icorn", "ICORN"), ("pen-centre", "SISTER"), ("arts-haven", "SISTER")):
            await world.organisation(code, kind)
        await world.city("bergen")
        await world.client("desk", "icorn")
        yield world

"""The start-up check: each hole in the second wall is found, all of them at once."""

from collections.abc import AsyncIterator

import pytest

from hub.migrate import ensure_roles
from hub.self_check import self_check
from tests.conftest import Database

SOUND = """
set role hub_owner;
create table hub.sound (id int);
alter table hub.sound enable row level security, force row level security;
create view hub.sound_view with (security_invoker = true) as select * from hub.sound;
create function hub.allowed() returns int language sql security definer set search_path = hub return 1;
"""
HOLES = [
    ("create table hub.open (id int)", ["table hub.open does not ENABLE", "table hub.open does not FORCE"]),
    (
        "create table auth.half (id int); alter table auth.half enable row level security",
        ["table auth.half does not FORCE"],
    ),
    (
        "set role hub_owner; create view hub.as_owner as select 1 as one",
        ["view hub.as_owner lacks security_invoker"],
    ),
    (
        "create view hub.off with (security_invoker = off) as select 1 as one",
        ["view hub.off lacks security_invoker"],
    ),
    ("create materialized view hub.stored as select 1 as one", ["hub.stored is of a kind"]),
    ("alter role hub_app bypassrls", ["role hub_app has BYPASSRLS"]),
    ("alter role hub_app superuser", ["role hub_app is a superuser"]),
    ("create table public.mine (id int); alter table public.mine owner to hub_app", ["role hub_app owns table"]),
    ("grant hub_owner to hub_app", ["role hub_app is a member of hub_access", "role hub_app is a member of hub_owner"]),
    ("grant hub_access to hub_worker; grant hub_worker to hub_app", ["role hub_app is a member of hub_access"]),
    ("grant pg_read_all_data to hub_app", ["role hub_app is a member of pg_read_all_data"]),
    (
        "set role hub_owner; create function hub.rogue() returns int language sql security definer return 1",
        ["function hub.rogue is SECURITY DEFINER and is not on the list"],
    ),
    (
        "grant execute on function hub.allowed() to public",
        ["function hub.allowed is SECURITY DEFINER and may be called by everyone"],
    ),
    (
        """set role hub_owner; drop function hub.allowed();
        create function hub.allowed() returns int language sql security definer as 'select 1'""",
        ["function hub.allowed is SECURITY DEFINER and does not pin its search_path"],
    ),
]
"""What somebody might do by hand, and the problems that it must show as."""
MENDED = """
alter role hub_app nosuperuser nobypassrls;
revoke hub_owner, hub_access, hub_worker, pg_read_all_data from hub_app;
revoke hub_access from hub_worker;
"""


@pytest.fixture
async def bare(empty_database: Database) -> AsyncIterator[Database]:
    """A database with roles, schemas and one sound table, view and function; roles are shared, so mended afterwards."""
    await ensure_roles(empty_database.dsn("postgres"))
    await empty_database.admin(SOUND)
    yield empty_database
    await empty_database.admin(MENDED)


async def problems(database: Database) -> list[str]:
    """Run the check as the application."""
    return await self_check(await database.connect("hub_app"), ["hub.allowed"])


async def test_finds_nothing_where_there_is_nothing_to_find(bare: Database) -> None:
    """A sound database passes."""
    assert await problems(bare) == []


@pytest.mark.parametrize(("by_hand", "expected"), HOLES)
async def test_finds_a_hole(bare: Database, by_hand: str, expected: list[str]) -> None:
    """Each is named, and nothing else is."""
    await bare.admin(by_hand)

    found = await problems(bare)

    assert len(found) == len(expected)
    assert all(text.startswith(start) for text, start in zip(sorted(found), expected, strict=True))


async def test_finds_all_holes_at_once(bare: Database) -> None:
    """An operator mends them in one go, not one per start."""
    quiet = [sql for sql, _ in HOLES if "allowed" not in sql and "superuser" not in sql]
    for sql in quiet:
        await bare.admin(sql)

    assert len(await problems(bare)) >= len(quiet)


async def test_finds_that_nothing_was_migrated(empty_database: Database) -> None:
    """A database without tables is no database to serve from."""
    await ensure_roles(empty_database.dsn("postgres"))

    assert await problems(empty_database) == ["schema hub has no tables: run hub migrate"]

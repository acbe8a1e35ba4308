"""Connections: the session every statement counts on, and nothing left over for the next borrower."""

import pytest

from hub.postgres import INDEX_DRIVEN, open_pool
from tests.conftest import Database


async def test_a_session_has_the_settings_that_statements_count_on(database: Database) -> None:
    """Search path, time zone, interval style and no JIT, for the application and for the authorization server."""
    for role, path in (("hub_app", "hub, pg_temp"), ("hub_auth", "hub, auth, pg_temp")):
        connection = await database.connect(role)
        names = ("search_path", "timezone", "intervalstyle", "jit", "application_name")
        found = [await connection.fetchval("select current_setting($1)", name) for name in names]

        assert found == [path, "UTC", "iso_8601", "off", "test"]


async def test_json_comes_out_as_the_bytes_that_postgresql_wrote(database: Database) -> None:
    """Not parsed, not decoded: ready to be sent; and str or bytes go in."""
    connection = await database.connect("hub_app")

    assert await connection.fetchval("""select '{"a":  "ö"}'::json""") == '{"a":  "ö"}'.encode()
    assert await connection.fetchval("select $1::json", "[1]") == b"[1]"
    assert await connection.fetchval("select $1::json", b"[2]") == b"[2]"


async def test_a_role_set_on_a_pooled_connection_does_not_reach_the_next_borrower(database: Database) -> None:
    """Nor does a session setting: asyncpg's own reset would leave the role."""
    pool = await open_pool(database.dsn("hub_migrate"), name="test", role="hub_migrate", size=1)
    async with pool:
        async with pool.acquire() as connection:
            await connection.execute("set role hub_owner")
            await connection.execute("select set_config('hub.organisation', '7', false)")

        async with pool.acquire() as connection:
            row = await connection.fetchrow("select current_user, current_setting('hub.organisation', true) as bound")

    assert row is not None
    assert row["current_user"] == "hub_migrate"
    assert row["bound"] in ("", None)


async def test_what_was_left_on_a_connection_is_undone_unless_its_borrower_says_that_nothing_was(
    database: Database,
) -> None:
    """The word is good for that one borrower: the next who leaves something finds it undone again."""
    pool = await open_pool(database.dsn("hub_app"), name="test", size=1)
    bound = "select coalesce(current_setting('hub.organisation', true), '')"
    async with pool:
        for said, found in ((True, "7"), (False, "")):
            async with pool.acquire() as connection:
                await connection.execute("select set_config('hub.organisation', '7', false)")
                if said:
                    connection.leaves_nothing()  # type: ignore[attr-defined] # the pool's proxy hands it on
            async with pool.acquire() as connection:
                assert await connection.fetchval(bound) == found


async def test_whoever_answers_requests_reads_by_indexes(database: Database) -> None:
    """However little the planner knows of a table, it is not read from end to end, nor joined whole to another."""
    pool = await open_pool(database.dsn("hub_app"), name="test", size=1)
    async with pool:
        for name in INDEX_DRIVEN:
            assert await pool.fetchval(f"show {name}") == "off"


async def test_a_pool_takes_further_session_settings(database: Database) -> None:
    """A statement timeout, for one, holds on each of its connections."""
    pool = await open_pool(database.dsn("hub_app"), name="test", size=1, settings={"statement_timeout": "1500"})
    async with pool:
        assert await pool.fetchval("show statement_timeout") == "1500ms"


async def test_an_unreachable_database_is_an_error_at_once() -> None:
    """Opening a pool fails there and then, not at the first request."""
    with pytest.raises(OSError, match="No such file"):
        await open_pool("postgresql://hub_app@/hub?host=/nowhere", name="test")

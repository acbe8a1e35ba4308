"""Roles and migrations: made once, in order, whole or not at all, and never rewritten."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from hub.migrate import MigrationError, ensure_roles, migrate, pending_migrations, read_migrations
from hub.postgres import LOGINS
from tests.conftest import Database

ONE = "create table hub.one (id int); alter table hub.one enable row level security, force row level security;"
TWO = "create table hub.two (id int);"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two migrations of our own."""
    write(tmp_path, "0001_one", ONE)
    write(tmp_path, "0002_two", TWO)
    return tmp_path


@pytest.fixture
async def prepared(empty_database: Database) -> Database:
    """A database with roles and schemas and nothing in them."""
    await ensure_roles(empty_database.dsn("postgres"))
    return empty_database


def write(folder: Path, name: str, sql: str) -> None:
    """Write one migration."""
    (folder / f"{name}.sql").write_text(sql)


async def tables(database: Database) -> list[str]:
    """Return the tables of schema hub."""
    rows = await database.admin("select tablename from pg_tables where schemaname = $1 order by 1", "hub")
    return [row[0] for row in rows]


async def opens(database: Database, password: str) -> bool:
    """Say whether hub_app gets in with `password`."""
    try:
        connection = await asyncpg.connect(database.dsn("hub_app"), password=password)
    except asyncpg.InvalidPasswordError:
        return False
    await connection.close()
    return True


async def test_applies_in_order_and_only_once(prepared: Database, folder: Path) -> None:
    """A second run finds nothing to do, and what was applied belongs to hub_owner."""
    dsn = prepared.dsn("hub_migrate")

    assert await pending_migrations(dsn, folder) == ["0001_one", "0002_two"]
    assert await migrate(dsn, folder) == ["0001_one", "0002_two"]
    assert await migrate(dsn, folder) == []
    assert await pending_migrations(dsn, folder) == []
    assert await tables(prepared) == ["migration", "one", "two"]
    owners = await prepared.admin("select distinct tableowner from pg_tables where schemaname = $1", "hub")
    assert [owner for (owner,) in owners] == ["hub_owner"]


async def test_two_at_once_apply_each_migration_once(prepared: Database, folder: Path) -> None:
    """The advisory lock lets one work while the other waits and then finds nothing left."""
    dsn = prepared.dsn("hub_migrate")

    outcomes = await asyncio.gather(*(migrate(dsn, folder) for _ in range(3)))

    assert sorted(outcomes) == [[], [], ["0001_one", "0002_two"]]


async def test_a_failing_migration_leaves_no_trace_of_itself(prepared: Database, folder: Path) -> None:
    """What came before it stays; nothing of it does."""
    write(folder, "0003_bad", "create table hub.three (id int); select 1/0;")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(prepared.dsn("hub_migrate"), folder)

    assert await tables(prepared) == ["migration", "one", "two"]
    assert await pending_migrations(prepared.dsn("hub_migrate"), folder) == ["0003_bad"]


async def test_denies_an_edited_a_missing_and_a_late_migration_all_at_once(prepared: Database, folder: Path) -> None:
    """History cannot be rewritten, and every breach of it is named."""
    write(folder, "0005_five", "select 1;")
    await migrate(prepared.dsn("hub_migrate"), folder)
    write(folder, "0001_one", ONE + " -- edited")
    (folder / "0002_two.sql").unlink()
    write(folder, "0003_late", "create table hub.late (id int);")

    with pytest.raises(MigrationError) as refused:
        await migrate(prepared.dsn("hub_migrate"), folder)

    edited, missing, late = str(refused.value).splitlines()
    assert edited.startswith("0001_one was edited")
    assert missing.startswith("0002_two was applied here and is missing")
    assert late.startswith("0003_late is new but comes before 0005_five")
    assert "late" not in await tables(prepared)


@pytest.mark.parametrize(
    ("name", "sql", "message"),
    [
        ("0002_again", "select 1;", "same number"),
        ("03_short", "select 1;", "name a migration like"),
        ("0003_commits", "create table x ();\n COMMIT;", "may not COMMIT"),
        ("0003_rolls_back", "rollback to savepoint s;", "may not COMMIT"),
    ],
)
def test_denies_a_file_that_cannot_be_a_migration(folder: Path, name: str, sql: str, message: str) -> None:
    """A number taken twice, a wrong name, and a transaction ended from within are refused before anything runs."""
    write(folder, name, sql)

    with pytest.raises(MigrationError, match=message):
        read_migrations(folder)


async def test_roles_are_made_twice_without_complaint_and_repaired(prepared: Database) -> None:
    """Running it again takes away an attribute that somebody gave a role by hand."""
    await prepared.admin("alter role hub_app bypassrls inherit")

    await ensure_roles(prepared.dsn("postgres"))

    flags = "rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or rolinherit"
    rows = await prepared.admin(f"select rolname, {flags} from pg_roles where rolname like $1", "hub_%")  # noqa: S608
    assert {tuple(row) for row in rows} == {(role, False) for role in ("hub_owner", "hub_access", *LOGINS)}


async def test_no_role_but_the_migrating_one_can_become_an_owner(prepared: Database) -> None:
    """SET ROLE to an owner is refused to every role that serves, and open to hub_migrate."""
    for role in ("hub_app", "hub_auth", "hub_worker"):
        connection = await prepared.connect(role)
        for owner in ("hub_owner", "hub_access", "hub_migrate"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"set role {owner}")
    migrating = await prepared.connect("hub_migrate")
    await migrating.execute("set role hub_owner; set role hub_access")


async def test_the_public_and_the_application_can_create_nothing(prepared: Database) -> None:
    """Neither tables, nor temporary tables, nor schemas."""
    connection = await prepared.connect("hub_app")
    for sql in ("create table hub.x ()", "create temp table x ()", "create table public.x ()", "create schema x"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(sql)


async def test_a_migration_can_hand_a_function_to_hub_access(prepared: Database, folder: Path) -> None:
    """It needs CREATE on the schema at that moment, which the migration grants and takes back; nobody may call it."""
    write(
        folder,
        "0003_function",
        """
        create function hub.answer() returns int language sql security definer set search_path = hub return 42;
        grant create on schema hub to hub_access;
        alter function hub.answer() owner to hub_access;
        revoke create on schema hub from hub_access;
        """,
    )

    await migrate(prepared.dsn("hub_migrate"), folder)

    connection = await prepared.connect("hub_app")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("select hub.answer()")


@pytest.mark.parametrize("password", ["correct horse battery' --\"\\$$", "x" * 64])
async def test_a_password_opens_and_is_stored_as_its_verifier_only(prepared: Database, password: str) -> None:
    """By SCRAM, whatever characters it has; another password does not open, and the server never held the real one."""
    hba = prepared.server.sockets.parent / "data" / "pg_hba.conf"
    hba.write_text(f"local {prepared.name} hub_app scram-sha-256\n" + hba.read_text())
    await prepared.admin("select pg_reload_conf()")

    await ensure_roles(prepared.dsn("postgres"), {"hub_app": password})

    (stored,) = (await prepared.admin("select rolpassword from pg_authid where rolname = $1", "hub_app"))[0]
    assert stored.startswith("SCRAM-SHA-256$")
    while await opens(prepared, password + "x"):  # noqa: ASYNC110  # no event to wait for
        await asyncio.sleep(0.01)  # the server does not say when it has read its new rules
    assert await opens(prepared, password)


@pytest.mark.parametrize(
    ("role", "password"), [("hub_app", "short"), ("hub_app", "pässword" * 4), ("postgres", "x" * 32)]
)
async def test_denies_a_password_that_cannot_be_used(prepared: Database, role: str, password: str) -> None:
    """A short or non-ASCII password, and one for a role that is none of ours, are refused without being repeated."""
    with pytest.raises(MigrationError) as refused:
        await ensure_roles(prepared.dsn("postgres"), {role: password})

    assert password not in str(refused.value)

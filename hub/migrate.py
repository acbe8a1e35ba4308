"""This module is in charge of the database's shape over time: roles, then migrations, forward only."""

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, Self

import schema
from hub.postgres import LOGINS, HubConnection, connect

FOLDER: Final = Path(schema.__file__).parent / "sql"
LOCK: Final = 0x69636F726E  # "icorn": one migration at a time, and no other program's advisory lock
NAME: Final = re.compile(r"\d{4}_[a-z0-9_]+")
ENDS_TRANSACTION: Final = re.compile(r"^\s*(commit|rollback)\b[^;]*;", re.MULTILINE | re.IGNORECASE)
SCRAM_ROUNDS: Final = 4096
SHORTEST_PASSWORD: Final = 16

LEDGER: Final = """
create table if not exists hub.migration (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default now()
);
alter table hub.migration enable row level security, force row level security;
drop policy if exists migrations_are_the_owners on hub.migration;
create policy migrations_are_the_owners on hub.migration to hub_owner using (true);
"""


class MigrationError(RuntimeError):
    """The migrations, the roles or the passwords are not as they must be; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: what it is called, what it says, and the digest that it is known by once applied."""

    name: str
    sql: str
    sha256: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a migration; raise MigrationError when its name or its content cannot be one."""
        if not NAME.fullmatch(path.stem):
            raise MigrationError(f"{path.name}: name a migration like 0007_what_it_does.sql.")
        content = path.read_bytes()
        sql = content.decode()
        if ENDS_TRANSACTION.search(sql):
            raise MigrationError(f"{path.name}: a migration is one transaction, so it may not COMMIT or ROLLBACK.")
        return cls(path.stem, sql, hashlib.sha256(content).hexdigest())


def read_migrations(folder: Path = FOLDER) -> list[Migration]:
    """Return the migrations of `folder` in order; raise MigrationError when two bear one number."""
    migrations = [Migration.read(path) for path in sorted(folder.glob("[0-9]*.sql"))]
    for earlier, later in pairwise(migrations):
        if earlier.name[:4] == later.name[:4]:
            raise MigrationError(f"{earlier.name} and {later.name} bear the same number: renumber the newer one.")
    return migrations


async def ensure_roles(admin_dsn: str, passwords: Mapping[str, str] | None = None, folder: Path = FOLDER) -> None:
    """Make the roles and schemas in the database of `admin_dsn`, and set the passwords given by role name.

    Safe to repeat. Raises MigrationError for a password of a role that is none of ours, or one that cannot be used.
    """
    verifiers = {role: _scram_verifier(role, password) for role, password in (passwords or {}).items()}
    connection = await connect(admin_dsn, name="hub roles")
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", LOCK)
            await connection.execute((folder / "roles.sql").read_text())
            for role, verifier in verifiers.items():
                statement = await connection.fetchval(
                    "select format('alter role %I password %L', $1::text, $2::text)", role, verifier
                )
                await connection.execute(statement)
    finally:
        await connection.close()


async def migrate(dsn: str, folder: Path = FOLDER) -> list[str]:
    """Apply what `folder` has and the database of `dsn` (as hub_migrate) has not; return the names applied.

    Two at once take turns. Raises MigrationError when an applied file was edited or removed, or a new one comes too
    late in the order; and asyncpg.PostgresError when a migration fails, which leaves no trace of that migration.
    """
    migrations = read_migrations(folder)
    connection = await connect(dsn, name="hub migrate", role="hub_migrate")
    try:
        await connection.execute("set role hub_owner")
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        async with connection.transaction():
            await connection.execute(LEDGER)
        todo = _still_to_apply(migrations, await _applied(connection))
        for migration in todo:
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "insert into hub.migration (name, sha256) values ($1, $2)", migration.name, migration.sha256
                )
        return [migration.name for migration in todo]
    finally:
        await connection.close()  # and with it the session's advisory lock


async def pending_migrations(dsn: str, folder: Path = FOLDER) -> list[str]:
    """Return the names of the migrations that the database of `dsn` (as hub_migrate) still lacks; change nothing."""
    migrations = read_migrations(folder)
    connection = await connect(dsn, name="hub migrate", role="hub_migrate")
    try:
        await connection.execute("set role hub_owner")
        ledger = await connection.fetchval("select to_regclass('hub.migration') is not null")
        applied = await _applied(connection) if ledger else {}
        return [migration.name for migration in _still_to_apply(migrations, applied)]
    finally:
        await connection.close()


async def _applied(connection: HubConnection) -> dict[str, str]:
    rows = await connection.fetch("select name, sha256 from hub.migration")
    return {row["name"]: row["sha256"] for row in rows}


def _still_to_apply(migrations: list[Migration], applied: Mapping[str, str]) -> list[Migration]:
    """Return what is new, once history proves to be what was applied; raise MigrationError with all that is not."""
    known = {migration.name: migration.sha256 for migration in migrations}
    last = max(applied, default="")
    todo = [migration for migration in migrations if migration.name not in applied]
    problems = [
        f"{name} was applied here and is missing: bring its file back." for name in applied.keys() - known.keys()
    ]
    problems += [
        f"{name} was edited after it was applied here: restore it, and say the change in a new migration."
        for name in applied.keys() & known.keys()
        if applied[name] != known[name]
    ]
    problems += [
        f"{migration.name} is new but comes before {last}, which was applied: give it a higher number."
        for migration in todo
        if migration.name < last
    ]
    if problems:
        raise MigrationError("\n".join(sorted(problems)))
    return todo


def _scram_verifier(role: str, password: str) -> str:
    """Return what PostgreSQL stores of a password (RFC 5803), so that no password travels or is logged."""
    if role not in LOGINS:
        raise MigrationError(f"A password was given for {role}; the roles that log in are {', '.join(LOGINS)}.")
    if not (password.isascii() and password.isprintable() and len(password) >= SHORTEST_PASSWORD):
        raise MigrationError(
            f"The password of {role} must be {SHORTEST_PASSWORD} or more printable ASCII characters; "
            "deploy/secrets.sh makes good ones."
        )
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${SCRAM_ROUNDS}:{salt64}${stored64}:{server64}"

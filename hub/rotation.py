"""This module changes which key-encryption key wraps the data keys, while the hub serves; no document is ever written anew.

A new epoch is added, data keys are wrapped by it batch by batch, and an old one is destroyed when nothing is wrapped by it any
more. Only then can no backup from before open what was erased.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from auth.keyring import Keyring

DATA_KEYS: Final = {
    "case_key": "case_id",
    "referral_key": "referral_id",
    "feed_record_key": "record",
    "retraction_key": "retraction_id",
    "agreement_end": "agreement",
    "audit_key": "kid",
    "usr": "id",
    "webhook_secret": "webhook_id",
}
"""The tables of wrapped keys that the worker may read and wrap anew, with their primary keys."""
BATCH: Final = 500
ROTATING: Final = 0x6B656B73
"""The advisory lock under which the epochs of a hub are changed."""

_NOTE: Final = "insert into key_epoch (name, retired_at) select unnest($1::text[]), hub_now() on conflict do nothing"
_RETIRE: Final = (
    "update key_epoch set retired_at = hub_now() where name <> $1 and retired_at is null and destroyed_at is null"
)
_MAKE: Final = "insert into key_epoch (name, made_at) values ($1, hub_now()) on conflict do nothing"
_EPOCHS: Final = "select name, made_at, retired_at, destroyed_at from key_epoch order by made_at nulls first, name"
_ERASED: Final = "select count(*) as count, max(at) as last from erasure where $1::timestamptz is null or at >= $1"


class EpochError(ValueError):
    """An epoch cannot be made or destroyed now; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """A key-encryption key: when it came and went, and how many keys are wrapped by it."""

    name: str
    made_at: datetime | None
    retired_at: datetime | None
    destroyed_at: datetime | None
    wraps: int = 0


async def rotate(connection: Any, keyring: Keyring) -> str:
    """Make a new epoch and have it wrap from now on; return its name. `connection` is the worker's.

    What the database is told before the file says it is at worst too early, so that a backup is never thought dead too soon.
    """
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", ROTATING)
        known = await connection.fetch(_EPOCHS)
        # A rotation that was cut off before the file was written is finished.
        begun = [row["name"] for row in known if row["retired_at"] is None and row["name"] not in keyring.keks]
        names = {row["name"] for row in known} | set(keyring.keks)
        name = begun[-1] if begun else str(1 + max([int(n) for n in names if n.isdecimal()], default=0))
        await connection.execute(_NOTE, list(keyring.keks))
        await connection.execute(_RETIRE, name)
        await connection.execute(_MAKE, name)
    keyring.add(name)
    return name


async def rewrap(connection: Any, keyring: Keyring, table: str, batch: int = BATCH) -> int:
    """Wrap one batch of a table's keys by the current epoch; return how many, 0 when none is left.

    Each batch is a transaction: to be stopped anywhere loses nothing. A key that somebody is just destroying is passed over.
    """
    key = DATA_KEYS[table]
    async with connection.transaction():
        found = await connection.fetch(f"select distinct kek from {table}")  # noqa: S608 a name of our own
        old = [name for (name,) in found if name != keyring.current]
        rows = await connection.fetch(
            f"select {key} as id, kek, wrapped from {table} where kek = any ($1) limit $2 for update skip locked",  # noqa: S608 as above
            old,
            batch,
        )
        await connection.executemany(
            f"update {table} set kek = $2, wrapped = $3 where {key} = $1",  # noqa: S608 as above
            [(row["id"], *keyring.wrap(keyring.unwrap(row["kek"], row["wrapped"]))) for row in rows],
        )
    return len(rows)


async def rewrap_signing_keys(connection: Any, keyring: Keyring) -> int:
    """Wrap the keys that sign tokens by the current epoch; return how many. `connection` is the authorization server's."""
    async with connection.transaction():
        rows = await connection.fetch(
            "select kid, kek_id, private from auth.signing_key where kek_id <> $1 for update", keyring.current
        )
        for row in rows:
            wrapped = keyring.wrap(keyring.unwrap(row["kek_id"], row["private"]))
            await connection.execute(
                "update auth.signing_key set kek_id = $2, private = $3 where kid = $1", row["kid"], *wrapped
            )
    return len(rows)


async def destroy(connection: Any, auth: Any, keyring: Keyring, name: str, days: int, *, early: bool = False) -> None:
    """Destroy an epoch: refused while a key is wrapped by it, while it wraps, and for `days` after it was retired.

    Under locks that let nobody wrap a key meanwhile; afterwards the database takes none that is wrapped by it.
    """
    async with auth.transaction(), connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", ROTATING)
        await auth.execute("lock table auth.signing_key in share mode")
        await connection.execute(f"lock table {', '.join(DATA_KEYS)} in share mode")
        epoch = next((e for e in await epochs(connection, auth) if e.name == name), None)
        if epoch is None:
            raise EpochError(f"There is no retired epoch {name!r}: hub epochs list shows them.")
        if name == keyring.current:
            raise EpochError(f"Epoch {name} is in use: hub epochs rotate makes another one first.")
        if epoch.wraps:
            raise EpochError(f"{epoch.wraps} keys are still wrapped by epoch {name}: run hub epochs rewrap first.")
        now = await connection.fetchval("select hub_now()")
        due = (epoch.retired_at or now) + timedelta(days=days)
        if now < due and epoch.destroyed_at is None and not early:
            raise EpochError(
                f"Backups from before {epoch.retired_at:%Y-%m-%d} need epoch {name} to be restored: it is kept until {due:%Y-%m-%d}."
                " With --early it goes now, and they with it."
            )
        await connection.execute(
            "update key_epoch set destroyed_at = coalesce(destroyed_at, hub_now()) where name = $1", name
        )
    keyring.drop(name)


async def epochs(connection: Any, auth: Any | None = None) -> list[Epoch]:
    """Give every epoch that is known or in use, oldest first, with the number of keys it wraps."""
    counts: dict[str, int] = {}
    asked = [(connection, f"select kek, count(*) from {table} group by kek") for table in DATA_KEYS]  # noqa: S608 names of our own
    if auth is not None:
        asked.append((auth, "select kek_id, count(*) from auth.signing_key group by kek_id"))
    for database, sql in asked:
        for name, count in await database.fetch(sql):
            counts[name] = counts.get(name, 0) + count
    known = [Epoch(**row, wraps=counts.pop(row["name"], 0)) for row in await connection.fetch(_EPOCHS)]
    return [Epoch(name, None, None, None, count) for name, count in sorted(counts.items())] + known


async def erased_since(connection: Any, moment: datetime | None) -> tuple[int, datetime | None]:
    """Say how many erasures there were since a moment, or ever, and when the last one was."""
    row = await connection.fetchrow(_ERASED, moment)
    return row["count"], row["last"]

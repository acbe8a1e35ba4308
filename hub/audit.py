"""This module puts audit records in an order for good, one chain for each organisation, and proves that a chain is whole.

Requests write records side by side and never wait for each other; the worker alone appends leaves. A record is looked at
only when no transaction older than it is under way, so one that commits late is still found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import asyncpg

from hub.audit_chain import Fault, Head, Walk, leaf_hash

Pool = asyncpg.Pool
LOCKS: Final = 0x61756474
"""Advisory locks of this kind, one for each organisation: one writer a chain."""
BATCH: Final = 500

# Below the horizon no transaction is under way. A row from beyond what this server has begun came with a restored backup.
_RESTORED: Final = "a.xid >= pg_snapshot_xmax(pg_current_snapshot())"
_WAITING: Final = f"""
select pg_snapshot_xmin(pg_current_snapshot())::text as horizon, array(
  select distinct a.organisation from audit a
  where a.xid >= $1::text::xid8 and (a.xid < pg_snapshot_xmin(pg_current_snapshot()) or {_RESTORED})
    and not exists (select from audit_leaf l where l.audit_id = a.id) order by 1) as organisations
"""  # noqa: S608 constants of our own
_ENTRY: Final = """
a.id, o.code as organisation, a.client, a.usr, a.at, a.action, a.operation, a.purpose, a.subjects, a.categories::text[] as categories, a.proof
"""
_BATCH: Final = f"""
select {_ENTRY} from audit a join organisation o on o.id = a.organisation
where a.organisation = $1 and a.xid >= $2::text::xid8 and (a.xid < $3::text::xid8 or {_RESTORED})
  and not exists (select from audit_leaf l where l.audit_id = a.id)
order by a.xid, a.id limit {BATCH}
"""  # noqa: S608 constants of our own
_HEAD: Final = "select seq, hash from audit_leaf where organisation = $1 order by seq desc limit 1"
_APPEND: Final = """
insert into audit_leaf (organisation, seq, audit_id, hash) select $1, * from unnest($2::bigint[], $3::uuid[], $4::bytea[])
"""
_LEAVES: Final = f"""
select l.seq, l.hash, {_ENTRY} from audit_leaf l
left join audit a on a.id = l.audit_id and a.organisation = l.organisation
left join organisation o on o.id = a.organisation
where l.organisation = $1 order by l.seq
"""  # noqa: S608 constants of our own
_LAG: Final = """
select count(*) as count, hub_now() - min(a.at) as age from audit a
where a.id > uuidv7(interval '-1 hour') and not exists (select from audit_leaf l where l.audit_id = a.id)
"""


class Sequencer:
    """Appends what was recorded since it last looked; the first look is at everything. Any number may run at once."""

    def __init__(self, pool: "Pool[Any]") -> None:
        self._pool: Any = pool
        self._since = "0"

    async def run(self) -> int:
        """Append every record that is safely there; return how many. Raises what the database raises."""
        waiting = await self._pool.fetchrow(_WAITING, self._since)
        count = 0
        for organisation in waiting["organisations"]:
            while (added := await self._append(organisation, waiting["horizon"])) == BATCH:
                count += added
            count += added
        # Only now: what failed on the way is looked for again.
        self._since = waiting["horizon"]
        return count

    async def _append(self, organisation: int, horizon: str) -> int:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1, $2)", LOCKS, organisation)
            rows = await connection.fetch(_BATCH, organisation, self._since, horizon)
            last = await connection.fetchrow(_HEAD, organisation)
            head = Head(last["seq"], last["hash"]) if last else Head()
            hashes = []
            previous = head.hash
            for row in rows:
                previous = leaf_hash(row, previous)
                hashes.append(previous)
            numbers = list(range(head.seq + 1, head.seq + 1 + len(rows)))
            await connection.execute(_APPEND, organisation, numbers, [row["id"] for row in rows], hashes)
        return len(rows)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of one organisation's log; `waiting` are records that no leaf covers yet."""

    organisation: str
    head: Head
    waiting: int
    fault: Fault | None


async def verify(connection: Any, organisation: str | None, known: Mapping[str, Head]) -> list[Verdict]:
    """Walk the log of one organisation or of each, as the role hub_worker; `known` are heads that were kept earlier.

    A chain shows what was changed, removed, put in or moved; that its end was cut off only a kept head shows.
    Raises LookupError for an unknown organisation.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        rows = await connection.fetch(
            "select id, code from organisation where $1::text is null or code = $1 order by code", organisation
        )
        if organisation is not None and not rows:
            raise LookupError(organisation)
        found = [await _verdict(connection, row["id"], row["code"], known.get(row["code"])) for row in rows]
    if organisation is None:
        gone = sorted(known.keys() - {verdict.organisation for verdict in found})
        found += [Verdict(code, Head(), 0, Fault(1, "it is missing: the organisation is gone")) for code in gone]
    return found


async def _verdict(connection: Any, number: int, code: str, known: Head | None) -> Verdict:
    walk = Walk(known)
    async for row in connection.cursor(_LEAVES, number, prefetch=BATCH):
        walk.step(row["seq"], row["hash"], row if row["id"] is not None else None)
    waiting = await connection.fetchval(
        "select count(*) from audit a where a.organisation = $1"
        " and not exists (select from audit_leaf l where l.audit_id = a.id)",
        number,
    )
    fault = walk.end()
    return Verdict(code, walk.head, waiting, fault)


async def lag(connection: Any) -> tuple[int, timedelta]:
    """Return how many records of the last hour no leaf covers yet, and the age of the oldest."""
    row = await connection.fetchrow(_LAG)
    return row["count"], row["age"] or timedelta(0)

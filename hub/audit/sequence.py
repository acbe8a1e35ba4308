"""This module puts audit records in an order for good: it lets each organisation's tree grow, and signs its heads.

Requests write records side by side and never wait for each other; the worker alone appends leaves. A record is looked at
only when no transaction older than it is under way, so one that commits late is still found.
"""

from dataclasses import astuple
from datetime import timedelta
from typing import Any, Final

import asyncpg

from hub.audit.entry import entry, events
from hub.audit.head import Head, HeadKeys, signed
from hub.audit.merkle import Frontier, leaf_hash, peaks

Pool = asyncpg.Pool
LOCKS: Final = 0x61756474
"""Advisory locks of this kind, one for each organisation: one writer a log."""
BATCH: Final = 500

# Below the horizon no transaction is under way. A row from beyond what this server has begun came with a restored backup, and
# so did a horizon from beyond it: then everything is looked at once more.
_RESTORED: Final = "a.xid >= pg_snapshot_xmax(pg_current_snapshot())"
_WAITING: Final = f"""
with since as materialized (select coalesce((select h.xid from audit_horizon h where h.xid < pg_snapshot_xmax(pg_current_snapshot())), '0') as xid)
select s.xid::text as since, pg_snapshot_xmin(pg_current_snapshot())::text as horizon, array(
  select distinct a.organisation from audit a
  where a.xid >= s.xid and (a.xid < pg_snapshot_xmin(pg_current_snapshot()) or {_RESTORED})
    and not exists (select from audit_leaf l where l.audit_id = a.id) order by 1) as organisations
from since s
"""  # noqa: S608 constants of our own
ENTRY: Final = """
a.id, o.code as organisation, a.client, a.usr, a.at, a.action, a.operation, a.purpose, a.outcome, a.subjects,
a.categories::text[] as categories, a.proof
"""
_BATCH: Final = f"""
select {ENTRY} from audit a join organisation o on o.id = a.organisation
where a.organisation = $1 and a.xid >= $2::text::xid8 and (a.xid < $3::text::xid8 or {_RESTORED})
  and not exists (select from audit_leaf l where l.audit_id = a.id)
order by a.xid, a.id limit {BATCH}
"""  # noqa: S608 constants of our own
_SIZE: Final = "select coalesce(max(leaf_index) + 1, 0) from audit_leaf where organisation = $1"
_PEAK: Final = "select nodes[$3 + 1] from audit_leaf where organisation = $1 and leaf_index = $2"
_APPEND: Final = """
insert into audit_leaf (organisation, leaf_index, audit_id, entry, nodes) values ($1, $2, $3, $4, $5)
"""
_TELL: Final = """
insert into audit_event (reader, organisation, leaf_index, ordinal, subject, basis, at, name, leaf, actor, action, outcome, purpose, categories)
select o.id, $1::int, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::text[]::category[] from organisation o where o.id = $1 or o.kind = 'ICORN'
"""
_SIGN: Final = """
insert into audit_head (organisation, size, root, at, signature) values ($1, $2, $3, $4, $5)
"""
_REACHED: Final = """
insert into audit_horizon (xid) values ($1::text::xid8) on conflict (one) do update set xid = excluded.xid
  where audit_horizon.xid < excluded.xid or audit_horizon.xid >= pg_snapshot_xmax(pg_current_snapshot())
"""
_LAG: Final = """
select count(*) as count, hub_now() - min(a.at) as age from audit a
where a.xid >= coalesce((select h.xid from audit_horizon h), '0') and not exists (select from audit_leaf l where l.audit_id = a.id)
"""


class Sequencer:
    """Appends what was recorded since any worker last looked. Any number may run at once."""

    def __init__(self, pool: "Pool[Any]", keys: HeadKeys) -> None:
        self._pool: Any = pool
        self._keys = keys

    async def run(self) -> int:
        """Append every record that is safely there; return how many. Raises what the database raises."""
        waiting = await self._pool.fetchrow(_WAITING)
        count = 0
        for organisation in waiting["organisations"]:
            while (added := await self._append(organisation, waiting["since"], waiting["horizon"])) == BATCH:
                count += added
            count += added
        # Only now: what failed on the way is looked for again.
        if count or waiting["since"] == "0":
            await self._pool.execute(_REACHED, waiting["horizon"])
        return count

    async def _append(self, organisation: int, since: str, horizon: str) -> int:
        key = await self._keys.signing()
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1, $2)", LOCKS, organisation)
            rows = await connection.fetch(_BATCH, organisation, since, horizon)
            if not rows:
                return 0
            tree = await frontier(connection, organisation)
            leaves, told = [], []
            for row in rows:
                index, text = tree.size, entry(row, tree.size)
                nodes = tree.append(leaf_hash(text.encode()))
                leaves.append((organisation, index, row["id"], text, nodes))
                told += [(organisation, index, *astuple(event)) for event in events(row, index, nodes[0])]
            await connection.executemany(_APPEND, leaves)
            await connection.executemany(_TELL, told)
            at = await connection.fetchval("select date_trunc('second', hub_now())")
            head = Head(rows[0]["organisation"], tree.size, tree.root(), at)
            await connection.execute(_SIGN, organisation, head.size, head.root, at, signed(head, key))
        return len(rows)


async def frontier(connection: Any, organisation: int) -> Frontier:
    """Read where an organisation's tree can grow."""
    size = await connection.fetchval(_SIZE, organisation)
    return Frontier(size, [await connection.fetchval(_PEAK, organisation, *place) for place in peaks(size)])


async def lag(connection: Any) -> tuple[int, timedelta]:
    """Return how many records wait for their leaf, and the age of the oldest."""
    row = await connection.fetchrow(_LAG)
    return row["count"], row["age"] or timedelta(0)

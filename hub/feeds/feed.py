"""This module reads the feeds themselves: what they are, where their replica stands, and which are due."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self, TypeAlias
from uuid import UUID, uuid5

import asyncpg
import msgspec

#: A connection of the role hub_worker, or one on loan from its pool.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

_NAMESPACE = UUID("2b0a6c1e-6c55-5d5e-9c0b-5f5a52b3f0aa")
_OVERDUE = 2

_READ = """
select id, code, organisation, kind::text, settings::text, mapping::text, every, overlap, full_every, rest, removal_share,
  paused, attempted_at, state::text, cursor::text, passes, watermark, rules, last_synced_at, last_full_at, last_problem,
  version, filled::text, drift, hub_now() as read_at
from feed
"""


class FeedState(StrEnum):
    """How far the replica can be relied on: up to date, behind, or not there at all."""

    FRESH = "FRESH"
    STALE = "STALE"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A row of `feed` as it was at `read_at` (the database's time)."""

    id: int
    code: str
    organisation: int
    kind: str
    settings: Any
    mapping: Any
    every: timedelta
    overlap: timedelta
    full_every: timedelta
    rest: timedelta
    removal_share: float
    paused: bool
    attempted_at: datetime | None
    state: FeedState
    cursor: dict[str, Any] | None
    passes: int
    watermark: datetime | None
    rules: bytes | None
    last_synced_at: datetime | None
    last_full_at: datetime | None
    last_problem: str | None
    version: int
    filled: dict[str, int] | None
    drift: list[str]
    read_at: datetime

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        """Make a feed of a row that _READ selects."""
        documents = {name: _json(row[name]) for name in ("settings", "mapping", "cursor", "filled")}
        return cls(**{**dict(row), **documents, "state": FeedState(row["state"])})

    @property
    def age(self) -> timedelta | None:
        """How old the replica is; None when there is none."""
        return None if self.last_synced_at is None else self.read_at - self.last_synced_at

    @property
    def rested(self) -> bool:
        """Whether it may be pulled for a query: the latest pull, whoever asked for it, began long enough ago."""
        return self.attempted_at is None or self.read_at - self.attempted_at >= self.rest

    @property
    def standing(self) -> FeedState:
        """The state, in view of the time since: a replica that missed its turn is behind, whatever was said of it."""
        if self.age is None:
            return FeedState.UNAVAILABLE
        return FeedState.STALE if self.age > self.every * _OVERDUE else self.state


def record_id(feed_code: str, source_id: str) -> UUID:
    """Derive a record's id from where it comes from, so that a replica made anew has the same ids."""
    return uuid5(_NAMESPACE, f"{feed_code}:{source_id}")


async def read_feed(connection: Connection, feed_id: int) -> Feed:
    """Read one feed; raise LookupError when it is gone."""
    row = await connection.fetchrow(_READ + "where id = $1", feed_id)
    if row is None:
        raise LookupError
    return Feed.of(row)


async def read_feeds(
    pool: "asyncpg.Pool[asyncpg.Record] | Connection", codes: Collection[str] | None = None
) -> list[Feed]:
    """Read the feeds of these codes, or all."""
    wanted = None if codes is None else list(codes)
    rows = await pool.fetch(_READ + "where $1::text[] is null or code = any($1) order by code", wanted)
    return [Feed.of(row) for row in rows]


async def due_feeds(pool: "asyncpg.Pool[asyncpg.Record]") -> list[Feed]:
    """Read the feeds whose turn it is, or that were rung for and have rested, those longest waiting first."""
    due = """
where not paused and (coalesce(attempted_at + every <= hub_now(), true)
  or rung_at > attempted_at and attempted_at + rest <= hub_now())
order by attempted_at nulls first, id"""
    return [Feed.of(row) for row in await pool.fetch(_READ + due)]


def _json(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)

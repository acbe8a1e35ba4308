"""This module writes one page of a feed into the replica: what changed is sealed anew, the rest only touched."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from connectors.record import CanonicalRecord, Reject
from hub.feeds.feed import Connection, Feed, record_id
from hub.feeds.seal import KEY_VERSION, Seal, SealedRecord, seal_documents

_HELD = """
select source_id, content_hash, updated_at, seen, present from feed_record where feed = $1 and source_id = any($2)
"""
# Nothing is being erased while a page is written, and what was erased before is known to the statement after this one.
_ALONE = "select pg_advisory_xact_lock_shared(hashtextextended('hub.feed_erased', 0))"
_ERASED = "select mark from feed_erased where mark = any($1)"
_TOUCH = """
update feed_record r set seen = $2, fetched_at = hub_now(), source_mark = same.mark
from unnest($3::text[], $4::bytea[]) as same (source_id, mark) where r.feed = $1 and r.source_id = same.source_id
"""
_STAND = "update feed_record set seen = $3 where feed = $1 and source_id = any($2)"
_WRITE = """
insert into feed_record as held (feed, seen, fetched_at, present,
  id, source_id, source_mark, source_url, content_hash, discipline, origin, risk_level, urgency, submitted_at, updated_at)
select $1, $2, hub_now(), true, fresh.* from unnest($3::uuid[], $4::text[], $5::bytea[], $6::text[], $7::bytea[],
  $8::text[]::discipline[], $9::text[], $10::text[]::risk_level[], $11::text[]::urgency[], $12::timestamptz[],
  $13::timestamptz[]) as fresh
on conflict (id) do update set
  seen = excluded.seen, fetched_at = excluded.fetched_at, present = true, source_url = excluded.source_url,
  source_mark = excluded.source_mark,
  content_hash = excluded.content_hash, discipline = excluded.discipline, origin = excluded.origin,
  risk_level = excluded.risk_level, urgency = excluded.urgency, submitted_at = excluded.submitted_at,
  updated_at = excluded.updated_at
"""
_DROP_KEYS = "delete from feed_record_key where record = any($1)"
_DROP_PERSONS = "delete from feed_record_person where record = any($1)"
_ADD_KEYS = (
    "insert into feed_record_key (record, kek, wrapped) select * from unnest($1::uuid[], $2::text[], $3::bytea[])"
)
_ADD_PERSONS = """
insert into feed_record_person (record, category, key_version, sealed)
select record, category::category, $1, sealed
from unnest($2::uuid[], $3::text[], $4::bytea[]) as fresh (record, category, sealed)
"""
_CLEAR = "delete from feed_quarantine where feed = $1 and source_id = any($2)"
_QUARANTINE = """
insert into feed_quarantine (feed, seen, since, source_id, reason)
select $1, $2, hub_now(), source_id, reason from unnest($3::text[], $4::text[]) as fresh (source_id, reason)
on conflict (feed, source_id) do update set reason = excluded.reason, seen = excluded.seen
"""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a page: records read, changed, rejected, and whether each of them could be told apart."""

    read: int
    changed: int
    rejected: int
    identified: bool


async def write_page(
    connection: Connection, feed: Feed, number: int, mapped: Iterable[CanonicalRecord | Reject], seal: Seal
) -> Written:
    """Bring mapped records into the replica, as seen by pass `number`; the caller holds transaction and lock."""
    records, rejects = _settle(mapped)
    read, identified = len(records) + len(rejects), None not in rejects
    await connection.execute(_ALONE)
    marks = await _not_erased(connection, feed, seal, [ident for ident in (*records, *rejects) if ident is not None])
    records = {ident: record for ident, record in records.items() if ident in marks}
    rejects = {ident: reason for ident, reason in rejects.items() if ident is None or ident in marks}
    rows = await connection.fetch(_HELD, feed.id, list(records))
    held = {row["source_id"]: row for row in rows}
    same = {ident for ident, record in records.items() if _unchanged(held.get(ident), record, seal)}
    skipped = {ident for ident, record in records.items() if _outrun(held.get(ident), record, number)}
    changed = [record for ident, record in records.items() if ident not in same and ident not in skipped]
    await connection.execute(_TOUCH, feed.id, number, list(same), [marks[ident] for ident in same])
    await _write_changed(connection, feed, number, changed, seal)
    await connection.execute(_CLEAR, feed.id, list(records))
    if rejects:
        # A record that cannot be mapped any more stands as it last could be, and is not taken for removed.
        await connection.execute(_STAND, feed.id, [ident for ident in rejects if ident], number)
        await connection.execute(_QUARANTINE, feed.id, number, list(rejects), list(rejects.values()))
    return Written(read, len(changed), len(rejects), identified=identified)


async def _not_erased(connection: Connection, feed: Feed, seal: Seal, sources: Sequence[str]) -> dict[str, bytes]:
    """Give the marks of those records that may be held: one of a person who was erased never comes back."""
    marks = {ident: seal.mark_source(feed.code, ident) for ident in sources}
    erased = {row["mark"] for row in await connection.fetch(_ERASED, list(marks.values()))}
    return {ident: mark for ident, mark in marks.items() if mark not in erased}


def _settle(
    mapped: Iterable[CanonicalRecord | Reject],
) -> tuple[dict[str, CanonicalRecord], dict[str | None, str]]:
    """Keep one of each source id: the newest, of equals the later."""
    records: dict[str, CanonicalRecord] = {}
    rejects: dict[str | None, str] = {}
    for each in mapped:
        if isinstance(each, Reject):
            rejects[each.source_id] = each.reason
        elif not _newer(records.get(each.source_id), each):
            records[each.source_id] = each
    return records, {ident: reason for ident, reason in rejects.items() if ident not in records}


def _newer(held: CanonicalRecord | None, other: CanonicalRecord) -> bool:
    mine, theirs = held.overview.updated_at if held else None, other.overview.updated_at
    return mine is not None and theirs is not None and mine > theirs


def _unchanged(row: asyncpg.Record | None, record: CanonicalRecord, seal: Seal) -> bool:
    return row is not None and row["present"] and row["content_hash"] == seal.mark(record.content_hash)


def _outrun(row: asyncpg.Record | None, record: CanonicalRecord, number: int) -> bool:
    """Say whether this very pass has brought a newer version already: an older duplicate must not undo it."""
    theirs = record.overview.updated_at
    if row is None or row["seen"] != number or row["updated_at"] is None or theirs is None:
        return False
    return bool(row["updated_at"] > theirs)


async def _write_changed(
    connection: Connection, feed: Feed, number: int, records: Sequence[CanonicalRecord], seal: Seal
) -> None:
    if not records:
        return
    ids = [record_id(feed.code, record.source_id) for record in records]
    sealed = {
        ident: seal_documents(seal.sealing, ident, record.documents())
        for ident, record in zip(ids, records, strict=True)
    }
    views = [record.overview for record in records]
    await connection.execute(
        _WRITE,
        feed.id,
        number,
        ids,
        [view.source_id for view in views],
        [seal.mark_source(feed.code, view.source_id) for view in views],
        [view.source_url for view in views],
        [seal.mark(record.content_hash) for record in records],
        [view.discipline for view in views],
        [view.origin for view in views],
        [view.risk_level for view in views],
        [view.urgency for view in views],
        [view.submitted_at for view in views],
        [view.updated_at for view in views],
    )
    await _write_sealed(connection, sealed)


async def _write_sealed(connection: Connection, sealed: dict[UUID, SealedRecord]) -> None:
    await forget(connection, list(sealed))
    keys = list(sealed.values())
    await connection.execute(_ADD_KEYS, list(sealed), [key.kek for key in keys], [key.wrapped for key in keys])
    persons = [(ident, *document) for ident, key in sealed.items() for document in key.documents.items()]
    await connection.execute(_ADD_PERSONS, KEY_VERSION, *([row[at] for row in persons] for at in range(3)))


async def forget(connection: Connection, records: Sequence[UUID]) -> None:
    """Destroy what is held of these records' persons, keys first."""
    await connection.execute(_DROP_KEYS, records)
    await connection.execute(_DROP_PERSONS, records)

"""A feed in the database, its source in memory, and what the replica says: for the tests of replication."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from auth.keyring import Keyring
from connectors.memory import MemoryConnector
from hub.feeds.feed import Connection, Feed, read_feed
from hub.feeds.seal import Seal
from hub.feeds.sync import SyncResult, sync
from hub.sealing import Sealing

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MAPPING = {
    "sourceId": "id",
    "updatedAt": "updated",
    "discipline": {"path": "art", "table": {"pen": "WRITER"}},
    "person": {"identity": {"givenName": "name"}, "health": {"needs": "needs"}},
}
KEYRING = Keyring.parse(
    msgspec.json.encode(
        {"keks": {"1": "A" * 43 + "="}, "current": "1", **dict.fromkeys(("index", "cursor", "nonce"), "A" * 43 + "=")}
    ).decode()
)
SEALING = Sealing(KEYRING)
SEAL = Seal(SEALING, b"mark" * 8)

ADD = """
insert into feed (code, organisation, kind, settings, mapping, every, overlap, full_every, removal_share, rest)
values ($1, $2, 'REST', '{}', '{}', $3, $4, $5, $6, '0') returning id
"""
HELD = """
select r.source_id, r.id, p.category::text, p.key_version, p.sealed, k.kek, k.wrapped
from feed_record r left join feed_record_key k on k.record = r.id left join feed_record_person p on p.record = r.id
where r.feed = $1 and r.present
"""


async def add_organisation(admin: Connection) -> int:
    """A sister organisation for feeds to belong to."""
    number = await admin.fetchval(
        "insert into hub.organisation (code, name, kind) values ('pen-centre', 'Northlight PEN Centre', 'SISTER')"
        " on conflict (code) do update set name = excluded.name returning id"
    )
    return int(number)


@dataclass
class Desk:
    """A feed, its source, and two looks at the replica: the worker's and the administrator's."""

    worker: Connection
    admin: Connection
    feed_id: int
    records: list[Any] = field(default_factory=list)
    before_page: Callable[[int], None] = lambda _: None
    mapping: dict[str, Any] = field(default_factory=lambda: MAPPING)
    page_size: int = 2
    newest_first: bool = False

    @classmethod
    async def of(
        cls,
        worker: Connection,
        admin: Connection,
        code: str = "pen-feed",
        *,
        overlap: timedelta = timedelta(minutes=15),
        full_every: timedelta = timedelta(days=1),
        removal_share: float = 0.25,
    ) -> "Desk":
        """Add a feed and answer with its desk."""
        organisation = await add_organisation(admin)
        every = timedelta(minutes=15)
        feed_id = await admin.fetchval(ADD, code, organisation, every, overlap, full_every, removal_share)
        return cls(worker, admin, feed_id)

    @property
    def connector(self) -> MemoryConnector:
        """The source as it is now."""
        return MemoryConnector(
            self.records,
            self.mapping,
            page_size=self.page_size,
            newest_first=self.newest_first,
            before_page=self.before_page,
        )

    async def feed(self) -> Feed:
        """The feed's row."""
        return await read_feed(self.worker, self.feed_id)

    async def sync(self, **options: Any) -> SyncResult:
        """One sync by the worker."""
        return await sync(self.worker, await self.feed(), self.connector, SEAL, **options)

    def put(self, ident: str, name: str, updated: datetime = NOW, **more: Any) -> None:
        """Write a record in the source."""
        self.remove(ident)
        self.records.append({"id": ident, "name": name, "updated": updated.isoformat(), **more})

    def remove(self, ident: str) -> None:
        """Delete a record in the source."""
        self.records[:] = [raw for raw in self.records if raw["id"] != ident]

    async def held(self) -> dict[str, dict[str, Any]]:
        """What the replica holds and shows, opened: source id -> category -> document."""
        found: dict[str, dict[str, Any]] = {}
        for row in await self.admin.fetch(HELD, self.feed_id):
            documents = found.setdefault(row["source_id"], {})
            if row["category"] is not None:
                key = SEALING.key(row["kek"], row["wrapped"])
                place = (f"feed_record:{row['id']}", row["category"], row["key_version"])
                documents[row["category"]] = msgspec.json.decode(SEALING.open(key, *place, row["sealed"]))
        return found

    async def names(self) -> dict[str, str]:
        """The replica, as names by source id."""
        return {ident: documents["IDENTITY"]["givenName"] for ident, documents in (await self.held()).items()}

    def truth(self) -> dict[str, str]:
        """The source, as names by id."""
        return {raw["id"]: raw["name"] for raw in self.records}

    async def quarantine(self) -> dict[str | None, str]:
        """What waits for a better mapping, and why."""
        rows = await self.admin.fetch("select source_id, reason from feed_quarantine where feed = $1", self.feed_id)
        return {row["source_id"]: row["reason"] for row in rows}


def fill(desk: Desk, count: int = 5) -> None:
    """Put records into the source, an hour apart, the newest just now."""
    for number in range(count):
        desk.put(f"r{number}", f"Name {number}", NOW - timedelta(hours=count - number))


class Trouble(Exception):  # noqa: N818 (it stands for anything)
    """Something no connector is expected to raise."""


def failing(page: int, error: Exception) -> Callable[[int], None]:
    """Raise `error` before a page of each pull."""

    def before_page(number: int) -> None:
        if number == page:
            raise error

    return before_page


@asynccontextmanager
async def running(task: Any) -> AsyncIterator["asyncio.Task[Any]"]:
    """Run a coroutine beside the block, and end it with it."""
    started = asyncio.ensure_future(task)
    try:
        yield started
    finally:
        started.cancel()
        await asyncio.gather(started, return_exceptions=True)

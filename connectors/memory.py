"""This module is the connector without a network: it obeys the same contract, from a list that the owner may change."""

from collections.abc import AsyncGenerator, Callable, Mapping, MutableSequence
from datetime import UTC, datetime

from connectors.mapping import compile_mapping
from connectors.paging import Walk
from connectors.protocol import Cursor, Page
from connectors.record import CanonicalRecord, Reject

Raw = Mapping[str, object]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MemoryConnector:
    """A feed of `records`, read anew for each page, in order of (updated, id) so that its cursor is sound.

    With `newest_first` the order is the other way round, as some systems have it: a record that changes before it is
    read moves out of the pull's way and is missed.

    `before_page` is called with the page's number (from 0 in each pull) and may change the records or raise what it
    likes. A raw record has its id in `id` and the time of its last change in `updated` (RFC 3339).
    """

    def __init__(
        self,
        records: MutableSequence[Raw],
        mapping: object,
        *,
        page_size: int = 2,
        incremental: bool = True,
        newest_first: bool = False,
        before_page: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.records = records
        self.page_size = page_size
        self.before_page = before_page
        self.incremental = incremental
        self.newest_first = newest_first
        self._mapping = compile_mapping(mapping)
        self.rules = self._mapping.rules

    def map(self, raw: object) -> CanonicalRecord | Reject:
        """Bring a record into the hub's words."""
        return self._mapping.map(raw)

    async def pull(self, cursor: Cursor) -> AsyncGenerator[Page, None]:
        """Yield pages of what is there at the time of each."""
        walk = Walk(cursor.after, 10_000)
        number = 0
        while True:
            self.before_page(number)
            rows = self._after(cursor)
            page, rest = rows[: self.page_size], rows[self.page_size :]
            if not rest:
                yield Page(tuple(raw for _, raw in page), cursor, complete=True)
                return
            cursor = Cursor(cursor.since, walk.on_to(page[-1][0]))
            yield Page(tuple(raw for _, raw in page), cursor, complete=False)
            number += 1

    def _after(self, cursor: Cursor) -> list[tuple[str, Raw]]:
        places = sorted(((_place(raw), raw) for raw in self.records), key=_first, reverse=self.newest_first)
        since = cursor.since if self.incremental else None
        return [
            (place, raw)
            for place, raw in places
            if (since is None or _moment(raw) >= since) and self._behind(place, cursor.after)
        ]

    def _behind(self, place: str, after: str | None) -> bool:
        return after is None or (place < after if self.newest_first else place > after)


def _first(pair: tuple[str, Raw]) -> str:
    return pair[0]


def _moment(raw: Raw) -> datetime:
    found = raw.get("updated")
    return datetime.fromisoformat(found) if isinstance(found, str) else _EPOCH


def _place(raw: Raw) -> str:
    return f"{_moment(raw).isoformat(timespec='microseconds')} {raw.get('id')}"

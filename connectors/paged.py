"""This module is the walk that all kinds share; a kind says how one page is asked for and what is in it."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec
from yarl import URL

from connectors.http import Upstream
from connectors.mapping import Mapping
from connectors.paging import Position, Turn, Walk
from connectors.problem import FeedProblem, ProblemCode
from connectors.protocol import Cursor, Page
from connectors.record import CanonicalRecord, Reject, fingerprint
from connectors.settings import HttpSettings
from connectors.surroundings import Surroundings, endpoint

S = TypeVar("S", bound=HttpSettings)
U = TypeVar("U")

#: What may be mended by beginning anew: pages that moved, and a position that the upstream takes no more.
_STALE_POSITION = (ProblemCode.PAGES_MOVED, ProblemCode.UNEXPECTED_STATUS)


class PagedConnector(ABC, Generic[S, U]):
    """One feed, read page by page within a session. Records read twice do no harm, records left out do: in doubt a walk begins anew."""

    incremental = False

    def __init__(self, settings: S, mapping: Mapping, surroundings: Surroundings) -> None:
        self.settings = settings
        self.mapping = mapping
        self.surroundings = surroundings
        self.url = URL(settings.url)
        self.rules = fingerprint(msgspec.to_builtins(settings), mapping.rules)

    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[U]:
        """Begin a session, reading secrets now."""

    @abstractmethod
    async def turn(self, session: U, since: datetime | None, position: Position) -> Turn:
        """Fetch the page at a position; raise FeedProblem."""

    def map(self, raw: object) -> CanonicalRecord | Reject:
        """Bring a record into the hub's words."""
        return self.mapping.map(raw)

    async def pull(self, cursor: Cursor) -> AsyncGenerator[Page, None]:
        """Yield pages to the one that is proven to be the last."""
        position = Position.of(cursor.after)
        walk = Walk(position.at, self.settings.max_pages)
        async with self.open() as session:
            while True:
                try:
                    turn = await self.turn(session, cursor.since, position)
                except FeedProblem as problem:
                    if problem.code not in _STALE_POSITION or position.at is None or not walk.over():
                        raise
                    position = Position()
                    continue
                read = position.read + len(turn.records)
                if not turn.more:
                    if turn.total is not None and read < turn.total:
                        raise FeedProblem(ProblemCode.UNPROVEN)
                    yield Page(turn.records, cursor, complete=True)
                    return
                at = walk.on_to(turn.at)
                position = Position(at, read, self.mark(turn.records[-1]) if turn.records else position.last)
                cursor = Cursor(cursor.since, position.text)
                yield Page(turn.records, cursor, complete=False)

    def mark(self, raw: object) -> str:
        """Tell a record apart from its neighbours, whatever else of it changes."""
        mapped = self.map(raw)
        return fingerprint(mapped.source_id if mapped.source_id is not None else raw).hex()[:32]

    def stay(self, before: list[Any], position: Position) -> None:
        """Make sure that the record read last still stands before this page; raise FeedProblem(PAGES_MOVED).

        Pages that are counted move when a record before them comes, goes or changes its place: what slipped over the
        edge from the next page to the last one would never be read.
        """
        if position.last is not None and [self.mark(raw) for raw in before[:1]] != [position.last]:
            raise FeedProblem(ProblemCode.PAGES_MOVED)


class HttpConnector(PagedConnector[S, Upstream]):
    """One feed over HTTP."""

    def open(self) -> Upstream:
        """Begin a session with the feed's origin."""
        return Upstream(endpoint(self.settings, self.surroundings))

"""A house of three feeds whose sources wait behind gates, for the tests of refreshing."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg

from connectors.memory import MemoryConnector
from connectors.problem import ConfigurationError, Flaw
from connectors.protocol import Connector, Cursor, Page
from hub.feeds.breaker import Breaker
from hub.feeds.feed import Feed
from hub.feeds.refresh import Refresher
from tests.hub.feeds.desk import MAPPING, NOW, SEAL

AGES_AGO = timedelta(0)
SOON = timedelta(milliseconds=50)
LATE = timedelta(seconds=30)


class Gated(MemoryConnector):
    """A source that counts its pulls, and holds them back while its gate is closed."""

    def __init__(self) -> None:
        super().__init__([{"id": "r1", "name": "Ada", "updated": NOW.isoformat()}], MAPPING)
        self.gate = asyncio.Event()
        self.gate.set()
        self.began = asyncio.Event()
        self.pulls = 0
        self.error: Exception | None = None

    async def pull(self, cursor: Cursor) -> AsyncGenerator[Page, None]:
        """Wait for the gate, then fail or yield."""
        self.pulls += 1
        self.began.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        async for page in super().pull(cursor):
            yield page


@dataclass
class House:
    """Three feeds with gated sources, and a refresher over them."""

    pool: "asyncpg.Pool[asyncpg.Record]"
    admin: Any
    sources: dict[str, Gated]
    seconds: list[float] = field(default_factory=lambda: [0.0])
    misconfigured: set[str] = field(default_factory=set)
    refresher: Refresher = field(init=False)

    def __post_init__(self) -> None:
        breaker = Breaker(failures=2, cool_down=timedelta(minutes=1), clock=lambda: self.seconds[0])
        self.refresher = Refresher(self.pool, self.connector_of, SEAL, breaker=breaker)

    def connector_of(self, feed: Feed) -> Connector:
        """The source of a feed, or the flaw in its settings."""
        if feed.code in self.misconfigured:
            raise ConfigurationError((Flaw(("url",), "is required"),))
        return self.sources[feed.code]

    async def refresh(self, *codes: str, age: timedelta | None = AGES_AGO, deadline: timedelta = LATE) -> Any:
        """Ask for feeds, all of them by default."""
        return await self.refresher.refresh(codes or None, age, deadline)

"""A live refresh: what an answer says of a feed is what the refresh it asked for has found."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.mapping import compile_mapping
from connectors.protocol import Connector, Cursor, Page
from hub.feeds.feed import Feed
from tests.conftest import Database
from tests.world import NOON, build

LIVE = (
    'query ($wait: Duration) { feedRecords(maxAge: "PT0S", deadline: $wait) { state fetchedAt records { sourceId } } }'
)
NOW = datetime.fromtimestamp(NOON, UTC)
RECORDS = ({"id": "one", "updated": "2026-05-30T10:00:00Z"},)


class Slow:
    """A feed of one record whose answer takes a minute of the hub's time, or for ever."""

    def __init__(self, database: Database, *, ends: bool = True) -> None:
        self._database, self._ends = database, ends
        self._mapping = compile_mapping({"sourceId": "id", "updatedAt": "updated"})
        self.incremental, self.rules, self.map = False, self._mapping.rules, self._mapping.map

    async def pull(self, cursor: Cursor) -> AsyncGenerator[Page, None]:
        """Yield the one page, a minute later."""
        if not self._ends:
            await asyncio.Event().wait()
        await self._database.set_now(NOW + timedelta(minutes=1))
        yield Page(RECORDS, cursor, complete=True)


async def ask(database: Database, feed: Connector, **variables: Any) -> Any:
    """Ask for what the one feed there is says just now."""

    def connector_of(_: Feed) -> Connector:
        return feed

    async with build(database, connector_of=connector_of) as world:
        await world.organisation("icorn", "ICORN")
        await world.organisation("pen-centre")
        await world.client("desk", "icorn")
        await world.insert("feed", code="pen", organisation=world.organisations["pen-centre"], kind="REST", settings={}, mapping={})  # fmt: skip
        (result,) = (await world.data("desk", LIVE, variables))["feedRecords"]
        return result


async def test_a_feed_pulled_for_the_question_is_fresh_though_the_pull_took_a_while(database: Database) -> None:
    """`maxAge: "PT0S"` can be met: the pull began after the question, and what it brought is in the answer."""
    result = await ask(database, Slow(database))

    assert (result["state"], [r["sourceId"] for r in result["records"]]) == ("FRESH", ["one"])
    assert datetime.fromisoformat(result["fetchedAt"]) == NOW


async def test_an_answer_that_may_not_wait_says_what_it_has_not_got(database: Database) -> None:
    """`deadline: "PT0S"` waits for nothing, and a feed never read is UNAVAILABLE."""
    result = await ask(database, Slow(database, ends=False), wait="PT0S")

    assert result == {"state": "UNAVAILABLE", "fetchedAt": None, "records": []}

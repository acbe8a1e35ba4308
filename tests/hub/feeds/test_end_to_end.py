"""From the invented organisations' servers, over HTTP, into the replica: each kind with the settings the demo uses."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from connectors.fakes import graphql, people, rest
from connectors.fakes.faults import Faults
from connectors.fakes.serve import serve
from connectors.kinds import connect
from connectors.surroundings import Surroundings
from hub.embedded import ADMIN
from hub.feeds.feed import FeedState
from hub.feeds.refresh import Refresher
from tests.conftest import Database
from tests.hub.feeds.desk import NOW, SEAL, Desk, add_organisation

TOKEN = "invented-token"
ADD = "insert into feed (code, organisation, kind, settings, mapping) values ($1, $2, $3, $4, $5) returning id"


@dataclass
class World:
    """Both organisations' servers, their feeds, and a refresher over them."""

    admin: Any
    refresher: Refresher
    feeds: dict[str, int]
    faults: dict[str, Faults]

    async def names(self, code: str) -> set[str]:
        """The family names that the replica of a feed holds."""
        desk = Desk(self.admin, self.admin, self.feeds[code])
        return {documents["IDENTITY"]["familyName"] for documents in (await desk.held()).values()}


@pytest.fixture
async def world(database: Database, pool: "asyncpg.Pool[asyncpg.Record]") -> AsyncIterator[World]:
    """The demo's feeds."""
    admin = await database.connect(ADMIN)
    organisation = await add_organisation(admin)
    faults = {"pen-centre": Faults(), "arts-haven": Faults()}
    async with AsyncExitStack() as servers:
        pen = await servers.enter_async_context(serve(graphql.app(people.GRAPHQL_RECORDS, TOKEN, faults["pen-centre"])))
        arts = await servers.enter_async_context(serve(rest.app(people.REST_RECORDS, TOKEN, faults["arts-haven"])))
        surroundings = Surroundings(lambda _: TOKEN, frozenset({pen, arts}))
        rows = (
            ("pen-centre", "GRAPHQL", people.GRAPHQL_SETTINGS, f"http://{pen}/graphql", people.GRAPHQL_MAPPING),
            ("arts-haven", "REST", people.REST_SETTINGS, f"http://{arts}/api/applications", people.REST_MAPPING),
        )
        feeds = {}
        for code, kind, settings, url, mapping in rows:
            documents = [msgspec.json.encode(each).decode() for each in ({**settings, "url": url}, mapping)]
            feeds[code] = await admin.fetchval(ADD, code, organisation, kind, *documents)
        refresher = Refresher(pool, lambda feed: connect(feed.kind, feed.settings, feed.mapping, surroundings), SEAL)
        yield World(admin, refresher, feeds, faults)
        await refresher.close()


async def test_both_kinds_are_replicated_over_http(world: World) -> None:
    """Every record of both organisations is there, sealed, and one person is in both."""
    found = await world.refresher.refresh(None, timedelta(0), timedelta(seconds=30))

    pen, arts = await world.names("pen-centre"), await world.names("arts-haven")
    assert {freshness.state for freshness in found.values()} == {FeedState.FRESH}
    assert (len(pen), len(arts)) == (len(people.GRAPHQL_RECORDS), len(people.REST_RECORDS))
    assert "Vellani" in pen & arts


async def test_one_organisation_in_trouble_is_stale_beside_the_other(world: World, database: Database) -> None:
    """With what is known of it still there."""
    await world.refresher.refresh(None, timedelta(0), timedelta(seconds=30))
    await database.set_now(NOW + timedelta(minutes=20))
    world.faults["arts-haven"].unauthorized_empty = True

    found = await world.refresher.refresh(None, timedelta(minutes=5), timedelta(seconds=30))

    assert {code: freshness.state for code, freshness in found.items()} == {
        "arts-haven": FeedState.STALE,
        "pen-centre": FeedState.FRESH,
    }
    assert found["arts-haven"].fetched_at == NOW
    assert len(await world.names("arts-haven")) == len(people.REST_RECORDS)

"""How a sister's system rings, and what comes of it."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import asyncpg
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from connectors.problem import FeedProblem, ProblemCode
from connectors.surroundings import Surroundings
from hub.feeds.doorbell import HEADER, ring
from hub.feeds.feed import due_feeds
from tests.conftest import Database
from tests.hub.feeds.desk import NOW, Desk

SECRET = "invented-ring"


def secrets(name: str) -> str:
    """One secret."""
    if name == "kobo-doorbell":
        return SECRET
    raise FeedProblem(ProblemCode.SECRET_MISSING)


@pytest.fixture
def door(pool: "asyncpg.Pool[asyncpg.Record]") -> Any:
    """The door of a hub."""
    app = Starlette(routes=[Route("/feeds/{code}/doorbell", ring, methods=["POST"])])
    app.state.pools, app.state.around = SimpleNamespace(worker=pool), Surroundings(secrets)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="https://hub.example")


async def test_a_feed_that_is_rung_for_is_due_as_soon_as_it_has_rested(
    database: Database, desk: Desk, door: Any, pool: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    """Once for any number of rings; what is sent along is left unread, and never becomes a record."""
    await desk.admin.execute("""update feed set rest = '30 seconds', settings = '{"doorbell": "kobo-doorbell"}'""")
    desk.put("r1", "Name")
    await desk.sync()
    at_rest = [feed.code for feed in await due_feeds(pool)]
    await database.set_now(NOW + timedelta(seconds=10))
    rung = [
        (await door.post("/feeds/pen-feed/doorbell", json={"_id": 7}, headers={HEADER: SECRET})).status_code
        for _ in range(2)
    ]
    too_soon = [feed.code for feed in await due_feeds(pool)]
    await database.set_now(NOW + timedelta(seconds=31))
    due = [feed.code for feed in await due_feeds(pool)]
    await desk.sync()

    assert (at_rest, rung, too_soon, due) == ([], [202, 202], [], ["pen-feed"])
    assert await due_feeds(pool) == []
    assert await desk.names() == {"r1": "Name"}


async def test_whoever_does_not_know_the_secret_finds_no_door(desk: Desk, door: Any) -> None:
    """A feed without a bell, one with another secret, none at all: the same answer, byte for byte."""
    answers = []
    for settings in ("{}", '{"doorbell": "kobo-doorbell"}', '{"doorbell": "absent"}', '{"doorbell": 7}'):
        await desk.admin.execute("update feed set settings = $1::text::jsonb", settings)
        answers += [
            await door.post(f"/feeds/{code}/doorbell", headers=headers)
            for code in ("pen-feed", "no-feed")
            for headers in (
                {},
                {HEADER: ""},
                {HEADER: "wrong"},
                *([{HEADER: SECRET}] if "kobo" not in settings else []),
            )
        ]

    assert {(answer.status_code, answer.content, tuple(answer.headers.items())) for answer in answers} == {
        (404, b"", (("cache-control", "no-store"), ("content-length", "0")))
    }
    assert await desk.admin.fetchval("select count(*) from feed where rung_at is not null") == 0

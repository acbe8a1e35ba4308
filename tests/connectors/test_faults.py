"""What connectors make of systems in trouble: never a success, never a loop, never a word of what was said."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from connectors.problem import FeedProblem, ProblemCode
from connectors.protocol import Cursor
from tests.connectors.sources import HTTP_KINDS, Source, source

START = datetime(2026, 3, 1, tzinfo=UTC)
MANY_BYTES = 3 * 1024 * 1024
http_kinds = pytest.mark.parametrize("kind", HTTP_KINDS)

TROUBLE = {
    "truncate": (True, ProblemCode.NOT_JSON),
    "cut_off": (True, ProblemCode.TRUNCATED),
    "reset": (True, ProblemCode.TRUNCATED),
    "not_json": (True, ProblemCode.NOT_JSON),
    "unauthorized_empty": (True, ProblemCode.AUTH_REFUSED),
    "repeat_cursor": (True, ProblemCode.REPEATED_CURSOR),
    "no_cursor": (True, ProblemCode.NO_CURSOR),
    "huge": (MANY_BYTES, ProblemCode.TOO_LARGE),
    "bomb": (MANY_BYTES, ProblemCode.TOO_LARGE),
    "too_many": (3600, ProblemCode.RATE_LIMITED),
    "unavailable": (3600, ProblemCode.UPSTREAM_FAILED),
}


def fill(feed: Source) -> None:
    """Put five records, three pages of them."""
    for number in range(5):
        feed.put(f"{number + 1}", START + timedelta(hours=number))


async def problem_of(feed: Source) -> FeedProblem:
    """Pull until it fails."""
    with pytest.raises(FeedProblem) as caught:
        await feed.pages()
    return caught.value


@http_kinds
@pytest.mark.parametrize("switch", TROUBLE)
async def test_trouble_on_a_later_page_ends_the_pull_with_its_code(kind: str, switch: str) -> None:
    """The pages before the trouble count, and the pull is not taken for complete."""
    value, code = TROUBLE[switch]
    async with source(kind, maxMegabytes=1) as feed:
        fill(feed)
        feed.faults.after = 1
        setattr(feed.faults, switch, value)
        pulled = feed.connector.pull(Cursor())
        pages = [await anext(pulled)]

        with pytest.raises(FeedProblem) as caught:
            pages += [page async for page in pulled]

        assert caught.value.code is code
        assert not any(page.complete for page in pages)


@http_kinds
@pytest.mark.parametrize("switch", ["not_json", "unavailable", "unauthorized_empty", "truncate"])
async def test_nothing_an_upstream_says_is_kept(kind: str, switch: str, caplog: pytest.LogCaptureFixture) -> None:
    """The problem holds a code alone: no text, no cause and no context that a traceback could print."""
    caplog.set_level(logging.DEBUG)
    async with source(kind) as feed:
        fill(feed)
        setattr(feed.faults, switch, TROUBLE[switch][0])

        problem = await problem_of(feed)

        assert (problem.__cause__, problem.__context__) == (None, None)
        assert str(problem) == problem.code
        assert "SECRET" not in caplog.text


@http_kinds
async def test_a_system_that_hangs_is_given_up_after_its_time(kind: str) -> None:
    """No answer within the time bound is a timeout."""
    async with source(kind, timeoutSeconds=1) as feed:
        fill(feed)
        feed.faults.hang = asyncio.Event()

        problem = await problem_of(feed)
        feed.faults.hang.set()

        assert problem.code is ProblemCode.TIMEOUT


@http_kinds
async def test_a_short_retry_after_is_waited_for(kind: str) -> None:
    """A system that asks for a moment gets it, and the pull goes on."""
    async with source(kind) as feed:
        fill(feed)
        feed.faults.after, feed.faults.times, feed.faults.too_many = 1, 2, 0

        assert len(await feed.idents()) == 5
        assert feed.faults.requests == 5


@http_kinds
async def test_a_long_retry_after_is_passed_on(kind: str) -> None:
    """Whoever plans the next pull learns how long the system wants to be left alone."""
    async with source(kind) as feed:
        feed.faults.too_many = 900

        assert (await problem_of(feed)).retry_after == 900


@http_kinds
async def test_an_answer_without_its_root_is_not_an_empty_feed(kind: str) -> None:
    """A null where the records should be proves nothing."""
    async with source(kind) as feed:
        fill(feed)
        feed.faults.null_root = True

        assert (await problem_of(feed)).code in (ProblemCode.NULL_ROOT, ProblemCode.BAD_SHAPE)


async def test_graphql_data_beside_errors_is_not_taken() -> None:
    """Half an answer would overwrite what is known with nothing."""
    async with source("graphql") as feed:
        fill(feed)
        feed.faults.errors_with_data = True

        assert (await problem_of(feed)).code is ProblemCode.PARTIAL_ANSWER


async def test_graphql_stops_at_the_stop_signal_and_not_at_a_cursor() -> None:
    """The last page has an end cursor, too, and is the last all the same."""
    async with source("graphql") as feed:
        feed.put("1", START)

        assert len(await feed.pages()) == 1
        assert feed.faults.requests == 1


@http_kinds
async def test_a_pull_is_bounded_in_pages(kind: str) -> None:
    """A feed without end is given up."""
    async with source(kind, maxPages=2) as feed:
        fill(feed)

        assert (await problem_of(feed)).code is ProblemCode.TOO_MANY_PAGES


async def test_a_system_that_is_not_there_is_unreachable() -> None:
    """A refused connection is a code like any other."""
    async with source("graphql") as feed:
        pass

    assert (await problem_of(feed)).code is ProblemCode.UNREACHABLE


@http_kinds
async def test_a_late_commit_is_seen_by_the_next_pull_with_an_overlap(kind: str) -> None:
    """A record that becomes visible with an older time is behind the cursor of the first pull, and before nobody's."""
    async with source(kind) as feed:
        fill(feed)
        feed.faults.late = {"2"}
        first = await feed.idents()
        feed.faults.late = set()

        assert "2" not in first
        assert "2" in await feed.idents(Cursor(since=START))

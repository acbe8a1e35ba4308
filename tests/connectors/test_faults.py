"""What connectors make of systems in trouble: never a success, never a loop, never a word of what was said."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from connectors.problem import FeedProblem, ProblemCode
from connectors.protocol import Cursor, Page
from connectors.record import Reject
from tests.connectors.sources import ALL_KINDS, HTTP_KINDS, PAGED_KINDS, Source, source

START = datetime(2026, 3, 1, tzinfo=UTC)
EVERYONE = ["1", "2", "3", "4", "5"]
MANY_BYTES = 3 * 1024 * 1024
LARGE = {"maxMegabytes": 1}

#: Switch, what it is set to, and the code it leads to; where that depends on how a kind goes on, by kind.
TROUBLE = {
    "truncate": (True, ProblemCode.NOT_JSON),
    "cut_off": (True, ProblemCode.TRUNCATED),
    "reset": (True, ProblemCode.TRUNCATED),
    "not_json": (True, ProblemCode.NOT_JSON),
    "unauthorized_empty": (True, ProblemCode.AUTH_REFUSED),
    "expired": (True, ProblemCode.UNEXPECTED_STATUS),
    "null_root": (True, None),
    "repeat_cursor": (True, ProblemCode.REPEATED_CURSOR),
    "no_cursor": (True, ProblemCode.NO_CURSOR),
    "huge": (MANY_BYTES, ProblemCode.TOO_LARGE),
    "bomb": (MANY_BYTES, ProblemCode.TOO_LARGE),
    "too_many": (3600, ProblemCode.RATE_LIMITED),
    "unavailable": (3600, ProblemCode.UPSTREAM_FAILED),
}
COUNTED = ("rest-page", "rest-offset", "primero")
OTHER_CODES = {
    **{("repeat_cursor", kind): ProblemCode.PAGES_MOVED for kind in COUNTED},
    # Where a link that is not there is the end, the count tells that it came too early.
    **{("no_cursor", kind): ProblemCode.UNPROVEN for kind in ("rest-header", "fhir", "odk")},
    ("repeat_cursor", "rest-header"): ProblemCode.REPEATED_CURSOR,
}
#: They hold no position that could be missing: page numbers and offsets are counted here.
NEVER = {("no_cursor", "rest-page"), ("no_cursor", "rest-offset"), ("no_cursor", "primero")}
CASES = [(kind, switch) for kind in PAGED_KINDS for switch in TROUBLE if (switch, kind) not in NEVER]


def fill(feed: Source) -> None:
    """Put five records, three pages of them."""
    for number, ident in enumerate(EVERYONE):
        feed.put(ident, START + timedelta(hours=number))


async def until_trouble(feed: Source) -> tuple[list[Page], FeedProblem | None]:
    """Pull as far as it goes."""
    pages = []
    try:
        async for page in feed.connector.pull(Cursor()):
            pages.append(page)  # noqa: PERF401 what was had before the trouble counts
    except FeedProblem as problem:
        return pages, problem
    return pages, None


async def problem_of(feed: Source) -> FeedProblem:
    """Pull until it fails."""
    _, problem = await until_trouble(feed)
    assert problem is not None
    return problem


@pytest.mark.parametrize(("kind", "switch"), CASES)
async def test_trouble_on_a_later_page_ends_the_pull_with_its_code_and_no_word_more(
    kind: str, switch: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The pages before count, none is taken for complete, and neither problem nor log keeps what the system said."""
    caplog.set_level(logging.DEBUG)
    value, code = TROUBLE[switch]
    async with source(kind, **LARGE) as feed:
        fill(feed)
        feed.faults.after = 1
        setattr(feed.faults, switch, value)

        pages, problem = await until_trouble(feed)

    assert problem is not None
    expected = OTHER_CODES.get((switch, kind), code)
    assert problem.code is expected or (
        expected is None and problem.code in (ProblemCode.NULL_ROOT, ProblemCode.BAD_SHAPE)
    )
    assert len(pages) >= 1
    assert not any(page.complete for page in pages)
    assert (problem.__cause__, problem.__context__, str(problem)) == (None, None, problem.code)
    assert "SECRET" not in caplog.text
    assert problem.retry_after == (3600 if switch in ("too_many", "unavailable") else None)


@pytest.mark.parametrize("kind", ["csv", "csv-sftp"])
@pytest.mark.parametrize("switch", ["truncate", "cut_off", "unauthorized_empty", "huge", "null_root"])
async def test_a_file_in_trouble_is_not_taken_for_a_table(kind: str, switch: str) -> None:
    """Half a file, another page in its place, or too much of it: no row of it is read."""
    async with source(kind, **LARGE) as feed:
        fill(feed)
        feed.put("5", START, "A name, half of which is missing where the file was cut in the middle of its line" * 9)
        setattr(feed.faults, switch, MANY_BYTES if switch == "huge" else True)

        pages, problem = await until_trouble(feed)

    assert pages == []
    assert problem is not None
    assert (
        problem.code
        in {
            "truncate": (ProblemCode.TRUNCATED, ProblemCode.NOT_A_TABLE),
            "cut_off": (ProblemCode.TRUNCATED,),
            "unauthorized_empty": (ProblemCode.AUTH_REFUSED,),
            "huge": (ProblemCode.TOO_LARGE,),
            "null_root": (ProblemCode.NOT_A_TABLE,),
        }[switch]
    )


@pytest.mark.parametrize("kind", [*HTTP_KINDS, "csv-sftp"])
async def test_a_system_that_hangs_is_given_up_after_its_time(kind: str) -> None:
    """No answer within the time bound is a timeout."""
    async with source(kind, timeoutSeconds=1) as feed:
        fill(feed)
        feed.faults.hang = asyncio.Event()

        problem = await problem_of(feed)
        feed.faults.hang.set()

    assert problem.code is ProblemCode.TIMEOUT


@pytest.mark.parametrize("kind", PAGED_KINDS)
async def test_a_short_pause_that_is_asked_for_is_made(kind: str) -> None:
    """A system that asks for a moment gets it, and the pull goes on."""
    async with source(kind) as feed:
        fill(feed)
        feed.faults.after, feed.faults.times, feed.faults.too_many = 1, 2, 0

        assert sorted(await feed.idents()) == EVERYONE


@pytest.mark.parametrize("kind", PAGED_KINDS)
async def test_a_position_that_has_expired_once_has_the_walk_begin_anew(kind: str) -> None:
    """Records are read twice rather than not at all."""
    async with source(kind) as feed:
        fill(feed)
        feed.faults.after, feed.faults.times, feed.faults.expired = 1, 1, True

        assert sorted(set(await feed.idents())) == EVERYONE


@pytest.mark.parametrize("kind", PAGED_KINDS)
async def test_pages_shorter_than_asked_for_lose_nobody(kind: str) -> None:
    """A system that caps its pages without a word ends in everybody, or in trouble: never in a few taken for all."""
    async with source(kind) as feed:
        fill(feed)
        feed.faults.short = True

        pages, problem = await until_trouble(feed)

        seen = {feed.ident(raw) for page in pages for raw in page.records}
        assert sorted(seen) == EVERYONE if problem is None else problem.code is ProblemCode.PAGES_MOVED
        assert (problem is None) is any(page.complete for page in pages)
        assert (problem is None) is (kind not in ("rest-page", "primero"))


@pytest.mark.parametrize("kind", ALL_KINDS)
async def test_records_that_move_meanwhile_are_not_lost(kind: str) -> None:
    """Whatever is deleted, edited and added between any two pages, who was there all the time is seen."""
    async with source(kind) as feed:
        for number in range(1, 9):
            feed.put(str(number), START + timedelta(hours=number))
        seen = []
        async for page in feed.connector.pull(Cursor()):
            seen += [feed.ident(raw) for raw in page.records]
            if len(seen) == 4:
                feed.remove("1")
                feed.remove("8")
                feed.put("3", START + timedelta(days=1))
                feed.put("9", START + timedelta(days=2))

        assert {"2", "3", "4", "5", "6", "7"} <= set(seen)


@pytest.mark.parametrize("kind", HTTP_KINDS)
async def test_what_is_wrong_with_records_is_left_to_replication_and_hides_nobody(kind: str) -> None:
    """Each given twice, by a clock that is a day ahead: all are there, and marked as the system has it."""
    async with source(kind) as feed:
        fill(feed)
        feed.faults.doubled, feed.faults.skew = True, timedelta(days=1)

        assert sorted(set(await feed.idents())) == EVERYONE


@pytest.mark.parametrize("kind", HTTP_KINDS)
async def test_late_and_deleted_records_are_seen_as_they_are(kind: str) -> None:
    """A record that becomes visible with an older time is found by the next pull with an overlap; one gone is gone."""
    async with source(kind) as feed:
        fill(feed)
        feed.faults.late = {"2"}
        first = await feed.idents()
        feed.faults.late, feed.faults.deleted = set(), {"3"}

        assert sorted(first) == ["1", "3", "4", "5"]
        assert sorted(await feed.idents(Cursor(since=START))) == ["1", "2", "4", "5"]


#: For each fake, the field that a new form calls by another name: the one that holds the record's id.
DRIFT = {
    "graphql": None,
    "kobo": "meta/rootUuid",
    "civicrm": "id",
    "fhir": "id",
    "primero": "id",
    "odk": "__id",
    "csv": "#meta+id",
    "hub": None,
}


@pytest.mark.parametrize(("kind", "field"), [(kind, name) for kind, name in DRIFT.items() if name])
async def test_a_form_that_lost_what_tells_records_apart_yields_rejects_or_trouble(kind: str, field: str) -> None:
    """A field by another name never makes a record of somebody else, or an empty feed."""
    async with source(kind) as feed:
        fill(feed)
        if field == "meta/rootUuid":
            for raw in feed.records:
                raw.pop("_uuid")
        feed.faults.drift = (field, "renamed")

        pages, problem = await until_trouble(feed)

        mapped = [feed.connector.map(raw) for page in pages for raw in page.records]
        assert problem is not None or (mapped and all(isinstance(each, Reject) for each in mapped))


@pytest.mark.parametrize("kind", ["graphql", "fhir", "hub", "civicrm"])
async def test_an_answer_that_says_it_fell_short_is_not_taken(kind: str) -> None:
    """Half an answer would overwrite what is known with nothing."""
    async with source(kind) as feed:
        fill(feed)
        feed.faults.errors_with_data = True

        assert (await problem_of(feed)).code in (ProblemCode.PARTIAL_ANSWER, ProblemCode.UPSTREAM_FAILED)


async def test_graphql_stops_at_the_stop_signal_and_not_at_a_cursor() -> None:
    """The last page has an end cursor, too, and is the last all the same."""
    async with source("graphql") as feed:
        feed.put("1", START)

        assert len(await feed.pages()) == 1
        assert feed.faults.requests == 1


@pytest.mark.parametrize("kind", [*HTTP_KINDS, "csv-sftp"])
async def test_a_pull_is_bounded_in_pages(kind: str) -> None:
    """A feed without end is given up."""
    async with source(kind, maxPages=2) as feed:
        fill(feed)

        assert (await problem_of(feed)).code is ProblemCode.TOO_MANY_PAGES


@pytest.mark.parametrize("kind", ["graphql", "csv-sftp", "hub"])
async def test_a_system_that_is_not_there_is_unreachable(kind: str) -> None:
    """A refused connection is a code like any other."""
    async with source(kind) as feed:
        pass

    assert (await problem_of(feed)).code is ProblemCode.UNREACHABLE

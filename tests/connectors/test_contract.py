"""What every connector promises, whatever its kind; the in-memory one included."""

from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from connectors.protocol import Cursor
from connectors.record import CanonicalRecord, Reject
from tests.connectors.sources import ALL_KINDS, source

START = datetime(2026, 3, 1, tzinfo=UTC)
kinds = pytest.mark.parametrize("kind", ALL_KINDS)


@kinds
async def test_a_pull_yields_every_record_once_and_ends_with_the_only_complete_page(kind: str) -> None:
    """Nothing is lost or doubled, and `complete` is said once, at the end."""
    async with source(kind) as feed:
        for number in range(5):
            feed.put(f"{number + 1}", START + timedelta(hours=number))

        pages = await feed.pages()

        assert sorted(await feed.idents()) == [f"{number + 1}" for number in range(5)]
        assert [page.complete for page in pages] == [False, False, True]


@kinds
async def test_an_empty_feed_is_one_complete_page_without_records(kind: str) -> None:
    """Empty is an answer, and a proven one."""
    async with source(kind) as feed:
        (page,) = await feed.pages()

        assert page.records == ()
        assert page.complete


@kinds
async def test_a_pull_goes_on_from_the_cursor_of_any_page(kind: str) -> None:
    """A page's cursor, written down and read again, yields exactly what follows that page."""
    async with source(kind) as feed:
        for number in range(7):
            feed.put(f"{number + 1}", START + timedelta(hours=number))
        whole = await feed.idents()

        for number, page in enumerate(await feed.pages()):
            saved = Cursor.from_json(page.cursor.to_json())
            if not page.complete:
                assert await feed.idents(saved) == whole[2 * (number + 1) :]


@kinds
async def test_records_changed_at_the_same_moment_are_not_lost_between_pages(kind: str) -> None:
    """A page may end in the middle of a tie."""
    async with source(kind) as feed:
        for number in range(5):
            feed.put(f"{number + 1}", START)

        assert sorted(await feed.idents()) == [f"{number + 1}" for number in range(5)]


@kinds
async def test_since_asks_for_what_changed_at_or_after_it(kind: str) -> None:
    """The moment itself is included: what shares it with the watermark would be lost. Who cannot be asked gives all."""
    async with source(kind) as feed:
        for number in range(5):
            feed.put(f"{number + 1}", START + timedelta(hours=number))

        found = sorted(await feed.idents(Cursor(since=START + timedelta(hours=3))))
        assert found == (["4", "5"] if feed.connector.incremental else ["1", "2", "3", "4", "5"])


@kinds
async def test_a_pull_may_be_left_at_any_page(kind: str) -> None:
    """Closing the generator lets go of everything: a warning about what is left open would fail this test."""
    async with source(kind) as feed:
        for number in range(5):
            feed.put(f"{number + 1}", START + timedelta(hours=number))

        async with aclosing(feed.connector.pull(Cursor())) as pages:
            first = await anext(pages)

        assert len(first.records) == 2


@kinds
async def test_a_record_that_changes_during_a_pull_is_seen_in_one_of_its_versions(kind: str) -> None:
    """Moving to the end of the order while pages are read does not make a record disappear."""
    async with source(kind) as feed:
        for number in range(4):
            feed.put(f"{number + 1}", START + timedelta(hours=number))
        seen = []
        async with aclosing(feed.connector.pull(Cursor())) as pages:
            async for page in pages:
                seen += [feed.ident(raw) for raw in page.records]
                if not page.complete and len(seen) == 2:
                    feed.put("1", START + timedelta(days=1))
                    feed.put("4", START + timedelta(days=2))

        assert {"1", "2", "3", "4"} == set(seen)


@kinds
async def test_mapping_knows_the_source_id_and_tells_versions_apart(kind: str) -> None:
    """The content hash is equal for equal records and different for changed ones; an edit leaves the id."""
    async with source(kind) as feed:
        mapped = []
        for name, hour in (("Ada", 0), ("Ada", 0), ("Eda", 0), ("Eda", 1)):
            feed.put("7", START + timedelta(hours=hour), name)
            ((raw,),) = [page.records for page in await feed.pages()]
            mapped.append(feed.connector.map(raw))

        records = [record for record in mapped if isinstance(record, CanonicalRecord)]
        hashes = [record.content_hash for record in records]
        assert len({record.source_id for record in records}) == 1
        assert hashes[0] == hashes[1] != hashes[2] != hashes[3]
        assert {record.documents()["IDENTITY"].count(b"Ada") for record in records} == {0, 1}


@kinds
@pytest.mark.parametrize("raw", [None, "text", 7, [], {}, {"id": None}, {"id": {"deep": 1}}, {"id": "\ud800"}])
async def test_whatever_cannot_be_mapped_is_a_reject_and_no_exception(kind: str, raw: object) -> None:
    """A record that makes no sense must not stop the feed."""
    async with source(kind) as feed:
        assert isinstance(feed.connector.map(raw), Reject)

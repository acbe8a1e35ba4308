"""A cursor is opaque, the same for the same place, and good for its asker and its list alone."""

from hypothesis import given
from hypothesis import strategies as st

from hub.engine.cursors import Cursors

KEY = bytes(range(64))
MINE = Cursors(KEY, ("1", "pen", ""))
VALUES = {"filter": {"status": ["INVITED"]}, "orderBy": None, "first": 10}
KEYS = ("opened_on", "pairwise")
PLACES = st.lists(st.text(st.characters(exclude_characters="|", exclude_categories=["Cs"])), min_size=1)


@given(PLACES)
def test_a_cursor_leads_back_to_its_place(places: list[str]) -> None:
    """However the place is spelled; sealing it again gives the same cursor, and another page size changes nothing."""
    cursor = MINE.seal("Query.cases", VALUES, KEYS, places)

    assert MINE.open("Query.cases", {**VALUES, "first": 3, "after": cursor}, KEYS, cursor) == places
    assert MINE.seal("Query.cases", VALUES, KEYS, places) == cursor


@given(PLACES)
def test_a_cursor_is_nobody_elses_and_of_no_other_list(places: list[str]) -> None:
    """Another organisation, client, user, field, filter, order or key opens nothing."""
    cursor = MINE.seal("Query.cases", VALUES, KEYS, places)

    for asker in (("2", "pen", ""), ("1", "arts", ""), ("1", "pen", "ola")):
        assert Cursors(KEY, asker).open("Query.cases", VALUES, KEYS, cursor) is None
    assert Cursors(bytes(64), ("1", "pen", "")).open("Query.cases", VALUES, KEYS, cursor) is None
    assert MINE.open("Case.referrals", VALUES, KEYS, cursor) is None
    assert MINE.open("Query.cases", {**VALUES, "filter": None}, KEYS, cursor) is None
    assert MINE.open("Query.cases", VALUES, ("updated_at", "pairwise"), cursor) is None


@given(st.text())
def test_what_is_made_up_is_no_cursor(text: str) -> None:
    """Any text at all: refused, never a fault."""
    assert MINE.open("Query.cases", VALUES, KEYS, text) is None

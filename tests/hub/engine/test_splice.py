"""What only the hub can fill in is put in its place, and nothing that a person wrote is taken for such a place."""

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hub.engine.plan import Projection
from hub.engine.splice import project, splice

FORGED = st.sampled_from(['{"$sealed" : "0|x"}', '{"$cursor" : "0"}', '"}', '{"$', '\\{"$cursor" : "0"}'])
NAMES = st.from_regex(r"[_A-Za-z][_0-9A-Za-z]*", fullmatch=True)
TEXTS = st.lists(st.text() | FORGED).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=8
)


@given(JSON)
def test_no_text_is_taken_for_a_mark(document: Any) -> None:
    """Written as Postgres writes JSON, whatever a text holds stays as it is."""
    body = json.dumps(document, ensure_ascii=False, separators=(", ", " : ")).encode("utf-8", "surrogatepass")

    assert splice(body, {}) == body


@given(st.lists(TEXTS))
def test_every_mark_is_filled_once(texts: list[str]) -> None:
    """What fills a mark is not looked through for marks again."""
    body = b"[" + b",".join(b'{"$cursor" : "%d"}' % at for at in range(len(texts))) + b"]"

    filled = splice(body, {b"cursor": lambda mark: msgspec.json.encode(_well_formed(texts[int(mark)]))})

    assert json.loads(filled) == [_well_formed(text) for text in texts]


def _well_formed(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def test_a_document_shows_what_was_selected_under_the_names_it_was_asked_by() -> None:
    """In the order of the selection; a list that is not there is empty, a text that is not there is null."""
    works = Projection((("t", "title", None, None), ("__typename", "", None, "Work")))
    kept = Projection((("b", "biography", None, None), ("works", "works", works, []), ("l", "languages", None, [])))

    assert project({"works": [{"title": "The Salt Road", "year": 2019}], "website": "x"}, kept) == {
        "b": None, "works": [{"t": "The Salt Road", "__typename": "Work"}], "l": [],
    }  # fmt: skip

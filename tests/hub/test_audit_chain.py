"""The chain itself: whatever is done to a log, the first leaf that is not as written is the one that is named."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.audit_chain import FIELDS, START, Fault, Head, Walk, canonical, leaf_hash

Leaf = tuple[int, bytes, dict[str, Any] | None]
ENTRY = {
    "id": uuid.UUID(int=1),
    "organisation": "pen-centre",
    "client": "pen",
    "usr": None,
    "at": datetime(2026, 6, 1, 12, 0, 0, 5, UTC),
    "action": "query cases",
    "operation": b"\x01\x02",
    "purpose": "REFERRAL",
    "subjects": [uuid.UUID(int=2)],
    "categories": ["OVERVIEW", "IDENTITY"],
    "proof": b"\xff",
}


def written(count: int) -> list[Leaf]:
    """A log of so many entries, as it is written."""
    leaves: list[Leaf] = []
    previous = START
    for number in range(1, count + 1):
        entry = {**ENTRY, "id": uuid.UUID(int=number), "action": f"query {number}"}
        previous = leaf_hash(entry, previous)
        leaves.append((number, previous, entry))
    return leaves


def walked(leaves: list[Leaf], known: Head | None = None) -> Fault | None:
    """What a walk over the leaves finds."""
    walk = Walk(known)
    for leaf in leaves:
        walk.step(*leaf)
    return walk.end()


def test_an_entry_has_one_form_in_bytes() -> None:
    """Sorted names, UTC to the microsecond, bytes in hex: the same on every machine, for ever."""
    assert canonical(ENTRY) == (
        b'{"action":"query cases","at":"2026-06-01T12:00:00.000005+00:00","categories":["OVERVIEW","IDENTITY"],'
        b'"client":"pen","id":"00000000-0000-0000-0000-000000000001","operation":"0102","organisation":"pen-centre",'
        b'"proof":"ff","purpose":"REFERRAL","subjects":["00000000-0000-0000-0000-000000000002"],"usr":null}'
    )


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_of_an_entry_is_covered(name: str) -> None:
    """Whichever is changed, the hash is another."""
    assert leaf_hash({**ENTRY, name: "other"}, START) != leaf_hash(ENTRY, START)


def test_a_log_as_written_is_whole() -> None:
    """With the heads of any earlier time, or none."""
    leaves = written(5)

    assert walked(leaves) is None
    assert all(walked(leaves, Head(seq, stored)) is None for seq, stored, _ in leaves)


@given(count=st.integers(2, 8), data=st.data())
def test_the_first_bad_leaf_is_named_whatever_was_done(count: int, data: st.DataObject) -> None:
    """A flipped byte, a lost record, a removed leaf and two that changed places are found where they begin."""
    leaves = written(count)
    at = data.draw(st.integers(0, count - 1))
    seq, stored, entry = leaves[at]
    match data.draw(st.sampled_from(["entry", "hash", "record", "leaf", "places", "renumbered"])):
        case "entry":
            leaves[at] = (seq, stored, {**(entry or {}), "purpose": "AUDIT"})
        case "hash":
            leaves[at] = (seq, bytes([stored[0] ^ 1, *stored[1:]]), entry)
        case "record":
            leaves[at] = (seq, stored, None)
        case "leaf":
            at = min(at, count - 2)  # the last one is the next test's
            del leaves[at]
        case "places":
            at = min(at, count - 2)
            leaves[at : at + 2] = [(at + 1, *leaves[at + 1][1:]), (at + 2, *leaves[at][1:])]
        case "renumbered":
            at = min(at, count - 2)
            leaves[at:] = [(number - 1, kept, record) for number, kept, record in leaves[at + 1 :]]

    found = walked(leaves)

    assert found is not None
    assert found.seq == at + 1


@given(count=st.integers(1, 8), data=st.data())
def test_a_log_that_was_cut_off_is_found_by_a_head_that_was_kept(count: int, data: st.DataObject) -> None:
    """Alone it is whole; beside the head it is not, and the first missing leaf is named."""
    leaves = written(count)
    left = data.draw(st.integers(0, count - 1))

    assert walked(leaves[:left]) is None
    found = walked(leaves[:left], Head(*leaves[-1][:2]))
    assert found is not None
    assert found.seq == left + 1


def test_a_log_that_was_written_anew_is_found_by_a_head_that_was_kept() -> None:
    """Its chain is sound, and it is another."""
    leaves = written(3)
    previous = START
    anew: list[Leaf] = []
    for number, _, entry in leaves:
        another = {**(entry or {}), "client": "other"}
        previous = leaf_hash(another, previous)
        anew.append((number, previous, another))

    assert walked(anew) is None
    assert walked(anew, Head(*leaves[1][:2])) == Fault(
        2, "it is not the one whose head was kept: the log was written anew"
    )

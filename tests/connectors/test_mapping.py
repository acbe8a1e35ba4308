"""How an administrator's rules are checked, and what they make of records."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.fakes.people import (
    GRAPHQL_MAPPING,
    GRAPHQL_RECORDS,
    REST_MAPPING,
    REST_RECORDS,
    SAME_PERSON,
)
from connectors.mapping import compile_mapping
from connectors.problem import ConfigurationError
from connectors.record import CanonicalRecord, Discipline, Reject

MAPPING: dict[str, Any] = {
    "sourceId": "id",
    "discipline": {"path": "art", "table": {"pen": "WRITER", "1": "MUSICIAN", "true": "PERFORMER"}, "default": "OTHER"},
    "riskLevel": {"path": "risk", "table": {"red": "HIGH", "unknown": None}},
    "submittedAt": {"path": "sent", "date": "%d/%m/%Y %H:%M"},
    "person": {
        "profile": {"languages": {"path": "tongues", "split": ","}},
        "identity": {
            "givenName": {"path": "name", "split": " ", "take": "first"},
            "familyName": {"path": "name", "split": " ", "take": "rest"},
            "bornOn": "born",
        },
        "contact": {"instructions": "how", "mayContactDirectly": {"value": False}},
        "threat": {"sources": {"path": "by", "table": {"army": "MILITARY"}, "default": "UNKNOWN"}},
        "family": {
            "members": {"each": "kin", "fields": {"relation": "who", "relocating": {"path": "comes", "default": False}}}
        },
    },
}


def mapped(raw: dict[str, Any]) -> CanonicalRecord:
    """Map a record that is expected to fit."""
    record = compile_mapping(MAPPING).map({"id": "1", **raw})
    assert isinstance(record, CanonicalRecord)
    return record


def document(record: CanonicalRecord, category: str) -> Any:
    """A category's document as read back from JSON."""
    return msgspec.json.decode(record.documents()[category])


def rejected(raw: dict[str, Any]) -> str:
    """Map a record that is expected not to fit, and say why it did not."""
    reject = compile_mapping(MAPPING).map({"id": "1", **raw})
    assert isinstance(reject, Reject)
    return reject.reason


def flaws(mapping: object) -> list[str]:
    """What is wrong with a mapping, place by place."""
    with pytest.raises(ConfigurationError) as caught:
        compile_mapping(mapping)
    return sorted(".".join(flaw.path) for flaw in caught.value.flaws)


def test_all_flaws_are_told_at_once() -> None:
    """Whoever writes a mapping mends it in one go."""
    assert flaws(
        {
            "discipline": {"path": "art", "table": {"pen": "WRITR"}},
            "updatedAt": {"path": "at[", "date": "soon"},
            "colour": "colour",
            "origin": {"value": "Norway"},
            "urgency": {"path": "a", "value": "URGENT"},
            "person": {
                "profile": {"works": "books", "height": "height"},
                "identity": {"bornOn": "nonsense(x)", "givenName": {"path": "n", "take": "first"}},
                "whereabouts": {"city": "town"},
                "assessment": {},
            },
        }
    ) == [
        "colour",
        "discipline.table.pen",
        "origin.value",
        "person.assessment",
        "person.identity.bornOn.path",
        "person.identity.givenName.split",
        "person.profile.height",
        "person.profile.works",
        "person.whereabouts.inHiding",
        "sourceId",
        "updatedAt.date",
        "updatedAt.path",
        "urgency",
    ]


@pytest.mark.parametrize("mapping", [None, [], "id", {"sourceId": "id", "person": []}, {"sourceId": 3}])
def test_a_mapping_of_another_shape_is_told_so(mapping: object) -> None:
    """Nothing that is not a mapping gets through, and none of it raises anything but its flaws."""
    assert flaws(mapping)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["sourceId", "person", "profile", "works", "each", "fields", "path", "value", "table", "date", "split",
                     "title", "discipline", "default", "take"]), inner), max_leaves=12))  # fmt: skip
def test_no_document_makes_checking_fail(document: object) -> None:
    """Whatever is given for a mapping, it is a mapping or has flaws."""
    with suppress(ConfigurationError):
        compile_mapping(document)


def test_a_table_translates_texts_numbers_and_truth() -> None:
    """JSON knows more than text, and a table's keys are text."""
    assert mapped({"art": "pen"}).overview.discipline is Discipline.WRITER
    assert mapped({"art": 1}).overview.discipline is Discipline.MUSICIAN
    assert mapped({"art": True}).overview.discipline is Discipline.PERFORMER


def test_a_default_stands_for_none_and_for_what_the_table_lacks() -> None:
    """And where there is no default, nothing stays nothing and the unknown is a reject."""
    assert mapped({}).overview.discipline is Discipline.OTHER
    assert mapped({"art": "juggling"}).overview.discipline is Discipline.OTHER
    assert mapped({"risk": "unknown"}).overview.risk_level is None
    assert rejected({"risk": "purple"}) == "UNMAPPED_VALUE riskLevel"


def test_dates_are_read_in_their_own_format_and_kept_in_utc() -> None:
    """A time without a zone is taken as UTC."""
    assert mapped({"sent": "03/02/2026 14:05"}).overview.submitted_at == datetime(2026, 2, 3, 14, 5, tzinfo=UTC)
    assert document(mapped({"born": "1986-11-23T23:30:00-02:00"}), "IDENTITY")["bornOn"] == "1986-11-24"


@pytest.mark.parametrize("value", ["1986", "31/31/1986", 7, True, ["1986-11-23"], "0001-01-01T00:00:00+14:00"])
def test_a_date_that_is_none_is_a_reject(value: object) -> None:
    """A guess would be worse."""
    assert rejected({"born": value}) == "INVALID_VALUE person.identity.bornOn"


def test_a_text_is_split_as_declared() -> None:
    """Into a list, or into first and rest."""
    record = mapped({"name": "Nang Mya Sein", "tongues": "my, en,,"})

    assert document(record, "IDENTITY")["givenName"] == "Nang"
    assert document(record, "IDENTITY")["familyName"] == "Mya Sein"
    assert document(record, "PROFILE")["languages"] == ["my", "en"]


def test_a_document_has_all_its_fields() -> None:
    """Null or empty where nothing is known, in the contract's names."""
    assert document(mapped({"name": "Ada"}), "IDENTITY") == {
        "givenName": "Ada",
        "familyName": None,
        "pseudonyms": [],
        "bornOn": None,
        "gender": None,
        "nationalities": [],
    }


def test_a_category_is_there_only_if_the_record_says_something_of_it() -> None:
    """Constants and defaults alone would claim knowledge that nobody has."""
    assert set(mapped({}).person) == set()
    assert set(mapped({"how": "by letter", "kin": []}).person) == {"CONTACT"}


def test_lists_of_objects_are_mapped_item_by_item() -> None:
    """An item that says nothing is left out; one that says too little is a reject."""
    family = document(mapped({"kin": [{"who": "son"}, {}, None]}), "FAMILY")

    assert family["members"] == [{"relation": "son", "name": None, "bornOn": None, "relocating": False}]
    assert rejected({"kin": [{"comes": True}]}) == "MISSING_VALUE person.family.members.fields.relation"
    assert rejected({"kin": "son"}) == "NOT_A_LIST person.family.members"


def test_an_unmappable_threat_source_is_what_the_default_says() -> None:
    """In lists, too, item by item."""
    assert document(mapped({"by": ["army", "aunt"]}), "THREAT")["sources"] == ["MILITARY", "UNKNOWN"]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["id", "art", "risk", "sent", "tongues", "name", "born", "how", "by", "kin"]), values
    )
)
def test_whatever_a_record_holds_mapping_answers(raw: dict[str, Any]) -> None:
    """A canonical record whose documents can be sealed and stored, or a reject."""
    record = compile_mapping(MAPPING).map(raw)

    if isinstance(record, CanonicalRecord):
        assert all(b"\\u0000" not in document for document in record.documents().values())
        assert 1 <= len(record.source_id.encode()) <= 2000


@given(st.text(min_size=3, alphabet=st.characters(min_codepoint=0x3B1, max_codepoint=0x3C9)))
def test_a_reason_never_quotes_the_record(content: str) -> None:
    """It goes to operators, who have no business with the person."""
    assert content not in rejected({"risk": content})
    assert content not in rejected({"born": content})


def test_a_hash_does_not_depend_on_the_order_of_keys_but_on_the_rules() -> None:
    """Another mapping makes another record of the same content."""
    rules, others = compile_mapping(MAPPING), compile_mapping({**MAPPING, "riskLevel": {"value": "HIGH"}})
    one, same = rules.map({"id": "1", "how": "x"}), rules.map({"how": "x", "id": "1"})
    other = others.map({"id": "1", "how": "x"})

    assert isinstance(one, CanonicalRecord)
    assert isinstance(same, CanonicalRecord)
    assert isinstance(other, CanonicalRecord)
    assert one.content_hash == same.content_hash != other.content_hash


@pytest.mark.parametrize(
    ("mapping", "records"), [(GRAPHQL_MAPPING, GRAPHQL_RECORDS), (REST_MAPPING, REST_RECORDS)], ids=["graphql", "rest"]
)
def test_the_invented_organisations_records_all_fit(mapping: object, records: list[Any]) -> None:
    """What the demonstration shows is whole."""
    rules = compile_mapping(mapping)

    assert [raw["id"] for raw in records if not isinstance(rules.map(raw), CanonicalRecord)] == []
    assert 8 <= len(records) <= 12


def test_someone_is_known_to_both_invented_organisations() -> None:
    """So that there is something to link."""
    known = {("pen-centre", str(raw["id"])) for raw in GRAPHQL_RECORDS}
    known |= {("arts-haven", str(raw["id"])) for raw in REST_RECORDS}

    assert all(set(records) <= known for records in SAME_PERSON.values())

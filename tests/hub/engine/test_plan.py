"""An operation becomes a plan and SQL text without a database: what is in the text, and when two requests share it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.limits import DEFAULTS
from auth.scopes import NAMES
from hub.engine.bind import Binding
from hub.engine.compiled import Compiled, Plans
from hub.engine.cursors import Cursors
from hub.engine.documents import Documents, variable_values
from schema.query import SCHEMA

CORE = SCHEMA._schema  # noqa: SLF001 graphql-core's schema is kept there
DOCUMENTS, PLANS = Documents(CORE), Plans(CORE)
KEY = bytes(range(64))


def compiled(query: str, variables: dict[str, Any] | None = None, scopes: frozenset[str] = NAMES) -> Compiled:
    """Compile an operation for a set of scopes."""
    document = DOCUMENTS.get(query)
    node = document.operation(None)
    return PLANS.get(document, node, variable_values(CORE, node, variables or {}), scopes)


def sql(query: str, scopes: frozenset[str] = NAMES) -> str:
    """Give all the SQL of an operation."""
    made = compiled(query, scopes=scopes)
    return "\n".join(s.sql for s in (*made.own, *([made.feeds] if made.feeds else [])))


@pytest.mark.parametrize(
    ("scope", "field", "table"),
    [
        ("cases:identity", "identity { familyName }", "case_identity"),
        ("cases:health", "health { needs }", "case_health"),
        ("residencies:read", "residencies { status }", "from residency"),
        ("consents:read", "consents { id }", "from consent"),
        ("referrals:read", "referrals { totalCount }", "from referral_access"),
        ("feeds:read", "feedRecords { records { id } }", "feed_record"),
    ],
)
def test_what_a_scope_denies_is_nowhere_in_the_text(scope: str, field: str, table: str) -> None:
    """With the scope the table is read; without it the statement does not know that there is one, and one error says so."""
    query = f"{{ cases {{ edges {{ node {{ id {field} }} }} }} }}"

    assert table in sql(query)
    assert table not in sql(query, NAMES - {scope})
    assert [e["path"] for e in compiled(query, scopes=NAMES - {scope}).plan.errors] == [
        ["cases", "edges", "@", "node", field.split(maxsplit=1)[0]]
    ]


def test_a_filter_beyond_the_scopes_matches_nothing() -> None:
    """Asking by a name one may not read makes the list empty without looking at a name."""
    query = '{ cases(filter: {familyName: "Farahani"}) { totalCount } }'

    assert "case_name_digest" in sql(query)
    assert "case_name_digest" not in sql(query, NAMES - {"cases:identity"})
    assert " and false" in sql(query, NAMES - {"cases:identity"})


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\'), min_size=1).map("x7{}".format))
def test_no_value_of_a_client_is_in_the_text(value: str) -> None:
    """Literals and variables become parameters, whatever is in them."""
    literal = f'{{ a: city(code: "{value}") {{ id }} b: cities(filter: {{name: "{value}"}}) {{ totalCount }} c: node(id: "city_{value}") {{ id }} }}'

    assert value not in sql(literal)


@pytest.mark.parametrize(
    ("query", "own", "feeds"),
    [
        ("{ __typename }", 1, False),
        ("{ a: viewer { clientId } b: cases { edges { node { referrals { edges { node { case { consents { id } } } } } } } } }", 1, False),
        ("{ feeds { code } cases { edges { node { feedRecords { state } } } } feedRecords { state } }", 1, True),
        ("mutation ($h: HoldCaseInput!) { a: holdCase(input: $h) { case { id } } b: holdCase(input: $h) { problems { code } } }", 2, False),
    ],
)  # fmt: skip
def test_an_operation_is_one_statement_and_one_for_all_feeds(query: str, own: int, feeds: bool) -> None:  # noqa: FBT001 a row of a table
    """However deep, however many roots; a mutation has one for each of its commands, as they run one after the other."""
    hold = {
        "h": {"idempotencyKey": "k", "case": "case_x", "organisation": "organisation_x", "held": True, "reason": "r"}
    }

    made = compiled(query, hold if "$h" in query else {})

    assert (len(made.own), made.feeds is not None) == (own, feeds)


SHAPED = 'query ($f: CaseFilter, $o: [CaseOrder!], $n: Int, $y: Boolean = true, $i: ID = "city_x") { cases(filter: $f, orderBy: $o, first: $n) { totalCount @include(if: $y) } node(id: $i) { id } }'


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ({"n": 1}, {"n": 2}, True),
        ({"f": {"status": ["INVITED"]}}, {"f": {"status": ["CLOSED", "ALUMNUS"]}}, True),
        ({"i": "city_bergen"}, {"i": "city_nowhere"}, True),
        ({}, {"n": None}, False),
        ({"f": {"status": []}}, {"f": {"status": None}}, False),
        ({"f": {"status": []}}, {"f": {"origin": []}}, False),
        ({"y": True}, {"y": False}, False),
        ({"i": "city_bergen"}, {"i": "case_bergen"}, False),
        ({"o": [{"field": "OPENED_ON", "direction": "ASC"}]}, {"o": [{"field": "OPENED_ON", "direction": "DESC"}]}, False),
    ],
)  # fmt: skip
def test_requests_share_a_plan_when_their_variables_have_one_shape(
    one: dict[str, Any],
    other: dict[str, Any],
    shared: bool,  # noqa: FBT001 a row of a table
) -> None:
    """Values do not make a new plan; presence, null, booleans, sort keys and the type an id names do."""
    assert (compiled(SHAPED, one) is compiled(SHAPED, other)) is shared


def test_another_set_of_scopes_is_another_plan() -> None:
    """What a scope opens to one client is never in the plan of a client without it."""
    assert compiled(SHAPED) is compiled(SHAPED)
    assert compiled(SHAPED) is not compiled(SHAPED, scopes=NAMES - {"cases:write"})


def test_all_that_is_wrong_with_pages_is_said_at_once() -> None:
    """Sizes, pairs that do not go together, made-up cursors, too many ids: each with its argument and path."""
    ids = ", ".join(['"city_x"'] * 101)
    query = f"""{{ a: cases(first: 501, last: 1, after: "x") {{ totalCount }} b: cities(first: -1, before: "y") {{ totalCount }}
      nodes(ids: [{ids}]) {{ id }} feedRecords(after: [{{feed: "haven", after: "z"}}]) {{ state }}
      cases(orderBy: [{{field: OPENED_ON, direction: ASC}}, {{field: OPENED_ON, direction: DESC}}]) {{ totalCount }} }}"""
    document = DOCUMENTS.get(query)
    node = document.operation(None)
    binding = Binding(CORE, variable_values(CORE, node, {}), Cursors(KEY, ("1", "client", "")), b"index")

    found = binding.judge(compiled(query).plan, DEFAULTS)

    said = [(e["path"][0], e["extensions"].get("limit") or e["message"].split('"')[1]) for e in found]
    assert sorted(said) == [
        ("a", "after"), ("a", "last"), ("a", "pageSize"), ("b", "before"), ("b", "first"),
        ("cases", "orderBy"), ("feedRecords", "after"), ("nodes", "ids"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "categories"),
    [
        ("{ cities { totalCount } viewer { clientId } feeds { code } }", set()),
        ("{ cases { totalCount } }", {"OVERVIEW"}),
        ("{ referrals { edges { node { id } } } }", {"OVERVIEW"}),
        ('{ node(id: "message_x") { id } }', {"OVERVIEW"}),
        ('{ node(id: "consent_x") { id } }', {"OVERVIEW"}),
        ("{ cities { edges { node { residencies { totalCount } } } } }", {"WHEREABOUTS"}),
        ("{ cases { edges { node { identity { familyName } } } } }", {"OVERVIEW", "IDENTITY"}),
        ("{ feedRecords { records { person { health { needs } } } } }", {"OVERVIEW", "HEALTH"}),
    ],
)
def test_the_record_will_say_which_categories_are_read(query: str, categories: set[str]) -> None:
    """Lists, counts and children included; what tells nothing of a person is not recorded."""
    assert compiled(query).plan.categories == categories


@pytest.mark.parametrize(
    ("query", "durable"),
    [
        ("{ cases { edges { node { reference status } } } }", False),
        ("{ cities { edges { node { code } } } viewer { scopes } }", False),
        ("{ cases { edges { node { profile { biography } } } } }", True),
        ("{ cases { edges { node { residencies { status } } } } }", True),
        ("{ referrals { edges { node { reason } } } }", True),
        ("{ feedRecords { records { person { identity { familyName } } } } }", True),
        (
            'mutation { withdrawConsent(input: {idempotencyKey: "k", consent: "consent_x"}) { problems { code } } }',
            True,
        ),
    ],
)
def test_what_must_survive_a_power_cut_waits_for_the_disk(query: str, *, durable: bool) -> None:
    """Every change, and every record of having read something sealed; design, Audit. The rest need not wait."""
    assert compiled(query).plan.durable is durable

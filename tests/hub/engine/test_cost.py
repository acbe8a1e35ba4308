"""The cost of an operation: what the schema's directives say, of the document and variables, and of nothing else."""

from typing import Any

import pytest
from graphql import GraphQLSchema, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from auth.limits import CEILINGS, DEFAULTS, Limits, spoken
from hub.engine.compiled import Plans
from hub.engine.documents import Documents, variable_values
from hub.engine.limits import count_tokens
from hub.engine.selection import arguments
from schema.query import SCHEMA

CORE: GraphQLSchema = SCHEMA._schema  # noqa: SLF001 graphql-core's schema is kept there
DOCUMENTS, PLANS = Documents(CORE), Plans(CORE)
NESTED = "query ($a: Int, $b: Int) { cases(first: $a) { edges { node { id referrals(first: $b) { edges { node { from { name } } } } } } } }"


def cost(query: str, variables: dict[str, Any] | None = None, scopes: frozenset[str] = frozenset()) -> int:
    """Give the cost of an operation."""
    document = DOCUMENTS.get(query, CEILINGS)
    node = document.operation(None)
    values = variable_values(CORE, node, variables or {})
    return PLANS.get(document, node, values, scopes).plan.price.of(lambda p, f: arguments(p, f, values))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ __typename }", 100),
        ("{ viewer { clientId } }", 101),
        ("{ cases(first: 0) { edges { node { id } } } }", 101),
        ("{ cases(first: 7) { edges { node { id } } } }", 101 + 7 * 2),
        ("{ cases(last: 7) { edges { cursor } } }", 101 + 7),
        ("{ cases { edges { node { id } } } }", 101 + 50 * 2),
        ("{ cases { totalCount } }", 101 + 20),
        ("{ cases(first: 2) { edges { node { referrals(first: 3) { edges { node { id } } } } } } }", 101 + 2 * (2 + 1 + 3 * 2)),
        ("{ cases(first: 2) { edges { node { identity { familyName } } } } }", 101 + 2 * (2 + 2)),
        ("{ feeds { code } }", 100 + 10),
        ("{ feedRecords(first: 3) { records { id } } }", 100 + 10 * (1 + 3)),
        ('{ feedRecords(first: 3, maxAge: "PT5M") { records { id } } }', 100 + 10 * (1 + 3) + 100),
        ('{ nodes(ids: ["city_a", "city_b"]) { ... on City { code } } }', 100 + 2),
        ('{ nodes(ids: ["city_a"]) { ... on City { residencies(first: 2) { edges { cursor } } } ... on Case { id } } }', 100 + 1 + 1 + 2),
        ('{ _entities(representations: [{__typename: "City", id: "city_a"}]) { ... on City { code } } }', 100 + 1),
        ('mutation { holdCase(input: {idempotencyKey: "k", case: "c", organisation: "o", held: true, reason: "r"}) { problems { code } } }', 100 + 200 + 10),
        ("{ __schema { queryType { name } } }", 1100),
        ("{ a: viewer { clientId } viewer @skip(if: true) { scopes } }", 101),
    ],
)  # fmt: skip
def test_an_operation_costs_what_the_directives_say(query: str, expected: int) -> None:
    """An object 1, a value 0, a list its length times what one of it costs, of several types the dearest."""
    assert cost(query) == expected


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
@settings(max_examples=60, deadline=None)
def test_larger_pages_never_cost_less(a: int, b: int, more_a: int, more_b: int) -> None:
    """The cost is monotone in every page size, and page sizes multiply down nested lists."""
    assert cost(NESTED, {"a": a, "b": b}) <= cost(NESTED, {"a": a + more_a, "b": b + more_b})
    assert cost(NESTED, {"a": a, "b": b}) == 101 + a * (3 + b * 3)


@given(st.integers(0, 500))
@settings(max_examples=20, deadline=None)
def test_a_variable_costs_what_a_literal_does(size: int) -> None:
    """Also as a default, and below another variable."""
    literal = cost(
        f"{{ cases(first: {size}) {{ edges {{ node {{ referrals(first: {size}) {{ edges {{ cursor }} }} }} }} }} }}"
    )
    asked = "($n: Int{default}) {{ cases(first: $n) {{ edges {{ node {{ referrals(first: $n) {{ edges {{ cursor }} }} }} }} }} }}"

    assert cost("query " + asked.format(default=""), {"n": size}) == literal
    assert cost("query " + asked.format(default=f" = {size}")) == literal


def test_what_scopes_open_changes_no_cost() -> None:
    """Nor, then, does anything that is found: the price is made before a statement is."""
    assert cost(NESTED, {"a": 5, "b": 5}) == cost(NESTED, {"a": 5, "b": 5}, frozenset({"cases:read", "referrals:read"}))


@given(st.text(alphabet='{}()[]:=!|&@$."\\ab_1-2.5e#,\n \ufeff…', max_size=60))
@settings(max_examples=300, deadline=None)
def test_tokens_are_counted_as_they_are_read(text: str) -> None:
    """For every text that can be read, as many as the parser finds."""
    from graphql import GraphQLError, Lexer, Source, TokenKind  # noqa: PLC0415 used here alone

    lexer, count = Lexer(Source(text)), 0
    try:
        while lexer.advance().kind is not TokenKind.EOF:
            count += 1
    except GraphQLError:
        return
    assert count_tokens(text) == count


def test_fragments_count_wherever_they_are_spread() -> None:
    """So that no chain of fragments is a way round a limit, or takes long to measure."""
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} a{n}: __typename ...F{n + 1} }}" for n in range(40))
    document = DOCUMENTS.get(f"{{ ...F0 }} {chain} fragment F40 on Query {{ z: __typename }}", CEILINGS)

    assert document.sizes[None]["fields"] > 2**40
    assert document.sizes[None]["aliases"] == 2**41 - 1
    assert document.sizes[None]["depth"] == 1


def test_the_database_holds_the_same_ceilings() -> None:
    """What a registration refuses, a row in client_limit is refused for."""
    from pathlib import Path  # noqa: PLC0415 used here alone

    sql = (Path(__file__).parents[3] / "schema/sql/0014_limits.sql").read_text()
    for name in Limits.__struct_fields__:
        assert f"check ({name} between 1 and {getattr(CEILINGS, name)})" in sql
        assert getattr(DEFAULTS, name) <= getattr(CEILINGS, name)
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    assert not [n for n in Limits.__struct_fields__ if f"| `{spoken(n)}` | {getattr(DEFAULTS, n):,} |" not in readme]
    assert parse(SCHEMA.as_str())

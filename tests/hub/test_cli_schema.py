"""The printed schema: all of it, and the part that some scopes open, which is a schema too and holds nothing they do not."""

from pathlib import Path
from typing import Any

import pytest
from graphql import DocumentNode, ObjectTypeDefinitionNode, build_ast_schema, parse, validate_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from auth.scopes import Scope
from hub.cli.opened import opened_part, satisfied
from schema.query import SCHEMA

WHOLE = parse(SCHEMA.as_str())
COMMITTED = Path(__file__).parents[2] / "schema" / "schema.graphql"


def fields(document: DocumentNode) -> dict[str, Any]:
    """Every field of every object type, as Type.field."""
    types = [d for d in document.definitions if isinstance(d, ObjectTypeDefinitionNode)]
    return {f"{d.name.value}.{f.name.value}": f for d in types for f in d.fields or ()}


def test_the_committed_schema_is_the_one_that_is_declared() -> None:
    """`make schema` writes it."""
    assert COMMITTED.read_text().strip() == SCHEMA.as_str().strip()


def test_the_schema_defines_the_directive_it_uses() -> None:
    """So that it can be read by itself."""
    assert "directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT" in SCHEMA.as_str()


def test_every_scope_opens_all_of_it() -> None:
    """Nothing that can be reached is lost."""
    assert fields(opened_part(WHOLE, frozenset(map(str, Scope)))).keys() == fields(WHOLE).keys()


@settings(max_examples=25, deadline=None)
@given(st.frozensets(st.sampled_from(sorted(map(str, Scope)))))
def test_a_part_is_a_schema_of_what_the_scopes_open(scopes: frozenset[str]) -> None:
    """It is valid, and each of its fields is satisfied by the scopes."""
    part = opened_part(WHOLE, scopes)

    assert validate_schema(build_ast_schema(part)) == []
    assert all(satisfied(field.directives, scopes) for field in fields(part).values())
    assert fields(part).keys() <= fields(WHOLE).keys()


@pytest.mark.parametrize(
    ("scopes", "there", "not_there"),
    [
        ((), ("Query.viewer", "Query.cities", "City.code"), ("Query.cases", "Case.id", "City.residencies", "Mutation.openCase")),
        (("cases:read",), ("Query.cases", "Case.withheld"), ("Case.identity", "Identity.givenName", "Case.referrals")),
        (("cases:read", "cases:identity"), ("Case.identity", "Identity.givenName"), ("Case.profile",)),
    ],
)  # fmt: skip
def test_scopes_open_their_fields(scopes: tuple[str, ...], there: tuple[str, ...], not_there: tuple[str, ...]) -> None:
    """And nothing beside them; a type is gone with the last field that leads to it."""
    found = fields(opened_part(WHOLE, frozenset(scopes))).keys()

    assert found >= set(there)
    assert not found & set(not_there)

"""What the schema declares: one source for every field, the contract's scopes, no way round them, and columns that exist."""

import importlib.util
from pathlib import Path
from typing import Any, Final

import pytest
from graphql import GraphQLNonNull, GraphQLObjectType, get_named_type

from auth.scopes import Scope
from schema.enums import Category
from schema.fields import (  # fmt: skip
    NOUNS,
    Field,
    Noun,
    Page,
    Personal,
    Problems,
    Sealed,
)
from schema.query import SCHEMA
from tests.schema.declared import CORE, edges, objects, rule_of

CONTRACT: Final = Path(__file__).parents[3] / "shared"
Need = frozenset[frozenset[str]]


def documents() -> set[str]:
    """Name the types that are the shape of a document: they stand on no row, so their fields have no source of their own."""
    waiting = [
        f for _, _, f in edges() if isinstance(getattr(rule_of(f), "source", None), Sealed | Personal | Problems)
    ]
    found: set[str] = set()
    while waiting:
        kind = get_named_type(waiting.pop().type)
        if isinstance(kind, GraphQLObjectType) and kind.name not in found:
            found.add(kind.name)
            waiting += kind.fields.values()
    return found


def needs(groups: Any) -> Need:
    """Give alternatives of scopes in a form that can be compared."""
    return frozenset(frozenset(map(str, group)) for group in groups)


def test_every_field_has_exactly_one_source() -> None:
    """But for the inside of sealed documents and of problems, which come whole."""
    inside = documents()
    without = [f"{kind.name}.{name}" for kind, name, field in edges() if kind.name not in inside and not isinstance(rule_of(field), Field)]  # fmt: skip
    beside = [
        f"{kind.name}.{name}" for kind, name, field in edges() if kind.name in inside and rule_of(field) is not None
    ]

    assert (without, beside) == ([], [])
    assert {"Profile", "Work", "Assessment", "Problem"} <= inside
    assert inside.isdisjoint(NOUNS)


def test_every_category_is_one_scope_one_object_and_one_table() -> None:
    """Case has a field for each, behind the scope of its name, sealed in the table of its name."""
    case = CORE.type_map["Case"]
    assert isinstance(case, GraphQLObjectType)
    for category in set(Category) - {Category.OVERVIEW}:
        rule = rule_of(case.fields[category.lower()])
        assert rule.scopes == ((Scope[f"CASES_{category}"],),)
        assert isinstance(rule.source, Sealed)
        assert rule.source.category == category
        assert f"from case_{category.lower()} " in rule.source.document.sql
        assert rule.source.document.access == f"{{row}}.{category.lower()} @> {{now}}"


def guaranteed() -> dict[str, frozenset[str]]:
    """Work out, for each type, the scopes that whoever reaches an object of it surely has."""
    everything = frozenset(map(str, Scope))
    known = {kind.name: everything for kind in objects()} | {"Query": frozenset[str](), "Mutation": frozenset[str]()}
    changed = True
    while changed:
        changed = False
        for kind, _, field in edges():
            target = get_named_type(field.type)
            if not isinstance(target, GraphQLObjectType):
                continue
            asked = _sure(getattr(rule_of(field), "scopes", ())) | _sure(NOUNS.get(target.name, Noun()).scopes)
            have = known[target.name] & (known[kind.name] | asked)
            changed, known[target.name] = changed or have != known[target.name], have
    for name, rule in NOUNS.items():
        if rule.places:  # node(id) asks for the type's own scopes and no others
            known[name] &= _sure(rule.scopes)
    return known


def _sure(groups: Any) -> frozenset[str]:
    alternatives = [frozenset(map(str, group)) for group in groups]
    return frozenset.intersection(*alternatives) if alternatives else frozenset()


def test_what_the_scopes_may_deny_can_be_null() -> None:
    """A field that asks for scopes, or leads to a type that does, is nullable, unless who gets there surely has them."""
    known, wrong = guaranteed(), []
    for kind, name, field in edges():
        asked = _sure(getattr(rule_of(field), "scopes", ())) | _sure(
            NOUNS.get(get_named_type(field.type).name, Noun()).scopes
        )
        if isinstance(field.type, GraphQLNonNull) and not asked <= known[kind.name]:
            wrong.append(f"{kind.name}.{name}")

    assert wrong == []


def test_the_printed_schema_tells_the_truth_about_scopes() -> None:
    """`@requiresScopes` on every field and type is what the engine asks for."""
    for kind, name, field in edges():
        printed = {str(d) for d in _printed(field)}
        asked = getattr(rule_of(field), "scopes", ())
        assert printed == ({str(needs(asked))} if asked else set()), f"{kind.name}.{name}"
    for name, noun in NOUNS.items():
        if name in CORE.type_map:
            printed = {str(d) for d in _printed(CORE.type_map[name])}
            assert printed == ({str(needs(noun.scopes))} if noun.scopes else set()), name


def _printed(part: Any) -> list[Need]:
    definition = part.extensions["strawberry-definition"]
    return [needs(d.scopes) for d in definition.directives or () if hasattr(d, "scopes")]


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contract is not beside the repository")
def test_what_exists_of_the_contract_is_as_the_contract_has_it(tmp_path: Path) -> None:
    """Nothing renamed, retyped, or behind other scopes."""
    found = importlib.util.spec_from_file_location("check_contract", CONTRACT / "check_contract.py")
    assert found is not None
    assert found.loader is not None
    check = importlib.util.module_from_spec(found)
    found.loader.exec_module(check)
    printed = tmp_path / "schema.graphql"
    printed.write_text(SCHEMA.as_str())
    want, have = check.load(CONTRACT / "contract.graphql"), check.load(printed)

    wrong: list[str] = []
    for name in want.type_map.keys() & have.type_map.keys():
        if not name.startswith("__"):
            check.compare(name, want.type_map[name], have.type_map[name], [], wrong)
    assert wrong == []


def test_every_ordered_column_says_its_type_and_is_never_null() -> None:
    """A cursor holds the value as text and reads it back as that type; the last key is unique."""
    pages = [
        rule_of(field).source for _, _, field in edges() if isinstance(getattr(rule_of(field), "source", None), Page)
    ]

    assert pages
    for page in pages:
        assert page.default[0] in page.orders
        assert page.tie.column in ("pairwise", "ordinal", "name", "code", "size")

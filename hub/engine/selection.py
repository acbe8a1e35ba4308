"""This module reads an operation: which fields it selects for a type, and the shape of its variables. It knows no SQL."""

from collections.abc import Iterable, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_argument_values,
    get_named_type,
    get_nullable_type,
    specified_directives,
    type_from_ast,
)
from graphql.execution.values import VariableValues, get_directive_values

from schema.federation import entity_id
from schema.fields import NOUNS

_WORDS = {word for noun in NOUNS.values() for word in noun.places} | NOUNS.keys()
_SKIP, _INCLUDE = (next(d for d in specified_directives if d.name == name) for name in ("skip", "include"))

Variables = VariableValues
Selected = dict[str, list[FieldNode]]
"""Response keys in order of appearance, each with every field node that asks for it."""


def collect(
    schema: GraphQLSchema,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Variables,
    parent: GraphQLObjectType,
    sets: Iterable[SelectionSetNode],
) -> Selected:
    """Gather the fields selected for a concrete type (GraphQL, September 2025, section 6.3.2)."""
    found: Selected = {}
    visited: set[str] = set()

    def walk(selections: SelectionSetNode) -> None:
        for node in selections.selections:
            if not _included(node, variables):
                continue
            if isinstance(node, FieldNode):
                found.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or _applies(schema, parent, node.type_condition.name.value):
                    walk(node.selection_set)
            elif node.name.value not in visited:  # type: ignore[attr-defined] # a fragment spread is what is left
                visited.add(node.name.value)  # type: ignore[attr-defined]
                fragment = fragments[node.name.value]  # type: ignore[attr-defined]
                if _applies(schema, parent, fragment.type_condition.name.value):
                    walk(fragment.selection_set)

    for selections in sets:
        walk(selections)
    return found


def _included(node: Any, variables: Variables) -> bool:
    skip = get_directive_values(_SKIP, node, variables)
    if skip and skip["if"]:
        return False
    include = get_directive_values(_INCLUDE, node, variables)
    return not include or bool(include["if"])


def _applies(schema: GraphQLSchema, parent: GraphQLObjectType, condition: str) -> bool:
    named = schema.type_map[condition]
    if isinstance(named, GraphQLInterfaceType | GraphQLUnionType):
        return schema.is_sub_type(named, parent)
    return named is parent


def arguments(parent: GraphQLObjectType, node: FieldNode, variables: Variables) -> dict[str, Any]:
    """Give a field's coerced arguments; what was left out is not there."""
    definition = parent.fields[node.name.value]
    if not definition.args:
        return {}
    return get_argument_values(definition, node, variables)


def varies(value: Any) -> bool:
    """Tell whether a value written in a document depends on a variable."""
    if value.kind == "variable":
        return True
    parts = [field.value for field in value.fields] if value.kind == "object_value" else getattr(value, "values", ())
    return any(map(varies, parts))


def shape(schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Variables) -> tuple[Any, ...]:
    """Tell apart variables that ask for different statements: presence, booleans, sort keys, and the type an id names."""
    return tuple(
        (name, _shape(type_from_ast(schema, definition.type), variables.coerced[name]))
        for definition in operation.variable_definitions or ()
        if (name := definition.variable.name.value) in variables.coerced
    )


def _shape(kind: Any, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    kind = get_nullable_type(kind)
    named = get_named_type(kind)
    if isinstance(kind, GraphQLList):
        items = value if isinstance(value, list) else [value]
        if named is GraphQLID or named.name == "_Any":
            return frozenset(_shape(named, item) for item in items)
        return tuple(_shape(kind.of_type, item) for item in items) if isinstance(named, GraphQLInputObjectType) else ()
    if isinstance(named, GraphQLInputObjectType):
        return tuple((key, _shape(named.fields[key].type, item)) for key, item in value.items() if key in named.fields)
    if named is GraphQLID:
        return prefix(value)
    if named.name == "_Any":
        return prefix(entity_id(value))
    if named is GraphQLString:
        # Inside a representation, which has no type of its own, a text may be a type's name or an id.
        return next((word for word in (value, prefix(value)) if word in _WORDS), "")
    return str(value) if isinstance(named, GraphQLEnumType) else ()


def node_ids(values: Mapping[str, Any]) -> list[str]:
    """Give the ids that the arguments of node, nodes or _entities name."""
    if "representations" in values:
        return [entity_id(representation) for representation in values["representations"]]
    return values["ids"] if "ids" in values else [values["id"]]


def prefix(identifier: str) -> str:
    """Give the word an id begins with: it names the type, and is as public as the schema."""
    word = identifier.split("_", 1)[0]
    return word if word.isalpha() and word.islower() else ""

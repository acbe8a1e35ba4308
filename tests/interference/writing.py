"""This module writes operations: the nodes of GraphQL documents, made from text or from other nodes."""

from functools import cache
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    build_schema,
    get_named_type,
    is_leaf_type,
    parse,
    parse_value,
    print_ast,
)

from schema.query import SCHEMA


@cache
def printed() -> GraphQLSchema:
    """Give the schema as anyone may print it."""
    return build_schema(SCHEMA.as_str())


def arguments(text: str) -> list[ArgumentNode]:
    """Read arguments as GraphQL writes them, such as `first: 2, after: "x"`."""
    value: Any = parse_value("{" + text + "}")
    return [ArgumentNode(name=NameNode(value=f.name.value), value=f.value) for f in value.fields]


def rewritten(node: FieldNode, arguments: list[ArgumentNode], selection: SelectionSetNode | None = None) -> FieldNode:
    """Give a field other arguments and, where one is given, another selection."""
    return FieldNode(
        alias=node.alias,
        name=node.name,
        arguments=tuple(arguments),
        directives=(),
        selection_set=selection or node.selection_set,
    )


@cache
def nearby(kind: str) -> list[FieldNode]:
    """Give the fields of a type that are plain values, and those that lead one step further: to an id, a count, or what tells that there is one."""
    found = []
    for name, field in printed().type_map[kind].fields.items():  # type: ignore[attr-defined] # an object type
        below = get_named_type(field.type)
        step = next((n for n in ("id", "totalCount", "askedAt", "held") if n in getattr(below, "fields", {})), None)
        if is_leaf_type(below) or step:
            found += fields_of(f"{name} {{ {step} }}" if step else name)
    return found


@cache
def beside(kind: str) -> str:
    """Select what is near a node where nodes of other types are asked for too: under names that say its type."""
    near = " ".join(f"{kind}_{field.name.value}: {print_ast(field)}" for field in nearby(kind))
    return f"... on {kind} {{ {near} }}"


def fields_of(text: str) -> list[Any]:
    """Read fields as GraphQL writes them."""
    (operation,) = parse("{" + text + "}", no_location=True).definitions
    return list(operation.selection_set.selections)  # type: ignore[attr-defined] # an operation


def aliased(node: FieldNode, alias: str) -> FieldNode:
    """Give a field an alias."""
    name = NameNode(value=alias)
    return FieldNode(
        alias=name, name=node.name, arguments=node.arguments, directives=(), selection_set=node.selection_set
    )


def document(kind: OperationType, fields: list[FieldNode]) -> DocumentNode:
    """Make a document of one operation."""
    selected = SelectionSetNode(selections=tuple(fields))
    return DocumentNode(
        definitions=(
            OperationDefinitionNode(operation=kind, directives=(), variable_definitions=(), selection_set=selected),
        )
    )


def text(document: DocumentNode) -> str:
    """Write an operation as it is sent."""
    return print_ast(document)


Alternatives = tuple[frozenset[str], ...]
"""Scopes that open something: all of any of these sets."""


@cache
def needed(kind: str, field: str = "") -> tuple[Alternatives, ...]:
    """Give the scopes that a type asks for at every edge into it; with a field, what that asks for, and the type it leads to."""
    declared: Any = printed().type_map[kind]
    if not field:
        return _required(declared)
    of_field = declared.fields[field]
    return (*_required(of_field), *_required(get_named_type(of_field.type)))


def _required(declared: Any) -> tuple[Alternatives, ...]:
    directives = (declared.ast_node and declared.ast_node.directives) or ()
    return tuple(
        tuple(frozenset(scope.value for scope in group.values) for group in directive.arguments[0].value.values)
        for directive in directives
        if directive.name.value == "requiresScopes"
    )


def opened(scopes: frozenset[str], alternatives: Alternatives) -> bool:
    """Tell whether a token's scopes open something."""
    return any(group <= scopes for group in alternatives)

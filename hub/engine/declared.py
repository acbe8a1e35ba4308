"""This module reads what the schema declares of a field, and what its types ask of an answer."""

from typing import Any

from graphql import GraphQLField, GraphQLList, GraphQLNonNull, get_named_type

from schema.fields import (
    METADATA,
    Column,
    Connected,
    Field,
    Nested,
    Once,
    Personal,
    Problems,
    Sealed,
    SealedText,
    Source,
)


def missing(have: frozenset[str], *rules: tuple[tuple[Any, ...], ...]) -> list[list[str]] | None:
    """Give the alternatives of the first rule that the scopes meet none of."""
    for rule in rules:
        if rule and not any(have.issuperset(group) for group in rule):
            return [[str(scope) for scope in group] for group in rule]
    return None


def declared(part: Any) -> Any:
    """Give what the schema declares of a field, argument or input field."""
    definition = part.extensions.get("strawberry-definition")
    return definition.metadata.get(METADATA) if definition is not None else None


def field_rule(definition: GraphQLField) -> Field:
    """Give what the schema declares of a field; a field without a source is a fault of the schema."""
    rule = declared(definition)
    if not isinstance(rule, Field):
        raise TypeError("A field of the schema has no source.")
    return rule


def nullable(kind: Any) -> Any:
    """Take NonNull away."""
    return kind.of_type if isinstance(kind, GraphQLNonNull) else kind


def listed(connection: Any) -> Any:
    """Give the type of a connection's nodes, or of a feed's changes."""
    if "edges" not in connection.fields:
        return get_named_type(connection.fields["changes"].type)
    return get_named_type(get_named_type(connection.fields["edges"].type).fields["node"].type)


def when_missing(kind: Any) -> Any:
    """Give what stands for a field that a document does not have."""
    if not isinstance(kind, GraphQLNonNull):
        return None
    if isinstance(kind.of_type, GraphQLList):
        return []
    return False if kind.of_type.name == "Boolean" else None


def has_rows(source: Source) -> bool:
    """Tell whether a field leads to rows of its own."""
    return not isinstance(source, Column | Sealed | SealedText | Personal | Connected | Problems | Once | Nested)

"""What the schema declares, in the order of its types."""

from collections.abc import Iterator
from typing import Any, Final

from graphql import GraphQLField, GraphQLObjectType

from schema.fields import METADATA
from schema.query import SCHEMA

CORE: Final = SCHEMA._schema  # noqa: SLF001 strawberry keeps graphql-core's schema there, and offers it nowhere else
Edge = tuple[GraphQLObjectType, str, GraphQLField]


def rule_of(field: Any) -> Any:
    """Give what is declared of a field, or None."""
    definition = field.extensions.get("strawberry-definition")
    return definition.metadata.get(METADATA) if definition is not None else None


def objects() -> list[GraphQLObjectType]:
    """Give every object type of the schema."""
    found = [
        kind
        for name, kind in CORE.type_map.items()
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__")
    ]
    return sorted(found, key=lambda kind: kind.name)


def edges() -> Iterator[Edge]:
    """Give every field of every object type."""
    for kind in objects():
        for name, field in kind.fields.items():
            yield kind, name, field

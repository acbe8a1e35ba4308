"""The schema as Relay's specifications have it: Node, connections, edges, page info, and the arguments of pages."""

from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, is_list_type, is_non_null_type

from schema.query import SCHEMA

CORE: Any = SCHEMA._schema  # noqa: SLF001 strawberry keeps graphql-core's schema there
OBJECTS = [
    kind for kind in CORE.type_map.values() if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
]
CONNECTIONS = [kind.name for kind in OBJECTS if kind.name.endswith("Connection")]
PAGED = [
    f"{kind.name}.{name}"
    for kind in OBJECTS
    for name, field in kind.fields.items()
    if get_named_type(field.type).name in CONNECTIONS
]
"""Every field that leads to a connection."""


def shape(kind: str) -> dict[str, str]:
    """Give the fields of a type, each with its type."""
    found = CORE.type_map[kind]
    assert isinstance(found, GraphQLObjectType)
    return {name: str(field.type) for name, field in found.fields.items()}


def test_there_are_connections_to_judge() -> None:
    """And each is led to."""
    assert len(CONNECTIONS) >= 8
    assert {str(get_named_type(CORE.type_map[p.split(".")[0]].fields[p.split(".")[1]].type)) for p in PAGED} == set(
        CONNECTIONS
    )


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_a_connection_has_edges_and_page_info(connection: str) -> None:
    """GraphQL Cursor Connections, sections 2 and 3: a list of edges, each with a node that is no list and a cursor that is a String."""
    fields = shape(connection)
    edge = connection.removesuffix("Connection") + "Edge"

    assert fields["pageInfo"] == "PageInfo!"
    assert fields["edges"] == f"[{edge}!]!"
    assert fields["totalCount"] == "Int"
    assert shape(edge)["cursor"] == "String!"
    node = CORE.type_map[edge].fields["node"].type
    assert not is_list_type(node.of_type if is_non_null_type(node) else node)


def test_page_info_is_the_specifications() -> None:
    """Section 5.1."""
    assert shape("PageInfo") == {
        "hasNextPage": "Boolean!",
        "hasPreviousPage": "Boolean!",
        "startCursor": "String",
        "endCursor": "String",
    }


@pytest.mark.parametrize("path", PAGED)
def test_a_field_with_pages_goes_forward_and_perhaps_backward(path: str) -> None:
    """Section 4: first with after, last with before, always both of a pair, none required; lists of the root go both ways."""
    parent, name = path.split(".")
    arguments = {n: str(a.type) for n, a in CORE.type_map[parent].fields[name].args.items()}
    paging = {n: arguments[n] for n in ("first", "after", "last", "before") if n in arguments}

    forward, backward = {"first": "Int", "after": "String"}, {"last": "Int", "before": "String"}
    assert paging in (forward, forward | backward)


def test_node_is_the_specifications() -> None:
    """GraphQL Global Object Identification: an interface with an id alone, and a root field that finds any object by it."""
    node = CORE.type_map["Node"]
    assert {n: str(f.type) for n, f in node.fields.items()} == {"id": "ID!"}
    root = CORE.query_type
    assert root is not None
    assert str(root.fields["node"].type) == "Node"
    assert {n: str(a.type) for n, a in root.fields["node"].args.items()} == {"id": "ID!"}
    assert str(root.fields["nodes"].type) == "[Node]!"
    assert {n: str(a.type) for n, a in root.fields["nodes"].args.items()} == {"ids": "[ID!]!"}


def test_whatever_has_an_id_of_its_own_is_a_node() -> None:
    """Its id is found by node, or it would be another kind of id."""
    with_id = {kind.name for kind in OBJECTS if "id" in kind.fields and str(kind.fields["id"].type) == "ID!"}
    nodes = {kind.name for kind in OBJECTS if any(i.name == "Node" for i in kind.interfaces)}

    assert with_id == nodes

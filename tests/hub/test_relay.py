"""Every connection of the schema, asked page by page in both directions, answers as Relay's algorithm does over the whole list."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from hub.embedded import Server
from tests.conftest import NUMBERS, new_database
from tests.hub.audit.logs import settle
from tests.hub.person import person
from tests.population import named, populate, seal
from tests.schema.test_relay import CONNECTIONS, CORE, OBJECTS, PAGED
from tests.world import World, build

NODES = sorted(kind.name for kind in OBJECTS if any(i.name == "Node" for i in kind.interfaces))
OWN = ("Agreement", "Webhook")
"""What an organisation is told of its own alone."""
WHOLE = 500
PAGE = "edges { cursor node { ...N } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def peopled(server: Server, template: str) -> AsyncIterator[World]:
    """The peopled world, in which each list has some rows, and the log some heads."""
    async with new_database(server, f"test_{next(NUMBERS)}", template) as database, build(database) as world:
        await populate(world)
        city = await world.admin.fetchval("select id from city where code = 'bergen'")
        for number in range(3):
            await world.insert("residency", id=named(f"more {number}"), case_id=named("assessed"), city=city, status="OFFERED", starts_on="2026-05-01")  # fmt: skip
            await world.referral("pen-centre", case=named("plain"), referral_id=named(f"more {number}"))
            body = await seal(world, "referral", named("r plain"), "BODY", "More.")
            await world.insert("message", referral_id=named("r plain"), ordinal=number + 20, organisation=world.organisations["icorn"],
                               at="2026-03-05T09:30:00Z", body=body)  # fmt: skip
            await world.data("desk", "{ cases { edges { node { id } } } }")
            await settle(world)
        await person(world, "sara", "pen", "pen-centre", ["cases:read"])
        await world.insert("webhook", id=named("webhook"), organisation=world.organisations["pen-centre"], url="https://a.example/", events=[], purpose="AUDIT", created_at="2026-05-01T00:00:00Z")  # fmt: skip
        yield world


def leaves(kind: GraphQLObjectType) -> str:
    """Select what tells one object of a type from another: its id, or all its plain values."""
    plain = [name for name, field in kind.fields.items() if is_leaf_type(get_named_type(field.type)) and not field.args]
    return "id" if "id" in kind.fields else " ".join(plain)


def node_of(connection: str) -> GraphQLObjectType:
    """Give the type of a connection's nodes."""
    edge = get_named_type(CORE.type_map[connection].fields["edges"].type)
    found = get_named_type(edge.fields["node"].type)
    assert isinstance(found, GraphQLObjectType)
    return found


def of(path: str) -> tuple[str, str, str]:
    """Give a connection's parent, its field, and its type."""
    parent, name = path.split(".")
    return parent, name, get_named_type(CORE.type_map[parent].fields[name].type).name


def root_of(kind: str) -> str:
    """Give the root's list of a type."""
    return next(
        name for root, name, connection in map(of, PAGED) if root == "Query" and node_of(connection).name == kind
    )


async def parent(world: World, path: str) -> str:
    """Give the id of the object whose list is longest, "" for the root."""
    kind, name, _ = of(path)
    if kind == "Query":
        return ""
    root = root_of(kind)
    found = await world.data("desk", f"{{ {root} {{ edges {{ node {{ id {name} {{ totalCount }} }} }} }} }}")
    nodes = [edge["node"] for edge in found[root]["edges"]]
    return str(max(nodes, key=lambda node: node[name]["totalCount"])["id"])


def asking(path: str, whose: str, given: dict[str, Any]) -> str:
    """Write the query for a page."""
    kind, name, connection = of(path)
    arguments = ", ".join(f"{key}: {json.dumps(value)}" for key, value in given.items())
    field = f"{name}({arguments}) {{ {PAGE} }}"
    wanted = field if kind == "Query" else f"node(id: {json.dumps(whose)}) {{ ... on {kind} {{ {field} }} }}"
    node = node_of(connection)
    return f"query {{ {wanted} }} fragment N on {node.name} {{ {leaves(node)} }}"


async def page(world: World, path: str, whose: str, **given: Any) -> Any:
    """Ask for a page."""
    data = await world.data("desk", asking(path, whose, given))
    return (data if path.startswith("Query.") else data["node"])[of(path)[1]]


def ways(path: str, cursors: list[str]) -> Iterator[dict[str, Any]]:
    """Give the pages to ask for: of every size from either end, from every cursor, and between two."""
    both = "last" in CORE.type_map[of(path)[0]].fields[of(path)[1]].args
    between = {"after": cursors[0], "before": cursors[-1]}
    for size in range(len(cursors) + 2):
        yield {"first": size}
        yield from ({"first": size, "after": cursor} for cursor in cursors)
        if both:
            yield {"last": size}
            yield from ({"last": size, "before": cursor} for cursor in cursors)
            yield from ({"first": size, **between}, {"last": size, **between})
            yield from ({"first": size, "before": cursors[-1]}, {"last": size, "after": cursors[0]})


def expected(edges: list[Any], given: dict[str, Any]) -> Any:
    """Cut a page as the specification does (GraphQL Cursor Connections, sections 4.3 and 5.1), by nothing but the whole list."""
    cursors = [edge["cursor"] for edge in edges]
    start = cursors.index(given["after"]) + 1 if "after" in given else 0
    end = cursors.index(given["before"]) if "before" in given else len(edges)
    within = edges[start:end]
    if "first" in given:
        cut = within[: given["first"]]
        more = {"hasNextPage": len(within) > given["first"], "hasPreviousPage": "after" in given}
    else:
        cut = within[max(0, len(within) - given["last"]) :]
        more = {"hasNextPage": "before" in given, "hasPreviousPage": len(within) > given["last"]}
    ends = (cut[0]["cursor"], cut[-1]["cursor"]) if cut else (None, None)
    return {
        "edges": cut,
        "pageInfo": {**more, "startCursor": ends[0], "endCursor": ends[1]},
        "totalCount": len(edges),
    }


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", PAGED)
async def test_each_page_of_each_connection_is_the_one_that_relay_would_cut(peopled: World, path: str) -> None:
    """Edges, both ends and whether there is more, for every size and cursor; the order is the same in both directions."""
    whose = await parent(peopled, path)
    # Reading is written down, and a log that grows is no list to compare with: what is new waits until the worker has sequenced it.
    whole = await page(peopled, path, whose, first=WHOLE)
    edges = whole["edges"]

    assert len(edges) >= 3
    assert len({json.dumps(edge["node"]) for edge in edges}) == len(edges)
    for given in ways(path, [edge["cursor"] for edge in edges[:6]]):
        assert await page(peopled, path, whose, **given) == expected(edges, given), given


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", PAGED)
async def test_a_page_of_less_than_nothing_is_refused(peopled: World, path: str) -> None:
    """Section 4.3: an error, and so is what is no cursor of this list."""
    whose = await parent(peopled, path)
    for given in ({"first": -1}, {"first": 1, "after": "x"}):
        answer = await peopled.ask("desk", asking(path, whose, given))

        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]
        assert "data" not in answer


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", NODES)
async def test_an_object_is_found_again_by_its_id(peopled: World, kind: str) -> None:
    """By node, and by nodes in the order of the ids, null where there is none: of the same type, with the same id."""
    ids = await known(peopled, kind)
    asker = "pen" if kind in OWN else "desk"
    assert ids
    query = "query ($id: ID!, $ids: [ID!]!) { node(id: $id) { __typename id } nodes(ids: $ids) { __typename id } }"
    asked = [*ids[:3], ids[0][:-1] + "~", ids[0]]

    found = await peopled.data(asker, query, {"id": ids[0], "ids": asked})

    assert found["node"] == {"__typename": kind, "id": ids[0]}
    assert found["nodes"] == [None if i.endswith("~") else {"__typename": kind, "id": i} for i in asked]


async def known(world: World, kind: str) -> list[str]:
    """Give ids of objects of a type, found by whatever list leads to them; some are a partner's own."""
    connections = {name for name in CONNECTIONS if node_of(name).name == kind}
    for path in PAGED:
        connection = of(path)[2]
        if connection in connections:
            whose = await parent(world, path)
            return [edge["node"]["id"] for edge in (await page(world, path, whose, first=20))["edges"]]
    queries = {
        "Agreement": "{ x: viewer { y: agreements { id } } }",
        "Consent": "{ x: cases { edges { node { y: consents { id } } } } }",
        "Feed": "{ x: feeds { id } }",
        "FeedRecord": "{ x: feedRecords { y: records { id } } }",
        "Client": "{ x: organisations { edges { node { y: clients { id } } } } }",
        "User": "{ x: organisations { edges { node { y: users { id } } } } }",
        "Webhook": "{ x: organisations { edges { node { y: webhooks { id } } } } }",
    }
    return list(_ids(await world.data("pen" if kind in OWN else "desk", queries[kind])))


def _ids(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        yield from ([data["id"]] if "id" in data else [])
        for value in data.values():
            yield from _ids(value)
    elif isinstance(data, list):
        for value in data:
            yield from _ids(value)

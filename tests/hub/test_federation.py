"""The hub as a subgraph: what a router may ask. tests/http has it composed, and a router asks it."""

from typing import Any

from auth.scopes import NAMES
from hub.engine.compiled import Plans
from hub.engine.documents import Documents, variable_values
from schema.query import SCHEMA
from tests.world import World

ENTITIES = (
    "query ($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Case { status } ... on City { code } } }"
)


async def test_hidden_and_absent_and_wrong_are_the_same_null(world: World) -> None:
    """And nothing but type and id of a representation is believed."""
    await world.case()
    seen = (await world.data("desk", "{ cases { edges { node { id status } } } }"))["cases"]["edges"][0]["node"]
    asked = [
        {"__typename": "Case", "id": seen["id"], "status": "CLOSED"},
        {"__typename": "City", "id": seen["id"]},
        {"__typename": "Case", "id": "case_00000000-0000-0000-0000-000000000000"},
        {"__typename": "Case"},
        {"__typename": "Nothing", "id": "case_x"},
        {},
    ]

    desk, pen = [(await world.data(who, ENTITIES, {"r": asked}))["_entities"] for who in ("desk", "pen")]

    assert desk == [{"__typename": "Case", "status": seen["status"]}, None, None, None, None, None]
    assert pen == [None] * 6


async def test_the_scope_on_a_type_is_asked_for_here_too(world: World) -> None:
    """Null, with one error, however many representations there are."""
    await world.client("narrow", "pen-centre", ["feeds:read"])
    answer = await world.ask("narrow", ENTITIES, {"r": [{"__typename": "Case", "id": "case_x"}] * 3})

    assert answer["data"] == {"_entities": [None, None, None]}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHORIZED_FIELD_OR_TYPE"]


async def test_a_router_may_name_so_many(world: World) -> None:
    """As many as a page may hold."""
    answer = await world.ask("pen", ENTITIES, {"r": [{"__typename": "City", "id": "city_x"}] * 501})

    assert answer["errors"][0]["extensions"] == {
        "code": "LIMIT_EXCEEDED",
        "limit": "pageSize",
        "most": 500,
        "value": 501,
    }


def test_other_types_named_by_a_variable_are_another_plan() -> None:
    """However the variable is put in; names and ids of the same types share one."""
    core = SCHEMA._schema  # noqa: SLF001 graphql-core's schema is kept there
    documents, plans = Documents(core), Plans(core)
    named = [("City", "city_a"), ("Feed", "feed_a"), ("City", "city_b")]
    literal = (
        "query ($t: String!, $i: String!) { _entities(representations: [{__typename: $t, id: $i}]) { __typename } }"
    )
    whole = "query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }"
    texts: list[dict[str, Any]] = [{"t": kind, "i": i} for kind, i in named]
    objects: list[dict[str, Any]] = [{"r": [{"__typename": kind, "id": i}]} for kind, i in named]
    for query, values in ((literal, texts), (whole, objects)):
        document = documents.get(query)
        node = document.operation(None)
        made = [plans.get(document, node, variable_values(core, node, given), NAMES) for given in values]
        assert made[0] is not made[1]
        assert made[0] is made[2]

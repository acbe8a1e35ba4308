"""The hub in a federation, composed by Apollo's composition and run by a router: a client like any other, that sees what its organisation may.

The public compatibility suite for subgraphs judges libraries, by a product schema of its own and federation up to 2.3: what it asks of
@link, @key and @shareable is asked here of the hub's own schema.
"""

from typing import Any

import pytest

from tests.http.conftest import Node
from tests.world import World

QUERIES = [
    "{ notes { text about { __typename reference status } } }",
    "{ cases { totalCount edges { node { id reference notes { text } } } } }",
    "{ notes { about { identity { familyName } } } viewer { clientId } }",
]


@pytest.fixture
async def told(served: tuple[World, str], node: Node) -> Any:
    """What a router says over two cases, of which its organisation sees one; and what the federation was composed to."""
    world, _ = served
    shown, hidden = await world.case(), await world.case()
    await world.agreement("pen-centre", ["OVERVIEW"])
    await world.consent(shown, categories=["OVERVIEW"])
    await world.client("router", "pen-centre", ["cases:read"], limits={})
    found = await world.admin.fetch(
        "select case_id, pairwise from case_access where organisation = $1", world.organisations["pen-centre"]
    )
    ids = {row["case_id"]: f"case_{row['pairwise']}" for row in found}
    about = [ids[shown], ids.get(hidden, "case_00000000-0000-0000-0000-000000000000"), "case_x"]
    return await node("federation.mjs", "router", about=about, queries=QUERIES)


async def test_a_federation_composes_the_subgraph_and_a_router_joins_over_it(told: Any) -> None:
    """Both ways, by the router's own token: the hub's cases for another's notes, and another's notes for the hub's cases."""
    joined, listed, unscoped = told["answers"]
    (case,) = listed["data"]["cases"]["edges"]
    reference = case["node"]["reference"]

    # What is hidden, and what is not there, are the same null.
    seen = {"__typename": "Case", "reference": reference, "status": "CANDIDATE"}
    assert [note["about"] for note in joined["data"]["notes"]] == [seen, None, None]
    assert listed["data"]["cases"]["totalCount"] == 1
    assert case["node"]["notes"] == [{"text": "About number 0"}]
    assert unscoped["data"] == {"viewer": {"clientId": "router"}, "notes": [{"about": {"identity": None}}] * 3}
    assert [e["extensions"]["code"] for e in unscoped["errors"]] == ["UNAUTHORIZED_FIELD_OR_TYPE"]
    assert any("_entities" in query for query in told["asked"])
    # Keys, scopes, costs and sizes are in what a router reads, and nothing that only a router asks.
    assert '@join__type(graph: HUB, key: "id")' in told["supergraph"]
    assert '@requiresScopes(scopes: [["cases:read"]])' in told["supergraph"]
    assert 'slicingArguments: ["first", "last"]' in told["supergraph"]
    assert "_Any" not in told["supergraph"].partition("type Case ")[2]

"""What counts as a request over HTTP, and of which kind its answer is: nothing that a browser sends of itself, and nothing bit by bit."""

import json

import pytest

from auth.client import proof
from tests.hub.test_http import post
from tests.world import ISSUER, World


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/graphql", "application/json; charset=utf-16", "application/jsonp", ""],
)  # fmt: skip
async def test_a_body_of_another_kind_is_not_read(world: World, kind: str) -> None:
    """415, also for every kind that a browser sends for another site without asking first, whatever is in it."""
    answer = await post(world, '{"query": "{ __typename }"}', {"Content-Type": kind})

    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (415, "BAD_REQUEST")
    assert "data" not in answer.json()


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("", "application/json"),
        ("application/*", "application/json"),
        ("application/json", "application/json"),
        ("application/graphql-response+json", "application/graphql-response+json"),
        ("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", "application/graphql-response+json"),
        ("application/json, application/graphql-response+json;q=0.5", "application/json"),
        ("application/graphql-response+json;q=0, */*", "application/json"),
        ("multipart/mixed;deferSpec=20220824, application/graphql-response+json, application/json", "application/graphql-response+json"),
        ("text/html, APPLICATION/JSON ; Q=0.2", "application/json"),
    ],
)  # fmt: skip
async def test_an_answer_is_of_the_kind_that_is_liked_best(world: World, accept: str, kind: str) -> None:
    """Of the two there are; who names neither gets what everybody can read."""
    answer = await post(world, '{"query": "{ nothing }"}', {"Accept": accept})

    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
    assert answer.status_code == (200 if kind == "application/json" else 400)


@pytest.mark.parametrize("accept", ["text/html", "multipart/mixed", "application/json;q=0"])
async def test_who_takes_neither_kind_of_answer_is_told_so(world: World, accept: str) -> None:
    """406; an answer comes whole, not bit by bit, but for what is followed."""
    assert (await post(world, '{"query": "{ __typename }"}', {"Accept": accept})).status_code == 406


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"query": "query A { __typename } query B { __typename }"}', 200),
        ('{"query": "{"}', 200),
        ('{"documentId": "sha256:00"}', 200),
        ('{"query": 1}', 400),
        ("{", 400),
    ],
)
async def test_in_the_old_kind_of_answer_the_status_tells_only_whether_there_was_a_request(
    world: World, body: str, status: int
) -> None:
    """A client cannot tell a 400 of the hub from one of something in between."""
    assert (await post(world, body, {"Accept": "application/json"})).status_code == status


@pytest.mark.parametrize("document", ["query ($n: Int) { cases(first: $n) @defer { totalCount } }", "{ cities { edges @stream { cursor } } }"])  # fmt: skip
async def test_nothing_is_delivered_bit_by_bit(world: World, document: str) -> None:
    """There is no @defer and no @stream."""
    answer = await post(world, json.dumps({"query": document}))

    assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {"GRAPHQL_VALIDATION_FAILED"}


async def test_head_asks_for_nothing(world: World) -> None:
    """It is a GET without an answer, and there is none to be had."""
    asker = world.clients["pen"]
    token = (await asker.token()).value
    once = proof(asker._proof_key, f"{ISSUER}/graphql", world.now, method="HEAD", access_token=token)  # noqa: SLF001 the kit's own key
    answer = await world.http.head(f"{ISSUER}/graphql", headers={"Authorization": f"DPoP {token}", "DPoP": once})

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")

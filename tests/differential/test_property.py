"""Whatever can be asked, the hub answers as graphql-core's own executor does over plain resolvers."""

import json
import os
from typing import Any

import hypothesis_graphql
import pytest
from graphql import parse, parse_value, validate
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes

from tests.differential.compare import Pair
from tests.differential.cursors import with_cursors
from tests.differential.operations import requests
from tests.differential.oracle import PRINTED
from tests.population import CLIENTS

pytestmark = pytest.mark.asyncio(loop_scope="module")
EXAMPLES = int(os.environ.get("HUB_TEST_EXAMPLES", "0"))
"""How many random operations are tried; 0 is the same 150 in every run."""
EXHAUSTIVE = settings(
    max_examples=EXAMPLES or 150,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
SCALARS: dict[str, Any] = {
    "_Any": st.sampled_from(
        ['{__typename: "City", id: "city_bergen"}', '{__typename: "Case", id: "case_x"}', "{}"]
    ).map(parse_value),
    "CountryCode": st.sampled_from(["IR", "TR"]).map(nodes.String),
    "Date": st.just("2026-01-15").map(nodes.String),
    "DateTime": st.just("2026-03-01T00:00:00Z").map(nodes.String),
    "Duration": st.just("PT72H").map(nodes.String),
    "LanguageTag": st.just("en").map(nodes.String),
}


@EXHAUSTIVE
@given(client=st.sampled_from(list(CLIENTS)), data=st.data())
async def test_a_random_operation_is_answered_as_plain_resolvers_answer_it(
    both: Pair, client: str, data: st.DataObject
) -> None:
    """Aliases, merged fields, fragments, directives, variables, pages and filters, together: the same JSON to the byte order of keys."""
    oracle = both.oracles[client]
    request = with_cursors(data.draw(requests(both.pools[client])), oracle)
    note(json.dumps({"client": client, "query": request.query, "variables": request.variables}, ensure_ascii=False))
    assume(not validate(PRINTED, parse(request.query)))

    await both.compare(client, request.query, request.variables)


@settings(EXHAUSTIVE, max_examples=EXHAUSTIVE.max_examples // 6)
@given(client=st.sampled_from(list(CLIENTS)), query=hypothesis_graphql.queries(PRINTED, custom_scalars=SCALARS))
async def test_no_valid_operation_is_a_fault(both: Pair, client: str, query: Any) -> None:
    """Arguments of any text and number, also of U+0000 and of pages that cannot be: an answer or a reason, never a failure."""
    answer = await both.world.ask(client, query)

    codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
    # The generator does not know of @oneOf.
    refused = {"GRAPHQL_VALIDATION_FAILED"} if validate(PRINTED, parse(query)) else set()
    assert codes <= {
        "UNAUTHORIZED_FIELD_OR_TYPE",
        "BAD_USER_INPUT",
        "LIMIT_EXCEEDED",
        "GRAPHQL_PARSE_FAILED",
        *refused,
    }, answer

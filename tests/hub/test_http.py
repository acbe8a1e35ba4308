"""What goes wrong over HTTP gets a clear answer that names the fix and repeats nothing; nothing is half-done."""

import io
import json
import logging
from typing import Any

import httpx2
import pytest

from auth.client import proof
from hub.log import set_up_logging
from tests.world import ISSUER, World

SECRET = "Unrepeatable"


async def post(
    world: World, body: bytes | str, headers: dict[str, str] | None = None, client: str = "pen"
) -> httpx2.Response:
    """Send a body as a client, with its token and a fresh proof, and whatever headers a test wants otherwise."""
    asker = world.clients[client]
    if asker._token is None:  # noqa: SLF001 the token is bound to the kit's own key
        asker._token = await asker.token()  # noqa: SLF001 as above
    token = asker._token.value  # noqa: SLF001 as above
    sent = {
        "Content-Type": "application/json",
        "Accept": "application/graphql-response+json",
        "Authorization": f"DPoP {token}",
        "DPoP": proof(asker._proof_key, f"{ISSUER}/graphql", world.now, access_token=token),  # noqa: SLF001 as above
        **(headers or {}),
    }
    return await world.http.post(f"{ISSUER}/graphql", content=body, headers=sent)


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        ("{", {}, "BAD_REQUEST"),
        ("[]", {}, "BAD_REQUEST"),
        ('{"variables": {}}', {}, "BAD_REQUEST"),
        ('{"query": 1}', {}, "BAD_REQUEST"),
        ('{"query": null}', {}, "BAD_REQUEST"),
        ('{"query": "{ __typename }", "documentId": "sha256:00"}', {}, "BAD_REQUEST"),
        ('{"query": "{ __typename }", "operationName": "Other"}', {}, "BAD_REQUEST"),
        ('{"query": "query A { __typename } query B { __typename }"}', {}, "BAD_REQUEST"),
        ('{"query": "{ __typename "}', {}, "GRAPHQL_PARSE_FAILED"),
        ('{"query": "{ nothing }"}', {}, "GRAPHQL_VALIDATION_FAILED"),
        ('{"query": "subscription { __typename }"}', {}, "GRAPHQL_VALIDATION_FAILED"),
        (json.dumps({"query": "{ __typename }", "variables": {"x": "y" * 300_000}}), {}, "LIMIT_EXCEEDED"),
        (json.dumps({"query": "{ " + "a: __typename " * 600 + "}"}), {}, "LIMIT_EXCEEDED"),
    ],
)
async def test_a_malformed_request_is_refused_with_its_reason(
    world: World, body: str, headers: dict[str, str], code: str
) -> None:
    """Each fault has its code, status 400, and a text that says what would be right."""
    await world.client("usual", "pen-centre", limits={})
    answer = await post(world, body, headers, "usual")

    (error, *_) = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (400, code)
    assert "data" not in answer.json()
    assert len(error["message"]) > 20


@pytest.mark.parametrize(
    ("query", "variables", "hint"),
    [
        ("query ($f: CaseFilter) { cases(filter: $f) { totalCount } }", {"f": {"status": [SECRET]}}, "$f.status[0]"),
        ("query ($f: CaseFilter) { cases(filter: $f) { totalCount } }", {"f": {"openedFrom": SECRET}}, "2026-05-01"),
        (
            "query ($f: CaseFilter) { cases(filter: $f) { totalCount } }",
            {"f": {"origin": [SECRET]}},
            "two capital letters",
        ),
        ("query ($f: CaseFilter) { cases(filter: $f) { totalCount } }", {"f": {SECRET.lower(): 1}}, "its fields are"),
        ("query ($n: Int) { cases(first: $n) { totalCount } }", {"n": SECRET}, "$n"),
        ("query ($b: CaseBy!) { case(by: $b) { id } }", {"b": {"id": SECRET, "reference": SECRET}}, "exactly one"),
        ("query ($b: CaseBy!) { case(by: $b) { id } }", {}, "is required"),
        ("query ($d: Duration) { feedRecords(maxAge: $d) { state } }", {"d": SECRET}, "PT5M"),
        (f"{{ cases(filter: {{status: [{SECRET}]}}) {{ totalCount }} }}", None, "APPLICANT"),
        (f'{{ case(by: {{id: "{SECRET}", reference: "{SECRET}"}}) {{ id }} }}', None, "exactly one"),
        ("{ case(by: {}) { id } }", None, "CaseBy"),
        (f'{{ cases(first: "{SECRET}") {{ totalCount }} }}', None, "Int"),
        (f'{{ cases(filter: {{openedFrom: "{SECRET}"}}) {{ totalCount }} }}', None, "Date"),
    ],
)
async def test_a_value_that_does_not_fit_is_named_and_never_repeated(
    world: World, query: str, variables: Any, hint: str
) -> None:
    """The field and the form are told; the value may be somebody's name, so it is not."""
    answer = await post(world, json.dumps({"query": query, "variables": variables}))

    assert answer.status_code == 400
    assert hint in answer.text
    assert SECRET not in answer.text


async def test_all_that_is_wrong_with_variables_is_said_at_once(world: World) -> None:
    """One round trip is enough to mend everything."""
    query = (
        "query ($a: Int, $b: Date, $f: CaseFilter, $by: CaseBy!, $i: ID!) { cases(first: $a, filter: $f) { totalCount }"
        " c: cases(filter: {openedFrom: $b}) { totalCount } case(by: $by) { id } node(id: $i) { id } }"
    )

    answer = await post(
        world,
        json.dumps(
            {
                "query": query,
                "variables": {
                    "a": "x",
                    "b": "y",
                    "f": {"status": ["z"], "openedTo": "w"},
                    "by": {"id": "1", "reference": "2"},
                },
            }
        ),
    )

    assert len(answer.json()["errors"]) == 6


@pytest.mark.parametrize(
    ("headers", "status", "told"),
    [
        ({"Authorization": ""}, 401, "DPoP"),
        ({"Authorization": "DPoP not.a.token"}, 401, 'error="invalid_token"'),
        ({"Authorization": "Bearer not.a.token"}, 401, 'error="invalid_token"'),
        ({"DPoP": "not.a.proof"}, 401, 'error="invalid_dpop_proof"'),
    ],
)
async def test_a_wrong_token_or_proof_is_answered_as_the_rfcs_say(
    world: World, headers: dict[str, str], status: int, told: str
) -> None:
    """RFC 6750 and RFC 9449: 401 with a challenge that names the error, and no data."""
    answer = await post(world, '{"query": "{ __typename }"}', headers)

    assert answer.status_code == status
    assert told in answer.headers["www-authenticate"]
    assert "data" not in answer.json()


async def test_answers_are_not_kept_and_tell_little_by_their_length(world: World) -> None:
    """No cache keeps an answer, and its length is a multiple of a kilobyte."""
    for query in (
        "{ __typename }",
        "{ cities { totalCount } organisations { edges { node { name } } } }",
        "{ nothing }",
    ):
        answer = await post(world, json.dumps({"query": query}))

        assert answer.headers["cache-control"] == "no-store"
        assert len(answer.content) % 1024 == 0


async def test_a_text_with_a_character_that_cannot_be_stored_breaks_nothing(world: World) -> None:
    """NUL fits no Postgres text: a filter with it finds nothing, and an input with it is refused."""
    found = await post(
        world,
        json.dumps(
            {"query": "query ($n: String) { cities(filter: {name: $n}) { totalCount } }", "variables": {"n": "a\x00b"}}
        ),
    )
    query = "mutation ($i: WithdrawConsentInput!) { withdrawConsent(input: $i) { problems { code } } }"
    variables = {"i": {"idempotencyKey": "k", "consent": "consent_x", "reason": "a\x00b"}}
    refused = await post(world, json.dumps({"query": query, "variables": variables}))

    assert found.json() == {"data": {"cities": {"totalCount": 0}}}
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_USER_INPUT")


async def test_an_unreachable_database_is_said_plainly(world: World) -> None:
    """503 with a text for people; readiness turns too, liveness does not."""
    await post(world, '{"query": "{ __typename }"}')
    await world.app.state.pools.app.close()

    answer = await post(world, '{"query": "{ __typename }"}')
    ready, live = [await world.http.get(f"{ISSUER}/health/{what}") for what in ("ready", "live")]

    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert (ready.status_code, live.status_code) == (503, 200)


async def test_a_hub_that_can_answer_says_so(world: World) -> None:
    """Ready is 200."""
    assert (await world.http.get(f"{ISSUER}/health/ready")).status_code == 200


async def test_logs_at_their_most_talkative_hold_nothing_of_a_request(world: World) -> None:
    """No literal, variable, name or token is in any line, whatever goes wrong."""
    await world.case()
    lines = io.StringIO()
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    set_up_logging("DEBUG", "json", lines)
    try:
        for query, variables in (
            (
                f'{{ cases(filter: {{familyName: "{SECRET}"}}) {{ edges {{ node {{ identity {{ familyName }} }} }} }} }}',
                None,
            ),
            ("query ($f: CaseFilter) { cases(filter: $f) { totalCount } }", {"f": {"status": [SECRET]}}),
            (f"{{ {SECRET} }}", None),
            ("query ($n: String) { cities(filter: {name: $n}) { totalCount } }", {"n": f"{SECRET}\x00"}),
        ):
            await post(world, json.dumps({"query": query, "variables": variables}), client="desk")
        await world.admin.execute("update case_identity set sealed = '\\x00'")
        await post(world, '{"query": "{ cases { edges { node { identity { familyName } } } } }"}', client="desk")
    finally:
        root.handlers[:], root.level = kept, level
        logging.captureWarnings(capture=False)
        logging.raiseExceptions = True
    token = world.clients["desk"]._token  # noqa: SLF001 to look for it
    assert token is not None
    assert "request.fault" in lines.getvalue()
    for word in (SECRET, "Farahani", token.value, token.value.split(".")[1]):
        assert word not in lines.getvalue()


@pytest.mark.parametrize(
    "body",
    [b'{"query": "\xff"}', b"[" * 100_000, b'{"query": "{ __typename }", "variables": ' + b"[" * 50_000, b'{"query": "\\ud800"}', b""],
    ids=["not UTF-8", "deep", "deep variables", "half a character", "nothing"],
)  # fmt: skip
async def test_bytes_that_are_no_json_are_a_bad_request(world: World, body: bytes) -> None:
    """However they are broken, it is the sender's fault and is said as such."""
    answer = await post(world, body)

    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "query",
    [f'{{ cases "{SECRET}" }}', f"{{ cases(first: {{a: {SECRET}}}) {{ totalCount }} }}", f'{{ node(id: "{SECRET}\\u{{D800}}") {{ id }} }}',
     f'{{ case(by: "{SECRET}") {{ id }} }}', f'{{ cases(filter: ["{SECRET}"]) {{ totalCount }} }}', f'query ($a: Int = "{SECRET}") {{ cases(first: $a) {{ totalCount }} }}'],
)  # fmt: skip
async def test_a_literal_in_the_wrong_place_is_not_repeated(world: World, query: str) -> None:
    """A syntax error may be somebody's name, too."""
    answer = await post(world, json.dumps({"query": query}))

    assert answer.status_code == 400
    assert SECRET not in answer.text


async def test_a_proof_is_good_once(world: World) -> None:
    """The second request with it is refused, and nothing is answered, whatever it asks."""
    await post(world, '{"query": "{ __typename }"}')
    asker = world.clients["pen"]
    token = asker._token.value  # type: ignore[union-attr] # noqa: SLF001 the request before got one
    once = proof(asker._proof_key, f"{ISSUER}/graphql", world.now, access_token=token)  # noqa: SLF001 as above
    first, second = [await post(world, '{"query": "{ cities { totalCount } }"}', {"DPoP": once}) for _ in range(2)]

    assert first.status_code == 200
    assert second.status_code == 401
    assert 'error="invalid_dpop_proof"' in second.headers["www-authenticate"]
    assert second.headers["cache-control"] == "no-store"
    assert "data" not in second.json()


async def test_a_token_in_the_url_is_refused(world: World) -> None:
    """It would end up in logs on the way."""
    answer = await world.http.post(f"{ISSUER}/graphql?access_token=x", content=b"{}")

    assert (answer.status_code, "data" in answer.json()) == (400, False)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_other_methods_are_not_there(world: World, method: str) -> None:
    """Nor is any permission for other origins."""
    answer = await world.http.request(method, f"{ISSUER}/graphql", headers={"Origin": "https://elsewhere.example"})

    assert answer.status_code == 405
    assert answer.headers["cache-control"] == "no-store"
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", ["/graphql/", "/oauth/token/", "/elsewhere", "//elsewhere.example/graphql"])
async def test_nobody_is_sent_anywhere_else(world: World, path: str) -> None:
    """A slash too many is not found, and no answer repeats the Host header, which anybody may set."""
    answer = await world.http.post(f"{ISSUER}{path}", headers={"Host": "elsewhere.example"})

    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"

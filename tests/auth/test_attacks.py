"""Attacks on the endpoints that no other file here is about: strangers who count the work, mixed-up answers, nonces."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from auth.access_token import resource_id
from tests.auth.app import CALLBACK, INTROSPECT_URL, PAR_URL, REVOKE_URL, VERIFIER, App, make_app
from tests.auth.kit import ISSUER, TOKEN_URL, World, ec_key, opened, signed

ENDPOINTS: dict[str, tuple[str, dict[str, str]]] = {
    "client_credentials": (TOKEN_URL, {"grant_type": "client_credentials"}),
    "code": (TOKEN_URL, {"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}),
    "refresh": (TOKEN_URL, {"grant_type": "refresh_token", "refresh_token": "x"}),
    "par": (PAR_URL, {"response_type": "code", "redirect_uri": CALLBACK}),
    "revoke": (REVOKE_URL, {"token": "x"}),
    "introspect": (INTROSPECT_URL, {"token": "x"}),
}  # fmt: skip


@asynccontextmanager
async def watched(world: World) -> AsyncIterator[list[str]]:
    """Note every statement that the server sends."""
    seen: list[str] = []
    connections = [await world.pool.acquire() for _ in range(8)]
    for connection in connections:
        connection.add_query_logger(lambda record: seen.append(record.query))
    for connection in connections:
        await world.pool.release(connection)
    yield seen


@pytest.mark.parametrize("name", ENDPOINTS)
async def test_a_stranger_is_the_same_work_as_a_client_with_a_wrong_key(app: App, name: str) -> None:
    """At every endpoint: the same statements, the same answer to the byte, whether a client is unknown, disabled or somebody else."""
    url, form = ENDPOINTS[name]
    proof = {} if url in (REVOKE_URL, INTROSPECT_URL, PAR_URL) else {"proof": app.world.proof(app.proof_key)}
    await app.world.server.keys.signing()
    await app.world.register("stopped", ec_key("k"))
    await app.database.admin("update hub.client set status = 'DISABLED' where client_id = 'stopped'")
    found = []
    for client_id in ("pen-app", "nobody", "stopped", "pen-centre", "NOT AN ID", ""):
        stranger = App(app.world, app.database, app.people, app.person, app.cookie, client_id, ec_key("key-1"))
        async with watched(app.world) as seen:
            answer = await stranger.send(url, form, **proof)
        # A pool resets a connection that it takes back.
        statements = tuple(query for query in seen if "select" in query and "pg_advisory_unlock_all" not in query)
        found.append((answer.status_code, answer.content, str(sorted(answer.headers.items())), statements))

    assert len(set(found)) == 1
    assert (found[0][0], b"invalid_client" in found[0][1], len(found[0][3])) == (400, True, 1)


async def test_every_answer_says_from_whom_it_is(app: App) -> None:
    """Mix-up (RFC 9700, 4.4): issuer in the metadata, iss in each answer of the browser's, aud of assertions: one and the same text."""
    told = (await app.world.http.get(f"{ISSUER}/.well-known/oauth-authorization-server")).json()
    elsewhere = await app.send(PAR_URL, {**app.wish(), "client_assertion": app.world.assertion(key=app.key, iss=app.client_id, sub=app.client_id, aud=PAR_URL)})  # fmt: skip

    assert told["issuer"] == ISSUER
    assert told["authorization_response_iss_parameter_supported"] is True
    # An assertion made for another server, or for one endpoint, is none here.
    assert elsewhere.json()["error"] == "invalid_client"


async def test_a_token_opens_the_hub_and_no_endpoint_of_the_server(app: App) -> None:
    """Nothing that the server signs passes for an assertion, a code or a refresh token; nothing of those passes for a token."""
    tokens = await app.tokens()
    as_assertion = await app.send(PAR_URL, {**app.wish(), "client_assertion": tokens["access_token"]})
    as_refresh = await app.refresh(tokens["access_token"])
    as_code = await app.redeem(tokens["refresh_token"])
    as_token = await app.world.ask_with(tokens["refresh_token"], app.world.proof(app.proof_key, token=tokens["refresh_token"]))  # fmt: skip
    assertion = app.world.assertion(key=app.key, iss=app.client_id, sub=app.client_id, aud=resource_id(ISSUER))
    as_bearer = await app.world.ask_with(assertion, app.world.proof(app.proof_key, token=assertion))

    assert as_assertion.json()["error"] == "invalid_client"
    assert [answer.json()["error"] for answer in (as_refresh, as_code)] == ["invalid_grant"] * 2
    assert [answer.status_code for answer in (as_token, as_bearer)] == [401, 401]


async def test_a_person_in_the_token_is_the_person_for_the_hub(app: App) -> None:
    """And a machine whose token says nothing of a person is none, whatever its id looks like."""
    tokens = await app.tokens()
    person = await app.world.ask_with(tokens["access_token"], app.world.proof(app.proof_key, token=tokens["access_token"]))  # fmt: skip
    machine = await app.world.token(key := ec_key())
    alone = await app.world.ask_with(machine, app.world.proof(key, token=machine))

    assert (person.json()["user"], alone.json()["user"]) == (app.person.user, None)
    assert "auth_time" not in opened(machine)


async def test_a_persons_token_is_bound_like_any_other(app: App) -> None:
    """As Bearer, with another key, or with a name put into it: refused."""
    token = (await app.tokens())["access_token"]
    header, _, signature = token.split(".")
    forged = ".".join([header, signed({}, {**opened(token), "sub": "somebody"}, ec_key()).split(".")[1], signature])
    answers = [
        await app.world.ask_with(token, app.world.proof(app.proof_key, token=token), "Bearer"),
        await app.world.ask_with(token, app.world.proof(ec_key(), token=token)),
        await app.world.ask_with(forged, app.world.proof(app.proof_key, token=forged)),
    ]

    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(401, "invalid_token")] * 3


async def test_a_nonce_is_asked_for_where_a_proof_is_pushed(nonce_world: World, database: Any) -> None:
    """RFC 9449, 8 and 10.1: the pushed proof needs one; who names the key by its thumbprint sends no proof, and needs none."""
    app = await make_app(nonce_world, database, nonce_world.app.state.people)
    first = await app.send(PAR_URL, app.wish(dpop_jkt=None), proof=nonce_world.proof(app.proof_key, htu=PAR_URL))
    nonce = first.headers["dpop-nonce"]
    second = await app.send(PAR_URL, app.wish(dpop_jkt=None), proof=nonce_world.proof(app.proof_key, htu=PAR_URL, nonce=nonce))  # fmt: skip
    named = await app.push()

    assert (first.status_code, first.json()["error"]) == (400, "use_dpop_nonce")
    assert (second.status_code, named.status_code) == (201, 201)
    # The next one comes with the answer, so that nobody has to be refused again.
    assert second.headers["dpop-nonce"]


async def test_a_code_and_a_refresh_need_a_nonce_as_well(nonce_world: World, database: Any) -> None:
    """Being told to send one uses neither up."""
    app = await make_app(nonce_world, database, nonce_world.app.state.people)
    form = {"grant_type": "authorization_code", "code": await app.code(), "redirect_uri": CALLBACK, "code_verifier": VERIFIER}  # fmt: skip
    asked = await app.send(TOKEN_URL, form, proof=nonce_world.proof(app.proof_key))
    nonce = asked.headers["dpop-nonce"]
    given = await app.send(TOKEN_URL, form, proof=nonce_world.proof(app.proof_key, nonce=nonce))
    form = {"grant_type": "refresh_token", "refresh_token": given.json()["refresh_token"]}
    again = await app.send(TOKEN_URL, form, proof=nonce_world.proof(app.proof_key))
    refreshed = await app.send(TOKEN_URL, form, proof=nonce_world.proof(app.proof_key, nonce=nonce))

    assert asked.json()["error"] == again.json()["error"] == "use_dpop_nonce"
    assert (given.status_code, refreshed.status_code) == (200, 200)

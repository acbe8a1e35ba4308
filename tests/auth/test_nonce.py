"""DPoP nonces, where they are switched on; and the client kit, which follows them."""

import json

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from auth.client import Credentials, HubClient, over_aiohttp
from auth.nonce import Nonces
from tests.auth.kit import GRAPHQL_URL, ISSUER, TOKEN_URL, World, ec_key


async def test_without_a_nonce_both_sides_ask_for_one(nonce_world: World) -> None:
    """RFC 9449, 8 and 9: 400 at the token endpoint, 401 with a challenge at the resource, each with a nonce to use."""
    key = ec_key()
    at_server = await nonce_world.ask_token()
    nonce = at_server.headers["dpop-nonce"]
    granted = await nonce_world.ask_token(proof=nonce_world.proof(key, nonce=nonce))
    token = granted.json()["access_token"]
    at_resource = await nonce_world.ask_with(token, nonce_world.proof(key, token=token))
    other = at_resource.headers["dpop-nonce"]
    answered = await nonce_world.ask_with(token, nonce_world.proof(key, token=token, nonce=other))

    assert (at_server.status_code, at_server.json()["error"]) == (400, "use_dpop_nonce")
    assert (at_resource.status_code, at_resource.json()["error"]) == (401, "use_dpop_nonce")
    assert 'error="use_dpop_nonce"' in at_resource.headers["www-authenticate"]
    assert (granted.status_code, answered.status_code) == (200, 200)
    assert "dpop-nonce" in granted.headers


async def test_a_nonce_serves_both_sides(nonce_world: World) -> None:
    """To a client they are one server, and it keeps one nonce: RFC 9449, 8.2. One made with another key is none."""
    key = ec_key()
    nonce = (await nonce_world.ask_token()).headers["dpop-nonce"]
    granted = await nonce_world.ask_token(proof=nonce_world.proof(key, nonce=nonce))
    token = granted.json()["access_token"]
    answered = await nonce_world.ask_with(token, nonce_world.proof(key, token=token, nonce=nonce))
    foreign = Nonces(nonce_world.keyring.subkey("nonce/form"), nonce_world.clock).issue()
    refused = await nonce_world.ask_token(proof=nonce_world.proof(key, nonce=foreign))

    assert (granted.status_code, answered.status_code) == (200, 200)
    assert refused.json()["error"] == "use_dpop_nonce"


async def test_the_client_kit_follows_a_nonce(nonce_world: World) -> None:
    """It retries once and remembers the nonce for the next request."""
    client = nonce_world.client()

    first = await client.graphql("{ viewer { clientId } }", purpose="AUDIT")
    second = await client.graphql("{ viewer { clientId } }")

    assert (first.status, json.loads(first.body)["purpose"]) == (200, "AUDIT")
    assert (second.status, json.loads(second.body)["purpose"]) == (200, "REFERRAL")


async def test_the_client_kit_works_over_aiohttp(unused_tcp_port: int) -> None:
    """The same kit sends through an aiohttp session."""

    async def answer(request: web.Request) -> web.Response:
        assert request.headers["DPoP"]
        if request.path == "/oauth/token":
            return web.json_response({"access_token": "t", "expires_in": 600, "scope": "cases:read"})
        return web.json_response({"sent": request.headers["Authorization"]})

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    here = f"http://127.0.0.1:{unused_tcp_port}"
    credentials = Credentials(
        "pen-centre", ec_key().as_dict(private=True), here, f"{here}/oauth/token", f"{here}/graphql"
    )
    async with aiohttp.ClientSession() as session:
        reply = await HubClient(credentials, over_aiohttp(session)).graphql("{ viewer { clientId } }")
    await runner.cleanup()

    assert json.loads(reply.body) == {"sent": "DPoP t"}


def test_credentials_are_read_from_an_entry_of_the_demo() -> None:
    """What else the entry says is left aside, and the key is not in the repr."""
    entry = {
        "name": "pen-centre",
        "client_id": "pen-centre",
        "private_jwk": ec_key().as_dict(private=True),
        "issuer": ISSUER,
        "token_url": TOKEN_URL,
        "graphql_url": GRAPHQL_URL,
    }

    credentials = Credentials.of(entry)

    assert (credentials.client_id, credentials.graphql_url) == ("pen-centre", GRAPHQL_URL)
    assert "private_jwk" not in repr(credentials)


@pytest.mark.parametrize(("age", "good"), [(-2, False), (-1, True), (0, True), (60, True), (61, False)])
def test_a_nonce_is_good_for_a_minute(age: int, good: bool) -> None:  # noqa: FBT001
    """Later, or from a future further than clocks differ, it is not."""
    made = Nonces(b"k", lambda: 1000).issue()

    assert Nonces(b"k", lambda: 1000 + age).valid(made) is good


@given(st.text())
def test_no_other_text_is_a_nonce(text: str) -> None:
    """Nothing but what the key made is taken, and nothing raises."""
    assert not Nonces(b"k", lambda: 1000).valid(text)

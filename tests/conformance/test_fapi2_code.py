"""People's authorization requests against the FAPI 2.0 Security Profile, and what becomes of them: see test_fapi2.py."""

import asyncio

import pytest

from auth.clients import RegistrationRefusedError, set_use
from auth.grants import CODE_LIFETIME, REFRESH_LIFETIME
from tests.auth.app import CALLBACK, PAR_URL, VERIFIER, App
from tests.auth.kit import ec_key
from tests.conformance.asking import about, ask, error


@pytest.mark.parametrize(
    "place", ["https://attacker.example/", f"{CALLBACK}/", f"{CALLBACK}?x=1", f"{CALLBACK}#x", "//attacker.example", ""]
)
async def test_a7_nobody_is_sent_anywhere_but_where_the_client_registered(app: App, place: str) -> None:
    """Letter for letter. What is asked for otherwise is refused before any browser is involved."""
    answer = await app.push(redirect_uri=place)

    assert (answer.status_code, error(answer)) == (400, "invalid_request")
    assert "location" not in answer.headers


async def test_a9_a_refresh_token_is_not_rotated(app: App) -> None:
    """It stays the same as long as it lives, is good with its client's key and the key of its tokens alone, and ends."""
    refresh = (await app.tokens())["refresh_token"]
    again = [await app.refresh(refresh) for _ in range(2)]
    other_key = await app.refresh(refresh, proof_key=ec_key())
    app.world.clock.now += REFRESH_LIFETIME
    late = await app.refresh(refresh)

    assert [answer.status_code for answer in again] == [200, 200]
    assert not any(answer.json().get("refresh_token", refresh) != refresh for answer in again)
    assert [error(other_key), error(late)] == ["invalid_grant", "invalid_grant"]


async def test_a11_a_code_lives_a_minute(app: App) -> None:
    """Sixty seconds, and not one more."""
    code = await app.code()
    app.world.clock.now += 60

    assert CODE_LIFETIME == 60
    assert error(await app.redeem(code)) == "invalid_grant"


async def test_a12_a_code_is_bound_to_the_key_of_the_app_that_asked(app: App) -> None:
    """By a proof or by dpop_jkt, from the first request on: without either there is no request, with another key no token."""
    neither = await app.push(dpop_jkt=None)
    by_proof = await app.send(PAR_URL, app.wish(dpop_jkt=None), proof=app.world.proof(app.proof_key, htu=PAR_URL))
    at_odds = await app.send(PAR_URL, app.wish(), proof=app.world.proof(ec_key(), htu=PAR_URL))
    stolen = await app.redeem(await app.code(), proof_key=ec_key())

    assert [answer.status_code for answer in (neither, by_proof, at_odds)] == [400, 201, 400]
    assert error(stolen) == "invalid_grant"


@pytest.mark.parametrize("wanted", ["token", "id_token", "code id_token", "none", ""])
async def test_f1_the_only_response_is_a_code(app: App, wanted: str) -> None:
    """Nothing that is good for anything ever travels through a browser."""
    assert error(await app.push(response_type=wanted)) == "unsupported_response_type"
    assert (await about(app.world))["response_types_supported"] == ["code"]


async def test_f2_f4_requests_are_pushed_by_clients_that_show_who_they_are(app: App) -> None:
    """RFC 9126; whoever cannot sign is told no more than that."""
    anonymous = await app.world.send(PAR_URL, "response_type=code&client_id=pen-app")
    forged = await app.send(
        PAR_URL, app.wish(client_assertion=app.world.assertion(key=ec_key("pen-app-key"), iss="pen-app", sub="pen-app"))
    )
    told = await about(app.world)

    assert (await app.push()).status_code == 201
    assert [error(anonymous), error(forged)] == ["invalid_request", "invalid_client"]
    assert told["pushed_authorization_request_endpoint"] == PAR_URL
    assert told["require_pushed_authorization_requests"] is True


async def test_f5_pkce_is_needed_and_by_s256(app: App) -> None:
    """No challenge, a plain one, none or another verifier: nothing is given."""
    asked = [
        await app.push(code_challenge=None),
        await app.push(code_challenge_method="plain"),
        await app.push(code_challenge_method=None),
    ]
    redeemed = [
        await app.redeem(await app.code(), code_verifier=verifier) for verifier in ("w" * 43, "", VERIFIER[:-1])
    ]

    assert [error(answer) for answer in asked] == ["invalid_request"] * 3
    assert [error(answer) for answer in redeemed] == ["invalid_grant"] * 3
    assert (await about(app.world))["code_challenge_methods_supported"] == ["S256"]


async def test_f6_a_request_says_where_its_answer_goes(app: App) -> None:
    """Even where a client has registered one place only."""
    assert error(await app.push(redirect_uri=None)) == "invalid_request"


@pytest.mark.parametrize(
    "place", ["http://app.pen.example/callback", "http://localhost/callback", "app:/callback", "javascript:alert(1)//"]
)
async def test_f8_no_place_is_registered_that_is_not_https(app: App, place: str) -> None:
    """But for the person's own machine, by its address."""
    with pytest.raises(RegistrationRefusedError, match="redirect_uris: number 1"):
        await set_use(app.world.pool, app.client_id, redirect_uris=[place])
    await set_use(app.world.pool, app.client_id, redirect_uris=["http://127.0.0.1/callback"])


async def test_f9_a_code_is_good_once(app: App) -> None:
    """Of several that come with it at the same moment one succeeds; and since one of them stole it, nothing of it is left."""
    code = await app.code()
    answers = await asyncio.gather(*(app.redeem(code) for _ in range(4)))
    won = [answer for answer in answers if answer.status_code == 200]
    tokens = won[0].json()

    assert len(won) == 1
    assert {error(answer) for answer in answers if answer not in won} == {"invalid_grant"}
    assert (await ask(app.world, tokens["access_token"], app.proof_key)).status_code == 401
    assert error(await app.refresh(tokens["refresh_token"])) == "invalid_grant"


async def test_f12_a_pushed_request_lives_a_minute_and_a_half(app: App) -> None:
    """Far less than ten minutes; then nobody can approve it."""
    request_uri = await app.pushed()
    lifetime = (await app.push()).json()["expires_in"]
    app.world.clock.now += lifetime

    assert lifetime == 90
    assert not await app.world.server.grants.opened(app.client_id, request_uri, app.person)

"""People's authorization requests against the FAPI 2.0 Security Profile, and what becomes of them: see test_fapi2.py."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from auth.clients import RegistrationRefusedError, set_use
from auth.grants import CODE_LIFETIME, REFRESH_LIFETIME
from auth.metadata import AUTHORIZE_PATH
from auth.people.cookies import SESSION
from auth.scopes import Scope
from tests.auth.app import CALLBACK, PAR_URL, VERIFIER, App
from tests.auth.kit import ISSUER, TOKEN_URL, ec_key
from tests.auth.people.browser import Browser
from tests.conformance.asking import about, ask, error


@pytest.fixture
async def sara(app: App) -> AsyncIterator[Browser]:
    """The browser in which Sara is signed in."""
    transport = httpx2.ASGITransport(app=app.world.app)
    async with httpx2.AsyncClient(transport=transport, cookies={SESSION: app.cookie}) as http:
        yield Browser(http)


@pytest.mark.parametrize(
    "place", ["https://attacker.example/", f"{CALLBACK}/", f"{CALLBACK}?x=1", f"{CALLBACK}#x", "//attacker.example", ""]
)
async def test_a7_nobody_is_sent_anywhere_but_where_the_client_registered(app: App, place: str) -> None:
    """Letter for letter. What is asked for otherwise is refused before any browser is involved."""
    answer = await app.push(redirect_uri=place)

    assert (answer.status_code, error(answer)) == (400, "invalid_request")
    assert "location" not in answer.headers


async def test_a4_a5_neither_a_code_nor_a_refresh_token_gives_anything_without_a_proof(app: App) -> None:
    """And revoked, what they gave opens nothing (R3)."""
    forms = (
        {"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK, "code_verifier": VERIFIER},
        {"grant_type": "refresh_token", "refresh_token": "x"},
    )
    refused = [error(await app.send(TOKEN_URL, form)) for form in forms]
    token = (await app.tokens())["access_token"]
    before = await ask(app.world, token, app.proof_key)
    await app.revoke(token)
    after = await ask(app.world, token, app.proof_key)

    assert refused == ["invalid_dpop_proof", "invalid_dpop_proof"]
    assert [before.status_code, after.status_code] == [200, 401]


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


async def test_a7_f3_a_browser_without_a_pushed_request_is_sent_nowhere(app: App, sara: Browser) -> None:
    """Whatever its URL says, which client it names and where it would like to go, it is told so and stays here."""
    request_uri = await app.pushed()
    known = {"client_id": app.client_id, "request_uri": request_uri}
    wish = {**app.wish(), "redirect_uri": "https://attacker.example/"}
    attempts = [app.wish(), wish, {**known, "redirect_uri": wish["redirect_uri"]}, {"client_id": app.client_id}]
    attempts += [{**known, "client_id": "pen-centre"}, {**known, "request_uri": "https://attacker.example/request"}]
    answers = [await sara.http.get(f"{ISSUER}{AUTHORIZE_PATH}?{urlencode(attempt)}") for attempt in attempts]

    assert [answer.status_code for answer in answers] == [400] * len(attempts)
    assert not any("location" in answer.headers or "attacker" in answer.text for answer in answers)


async def test_f7_f10_f11_f13_a_person_knows_who_asks_for_what_and_the_app_who_answers(app: App, sara: Browser) -> None:
    """The page names app, organisation, place and every scope in words; the answer goes back by 303, with `iss` (RFC 9207) and state."""
    page = await sara.open(authorize(app, await app.pushed()))
    answer = await sara.send(sara.form(AUTHORIZE_PATH), answer="yes")
    told = parse_qs(urlsplit(answer.headers["location"]).query)
    signed_out = await app.world.http.get(ISSUER + authorize(app, await app.pushed()))

    for words in (
        "pen-app",
        "Northlight PEN Centre",
        "app.pen.example",
        Scope.CASES_READ.description,
        Scope.REFERRALS_READ.description,
    ):
        assert words in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert [answer.status_code, signed_out.status_code] == [303, 303]
    assert answer.headers["location"].startswith(f"{CALLBACK}?")
    assert (told["iss"], told["state"], set(told)) == ([ISSUER], ["state-1"], {"code", "state", "iss"})
    assert (await about(app.world))["authorization_response_iss_parameter_supported"] is True


async def test_f12_a_pushed_request_is_good_once_and_for_a_minute_and_a_half(app: App, sara: Browser) -> None:
    """It counts when it is answered, not when its page is loaded; and it ends far sooner than after ten minutes."""
    once, late = await app.pushed(), await app.push()
    for _ in range(3):
        assert (await sara.open(authorize(app, once))).status_code == 200
    form = sara.form(AUTHORIZE_PATH)
    first, second = [await sara.send(form, answer="yes") for _ in range(2)]
    app.world.clock.now += late.json()["expires_in"]

    assert "code=" in first.headers["location"]
    assert "code=" not in second.headers["location"]
    assert late.json()["expires_in"] == 90
    assert (await sara.open(authorize(app, late.json()["request_uri"]))).status_code == 400


def authorize(app: App, request_uri: str) -> str:
    """Return where the app sends the browser: with its name and the request's, and nothing else."""
    return f"{AUTHORIZE_PATH}?{urlencode({'client_id': app.client_id, 'request_uri': request_uri})}"

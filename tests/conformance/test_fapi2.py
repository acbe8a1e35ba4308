"""The FAPI 2.0 Security Profile (Final, February 2025), row by row: self-tested against it, and certified by nobody.

Each test is one requirement, named by its row: N for all parties, A and F for the authorization server (5.3.2.1 and 5.3.2.2), C for
clients (5.3.3), R for resource servers (5.3.4), K for keys and algorithms (5.4): those three in the file beside this one. Attacks in
depth are tested in tests/auth.
"""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from auth.clients import RegistrationRefusedError, set_use
from auth.metadata import checked_issuer
from auth.scopes import Scope
from tests.auth.app import CALLBACK, PAR_URL, VERIFIER, App
from tests.auth.kit import ISSUER, TOKEN_URL, World, ec_key, opened
from tests.auth.people.browser import Browser

AUTHORIZE = f"{ISSUER}/oauth/authorize"
ABOUT = f"{ISSUER}/.well-known/oauth-authorization-server"
NOT_OURS = {
    "C6-8": "the client kit is given its endpoints with its key; libraries that discover them are the client's own choice",
    "C9-12": "the client kit is for machines; what an app must do is told in the README, and refused here when it is not done",
}
"""Rows that ask something of clients that the hub does not ship."""


def error(answer: httpx2.Response) -> tuple[int, str]:
    """Give an answer's status and OAuth error."""
    return answer.status_code, str(answer.json()["error"])


async def browser(app: App) -> Browser:
    """Give the browser of somebody who was invited, joined, and is signed in."""
    sara = Browser(httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app.world.app)))
    invited = await app.people.invitations.invite(
        organisation=app.world.organisation, email="s@pen.example", name="Sara", roles=["PARTNER_STAFF"], scopes=["cases:read"]
    )  # fmt: skip
    await sara.join(invited.link(ISSUER))
    return sara


async def answered(app: App, sara: Browser, request_uri: str, answer: str = "yes") -> httpx2.Response:
    """Open the page of a request, and answer it."""
    page = await sara.open(f"/oauth/authorize?{urlencode({'client_id': app.client_id, 'request_uri': request_uri})}")
    assert page.status_code == 200, page.text
    return await sara.send(sara.form("/oauth/authorize"), answer=answer)


async def test_n1_tls_only_hsts_and_no_cors_where_people_are_asked(app: App) -> None:
    """The issuer is https but on loopback; the proxy that is shipped says HSTS; no page lets another origin read it."""
    with pytest.raises(ValueError, match="https"):
        checked_issuer("http://hub.example")
    proxy = await asyncio.to_thread((Path(__file__).parents[2] / "deploy" / "Caddyfile").read_text)
    page = await app.world.http.get(AUTHORIZE, headers={"origin": "https://attacker.example"})

    assert "Strict-Transport-Security" in proxy
    assert not [name for name in page.headers if name.startswith("access-control-")]


async def test_a1_the_metadata_lead_to_everything(world: World) -> None:
    """RFC 8414: discovery finds the issuer it asked, and its endpoints."""
    about = (await world.http.get(ABOUT)).json()

    assert about["issuer"] == ISSUER
    assert {about["token_endpoint"], about["pushed_authorization_request_endpoint"]} == {TOKEN_URL, PAR_URL}


async def test_a2_no_password_grant(world: World) -> None:
    """It is not among the grants, and is refused."""
    assert error(await world.ask_token(grant_type="password")) == (400, "unsupported_grant_type")


async def test_a3_confidential_clients_only(app: App) -> None:
    """Without authentication, or by a secret, there is no client."""
    public = await app.world.send(TOKEN_URL, urlencode({"grant_type": "authorization_code", "client_id": app.client_id, "code": await app.code(), "redirect_uri": CALLBACK, "code_verifier": VERIFIER}))  # fmt: skip
    secret = await app.send(TOKEN_URL, {"grant_type": "client_credentials", "client_secret": "x"}, proof=app.world.proof(ec_key()))  # fmt: skip

    assert [error(public), error(secret)] == [(400, "invalid_request")] * 2


async def test_a4_5_only_sender_constrained_tokens_by_dpop(app: App) -> None:
    """No grant gives a token without a proof; each token names the key it is bound to."""
    form = {"grant_type": "authorization_code", "code": await app.code(), "redirect_uri": CALLBACK, "code_verifier": VERIFIER}  # fmt: skip
    for without in (form, {"grant_type": "client_credentials"}, {"grant_type": "refresh_token", "refresh_token": "x"}):
        assert error(await app.send(TOKEN_URL, without)) == (400, "invalid_dpop_proof")
    token = await app.tokens()

    assert token["token_type"] == "DPoP"
    assert opened(token["access_token"])["cnf"] == {"jkt": app.proof_key.thumbprint()}


async def test_a6_private_key_jwt_at_every_endpoint(world: World) -> None:
    """No other method is told or taken."""
    about = (await world.http.get(ABOUT)).json()

    assert {tuple(v) for k, v in about.items() if k.endswith("_auth_methods_supported")} == {("private_key_jwt",)}


async def test_a7_no_open_redirector(app: App) -> None:
    """Nothing that a URL says is where a browser goes."""
    asked = {"client_id": app.client_id, "redirect_uri": "https://attacker.example/", "response_type": "code"}
    answers = [
        await app.world.http.get(AUTHORIZE, params=asked),
        await app.world.http.get(AUTHORIZE, params={**asked, "request_uri": await app.pushed()}),
        await app.push(redirect_uri="https://attacker.example/"),
    ]

    assert [answer.status_code for answer in answers] == [400] * 3
    assert not [answer for answer in answers if "location" in answer.headers]


@pytest.mark.parametrize("aud", [TOKEN_URL, PAR_URL, [ISSUER], [ISSUER, TOKEN_URL], f"{ISSUER}/", None])
async def test_a8_the_audience_is_the_issuer_as_one_text(world: World, aud: object) -> None:
    """Neither a list nor an endpoint's address."""
    assert error(await world.ask_token(world.assertion(aud=aud))) == (400, "invalid_client")


async def test_a9_refresh_tokens_are_not_rotated(app: App) -> None:
    """The same one goes on, bound and expiring."""
    refresh = (await app.tokens())["refresh_token"]
    answers = [await app.refresh(refresh) for _ in range(2)]

    assert [(answer.status_code, "refresh_token" in answer.json()) for answer in answers] == [(200, False)] * 2


async def test_a10_a_nonce_may_be_asked_for(nonce_world: World) -> None:
    """And is given with the refusal."""
    answer = await nonce_world.ask_token()

    assert error(answer) == (400, "use_dpop_nonce")
    assert answer.headers["dpop-nonce"]


async def test_a11_a_code_lives_a_minute(app: App) -> None:
    """Not a second more."""
    code = await app.code()
    app.world.clock.now += 60

    assert error(await app.redeem(code)) == (400, "invalid_grant")


async def test_a12_a_code_is_bound_to_the_key_of_the_proofs(app: App) -> None:
    """By its thumbprint or by a proof, and never by neither."""
    by_proof = await app.send(PAR_URL, app.wish(dpop_jkt=None), proof=app.world.proof(app.proof_key, htu=PAR_URL))
    neither = await app.push(dpop_jkt=None)

    assert by_proof.status_code == 201
    assert error(neither) == (400, "invalid_request")
    assert error(await app.redeem(await app.code(), proof_key=ec_key())) == (400, "invalid_grant")


@pytest.mark.parametrize("claim", ["iat", "nbf"])
@pytest.mark.parametrize(("ahead", "status"), [(0, 200), (10, 200), (61, 400)])
async def test_a13_clocks_may_differ_a_little(world: World, claim: str, ahead: int, status: int) -> None:
    """Ten seconds in the future are taken, more than sixty are not."""
    times: dict[str, Any] = {claim: int(world.clock()) + ahead}
    assertion = world.assertion(**times)

    assert (await world.ask_token(assertion)).status_code == status


async def test_a14_a_token_says_no_more_than_was_asked_for(app: App) -> None:
    """What was requested, of what client, person and agreements allow."""
    assert (await app.tokens(scope="cases:read statistics:read"))["scope"] == "cases:read"


async def test_f1_response_type_code_only(app: App) -> None:
    """Neither implicit nor hybrid."""
    for response_type in ("token", "id_token", "code id_token", "code token", "none"):
        assert error(await app.push(response_type=response_type)) == (400, "unsupported_response_type")


async def test_f2_par_is_supported(app: App) -> None:
    """RFC 9126."""
    assert (await app.push()).status_code == 201


async def test_f3_no_request_without_par(app: App) -> None:
    """A whole request in a URL is none."""
    assert (await app.world.http.get(AUTHORIZE, params=app.wish())).status_code == 400


async def test_f4_no_pushed_request_without_authentication(app: App) -> None:
    """Whoever the form says it is."""
    assert error(await app.world.http.post(PAR_URL, data=app.wish())) == (400, "invalid_request")


async def test_f5_pkce_by_s256(app: App) -> None:
    """Neither without nor plain; and the verifier is asked for."""
    for changes in ({"code_challenge": None}, {"code_challenge_method": "plain"}, {"code_challenge_method": None}):
        assert error(await app.push(**changes)) == (400, "invalid_request")
    assert error(await app.redeem(await app.code(), code_verifier="w" * 43)) == (400, "invalid_grant")


async def test_f6_a_redirect_uri_is_needed(app: App) -> None:
    """In the pushed request, also of a client that has registered one only."""
    assert error(await app.push(redirect_uri=None)) == (400, "invalid_request")


async def test_f7_the_answer_says_from_whom_it_is(app: App) -> None:
    """RFC 9207, for a yes and for a no."""
    sara = await browser(app)
    for answer in ("yes", "no"):
        went = await answered(app, sara, await app.pushed(), answer)
        assert parse_qs(urlsplit(went.headers["location"]).query)["iss"] == [ISSUER]


async def test_f8_no_plain_http_to_return_to(app: App) -> None:
    """But on the person's own machine."""
    with pytest.raises(RegistrationRefusedError):
        await set_use(app.world.pool, app.client_id, redirect_uris=["http://app.pen.example/callback"])
    await set_use(app.world.pool, app.client_id, redirect_uris=["http://127.0.0.1/callback"])


async def test_f9_a_code_is_good_once(app: App) -> None:
    """The second time it is none."""
    code = await app.code()

    assert [(await app.redeem(code)).status_code for _ in range(2)] == [200, 400]


async def test_f10_11_redirects_are_303(app: App) -> None:
    """Never 307, which would send a form on."""
    sara = await browser(app)
    went = [await answered(app, sara, await app.pushed(), answer) for answer in ("yes", "no")]

    assert [answer.status_code for answer in went] == [303, 303]


async def test_f12_a_request_uri_is_good_for_a_minute_and_a_half_and_one_answer(app: App) -> None:
    """Looking at it uses nothing up (note 3)."""
    told, sara = (await app.push()).json(), await browser(app)
    for _ in range(2):
        await sara.open(f"/oauth/authorize?{urlencode({'client_id': app.client_id, 'request_uri': told['request_uri']})}")  # fmt: skip
    form = sara.form("/oauth/authorize")
    went = [await sara.send(form, answer="yes") for _ in range(2)]

    assert told["expires_in"] < 600
    assert [urlsplit(answer.headers["location"]).netloc for answer in went] == ["app.pen.example", ""]


async def test_f13_the_page_shows_the_client_and_the_scopes(app: App) -> None:
    """In plain words."""
    sara = await browser(app)
    await answered(app, sara, await app.pushed(), "no")
    page = await sara.open(
        f"/oauth/authorize?{urlencode({'client_id': app.client_id, 'request_uri': await app.pushed()})}"
    )

    assert "pen-app" in page.text
    assert Scope.CASES_READ.description in page.text


def test_every_row_is_here_or_named_as_another_partys() -> None:
    """Nobody has to wonder about a row that is not."""
    text = "".join(file.read_text() for file in Path(__file__).parent.glob("test_fapi2*.py"))
    rows = ["n1", "a1", "a2", "a3", "a4_5", *(f"a{n}" for n in range(6, 15)), *(f"f{n}" for n in range(1, 10)), "f10_11", "f12", "f13", "c1_5", "r1_2", "r3_5", "k1", "k2", "k3"]  # fmt: skip

    assert [row for row in rows if f"def test_{row}_" not in text] == []
    assert set(NOT_OURS) == {"C6-8", "C9-12"}

"""The authorization server against the FAPI 2.0 Security Profile, requirement by requirement: self-tested, certified by nobody.

Each test is named by what it is about: N all, A authorization server. R resource server and K cryptography are in
test_fapi2_resource.py, F people's authorization requests in test_fapi2_code.py, C clients in test_fapi2_clients.py.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OctKey

from auth.access_token import LIFETIME
from auth.clients import RegistrationRefusedError
from auth.metadata import checked_issuer
from tests.auth.kit import (
    GRAPHQL_URL,
    ISSUER,
    SCOPES,
    TOKEN_URL,
    World,
    ec_key,
    opened,
    resigned,
)
from tests.conformance.asking import about, ask, error

CADDYFILE = (Path(__file__).parents[2] / "deploy" / "Caddyfile").read_text()


def test_n1_everything_goes_over_tls_and_is_told_to_stay_there() -> None:
    """TLS 1.2 or newer (what the proxy does unless told otherwise, and nothing tells it), HSTS for two years, https as issuer."""
    sites = re.findall(r"^(\S.*?) \{$", CADDYFILE, re.MULTILINE)

    assert sites == ["{$DOMAIN}", "http://127.0.0.1:2020"]
    assert not re.search(r"auto_https|\btls\b|protocols|ciphers|curves", CADDYFILE)
    assert 'Strict-Transport-Security "max-age=63072000; includeSubDomains"' in CADDYFILE
    with pytest.raises(ValueError, match="https"):
        checked_issuer("http://hub.example.org")


async def test_n1_no_page_of_another_origin_may_read_an_answer(hub: World) -> None:
    """No endpoint speaks CORS: not in a preflight, not in an answer."""
    origin = {"origin": "https://attacker.example", "access-control-request-method": "POST"}
    urls = {url for name, url in (await about(hub)).items() if name.endswith(("_endpoint", "_uri"))} | {GRAPHQL_URL}
    for url in urls:
        for method in ("OPTIONS", "GET", "POST"):
            answer = await hub.http.request(method, url, headers=origin)
            assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_a1_metadata_are_published_under_the_issuer(hub: World) -> None:
    """RFC 8414: the document names its issuer, and every endpoint in it is the issuer's own and is there."""
    told = await about(hub)
    endpoints = {url for name, url in told.items() if name.endswith(("_endpoint", "_uri"))}

    assert told["issuer"] == ISSUER
    assert {TOKEN_URL, f"{ISSUER}/oauth/jwks"} <= endpoints
    assert all(url.startswith(f"{ISSUER}/") for url in endpoints)
    assert 404 not in [(await hub.http.request("OPTIONS", url)).status_code for url in endpoints]


async def test_a2_the_password_grant_is_refused(hub: World) -> None:
    """Nobody's password is taken, even from a client that has shown who it is."""
    answer = await hub.ask_token(grant_type="password", username="mina", password="x")

    assert error(answer) == "unsupported_grant_type"
    assert "password" not in (await about(hub))["grant_types_supported"]


async def test_a3_only_confidential_clients_are_served(hub: World) -> None:
    """Without a client's own key there is no token, and no way to register but by one."""
    anonymous = await hub.send(TOKEN_URL, "grant_type=client_credentials&client_id=pen-centre")
    with pytest.raises(RegistrationRefusedError, match="jwks"):
        await hub.register("public", hub.key, jwks={"keys": []})

    assert error(anonymous) == "invalid_request"
    assert (await about(hub))["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]


async def test_a4_a5_no_token_is_issued_that_whoever_has_it_could_use(hub: World) -> None:
    """Every token is bound to the key of a DPoP proof; without a proof there is none."""
    key = ec_key()
    without = await hub.http.post(
        TOKEN_URL, data={"grant_type": "client_credentials", "client_assertion_type": "x", "client_assertion": "y"}
    )
    answer = await hub.ask_token(proof=hub.proof(key))

    assert error(without) == "invalid_dpop_proof"
    assert answer.json()["token_type"] == "DPoP"
    assert opened(answer.json()["access_token"])["cnf"] == {"jkt": key.thumbprint()}


async def test_a6_clients_prove_themselves_by_a_private_key_alone(hub: World) -> None:
    """A secret, in whatever dress, is refused; a signature by the registered key is taken."""
    basic = await hub.send(TOKEN_URL, "grant_type=client_credentials", authorization="Basic cGVuOng=")
    post = await hub.send(TOKEN_URL, "grant_type=client_credentials&client_id=pen-centre&client_secret=x")
    jwt = await hub.ask_token(resigned(hub.assertion(), OctKey.generate_key(256).raw_value, alg="HS256"))

    methods = {tuple(told) for name, told in (await about(hub)).items() if name.endswith("_auth_methods_supported")}

    assert methods == {("private_key_jwt",)}
    assert [error(answer) for answer in (basic, post, jwt)] == ["invalid_request", "invalid_request", "invalid_client"]
    assert (await hub.ask_token()).status_code == 200


@pytest.mark.parametrize("audience", [TOKEN_URL, [ISSUER], [ISSUER, TOKEN_URL], f"{ISSUER}/", GRAPHQL_URL])
async def test_a8_the_audience_of_an_assertion_is_the_issuer_as_one_text(hub: World, audience: Any) -> None:
    """What is meant for another server, or for several, is not taken."""
    assert error(await hub.ask_token(hub.assertion(aud=audience))) == "invalid_client"
    assert (await hub.ask_token(hub.assertion(aud=ISSUER))).status_code == 200


@pytest.mark.parametrize("hub", [True], indirect=True)
async def test_a10_a_proof_may_be_made_to_carry_the_servers_nonce(hub: World) -> None:
    """At the token endpoint and at the resource, for a minute; each refusal brings the nonce that is wanted."""
    key = ec_key()
    wanted = await hub.ask_token(proof=hub.proof(key))
    nonce = wanted.headers["dpop-nonce"]
    answer = await hub.ask_token(proof=hub.proof(key, nonce=nonce))
    token = answer.json()["access_token"]
    without = await ask(hub, token, key)
    with_it = await ask(hub, token, key, dpop=hub.proof(key, token=token, nonce=nonce))
    hub.clock.now += 61
    late = await ask(hub, token, key, dpop=hub.proof(key, token=token, nonce=nonce))

    assert (wanted.status_code, error(wanted)) == (400, "use_dpop_nonce")
    assert 'error="use_dpop_nonce"' in without.headers["www-authenticate"]
    assert without.headers["dpop-nonce"]
    assert [with_it.status_code, late.status_code] == [200, 401]


@pytest.mark.parametrize("claim", ["iat", "nbf"])
@pytest.mark.parametrize(("ahead", "status"), [(0, 200), (10, 200), (61, 400)])
async def test_a13_a_clock_may_be_ten_seconds_fast_and_not_more_than_a_minute(
    hub: World, claim: str, ahead: int, status: int
) -> None:
    """Of assertions and of proofs alike."""
    times: dict[str, Any] = {claim: int(hub.clock()) + ahead}
    assertion = await hub.ask_token(hub.assertion(**times))
    proof = await hub.ask_token(proof=hub.proof(ec_key(), **times))

    assert [assertion.status_code, proof.status_code] == [status, status]


async def test_a14_a_token_carries_no_more_than_was_asked_and_granted(hub: World) -> None:
    """Scopes are those asked for that the client has; the audience is this hub alone; and it ends in ten minutes."""
    body = (await hub.ask_token(scope="cases:read cases:identity")).json()
    claims = opened(body["access_token"])

    assert body["scope"] == claims["scope"] == "cases:read"
    assert "cases:identity" not in SCOPES
    assert claims["aud"] == GRAPHQL_URL
    assert claims["exp"] - claims["iat"] == LIFETIME == 600


def test_every_requirement_has_its_test() -> None:
    """By its name; what apps must do (C9 to C12) is done by two that nobody here wrote, in tests/clients/test_apps.py."""
    text = "".join(file.read_text() for file in Path(__file__).parent.glob("test_fapi2*.py"))
    names = re.findall(r"def test((?:_[nafcrk]\d+)+)_", text)
    wanted = {"N": 1, "A": 14, "F": 13, "C": 8, "R": 5, "K": 3}

    told = {row.upper() for name in names for row in name.strip("_").split("_")}
    assert told == {f"{letter}{number}" for letter, last in wanted.items() for number in range(1, last + 1)}

"""The token endpoint: what it grants and what it refuses, apart from assertions and proofs."""

import json
from urllib.parse import urlencode

import pytest
from joserfc.jwk import Key

from auth.client import TokenRefusedError
from tests.auth.kit import ASSERTION_TYPE, ISSUER, SCOPES, TOKEN_URL, World, ec_key, ed_key, opened, rsa_key, unb64


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "Ed25519", "EdDSA"])
async def test_grants_a_bound_token_for_every_algorithm_of_the_profile(world: World, algorithm: str) -> None:
    """Assertion and proof may be signed with any of them; the token is RFC 9068, ten minutes long."""
    keys: dict[str, Key] = {"ES256": ec_key("own"), "PS256": rsa_key("own")}
    key = keys.get(algorithm, ed_key("own"))
    await world.register("arts-haven", key)

    answer = await world.ask_token(
        world.assertion(key=key, header={"alg": algorithm}, iss="arts-haven", sub="arts-haven"),
        world.proof(key, header={"alg": algorithm}),
    )

    body = answer.json()
    claims = opened(body["access_token"])
    assert (answer.status_code, body["token_type"], body["expires_in"]) == (200, "DPoP", 600)
    assert json.loads(unb64(body["access_token"].split(".")[0])).items() >= {"alg": "ES256", "typ": "at+jwt"}.items()
    assert claims.pop("jti")
    assert claims == {
        "iss": ISSUER,
        "aud": f"{ISSUER}/graphql",
        "sub": "arts-haven",
        "client_id": "arts-haven",
        "iat": int(world.clock()),
        "exp": int(world.clock()) + 600,
        "scope": " ".join(SCOPES),
        "cnf": {"jkt": key.thumbprint()},
        "organisation": world.organisation,
        "purpose": "REFERRAL",
    }


async def test_answers_are_never_stored(world: World) -> None:
    """A token and a refusal both say Cache-Control: no-store."""
    answers = [await world.ask_token(), await world.ask_token("nonsense")]

    assert [answer.headers["cache-control"] for answer in answers] == ["no-store", "no-store"]


async def test_grants_the_scopes_asked_for_that_the_client_has(world: World) -> None:
    """The grant is the intersection, and the answer names it."""
    answer = await world.ask_token(scope="cases:read cases:identity")

    assert answer.json()["scope"] == "cases:read"


@pytest.mark.parametrize("scope", ["", " ", "cases:identity", "cases:read nonsense", "cases:read  referrals:read"])
async def test_refuses_a_scope_that_is_unknown_or_empty_or_not_granted(world: World, scope: str) -> None:
    """Nothing left of what was asked, or a scope that does not exist: invalid_scope, and no word of the request."""
    answer = await world.ask_token(scope=scope)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    assert "nonsense" not in answer.text


@pytest.mark.parametrize("name", ["grant_type", "client_assertion", "scope", "resource"])
async def test_refuses_a_repeated_parameter(world: World, name: str) -> None:
    """RFC 6749, 3.2: a parameter may come once, even an unknown one."""
    form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", world.assertion()),
        ("scope", "cases:read"),
        ("resource", "x"),
    ]
    answer = await world.send(TOKEN_URL, urlencode([*form, (name, dict(form)[name])]))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_refuses_parameters_in_the_query_string(world: World) -> None:
    """What is in a URL ends up in logs."""
    answer = await world.ask_token(url=f"{TOKEN_URL}?access_token=x")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_refuses_a_second_way_to_authenticate(world: World) -> None:
    """RFC 6749, 2.3: one method for each request; secrets are not taken at all."""
    body = urlencode({"grant_type": "client_credentials", "client_id": "pen-centre", "client_secret": "x"})
    answers = [
        await world.send(TOKEN_URL, body),
        await world.send(TOKEN_URL, "grant_type=client_credentials", authorization="Basic cGVuOng="),
    ]

    assert [answer.json()["error"] for answer in answers] == ["invalid_request", "invalid_request"]


@pytest.mark.parametrize("body", ["%", "a=%ff", "a", "grant_type=x&" + "a" * 40_000, "", "é=1"])
async def test_refuses_a_malformed_form(world: World, body: str) -> None:
    """A body that is no form, or larger than any token request, is refused without an exception."""
    answer = await world.send(TOKEN_URL, body)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_refuses_json(world: World) -> None:
    """The token endpoint takes forms only."""
    answer = await world.send(TOKEN_URL, "{}", **{"content-type": "application/json"})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("grant", ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"])
async def test_refuses_other_grants(world: World, grant: str) -> None:
    """FAPI 2.0, 5.3.2.1: no password grant; nothing but what is registered."""
    answer = await world.ask_token(grant_type=grant)

    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


async def test_takes_post_only(world: World) -> None:
    """A GET would put the request into URLs and caches."""
    assert (await world.http.get(TOKEN_URL)).status_code == 405


async def test_refuses_a_disabled_client_and_a_suspended_organisation_as_if_unknown(
    world: World, database: object
) -> None:
    """Standing is looked up at each request, and its loss looks like any failed authentication."""
    await database.admin("update hub.client set status = 'DISABLED'")  # type: ignore[attr-defined]
    disabled = await world.ask_token()
    await database.admin(  # type: ignore[attr-defined]
        "update hub.client set status = 'ACTIVE'; update hub.organisation set suspended_at = now()"
    )
    suspended = await world.ask_token()

    assert disabled.json()["error"] == suspended.json()["error"] == "invalid_client"


async def test_an_unreachable_database_is_said_plainly(world: World) -> None:
    """Without its database the server answers 503 and grants nothing."""
    await world.pool.close()

    for answer in (await world.ask_token(), await world.http.get(f"{ISSUER}/oauth/jwks")):
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")


async def test_the_documents_lead_a_client_to_the_server(world: World) -> None:
    """RFC 8414 metadata names the endpoints under the issuer; the JWKS shows nothing private."""
    about = (await world.http.get(f"{ISSUER}/.well-known/oauth-authorization-server")).json()
    keys = (await world.http.get(about["jwks_uri"])).json()["keys"]
    token = await world.client().token()

    assert (about["issuer"], about["token_endpoint"]) == (ISSUER, TOKEN_URL)
    assert about["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert set(keys[0]) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert json.loads(unb64(token.value.split(".")[0]))["kid"] == keys[0]["kid"]


async def test_the_client_kit_tells_why_it_was_refused(world: World) -> None:
    """The kit's error carries the server's error code."""
    with pytest.raises(TokenRefusedError, match="invalid_client"):
        await world.client("pen-centre", ec_key("key-1")).token()

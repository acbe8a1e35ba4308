"""The issuer, on which everything else is built."""

import re
from typing import Any

import pytest
from joserfc.jwk import Key

from auth.metadata import checked_issuer
from auth.scopes import Scope
from tests.auth.app import App, make_app
from tests.auth.kit import ISSUER, World, ec_key, ed_key, opened, rsa_key


@pytest.mark.parametrize(
    "issuer",
    [
        "https://hub.example",
        "https://hub.example:8443",
        "http://127.0.0.1:8000",
        "http://localhost:8000",
        "http://[::1]:1",
    ],
)
def test_takes_an_origin(issuer: str) -> None:
    """Https anywhere, http on loopback."""
    assert checked_issuer(issuer) == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        "http://hub.example",
        "https://hub.example/",
        "https://hub.example/path",
        "https://hub.example?q",
        "https://user@hub.example",
        "https://Hub.example",
        "https://hub.example:x",
        "https://",
        "hub.example",
        "",
        "ftp://localhost",
        "https://[",
    ],
)
def test_refuses_anything_else_and_names_the_setting(issuer: str) -> None:
    """The text says what the setting should be."""
    with pytest.raises(ValueError, match="HUB_ISSUER must be an https origin"):
        checked_issuer(issuer)


def test_every_scope_follows_the_grammar_and_says_in_plain_words_what_it_opens() -> None:
    """resource:action, in order, one sentence each."""
    assert all(re.fullmatch(r"[a-z]+:[a-z]+", scope) for scope in Scope)
    assert list(Scope) == sorted(Scope)
    assert all(scope.description.endswith(".") and "\n" not in scope.description for scope in Scope)


async def published(world: World) -> dict[str, Any]:
    """Read the metadata as any client does."""
    return dict((await world.http.get(f"{ISSUER}/.well-known/oauth-authorization-server")).json())


async def test_every_line_of_the_metadata_is_known_here(world: World) -> None:
    """What is not on this list has no test that holds it (RFC 8414, RFC 9126, RFC 9207, RFC 9449)."""
    told = await published(world)
    auth = {f"{endpoint}_endpoint_auth_{what}_supported" for endpoint in ("token", "revocation", "introspection") for what in ("methods", "signing_alg_values")}  # fmt: skip

    assert set(told) == auth | {
        "issuer", "authorization_endpoint", "pushed_authorization_request_endpoint", "token_endpoint", "revocation_endpoint",
        "introspection_endpoint", "jwks_uri", "scopes_supported", "response_types_supported", "response_modes_supported",
        "grant_types_supported", "require_pushed_authorization_requests", "authorization_response_iss_parameter_supported",
        "code_challenge_methods_supported", "acr_values_supported", "prompt_values_supported", "dpop_signing_alg_values_supported",
    }  # fmt: skip
    assert told["issuer"] == ISSUER
    assert told["scopes_supported"] == [str(scope) for scope in Scope]
    assert (
        told["require_pushed_authorization_requests"] is told["authorization_response_iss_parameter_supported"] is True
    )


async def test_every_endpoint_is_where_the_metadata_say(world: World) -> None:
    """Under the issuer, and there: an empty form is a bad request and not an unknown address."""
    told = await published(world)
    posted = ("pushed_authorization_request", "token", "revocation", "introspection")
    answers = [await world.http.post(told[f"{name}_endpoint"]) for name in posted]

    assert all(
        value.startswith(f"{ISSUER}/oauth/") for name, value in told.items() if name.endswith(("_endpoint", "_uri"))
    )
    assert [answer.json()["error"] for answer in answers] == ["invalid_request"] * 4
    assert (await world.http.get(told["jwks_uri"])).json()["keys"]


async def test_the_grants_of_the_metadata_are_those_there_are(app: App) -> None:
    """Each is granted, and no other."""
    told = await published(app.world)
    tokens = await app.tokens()
    granted = {
        "authorization_code": tokens["access_token"],
        "refresh_token": (await app.refresh(tokens["refresh_token"])).json()["access_token"],
        "client_credentials": (await app.world.ask_token()).json()["access_token"],
    }
    other = await app.world.ask_token(grant_type="password")

    assert set(granted) == set(told["grant_types_supported"])
    assert other.json()["error"] == "unsupported_grant_type"


@pytest.mark.parametrize(
    ("line", "parameter", "refused"),
    [
        ("response_types_supported", "response_type", "id_token"),
        ("response_modes_supported", "response_mode", "form_post"),
        ("code_challenge_methods_supported", "code_challenge_method", "plain"),
        ("acr_values_supported", "acr_values", "urn:password"),
        ("prompt_values_supported", "prompt", "none"),
    ],
)
async def test_a_request_may_say_what_the_metadata_say_and_nothing_else(
    app: App, line: str, parameter: str, refused: str
) -> None:
    """Every value that is told is taken, and one that is not is refused."""
    told = (await published(app.world))[line]
    answers = [await app.push(**{parameter: value}) for value in told]

    assert [answer.status_code for answer in answers] == [201] * len(told)
    assert (await app.push(**{parameter: refused})).status_code == 400


async def test_the_algorithms_of_the_metadata_are_taken_at_every_endpoint(world: World, app: App) -> None:
    """For assertions and for proofs, at token, revocation and introspection alike; no client authenticates in another way."""
    told = await published(world)
    keys: dict[str, Key] = {
        "ES256": ec_key("own"),
        "PS256": rsa_key("own"),
        "Ed25519": ed_key("own"),
        "EdDSA": ed_key("own"),
    }
    lines = [
        value
        for name, value in told.items()
        if name.endswith(("signing_alg_values_supported", "dpop_signing_alg_values_supported"))
    ]
    made = await make_app(world, app.database, app.people, "many-keys")

    assert all(set(line) == set(keys) for line in lines)
    assert len(lines) == 4
    assert {tuple(value) for name, value in told.items() if name.endswith("auth_methods_supported")} == {
        ("private_key_jwt",)
    }
    for algorithm, key in keys.items():
        await world.register(f"client-{algorithm.lower()}", key)
        claims = {"iss": f"client-{algorithm.lower()}", "sub": f"client-{algorithm.lower()}"}
        token = (await world.ask_token(world.assertion(key=key, header={"alg": algorithm}, **claims), world.proof(key, header={"alg": algorithm}))).json()["access_token"]  # fmt: skip
        sent = {"token": token, "client_assertion": world.assertion(key=key, header={"alg": algorithm}, **claims)}
        assert (await made.send(told["revocation_endpoint"], sent)).status_code == 200
        assert await made.is_denied(opened(token)["jti"])

"""The FAPI 2.0 Security Profile, row by row: what it asks of clients (C), of resource servers (R), and of keys and algorithms (K)."""

import json
from urllib.parse import parse_qs

import httpx2

from auth.jwk import problems
from tests.auth.app import App
from tests.auth.kit import GRAPHQL_URL, ISSUER, TOKEN_URL, World, ec_key, jwks, opened, resigned, rsa_key, unb64

ABOUT = f"{ISSUER}/.well-known/oauth-authorization-server"


async def test_c1_5_the_client_kit_does_its_part(nonce_world: World) -> None:
    """Bound tokens in the header only, a new assertion each time whose audience is the issuer, and a nonce when it is asked for."""
    seen: list[httpx2.Request] = []
    nonce_world.http.event_hooks["request"].append(lambda request: _noted(seen, request))
    client = nonce_world.client()
    answer = await client.graphql("{ viewer { clientId } }")
    forms = [parse_qs(request.content.decode()) for request in seen if str(request.url) == TOKEN_URL]
    claims = [opened(form["client_assertion"][0]) for form in forms]

    assert answer.status == 200
    assert [claim["aud"] for claim in claims] == [ISSUER, ISSUER]
    assert len({claim["jti"] for claim in claims}) == 2
    assert [str(request.url) for request in seen if "authorization" in request.headers] == [GRAPHQL_URL] * 2


async def _noted(seen: list[httpx2.Request], request: httpx2.Request) -> None:
    seen.append(request)


async def test_r1_2_a_token_comes_in_the_header_and_never_in_the_url(world: World) -> None:
    """It would end up in logs."""
    key = ec_key()
    token = await world.token(key)
    answer = await world.http.post(
        f"{GRAPHQL_URL}?access_token={token}", headers={"dpop": world.proof(key, token=token)}
    )

    assert answer.status_code == 400


async def test_r3_5_a_token_is_whole_live_and_its_senders_own(app: App) -> None:
    """Validity, integrity, expiry and binding here; revocation and scopes by the statement that answers (tests/hub)."""
    token = (await app.tokens())["access_token"]
    good = await app.world.ask_with(token, app.world.proof(app.proof_key, token=token))
    altered = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    bad = [
        await app.world.ask_with(altered, app.world.proof(app.proof_key, token=altered)),
        await app.world.ask_with(token, app.world.proof(ec_key(), token=token)),
        await app.world.ask_with(token, app.world.proof(app.proof_key, token=token), "Bearer"),
    ]
    await app.revoke(token)
    app.world.clock.now += 601
    bad.append(await app.world.ask_with(token, app.world.proof(app.proof_key, token=token)))

    assert (good.status_code, [answer.status_code for answer in bad]) == (200, [401] * 4)
    assert await app.is_denied(opened(token)["jti"])


async def test_k1_es256_ps256_and_ed25519_and_never_none(world: World) -> None:
    """RFC 8725: by an explicit list, for assertions, proofs and tokens alike."""
    about = (await world.http.get(ABOUT)).json()
    token = await world.token(key := ec_key())
    none = resigned(token, b"", alg="none")

    assert set(about["token_endpoint_auth_signing_alg_values_supported"]) == {"ES256", "PS256", "Ed25519", "EdDSA"}
    assert json.loads(unb64(token.split(".")[0]))["alg"] == "ES256"
    assert (await world.ask_with(none, world.proof(key, token=none))).status_code == 401
    assert (await world.ask_token(resigned(world.assertion(), b"", alg="none"))).json()["error"] == "invalid_client"


def test_k2_short_keys_are_not_registered() -> None:
    """RSA from 2048 bits; codes, references and refresh tokens have 256 bits (test_a_code_and_a_refresh_token_are_stored_as_digests)."""
    assert problems(jwks(rsa_key("short", 1024)))
    assert not problems(jwks(rsa_key("long", 2048)))


def test_k3_every_kid_is_unique_and_nothing_is_fetched() -> None:
    """Keys come with the registration, and name no place."""
    key = ec_key("k").as_dict(private=False)

    assert problems({"keys": [key, ec_key("k").as_dict(private=False)]})
    for place in ("x5u", "jku"):
        assert problems({"keys": [{**key, place: "https://attacker.example/"}]})

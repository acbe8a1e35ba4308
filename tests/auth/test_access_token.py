"""Access tokens at the resource: one test for each attack."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey

from auth.access_token import AccessToken, Confirmation, issue
from tests.auth.kit import GRAPHQL_URL, ISSUER, NOON, TOKEN_URL, World, ec_key, opened, resigned, signed

LATER = int(NOON)


async def refused(world: World, token: str, key: ECKey) -> None:
    """Assert that the resource refuses the token, though the proof is good."""
    answer = await world.ask_with(token, world.proof(key, token=token))

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert token not in answer.text + str(answer.headers)


async def forged(world: World, key: ECKey, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Return a token signed with the server's own key, changed as told."""
    good = opened(await world.token(key))
    signing = await world.keys.signing()
    return signed({"typ": "at+jwt", "kid": signing.kid, **(header or {})}, {**good, **claims}, signing)


async def test_takes_what_is_forged_without_a_change(world: World) -> None:
    """The forger's tools work, so that the refusals below mean something."""
    key = ec_key()
    token = await forged(world, key)

    assert (await world.ask_with(token, world.proof(key, token=token))).status_code == 200


async def test_refuses_alg_none(world: World) -> None:
    """An unsigned token is none."""
    key = ec_key()
    await refused(world, resigned(await world.token(key), b"", alg="none"), key)


async def test_refuses_hs256_keyed_with_the_public_key(world: World) -> None:
    """The JWKS is public, so HMAC with it proves nothing."""
    key = ec_key()
    token = await world.token(key)
    public = (await world.keys.signing()).public_key
    for encoding in (Encoding.PEM, Encoding.DER):
        secret = public.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
        await refused(world, resigned(token, secret, alg="HS256"), key)


@pytest.mark.parametrize("typ", [None, "JWT", "dpop+jwt", "client-authentication+jwt", ""])
async def test_refuses_a_wrong_or_missing_type(world: World, typ: str | None) -> None:
    """RFC 9068, 4: typ is at+jwt, and must be there."""
    key = ec_key()
    await refused(world, await forged(world, key, header={"typ": typ}), key)


@pytest.mark.parametrize("aud", [ISSUER, TOKEN_URL, [GRAPHQL_URL], f"{GRAPHQL_URL}/", "pen-centre", None])
async def test_refuses_a_wrong_audience(world: World, aud: Any) -> None:
    """A token for another resource is not for this one."""
    key = ec_key()
    await refused(world, await forged(world, key, aud=aud), key)


@pytest.mark.parametrize("iss", ["https://attacker.example", f"{ISSUER}/", None])
async def test_refuses_a_wrong_issuer(world: World, iss: str | None) -> None:
    """The issuer is ours, to the letter."""
    key = ec_key()
    await refused(world, await forged(world, key, iss=iss), key)


@pytest.mark.parametrize("exp", [LATER, LATER - 1, None, "9999999999", LATER + 601])
async def test_refuses_an_expired_token_or_one_that_lives_too_long(world: World, exp: Any) -> None:
    """At exp it is over; ten minutes are the most."""
    key = ec_key()
    await refused(world, await forged(world, key, exp=exp), key)


async def test_a_verified_token_ends_when_it_says(world: World) -> None:
    """That a token was seen before does not keep it alive."""
    key = ec_key()
    token = await world.token(key)
    assert (await world.ask_with(token, world.proof(key, token=token))).status_code == 200

    world.clock.now += 599
    assert (await world.ask_with(token, world.proof(key, token=token))).status_code == 200
    world.clock.now += 1
    await refused(world, token, key)


async def test_refuses_a_token_from_the_future(world: World) -> None:
    """Iat may be ahead as far as clocks differ."""
    key = ec_key()
    await refused(world, await forged(world, key, iat=LATER + 61, exp=LATER + 120), key)


@pytest.mark.parametrize("kid", [None, "", "another", "' or true --"])
async def test_refuses_an_absent_or_unknown_kid(world: World, kid: str | None) -> None:
    """The kid names one of the server's live keys."""
    key = ec_key()
    await refused(world, await forged(world, key, header={"kid": kid}), key)


async def test_refuses_a_foreign_key(world: World) -> None:
    """Who is not the server cannot say who asks, even under the server's kid, or with a key of his own enclosed."""
    key, foreign = ec_key(), ec_key()
    claims = opened(await world.token(key))
    kid = (await world.keys.signing()).kid
    await refused(world, signed({"typ": "at+jwt", "kid": kid}, claims, foreign), key)
    enclosed = {"typ": "at+jwt", "kid": kid, "jwk": foreign.as_dict(private=False)}
    await refused(world, signed(enclosed, claims, foreign), key)


@pytest.mark.parametrize(
    "name", ["iss", "aud", "sub", "client_id", "iat", "exp", "jti", "scope", "cnf", "organisation"]
)
async def test_refuses_a_token_without_a_required_claim(world: World, name: str) -> None:
    """RFC 9068, 2.2, and what the hub itself needs."""
    key = ec_key()
    await refused(world, await forged(world, key, **{name: None}), key)


async def test_refuses_an_altered_token(world: World) -> None:
    """One more scope breaks the signature."""
    key = ec_key()
    header, _, signature = (await world.token(key)).split(".")
    _, payload, _ = (await forged(world, key, scope="cases:identity")).split(".")
    await refused(world, f"{header}.{payload}.{signature}", key)


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "..", "é.é.é", "[" * 8000, "e30.e30.AA"])
async def test_refuses_what_is_no_jwt(world: World, token: str) -> None:
    """Garbage is an invalid token, not an exception."""
    key = ec_key()
    headers = [(b"authorization", f"DPoP {token}".encode()), (b"dpop", world.proof(key, token=token).encode())]
    answer = await world.http.post(GRAPHQL_URL, headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


async def test_a_person_is_told_from_a_machine(world: World) -> None:
    """Where the subject is not the client it is the person signed in."""
    key = ec_key()
    token = await forged(world, key, sub="user-7")

    assert (await world.ask_with(token, world.proof(key, token=token))).json()["user"] == "user-7"


def test_no_token_is_issued_that_lives_too_long() -> None:
    """Ten minutes are the most, whoever asks."""
    claims = AccessToken("i", "a", "s", "c", 0, 601, "j", "", Confirmation("k"), 1)

    with pytest.raises(ValueError, match="600 seconds"):
        issue(claims, ec_key())

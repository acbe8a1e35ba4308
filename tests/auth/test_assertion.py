"""Client assertions: one test for each attack."""

import asyncio
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.auth.kit import ISSUER, NOON, TOKEN_URL, World, ec_key, resigned, rsa_key

LATER = int(NOON)


async def refused(world: World, assertion: str, **form: str) -> None:
    """Assert that the assertion is refused as every bad one is."""
    answer = await world.ask_token(assertion, **form)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


async def test_refuses_alg_none(world: World) -> None:
    """An unsigned assertion is none."""
    await refused(world, resigned(world.assertion(), b"", alg="none"))


async def test_refuses_hs256_keyed_with_the_public_key(world: World) -> None:
    """The public key, in any encoding, is no shared secret."""
    public = world.key.public_key
    for encoding in (Encoding.PEM, Encoding.DER):
        secret = public.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[union-attr]
        await refused(world, resigned(world.assertion(), secret, alg="HS256"))


async def test_refuses_rs256(world: World) -> None:
    """FAPI 2.0, 5.4.1: PS256, not RS256, even with the right key."""
    key = rsa_key("rsa")
    await world.register("arts-haven", key)

    await refused(world, world.assertion(key=key, header={"alg": "RS256"}, iss="arts-haven", sub="arts-haven"))


@pytest.mark.parametrize("algorithm", ["PS384", "PS512", "RS512"])
async def test_refuses_another_algorithm_of_the_right_key(world: World, algorithm: str) -> None:
    """Only the listed algorithms are looked at."""
    key = rsa_key("rsa")
    await world.register("arts-haven", key)

    await refused(world, world.assertion(key=key, header={"alg": algorithm}, iss="arts-haven", sub="arts-haven"))


async def test_refuses_a_foreign_key(world: World) -> None:
    """Whose signature it is not does not come in, whatever kid it names."""
    await refused(world, world.assertion(key=ec_key("key-1")))


async def test_refuses_a_kid_that_is_not_registered(world: World) -> None:
    """The kid names one of the client's own keys."""
    await refused(world, world.assertion(header={"kid": "another"}))


async def test_refuses_an_absent_kid_if_it_could_mean_two_keys(world: World) -> None:
    """Without a kid the key must be unambiguous."""
    first, second = ec_key("a"), ec_key("b")
    both = {"keys": [first.as_dict(private=False), second.as_dict(private=False)]}
    await world.register("arts-haven", first, jwks=both)

    await refused(world, world.assertion(key=first, header={"kid": None}, iss="arts-haven", sub="arts-haven"))


async def test_takes_an_absent_kid_if_there_is_one_key(world: World) -> None:
    """RFC 7523 asks for no kid."""
    assert (await world.ask_token(world.assertion(header={"kid": None}))).status_code == 200


async def test_refuses_an_embedded_key(world: World) -> None:
    """A jwk header is a key the sender chose."""
    key = ec_key("key-1")
    await refused(world, world.assertion(key=key, header={"jwk": key.as_dict(private=False)}))


@pytest.mark.parametrize("header", [{"jku": "https://attacker.example/k"}, {"x5u": "https://attacker.example/c"}])
async def test_refuses_a_key_by_address(world: World, header: dict[str, str]) -> None:
    """The server fetches nothing that a sender names."""
    await refused(world, world.assertion(header=header))


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"b64": False, "crit": ["b64"]}, {"crit": []}])
async def test_refuses_critical_extensions(world: World, header: dict[str, Any]) -> None:
    """RFC 7515, 4.1.11: what is critical and not understood is refused."""
    good, _, rest = world.assertion().partition(".")
    await refused(world, resigned(f"{good}.{rest}", b"", alg="ES256", **header))


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "application/at+jwt", "secevent+jwt"])
async def test_refuses_another_kind_of_jwt(world: World, typ: str) -> None:
    """A proof or an access token cannot pass for an assertion."""
    await refused(world, world.assertion(header={"typ": typ}))


@pytest.mark.parametrize("typ", ["JWT", "client-authentication+jwt", "application/client-authentication+jwt"])
async def test_takes_the_types_of_assertions(world: World, typ: str) -> None:
    """Old and new clients say different types."""
    assert (await world.ask_token(world.assertion(header={"typ": typ}))).status_code == 200


@pytest.mark.parametrize("aud", [[ISSUER], [ISSUER, "https://other.example"], TOKEN_URL, ISSUER + "/", "", None, 1])
async def test_refuses_any_audience_but_the_issuer_as_one_text(world: World, aud: Any) -> None:
    """FAPI 2.0, 5.3.2.1, point 8: not the token URL, not a list, not almost."""
    await refused(world, world.assertion(aud=aud))


@pytest.mark.parametrize("claims", [{"iss": "arts-haven"}, {"sub": "arts-haven"}, {"iss": None}, {"sub": None}])
async def test_refuses_an_issuer_that_is_not_the_subject(world: World, claims: dict[str, Any]) -> None:
    """RFC 7523, 3: both are the client."""
    await refused(world, world.assertion(**claims))


async def test_refuses_a_client_id_beside_the_assertion_that_differs(world: World) -> None:
    """RFC 7521, 4.2: the form's client_id, if there is one, is the subject."""
    await refused(world, world.assertion(), client_id="arts-haven")


async def test_refuses_an_expired_assertion(world: World) -> None:
    """At its exp it is over."""
    await refused(world, world.assertion(exp=LATER))


async def test_refuses_an_assertion_that_lives_too_long(world: World) -> None:
    """Five minutes are the most."""
    assert (await world.ask_token(world.assertion(exp=LATER + 300))).status_code == 200
    await refused(world, world.assertion(exp=LATER + 301))


@pytest.mark.parametrize("exp", [None, "9999999999", True, float("1e300")])
async def test_refuses_an_assertion_without_a_proper_end(world: World, exp: Any) -> None:
    """The end is required, and is a number."""
    await refused(world, world.assertion(exp=exp))


@pytest.mark.parametrize("claim", ["iat", "nbf"])
async def test_refuses_an_assertion_from_the_future(world: World, claim: str) -> None:
    """FAPI 2.0, 5.3.2.1, point 13: clocks may differ by ten seconds, and by sixty no more."""
    soon: dict[str, Any] = {claim: LATER + 10}
    assert (await world.ask_token(world.assertion(**soon))).status_code == 200
    await refused(world, world.assertion(**{**soon, claim: LATER + 61}))


@pytest.mark.parametrize("jti", [None, "", "j" * 257, 7])
async def test_refuses_an_assertion_without_a_proper_jti(world: World, jti: Any) -> None:
    """Without a jti it could be replayed."""
    await refused(world, world.assertion(jti=jti))


async def test_refuses_a_replayed_assertion(world: World) -> None:
    """A jti is good for one request, also with another proof."""
    assertion = world.assertion()

    assert (await world.ask_token(assertion)).status_code == 200
    await refused(world, assertion)


async def test_of_concurrent_replays_one_gets_a_token(world: World) -> None:
    """The database decides, so it does not matter which process is asked."""
    assertion = world.assertion()

    answers = await asyncio.gather(*(world.ask_token(assertion) for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400, 400]


async def test_the_same_jti_of_two_clients_is_no_replay(world: World) -> None:
    """A jti is unique to its client: no client can use up another's."""
    other = ec_key("other")
    await world.register("arts-haven", other)
    theirs = world.assertion(key=other, iss="arts-haven", sub="arts-haven", jti="same")

    assert (await world.ask_token(theirs)).status_code == 200
    assert (await world.ask_token(world.assertion(jti="same"))).status_code == 200


@pytest.mark.parametrize("sub", ["nobody", "pen-centre\u0000", "x" * 4000, "", "'; drop table hub.client --", "é"])
async def test_an_unknown_client_cannot_be_told_from_a_bad_key(world: World, sub: str) -> None:
    """Status, headers and body are the same bytes: nobody learns which clients exist."""
    unknown = await world.ask_token(world.assertion(iss=sub, sub=sub))
    bad_key = await world.ask_token(world.assertion(key=ec_key("key-1")))

    assert (unknown.status_code, unknown.headers, unknown.content) == (
        bad_key.status_code,
        bad_key.headers,
        bad_key.content,
    )


@pytest.mark.parametrize("assertion", ["", ".", "..", "a.b.c", "e30.e30.", "bnVsbA.bnVsbA.x", "é.é.é", "[" * 8000])
async def test_refuses_what_is_no_jwt(world: World, assertion: str) -> None:
    """Garbage is refused like a bad signature."""
    await refused(world, assertion)


async def test_refuses_another_assertion_type(world: World) -> None:
    """SAML and nothing are not private_key_jwt."""
    await refused(world, world.assertion(), client_assertion_type="urn:ietf:params:oauth:client-assertion-type:saml2")

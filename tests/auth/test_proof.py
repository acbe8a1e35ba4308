"""DPoP proofs at the token endpoint and at the resource: one test for each attack."""

import asyncio
from typing import Any

import pytest
from joserfc.jwk import ECKey

from tests.auth.kit import ASSERTION_TYPE, GRAPHQL_URL, ISSUER, NOON, TOKEN_URL, World, ec_key, resigned, rsa_key

LATER = int(NOON)


async def refused(world: World, proof: str) -> None:
    """Assert that the token endpoint refuses the proof."""
    answer = await world.ask_token(proof=proof)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


async def refused_by_the_resource(world: World, token: str, proof: str) -> None:
    """Assert that the resource refuses the proof, with a challenge that says so."""
    answer = await world.ask_with(token, proof)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_dpop_proof")
    assert answer.headers["www-authenticate"].startswith('DPoP error="invalid_dpop_proof", ')


async def test_a_token_request_needs_a_proof(world: World) -> None:
    """FAPI 2.0, 5.3.2.1, point 4: there are sender-constrained tokens only."""
    body = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": world.assertion(),
    }
    answer = await world.http.post(TOKEN_URL, data=body)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


async def test_refuses_two_proofs(world: World) -> None:
    """RFC 9449, 4.3, point 1."""
    headers = [("dpop", world.proof(ec_key())), ("dpop", world.proof(ec_key()))]
    form = {"content-type": "application/x-www-form-urlencoded"}.items()
    content = "grant_type=client_credentials&client_assertion_type=x&client_assertion=x"
    answer = await world.http.post(TOKEN_URL, content=content, headers=[*headers, *form])

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


async def test_refuses_a_replayed_proof_at_the_token_endpoint(world: World) -> None:
    """A proof is good for one token, also with a fresh assertion."""
    proof = world.proof(ec_key())

    assert (await world.ask_token(proof=proof)).status_code == 200
    await refused(world, proof)


async def test_of_concurrent_replays_of_a_proof_one_gets_a_token(world: World) -> None:
    """The database decides, over as many connections as there are."""
    proof = world.proof(ec_key())

    answers = await asyncio.gather(*(world.ask_token(proof=proof) for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400, 400]


async def test_a_stranger_uses_up_no_proof(world: World) -> None:
    """What fails authentication leaves no row."""
    await world.ask_token("nonsense")

    assert await world.pool.fetchval("select count(*) from auth.token_proof") == 0


@pytest.mark.parametrize(
    "claims",
    [
        {"htu": GRAPHQL_URL},
        {"htu": "https://attacker.example/oauth/token"},
        {"htu": "http://hub.example/oauth/token"},
        {"htu": "https://hub.example:444/oauth/token"},
        {"htu": "https://user@hub.example/oauth/token"},
        {"htu": "https://hub.example:x/oauth/token"},
        {"htu": ""},
        {"htu": None},
        {"htm": "GET"},
        {"htm": "post"},
        {"htm": None},
    ],
)
async def test_refuses_a_proof_for_another_url_or_method(world: World, claims: dict[str, Any]) -> None:
    """Htm and htu name this very request."""
    await refused(world, world.proof(ec_key(), **claims))


@pytest.mark.parametrize("htu", [TOKEN_URL + "?a=b", TOKEN_URL + "#c", "HTTPS://Hub.Example:443/oauth/token"])
async def test_takes_the_same_url_written_otherwise(world: World, htu: str) -> None:
    """RFC 9449, 4.3: query and fragment are ignored, scheme, host and port are normalised."""
    assert (await world.ask_token(proof=world.proof(ec_key(), htu=htu))).status_code == 200


async def test_a_proof_holds_for_a_minute_around_now(world: World) -> None:
    """Clocks differ by a minute at most."""
    for iat in (LATER - 60, LATER + 60):
        assert (await world.ask_token(proof=world.proof(ec_key(), iat=iat))).status_code == 200
    for bad in (LATER - 61, LATER + 61, None, "now", 10**400, 1e300, -1e300):
        await refused(world, world.proof(ec_key(), iat=bad))


@pytest.mark.parametrize(
    "claims", [{"exp": LATER}, {"nbf": LATER + 61}, {"jti": None}, {"jti": ""}, {"jti": "j" * 257}]
)
async def test_refuses_a_proof_that_is_over_or_not_unique(world: World, claims: dict[str, Any]) -> None:
    """Exp and nbf bind if they are there; jti must be."""
    await refused(world, world.proof(ec_key(), **claims))


async def test_refuses_a_proof_that_shows_its_private_key(world: World) -> None:
    """RFC 9449, 4.3, point 7; also when the public part is known already."""
    key = ec_key()
    assert (await world.ask_token(proof=world.proof(key))).status_code == 200

    await refused(world, world.proof(key, header={"jwk": key.as_dict(private=True)}))


@pytest.mark.parametrize(
    "jwk", [None, {}, {"kty": "oct", "k": "AAAA"}, {"kty": ["EC"]}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]
)
async def test_refuses_a_proof_without_a_proper_key(world: World, jwk: Any) -> None:
    """The header holds an asymmetric public key."""
    await refused(world, world.proof(ec_key(), header={"jwk": jwk}))


async def test_refuses_a_proof_signed_by_another_key_than_it_shows(world: World) -> None:
    """Possession is what is proven."""
    shown = {name: value for name, value in ec_key().as_dict(private=False).items() if name != "kid"}
    await refused(world, world.proof(ec_key(), header={"jwk": shown}))


@pytest.mark.parametrize("typ", [None, "JWT", "at+jwt"])
async def test_refuses_a_proof_of_the_wrong_type(world: World, typ: str | None) -> None:
    """Typ is dpop+jwt."""
    await refused(world, world.proof(ec_key(), header={"typ": typ}))


async def test_refuses_weak_algorithms_and_keys(world: World) -> None:
    """No none, no HMAC, no RS256, no other curve."""
    proof = world.proof(ec_key())
    await refused(world, resigned(proof, b"", alg="none"))
    await refused(world, resigned(proof, b"secret", alg="HS256"))
    await refused(world, world.proof(rsa_key(), header={"alg": "RS256"}))
    await refused(world, world.proof(ECKey.generate_key("P-384"), header={"alg": "ES384"}))


@pytest.mark.filterwarnings("ignore:Key size")
async def test_refuses_a_short_rsa_key(world: World) -> None:
    """FAPI 2.0, 5.4.1: 2048 bits or more."""
    await refused(world, world.proof(rsa_key(bits=1024)))


async def test_the_resource_tells_who_asks(world: World) -> None:
    """A good token and proof make a principal; the proof's digest must be remembered past the last moment it holds."""
    key = ec_key()
    token = await world.token(key)

    answer = (await world.ask_with(token, world.proof(key, token=token))).json()

    assert (answer["organisation"], answer["client"], answer["user"]) == (world.organisation, "pen-centre", None)
    assert answer["scopes"] == ["cases:read", "referrals:read", "referrals:submit"]
    assert (answer["purpose"], answer["expires_at"]) == ("REFERRAL", NOON + 600)
    assert answer["proof_until"] > NOON + 60
    assert len(bytes.fromhex(answer["proof"])) == 32


async def test_two_uses_of_a_proof_have_one_digest(world: World) -> None:
    """Replay at the resource is settled by this digest."""
    key = ec_key()
    token = await world.token(key)
    proof = world.proof(key, token=token)
    answers = [
        (await world.ask_with(token, one)).json()["proof"] for one in (proof, proof, world.proof(key, token=token))
    ]

    assert answers[0] == answers[1] != answers[2]


@pytest.mark.parametrize("ath", [None, "", "AAAA", "another"])
async def test_the_resource_refuses_a_proof_for_another_token_or_none(world: World, ath: str | None) -> None:
    """A proof made for the token endpoint, or stolen beside another token, is worth nothing."""
    key = ec_key()
    token = await world.token(key)

    await refused_by_the_resource(world, token, world.proof(key, token=token, ath=ath))


@pytest.mark.parametrize(
    "claims", [{"htu": TOKEN_URL}, {"htu": f"{ISSUER}/graphql/"}, {"htm": "GET"}, {"iat": LATER - 61}]
)
async def test_the_resource_refuses_a_proof_for_another_request(world: World, claims: dict[str, Any]) -> None:
    """htm, htu and iat are looked at on every request."""
    key = ec_key()
    token = await world.token(key)

    await refused_by_the_resource(world, token, world.proof(key, token=token, **claims))


async def test_the_resource_refuses_a_token_bound_to_another_key(world: World) -> None:
    """A stolen token without its key is worth nothing."""
    token = await world.token(ec_key())

    answer = await world.ask_with(token, world.proof(ec_key(), token=token))

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


async def test_the_resource_needs_a_proof(world: World) -> None:
    """A token alone does not come in."""
    answer = await world.ask(("Authorization", f"DPoP {await world.token(ec_key())}"))

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_dpop_proof")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Basic", "", "DPoPx"])
async def test_the_resource_refuses_a_downgrade_to_bearer(world: World, scheme: str) -> None:
    """A bound token is no bearer token, with a proof or without."""
    key = ec_key()
    token = await world.token(key)
    answers = [
        await world.ask_with(token, world.proof(key, token=token), scheme),
        await world.ask(("Authorization", f"{scheme} {token}")),
    ]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert all(answer.headers["www-authenticate"].startswith("DPoP ") for answer in answers)


async def test_the_resource_refuses_repeated_headers(world: World) -> None:
    """Two of a kind are an attempt to have two parsers disagree."""
    key = ec_key()
    token = await world.token(key)
    good = ("Authorization", f"DPoP {token}"), ("DPoP", world.proof(key, token=token)), ("Hub-Purpose", "AUDIT")
    for repeated in good:
        answer = await world.ask(*good, repeated)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("query", ["access_token={token}", "a=b&access_token=", "acce%73s_token={token}"])
async def test_the_resource_refuses_a_token_in_the_query_string(world: World, query: str) -> None:
    """FAPI 2.0, 5.3.3, point 2: even beside good headers."""
    key = ec_key()
    token = await world.token(key)
    good = ("Authorization", f"DPoP {token}"), ("DPoP", world.proof(key, token=token))

    answer = await world.ask(*good, url=f"{GRAPHQL_URL}?{query.format(token=token)}")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert token not in answer.text


async def test_the_purpose_of_one_request_may_be_named(world: World) -> None:
    """Hub-Purpose overrides the client's default; an unknown code is refused."""
    key = ec_key()
    token = await world.token(key)
    good = ("Authorization", f"DPoP {token}"), ("DPoP", world.proof(key, token=token))

    assert (await world.ask(*good, ("Hub-Purpose", "AUDIT"))).json()["purpose"] == "AUDIT"
    assert (await world.ask(*good, ("Hub-Purpose", "CURIOSITY"))).status_code == 400


async def test_without_credentials_the_challenge_names_the_scheme_alone(world: World) -> None:
    """RFC 6750, 3.1: no error code where nothing was tried."""
    answer = await world.ask()

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'DPoP algs="ES256 PS256 Ed25519 EdDSA"'

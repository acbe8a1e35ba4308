"""The hub as a resource server, and its cryptography, against the FAPI 2.0 Security Profile: see test_fapi2.py."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key

from auth.access_token import LIFETIME
from auth.clients import RegistrationRefusedError
from auth.signing_keys import AHEAD, SigningKeys
from tests.auth.kit import (
    GRAPHQL_URL,
    ISSUER,
    TOKEN_URL,
    World,
    ec_key,
    ed_key,
    jwks,
    opened,
    resigned,
    rsa_key,
    signed,
)
from tests.conformance.asking import VIEWER, about, ask, error
from tests.conftest import Database


async def test_r1_r2_a_token_is_taken_from_the_header_and_nowhere_else(hub: World) -> None:
    """Not from the query string, not from a form."""
    key = ec_key()
    token = await hub.token(key)
    proof = {"dpop": hub.proof(key, token=token)}
    in_query = await hub.http.post(f"{GRAPHQL_URL}?access_token={token}", content=VIEWER, headers=proof)
    beside = await ask(hub, token, key, f"{GRAPHQL_URL}?access_token={token}")
    in_form = await hub.http.post(GRAPHQL_URL, data={"access_token": token, "query": "{ __typename }"}, headers=proof)

    assert [in_query.status_code, beside.status_code, in_form.status_code] == [400, 400, 401]
    assert (await ask(hub, token, key)).json() == {"data": {"viewer": {"clientId": "pen-centre"}}}


@pytest.mark.parametrize("wrong", ["changed", "expired", "client disabled", "organisation suspended", "key withdrawn"])
async def test_r3_a_token_is_refused_that_was_changed_has_ended_or_was_revoked(
    hub: World, database: Database, wrong: str
) -> None:
    """Integrity, expiry and revocation are looked at for every request; what was taken away is gone at once."""
    key = ec_key()
    token = await hub.token(key)
    assert (await ask(hub, token, key)).status_code == 200
    match wrong:
        case "changed":
            header, payload, signature = token.split(".")
            token = ".".join([header, payload, ("B" if signature[0] == "A" else "A") + signature[1:]])
        case "expired":
            hub.clock.now += LIFETIME
            await database.set_now(datetime.fromtimestamp(hub.clock(), UTC))
        case "client disabled":
            await database.admin("update hub.client set status = 'DISABLED'")
        case "organisation suspended":
            await database.admin("update hub.organisation set suspended_at = hub.hub_now()")
        case "key withdrawn":
            (row,) = await database.admin("select kid from auth.signing_key where $1", True)  # noqa: FBT003 all rows
            await SigningKeys(hub.pool, hub.keyring, hub.clock).retire(row["kid"], at=hub.clock())
            hub.clock.now += 30
    answer = await ask(hub, token, key)

    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_r4_a_token_opens_no_more_than_its_scopes(hub: World) -> None:
    """Without the scope there is null, and an error that names what is required."""
    key = ec_key()
    token = (await hub.ask_token(proof=hub.proof(key), scope="referrals:read")).json()["access_token"]
    headers = {
        "authorization": f"DPoP {token}",
        "dpop": hub.proof(key, token=token),
        "content-type": "application/json",
    }
    told = (
        await hub.http.post(GRAPHQL_URL, content=b'{"query": "{ cases(first: 1) { totalCount } }"}', headers=headers)
    ).json()

    assert told["data"] == {"cases": None}
    assert told["errors"][0]["extensions"] == {"code": "UNAUTHORIZED_FIELD_OR_TYPE", "requiredScopes": [["cases:read"]]}


@pytest.mark.parametrize(
    "claims",
    [
        {"htm": "GET"},
        {"htu": TOKEN_URL},
        {"iat": 0},
        {"ath": None},
        {"ath": "x" * 43},
        {"key": "another"},
        {"again": True},
    ],
    ids=str,
)
async def test_r5_whoever_sends_a_token_must_prove_to_hold_its_key(hub: World, claims: dict[str, Any]) -> None:
    """For this method, this URL, this token, now, and once; the token as a Bearer opens nothing."""
    key = ec_key()
    token = await hub.token(key)
    signer = ec_key() if "key" in claims else key
    proof = hub.proof(
        signer, token=token, **{name: value for name, value in claims.items() if name in ("htm", "htu", "iat", "ath")}
    )
    if "again" in claims:
        assert (await ask(hub, token, key, dpop=proof)).status_code == 200
    refused = await ask(hub, token, key, dpop=proof)
    bearer = await ask(hub, token, key, authorization=f"Bearer {token}")

    assert [refused.status_code, bearer.status_code] == [401, 401]
    assert (await ask(hub, token, key)).status_code == 200


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", "ES384"])
async def test_k1_only_the_profiles_algorithms_are_taken(hub: World, algorithm: str) -> None:
    """PS256, ES256 and Ed25519 by clients, ES256 in tokens; never none, never a public key as a secret."""
    key = ec_key()
    token = await hub.token(key)
    own: dict[str, Key] = {"RS256": rsa_key("key-2"), "ES384": ECKey.generate_key("P-384", {"kid": "key-2"})}
    if algorithm in own:
        forged = [
            signed({"alg": algorithm, "kid": "key-2"}, {**opened(text), "jti": "x"}, own[algorithm])
            for text in (hub.assertion(), token)
        ]
    else:
        forged = [
            resigned(text, json.dumps(hub.key.as_dict(private=False)).encode(), alg=algorithm)
            for text in (hub.assertion(), token)
        ]
    told = await about(hub)

    assert error(await hub.ask_token(forged[0])) == "invalid_client"
    assert (await ask(hub, forged[1], key)).status_code == 401
    offered = told["token_endpoint_auth_signing_alg_values_supported"] + told["dpop_signing_alg_values_supported"]
    assert set(offered) == {"ES256", "PS256", "Ed25519", "EdDSA"}


async def test_k2_keys_and_secrets_are_long_enough(hub: World) -> None:
    """RSA from 2048 bits, elliptic curves of 256, token ids of 128 bits; a shorter key is neither registered nor believed."""
    for weak in (rsa_key("k", 1024), ECKey.generate_key("P-384", {"kid": "k"})):
        with pytest.raises(RegistrationRefusedError, match="jwks"):
            await hub.register("weak", weak)
    with pytest.warns(SecurityWarning):
        proof = hub.proof(rsa_key("k", 1024))
    short = await hub.ask_token(proof=proof)
    ids = {opened(await hub.token(ec_key()))["jti"] for _ in range(8)}

    assert error(short) == "invalid_dpop_proof"
    assert len(ids) == 8
    assert all(len(each) >= 22 for each in ids)


async def test_k3_every_key_has_a_name_of_its_own_and_none_is_fetched(hub: World) -> None:
    """A kid is there once in a client's set and in the hub's; jku and x5u, in a set or in a header, are refused unread."""
    public = ed_key("k").as_dict(private=False)
    for keys in (jwks(ec_key("k"), ed_key("k")), {"keys": [{**public, "jku": "https://attacker.example"}]}):
        with pytest.raises(RegistrationRefusedError, match="jwks"):
            await hub.register("twice", hub.key, jwks=keys)
    pointing = [
        await hub.ask_token(hub.assertion(header={name: "https://attacker.example"})) for name in ("jku", "x5u")
    ]
    await hub.token(ec_key())
    hub.clock.now += AHEAD
    await SigningKeys(hub.pool, hub.keyring, hub.clock).add()
    hub.clock.now += 30
    kids = [key["kid"] for key in (await hub.http.get(f"{ISSUER}/oauth/jwks")).json()["keys"]]

    assert [error(answer) for answer in pointing] == ["invalid_client", "invalid_client"]
    assert len(kids) == len(set(kids)) == 2

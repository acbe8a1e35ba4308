"""Registration of clients: what keys and what details are good enough."""

from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey

from auth import jwk
from auth.clients import RegistrationRefusedError, register_client
from tests.auth.kit import World, ec_key, ed_key, jwks, rsa_key

GOOD = ec_key("k").as_dict(private=False)


@pytest.mark.parametrize("key", [ec_key("a"), ed_key("b"), rsa_key("c"), rsa_key("d", 3072)])
def test_takes_good_keys(key: Any) -> None:
    """P-256, Ed25519, and RSA from 2048 bits."""
    assert jwk.problems(jwks(key)) == []


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (ec_key("k").as_dict(private=True), "private members"),
        (OctKey.generate_key(256, {"kid": "k"}).as_dict(), "kty must be"),
        (rsa_key("k", 1024).as_dict(private=False), "2048 to 4096"),
        ({**rsa_key("k").as_dict(private=False), "e": "Aw"}, "e must be"),
        ({**rsa_key("k").as_dict(private=False), "e": "_" * 340}, "e must be"),
        (ECKey.generate_key("P-384", {"kid": "k"}).as_dict(private=False), "crv must be P-256"),
        (ECKey.generate_key("P-521", {"kid": "k"}).as_dict(private=False), "crv must be P-256"),
        (OKPKey.generate_key("X25519", {"kid": "k"}).as_dict(private=False), "crv must be Ed25519"),
        (OKPKey.generate_key("Ed448", {"kid": "k"}).as_dict(private=False), "crv must be Ed25519"),
        ({**GOOD, "x": GOOD["y"]}, "not a valid public key"),
        ({**GOOD, "y": 7}, "each a text"),
        ({**GOOD, "kid": ""}, "kid must be"),
        ({name: value for name, value in GOOD.items() if name != "kid"}, "kid must be"),
        ({**GOOD, "use": "enc"}, "use must be sig"),
        ({**GOOD, "key_ops": ["sign"]}, "key_ops must be"),
        ({**GOOD, "alg": "HS256"}, "alg must be ES256"),
        ({**GOOD, "alg": ["ES256"]}, "alg must be ES256"),
        ({**GOOD, "jku": "https://attacker.example"}, "jku, x5u"),
        ({**GOOD, "x5u": "https://attacker.example"}, "jku, x5u"),
        ({**GOOD, "x5c": ["AAAA"]}, "jku, x5u"),
        ("text", "must be an object"),
    ],
)
def test_refuses_a_bad_key_and_says_why(bad: Any, said: str) -> None:
    """Private, symmetric, small, on another curve, invalid, for another use, or fetched from elsewhere."""
    found = jwk.problems({"keys": [bad]})

    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize("value", [None, [], {}, {"keys": []}, {"keys": {}}, {"keys": [GOOD] * 11}])
def test_refuses_what_is_no_key_set(value: Any) -> None:
    """Between one and ten keys."""
    assert jwk.problems(value)[0].startswith('jwks: must be {"keys": [...]}')


def test_refuses_a_repeated_kid_and_a_repeated_key() -> None:
    """A kid names one key, a key has one kid."""
    assert jwk.problems(jwks(ec_key("same"), ec_key("same"))) == ["jwks: every kid must be unique"]
    assert jwk.problems({"keys": [GOOD, {**GOOD, "kid": "b"}]}) == ["jwks: the same key appears twice"]


async def test_lists_all_problems_at_once_and_writes_nothing(world: World) -> None:
    """Who registers a client learns everything in one go."""
    with pytest.raises(RegistrationRefusedError) as refused:
        await register_client(
            world.pool, organisation=99, client_id="No!", name=" ", scopes=["x"], jwks={}, purpose="CURIOSITY"
        )

    fields = [problem.partition(":")[0] for problem in refused.value.problems]
    assert fields == ["client_id", "name", "scopes", "purpose", "jwks", "organisation"]
    assert await world.pool.fetchval("select count(client_id) from hub.client") == 1


async def test_refuses_a_client_id_that_is_taken(world: World) -> None:
    """A client cannot be replaced by registering it again."""
    with pytest.raises(RegistrationRefusedError, match="client_id: is taken"):
        await world.register("pen-centre", ec_key("k"))

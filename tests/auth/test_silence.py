"""What is never said: no token, assertion, proof or key in any log; nothing but the refusal for any garbage."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.access_token import AccessToken
from auth.proof import ProofRefusedError, Proofs
from auth.resource import AuthError, Resource
from auth.signed import BadJwtError, Profile
from tests.auth.kit import ISSUER, TOKEN_URL, World, b64, ec_key


async def test_no_token_assertion_or_proof_is_logged_even_at_debug(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Every logger is turned up, Authlib's too; what is secret is in no record, in success and in failure."""
    for name in ("", "authlib", "authlib.oauth2.rfc6749.grants.client_credentials", "authlib.oauth2.rfc7523.client"):
        caplog.set_level(logging.DEBUG, logger=name)
    key = ec_key()
    assertion, proof = world.assertion(), world.proof(key)
    answer = await world.ask_token(assertion, proof)
    token = answer.json()["access_token"]
    bad = world.assertion(key=ec_key("key-1"))
    await world.ask_token(bad)
    await world.ask_token(assertion)
    await world.ask_with(token, world.proof(key, token=token))
    await world.ask_with(token + "x", world.proof(key, token=token))

    logged = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)

    assert caplog.records
    for secret in (token, assertion, proof, bad):
        assert secret not in logged
        assert secret.split(".")[1] not in logged


async def test_no_answer_repeats_what_was_sent(world: World) -> None:
    """Error texts are our own."""
    answers = [
        await world.ask_token("marker-1"),
        await world.ask_token(scope="marker-1"),
        await world.ask_token(grant_type="marker-1"),
        await world.ask_token(proof="marker-1"),
        await world.ask(("Authorization", "DPoP marker-1"), ("DPoP", "marker-1")),
        await world.ask(("Authorization", "marker-1")),
        await world.ask(("Authorization", "DPoP x"), ("DPoP", "x"), ("Hub-Purpose", "marker-1")),
    ]

    assert not any("marker-1" in answer.text + str(answer.headers) for answer in answers)


PROFILE = Profile(AccessToken, types=("at+jwt",), algorithms=("ES256",))
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
HEADER = st.fixed_dictionaries(
    {},
    optional={name: JSON | st.sampled_from(["ES256", "dpop+jwt", "at+jwt"]) for name in ("alg", "typ", "kid", "jwk")},
)
PART = st.one_of(
    st.binary().map(b64), (HEADER | JSON).map(lambda value: b64(__import__("json").dumps(value).encode())), st.text()
)
JWT = st.one_of(st.text(), st.lists(PART, min_size=3, max_size=3).map(".".join))


@given(JWT)
def test_whatever_is_sent_for_a_jwt_is_refused_and_nothing_else(text: str) -> None:
    """No text raises anything but the refusal: there is no door but the front one."""
    with pytest.raises(BadJwtError):
        PROFILE.read(text).open(ec_key())
    with pytest.raises(ProofRefusedError):
        Proofs(lambda: 0).verify(text, method="POST", url=TOKEN_URL)


@given(
    st.lists(st.tuples(st.sampled_from([b"authorization", b"dpop", b"hub-purpose", b"x"]), st.binary())), st.binary()
)
async def test_whatever_headers_are_sent_an_auth_error_comes_back(
    headers: list[tuple[bytes, bytes]], query: bytes
) -> None:
    """The resource side answers every garbage with an AuthError."""

    class NoKeys:
        async def signing(self) -> object:
            raise AssertionError

        async def verifying(self, _kid: str) -> None:
            return None

    with pytest.raises(AuthError):
        await Resource(ISSUER, NoKeys(), clock=lambda: 0).principal(headers, "POST", "/graphql", query)  # type: ignore[arg-type]

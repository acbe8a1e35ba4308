"""Two clients that nobody here wrote, from npm, as machines: client_credentials by private_key_jwt, bound by DPoP."""

import json
from pathlib import Path

import pytest

from tests.clients.conftest import Run
from tests.clients.serving import KEYS, Served

QUERY = "{ viewer { clientId scopes } cases(first: 1) { totalCount } }"
SCOPES = ["cases:read", "referrals:read"]
ANSWER = {"data": {"viewer": {"clientId": "writer", "scopes": SCOPES}, "cases": {"totalCount": 0}}}


@pytest.mark.parametrize("algorithm", KEYS)
async def test_oauth4webapi_gets_a_token_and_asks(hub: Served, node: Run, tmp_path: Path, algorithm: str) -> None:
    """Assertion and proof by each algorithm; it also finds the token to be what RFC 9068 says, bound to the proof's key."""
    key = KEYS[algorithm]()
    await hub.register("writer", key)

    told = json.loads(
        await node("machine_oauth4webapi.mjs", hub.credentials(tmp_path, "writer", key), algorithm, QUERY)
    )

    # One nonce serves both sides, so that only the first request of all is sent twice.
    retries = 1 if hub.dpop_nonces else 0
    assert told == {
        "type": "dpop",
        "scope": " ".join(SCOPES),
        "answer": ANSWER,
        "claimed": "writer",
        "retries": retries,
    }


@pytest.mark.parametrize("algorithm", KEYS)
async def test_openid_client_gets_a_token_and_asks(hub: Served, node: Run, tmp_path: Path, algorithm: str) -> None:
    """The same, by the client that most Node programs use; it tries again with a nonce by itself."""
    key = KEYS[algorithm]()
    await hub.register("writer", key)

    told = json.loads(
        await node("machine_openid_client.mjs", hub.credentials(tmp_path, "writer", key), algorithm, QUERY)
    )

    assert told == {"type": "dpop", "scope": " ".join(SCOPES), "answer": ANSWER}

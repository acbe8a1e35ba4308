"""The same two clients as apps that people use: pushed request, consent, code, refresh token, revocation; all bound by PKCE and DPoP."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.clients.conftest import Converse
from tests.clients.serving import KEYS, Served

QUERY = "{ viewer { clientId scopes } cases(first: 1) { totalCount } }"
SCOPES = ["cases:read", "referrals:read"]
ANSWER = {"data": {"viewer": {"clientId": "reading-room", "scopes": SCOPES}, "cases": {"totalCount": 0}}}
CALLBACK = "https://app.pen.example/callback"


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("program", ["code_oauth4webapi.mjs", "code_openid_client.mjs"])
async def test_an_app_acts_for_a_person_until_it_is_revoked(
    hub: Served, converse: Converse, tmp_path: Path, program: str, algorithm: str
) -> None:
    """The person approves on the hub's page; the answer in another server's name is refused; the refresh token stays; revoked, nothing is left."""
    key = KEYS[algorithm]()
    await hub.register("reading-room", key, redirect_uris=[CALLBACK])
    await hub.sign_in("Sara")
    credentials = hub.credentials(tmp_path, "reading-room", key)

    async with converse(program, credentials, algorithm, CALLBACK, QUERY) as (printed, say):
        opened = await printed()
        came_back = await hub.approve(opened)
        await say(came_back)
        told = json.loads(await printed())

    # What the browser carries there says nothing of what is asked for.
    assert parse_qs(urlsplit(opened).query).keys() == {"client_id", "request_uri"}
    assert came_back.startswith(f"{CALLBACK}?")
    assert told == {
        "type": "dpop",
        "scope": " ".join(SCOPES),
        "rotated": False,
        "mixUp": "refused",
        "answers": [ANSWER, ANSWER],
        "after": "refused",
    }

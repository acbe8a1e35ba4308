"""An app of the PEN Centre and Sara, who uses it: what tests of codes, refresh tokens and pushed requests work with."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import httpx2
from joserfc.jwk import Key

from auth.clients import set_use
from auth.people import People, Person
from tests.auth.kit import ASSERTION_TYPE, ISSUER, TOKEN_URL, World, b64, ec_key
from tests.conftest import Database

PAR_URL = f"{ISSUER}/oauth/par"
REVOKE_URL = f"{ISSUER}/oauth/revoke"
INTROSPECT_URL = f"{ISSUER}/oauth/introspect"
CALLBACK = "https://app.pen.example/callback"
VERIFIER = "v" * 43
CHALLENGE = b64(sha256(VERIFIER.encode()).digest())
SCOPES = ("cases:read", "referrals:read", "statistics:read")


@dataclass
class App:
    """A client that people use, with the key its tokens are bound to, and the person who signed in."""

    world: World
    database: Database
    people: People
    person: Person
    cookie: str
    client_id: str
    key: Key
    proof_key: Key = field(default_factory=ec_key)

    async def send(self, url: str, form: Mapping[str, str], *, proof: str | None = None) -> httpx2.Response:
        """Send a form as this client; with a proof, if one is given."""
        mine: dict[str, Any] = {"iss": self.client_id, "sub": self.client_id}
        body = {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.world.assertion(key=self.key, **mine),
            **form,
        }
        headers = {"content-type": "application/x-www-form-urlencoded", **({"dpop": proof} if proof else {})}
        return await self.world.http.post(url, content=urlencode(body), headers=headers)

    def wish(self, **changes: str | None) -> dict[str, str]:
        """Return a good request to push, changed as told; a parameter of None is left out."""
        good = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "cases:read referrals:read",
            "state": "state-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "dpop_jkt": self.proof_key.thumbprint(),
        }
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    async def push(self, **changes: str | None) -> httpx2.Response:
        """Push a request."""
        return await self.send(PAR_URL, self.wish(**changes))

    async def pushed(self, **changes: str | None) -> str:
        """Push a request; return its request_uri."""
        answer = await self.push(**changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["request_uri"])

    async def code(self, scopes: tuple[str, ...] = SCOPES, **changes: str | None) -> str:
        """Push a request and let the person approve it; return the code."""
        asker = self.client_id, await self.pushed(**changes), self.person
        assert await self.world.server.grants.opened(*asker)
        approved = await self.world.server.grants.approve(*asker, scopes)
        assert approved is not None
        return approved[2]

    async def redeem(self, code: str, *, proof_key: Key | None = None, **changes: str) -> httpx2.Response:
        """Ask for tokens for a code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return await self.send(TOKEN_URL, {**form, **changes}, proof=self.world.proof(proof_key or self.proof_key))

    async def tokens(self, **changes: str | None) -> dict[str, Any]:
        """Go all the way to an access token and a refresh token."""
        answer = await self.redeem(await self.code(SCOPES, **changes))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def refresh(self, token: str, *, proof_key: Key | None = None, **changes: str) -> httpx2.Response:
        """Ask for a new access token for a refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": token, **changes}
        return await self.send(TOKEN_URL, form, proof=self.world.proof(proof_key or self.proof_key))

    async def revoke(self, token: str, **changes: str) -> httpx2.Response:
        """End a token."""
        return await self.send(REVOKE_URL, {"token": token, **changes})

    async def is_denied(self, token_id: str) -> bool:
        """Tell whether the gate refuses a token of this id, by itself or by its approval."""
        ids = [token_id, token_id.partition(".")[0]]
        return bool(
            await self.world.pool.fetchval("select count(*) from hub.revoked_token where token_id = any ($1)", ids)
        )


async def make_app(world: World, database: Database, people: People, client_id: str = "pen-app", **uses: Any) -> App:
    """Register an app of the world's organisation, and sign Sara in."""
    key = ec_key(f"{client_id}-key")
    await world.register(client_id, key, scopes=list(SCOPES))
    await set_use(world.pool, client_id, **{"redirect_uris": [CALLBACK], **uses})
    invited = await people.invitations.invite(
        organisation=world.organisation,
        email=f"sara.{secrets.token_hex(4)}@pen.example",
        name="Sara",
        roles=["PARTNER_STAFF"],
        scopes=["cases:read", "referrals:read"],
    )
    await world.pool.execute("update hub.usr set status = 'ACTIVE' where id = $1", invited.user)
    cookie = await people.sessions.begin(invited.user)
    person = await people.sessions.person(cookie)
    assert person is not None
    return App(world, database, people, person, cookie, client_id, key)

"""An organisation's own OpenID provider, as far as the hub meets it, with switches for all that a bad one could answer."""

import json
import secrets
from base64 import b64decode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc.jwk import ECKey, Key

from tests.auth.kit import PinnedClock, b64, ec_key, jwks, resigned, signed

ISSUER = "https://login.pen-centre.example"
SECRET = "what pen-centre knows of the hub"


@dataclass
class FakeProvider:
    """Knows one client, the hub, and whoever says who they are."""

    clock: PinnedClock
    issuer: str = ISSUER
    key: Key = field(default_factory=lambda: ec_key("idp"))
    sub: str = "sara"
    asked_at: float | None = None
    """When it last asked the person; now, if None."""
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    signing: Key | None = None
    alg: str = ""
    away: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    def visit(self, link: str) -> dict[str, str]:
        """Have somebody sign in at the provider; return what it sends back in the address."""
        asked = {name: value for name, (value,) in parse_qs(urlsplit(link).query).items()}
        code = secrets.token_urlsafe()
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    async def fetch(self, url: str, form: dict[str, str] | None = None, authorization: str | None = None) -> bytes:
        """Answer as it does over HTTP."""
        self.fetched.append(url)
        if self.away:
            raise OSError
        match urlsplit(url).path:
            case "/.well-known/openid-configuration":
                return json.dumps(
                    {
                        "issuer": self.issuer,
                        "authorization_endpoint": f"{ISSUER}/authorize",
                        "token_endpoint": f"{ISSUER}/token",
                        "jwks_uri": f"{ISSUER}/keys",
                        **self.metadata,
                    }
                ).encode()
            case "/keys":
                return json.dumps(jwks(self.key)).encode()
            case "/token":
                return self._token(form or {}, authorization)
        raise OSError

    def _token(self, form: dict[str, str], authorization: str | None) -> bytes:
        asked = self.codes.pop(form["code"], None)
        given = form.get("client_secret")
        if authorization:
            given = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")[2].replace("+", " ")
        challenge = b64(sha256(form["code_verifier"].encode()).digest())
        if (
            asked is None
            or given != SECRET
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            raise OSError
        now = int(self.clock())
        claims = {
            "iss": self.issuer,
            "sub": self.sub,
            "aud": asked["client_id"],
            "iat": now,
            "exp": now + 300,
            "auth_time": int(now if self.asked_at is None else self.asked_at),
            "nonce": asked["nonce"],
            **self.claims,
        }
        token = signed({"kid": self.key.kid, **self.header}, claims, self.signing or self.key)
        if self.alg:
            # As an attacker signs who has nothing but what is published.
            token = resigned(token, json.dumps(jwks(self.key)).encode(), alg=self.alg)
        return json.dumps({"id_token": token}).encode()


def other_key() -> ECKey:
    """A key that the provider does not publish, under the name of the one it does."""
    return ec_key("idp")

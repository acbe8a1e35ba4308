"""This module issues and verifies access tokens: RFC 9068 JWTs, bound to a key (RFC 9449, section 6), short-lived."""

import secrets
from hashlib import sha256
from typing import Protocol

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from auth.clock import Clock
from auth.limits import Limits
from auth.recent import Recent
from auth.signed import BadJwtError, Profile

ACR = "phr"
"""What a token says of a person who signed in by passkey, which no phishing page can use (OpenID EAP ACR values)."""
LIFETIME = 600
"""The longest an access token lives, in seconds."""
_SKEW = 60
_TOKENS_KEPT = 4096


class Confirmation(msgspec.Struct, frozen=True):
    """RFC 9449, section 6.1: the thumbprint of the key a sender must prove to hold."""

    jkt: str


class AccessToken(msgspec.Struct, frozen=True, omit_defaults=True):
    """The claims of an access token (RFC 9068, section 2.2), and for whom and why it asks."""

    iss: str
    aud: str
    sub: str
    client_id: str
    iat: int
    exp: int
    jti: str
    scope: str
    cnf: Confirmation
    organisation: int
    auth_time: int | None = None
    """When the person signed in, if it is a person's (RFC 9068, section 2.2.1)."""
    acr: str | None = None
    """How, if it was by passkey."""
    purpose: str | None = None
    limits: Limits | None = None
    """What the client may ask for, where that is not what everyone may."""

    @property
    def user(self) -> str | None:
        """The person in whose name it asks; None for a machine, which is its own subject (RFC 9068, section 2.2)."""
        return None if self.sub == self.client_id else self.sub


class SigningKeySource(Protocol):
    """Where signing keys come from; `auth.signing_keys.SigningKeys` in production."""

    async def signing(self) -> ECKey:
        """Return the private key to sign with now; its `kid` is set."""

    async def verifying(self, kid: str) -> ECKey | None:
        """Return the live key of this kid, or None."""


# RFC 9068, section 4: typ must be at+jwt; a token without a typ could be any other JWT signed with the same key.
_PROFILE = Profile(AccessToken, types=("at+jwt",), algorithms=("ES256",))


def resource_id(issuer: str) -> str:
    """Return the audience of the hub's own tokens."""
    return f"{issuer}/graphql"


def issue(claims: AccessToken, key: ECKey) -> str:
    """Sign an access token; raise ValueError if it would live too long."""
    if claims.exp - claims.iat > LIFETIME:
        raise ValueError(f"An access token lives {LIFETIME} seconds at most.")
    header = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid}
    return jwt.encode(header, msgspec.to_builtins(claims), key, algorithms=["ES256"])


def new_token_id(approval: str | None = None) -> str:
    """Return a jti nobody can guess; it begins with the approval that the token comes from, so that both are denied at once."""
    own = secrets.token_urlsafe(16)
    return own if approval is None else f"{approval}.{own}"


class AccessTokens:
    """Verifies access tokens for one resource, remembering those verified until they end."""

    def __init__(self, issuer: str, keys: SigningKeySource, clock: Clock) -> None:
        self._issuer = issuer
        self._audience = resource_id(issuer)
        self._keys = keys
        self._clock = clock
        self._verified: Recent[bytes, tuple[AccessToken, ECKey]] = Recent(_TOKENS_KEPT)

    async def verify(self, text: str) -> AccessToken:
        """Return the claims of a token that is ours, for this resource, and live; raise BadJwtError otherwise."""
        # The digest, not the token, is kept: a dump of the process's memory holds no bearer of anything.
        digest = sha256(text.encode()).digest()
        known = self._verified.get(digest)
        claims, key = known or await self._open(text)
        self._check(claims)
        if known and await self._keys.verifying(key.kid or "") is not key:
            self._verified.drop(digest)  # the signing key was withdrawn, or read anew
            claims, key = await self._open(text)
        self._verified.put(digest, (claims, key))
        return claims

    def knows(self, text: str) -> bool:
        """Tell, at next to no cost, whether a token was verified here before and has not been forgotten since."""
        return self._verified.get(sha256(text.encode()).digest()) is not None

    async def _open(self, text: str) -> tuple[AccessToken, ECKey]:
        unopened = _PROFILE.read(text)
        kid = unopened.header.get("kid")
        key = await self._keys.verifying(kid) if kid else None
        if key is None:
            raise BadJwtError
        return unopened.open(key), key

    def _check(self, claims: AccessToken) -> None:
        now = self._clock()
        ours = claims.iss == self._issuer and claims.aud == self._audience
        live = claims.iat - _SKEW <= now < claims.exp <= claims.iat + LIFETIME
        if not (ours and live):
            raise BadJwtError

"""This module verifies DPoP proofs (RFC 9449, section 4.3), all but their replay, which Postgres settles."""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import msgspec

from auth.clock import Clock
from auth.jwk import ALGORITHMS, PublicKey, WeakKeyError, check_public, fits, public_key
from auth.nonce import Nonces
from auth.recent import Recent
from auth.signed import BadJwtError, NumericDate, Profile

WINDOW = 60
"""Seconds by which a proof's iat may lie in the past or, as clocks differ, in the future (FAPI 2.0, 5.3.2.1)."""
_MARGIN = 60  # processes that forget old proofs may have a clock ahead of the one that checks them
_LONGEST_JTI = 256
_KEYS_KEPT = 4096
_PORTS = {"http": 80, "https": 443}
_MATERIAL = ("kty", "crv", "x", "y", "n", "e")


class ProofRefusedError(Exception):
    """The proof proves nothing; the text is generic and safe to send."""


class NonceNeededError(ProofRefusedError):
    """The proof lacks a fresh nonce of the server; `nonce` is one."""

    def __init__(self, nonce: str) -> None:
        super().__init__("A fresh nonce is needed in the DPoP proof.")
        self.nonce = nonce


class ProofClaims(msgspec.Struct, frozen=True):
    """RFC 9449, section 4.2."""

    jti: str
    htm: str
    htu: str
    iat: NumericDate
    exp: NumericDate | None = None
    nbf: NumericDate | None = None
    ath: str | None = None
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds, unless it was seen before."""

    thumbprint: str
    """RFC 7638 thumbprint of the key: what a token is bound to."""
    digest: bytes
    """SHA-256 over thumbprint and jti: 32 bytes that may be seen once."""
    until: int
    """Unix seconds after which no process accepts the proof, so that its digest may be forgotten."""


_PROFILE = Profile(ProofClaims, types=("dpop+jwt",), algorithms=ALGORITHMS, embeds_key=True)


class Proofs:
    """Verifies proofs for one endpoint family; with `nonces`, none is accepted without a fresh one."""

    def __init__(self, clock: Clock, nonces: Nonces | None = None) -> None:
        self._clock = clock
        self._nonces = nonces
        self._keys: Recent[tuple[Any, ...], tuple[PublicKey, str]] = Recent(_KEYS_KEPT)

    def verify(self, text: str, *, method: str, url: str, access_token: str | None = None) -> Proof:
        """Verify a proof for this request; at a resource, also that it was made for `access_token`.

        Raises ProofRefusedError, or NonceNeededError.
        """
        try:
            unopened = _PROFILE.read(text)
            key, thumbprint = self._key(unopened.header)
            claims = unopened.open(key)
        except (BadJwtError, WeakKeyError):
            raise ProofRefusedError("The DPoP proof is not valid.") from None
        self._check_target(claims, method, url)
        self._check_time(claims)
        if access_token is not None and not _same(claims.ath or "", token_hash(access_token)):
            raise ProofRefusedError("The DPoP proof was made for another access token.")
        if self._nonces and not self._nonces.valid(claims.nonce or ""):
            raise NonceNeededError(self._nonces.issue())
        return Proof(thumbprint, sha256(f"{thumbprint}\n{claims.jti}".encode()).digest(), _until(claims))

    def next_nonce(self) -> str | None:
        """Return a nonce for the sender's next proof, if nonces are in use (RFC 9449, section 8.2)."""
        return self._nonces.issue() if self._nonces else None

    def _key(self, header: dict[str, Any]) -> tuple[PublicKey, str]:
        jwk = header["jwk"]
        if not fits(jwk, header["alg"]):
            raise BadJwtError
        check_public(jwk)
        material = tuple(value if isinstance(value, str) else None for value in map(jwk.get, _MATERIAL))
        known = self._keys.get(material)
        if known is None:
            key = public_key(jwk)
            known = key, key.thumbprint()
            self._keys.put(material, known)
        return known

    def _check_target(self, claims: ProofClaims, method: str, url: str) -> None:
        if claims.htm != method or _target(claims.htu) != _target(url):
            raise ProofRefusedError("The DPoP proof was made for another request.")

    def _check_time(self, claims: ProofClaims) -> None:
        now = self._clock()
        late = claims.exp is not None and claims.exp <= now
        early = claims.nbf is not None and claims.nbf > now + WINDOW
        if late or early or abs(now - claims.iat) > WINDOW:
            raise ProofRefusedError("The DPoP proof is too old or made in the future.")
        if not 1 <= len(claims.jti) <= _LONGEST_JTI:
            raise ProofRefusedError("The DPoP proof is not valid.")


def token_hash(access_token: str) -> str:
    """Return the `ath` value for a token (RFC 9449, section 4.2)."""
    return urlsafe_b64encode(sha256(access_token.encode()).digest()).rstrip(b"=").decode()


def _until(claims: ProofClaims) -> int:
    return int(claims.iat) + 1 + WINDOW + _MARGIN


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _target(url: str) -> tuple[str, str, int | None, str] | None:
    """Reduce a URL to what htu compares (RFC 9449, section 4.3, point 9): no query, no fragment, RFC 3986 6.2.2-3."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.username is not None:
        return None
    return parts.scheme, parts.hostname or "", port or _PORTS.get(parts.scheme), parts.path or "/"

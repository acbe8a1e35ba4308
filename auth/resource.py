"""This module is the resource side: from a request's headers to the Principal who asks, or the reason why not."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from time import time
from urllib.parse import parse_qsl

from auth.access_token import AccessToken, AccessTokens, SigningKeySource
from auth.clock import Clock
from auth.jwk import ALGORITHMS
from auth.limits import DEFAULTS
from auth.metadata import checked_issuer
from auth.nonce import Nonces
from auth.principal import Principal
from auth.proof import NonceNeededError, Proof, ProofRefusedError, Proofs
from auth.purposes import Purpose
from auth.signed import BadJwtError

Headers = Iterable[tuple[bytes, bytes]]
"""Raw headers as ASGI gives them: names in lower case, repetitions kept."""


class AuthError(Exception):
    """Why a request has no principal: an error of RFC 6750 or RFC 9449, with a text that is safe to send."""

    def __init__(self, status: int, error: str | None, description: str, headers: Mapping[str, str]) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description
        self.headers = headers


FRESH = 300
"""Seconds within which a person has shown a passkey, for what is not done on a token that somebody left lying about."""


class Resource:
    """The hub's own resource. With `nonces`, every proof needs a fresh one of them."""

    def __init__(
        self, issuer: str, keys: SigningKeySource, *, clock: Clock = time, nonces: Nonces | None = None
    ) -> None:
        self._issuer = checked_issuer(issuer)
        self._clock = clock
        self._tokens = AccessTokens(self._issuer, keys, clock)
        self._proofs = Proofs(clock, nonces)

    async def principal(self, headers: Headers, method: str, path: str, query: bytes = b"") -> Principal:
        """Return who asks, as the access token and the DPoP proof in the headers say; raise AuthError.

        Replay of the proof and revocation are not looked at: that is the answering statement's part.
        """
        token, proof_text, purpose = _credentials(headers, query)
        try:
            claims = await self._tokens.verify(token)
        except BadJwtError:
            raise refused("invalid_token", "The access token is not valid here, or has expired.") from None
        try:
            proof = self._proofs.verify(proof_text, method=method, url=self._issuer + path, access_token=token)
        except NonceNeededError as needed:
            raise refused("use_dpop_nonce", str(needed), {"DPoP-Nonce": needed.nonce}) from None
        except ProofRefusedError as bad:
            raise refused("invalid_dpop_proof", str(bad)) from None
        if proof.thumbprint != claims.cnf.jkt:
            raise refused("invalid_token", "The access token is bound to another key.")
        return _principal(claims, proof, purpose)

    def need_fresh_sign_in(self, principal: Principal) -> None:
        """Raise AuthError if a person asks who signed in too long ago (RFC 9470); a machine has nobody to ask, and passes."""
        at = principal.authenticated_at
        if principal.user is not None and (at is None or at.timestamp() + FRESH < self._clock()):
            text = "For this, the person must have shown a passkey in the last few minutes."
            raise refused("insufficient_user_authentication", text, max_age=FRESH)

    def knows(self, authorization: str) -> bool:
        """Tell whether an Authorization header holds a token that was verified here before; nothing else is said of it."""
        return self._tokens.knows(authorization.partition(" ")[2].strip(" "))

    def next_nonce(self) -> str | None:
        """Return the value of the answer's DPoP-Nonce header, if nonces are in use."""
        return self._proofs.next_nonce()


def _credentials(headers: Headers, query: bytes) -> tuple[str, str, str | None]:
    """Return access token, proof and purpose; each header may come once."""
    found: dict[bytes, list[str]] = {b"authorization": [], b"dpop": [], b"hub-purpose": []}
    for name, value in headers:
        if name in found:
            found[name].append(value.decode("latin-1"))
    authorization, proofs, purposes = found.values()
    # FAPI 2.0, 5.3.3, point 2: never in a query string, which ends up in logs.
    if any(name == "access_token" for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True)):
        raise _bad_request("The access token goes in the Authorization header, never in the URL.")
    if not authorization:
        raise refused(None, "An access token and a DPoP proof are needed.")
    if len(authorization) > 1 or len(proofs) > 1 or len(purposes) > 1:
        raise _bad_request("Authorization, DPoP and Hub-Purpose may come once each.")
    scheme, _, token = authorization[0].partition(" ")
    if scheme.lower() != "dpop":
        raise refused("invalid_token", "Access tokens are bound to a key here: use the DPoP scheme, not Bearer.")
    if not proofs:
        raise refused("invalid_dpop_proof", "A DPoP proof is needed beside the access token.")
    if purposes and purposes[0] not in set(Purpose):
        raise _bad_request(f"Hub-Purpose must be one of {', '.join(Purpose)}.")
    return token.strip(" "), proofs[0], purposes[0] if purposes else None


def _principal(claims: AccessToken, proof: Proof, purpose: str | None) -> Principal:
    return Principal(
        organisation=claims.organisation,
        client=claims.client_id,
        user=claims.user,
        scopes=frozenset(claims.scope.split()),
        purpose=purpose or claims.purpose,
        token_id=claims.jti,
        expires_at=datetime.fromtimestamp(claims.exp, UTC),
        proof=proof.digest,
        proof_until=datetime.fromtimestamp(proof.until, UTC),
        limits=claims.limits or DEFAULTS,
        authenticated_at=None if claims.auth_time is None else datetime.fromtimestamp(claims.auth_time, UTC),
    )


def refused(
    error: str | None, description: str, headers: Mapping[str, str] | None = None, *, max_age: int | None = None
) -> AuthError:
    """Return a 401 with its challenge (RFC 9449, section 7.1; RFC 9470, section 3); also for what the answering statement finds."""
    challenge = [f'algs="{" ".join(ALGORITHMS)}"']
    if max_age is not None:
        challenge = [f'max_age="{max_age}"', *challenge]
    if error:
        challenge = [f'error="{error}"', f'error_description="{description}"', *challenge]
    sent = {"WWW-Authenticate": "DPoP " + ", ".join(challenge), "Cache-Control": "no-store", **(headers or {})}
    return AuthError(401, error, description, sent)


def _bad_request(description: str) -> AuthError:
    return AuthError(400, "invalid_request", description, {"Cache-Control": "no-store"})

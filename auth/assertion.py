"""This module authenticates clients by private_key_jwt (RFC 7523), as strictly as FAPI 2.0 asks."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion

from auth.clients import Client
from auth.clock import Clock
from auth.jwk import ALGORITHMS
from auth.signed import BadJwtError, NumericDate, Profile

if TYPE_CHECKING:
    from auth.server import TokenRequest

LIFETIME = 300
"""The furthest an assertion's exp may lie ahead, in seconds."""
SKEW = 60
_LONGEST_JTI = 256
_MARGIN = 60  # see auth.proof: clocks differ between the processes that remember


class AssertionClaims(msgspec.Struct, frozen=True):
    """RFC 7523, section 3. `aud` is a single text: FAPI 2.0, 5.3.2.1, point 8."""

    iss: str
    sub: str
    aud: str
    jti: str
    exp: NumericDate
    iat: NumericDate | None = None
    nbf: NumericDate | None = None


# Neither an access token nor a DPoP proof can pass for an assertion (RFC 8725, 3.11).
_PROFILE = Profile(
    AssertionClaims, types=("jwt", "client-authentication+jwt"), algorithms=ALGORITHMS, type_required=False
)


class PrivateKeyJwt(JWTBearerClientAssertion):  # type: ignore[misc]
    """Client authentication by a signed assertion: every failure is the same `invalid_client`.

    Whatever is wrong, the work is the same: one query, one key, one verification (for unknown clients against a decoy).
    """

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def __init__(self, issuer: str, clock: Clock, first_use: Callable[[str, str, float], bool]) -> None:
        super().__init__(validate_jti=True)
        self._issuer = issuer
        self._clock = clock
        self._first_use = first_use

    def __call__(self, query_client: Callable[[str], Client], request: "TokenRequest") -> Client:
        """Return the authenticated client; raise InvalidClientError."""
        form = request.form
        if form.get("client_assertion_type") != self.CLIENT_ASSERTION_TYPE:
            raise InvalidClientError
        try:
            assertion = _PROFILE.read(form.get("client_assertion", ""))
            client = query_client(assertion.unverified.sub)
            key = client.key(assertion.header.get("kid"), assertion.header["alg"])
            claims = assertion.open(key)
        except BadJwtError:
            raise InvalidClientError from None
        if client.organisation is None or form.get("client_id", claims.sub) != claims.sub:
            raise InvalidClientError
        self.verify_claims(claims)
        request.client = client
        return client

    def verify_claims(self, claims: AssertionClaims) -> None:
        """Check audience, times and single use; raise InvalidClientError."""
        now = self._clock()
        ours = claims.aud == self._issuer and claims.iss == claims.sub
        begun = all(at is None or at <= now + SKEW for at in (claims.iat, claims.nbf))
        timely = begun and now < claims.exp <= now + LIFETIME
        if not (ours and timely and 1 <= len(claims.jti) <= _LONGEST_JTI):
            raise InvalidClientError
        if not self.validate_jti(claims, claims.jti):
            raise InvalidClientError

    def validate_jti(self, claims: Any, jti: str) -> bool:
        """Tell whether the assertion is used for the first time, in any process."""
        return self._first_use(claims.sub, jti, claims.exp + _MARGIN)

    def get_audiences(self) -> list[str]:
        """Return the only audience taken: the issuer."""
        return [self._issuer]

"""This module authenticates clients by private_key_jwt (RFC 7523), as strictly as FAPI 2.0 asks."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion

from auth.clients import Client
from auth.clock import Clock
from auth.jwk import ALGORITHMS
from auth.refusals import ClientRefusedError, Reason
from auth.signed import BadJwtError, NumericDate, Profile

if TYPE_CHECKING:
    from auth.requests import FormRequest

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

    def __call__(self, query_client: Callable[[str], Client], request: "FormRequest") -> Client:
        """Return the authenticated client; raise ClientRefusedError."""
        form = request.form
        if form.get("client_assertion_type") != self.CLIENT_ASSERTION_TYPE:
            raise ClientRefusedError(Reason.BAD_ASSERTION)
        try:
            assertion = _PROFILE.read(form.get("client_assertion", ""))
        except BadJwtError:
            raise ClientRefusedError(Reason.BAD_ASSERTION) from None
        client = query_client(assertion.unverified.sub)
        meant = assertion.header.get("kid"), assertion.header["alg"]
        try:
            claims = assertion.open(client.key(*meant))
        except BadJwtError:
            claims = None
        if claims is None or client.organisation is None:
            raise _not_signed(client, has_key=client.has_key(*meant))
        wrong = self._wrong(claims, form.get("client_id", claims.sub))
        if wrong is None and not self.validate_jti(claims, claims.jti):
            wrong = Reason.JTI_USED
        if wrong is not None:
            raise ClientRefusedError(wrong, client.client_id)
        request.client = client
        return client

    def _wrong(self, claims: AssertionClaims, client_id: str) -> Reason | None:
        """Say what is wrong with audience, issuer or times, if anything is."""
        now = self._clock()
        if claims.aud != self._issuer:
            return Reason.BAD_AUDIENCE
        if claims.iss != claims.sub or client_id != claims.sub:
            return Reason.BAD_ISSUER
        if not all(at is None or at <= now + SKEW for at in (claims.iat, claims.nbf)):
            return Reason.NOT_YET_VALID
        if claims.exp <= now:
            return Reason.EXPIRED
        if claims.exp > now + LIFETIME:
            return Reason.LIVES_TOO_LONG
        return None if 1 <= len(claims.jti) <= _LONGEST_JTI else Reason.BAD_JTI

    def validate_jti(self, claims: Any, jti: str) -> bool:
        """Tell whether the assertion is used for the first time, in any process."""
        return self._first_use(claims.sub, jti, claims.exp + _MARGIN)

    def get_audiences(self) -> list[str]:
        """Return the only audience taken: the issuer."""
        return [self._issuer]


def _not_signed(client: Client, *, has_key: bool) -> ClientRefusedError:
    """Say why nobody's signature was found: a stranger is never named, for what it calls itself is its own word."""
    if client.barred is not None:
        return ClientRefusedError(client.barred, client.client_id)
    if client.organisation is None:
        return ClientRefusedError(Reason.CLIENT_UNKNOWN)
    return ClientRefusedError(Reason.BAD_SIGNATURE if has_key else Reason.KEY_UNKNOWN, client.client_id)

"""This module names why a request to the authorization server is refused: for the operator's log alone, the caller hears only the OAuth error."""

from enum import StrEnum
from typing import Self

from authlib.oauth2.rfc6749 import InvalidClientError


class Reason(StrEnum):
    """Why no token was given; `cause` is the usual one, in one plain sentence."""

    cause: str

    def __new__(cls, value: str, cause: str) -> Self:
        """Make the reason a plain string that carries its usual cause."""
        reason = str.__new__(cls, value)
        reason._value_ = value
        reason.cause = cause
        return reason

    BAD_ASSERTION = (
        "BAD_ASSERTION",
        "The assertion is no JWT of this kind: another `alg` or `typ`, a claim missing, `aud` a list.",
    )
    BAD_AUDIENCE = (
        "BAD_AUDIENCE",
        "`aud` is not the issuer: often the token URL, a trailing slash, or another address of the hub.",
    )
    BAD_GRANT = (
        "BAD_GRANT",
        "The code or refresh token is unknown, over, another client's, or the `redirect_uri` or `code_verifier` is another.",
    )
    BAD_ISSUER = "BAD_ISSUER", "`iss` and `sub` differ, or the form's `client_id` is another: all are the client id."
    BAD_JTI = "BAD_JTI", "`jti` is empty or has more than 256 characters."
    BAD_PROOF = (
        "BAD_PROOF",
        "The DPoP header is missing, repeated, for another URL or method, or more than a minute off.",
    )
    BAD_REDIRECT = "BAD_REDIRECT", "`redirect_uri` is not, letter for letter, one that was registered with the client."
    BAD_SIGNATURE = "BAD_SIGNATURE", "Signed with another key than the one registered under this `kid`."
    CLIENT_DISABLED = "CLIENT_DISABLED", "The client is not active."
    CLIENT_UNKNOWN = "CLIENT_UNKNOWN", "No client has this id: a misspelling, or `hub client add` has not run."
    CODE_REPLAYED = (
        "CODE_REPLAYED",
        "The code was used before: the tokens issued from it have ended. Find out where it leaked.",
    )
    EXPIRED = "EXPIRED", "`exp` is past: a slow clock, or an assertion kept for later."
    INVALID_REQUEST = "INVALID_REQUEST", "The form: the answer says what is missing or too much."
    INVALID_SCOPE = "INVALID_SCOPE", "`scope` names one that does not exist, or none that the client has."
    JTI_USED = "JTI_USED", "The assertion was used before: make a new one for each request."
    KEY_UNKNOWN = "KEY_UNKNOWN", "No key of the client has this `kid`, or fits this `alg`."
    LIVES_TOO_LONG = "LIVES_TOO_LONG", "`exp` is more than five minutes ahead."
    NOT_YET_VALID = "NOT_YET_VALID", "`iat` or `nbf` is more than a minute ahead: a fast clock."
    OTHER_KEY = "OTHER_KEY", "The DPoP proof is made with another key than the code or refresh token is bound to."
    ORGANISATION_SUSPENDED = "ORGANISATION_SUSPENDED", "The client's organisation is suspended."
    PROOF_USED = "PROOF_USED", "The DPoP proof was used before: make a new one for each request."
    UNAUTHORIZED = (
        "UNAUTHORIZED",
        "The grant type or endpoint is not one that this client, or any, may use: people need `--redirect-uri`.",
    )


class ClientRefusedError(InvalidClientError):  # type: ignore[misc]
    """A client did not show who it is. `client` is the id of a registered one, as the database has it; None for a stranger."""

    def __init__(self, reason: Reason, client: str | None = None) -> None:
        super().__init__()
        self.reason = reason
        self.client = client

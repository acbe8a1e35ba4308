"""This module is what goes into Authlib's core and what comes out of it: requests already read, errors, replies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from joserfc.jwk import ECKey

from auth.budgets import Balance
from auth.proof import Proof
from auth.refusals import Reason

# One text for each error, whatever its cause: nothing of the request is echoed, nothing of the server told.
DESCRIPTIONS = {
    "invalid_client": "Client authentication failed.",
    "invalid_dpop_proof": "A valid, unused DPoP proof for this request is needed.",
    "invalid_grant": "The code or refresh token is not good here: unknown, used, ended, or bound to something else.",
    "invalid_request": "The request is malformed, repeats a parameter or carries one that is not taken.",
    "request_not_supported": "Request objects are not taken: push the parameters themselves.",
    "server_error": "The server failed; no token was given.",
    "invalid_scope": "The scope is unknown, empty or not granted to this client.",
    "temporarily_unavailable": "Too many requests: try again after the seconds that Retry-After says.",
    "unauthorized_client": "This client may not do this.",
    "unmet_authentication_requirements": "acr_values can be phr: signed in by passkey.",
    "unsupported_grant_type": "This grant type is not supported.",
    "unsupported_response_type": "response_type must be code.",
    "use_dpop_nonce": "A fresh nonce is needed in the DPoP proof.",
}
REASONS = {
    "invalid_dpop_proof": Reason.BAD_PROOF,
    "invalid_grant": Reason.BAD_GRANT,
    "invalid_request": Reason.INVALID_REQUEST,
    "invalid_scope": Reason.INVALID_SCOPE,
    "request_not_supported": Reason.INVALID_REQUEST,
    "unauthorized_client": Reason.UNAUTHORIZED,
    "unmet_authentication_requirements": Reason.INVALID_REQUEST,
    "unsupported_grant_type": Reason.UNAUTHORIZED,
    "unsupported_response_type": Reason.INVALID_REQUEST,
}
"""What the log says of errors that have one reason."""


class InvalidProofError(OAuth2Error):  # type: ignore[misc]
    """RFC 9449, section 5."""

    error = "invalid_dpop_proof"
    reason = Reason.PROOF_USED


class TooManyTokensError(OAuth2Error):  # type: ignore[misc]
    """The client has asked for all the tokens it may in this minute (RFC 6585, section 4)."""

    error = "temporarily_unavailable"

    def __init__(self, balance: Balance) -> None:
        super().__init__()
        self.balance = balance


class BadParameterError(InvalidRequestError):  # type: ignore[misc]
    """A parameter is missing or wrong; `told` says which, in words of our own."""

    def __init__(self, told: str, reason: Reason = Reason.INVALID_REQUEST) -> None:
        super().__init__()
        self.told = told
        self.reason = reason


class NotSupportedError(OAuth2Error):  # type: ignore[misc]
    """Something of OAuth that is not done here; `error` is its code."""

    def __init__(self, error: str) -> None:
        super().__init__()
        self.error = error


class BadGrantError(InvalidGrantError):  # type: ignore[misc]
    """A code or refresh token is not good for this request; whatever the reason, the client hears the same."""

    def __init__(self, reason: Reason = Reason.BAD_GRANT) -> None:
        super().__init__()
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to the client."""

    status: int
    body: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    proven: bool = False
    """Whether the client has shown who it is, so that what is wrong is no stranger's doing."""


class FormRequest(OAuth2Request):  # type: ignore[misc]
    """A request to one of the server's endpoints as Authlib reads it.

    Its URI is made from the configured issuer, never from the Host header.
    """

    def __init__(self, uri: str, form: dict[str, str], proof: Proof | None = None) -> None:
        super().__init__("POST", uri, headers={})
        self._form = form
        self.payload = BasicOAuth2Payload(form)
        self.proof = proof

    @property
    def args(self) -> dict[str, str]:
        """Return no parameters: a query string is refused before it gets here."""
        return {}

    @property
    def form(self) -> dict[str, str]:
        """Return the form's parameters, each of which appeared once."""
        return self._form


class TokenRequest(FormRequest):
    """A token request, with what was already established: the proof and the key to sign with."""

    proof: Proof

    def __init__(self, uri: str, form: dict[str, str], proof: Proof, signing_key: ECKey) -> None:
        super().__init__(uri, form, proof)
        self.signing_key = signing_key
        self.granted: frozenset[str] = frozenset()

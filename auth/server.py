"""This module is the authorization server: Authlib's framework-neutral core, on asyncpg and with FAPI 2.0's strictness.

Authlib runs in a worker thread and asks back, through the event loop, for what lies in Postgres.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import time
from typing import Any

import anyio
import structlog
from authlib.oauth2.rfc6749 import (
    AuthorizationServer as StockAuthorizationServer,
)
from authlib.oauth2.rfc6749 import InvalidClientError, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from joserfc.jwk import ECKey

from auth import access_token, clients, metadata
from auth.assertion import PrivateKeyJwt
from auth.budgets import Balance, Budgets, Kind
from auth.client_credentials import ClientCredentialsGrant
from auth.clock import Clock
from auth.database import Database
from auth.limits import DEFAULTS
from auth.nonce import Nonces
from auth.proof import NonceNeededError, Proof, ProofRefusedError, Proofs
from auth.refusals import Reason
from auth.replay import Replay
from auth.signing_keys import SigningKeys

log = structlog.get_logger(__name__)
# Authlib logs whole tokens and requests at DEBUG.
logging.getLogger("authlib").setLevel(logging.WARNING)

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
# One text for each error, whatever its cause: nothing of the request is echoed, nothing of the server told.
_DESCRIPTIONS = {
    "invalid_client": "Client authentication failed.",
    "invalid_dpop_proof": "A valid, unused DPoP proof for this request is needed.",
    "invalid_request": "The request is malformed, repeats a parameter or carries one that is not taken.",
    "server_error": "The server failed; no token was given.",
    "invalid_scope": "The scope is unknown, empty or not granted to this client.",
    "temporarily_unavailable": "Too many requests: try again after the seconds that Retry-After says.",
    "unauthorized_client": "This client may not use this grant type.",
    "unsupported_grant_type": "This grant type is not supported.",
    "use_dpop_nonce": "A fresh nonce is needed in the DPoP proof.",
}
_REQUIRED = ("client_assertion_type", "client_assertion")
_REASONS = {
    "invalid_dpop_proof": Reason.BAD_PROOF,
    "invalid_request": Reason.INVALID_REQUEST,
    "invalid_scope": Reason.INVALID_SCOPE,
    "unauthorized_client": Reason.UNAUTHORIZED,
    "unsupported_grant_type": Reason.UNAUTHORIZED,
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


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to the client."""

    status: int
    body: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class TokenRequest(OAuth2Request):  # type: ignore[misc]
    """A token request as Authlib reads it, with what was already established: the proof and the key to sign with.

    Its URI is made from the configured issuer, never from the Host header.
    """

    def __init__(self, uri: str, form: dict[str, str], proof: Proof, signing_key: ECKey) -> None:
        super().__init__("POST", uri, headers={})
        self._form = form
        self.payload = BasicOAuth2Payload(form)
        self.proof = proof
        self.signing_key = signing_key
        self.granted: frozenset[str] = frozenset()

    @property
    def args(self) -> dict[str, str]:
        """Return no parameters: a token request's query string is refused before it gets here."""
        return {}

    @property
    def form(self) -> dict[str, str]:
        """Return the form's parameters, each of which appeared once."""
        return self._form


class AuthorizationServer(StockAuthorizationServer):  # type: ignore[misc]
    """Issues access tokens to registered clients. With `nonces`, every proof needs a fresh one of them."""

    def __init__(
        self,
        issuer: str,
        database: Database,
        keys: SigningKeys,
        *,
        clock: Clock = time,
        nonces: Nonces | None = None,
        lifetime: int = access_token.LIFETIME,
    ) -> None:
        super().__init__()
        self.issuer = metadata.checked_issuer(issuer)
        self.keys = keys
        self._lifetime = lifetime
        self._database = database
        self._clock = clock
        self._proofs = Proofs(clock, nonces)
        self._replay = Replay(database, clock)
        self._budgets = Budgets(Kind.TOKENS, database, clock)
        self.register_grant(ClientCredentialsGrant)
        self.register_client_auth_method(
            PrivateKeyJwt.CLIENT_AUTH_METHOD, PrivateKeyJwt(self.issuer, clock, self._first_assertion)
        )
        clients.decoys()

    async def token(self, parameters: list[tuple[str, str]], proofs: list[str]) -> Reply:
        """Answer a token request: its form parameters, and its DPoP headers (of which there must be exactly one)."""
        form = dict(parameters)
        if malformed := _malformed(form, len(parameters)):
            return self.refusal("invalid_request", description=malformed)
        uri = metadata.token_endpoint(self.issuer)
        if len(proofs) != 1:
            return self.refusal(InvalidProofError.error)
        try:
            proof = self._proofs.verify(proofs[0], method="POST", url=uri)
        except NonceNeededError as needed:
            return self.refusal("use_dpop_nonce", {"DPoP-Nonce": needed.nonce})
        except ProofRefusedError:
            return self.refusal(InvalidProofError.error)
        request = TokenRequest(uri, form, proof, await self.keys.signing())
        reply: Reply = await anyio.to_thread.run_sync(self.create_token_response, request)
        await self._replay.prune()
        return reply

    def refusal(
        self,
        error: str,
        headers: Mapping[str, str] | None = None,
        status: int = 400,
        *,
        description: str | None = None,
        reason: Reason | None = None,
        client: str | None = None,
    ) -> Reply:
        """Return an error as RFC 6749, section 5.2 has it, with this error's one text unless the form's fault has one of its own.

        `reason`, and the id of a registered `client`, are for the log alone.
        """
        if reason := reason or _REASONS.get(error):
            log.warning("oauth.refused", code=reason.value, client=client)
        body = {"error": error, "error_description": description or _DESCRIPTIONS[error]}
        return Reply(status, body, {**_NO_STORE, **(headers or {})})

    def access_token(self, request: TokenRequest) -> dict[str, Any]:
        """Return the body of a successful answer: a token for the request's client, bound to its proof's key."""
        client: clients.Client = request.client
        now = int(self._clock())
        if client.organisation is None:
            raise InvalidClientError
        claims = access_token.AccessToken(
            iss=self.issuer,
            aud=access_token.resource_id(self.issuer),
            sub=client.client_id,
            client_id=client.client_id,
            iat=now,
            exp=now + self._lifetime,
            jti=access_token.new_token_id(),
            scope=" ".join(sorted(request.granted)),
            cnf=access_token.Confirmation(request.proof.thumbprint),
            organisation=client.organisation,
            purpose=client.purpose,
            limits=client.limits,
            documents_only=client.documents_only,
            text_in_urls=client.text_in_urls,
        )
        token = access_token.issue(claims, request.signing_key)
        return {"access_token": token, "token_type": "DPoP", "expires_in": self._lifetime, "scope": claims.scope}

    def query_client(self, client_id: str) -> clients.Client:
        """Return the client; the unknown client if there is none, so that the work goes on alike."""
        return anyio.from_thread.run(clients.find, self._database, client_id)

    def spend(self, client: clients.Client) -> None:
        """Take a token off the client's budget, now that it has proven who it is; raise TooManyTokensError."""
        if client.organisation is None:
            raise InvalidClientError
        quota = (client.limits or DEFAULTS).tokens_per_minute
        balance = anyio.from_thread.run(self._budgets.spend, client.organisation, client.client_id, quota, 1)
        if not balance.enough:
            raise TooManyTokensError(balance)

    def use_proof(self, proof: Proof) -> None:
        """Use up a proof; raise InvalidProofError if it was used before."""
        if not anyio.from_thread.run(self._replay.first_proof, proof.digest, proof.until):
            raise InvalidProofError

    def _first_assertion(self, client_id: str, jti: str, until: float) -> bool:
        return anyio.from_thread.run(self._replay.first_assertion, client_id, jti, until)

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        """Return the request as it is: it was built for Authlib."""
        return request

    def handle_response(self, status: int, body: Mapping[str, Any], _headers: list[tuple[str, str]]) -> Reply:
        """Return Authlib's successful answer."""
        nonce = self._proofs.next_nonce()
        return Reply(status, body, {**_NO_STORE, **({"DPoP-Nonce": nonce} if nonce else {})})

    def handle_error_response(self, request: TokenRequest, error: Any) -> Reply:
        """Return Authlib's error with our text for it."""
        client = getattr(error, "client", None) or getattr(request.client, "client_id", None)
        reason = getattr(error, "reason", None)
        if isinstance(error, TooManyTokensError):
            return self.refusal(error.error, error.balance.headers(), 429, reason=reason, client=client)
        return self.refusal(error.error, reason=reason, client=client)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Send nothing: nobody listens."""


def _malformed(form: Mapping[str, str], count: int) -> str | None:
    """Say what is wrong with a form that came with `count` parameters, by names of our own; None if it can be looked at."""
    if len(form) < count:
        return "A parameter came more than once."
    if "client_secret" in form:
        return "client_secret is not taken here: authenticate by client_assertion alone."
    # Whoever asks for another grant is told that first.
    asks_for_ours = form.get("grant_type") in (None, ClientCredentialsGrant.GRANT_TYPE)
    needed = ("grant_type", *(_REQUIRED if asks_for_ours else ()))
    missing = [name for name in needed if name not in form]
    return f"Missing from the form: {', '.join(missing)}." if missing else None

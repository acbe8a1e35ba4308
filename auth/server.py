"""This module is the authorization server: Authlib's framework-neutral core, on asyncpg and with FAPI 2.0's strictness.

Authlib runs in a worker thread and asks back, through the event loop, for what lies in Postgres.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from dataclasses import replace
from time import time
from typing import Any

import anyio
import structlog
from authlib.oauth2.rfc6749 import (
    AuthorizationServer as StockAuthorizationServer,
)
from authlib.oauth2.rfc6749 import InvalidClientError

from auth import access_token, clients, metadata
from auth.assertion import PrivateKeyJwt
from auth.budgets import Budgets, Kind
from auth.client_credentials import ClientCredentialsGrant
from auth.clock import Clock
from auth.code import S256, CodeGrant, RefreshGrant
from auth.database import Database
from auth.grants import Approval, Grants
from auth.limits import DEFAULTS
from auth.nonce import Nonces
from auth.par import PushedAuthorization
from auth.proof import NonceNeededError, Proof, ProofRefusedError, Proofs
from auth.refusals import Reason
from auth.replay import Replay
from auth.requests import (
    DESCRIPTIONS,
    REASONS,
    FormRequest,
    InvalidProofError,
    Reply,
    TokenRequest,
    TooManyTokensError,
)
from auth.signing_keys import SigningKeys
from auth.worth import Introspection, Revocation

log = structlog.get_logger(__name__)
# Authlib logs whole tokens and requests at DEBUG.
logging.getLogger("authlib").setLevel(logging.WARNING)

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_GRANTS = tuple(grant.GRANT_TYPE for grant in (ClientCredentialsGrant, CodeGrant, RefreshGrant))
_ASSERTION = ("client_assertion_type", "client_assertion")
_NEEDED = {"authorization_code": ("code", "redirect_uri", "code_verifier"), "refresh_token": ("refresh_token",)}
"""What a token request of each grant needs beside the assertion."""


class AuthorizationServer(StockAuthorizationServer):  # type: ignore[misc]
    """Issues access tokens to registered clients, and ends them. With `nonces`, every proof needs a fresh one of them."""

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
        self.grants = Grants(database, clock)
        self.tokens = access_token.AccessTokens(self.issuer, keys, clock)
        self.register_grant(ClientCredentialsGrant)
        self.register_grant(CodeGrant, [S256()])
        self.register_grant(RefreshGrant)
        for endpoint in (PushedAuthorization, Revocation, Introspection):
            self.register_endpoint(endpoint)
        self.register_client_auth_method(
            PrivateKeyJwt.CLIENT_AUTH_METHOD, PrivateKeyJwt(self.issuer, clock, self._first_assertion)
        )
        clients.decoys()

    async def token(self, parameters: list[tuple[str, str]], proofs: list[str]) -> Reply:
        """Answer a token request: its form parameters, and its DPoP headers (of which there must be exactly one)."""
        form = dict(parameters)
        grant = form.get("grant_type")
        # Whoever asks for another grant is told that first.
        needed = ("grant_type", *(_ASSERTION if grant in (None, *_GRANTS) else ()), *_NEEDED.get(grant or "", ()))
        if malformed := _malformed(form, len(parameters), needed):
            return self.refusal("invalid_request", description=malformed)
        uri = self.issuer + metadata.TOKEN_PATH
        proof = self._proven(uri, proofs)
        if not isinstance(proof, Proof):
            return proof or self.refusal(InvalidProofError.error)
        request = TokenRequest(uri, form, proof, await self.keys.signing())
        return await self._answered(self.create_token_response, request)

    async def push(self, parameters: list[tuple[str, str]], proofs: list[str]) -> Reply:
        """Answer a pushed authorization request; a DPoP header may come once, or not at all."""
        form = dict(parameters)
        if malformed := _malformed(form, len(parameters), _ASSERTION):
            return self.refusal("invalid_request", description=malformed)
        uri = self.issuer + metadata.PAR_PATH
        proof = self._proven(uri, proofs)
        if isinstance(proof, Reply):
            return proof
        request = FormRequest(uri, form, proof)
        return await self._answered(self.create_endpoint_response, PushedAuthorization.ENDPOINT_NAME, request)

    def about(self, endpoint: str) -> Callable[[list[tuple[str, str]], list[str]], Awaitable[Reply]]:
        """Return what answers a request about a token: to revoke or to introspect it, as `endpoint` names it."""

        async def answer(parameters: list[tuple[str, str]], _: list[str]) -> Reply:
            form = dict(parameters)
            if malformed := _malformed(form, len(parameters), (*_ASSERTION, "token")):
                return self.refusal("invalid_request", description=malformed)
            request = FormRequest(self.issuer + metadata.PATHS[endpoint], form)
            return await self._answered(self.create_endpoint_response, endpoint, request)

        return answer

    async def _answered(self, answer: Callable[..., Reply], *request: Any) -> Reply:
        reply = await anyio.to_thread.run_sync(answer, *request)
        await self._replay.prune()
        await self.grants.prune()
        return reply

    def _proven(self, uri: str, proofs: list[str]) -> Proof | Reply | None:
        """Return what the DPoP header proves, None if there is none, or the refusal."""
        if not proofs:
            return None
        try:
            return self._proofs.verify(proofs[0] if len(proofs) == 1 else "", method="POST", url=uri)
        except NonceNeededError as needed:
            return self.refusal("use_dpop_nonce", {"DPoP-Nonce": needed.nonce})
        except ProofRefusedError:
            return self.refusal(InvalidProofError.error)

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
        if reason := reason or REASONS.get(error):
            log.warning("oauth.refused", code=reason.value, client=client)
        body = {"error": error, "error_description": description or DESCRIPTIONS[error]}
        return Reply(status, body, {**_NO_STORE, **(headers or {})})

    def access_token(self, request: TokenRequest, approval: Approval | None = None) -> dict[str, Any]:
        """Return the body of a successful answer: a token for the request's client, bound to its proof's key.

        With an approval it is the person's who gave it, and says when they signed in (RFC 9068, section 2.2.1).
        """
        client: clients.Client = request.client
        now = int(self._clock())
        if client.organisation is None:
            raise InvalidClientError
        claims = access_token.AccessToken(
            iss=self.issuer,
            aud=access_token.resource_id(self.issuer),
            sub=approval.user if approval else client.client_id,
            client_id=client.client_id,
            iat=now,
            exp=now + self._lifetime,
            jti=access_token.new_token_id(approval.id if approval else None),
            scope=" ".join(sorted(request.granted)),
            cnf=access_token.Confirmation(request.proof.thumbprint),
            organisation=client.organisation,
            auth_time=int(approval.authenticated_at.timestamp()) if approval else None,
            acr=access_token.ACR if approval and approval.means == "PASSKEY" else None,
            purpose=client.purpose,
            limits=client.limits,
        )
        token = access_token.issue(claims, request.signing_key)
        return {"access_token": token, "token_type": "DPoP", "expires_in": self._lifetime, "scope": claims.scope}

    def wait_for(self, function: Callable[..., Coroutine[Any, Any, Any]], *values: object) -> Any:
        """Run a coroutine function on the event loop, from Authlib's thread, and return what it returns."""
        return anyio.from_thread.run(function, *values)

    def query_client(self, client_id: str) -> clients.Client:
        """Return the client; the unknown client if there is none, so that the work goes on alike."""
        found: clients.Client = self.wait_for(clients.find, self._database, client_id)
        return found

    def spend(self, client: clients.Client) -> None:
        """Take a token off the client's budget, now that it has proven who it is; raise TooManyTokensError."""
        if client.organisation is None:
            raise InvalidClientError
        quota = (client.limits or DEFAULTS).tokens_per_minute
        balance = self.wait_for(self._budgets.spend, client.organisation, client.client_id, quota, 1)
        if not balance.enough:
            raise TooManyTokensError(balance)

    def use_proof(self, proof: Proof) -> None:
        """Use up a proof; raise InvalidProofError if it was used before."""
        if not self.wait_for(self._replay.first_proof, proof.digest, proof.until):
            raise InvalidProofError

    def _first_assertion(self, client_id: str, jti: str, until: float) -> bool:
        return bool(self.wait_for(self._replay.first_assertion, client_id, jti, until))

    def create_oauth2_request(self, request: FormRequest) -> FormRequest:
        """Return the request as it is: it was built for Authlib."""
        return request

    def handle_response(self, status: int, body: Mapping[str, Any], _headers: list[tuple[str, str]]) -> Reply:
        """Return Authlib's successful answer."""
        nonce = self._proofs.next_nonce()
        return Reply(status, body, {**_NO_STORE, **({"DPoP-Nonce": nonce} if nonce else {})})

    def handle_error_response(self, request: FormRequest, error: Any) -> Reply:
        """Return Authlib's error with our text for it."""
        client = getattr(error, "client", None) or getattr(request.client, "client_id", None)
        reason = getattr(error, "reason", None)
        if isinstance(error, TooManyTokensError):
            return self.refusal(error.error, error.balance.headers(), 429, reason=reason, client=client)
        told = getattr(error, "told", None)
        refusal = self.refusal(error.error, reason=reason, client=client, description=told)
        return replace(refusal, proven=request.client is not None)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Send nothing: nobody listens."""


def _malformed(form: Mapping[str, str], count: int, needed: Collection[str]) -> str | None:
    """Say what is wrong with a form that came with `count` parameters, by names of our own; None if it can be looked at."""
    if len(form) < count:
        return "A parameter came more than once."
    if "client_secret" in form:
        return "client_secret is not taken here: authenticate by client_assertion alone."
    missing = [name for name in needed if name not in form]
    return f"Missing from the form: {', '.join(missing)}." if missing else None

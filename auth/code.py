"""This module grants tokens to apps in a person's name: for a code (RFC 6749, section 4.1; RFC 7636) and for a refresh token (section 6)."""

import hmac
from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Error, UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant as StockCodeGrant
from authlib.oauth2.rfc6749.grants import RefreshTokenGrant as StockRefreshGrant
from authlib.oauth2.rfc7636 import CodeChallenge as StockCodeChallenge

from auth.client_credentials import granted
from auth.clients import Client
from auth.grants import Approval
from auth.refusals import Reason
from auth.requests import BadGrantError


class S256(StockCodeChallenge):  # type: ignore[misc]
    """PKCE by S256 alone. Every code has a challenge, for no request is taken without one, so every code asks for its verifier."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)
    CODE_CHALLENGE_METHODS = {"S256": StockCodeChallenge.CODE_CHALLENGE_METHODS["S256"]}  # noqa: RUF012 as Authlib has it


class CodeGrant(StockCodeGrant):  # type: ignore[misc]
    """The stock grant, with a code that the very statement that finds it uses up, and that is bound to the key of the proof."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("private_key_jwt",)

    def validate_token_request(self) -> None:
        """Authenticate the client and check the code; what fails after the code was used up ends what it stood for."""
        self._approval: Approval | None = None
        try:
            super().validate_token_request()
        except OAuth2Error as error:
            if self._approval is None:
                raise
            self.server.wait_for(self.server.grants.end, self._approval.id)
            raise BadGrantError(getattr(error, "reason", Reason.BAD_GRANT)) from None

    def query_authorization_code(self, code: str, client: Client) -> Approval:
        """Use the code up, now that the client has shown who it is; raise BadGrantError."""
        self.request.client = client
        self.server.spend(client)
        self.server.use_proof(self.request.proof)
        grants = self.server.grants
        redeemed = self.server.wait_for(grants.redeem, code, client.client_id)
        if redeemed is None:
            replayed = self.server.wait_for(grants.end_replayed, code, client.client_id)
            raise BadGrantError(Reason.CODE_REPLAYED if replayed else Reason.BAD_GRANT)
        self._approval, self._refresh = redeemed
        return bound(redeemed[0], self.request)

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Return status, body and headers of a successful answer, with a refresh token."""
        approval: Approval = self.request.authorization_code
        self.request.granted = approval.scopes
        body = {**self.server.access_token(self.request, approval), "refresh_token": self._refresh}
        return 200, body, self.TOKEN_RESPONSE_HEADER


class RefreshGrant(StockRefreshGrant):  # type: ignore[misc]
    """The stock grant with a refresh token that stays the same (FAPI 2.0, 5.3.2.1, point 9): it is bound, and it ends."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("private_key_jwt",)

    def validate_token_request(self) -> None:
        """Authenticate the client, count its request, use up the proof, and find what the token still stands for."""
        client: Client = self.authenticate_token_endpoint_client()
        self.server.spend(client)
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError
        self.server.use_proof(self.request.proof)
        found = self.server.wait_for(self.server.grants.refreshed, self.request.form["refresh_token"], client.client_id)
        if found is None or not found.scopes:
            raise BadGrantError
        self.request.refresh_token = bound(found, self.request)
        self.request.granted = granted(self.request.payload.scope, found.scopes)

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Return status, body and headers of a successful answer; the refresh token goes on."""
        return 200, self.server.access_token(self.request, self.request.refresh_token), self.TOKEN_RESPONSE_HEADER


def bound(approval: Approval, request: Any) -> Approval:
    """Return the approval if the proof was made with the key that it is bound to; raise BadGrantError."""
    if not hmac.compare_digest(approval.thumbprint, request.proof.thumbprint):
        raise BadGrantError(Reason.OTHER_KEY)
    return approval

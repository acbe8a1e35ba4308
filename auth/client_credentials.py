"""This module grants tokens to machines: client_credentials (RFC 6749, section 4.4), bound to a DPoP key."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidScopeError, UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import (
    ClientCredentialsGrant as StockClientCredentialsGrant,
)

from auth.clients import Client
from auth.scopes import NAMES


class ClientCredentialsGrant(StockClientCredentialsGrant):  # type: ignore[misc]
    """The stock grant, with scopes narrowed to the client's and without the stock log line that prints the token."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("private_key_jwt",)

    def validate_token_request(self) -> None:
        """Authenticate the client, count its request, narrow the scopes, use up the proof: no stranger can fill a table or a budget."""
        client: Client = self.authenticate_token_endpoint_client()
        self.server.spend(client)
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError
        self.request.granted = granted(self.request.payload.scope, client.scopes)
        self.server.use_proof(self.request.proof)

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Return status, body and headers of a successful answer (RFC 6749, section 5.1)."""
        return 200, self.server.access_token(self.request), self.TOKEN_RESPONSE_HEADER


def granted(requested: str | None, allowed: frozenset[str]) -> frozenset[str]:
    """Return what of the requested scopes the client may have; all it may have, if none are named (RFC 6749, 3.3).

    Raises InvalidScopeError if a scope is unknown or nothing is left.
    """
    if requested is None and allowed:
        return allowed
    named = frozenset((requested or "").split(" "))
    if not named <= NAMES or not named & allowed:
        raise InvalidScopeError
    return named & allowed

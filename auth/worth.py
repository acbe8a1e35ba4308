"""This module ends tokens before their time (RFC 7009), and tells resource servers of ICORN what a token is worth (RFC 7662)."""

from typing import Any, Final

import msgspec
from authlib.oauth2.rfc6749 import UnauthorizedClientError
from authlib.oauth2.rfc6749.endpoint import Endpoint

from auth.access_token import AccessToken
from auth.clients import Client
from auth.requests import FormRequest
from auth.signed import BadJwtError

Answer = tuple[int, dict[str, Any], list[tuple[str, str]]]
_METHODS: Final = ["private_key_jwt"]


class Revocation(Endpoint):  # type: ignore[misc]
    """Ends a token of the client that asks. Of any other token it says the same and does nothing: nobody learns whose one is."""

    ENDPOINT_NAME = "revocation"

    def create_endpoint_response(self, request: FormRequest) -> Answer:
        """Return 200 whatever the token is (RFC 7009, section 2.2); raise OAuth2Error if the client is not who it says."""
        client: Client = self.server.authenticate_client(request, _METHODS, self.ENDPOINT_NAME)
        text, grants = request.form["token"], self.server.grants
        if (claims := opened(self.server, text)) is None:
            self.server.wait_for(grants.end_refresh, text, client.client_id)
        elif claims.client_id == client.client_id:
            self.server.wait_for(grants.deny, claims.jti, claims.exp)
        return 200, {}, []


class Introspection(Endpoint):  # type: ignore[misc]
    """Tells what an access token is worth at this moment, by the rule of the gate itself; to those alone who were let in to ask."""

    ENDPOINT_NAME = "introspection"

    def create_endpoint_response(self, request: FormRequest) -> Answer:
        """Return what RFC 7662, section 2.2 has; raise OAuth2Error if the client may not ask."""
        client: Client = self.server.authenticate_client(request, _METHODS, self.ENDPOINT_NAME)
        if not client.introspects:
            raise UnauthorizedClientError
        claims = opened(self.server, request.form["token"])
        if claims is None or not self.server.wait_for(self.server.grants.is_live, *_standing(claims)):
            return 200, {"active": False}, []
        return 200, {"active": True, "token_type": "DPoP", **_told(claims)}, []


def opened(server: Any, text: str) -> AccessToken | None:
    """Return the claims of a live access token of the hub; None for anything else."""
    try:
        claims: AccessToken = server.wait_for(server.tokens.verify, text)
    except BadJwtError:
        return None
    return claims


def _standing(claims: AccessToken) -> tuple[str, str, int, str | None, list[str]]:
    return claims.jti, claims.client_id, claims.organisation, claims.user, claims.scope.split()


def _told(claims: AccessToken) -> dict[str, Any]:
    """Return what a resource server needs: who, for whom, what, until when, bound to which key. Never why, or with what limits."""
    told = msgspec.to_builtins(claims)
    return {name: value for name, value in told.items() if name not in ("purpose", "limits")}

"""This module takes pushed authorization requests (RFC 9126), the only kind of authorization request there is here (FAPI 2.0, 5.3.2.2)."""

import re
from collections.abc import Mapping
from typing import Any, Final

from authlib.oauth2.rfc6749 import UnauthorizedClientError
from authlib.oauth2.rfc6749.endpoint import Endpoint

from auth.access_token import ACR
from auth.client_credentials import granted
from auth.clients import Client
from auth.grants import REQUEST_LIFETIME, Wish
from auth.redirects import is_registered
from auth.refusals import Reason
from auth.requests import BadParameterError, FormRequest, NotSupportedError

PROMPTS: Final = ("login", "consent")
_DIGEST: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_STATE: Final = re.compile(r"[\x20-\x7e]{1,512}")
_SECONDS: Final = re.compile(r"[0-9]{1,9}")


class PushedAuthorization(Endpoint):  # type: ignore[misc]
    """Checks a request before any browser carries anything of it, and keeps it for a minute and a half."""

    ENDPOINT_NAME = "pushed_authorization"

    def create_endpoint_response(self, request: FormRequest) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Return status, body and headers; raise OAuth2Error."""
        client: Client = self.server.authenticate_client(request, ["private_key_jwt"], self.ENDPOINT_NAME)
        self.server.spend(client)
        if not client.check_grant_type("authorization_code"):
            raise UnauthorizedClientError
        wish = _wish(client, request.form, request.proof.thumbprint if request.proof else None)
        if request.proof is not None:
            self.server.use_proof(request.proof)
        request_uri = self.server.wait_for(self.server.grants.push, wish)
        return 201, {"request_uri": request_uri, "expires_in": REQUEST_LIFETIME}, []


def _wish(client: Client, form: Mapping[str, str], proven: str | None) -> Wish:
    for name in ("request", "request_uri"):
        if name in form:
            raise (
                NotSupportedError("request_not_supported")
                if name == "request"
                else BadParameterError("request_uri is what this endpoint gives, not what it takes.")
            )
    if form.get("response_type") != "code":
        raise NotSupportedError("unsupported_response_type")
    if form.get("response_mode", "query") != "query":
        raise BadParameterError("response_mode can only be query.")
    if not is_registered(form.get("redirect_uri", ""), client.redirect_uris):
        raise BadParameterError(
            "redirect_uri must be, letter for letter, one that the client registered.", Reason.BAD_REDIRECT
        )
    if form.get("code_challenge_method") != "S256" or not _DIGEST.fullmatch(form.get("code_challenge", "")):
        raise BadParameterError("PKCE is needed: code_challenge, with code_challenge_method S256.")
    if (state := form.get("state")) is not None and not _STATE.fullmatch(state):
        raise BadParameterError("state has 1 to 512 printable characters of ASCII.")
    return Wish(
        client_id=client.client_id,
        redirect_uri=form["redirect_uri"],
        scopes=granted(form.get("scope"), client.scopes),
        challenge=form["code_challenge"],
        thumbprint=_thumbprint(form.get("dpop_jkt"), proven),
        state=state,
        max_age=_max_age(form),
        by_passkey="acr_values" in form,
    )


def _thumbprint(named: str | None, proven: str | None) -> str:
    """Return the key that the code will be bound to (RFC 9449, section 10): proven here, or named by its thumbprint."""
    key = proven if named is None else named
    if key is None or not _DIGEST.fullmatch(key):
        raise BadParameterError("A DPoP proof or dpop_jkt is needed: the code is bound to its key.")
    if proven is not None and key != proven:
        raise BadParameterError("dpop_jkt is not the thumbprint of the DPoP proof's key.")
    return key


def _max_age(form: Mapping[str, str]) -> int | None:
    """Return how old a sign-in may be (RFC 9470, section 5): what max_age says, and no time at all for prompt=login."""
    if not (prompts := set(form.get("prompt", "consent").split(" "))) <= set(PROMPTS):
        raise BadParameterError(f"prompt can be {' or '.join(PROMPTS)}: people are always asked.")
    if ACR not in form.get("acr_values", ACR).split(" "):
        raise NotSupportedError("unmet_authentication_requirements")
    if not _SECONDS.fullmatch(form.get("max_age", "0")):
        raise BadParameterError("max_age is a number of seconds.")
    if "login" in prompts:
        return 0
    return int(form["max_age"]) if "max_age" in form else None

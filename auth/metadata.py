"""This module publishes where the authorization server's endpoints are and what they take (RFC 8414)."""

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from auth.access_token import ACR
from auth.jwk import ALGORITHMS
from auth.scopes import Scope

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
PAR_PATH = "/oauth/par"
AUTHORIZE_PATH = "/oauth/authorize"
JWKS_PATH = "/oauth/jwks"
PATHS = {"revocation": "/oauth/revoke", "introspection": "/oauth/introspect"}
"""By the names that Authlib's endpoints have."""
METADATA_PATH = "/.well-known/oauth-authorization-server"


def checked_issuer(issuer: str) -> str:
    """Return the issuer if it is an https origin (http on loopback), written as browsers write origins.

    Raises ValueError, naming the setting and what it should be.
    """
    try:
        parts = urlsplit(issuer)
        plain = f"{parts.scheme}://{parts.netloc}" == issuer and parts.netloc == parts.netloc.lower()
        good = plain and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        good = False
    if not good or not (parts.scheme == "https" or (parts.scheme == "http" and _loopback(parts.hostname or ""))):
        raise ValueError("HUB_ISSUER must be an https origin such as https://hub.example.org, with nothing after it.")
    return issuer


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def document(issuer: str) -> dict[str, Any]:
    """Return the metadata document; every line of it is held by a test."""
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORIZE_PATH,
        "pushed_authorization_request_endpoint": issuer + PAR_PATH,
        "token_endpoint": issuer + TOKEN_PATH,
        **{f"{name}_endpoint": issuer + path for name, path in PATHS.items()},
        "jwks_uri": issuer + JWKS_PATH,
        "scopes_supported": [str(scope) for scope in Scope],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["client_credentials", "authorization_code", "refresh_token"],
        "require_pushed_authorization_requests": True,
        "authorization_response_iss_parameter_supported": True,
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": [ACR],
        "prompt_values_supported": ["login", "consent"],
        **{
            f"{endpoint}_endpoint_auth_{what}_supported": list(values)
            for endpoint in ("token", *PATHS)
            for what, values in (("methods", ("private_key_jwt",)), ("signing_alg_values", ALGORITHMS))
        },
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
    }

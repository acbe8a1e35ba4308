"""This module publishes where the authorization server's endpoints are and what they take (RFC 8414)."""

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from auth.jwk import ALGORITHMS
from auth.scopes import Scope

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
JWKS_PATH = "/oauth/jwks"
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


def token_endpoint(issuer: str) -> str:
    """Return the URL of the token endpoint."""
    return issuer + TOKEN_PATH


def document(issuer: str) -> dict[str, Any]:
    """Return the metadata document; it grows with the endpoints."""
    return {
        "issuer": issuer,
        "token_endpoint": token_endpoint(issuer),
        "jwks_uri": issuer + JWKS_PATH,
        "scopes_supported": [str(scope) for scope in Scope],
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
    }

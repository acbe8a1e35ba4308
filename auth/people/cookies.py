"""This module says which cookies there are: three, for this host alone, unreadable to scripts, never sent over plain HTTP."""

import secrets
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

# RFC 6265bis, 4.1.3.2: a browser takes a __Host- cookie only with Secure, with Path=/ and without Domain, so neither a sibling
# host nor plain HTTP can plant one.
SESSION: Final = "__Host-hub-session"
FORM: Final = "__Host-hub-form"
"""Ties a form, and what a passkey is asked to sign, to the browser it was shown in; it says nothing of a person."""
THROUGH: Final = "__Host-hub-through"
"""What somebody who is at their organisation's provider began here, sealed; for ten minutes."""
_LENGTH: Final = 43


def new() -> str:
    """Return 256 random bits."""
    return secrets.token_urlsafe(32)


def read(request: Request, name: str, longest: int = _LENGTH) -> str | None:
    """Return a cookie of ours; None for what cannot be one, and for two of one name."""
    found = [
        value
        for line in request.headers.getlist("cookie")
        for key, _, value in (pair.strip().partition("=") for pair in line.split(";"))
        if key == name
    ]
    if len(found) != 1 or not found[0].isascii():
        return None
    return found[0] if _LENGTH <= len(found[0]) <= longest else None


def put(response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
    """Set a cookie, for as long as the browser runs, or for `seconds` at most."""
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def drop(response: Response, name: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")

"""This module decides where people may be sent back to: exactly where a client registered, and nowhere else."""

import re
from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import urlsplit

MOST: Final = 10
_LONGEST: Final = 400
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?[]@!$&'()*+,;=%")


def problems(uris: Collection[str]) -> list[str]:
    """Say what is wrong with redirect URIs that a client would like to register, all at once; nothing of them is repeated."""
    found = [f"redirect_uris: number {place}: {fault}" for place, uri in enumerate(uris, 1) if (fault := _fault(uri))]
    if len(uris) > MOST:
        found.append(f"redirect_uris: {MOST} at most")
    return found


def is_registered(asked: str, registered: Iterable[str]) -> bool:
    """Tell whether this is one of them, letter for letter; on 127.0.0.1 any port will do (RFC 8252, section 7.3)."""
    return any(asked == uri or (_on_loopback(uri) and _portless(asked) == uri) for uri in registered)


def _fault(uri: str) -> str | None:
    if len(uri) > _LONGEST or not _PLAIN.issuperset(uri):
        return f"{_LONGEST} characters at most, of those that RFC 3986 has, and no fragment"
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return "is no URL"
    # The host is put into a header of the page that asks, so it is nothing but a name.
    if not _HOST.fullmatch(parts.netloc) or not parts.path.startswith("/"):
        return "needs a host in small letters and a path, and no user"
    if parts.scheme == "https" or _on_loopback(uri):
        return None
    return "must be https, or http://127.0.0.1/... without a port for an app on the person's own machine"


def _on_loopback(uri: str) -> bool:
    """Tell whether a registered URI leads to the person's own machine: by its address, for a name could be resolved elsewhere."""
    return uri.startswith("http://127.0.0.1/")


def _portless(uri: str) -> str | None:
    """Return a URI without its port, if it has one that is written as ports are."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    host, colon, written = parts.netloc.rpartition(":")
    plain = port is not None and colon and written == str(port) and port > 0
    return uri.replace(parts.netloc, host, 1) if plain and _PLAIN.issuperset(uri) else None

"""This module writes hashes as RFC 9162 does: base64 with padding (RFC 4648, section 4), and reads nothing else for one."""

from base64 import b64decode, b64encode, urlsafe_b64decode


def encoded(value: bytes) -> str:
    """Write bytes."""
    return b64encode(value).decode()


def decoded(text: str, *, url: bool = False) -> bytes:
    """Read bytes, `url` those of a JWS (RFC 7515, without padding); raise ValueError."""
    if url:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return b64decode(text, validate=True)

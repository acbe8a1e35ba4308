"""This module makes and checks DPoP nonces (RFC 9449, sections 8 and 9) that need no storage: a time and its HMAC."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

from auth.clock import Clock

_STAMP = 8
_MAC = 16


class Nonces:
    """Nonces good for `lifetime` seconds, recognised by every process that has the same key."""

    def __init__(self, key: bytes, clock: Clock, *, lifetime: int = 60) -> None:
        self._key = key
        self._clock = clock
        self._lifetime = lifetime

    def issue(self) -> str:
        """Return a nonce made now."""
        stamp = int(self._clock()).to_bytes(_STAMP)
        return urlsafe_b64encode(stamp + self._mac(stamp)).decode()

    def valid(self, nonce: str) -> bool:
        """Tell whether `nonce` was made with this key, at most `lifetime` seconds ago."""
        try:
            raw = urlsafe_b64decode(nonce.encode("ascii"))
        except ValueError:
            return False
        stamp, mac = raw[:_STAMP], raw[_STAMP:]
        age = self._clock() - int.from_bytes(stamp)
        # Processes on different machines may disagree by a second.
        return hmac.compare_digest(mac, self._mac(stamp)) and -1 <= age <= self._lifetime

    def _mac(self, stamp: bytes) -> bytes:
        return hmac.digest(self._key, stamp, "sha256")[:_MAC]

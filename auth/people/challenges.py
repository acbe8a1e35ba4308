"""This module makes what a passkey is asked to sign: good once, for five minutes, for one purpose, in one browser.

A challenge needs no storage until it has been signed, so no stranger can fill a table by asking for them.
"""

import hmac
import secrets
from hashlib import sha256
from typing import Final

from auth.clock import Clock

LIFETIME: Final = 300
"""Seconds within which a challenge has to come back signed."""
_STAMP: Final = 8
_RANDOM: Final = 16
_MAC: Final = 32


class Challenges:
    """Challenges that every process with the same key recognises. `holder` is the cookie of the browser they were made for."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def issue(self, purpose: str, holder: str) -> bytes:
        """Return a challenge nobody has seen before."""
        head = int(self._clock()).to_bytes(_STAMP) + secrets.token_bytes(_RANDOM)
        return head + self._mac(purpose, holder, head)

    def fits(self, challenge: bytes, purpose: str, holder: str) -> bool:
        """Tell whether a challenge was made for this, here, and not too long ago; whether it was used, Postgres knows."""
        head, mac = challenge[: _STAMP + _RANDOM], challenge[_STAMP + _RANDOM :]
        age = self._clock() - int.from_bytes(head[:_STAMP])
        # Processes on different machines may disagree by a second.
        return len(mac) == _MAC and hmac.compare_digest(mac, self._mac(purpose, holder, head)) and -1 <= age <= LIFETIME

    def _mac(self, purpose: str, holder: str, head: bytes) -> bytes:
        return hmac.digest(self._key, f"{purpose}\n{holder}\n".encode() + head, "sha256")


def digest(challenge: bytes) -> bytes:
    """Return what Postgres knows a used challenge by."""
    return sha256(challenge).digest()

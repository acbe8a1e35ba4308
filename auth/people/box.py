"""This module seals what a browser keeps for us, so that it can neither be read nor changed there."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE: Final = 12


class Box:
    """AES-256-GCM under one key, for one purpose."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def encrypt(self, content: bytes) -> bytes:
        """Seal."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, content, None)

    def decrypt(self, sealed: bytes) -> bytes:
        """Open; raise ValueError for what was not sealed here."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except InvalidTag:
            raise ValueError("This was not sealed here.") from None

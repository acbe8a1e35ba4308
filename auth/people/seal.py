"""This module seals what is said of a user (address, name, the labels of passkeys) under a key of the user's own.

The shape is that of every sealed document in the hub: nonce and AES-256-GCM ciphertext, bound to "user:<id>|<part>|1".
"""

import hmac
import os
import unicodedata
from dataclasses import dataclass, field
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from auth.keyring import Keyring, KeyringError

CARD: Final = "CARD"
LABEL: Final = "LABEL"
_NONCE: Final = 12


class Card(msgspec.Struct, frozen=True):
    """How to reach a user and what to call them."""

    email: str
    name: str


@dataclass(frozen=True, slots=True)
class UserKey:
    """A user's key: wrapped as it is stored, and plain."""

    kek: str
    wrapped: bytes
    plain: bytes = field(repr=False)


class UserSeal:
    """Seals and opens, and makes the keyed digests by which an address is found again."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._index = keyring.subkey("index/user e-mail")

    def new_key(self) -> UserKey:
        """Make a key for a new user."""
        plain = AESGCM.generate_key(256)
        kek, wrapped = self._keyring.wrap(plain)
        return UserKey(kek, wrapped, plain)

    def key(self, kek: str, wrapped: bytes) -> bytes:
        """Unwrap a user's key; raise KeyringError."""
        return self._keyring.unwrap(kek, wrapped)

    def seal(self, key: bytes, user: str, part: str, content: bytes) -> bytes:
        """Seal one thing that is said of a user."""
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(key).encrypt(nonce, content, _bound(user, part))

    def open(self, key: bytes, user: str, part: str, sealed: bytes) -> bytes:
        """Open it again; raise KeyringError when it is another user's, another part, or was altered."""
        try:
            return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(user, part))
        except (InvalidTag, ValueError):
            raise KeyringError("HUB_KEYS_FILE: what is stored of a user does not open under the user's key.") from None

    def card(self, user: str, kek: str, wrapped: bytes, sealed: bytes) -> Card:
        """Open a user's card; raise KeyringError."""
        return msgspec.json.decode(self.open(self.key(kek, wrapped), user, CARD, sealed), type=Card)

    def digest(self, organisation: int, email: str) -> bytes:
        """Return the digest of an address within an organisation; capitals and ways to write an accent make no difference."""
        written = unicodedata.normalize("NFKC", email.strip()).casefold()
        return hmac.digest(self._index, f"{organisation}\n{written}".encode(), "sha256")


def _bound(user: str, part: str) -> bytes:
    return f"user:{user}|{part}|1".encode()

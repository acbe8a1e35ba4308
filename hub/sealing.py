"""This module seals what is said of people: AES-256-GCM, under a data key for each case, referral or feed record.

The data key is itself wrapped by a key-encryption key that Postgres never sees.
"""

import os
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap

from auth.keyring import Keyring, KeyringError

_NONCE: Final = 12


class SealBrokenError(Exception):
    """A sealed document that is not what its place says: moved, changed, or under a key that is gone."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """A new data key: wrapped, to be stored beside what it seals, and plain, to seal with now."""

    kek: str
    wrapped: bytes
    plain: bytes = field(repr=False)


def _bound(subject: str, category: str, version: int) -> bytes:
    return f"{subject}|{category}|{version}".encode()


class Sealing:
    """Seals and opens documents. `subject` is whose it is, as "case:<uuid>"; a document opens only in the place it was sealed for."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def new_key(self) -> DataKey:
        """Make a data key for a new case, referral or feed record."""
        plain = AESGCM.generate_key(256)
        kek, wrapped = self._keyring.wrap(plain)
        return DataKey(kek, wrapped, plain)

    def key(self, kek: str, wrapped: bytes) -> bytes:
        """Unwrap a stored data key; raise SealBrokenError when it cannot be."""
        try:
            return self._keyring.unwrap(kek, wrapped)
        except (KeyringError, InvalidUnwrap, KeyError, ValueError):
            raise SealBrokenError from None

    def seal(self, plain_key: bytes, subject: str, category: str, version: int, document: bytes) -> bytes:
        """Seal one document: nonce and ciphertext."""
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(plain_key).encrypt(nonce, document, _bound(subject, category, version))

    def open(self, plain_key: bytes, subject: str, category: str, version: int, sealed: bytes) -> bytes:
        """Open one document; raise SealBrokenError when it was sealed for another place or has been changed."""
        try:
            return AESGCM(plain_key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(subject, category, version))
        except (InvalidTag, ValueError):
            raise SealBrokenError from None

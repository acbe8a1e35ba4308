"""This module seals cursors: opaque, authenticated, and good only for the asker and the list they were given for.

AES-SIV (RFC 5297) is deterministic, so the same place in the same list always has the same cursor, and needs no nonce.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

_PAGING = {"first", "last", "after", "before", "maxAge", "deadline"}


class Cursors:
    """Seals and opens cursors for one asker; `key` is 64 bytes."""

    def __init__(self, key: bytes, asker: Sequence[str]) -> None:
        self._key = key
        self._asker = "\x00".join(asker)

    @cached_property
    def _cipher(self) -> AESSIV:
        """Made for those who have a cursor: most requests have none."""
        return AESSIV(self._key)

    def _bound(self, coordinate: str, values: Mapping[str, Any], keys: Sequence[str]) -> bytes:
        asked = {name: value for name, value in values.items() if name not in _PAGING}
        text = json.dumps([self._asker, coordinate, asked, list(keys)], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).digest()

    def seal(self, coordinate: str, values: Mapping[str, Any], keys: Sequence[str], places: Sequence[str]) -> str:
        """Give the cursor of a place: the values of its sort keys."""
        sealed = self._cipher.encrypt("|".join(places).encode(), [self._bound(coordinate, values, keys)])
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, coordinate: str, values: Mapping[str, Any], keys: Sequence[str], cursor: str) -> list[str] | None:
        """Give the place of a cursor, or None when it is not one of this asker's for this list."""
        try:
            sealed = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            return self._cipher.decrypt(sealed, [self._bound(coordinate, values, keys)]).decode().split("|")
        except (InvalidTag, binascii.Error, ValueError):
            return None

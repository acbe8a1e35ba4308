"""This module says what replication needs of sealing: a key for each record, and marks that give nothing away."""

import hmac
import json
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

#: Version of the key a document is sealed with: a record that changes gets a new key, not a new version of the old one.
KEY_VERSION = 1


class DataKey(Protocol):
    """A key for one subject: in plain, and wrapped by the key-encryption key `kek`."""

    @property
    def kek(self) -> str:
        """Which key-encryption key wraps it."""
        ...

    @property
    def wrapped(self) -> bytes:
        """What is stored."""
        ...

    @property
    def plain(self) -> bytes:
        """What is not."""
        ...


class Sealing(Protocol):
    """Seals documents so that each opens in its own place only."""

    def new_key(self) -> DataKey:
        """Make a data key."""
        ...

    def seal(self, plain_key: bytes, subject: str, category: str, version: int, document: bytes) -> bytes:
        """Seal a document for one subject and category."""
        ...


@dataclass(frozen=True, slots=True)
class Seal:
    """Sealing, and the key under which content is marked: a plain hash of a person's data could be guessed at."""

    sealing: Sealing
    mark_key: bytes = field(repr=False)

    def mark(self, content_hash: bytes) -> bytes:
        """Make of a content hash what tells whether content changed, and nothing else."""
        return hmac.digest(self.mark_key, content_hash, "sha256")

    def mark_source(self, feed: str, source_id: str) -> bytes:
        """Say where a record comes from, to whoever has the key: by this what was erased is known when it is sent again."""
        return hmac.digest(self.mark_key, json.dumps([feed, source_id]).encode(), "sha256")


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """A record's documents under a key of their own."""

    kek: str
    wrapped: bytes
    documents: dict[str, bytes]


def seal_documents(sealing: Sealing, record: UUID, documents: dict[str, bytes]) -> SealedRecord:
    """Seal a record's documents by category, under a new key."""
    key = sealing.new_key()
    subject = f"feed_record:{record}"
    return SealedRecord(
        key.kek,
        key.wrapped,
        {
            category: sealing.seal(key.plain, subject, category, KEY_VERSION, document)
            for category, document in documents.items()
        },
    )

"""This module says what a chained audit log is: the bytes of an entry, the hash of a leaf, and where a chain is broken. It is pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

START: Final = bytes(32)
"""What stands before the first leaf."""
FIELDS: Final = (
    "id", "organisation", "client", "usr", "at", "action", "operation", "purpose", "subjects", "categories", "proof",
)  # fmt: skip
"""All that an entry says. `organisation` is the code, which never changes."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of one organisation's log: the number of its leaves, and the hash that covers them all."""

    seq: int = 0
    hash: bytes = START


@dataclass(frozen=True, slots=True)
class Fault:
    """The first leaf that is not what was written, and what is wrong with it."""

    seq: int
    reason: str


def canonical(entry: Mapping[str, Any]) -> bytes:
    """Give the bytes of an entry: JSON with sorted names, times in UTC to the microsecond, bytes in hex."""
    return msgspec.json.encode({name: _plain(entry[name]) for name in FIELDS}, order="sorted")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [str(item) for item in value]
    return value if value is None else str(value)


def leaf_hash(entry: Mapping[str, Any], previous: bytes) -> bytes:
    """Hash an entry with everything before it: SHA-256(0x00 || entry || previous), the zero marking a leaf (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\x00" + canonical(entry) + previous).digest()


class Walk:
    """Walks one log from its first leaf on, comparing it with what is recomputed and with heads that were given out."""

    def __init__(self, known: Head | None = None) -> None:
        self.head = Head()
        self.fault: Fault | None = None
        self._known = known

    def step(self, seq: int, stored: bytes, entry: Mapping[str, Any] | None) -> None:
        """Take the next leaf; `entry` None is one whose record is gone. The first fault stays."""
        if self.fault is not None:
            return
        expected = self.head.seq + 1
        if seq != expected:
            self.fault = Fault(expected, f"it is missing: leaf {seq} follows leaf {self.head.seq}")
        elif entry is None:
            self.fault = Fault(seq, "its record is gone, or another organisation's")
        elif leaf_hash(entry, self.head.hash) != stored:
            self.fault = Fault(seq, "its record, its place or its hash was changed")
        else:
            self.head = Head(seq, stored)
            if self._known is not None and self._known.seq == seq and self._known.hash != stored:
                self.fault = Fault(seq, "it is not the one whose head was kept: the log was written anew")

    def end(self) -> Fault | None:
        """Say what is wrong with the log now that it has ended."""
        if self.fault is None and self._known is not None and self._known.seq > self.head.seq:
            self.fault = Fault(
                self.head.seq + 1, f"it is missing: the log was cut off, and {self._known.seq} leaves were known"
            )
        return self.fault

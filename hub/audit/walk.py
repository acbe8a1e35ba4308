"""This module walks one log from its first leaf on and says where it is not what was written. It is pure, and keeps only a frontier.

What is compared: each entry with its record, each hash with its entry, each node with the leaves under it, what readers find
with the entry, and every head that was signed with the root of as many leaves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from hub.audit.entry import entry, events
from hub.audit.head import Head
from hub.audit.merkle import Frontier, leaf_hash


@dataclass(frozen=True, slots=True)
class Fault:
    """The first leaf that is not what was written (counted from 0), and what is wrong with it."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf as it is stored; `record` is None when it is gone, `told` what each of its readers finds, as Events."""

    index: int
    text: str
    nodes: Sequence[bytes]
    record: Mapping[str, Any] | None
    told: Sequence[Sequence[tuple[Any, ...]]]


class Walk:
    """Takes the leaves of one log in order, and each head as soon as the leaves are there that it covers."""

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.sound = 0
        """So many leaves are what a signed head of the log says."""
        self._confirmed = 0
        self._tree = Frontier()

    @property
    def size(self) -> int:
        """How many leaves were taken."""
        return self._tree.size

    def root(self) -> bytes:
        """Give the root of what was taken."""
        return self._tree.root()

    def leaf(self, leaf: Leaf) -> None:
        """Take the next leaf. The first fault stays."""
        expected = self._tree.size
        if self.fault is not None:
            return
        if leaf.index != expected:
            self._wrong(expected, f"it is missing: leaf {leaf.index} stands in its place")
        elif leaf.record is None:
            self._wrong(expected, "its record is gone, or another organisation's")
        elif leaf.text != entry(leaf.record, expected):
            self._wrong(expected, "its entry is not what its record says: one of them, or its place, was changed")
        elif not leaf.nodes or leaf.nodes[0] != leaf_hash(leaf.text.encode()):
            self._wrong(expected, "its hash is not that of its entry")
        elif self._tree.append(leaf.nodes[0]) != list(leaf.nodes):
            self._wrong(expected, "the hashes of the subtrees that end with it are not those of their leaves")
        elif any(
            list(told) != [astuple(event) for event in events(leaf.record, expected, leaf.nodes[0])]
            for told in leaf.told
        ):
            self._wrong(expected, "what its readers find of it was changed")

    def head(self, head: Head) -> None:
        """Take a head of the log's own that says how it was when there were as many leaves as now."""
        self._compare(head, self.sound)
        self.sound = self._tree.size

    def kept(self, head: Head) -> None:
        """Take one that was kept elsewhere: it stands even where the log and its heads were written anew."""
        self._compare(head, self._confirmed)
        self._confirmed = self._tree.size

    def _compare(self, head: Head, since: int) -> None:
        if self.fault is None and head.root != self._tree.root():
            last = self._tree.size - 1
            among = "it" if last == since else f"it, or one after it up to {last},"
            self._wrong(since, f"{among} is not what it was when a head over {head.size} leaves was signed")

    def forged(self, size: int) -> None:
        """Note a head that no key of the hub signed."""
        self._wrong(size - 1, f"the head over {size} leaves, which it ends, was not signed by this hub")

    def end(self, sizes: Mapping[int, datetime]) -> Fault | None:
        """Say what is wrong now that the log has ended; `sizes` are the heads beyond its end, and when they were signed."""
        if self.fault is None and sizes:
            size = min(sizes)
            self._wrong(
                self._tree.size,
                f"it is missing: the log was cut off, and had {size} leaves at {sizes[size]:%Y-%m-%d %H:%M} UTC",
            )
        elif self.fault is None and self.sound < self._tree.size:
            self._wrong(self.sound, "no signed head covers it: heads were removed, or it was added by another hand")
        return self.fault

    def _wrong(self, index: int, reason: str) -> None:
        if self.fault is None:
            self.fault = Fault(index, reason)

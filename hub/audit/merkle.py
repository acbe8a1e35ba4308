"""This module is the Merkle tree of RFC 9162, section 2.1: how it grows, and how its proofs are checked. It is pure.

A tree never changes what it has: each leaf closes some complete subtrees, whose hashes hold for ever.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

EMPTY: Final = sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry; the zero marks a leaf, so that no inner node can pass for one."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees together."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """What must be known of a tree to let it grow: the roots of its complete subtrees, the largest first."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        self.size = size
        self._peaks = list(peaks)

    def append(self, leaf: bytes) -> list[bytes]:
        """Take the hash of one more leaf; give it with the roots of the subtrees that it completes."""
        nodes = [leaf]
        for _ in range(trailing_ones(self.size)):
            nodes.append(node_hash(self._peaks.pop(), nodes[-1]))
        self._peaks.append(nodes[-1])
        self.size += 1
        return nodes

    def root(self) -> bytes:
        """Give the hash of the whole tree."""
        if not self._peaks:
            return EMPTY
        *rest, found = self._peaks
        for peak in reversed(rest):
            found = node_hash(peak, found)
        return found


def trailing_ones(number: int) -> int:
    """Count the ones at the end of a number in binary: how many subtrees the leaf of this index completes."""
    return (~number & (number + 1)).bit_length() - 1


def peaks(size: int) -> list[tuple[int, int]]:
    """Say where the roots of a tree's complete subtrees lie: (index of the leaf that closes it, level), the largest first.

    >>> peaks(6)
    [(3, 2), (5, 1)]
    """
    levels = [level for level in reversed(range(size.bit_length())) if size >> level & 1]
    return [((size >> level << level) - 1, level) for level in levels]


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Check an inclusion proof (RFC 9162, 2.1.3.2): that the leaf of this index is in the tree of this size and root."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for node in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(node, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, node)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def consistent(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Check a consistency proof (RFC 9162, 2.1.4.2): that a tree begins with every leaf of an older one, in the same order."""
    if not 0 < old <= size:
        return False
    if old == size:
        return not path and old_root == root
    nodes = list(path)
    if old & (old - 1) == 0:
        nodes.insert(0, old_root)
    if not nodes:
        return False
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(node, first), node_hash(node, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, node)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == root

"""The tree of RFC 9162: its roots are those of the definition, and a proof that was tampered with proves nothing."""

from collections.abc import Sequence
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from hub.audit.merkle import EMPTY, Frontier, consistent, included, leaf_hash, node_hash, peaks

# The test vectors of the Certificate Transparency project, for eight leaves.
LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = st.integers(1, 70)


def leaves(count: int) -> list[bytes]:
    """So many different leaf hashes."""
    return [leaf_hash(str(number).encode()) for number in range(count)]


def half(size: int) -> int:
    """The largest power of two below a size."""
    return int(1 << (size - 1).bit_length() - 1)


def root(hashes: Sequence[bytes]) -> bytes:
    """MTH as the RFC defines it, section 2.1.1."""
    if len(hashes) < 2:
        return hashes[0] if hashes else EMPTY
    k = half(len(hashes))
    return node_hash(root(hashes[:k]), root(hashes[k:]))


def path(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    """PATH as the RFC defines it, section 2.1.3.1."""
    if len(hashes) == 1:
        return []
    k = half(len(hashes))
    if index < k:
        return [*path(index, hashes[:k]), root(hashes[k:])]
    return [*path(index - k, hashes[k:]), root(hashes[:k])]


def proof(old: int, hashes: Sequence[bytes], whole: bool = True) -> list[bytes]:  # noqa: FBT001, FBT002 the RFC's own
    """SUBPROOF as the RFC defines it, section 2.1.4.1."""
    if old == len(hashes):
        return [] if whole else [root(hashes)]
    k = half(len(hashes))
    if old <= k:
        return [*proof(old, hashes[:k], whole), root(hashes[k:])]
    return [*proof(old - k, hashes[k:], False), root(hashes[:k])]  # noqa: FBT003 as above


def test_roots_are_those_of_the_published_vectors() -> None:
    """For every size from none to eight."""
    tree = Frontier()
    assert tree.root() == EMPTY == sha256(b"").digest()
    for leaf, expected in zip(LEAVES, ROOTS, strict=True):
        tree.append(leaf_hash(leaf))
        assert tree.root().hex() == expected


@given(SIZES)
def test_a_tree_grows_as_it_is_defined(size: int) -> None:
    """Leaf by leaf its root is the definition's, also when it is taken up again from what is stored."""
    hashes, tree = leaves(size), Frontier()
    nodes: dict[tuple[int, int], bytes] = {}
    for index, leaf in enumerate(hashes):
        taken_up = Frontier(index, [nodes[place] for place in peaks(index)])
        nodes |= {(index, level): node for level, node in enumerate(tree.append(leaf))}
        taken_up.append(leaf)
        assert tree.root() == taken_up.root() == root(hashes[: index + 1])


@given(SIZES, st.data())
def test_a_leaf_is_proven_where_it_is_and_nowhere_else(size: int, data: st.DataObject) -> None:
    """Another leaf, place, size, root or path fails."""
    hashes, index = leaves(size), data.draw(st.integers(0, size - 1))
    shown = path(index, hashes)
    top = root(hashes)

    assert included(hashes[index], index, size, shown, top)
    assert not included(leaf_hash(b"other"), index, size, shown, top)
    assert not included(hashes[index], index, size, shown, leaf_hash(b"other"))
    assert not any(included(hashes[index], other, size, shown, top) for other in range(-1, size + 1) if other != index)
    assert not included(hashes[index], index, size, [*shown, top], top)
    for at in range(len(shown)):
        assert not included(hashes[index], index, size, [*shown[:at], top, *shown[at + 1 :]], top)
        assert not included(hashes[index], index, size, shown[:at] + shown[at + 1 :], top)


@given(SIZES, st.data())
def test_a_tree_is_proven_to_begin_with_an_older_one_if_it_does(size: int, data: st.DataObject) -> None:
    """An older root that is not its beginning, and a path that was changed, fail."""
    hashes, old = leaves(size), data.draw(st.integers(1, size))
    shown = proof(old, hashes)
    before, after = root(hashes[:old]), root(hashes)

    assert consistent(old, before, size, after, shown)
    assert not consistent(old, leaf_hash(b"other"), size, after, shown)
    assert not consistent(old, before, size, leaf_hash(b"other"), shown)
    assert not consistent(size + 1, before, size, after, shown)
    assert not consistent(0, before, size, after, shown)
    for at in range(len(shown)):
        assert not consistent(old, before, size, after, [*shown[:at], leaf_hash(b"x"), *shown[at + 1 :]])
        assert not consistent(old, before, size, after, shown[:at] + shown[at + 1 :])

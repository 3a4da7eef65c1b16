"""Merkle tree hashes with inclusion and consistency proofs (RFC 6962 §2.1), over leaves that pass by once.

A leaf hashes as ``SHA-256(00 ‖ data)``, a node as ``SHA-256(01 ‖ left ‖ right)``, a tree without leaves as
``SHA-256()``. Every function here takes and gives leaf *hashes* (``leaf_hash``), 32 bytes each. A proof is made of
subtrees over ranges of leaves that do not overlap: ``inclusion_ranges`` and ``consistency_ranges`` say which, so that
one pass over the leaves (``subtree_roots``) makes it while no more than a logarithm of them is held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without leaves."""

Range: TypeAlias = "tuple[int, int]"
"""Leaves ``start`` up to, not including, ``end``."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf that holds ``data``."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node above two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


@dataclass(slots=True)
class Tree:
    """A tree that only grows: the roots of its complete subtrees, largest first, are all that is held.

    Attributes:
        size: number of leaves.
        peaks: root of one complete subtree for each bit of ``size``, from the highest; what ``size`` and these say
            is enough to go on from there.
    """

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        if len(self.peaks) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves has {self.size.bit_count()} complete subtrees")

    def add(self, leaf: bytes) -> None:
        """Append the leaf of that hash."""
        carry = self.size
        while carry & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            carry >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of all leaves so far."""
        if not self.peaks:
            return EMPTY_ROOT
        *rest, root = self.peaks
        for peak in reversed(rest):
            root = node_hash(peak, root)
        return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over ``leaves``."""
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The subtrees whose roots are the audit path of leaf ``index`` in a tree of ``size`` (RFC 6962 §2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    path: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The subtrees whose roots prove that the tree of ``new`` leaves begins with that of ``old`` (§2.1.2)."""
    if not 0 < old <= new:
        raise ValueError(f"a tree of {new} leaves cannot continue one of {old}")
    path: list[Range] = []
    start, end, whole = 0, new, True
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start, whole = middle, False
    return [*([] if whole else [(start, end)]), *path[::-1]]


def subtree_roots(leaves: Iterable[bytes], ranges: Sequence[Range], start: int = 0) -> list[bytes]:
    """The roots over each of ``ranges``, which do not overlap; ``leaves`` are those from ``start`` on.

    Raises:
        ValueError: the leaves end before the last range does, or begin within the first one.
    """
    trees = [Tree() for _ in ranges]
    places = sorted(range(len(ranges)), key=lambda place: ranges[place])
    position, rest = start, iter(leaves)
    for place in places:
        first, end = ranges[place]
        if first < position:
            raise ValueError(f"leaf {first} has passed")
        for leaf in _next(rest, first - position, end - first):
            trees[place].add(leaf)
        position = end
    return [tree.root() for tree in trees]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether ``proof`` shows that the leaf is number ``index``, from 0, in the tree of ``size`` with ``root``."""
    if not 0 <= index < size:
        return False
    ranges = inclusion_ranges(index, size)
    if len(ranges) != len(proof):
        return False
    found = leaf
    for (start, _), other in zip(ranges, proof, strict=True):
        found = node_hash(found, other) if start > index else node_hash(other, found)
    return found == root


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether ``proof`` shows that the tree of ``new`` leaves begins with the tree of ``old``.

    The tree without leaves is the beginning of every tree, and needs no proof.
    """
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    if not 0 < old <= new:
        return False
    ranges = consistency_ranges(old, new)
    if len(ranges) != len(proof):
        return False
    rest = list(zip(ranges, proof, strict=True))
    # The first subtree is the old tree's own end; where that is all of the old tree, its root is known.
    was = now = old_root if not rest or rest[0][0][0] >= old else rest.pop(0)[1]
    for (start, _), other in rest:
        if start >= old:
            now = node_hash(now, other)
        else:
            was, now = node_hash(other, was), node_hash(other, now)
    return was == old_root and now == new_root


def _split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def _next(leaves: Iterator[bytes], skipped: int, wanted: int) -> Iterator[bytes]:
    for _ in range(skipped):
        if next(leaves, None) is None:
            raise ValueError("the leaves end too early")
    for _ in range(wanted):
        leaf = next(leaves, None)
        if leaf is None:
            raise ValueError("the leaves end too early")
        yield leaf

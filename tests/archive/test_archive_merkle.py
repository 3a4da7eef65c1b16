"""The Merkle tree against RFC 6962's own slow definition, and against proofs that lie."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.merkle import (
    EMPTY_ROOT,
    Tree,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    root_of,
    subtree_roots,
    verify_consistency,
    verify_inclusion,
)

MOST = 70
DATA = [bytes([number]) * (number % 5) for number in range(MOST)]
LEAVES = [leaf_hash(data) for data in DATA]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def largest_power_below(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def tree_hash(data: list[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, word by word."""
    if not data:
        return sha256(b"")
    if len(data) == 1:
        return sha256(b"\x00" + data[0])
    middle = largest_power_below(len(data))
    return sha256(b"\x01" + tree_hash(data[:middle]) + tree_hash(data[middle:]))


def audit_path(index: int, data: list[bytes]) -> list[bytes]:
    """PATH of §2.1.1."""
    if len(data) == 1:
        return []
    middle = largest_power_below(len(data))
    if index < middle:
        return [*audit_path(index, data[:middle]), tree_hash(data[middle:])]
    return [*audit_path(index - middle, data[middle:]), tree_hash(data[:middle])]


def subproof(old: int, data: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of §2.1.2."""
    if old == len(data):
        return [] if whole else [tree_hash(data)]
    middle = largest_power_below(len(data))
    if old <= middle:
        return [*subproof(old, data[:middle], whole), tree_hash(data[middle:])]
    return [*subproof(old - middle, data[middle:], False), tree_hash(data[:middle])]


def test_known_values() -> None:
    """The test vectors of the Certificate Transparency project for this tree."""
    data = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    leaves = [leaf_hash(bytes.fromhex(item)) for item in data]
    assert root_of([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root_of(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root_of(leaves[:3]).hex() == "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
    assert root_of(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@pytest.mark.parametrize("size", range(MOST))
def test_the_growing_root_is_that_of_the_definition(size: int) -> None:
    assert root_of(LEAVES[:size]) == tree_hash(DATA[:size])


@pytest.mark.parametrize("size", range(1, MOST))
def test_every_inclusion_proof_is_that_of_the_definition_and_proves_one_place_only(size: int) -> None:
    root = tree_hash(DATA[:size])
    for index in range(size):
        proof = subtree_roots(LEAVES, inclusion_ranges(index, size))
        assert proof == audit_path(index, DATA[:size])
        assert verify_inclusion(LEAVES[index], index, size, proof, root)
        assert not verify_inclusion(LEAVES[index], (index + 1) % size, size, proof, root) or size == 1
        assert not verify_inclusion(leaf_hash(b"other"), index, size, proof, root)


@pytest.mark.parametrize("new", range(1, MOST))
def test_every_consistency_proof_is_that_of_the_definition(new: int) -> None:
    roots = [tree_hash(DATA[:size]) for size in range(new + 1)]
    for old in range(1, new + 1):
        proof = subtree_roots(LEAVES, consistency_ranges(old, new))
        assert proof == subproof(old, DATA[:new], True)
        assert verify_consistency(old, roots[old], new, roots[new], proof)
        assert not verify_consistency(old, sha256(b"x"), new, roots[new], proof)
        if old != new:
            assert not verify_consistency(old, roots[old], new, sha256(b"x"), proof)
            assert not verify_consistency(old - 1, roots[old - 1], new, roots[new], proof)


def test_the_empty_tree_begins_every_tree() -> None:
    assert verify_consistency(0, EMPTY_ROOT, 5, root_of(LEAVES[:5]), [])
    assert not verify_consistency(0, root_of(LEAVES[:1]), 5, root_of(LEAVES[:5]), [])


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_tree_goes_on_from_its_size_and_peaks(before: int, more: int) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(before + more)]
    first = Tree()
    for leaf in leaves[:before]:
        first.add(leaf)
    again = Tree(first.size, list(first.peaks))
    for leaf in leaves[before:]:
        again.add(leaf)
    assert again.root() == root_of(leaves)
    assert len(again.peaks) == again.size.bit_count()


@given(st.data(), st.integers(1, 300))
def test_a_proof_with_anything_else_in_it_proves_nothing(data: st.DataObject, size: int) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    old = data.draw(st.integers(1, size))
    proof = subtree_roots(leaves, consistency_ranges(old, size))
    roots = root_of(leaves[:old]), root_of(leaves)
    assert verify_consistency(old, roots[0], size, roots[1], proof)
    place = data.draw(st.integers(0, len(proof)))
    longer = [*proof[:place], sha256(b"x"), *proof[place:]]
    assert not verify_consistency(old, roots[0], size, roots[1], longer)
    if proof:
        assert not verify_consistency(old, roots[0], size, roots[1], proof[:-1])
        wrong = data.draw(st.integers(0, len(proof) - 1))
        assert not verify_consistency(
            old, roots[0], size, roots[1], [*proof[:wrong], sha256(b"x"), *proof[wrong + 1 :]]
        )


def test_what_cannot_be_proven_is_refused() -> None:
    with pytest.raises(ValueError, match="no leaf 3"):
        inclusion_ranges(3, 3)
    with pytest.raises(ValueError, match="cannot continue one of 4"):
        consistency_ranges(4, 3)
    with pytest.raises(ValueError, match="end too early"):
        subtree_roots(LEAVES[:2], [(0, 4)])
    with pytest.raises(ValueError, match="has 2 complete subtrees"):
        Tree(3, [])
    assert not verify_inclusion(LEAVES[0], 5, 3, [], LEAVES[0])
    assert not verify_consistency(4, LEAVES[0], 3, LEAVES[0], [])

"""Roots and proofs equal a tree written down straight from RFC 6962 §2.1; whatever is changed in a proof fails."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.channel.merkle import EMPTY_ROOT, Frontier, Tree, leaf_hash, verify_consistency, verify_inclusion

LEAVES = [leaf_hash(str(k).encode()) for k in range(300)]


def split(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(leaves: list[bytes]) -> bytes:
    """MTH, as the RFC writes it (over leaf hashes)."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def test_the_published_roots_of_rfc_6962s_reference_tree() -> None:
    data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    tree = Tree(leaf_hash(bytes.fromhex(d)) for d in data)
    assert tree.root(0).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert tree.root(1).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert tree.root(8).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 64, 65, 127, 300])
def test_tree_and_frontier_have_the_root_of_the_definition(size: int) -> None:
    tree = Tree(LEAVES[:size])
    assert tree.root() == mth(LEAVES[:size]) == Frontier().extended(LEAVES[:size]).root
    assert tree.frontier() == Frontier().extended(LEAVES[:size])
    assert Tree(LEAVES).root(size) == tree.root()
    assert Tree(LEAVES).frontier(size) == tree.frontier()


@given(st.integers(1, 300), st.data())
def test_an_inclusion_proof_is_the_definitions_and_verifies_for_its_leaf_alone(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    tree = Tree(LEAVES)
    proof, root = tree.inclusion_proof(index, size), tree.root(size)
    assert proof == path(index, LEAVES[:size])
    assert verify_inclusion(LEAVES[index], index, size, proof, root)
    other = data.draw(st.integers(0, 299))
    assert verify_inclusion(LEAVES[other], index, size, proof, root) == (other == index)
    assert not verify_inclusion(LEAVES[index], index, size, [*proof, root], root)
    assert not proof or not verify_inclusion(LEAVES[index], index, size, proof[:-1], root)
    assert not verify_inclusion(LEAVES[index], size, size, proof, root)


@given(st.integers(1, 300), st.data())
def test_a_consistency_proof_is_the_definitions_and_verifies_for_its_roots_alone(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    tree = Tree(LEAVES)
    proof = tree.consistency_proof(old, new)
    assert proof == subproof(old, LEAVES[:new], True)
    first, second = tree.root(old), tree.root(new)
    assert verify_consistency(old, first, new, second, proof)
    assert not verify_consistency(old, leaf_hash(first), new, second, proof)
    assert not verify_consistency(old, first, new, leaf_hash(second), proof)
    assert not verify_consistency(old, first, new, second, [*proof, first])
    for k in range(len(proof)):
        spoilt = [*proof[:k], leaf_hash(proof[k]), *proof[k + 1 :]]
        assert not verify_consistency(old, first, new, second, spoilt)


def test_nothing_is_proved_from_an_empty_tree_or_of_a_leaf_that_is_not_there() -> None:
    tree = Tree(LEAVES[:5])
    assert not verify_consistency(0, EMPTY_ROOT, 5, tree.root(), [])
    for call in (lambda: tree.consistency_proof(0, 5), lambda: tree.inclusion_proof(5, 5), lambda: tree.root(6)):
        with pytest.raises(IndexError):
            call()

"""The Merkle tree of RFC 6962 §2.1: hashes, roots, proofs that a leaf is in it, proofs that it only grew.

Verification follows RFC 9162 §2.1.3.2 and §2.1.4.2, which is the same tree with the loops written out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

__all__ = ["EMPTY_ROOT", "HASH_BYTES", "Frontier", "ProvingTree", "Tree", "leaf_hash", "node_hash",
           "verify_consistency", "verify_inclusion"]  # fmt: skip

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
PROOF_HASHES_MAX = 63
"""A tree of 2^63 leaves has no longer proof (also C2SP tlog-witness)."""


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The roots of the complete subtrees, largest first: all that is needed to append and to know the root."""

    size: int = 0
    roots: tuple[bytes, ...] = ()

    def extended(self, leaves: Iterable[bytes]) -> Frontier:
        """With further leaf hashes."""
        roots, size = list(self.roots), self.size
        for node in leaves:
            size += 1
            carry = size
            while not carry & 1:
                node = sha256(b"\x01" + roots.pop() + node).digest()  # node_hash: a call less for each leaf
                carry >>= 1
            roots.append(node)
        return Frontier(size, tuple(roots))

    @property
    def root(self) -> bytes:
        return _root_of(self.roots)


@lru_cache(maxsize=256)
def _root_of(roots: tuple[bytes, ...]) -> bytes:
    """A log's newest root is asked for several times before it moves on."""
    if not roots:
        return EMPTY_ROOT
    root = roots[-1]
    for left in reversed(roots[:-1]):
        root = node_hash(left, root)
    return root


class ProvingTree(ABC):
    """A tree that can prove, wherever its nodes are kept."""

    @abstractmethod
    def __len__(self) -> int:
        """How many leaves."""

    @abstractmethod
    def node(self, level: int, index: int) -> bytes:
        """The root of the complete subtree over the leaves ``index * 2**level`` to ``(index + 1) * 2**level``."""

    def leaf(self, index: int) -> bytes:
        """The leaf's hash."""
        return self.node(0, index)

    def hashes(self, level: int, start: int, end: int) -> bytes:
        """Consecutive nodes of a level, joined (for tiles)."""
        return b"".join(self.node(level, index) for index in range(start, end))

    def root(self, size: int | None = None) -> bytes:
        """The root of the first ``size`` leaves; all of them if not given."""
        return self._range(0, len(self) if size is None else self._held(size))

    def frontier(self, size: int | None = None) -> Frontier:
        size = len(self) if size is None else self._held(size)
        roots, start = [], 0
        for level in range(size.bit_length() - 1, -1, -1):
            if size >> level & 1:
                roots.append(self.node(level, start >> level))
                start += 1 << level
        return Frontier(size, tuple(roots))

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """PATH(index, D[size]), from the leaf's sibling to the root's child (RFC 6962 §2.1.1)."""
        if not 0 <= index < self._held(size):
            raise IndexError(f"no leaf {index} in a tree of {size}")
        proof: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                proof.append(self._range(middle, end))
                end = middle
            else:
                proof.append(self._range(start, middle))
                start = middle
        return proof[::-1]

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """PROOF(old, D[new]) (RFC 6962 §2.1.2). Nothing is to be proved from an empty tree: ``old`` is at least 1."""
        if not 0 < old <= self._held(new):
            raise IndexError(f"no proof from {old} to {new}")
        proof: list[bytes] = []
        start, end, whole = 0, new, True
        while old != end:
            middle = start + _split(end - start)
            if old <= middle:
                proof.append(self._range(middle, end))
                end = middle
            else:
                proof.append(self._range(start, middle))
                start, whole = middle, False
        if not whole:
            proof.append(self._range(start, end))
        return proof[::-1]

    def _held(self, size: int) -> int:
        if not 0 <= size <= len(self):
            raise IndexError(f"a tree of {len(self)} leaves is asked about {size}")
        return size

    def _range(self, start: int, end: int) -> bytes:
        """MTH(D[start:end]) where ``start`` is a multiple of the power of two at or above the width."""
        width = end - start
        if width == 0:
            return EMPTY_ROOT
        if width & (width - 1) == 0:
            level = width.bit_length() - 1
            return self.node(level, start >> level)
        middle = start + _split(width)
        return node_hash(self._range(start, middle), self._range(middle, end))


class Tree(ProvingTree):
    """In memory: every complete subtree's root is kept, 64 bytes a leaf in all."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]
        self.extend(leaves)

    def __len__(self) -> int:
        return len(self._levels[0]) // HASH_BYTES

    def extend(self, leaves: Iterable[bytes]) -> None:
        levels = self._levels
        for node in leaves:
            levels[0] += node
            size, level = len(levels[0]) // HASH_BYTES, 0
            while not size & 1:
                below = levels[level]
                node = sha256(b"\x01" + below[-2 * HASH_BYTES :]).digest()
                level, size = level + 1, size >> 1
                if level == len(levels):
                    levels.append(bytearray())
                levels[level] += node

    def node(self, level: int, index: int) -> bytes:
        found = bytes(self._levels[level][index * HASH_BYTES : (index + 1) * HASH_BYTES])
        if len(found) != HASH_BYTES:
            raise IndexError(f"no node {index} at level {level} in a tree of {len(self)}")
        return found

    def hashes(self, level: int, start: int, end: int) -> bytes:
        return bytes(self._levels[level][start * HASH_BYTES : end * HASH_BYTES])


def _split(width: int) -> int:
    """The largest power of two below ``width``."""
    return 1 << (width - 1).bit_length() - 1


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf hash stands at ``index`` in the tree of ``size`` leaves with that root."""
    if not 0 <= index < size or not _well_formed(proof):
        return False
    number, last, node = index, size - 1, leaf
    for other in proof:
        if last == 0:
            return False
        if number & 1 or number == last:
            node = node_hash(other, node)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            node = node_hash(node, other)
        number, last = number >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of ``new`` leaves begins with that of ``old`` leaves.

    ``old`` = 0 is refused, as the reference refuses it: everything begins with nothing, and the caller knows.
    """
    roots = consistency_roots(old, old_root, new, proof)
    return roots is not None and roots == (old_root, new_root)


def consistency_roots(old: int, old_root: bytes, new: int, proof: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The two roots that the proof leads to, or nothing if it has not the form of a proof from ``old`` to ``new``.

    ``old_root`` is only used where the old tree is itself a node of the new one (a power of two).
    """
    if not 0 < old <= new or not _well_formed(proof):
        return None
    if old == new:
        return (old_root, old_root) if not proof else None
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return None
    number, last = old - 1, new - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    first = second = path[0]
    for other in path[1:]:
        if last == 0:
            return None
        if number & 1 or number == last:
            first, second = node_hash(other, first), node_hash(other, second)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            second = node_hash(second, other)
        number, last = number >> 1, last >> 1
    return (first, second) if last == 0 else None


def _well_formed(proof: Sequence[bytes]) -> bool:
    return len(proof) <= PROOF_HASHES_MAX and all(len(h) == HASH_BYTES for h in proof)

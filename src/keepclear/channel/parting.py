"""Where two histories of a log part, as far as a proof shows it; and which proofs are worth keeping for that."""

from __future__ import annotations

from collections.abc import Iterable

from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.entry import Entry
from keepclear.channel.fork_proof import ForkProof
from keepclear.channel.signed_note import Note, decode_base64

__all__ = ["parted_at", "parted_before", "telling"]


def parted_at(proof: ForkProof) -> int | None:
    """The number of the first entry in which the histories differ, where the (verified) proof shows it.

    Two entries in one place that follow the same entry part right there. Any other proof shows that they have parted
    before, not where.
    """
    if len(proof.entries) != 2:
        return None
    one, other = _entries(proof)
    return one.seq if one.seq == other.seq and one.prev == other.prev else None


def parted_before(proof: ForkProof) -> int:
    """A number below which the (verified) proof shows that the histories have parted, at a place that may be unknown.

    Of two heads it is the smaller one's size; of two entries the one after the earlier.
    """
    if len(proof.entries) == 2:
        return min(entry.seq for entry in _entries(proof)) + 1
    return min(Checkpoint.parse(Note.parse(text.encode()).text).size for text in proof.heads)


def telling(proofs: Iterable[ForkProof], count_max: int) -> list[ForkProof]:
    """Of one party's (verified) proofs the ``count_max`` that tell the most: the earliest place that is shown, and the
    earliest bounds. Whoever has met everybody keeps the same, in whatever order they came, and a flood of others'
    washes none of them out."""
    ranked = sorted(set(proofs), key=lambda proof: (parted_before(proof), proof.encode()))
    exact = [(place, rank) for rank, proof in enumerate(ranked) if (place := parted_at(proof)) is not None]
    first = ranked[min(exact)[1]] if exact else None
    others = [proof for proof in ranked if proof != first]
    return ([first] if first else []) + others[: count_max - (first is not None)]


def _entries(proof: ForkProof) -> tuple[Entry, Entry]:
    one, other = (Entry.parse(decode_base64(signed.payload, what="the fork proof")) for signed in proof.entries)
    return one, other

"""Where two histories of a log part, as far as a proof shows it."""

from __future__ import annotations

from keepclear.channel.entry import Entry
from keepclear.channel.fork_proof import ForkProof
from keepclear.channel.signed_note import decode_base64

__all__ = ["parted_at"]


def parted_at(proof: ForkProof) -> int | None:
    """The number of the first entry in which the histories differ, where the (verified) proof shows it.

    Two entries in one place that follow the same entry part right there. Any other proof shows that they have parted
    before, not where: nothing is concluded from it for a single entry.
    """
    if len(proof.entries) != 2:
        return None
    one, other = (Entry.parse(decode_base64(signed.payload, what="the fork proof")) for signed in proof.entries)
    return one.seq if one.seq == other.seq and one.prev == other.prev else None

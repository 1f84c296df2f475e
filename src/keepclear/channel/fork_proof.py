"""A proof, small enough for a letter, that a party told two histories.

Either two entries, both signed by its entry key, that stand in one place or of which the later does not follow the
earlier; or two heads, both signed by its log key, of which one cannot contain the other. Anyone with the charter can
check it; an honest party can never be accused, because it never signs a second entry or head for a place (RFC 6962 §7.3
treats conflicting heads alike).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Annotated

import msgspec

from keepclear.channel.canonical import decode, encode
from keepclear.channel.charter import Charter, origin_of
from keepclear.channel.checkpoint import Checkpoint, open_checkpoint
from keepclear.channel.entry import Entry, Record
from keepclear.channel.merkle import PROOF_HASHES_MAX, consistency_roots, leaf_hash
from keepclear.channel.signed_note import Note, decode_base64
from keepclear.errors import InputError, LimitExceeded

__all__ = ["FORK_PROOF_BYTES_MAX", "ForkProof", "prove_fork_by_entries", "prove_fork_by_heads", "verify_fork_proof"]

FORK_PROOF_BYTES_MAX = 400_000
"""Two payloads of the largest size in base64, and some."""


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload: str
    signature: str


class ForkProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``entries``: two signed payloads; or ``heads``: two signed checkpoints, the smaller first, with the consistency
    proof that leads from the larger one to another root than the smaller one's (empty where both are of one size; for a
    smaller size that is a power of two, with that other root in front)."""

    party: str
    entries: Annotated[tuple[_Signed, ...], msgspec.Meta(max_length=2)] = ()
    heads: Annotated[tuple[str, ...], msgspec.Meta(max_length=2)] = ()
    path: Annotated[tuple[str, ...], msgspec.Meta(max_length=PROOF_HASHES_MAX)] = ()

    def encode(self) -> bytes:
        return encode(self)

    @classmethod
    def parse(cls, data: bytes) -> ForkProof:
        if len(data) > FORK_PROOF_BYTES_MAX:
            raise LimitExceeded(f"the fork proof has {len(data):,} bytes, more than {FORK_PROOF_BYTES_MAX:,}")
        return decode(data.removesuffix(b"\n"), cls, what="the fork proof")


def prove_fork_by_entries(party: str, one: Record, other: Record) -> ForkProof:
    return ForkProof(party, entries=tuple(_Signed(_text(r.payload), _text(r.signature)) for r in (one, other)))


def prove_fork_by_heads(party: str, smaller: Note, larger: Note, path: Iterable[bytes] = ()) -> ForkProof:
    heads = (smaller.encode().decode(), larger.encode().decode())
    return ForkProof(party, heads=heads, path=tuple(_text(h) for h in path))


def verify_fork_proof(proof: ForkProof, channel: str, charters: Iterable[Charter]) -> str:
    """What the proof shows, in words; raises :class:`InputError` if it shows nothing.

    ``charters`` are all versions of the channel's charter: the keys that the party has had.
    """
    parties = [c.party(proof.party) for c in charters if proof.party in c.ids]
    if not parties:
        raise InputError(f"the fork proof accuses {proof.party}, who is no party to the charter")
    if len(proof.entries) == 2 and not proof.heads and not proof.path:
        return _two_entries(proof, channel, {bytes.fromhex(p.entry_key) for p in parties})
    if len(proof.heads) == 2 and not proof.entries:
        return _two_heads(proof, channel, {bytes.fromhex(p.log_key) for p in parties})
    raise InputError("a fork proof holds two entries, or two heads")


def _two_entries(proof: ForkProof, channel: str, keys: set[bytes]) -> str:
    read: list[Entry] = []
    for signed in proof.entries:
        record = Record(_bytes(signed.payload), _bytes(signed.signature))
        entry = Entry.parse(record.payload)
        if entry.party != proof.party or entry.channel != channel:
            raise InputError(f"the fork proof holds an entry of {entry.party}, or of another channel")
        if not any(record.signed_by(key) for key in keys):
            raise InputError("the fork proof holds an entry that is not signed by the party")
        read.append(entry)
    earlier, later = sorted(read, key=lambda entry: entry.seq)
    if earlier.seq == later.seq and earlier != later:
        return f"{proof.party} signed two different entries as number {later.seq} of its log"
    if earlier.seq + 1 == later.seq and later.prev != leaf_hash(encode(earlier)).hex():
        return f"{proof.party} signed an entry {later.seq} that does not follow its entry {earlier.seq}"
    raise InputError("the two entries of the fork proof can stand in one log")


def _two_heads(proof: ForkProof, channel: str, keys: set[bytes]) -> str:
    origin = origin_of(proof.party, channel)
    smaller, larger = (_open(Note.parse(text.encode()), origin, keys) for text in proof.heads)
    path = [_bytes(h) for h in proof.path]
    if smaller.size == larger.size and not path and smaller.root != larger.root:
        return f"{proof.party} signed two different heads of its log at {smaller.size} entries"
    begins, rest = smaller.root, path
    if smaller.size & (smaller.size - 1) == 0 and path:
        # There RFC 6962 leaves the smaller root out of the proof; here it is what the larger head says in its stead.
        begins, rest = path[0], path[1:]
    roots = consistency_roots(smaller.size, begins, larger.size, rest)
    if roots and roots[1] == larger.root and roots[0] != smaller.root:
        return f"{proof.party} signed a head of {larger.size} entries that does not continue its head of {smaller.size}"
    raise InputError("the two heads of the fork proof can be of one log")


def _open(note: Note, origin: str, keys: set[bytes]) -> Checkpoint:
    refusal = InputError("the fork proof holds no head")
    for key in keys:
        try:
            return open_checkpoint(note, origin, key)
        except InputError as error:
            refusal = error
    raise refusal


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return decode_base64(text, what="a part of the fork proof")

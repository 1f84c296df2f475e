"""The small files of a record that can also stand alone: proofs that an entry is in a log, proofs of a fork."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial

import msgspec

from keepclear.channel.charter import Charter, charter_hash, origin_of
from keepclear.channel.checkpoint import log_key
from keepclear.channel.entry import Entry
from keepclear.channel.fork_proof import FORK_PROOF_BYTES_MAX, ForkProof, verify_fork_proof
from keepclear.channel.merkle import leaf_hash, verify_inclusion
from keepclear.channel.record.exported_log import ExportedLog
from keepclear.channel.record.layout import ExportFiles, fork_path, proof_path
from keepclear.channel.record.proof_file import PROOF_FILE_BYTES_MAX, ProofFile
from keepclear.channel.record.verification import Verification
from keepclear.channel.record.verify_head import SignedHead, cosigners_of, open_head
from keepclear.channel.record.verify_log import log_keys, read_file
from keepclear.channel.signed_note import Note
from keepclear.errors import InputError

__all__ = ["bare_fork_proof", "check_forks", "check_proofs", "verify_alone"]

_HEADS_KEPT = 64
"""Proofs come sorted by log and entry."""


def verify_alone(proof: ProofFile, payload: bytes, charters: Sequence[Charter]) -> tuple[Entry, SignedHead]:
    """The entry whose exact bytes are given, and the head it is proved to stand under; :class:`InputError` if not."""
    entry = Entry.parse(payload)
    if entry.channel != charter_hash(charters[0]).hex() or entry.party not in charters[-1].ids:
        raise InputError(
            f"the entry is of the channel {entry.channel[:8]}…, or {entry.party} is no party of the charter"
        )
    head = _open(proof.checkpoint, entry.party, charters)
    if proof.index != entry.seq:
        raise InputError(f"the proof is of entry {proof.index}, the entry given is number {entry.seq}")
    _check_inclusion(proof, payload, head)
    return entry, head


def check_proofs(
    files: ExportFiles, names: Iterable[tuple[str, int]], logs: Mapping[str, ExportedLog],
    charters: Sequence[Charter], found: Verification,
) -> None:  # fmt: skip
    # Proofs of many entries stand under the same few heads, each with its signatures.
    opened = lru_cache(_HEADS_KEPT)(partial(_open, charters=charters))
    for party, seq in sorted(names):
        name = proof_path(party, seq)
        try:
            if party not in logs:
                raise InputError(f"the record has no log of {party}")
            log = logs[party]
            data = read_file(files, name, PROOF_FILE_BYTES_MAX, bytes)
            proof = ProofFile.parse(data)
            head = opened(proof.checkpoint, party)
            size = head.checkpoint.size
            if proof.encode() != data:
                raise InputError("the proof is not written in its one form")
            if proof.index != seq or not seq < size <= log.size:
                raise InputError(f"it is of entry {proof.index} under a head of {size} entries, which is not here")
            _check_inclusion(proof, log.payload(seq), head)
            if log.root_at(size) != head.checkpoint.root:
                raise InputError("its head is not one of the log here: the log was told in two versions")
            found.proofs += 1
        except InputError as error:
            found.findings.fault("proof", name, error.message)


def check_forks(
    files: ExportFiles, names: Iterable[tuple[str, int]], charters: Sequence[Charter], found: Verification
) -> None:
    for party, number in sorted(names):
        name = fork_path(party, number)
        try:
            data = read_file(files, name, FORK_PROOF_BYTES_MAX, bytes)
            proof = ForkProof.parse(data)
            if proof.party != party or bare_fork_proof(proof, found.channel, charters).encode() != data:
                raise InputError("the fork proof is not written in its one form, or accuses another party")
            found.forks.append(verify_fork_proof(proof, found.channel, charters))
        except InputError as error:
            found.findings.fault("fork", name, error.message)


def bare_fork_proof(proof: ForkProof, channel: str, charters: Sequence[Charter]) -> ForkProof:
    """Its heads with the log's first signature only, as the record holds them."""
    heads = []
    for text in proof.heads:
        note = Note.parse(text.encode())
        keys = [log_key(origin_of(proof.party, channel), public) for public in log_keys(charters, proof.party)]
        own = [line for line in note.signatures if any(line.is_of(key) for key in keys)]
        heads.append(Note(note.text, tuple(own[:1])).encode().decode())
    return msgspec.structs.replace(proof, heads=tuple(heads))


def _open(note: Note, party: str, charters: Sequence[Charter]) -> SignedHead:
    origin = origin_of(party, charter_hash(charters[0]).hex())
    return open_head(note.encode(), origin, log_keys(charters, party), cosigners_of(charters))


def _check_inclusion(proof: ProofFile, payload: bytes, head: SignedHead) -> None:
    checkpoint = head.checkpoint
    if not verify_inclusion(leaf_hash(payload), proof.index, checkpoint.size, proof.path, checkpoint.root):
        raise InputError("the proof does not lead from the entry to the head")

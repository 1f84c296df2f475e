"""The record of a channel as files, from what a node keeps: the same store gives the same bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from keepclear.channel.charter import Charter, SignedCharter, charter_hash, origin_of, verify_charter
from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.entry import CHARTER_KIND, Entry, Record
from keepclear.channel.fork_proof import ForkProof
from keepclear.channel.merkle import ProvingTree
from keepclear.channel.record.layout import (
    bodies_path,
    charter_path,
    checkpoint_path,
    encode_bodies,
    fork_path,
    head_path,
    log_folder,
    proof_path,
    signatures_path,
)
from keepclear.channel.record.proof_file import ProofFile
from keepclear.channel.record.tile_builder import TileBuilder
from keepclear.channel.record.verify_head import Cosigners, cosigners_of, ordered_note
from keepclear.channel.record.verify_links import MESSAGE_KIND
from keepclear.channel.record.verify_log import log_keys, parties_of
from keepclear.channel.record.verify_proofs import bare_fork_proof
from keepclear.channel.signed_note import Note
from keepclear.channel.store import Held, Kept
from keepclear.channel.tiles import encode_bundle, entry_tiles
from keepclear.errors import InputError

__all__ = ["Source", "export_files"]

PROOFS_PER_LOG = 256
"""Of the newest messages; of others a proof can be made from the record."""
HEADS_PER_LOG = 100_000
"""Smaller heads kept for the first cosignatures of each message; of more messages, the newest."""

File = tuple[str, bytes]


class Source(Protocol):
    """What is asked of a :class:`~keepclear.channel.store.Store`."""

    def records(self, log: str, start: int) -> list[Kept]: ...
    def checkpoint(self, log: str, *, above: int = -1, up_to: int | None = None) -> Note | None: ...
    def held(self, log: str, seq: int) -> list[Held]: ...
    def newest_held(self, log: str) -> list[Held]: ...
    def tree(self, log: str) -> ProvingTree: ...
    def forks(self) -> tuple[ForkProof, ...]: ...
    def charters(self) -> tuple[Charter, ...]: ...


@dataclass(slots=True)
class _Exported:
    """Of one log, what its heads and proofs are made of after its entries were written."""

    party: str
    size: int
    checkpoint: Note
    heads: set[int] = field(default_factory=set)
    messages: deque[int] = field(default_factory=lambda: deque(maxlen=PROOFS_PER_LOG))


def export_files(source: Source, first: SignedCharter, *later: SignedCharter) -> Iterator[File]:
    """Each file's path and bytes. ``first`` is the channel's first charter as all signed it; later ones are entries.

    ``later`` are those that a party joined under: it knows them before the log that holds them has reached it. A log
    ends at its newest signed head: what came after it has nothing yet that it could be verified against. Raises
    :class:`InputError` where the store does not hold what it should.
    """
    charters = dict(enumerate((first, *later)))
    logs = []
    for party in parties_of((first.charter, *source.charters())):
        checkpoint = source.checkpoint(party)
        if checkpoint is not None:
            log = _Exported(party, Checkpoint.parse(checkpoint.text).size, checkpoint)
            yield from _entry_files(source, log, charters)
            logs.append(log)
    chain: list[Charter] = []
    for serial in range(len(charters)):
        if serial not in charters:
            raise InputError(f"no log that is kept here holds version {serial} of the charter")
        chain.append(verify_charter(charters[serial], chain[-1] if chain else None))
        yield charter_path(serial), charters[serial].encode()
    cosigners = cosigners_of(chain)
    channel = charter_hash(first.charter).hex()
    for log in logs:
        yield from _head_files(source, log, origin_of(log.party, channel), log_keys(chain, log.party), cosigners)
    yield from _fork_files(source.forks(), channel, chain)


def _entry_files(source: Source, log: _Exported, charters: dict[int, SignedCharter]) -> Iterator[File]:
    folder, tiles = log_folder(log.party), TileBuilder(log.size)
    wanted = _HeadsWanted(source, log)
    kept = _kept(source, log.party, log.size)
    for tile in entry_tiles(log.size):
        records: list[Record] = []
        for _ in range(tile.width):
            record = next(kept).record
            entry = Entry.parse(record.payload)
            if entry.kind == CHARTER_KIND and record.body is not None:
                signed = SignedCharter.parse(record.body)
                charters.setdefault(signed.charter.serial, signed)
            elif entry.kind == MESSAGE_KIND:
                log.messages.append(entry.seq)
                wanted.look_at(entry.seq)
            records.append(record)
        yield f"{folder}/{tile.path}", encode_bundle([r.payload for r in records])
        yield signatures_path(log.party, tile), b"".join(r.signature for r in records)
        pairs = [None if r.salt is None or r.body is None else (r.salt, r.body) for r in records]
        yield bodies_path(log.party, tile), encode_bodies(pairs)
        for record in records:
            for built, content in tiles.add(record.leaf):
                yield f"{folder}/{built.path}", content


def _kept(source: Source, party: str, size: int) -> Iterator[Kept]:
    seq = 0
    while seq < size:
        batch = source.records(party, seq)
        if not batch or batch[0].seq != seq:
            raise InputError(f"entry {seq} of {party} is not in the store, whose checkpoint covers it")
        yield from batch
        seq += len(batch)


class _HeadsWanted:
    """Which smaller heads to keep: for each message and cosigner the first that covers it, and the newest of all."""

    def __init__(self, source: Source, log: _Exported) -> None:
        self._source, self._log = source, log
        self._covering: dict[str, int] | None = None
        self._sizes: deque[int] = deque(maxlen=HEADS_PER_LOG)
        log.heads |= {held.size for held in source.newest_held(log.party) if 0 < held.size < log.size}

    def look_at(self, seq: int) -> None:
        covering = self._covering
        if covering is not None and all(size > seq for size in covering.values()):
            return
        found = {held.cosigner: held.size for held in self._source.held(self._log.party, seq)}
        self._covering = found
        for size in sorted(set(found.values())):
            if size < self._log.size and size not in self._log.heads:
                if len(self._sizes) == self._sizes.maxlen:
                    self._log.heads.discard(self._sizes[0])
                self._sizes.append(size)
                self._log.heads.add(size)


def _head_files(
    source: Source, log: _Exported, origin: str, keys: Sequence[bytes], cosigners: Cosigners
) -> Iterator[File]:
    whole = ordered_note(log.checkpoint, origin, keys, cosigners)
    yield checkpoint_path(log.party), whole.encode()
    for size in sorted(log.heads):
        note = source.checkpoint(log.party, above=size - 1, up_to=size)
        if note is not None:
            yield head_path(log.party, size), ordered_note(note, origin, keys, cosigners).encode()
    tree = source.tree(log.party)
    for seq in log.messages:
        proof = ProofFile(seq, tuple(tree.inclusion_proof(seq, log.size)), whole)
        yield proof_path(log.party, seq), proof.encode()


def _fork_files(forks: Iterable[ForkProof], channel: str, charters: Sequence[Charter]) -> Iterator[File]:
    """Heads with the log's signature alone: what others signed beside it proves nothing about a fork."""
    counts: dict[str, int] = {}
    bare = (bare_fork_proof(proof, channel, charters) for proof in forks)
    for data, party in sorted((proof.encode(), proof.party) for proof in bare):
        number = counts.setdefault(party, 0)
        counts[party] += 1
        yield fork_path(party, number), data

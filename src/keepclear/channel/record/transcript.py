"""The record's entries in the order of their dates, for whoever writes them down for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from heapq import merge

from keepclear.channel.charter import Charter
from keepclear.channel.entry import Entry
from keepclear.channel.merkle import leaf_hash
from keepclear.channel.record.layout import (
    BODIES_BYTES_MAX,
    ENTRIES_BYTES_MAX,
    ExportFiles,
    bodies_path,
    checkpoint_path,
    decode_bodies,
    log_folder,
)
from keepclear.channel.record.verification import Findings
from keepclear.channel.record.verify import read_charters
from keepclear.channel.record.verify_log import claimed_size, parties_of, read_file
from keepclear.channel.signed_note import NOTE_BYTES_MAX
from keepclear.channel.tiles import decode_bundle, entry_tiles

__all__ = ["Spoken", "Transcript", "transcribe"]


@dataclass(frozen=True, slots=True)
class Spoken:
    """One entry; ``body`` is absent where it was erased or not for the exporting party."""

    entry: Entry
    leaf: bytes
    body: bytes | None


Transcript = Callable[[Charter, Iterable[Spoken]], Iterable[str]]
"""Makes the pieces of a text, under the newest charter."""


def transcribe(files: ExportFiles, transcript: Transcript) -> Iterator[str]:
    """The transcript of a record's files as they stand: sound only where the record was verified.

    Ordered by the dates that the writers gave, and inside one log never against its order.
    """
    charters = read_charters(files, Findings())
    logs = []
    for party in parties_of(charters):
        checkpoint = files.read(checkpoint_path(party), NOTE_BYTES_MAX)
        if checkpoint is not None:
            logs.append(_spoken(files, party, claimed_size(checkpoint)))
    ordered = merge(*logs, key=lambda pair: pair[0])
    yield from transcript(charters[-1], (spoken for _, spoken in ordered))


def _spoken(files: ExportFiles, party: str, size: int) -> Iterator[tuple[tuple[int, str, int], Spoken]]:
    latest_ms = 0
    for tile in entry_tiles(size):
        payloads = read_file(files, f"{log_folder(party)}/{tile.path}", ENTRIES_BYTES_MAX, decode_bundle)
        decode = partial(decode_bodies, count=len(payloads))
        bodies = read_file(files, bodies_path(party, tile), BODIES_BYTES_MAX, decode)
        for payload, pair in zip(payloads, bodies):
            entry = Entry.parse(payload)
            latest_ms = max(latest_ms, entry.at_ms)
            yield (latest_ms, party, entry.seq), Spoken(entry, leaf_hash(payload), pair[1] if pair else None)

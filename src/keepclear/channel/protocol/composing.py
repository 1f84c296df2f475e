"""Choosing what is sent of a log: as much as fits, ending at a signed head, bodies only to whom they are addressed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keepclear.channel.charter import origin_of
from keepclear.channel.entry import Entry
from keepclear.channel.protocol.evidence import log_signature_only
from keepclear.channel.protocol.own_log import Node, Written
from keepclear.channel.protocol.wire import Push, WireRecord
from keepclear.channel.signed_note import Note
from keepclear.channel.store import READ_BYTES_MAX, READ_COUNT_MAX, Kept

__all__ = ["compose_fresh", "compose_push", "runs", "with_bodies"]

BODY_RUNS_MAX = 64
"""Requests for missing bodies in one go."""


def compose_push(node: Node, peer: str, log: str, start: int, count_max: int) -> Push:
    """Entries for the peer, ending where a signed head is, if one is in reach: it can then be cosigned at once."""
    store = node.store
    kept = store.records(log, start, count_max=count_max, bytes_max=READ_BYTES_MAX)
    end = start + len(kept)
    note = store.checkpoint(log, above=start, up_to=end) or store.checkpoint(log, up_to=end)
    return _push_of(node, peer, log, start, kept, note)


def compose_fresh(node: Node, peer: str, written: Written) -> Push | None:
    """What was just written, without reading it again; nothing where it is too much for one message."""
    size = sum(len(k.record.payload) + len(k.record.body or b"") for k in written.kept)
    if size > READ_BYTES_MAX or len(written.kept) > READ_COUNT_MAX:
        return None
    return _push_of(node, peer, node.party, written.kept[0].seq, written.kept, written.note)


def _push_of(node: Node, peer: str, log: str, start: int, kept: Sequence[Kept], note: Note | None) -> Push:
    head = log_signature_only(note, origin_of(log, node.store.channel)).encode().decode() if note else None
    return Push(log, start, tuple(_wire(node, peer, log, k) for k in kept), head)


def _wire(node: Node, peer: str, log: str, kept: Kept) -> WireRecord:
    """Bodies go to those they are addressed to, and back to their writer."""
    record = kept.record
    if record.body is not None and peer != log and not Entry.parse(record.payload).is_to(peer):
        record = record.without_body()
    return WireRecord.of(record)


def with_bodies(node: Node, peer: str, log: str, start: int, count: int) -> tuple[WireRecord, ...]:
    """The entries up to the first without a body for the peer."""
    found: list[WireRecord] = []
    for kept in node.store.records(log, start, count_max=count):
        wire = _wire(node, peer, log, kept)
        if wire.body is None:
            break
        found.append(wire)
    return tuple(found)


def runs(seqs: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """Consecutive numbers together, at most BODY_RUNS_MAX runs."""
    runs: list[list[int]] = []
    for seq in sorted(set(seqs)):
        if runs and runs[-1][-1] == seq - 1:
            runs[-1].append(seq)
        else:
            runs.append([seq])
    for run in runs[:BODY_RUNS_MAX]:
        yield run[0], run

"""Every decision of an exported record recomputed from its logs, and held against what its secretary said of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from keepclear.channel.charter import charter_hash
from keepclear.channel.entry import Record
from keepclear.channel.fork_proof import FORK_PROOF_BYTES_MAX, ForkProof, verify_fork_proof
from keepclear.channel.record.layout import (
    BODIES_BYTES_MAX,
    ENTRIES_BYTES_MAX,
    ExportFiles,
    bodies_path,
    decode_bodies,
    log_folder,
    parse_place,
)
from keepclear.channel.record.verification import Findings, Verification
from keepclear.channel.record.verify import read_charters
from keepclear.channel.record.verify_log import read_file
from keepclear.channel.tiles import decode_bundle, entry_tiles
from keepclear.decisions.acts import DECISION_KIND
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.status import Status
from keepclear.errors import InputError, UsageError

__all__ = ["Recomputed", "fill_docket", "recompute"]


@dataclass(frozen=True, slots=True)
class Recomputed:
    decisions: tuple[Status, ...]
    unread: tuple[str, ...]
    """decisions that are not what they claim to be: they have no effect"""

    @property
    def faults(self) -> tuple[str, ...]:
        """Where a secretary says something else than follows from the logs."""
        return tuple(
            f"{found.proposal}: {fault}"
            for found in self.decisions for each in found.rounds if each.closed for fault in each.closed.faults
        )  # fmt: skip


def recompute(files: ExportFiles, found: Verification) -> Recomputed:
    """From the logs that were found sound in ``found``, the verification of these files; nothing else is believed."""
    if not any(log.kinds[DECISION_KIND] for log in found.logs):
        return Recomputed((), ())
    docket = fill_docket(files, found)
    decisions = []
    for number in docket.proposals():
        try:
            decisions.append(status(docket, number))
        except UsageError:
            continue  # others' acts about a proposal whose log is not in the record
    return Recomputed(tuple(decisions), tuple(docket.unread))


def fill_docket(files: ExportFiles, found: Verification) -> Docket:
    """All acts of a verified record."""
    docket = Docket(found.channel)
    for log in found.logs:
        if log.sound:
            docket.take(log.party, _records(files, log.party, log.size))
    docket.take_forks(_forks(files))
    return docket


def _records(files: ExportFiles, party: str, size: int) -> Iterator[Record]:
    """Without their signatures, which were verified."""
    for tile in entry_tiles(size):
        name, width = f"{log_folder(party)}/{tile.path}", tile.width
        payloads = read_file(files, name, ENTRIES_BYTES_MAX, decode_bundle)
        bodies = read_file(files, bodies_path(party, tile), BODIES_BYTES_MAX, partial(decode_bodies, count=width))
        for payload, pair in zip(payloads, bodies, strict=True):
            yield Record(payload, b"", *(pair or (None, None)))


def _forks(files: ExportFiles) -> Iterator[ForkProof]:
    places = ((name, parse_place(name)) for name in sorted(files.names()))
    names = [name for name, place in places if place is not None and place[0] == "fork"]
    charters = read_charters(files, Findings()) if names else []
    channel = charter_hash(charters[0]).hex() if charters else ""
    for name in names:
        try:
            proof = read_file(files, name, FORK_PROOF_BYTES_MAX, ForkProof.parse)
            verify_fork_proof(proof, channel, charters)
        except InputError:
            continue  # the verification has said so
        yield proof

"""One log of an exported record, from its first entry to its checkpoint, in flat memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from keepclear.channel.charter import Charter, SignedCharter, charter_hash, origin_of
from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.entry import CHARTER_KIND, Entry, Record
from keepclear.channel.log import LogState, follow
from keepclear.channel.merkle import HASH_BYTES
from keepclear.channel.record.exported_log import ExportedLog
from keepclear.channel.record.layout import (
    BODIES_BYTES_MAX,
    ENTRIES_BYTES_MAX,
    ExportFiles,
    bodies_path,
    checkpoint_path,
    decode_bodies,
    decode_signatures,
    head_path,
    log_folder,
    signatures_path,
)
from keepclear.channel.record.tile_builder import TileBuilder
from keepclear.channel.record.verification import Holding, LogReport
from keepclear.channel.record.verify_head import SignedHead, cosigners_of, open_head
from keepclear.channel.record.verify_links import EntryLinks
from keepclear.channel.signature import SIGNATURE_BYTES
from keepclear.channel.signed_note import NOTE_BYTES_MAX, Note
from keepclear.channel.tiles import TILE_WIDTH, Tile, decode_bundle, entry_tiles
from keepclear.errors import InputError

__all__ = ["LogTask", "claimed_size", "first_charter", "log_keys", "parties_of", "read_file", "verify_log"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LogTask:
    """Everything that one log's verification needs; small, so that it can go to another process."""

    party: str
    channel: str
    charters: tuple[Charter, ...]
    sizes: Mapping[str, int]
    """of every exported log, as its checkpoint claims"""
    heads: Sequence[int]
    """sizes of the smaller heads that were kept, ascending"""


def verify_log(files: ExportFiles, task: LogTask, progress: Callable[[int], None] | None = None) -> LogReport:
    """Never raises for what the files hold: the first thing that does not fit ends the log and is a fault."""
    report = LogReport(task.party)
    try:
        _Run(files, task, report).run(progress)
        report.sound = report.findings.faults == 0
    except InputError as error:
        place = ", ".join(part for part in (error.source or log_folder(task.party), error.where) if part)
        report.findings.fault("log", place, error.message)
    return report


def claimed_size(data: bytes) -> int:
    """Of a checkpoint that nobody has verified yet."""
    return Checkpoint.parse(Note.parse(data).text).size


def first_charter(charters: Sequence[Charter], party: str) -> Charter:
    """The version that a party's log begins under: the first that names it."""
    return next(charter for charter in charters if party in charter.ids)


def log_keys(charters: Sequence[Charter], party: str) -> list[bytes]:
    """All that the party has had."""
    return [bytes.fromhex(k) for k in dict.fromkeys(c.party(party).log_key for c in charters if party in c.ids)]


def parties_of(charters: Sequence[Charter]) -> tuple[str, ...]:
    return tuple(sorted({party for charter in charters for party in charter.ids}))


def read_file(files: ExportFiles, name: str, limit: int, decode: Callable[[bytes], T]) -> T:
    """Decoded; whatever is wrong names the file."""
    try:
        data = files.read(name, limit)
        if data is None:
            raise InputError("the file is missing")
        return decode(data)
    except InputError as error:
        raise InputError(error.message, where=error.where, source=name) from None


class _Run:
    def __init__(self, files: ExportFiles, task: LogTask, report: LogReport) -> None:
        self._files, self._task, self._report = files, task, report
        self._cosigners = cosigners_of(task.charters)
        logs = {party: ExportedLog(files, party, size) for party, size in task.sizes.items()}
        bits = {party: number for number, party in enumerate(parties_of(task.charters))}
        self._links = EntryLinks(report, logs, bits)
        self._size = task.sizes[task.party]
        self._tree = TileBuilder(self._size)

    def run(self, progress: Callable[[int], None] | None) -> None:
        task = self._task
        state = LogState(task.channel, task.party, first_charter(task.charters, task.party))
        heads = self._heads()
        head = self._reached(next(heads), heads, state)
        for tile in entry_tiles(self._size):
            records = self._records(tile)
            while records:
                assert head is not None  # the last head is the checkpoint, at the log's end
                stop = head.checkpoint.size - state.size
                batch, records = records[:stop], records[stop:]
                state = self._follow(state, batch, head.existed_ms)
                head = self._reached(head, heads, state)
            if progress:
                progress(tile.width)
        self._report.size, self._report.root = state.size, state.root.hex()
        self._count_witnesses(state)

    def _heads(self) -> Iterator[SignedHead]:
        """Ascending; the last is the checkpoint. Each is opened when the entries come to it."""
        party = self._task.party
        origin, keys = origin_of(party, self._task.channel), log_keys(self._task.charters, party)
        if self._task.heads and self._task.heads[-1] >= self._size:
            raise InputError("is not smaller than the checkpoint", source=head_path(party, self._task.heads[-1]))
        names = ((size, head_path(party, size)) for size in self._task.heads)
        for size, name in (*names, (self._size, checkpoint_path(party))):
            head = read_file(
                self._files, name, NOTE_BYTES_MAX, lambda data: open_head(data, origin, keys, self._cosigners)
            )
            if head.checkpoint.size != size:
                raise InputError(f"the head is of {head.checkpoint.size} entries, not of {size}", source=name)
            yield head

    def _reached(self, head: SignedHead, heads: Iterator[SignedHead], state: LogState) -> SignedHead | None:
        """The head to come, once the log stands where ``head`` was signed."""
        if head.checkpoint.size != state.size:
            return head
        self._check_head(head, state)
        return next(heads, None)  # its size is another: the names are sorted

    def _records(self, tile: Tile) -> list[Record]:
        party, width = self._task.party, tile.width
        name = f"{log_folder(party)}/{tile.path}"
        payloads = read_file(self._files, name, ENTRIES_BYTES_MAX, decode_bundle)
        if len(payloads) != width:
            raise InputError(f"the bundle has {len(payloads)} entries, not {width}", source=name)
        signatures = read_file(
            self._files, signatures_path(party, tile), TILE_WIDTH * SIGNATURE_BYTES,
            lambda data: decode_signatures(data, width),
        )  # fmt: skip
        bodies = read_file(
            self._files, bodies_path(party, tile), BODIES_BYTES_MAX, lambda data: decode_bodies(data, width)
        )
        return [Record(p, s, *(pair or (None, None))) for p, s, pair in zip(payloads, signatures, bodies)]

    def _follow(self, state: LogState, batch: list[Record], bound_ms: int) -> LogState:
        after, entries = follow(state, batch)
        for entry, record in zip(entries, batch):
            if entry.kind == CHARTER_KIND:
                self._check_charter(entry, record)
            self._links.check(entry, record, after.charter, bound_ms)
        # Each entry names the hash of the one before it, as was just checked: no need to hash it again.
        for leaf in (*(bytes.fromhex(entry.prev) for entry in entries[1:]), after.last_leaf):
            for tile, hashes in self._tree.add(leaf):
                name = f"{log_folder(state.party)}/{tile.path}"
                if read_file(self._files, name, TILE_WIDTH * HASH_BYTES, bytes) != hashes:
                    raise InputError("the tile does not hold the hashes of the entries", source=name)
        return after

    def _check_charter(self, entry: Entry, record: Record) -> None:
        """Valid by itself, as the log's judge saw; it must also be the one that all logs are under."""
        charter = SignedCharter.parse(record.body or b"").charter
        known = self._task.charters[charter.serial : charter.serial + 1]
        if not known or charter_hash(known[0]) != charter_hash(charter):
            raise InputError(
                f"the charter's version {charter.serial} is not the record's charter-{charter.serial}.json",
                where=f"entry {entry.seq}",
            )

    def _check_head(self, head: SignedHead, state: LogState) -> None:
        where = f"the head of {state.size} entries"
        if head.checkpoint.root != state.root:
            raise InputError("the entries do not have the root that was signed", where=where)
        if head.public != state.log_key:
            raise InputError("it is signed by a log key that was not in force there", where=where)
        serial, needed = state.charter.serial, state.charter.witnesses_needed
        witnesses = head.witnesses(serial)
        for party, time_s in head.holders(serial).items():
            self._report.held.setdefault(party, Holding()).add(state.size, time_s)
        self._report.witnesses |= {name: (state.size, time_s) for name, time_s in witnesses.items()}
        if len(witnesses) >= needed:
            self._report.witnessed = state.size

    def _count_witnesses(self, state: LogState) -> None:
        report, needed = self._report, state.charter.witnesses_needed
        report.witnesses_needed = needed
        if not needed or not state.size:
            return
        place = log_folder(state.party)
        if not report.witnessed:
            report.findings.fault("witnesses", place, f"no head carries the {needed} witnesses' cosignatures that the "
                                  "charter asks for")  # fmt: skip
        elif report.witnessed < state.size:
            what = f"the newest {state.size - report.witnessed} entries are not yet witnessed as the charter asks"
            report.findings.remark("witnesses", place, what)

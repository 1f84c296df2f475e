"""An exported record verified offline: nothing is asked of anybody, nothing in the folder is taken on trust.

What is checked is docs/reference/channel-record.md; what it proves, docs/explanation/channel-evidence.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from keepclear.channel.charter import (
    CHARTER_BYTES_MAX,
    Charter,
    SignedCharter,
    charter_digits,
    charter_hash,
    verify_charter,
)
from keepclear.channel.record.exported_log import ExportedLog
from keepclear.channel.record.layout import (
    CHARTERS_MAX,
    ExportFiles,
    charter_path,
    checkpoint_path,
    is_for_people,
    log_folder,
    parse_place,
)
from keepclear.channel.record.verification import BODY_ABSENT, Findings, Level, LogReport, Trust, Verification
from keepclear.channel.record.verify_log import LogTask, claimed_size, parties_of, verify_log
from keepclear.channel.record.verify_proofs import check_forks, check_proofs
from keepclear.channel.signed_note import NOTE_BYTES_MAX
from keepclear.channel.tiles import TILE_WIDTH, Tile
from keepclear.errors import InputError, LimitExceeded

__all__ = ["NOT_A_RECORD", "Expected", "Progress", "claimed_entries", "read_charters", "verify_export"]

T = TypeVar("T")
NOT_A_RECORD = "this is no exported record: it has no charter-0.json"
HEADS_MAX, PROOFS_MAX = 1_000_000, 100_000
"""Of one log; of the folder. Their names are kept in memory."""
Progress = Callable[[int], None]
Run = Callable[[Callable[[LogTask], LogReport], Sequence[LogTask]], Iterable[LogReport]]


@dataclass(frozen=True, slots=True)
class Expected:
    """What the reader knows from elsewhere: the channel's id, or its thirty digits, or versions of its charter."""

    channel: str | None = None
    digits: str | None = None
    charters: tuple[Charter, ...] = ()

    def check(self, charters: Sequence[Charter]) -> Trust:
        """Raises :class:`InputError` where the record is another channel's."""
        first = charters[0]
        if self.channel is not None and self.channel != charter_hash(first).hex():
            raise InputError(f"the record is of the channel {charter_hash(first).hex()}, not of the one expected")
        if self.digits is not None and self.digits != charter_digits(first).replace(" ", ""):
            raise InputError(f"the record's channel has the digits {charter_digits(first)}, not those expected")
        for charter in self.charters:
            if charter not in charters:
                raise InputError(f"the charter expected (version {charter.serial}) is not one of the record's")
        return Trust.INTERNAL if self == Expected() else Trust.PINNED


@dataclass(slots=True)
class _Contents:
    """What the folder's names promise."""

    heads: dict[str, list[int]] = field(default_factory=dict)
    proofs: list[tuple[str, int]] = field(default_factory=list)
    forks: list[tuple[str, int]] = field(default_factory=list)


def verify_export(
    files: ExportFiles, expected: Expected = Expected(), *, progress: Progress | None = None, run: Run | None = None
) -> Verification:
    """Everything that the record holds, checked. Raises :class:`InputError` only for what is no record at all.

    ``run`` may spread the logs over processes; without it they are verified one after the other, and ``progress`` is
    told how many entries more were read. Memory: some ten bytes an entry, and what two bundles take.
    """
    findings = Findings()
    charters = read_charters(files, findings)
    if not charters:
        return Verification("", "", "", 0, Trust.INTERNAL, findings)
    channel = charter_hash(charters[0]).hex()
    found = Verification(
        channel, charter_digits(charters[0]), charters[-1].name, len(charters), Trust.INTERNAL, findings,
        parties=parties_of(charters),
    )  # fmt: skip
    try:
        found.trust = expected.check(charters)
    except InputError as error:
        findings.fault("channel", charter_path(0), error.message)
    sizes = _claimed_sizes(files, found.parties, findings)
    contents = _list_contents(files, found, sizes)
    tasks = [LogTask(party, channel, tuple(charters), sizes, sorted(contents.heads.get(party, ()))) for party in sizes]
    verify = partial(verify_log, files, progress=progress)
    for report in map(verify, tasks) if run is None else run(partial(verify_log, files), tasks):
        found.logs.append(report)
        findings.take(report.findings)
    logs = {party: ExportedLog(files, party, size) for party, size in sizes.items()}
    check_proofs(files, contents.proofs, logs, charters, found)
    check_forks(files, contents.forks, charters, found)
    _count_levels(found)
    return found


def claimed_entries(files: ExportFiles) -> dict[str, int]:
    """How many entries each log claims to have: for a progress bar. Raises :class:`InputError` for no record."""
    findings = Findings()
    return _claimed_sizes(files, parties_of(read_charters(files, findings)), findings)


def read_charters(files: ExportFiles, findings: Findings) -> list[Charter]:
    """The chain of charters, as far as it holds; the first fault ends it."""
    charters: list[Charter] = []
    while len(charters) < CHARTERS_MAX:
        name = charter_path(len(charters))
        try:
            data = files.read(name, CHARTER_BYTES_MAX)
            if data is None:
                break
            signed = SignedCharter.parse(data)
            if signed.encode() != data:
                raise InputError("the charter is not written in its one form")
            charters.append(verify_charter(signed, charters[-1] if charters else None))
        except InputError as error:
            findings.fault("charter", ", ".join(p for p in (name, error.where) if p), error.message)
            return charters
    if not charters:
        raise InputError(NOT_A_RECORD)
    return charters


def _claimed_sizes(files: ExportFiles, parties: Iterable[str], findings: Findings) -> dict[str, int]:
    sizes = {}
    for party in parties:
        try:
            data = files.read(checkpoint_path(party), NOTE_BYTES_MAX)
            if data is None:
                findings.remark("no-log", log_folder(party), f"the record has no log of {party}")
                continue
            sizes[party] = claimed_size(data)
        except InputError as error:
            findings.fault("log", checkpoint_path(party), error.message)
    if not sizes and not findings.faults:
        findings.fault("log", "logs", "the record has no log at all")
    return sizes


def _list_contents(files: ExportFiles, found: Verification, sizes: Mapping[str, int]) -> _Contents:
    """Every file must be one that charters and checkpoints know of: readers may take for evidence what lies there."""
    contents = _Contents()
    for name in files.names():
        place = parse_place(name)
        if place is None:
            if not is_for_people(name):
                found.findings.fault("stray-file", name[:200], "a record has no such file")
            continue
        kind, party, number = place
        if isinstance(number, Tile):
            known = party in sizes and number.width == _width(sizes[party], number)
        else:
            known = number < found.charters if kind == "charter" else party in found.parties
        if not known:
            found.findings.fault("stray-file", name[:200], "this record's charters and checkpoints know no such file")
        elif isinstance(number, int) and kind == "head":
            _keep(contents.heads.setdefault(party, []), number, HEADS_MAX)
        elif isinstance(number, int) and kind in ("proof", "fork"):
            _keep(contents.proofs if kind == "proof" else contents.forks, (party, number), PROOFS_MAX)
    return contents


def _keep(names: list[T], name: T, most: int) -> None:
    if len(names) >= most:
        raise LimitExceeded(f"the record has more than {most:,} heads of one log, or proofs")
    names.append(name)


def _width(size: int, tile: Tile) -> int:
    """Of the tile at that place in a log of that size: nothing or less where there is none."""
    return min(TILE_WIDTH, (size >> 8 * max(tile.level, 0)) - tile.index * TILE_WIDTH)


def _count_levels(found: Verification) -> None:
    """For each party, how many of its messages reached which level with every recipient; and what was erased."""
    reports = {report.party: report for report in found.logs}
    for log in found.logs:
        erasures = log.marks.get(log.party, b"")
        recipients: dict[int, tuple[int, list[bytes]]] = {}  # by mask
        reached: Counter[int] = Counter()  # by the bits that all recipients gave
        sent = held = 0
        for seq, mask in enumerate(log.recipients):
            if mask & BODY_ABSENT:
                log.bodies_erased += seq < len(erasures) and bool(erasures[seq] & Level.ERASURE_NAMED)
                mask ^= BODY_ABSENT
            if not mask:
                continue
            if mask not in recipients:
                recipients[mask] = _recipients(mask, log, found.parties, reports)
            size, given = recipients[mask]
            common = -1
            for marks in given:
                common &= marks[seq] if seq < len(marks) else 0
            sent += 1
            held += seq < size
            reached[common] += 1
        counts = Counter({"sent": sent, "HELD": held})
        for level in (Level.SHOWN, Level.READ_BACK, Level.ANSWERED):
            counts[level.name] = sum(count for bits, count in reached.items() if bits & level)
        found.levels[log.party] = counts


def _recipients(
    mask: int, log: LogReport, parties: Sequence[str], reports: Mapping[str, LogReport]
) -> tuple[int, list[bytes]]:
    """How much of the log all of them hold, and what the entries of each give to the log's."""
    them = [party for number, party in enumerate(parties) if mask >> number + 1 & 1]
    size = min(log.held[party].size if party in log.held else 0 for party in them)
    return size, [bytes(reports[party].marks.get(log.party, b"")) if party in reports else b"" for party in them]

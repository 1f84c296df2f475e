"""What one log's entries say of the others: heads they had seen, entries they answer, and when."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from keepclear.channel.charter import Charter
from keepclear.channel.entry import ERASURE_KIND, Entry, Head, Record, Reference
from keepclear.channel.merkle import leaf_hash
from keepclear.channel.record.exported_log import ExportedLog
from keepclear.channel.record.verification import BODY_ABSENT, Level, LogReport
from keepclear.errors import InputError

__all__ = ["LEVELS", "MESSAGE_KIND", "EntryLinks"]

MESSAGE_KIND = "message"
LEVELS = {"receipt": Level.SHOWN, "read-back": Level.READ_BACK, "answer": Level.ANSWERED}
"""By the kind of the entry that refers to it; what the body says is the reader's of messages to judge."""
_CONTRADICTED = "which the log here never had: it was told in two versions, or this entry states what is not so"


class _Glimpse(msgspec.Struct):
    """What is asked of an entry of another log, whose own verification reads it in full."""

    party: str
    seq: int
    at_ms: int
    to: list[str]
    until_ms: int | None


_LOOKED_AT_MAX = 256
"""What is shown, read back and answered is referred to several times in a row; some 100 kB."""
_glimpse = msgspec.json.Decoder(_Glimpse)


class EntryLinks:
    """Checks the entries of one log in their order and notes the result in its report."""

    def __init__(self, report: LogReport, logs: Mapping[str, ExportedLog], parties: Mapping[str, int]) -> None:
        self._report = report
        self._logs = logs
        self._bits = {party: BODY_ABSENT << number + 1 for party, number in parties.items()}
        self._seen: dict[str, Head] = {}
        self._masks: dict[int, int] = {}
        """each kept once: the same few are addressed again and again"""
        self._before_ms = 0

    def check(self, entry: Entry, record: Record, charter: Charter, bound_ms: int) -> None:
        """``bound_ms``: when, by a cosigner's clock, the entry existed at the latest."""
        report = self._report
        report.read += 1
        report.kinds[entry.kind] += 1
        mask = self._mask(entry, charter) if entry.kind == MESSAGE_KIND else 0
        if record.body is None:
            report.bodies_absent += 1
            mask |= BODY_ABSENT
        else:
            report.bodies += 1
        report.recipients.append(self._masks.setdefault(mask, mask))
        at_ms, limit_ms = entry.at_ms, charter.limits.clock_ahead_max_ms
        if report.first_ms is None:
            report.first_ms = at_ms
        report.last_ms = at_ms
        if at_ms < self._before_ms - limit_ms:
            self._remark("misdated", entry, f"is dated {_span(self._before_ms - at_ms)} before the entry ahead of it")
        if at_ms > bound_ms + limit_ms:
            self._remark("misdated", entry, f"is dated {_span(at_ms - bound_ms)} after somebody cosigned it")
        self._before_ms = at_ms
        if entry.seen != self._seen:
            for party, head in entry.seen.items():
                if self._seen.get(party) != head:
                    self._check_seen(entry, party, head, limit_ms)
            self._seen = entry.seen
        for reference in entry.re:
            self._check_reference(entry, reference)

    def _mask(self, entry: Entry, charter: Charter) -> int:
        to = entry.to or charter.ids
        return sum(self._bits.get(party, 0) for party in set(to) - {entry.party})

    def _check_seen(self, entry: Entry, party: str, head: Head, limit_ms: int) -> None:
        log = self._logs.get(party)
        if log is None:
            self._not_here(entry, party, f"had seen {head.size} entries of {party}'s log")
            return
        if head.size > log.size:
            self._beyond(entry, party, head.size, log.size, "had seen")
            return
        try:
            if log.root_at(head.size).hex() != head.root:
                self._fault("seen", entry, f"had seen a head of {party}'s log, {head.size} entries, {_CONTRADICTED}")
                return
            ahead_ms = _look_at(log.payload(head.size - 1)).at_ms - entry.at_ms if head.size else 0
        except InputError:
            return  # that log's own faults deny the verdict
        if ahead_ms > limit_ms:
            what = f"is dated {_span(ahead_ms)} before entry {head.size - 1} of {party}, which it had seen"
            self._remark("misdated", entry, what)

    def _check_reference(self, entry: Entry, reference: Reference) -> None:
        party, seq = reference.party, reference.seq
        log = self._logs.get(party)
        if log is None:
            self._not_here(entry, party, f"refers to entry {seq} of {party}")
            return
        if seq >= log.size:
            self._beyond(entry, party, seq + 1, log.size, "refers to")
            return
        try:
            payload = log.payload(seq)
            if _leaf(payload) != reference.leaf:
                self._fault("reference", entry, f"refers to an entry {seq} of {party} {_CONTRADICTED}")
                return
            target = _look_at(payload)
        except InputError:
            return
        self._mark(entry, target)

    def _mark(self, entry: Entry, target: _Glimpse) -> None:
        level = LEVELS.get(entry.kind, Level.NONE)
        if entry.kind == ERASURE_KIND and target.party == entry.party:
            level = Level.ERASURE_NAMED
        elif level and (target.party == entry.party or (target.to and entry.party not in target.to)):
            self._remark("stray", entry, f"answers entry {target.seq} of {target.party}, which was not addressed to it")
            return
        if not level:
            return
        marks = self._report.marks.setdefault(target.party, bytearray())
        if len(marks) <= target.seq:
            marks.extend(bytes(target.seq + 1 - len(marks)))
        marks[target.seq] |= level
        if level is not Level.ERASURE_NAMED and target.until_ms is not None and entry.at_ms > target.until_ms:
            late = _span(entry.at_ms - target.until_ms)
            what = f"answers entry {target.seq} of {target.party} {late} after its validity had ended"
            self._remark("late", entry, what)

    def _not_here(self, entry: Entry, party: str, what: str) -> None:
        if party in self._bits:
            self._remark("not-exported", entry, f"{what}, which is not here")
        else:
            self._fault("reference", entry, f"{what}, who is no party to the charter")

    def _beyond(self, entry: Entry, party: str, needed: int, size: int, verb: str) -> None:
        what = f"{verb} entry {needed - 1} of {party}; the record ends after {size}: the rest is missing"
        self._remark("tail-missing", entry, what)

    def _fault(self, kind: str, entry: Entry, what: str) -> None:
        self._report.findings.fault(kind, f"entry {entry.seq} of {entry.party}", what)

    def _remark(self, kind: str, entry: Entry, what: str) -> None:
        self._report.findings.remark(kind, f"entry {entry.seq} of {entry.party}", what)


@lru_cache(_LOOKED_AT_MAX)
def _leaf(payload: bytes) -> str:
    return leaf_hash(payload).hex()


@lru_cache(_LOOKED_AT_MAX)
def _look_at(payload: bytes) -> _Glimpse:
    try:
        return _glimpse.decode(payload)
    except (msgspec.MsgspecError, UnicodeError):
        raise InputError("the entry is not one") from None


def _span(milliseconds: int) -> str:
    return f"{milliseconds / 1000:,.1f} s"

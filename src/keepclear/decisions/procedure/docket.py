"""All acts of a channel as the logs grow: what was written where, and when by its log's own clock.

Nothing is judged here. What the docket holds depends on the logs alone, not on the order in which they came: each log
is taken in its own order, and entries that were taken before have no effect.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from keepclear.channel.entry import ERASURE_KIND, Entry, Record, Reference
from keepclear.channel.fork_proof import ForkProof
from keepclear.channel.parting import parted_at, parted_before
from keepclear.decisions.acts import (
    DECISION_KIND,
    Accept,
    AnyAct,
    Apply,
    Constitute,
    Convene,
    Minutes,
    StageReached,
    decode_act,
)
from keepclear.decisions.rules.body import Body, body_hash
from keepclear.errors import InputError, UsageError

__all__ = ["Docket", "Filed", "origin"]

UNREAD_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Filed:
    """An act with its place."""

    party: str
    seq: int
    leaf: str
    at_ms: int
    """as its writer dated it"""
    clock_ms: int
    """the latest date that its log has shown up to here: a log's clock does not go back, whatever an entry says"""
    act: AnyAct

    @property
    def reference(self) -> Reference:
        return Reference(self.party, self.seq, self.leaf)


@dataclass(slots=True)
class _Log:
    clocks: array[int] = field(default_factory=lambda: array("q"))
    """of each entry, the latest date up to it: 8 bytes an entry"""
    acts: dict[int, Filed] = field(default_factory=dict)
    absent: dict[int, str] = field(default_factory=dict)
    """decisions whose text is not here, and why"""


@dataclass(slots=True)
class Docket:
    """Begin empty, :meth:`take` the records of every log in that log's order; ``channel`` is the channel's id."""

    channel: str
    unread: list[str] = field(default_factory=list)
    """decisions that are not what they claim to be: one line each, shown and without effect"""
    forks: dict[str, ForkProof] = field(default_factory=dict)
    """of each party that told two histories, the proof that shows the earliest place where they part"""
    _forked: dict[str, int] = field(default_factory=dict)
    _parted_before: dict[str, int] = field(default_factory=dict)
    """by party, the lowest number below which a proof shows that its histories have parted, be it not where"""
    _logs: dict[str, _Log] = field(default_factory=dict)
    _about: dict[str, list[Filed]] = field(default_factory=dict)
    """by the number of a proposal, a meeting or an application, or a body's hash"""

    def take(self, log: str, records: Iterable[Record]) -> list[Filed]:
        """Consecutive records of a log; what was new and could be read.

        Raises :class:`InputError` where they are of another log or channel, or some before them are missing: what came
        before that record is kept.
        """
        read: list[Filed] = []
        kept = self._logs.setdefault(log, _Log())
        for record in records:
            entry = Entry.parse(record.payload)
            if entry.party != log or entry.channel != self.channel:
                raise InputError(f"an entry of {entry.party} was taken for one of {log}, or is of another channel")
            if entry.seq > len(kept.clocks):
                raise InputError(f"entries {len(kept.clocks)} to {entry.seq - 1} of {log} were left out")
            if entry.seq < len(kept.clocks):
                self._compare(kept, entry, record)
                continue
            kept.clocks.append(max(entry.at_ms, kept.clocks[-1] if kept.clocks else 0))
            if entry.kind == ERASURE_KIND:
                self._erase(log, kept, entry)
            elif entry.kind == DECISION_KIND and (filed := self._read(kept, entry, record)):
                read.append(filed)
        return read

    def take_forks(self, proofs: Iterable[ForkProof]) -> None:
        """Proofs that were verified (:func:`keepclear.channel.fork_proof.verify_fork_proof`). Of several that show the
        same place the one with the smallest bytes is kept: in whatever order they came, all show the same."""
        for proof in proofs:
            at, before = parted_at(proof), parted_before(proof)
            self._parted_before[proof.party] = min(before, self._parted_before.get(proof.party, before))
            known = self.forks.get(proof.party)
            if at is None or proof == known:
                continue
            if known is None or (at, proof.encode()) < (self._forked[proof.party], known.encode()):
                self._forked[proof.party] = at
                self.forks[proof.party] = proof

    def _compare(self, kept: _Log, entry: Entry, record: Record) -> None:
        """What comes again has no effect, but for a text that was still missing."""
        before = kept.acts.get(entry.seq)
        if before is not None and before.leaf != record.leaf.hex():
            raise InputError(
                f"entry {entry.seq} of {entry.party} is not the one that was taken before: a second history"
            )
        if entry.seq in kept.absent and record.body is not None:
            del kept.absent[entry.seq]
            self._read(kept, entry, record)

    def _read(self, kept: _Log, entry: Entry, record: Record) -> Filed | None:
        where = f"entry {entry.seq} of {entry.party}"
        if record.body is None:
            kept.absent[entry.seq] = "its text has not come, or was erased"
            return None
        try:
            record.check_body(entry)
            act = decode_act(record.body)
            if entry.to:
                raise InputError("a decision is addressed to all parties, not to some")
        except InputError as error:
            if len(self.unread) < UNREAD_MAX:
                self.unread.append(f"{where}: {error}")
            return None
        filed = Filed(entry.party, entry.seq, record.leaf.hex(), entry.at_ms, kept.clocks[entry.seq], act)
        kept.acts[entry.seq] = filed
        self._about.setdefault(_subject(act), []).append(filed)
        return filed

    def _erase(self, log: str, kept: _Log, entry: Entry) -> None:
        """Whoever joins later cannot read it any more; so nobody does."""
        for reference in entry.re:
            filed = kept.acts.get(reference.seq)
            if reference.party != log or reference.seq >= entry.seq:
                continue
            if filed is not None:
                del kept.acts[reference.seq]
                self._about[_subject(filed.act)].remove(filed)
                kept.absent[reference.seq] = "its author has erased it"

    @property
    def taken(self) -> Mapping[str, int]:
        """By log, how many entries were looked at."""
        return {name: len(log.clocks) for name, log in self._logs.items()}

    def size(self, log: str) -> int:
        """How many entries of the log were looked at."""
        kept = self._logs.get(log)
        return len(kept.clocks) if kept else 0

    def about(self, subject: str) -> list[Filed]:
        """Every act about a proposal, a meeting or an application, by party and place."""
        return sorted(self._about.get(subject, ()), key=lambda filed: (filed.party, filed.seq))

    def proposals(self) -> list[str]:
        """Their numbers, sorted; also those of which only somebody else's acts are here."""
        return sorted(subject for subject in self._about if subject.startswith("P-"))

    def applications(self) -> list[str]:
        return sorted(subject for subject in self._about if subject.startswith("A-"))

    def meetings(self) -> list[str]:
        return sorted(subject for subject in self._about if subject.startswith("M-"))

    def bodies(self) -> Mapping[str, Body]:
        """Constituted ones by their hash."""
        found = (filed.act for filings in self._about.values() for filed in filings)
        return {body_hash(act.body): act.body for act in found if isinstance(act, Constitute)}

    def body(self, digest: str) -> Body:
        """Raises :class:`UsageError` where it is not constituted in any log that is here."""
        for filed in self._about.get(digest, ()):
            if isinstance(filed.act, Constitute):
                return filed.act.body
        raise UsageError(f"no body with the hash {digest[:64]} was constituted in the logs that are here")

    def accepted(self, digest: str) -> frozenset[str]:
        """The parties that have accepted the body."""
        return frozenset(filed.party for filed in self._about.get(digest, ()))

    def at(self, reference: Reference) -> Filed | None:
        """The act at that place, if it is here and is the one that is named."""
        log = self._logs.get(reference.party)
        filed = log.acts.get(reference.seq) if log else None
        return filed if filed is not None and filed.leaf == reference.leaf else None

    def lacks(self, reference: Reference) -> str:
        """Why :meth:`at` finds nothing, in words."""
        log = self._logs.get(reference.party)
        if log is None or reference.seq >= len(log.clocks):
            return f"the log of {reference.party} is here only up to {len(log.clocks) if log else 0} entries"
        if reference.seq in log.absent:
            return log.absent[reference.seq]
        return "another entry stands there: the reference is wrong, or that log has two histories"

    def clock(self, log: str) -> int:
        """The latest date that the log has shown, to everybody alike; 0 where nothing of it is here."""
        kept = self._logs.get(log)
        shared = min(len(kept.clocks), self._forked.get(log, len(kept.clocks))) if kept else 0
        return kept.clocks[shared - 1] if kept and shared else 0

    def passed(self, log: str, instant_ms: int) -> int | None:
        """The number of the first entry dated after that instant; none where there is none yet."""
        kept = self._logs.get(log)
        place = bisect_right(kept.clocks, instant_ms) if kept else 0
        return place if kept and place < len(kept.clocks) else None

    def absent(self, log: str) -> Mapping[int, str]:
        """Decisions of a log whose text is not here, and why."""
        kept = self._logs.get(log)
        return kept.absent if kept else {}

    def forked(self, party: str, seq: int) -> bool:
        """Whether it is proved that the party told two histories that differ at that place."""
        return party in self._forked and self._forked[party] <= seq

    def doubtful(self) -> Mapping[str, int | None]:
        """Parties that told two histories which parted at a place that no proof here shows; and the first place that is
        shown to differ, none where there is none: what they wrote before it may have another history, or not."""
        at = self._forked
        return {p: at.get(p) for p, before in sorted(self._parted_before.items()) if p not in at or before <= at[p]}

    def supposing(self, forks: Mapping[str, int]) -> Docket:
        """The same logs if it were proved that these parties' histories part at these places. To be read only."""
        return replace(self, _forked={**self._forked, **forks})

    def number(self, prefix: str, party: str, year: int) -> str:
        """The party's next number for a proposal («P»), an application («A») or a meeting («M»)."""
        start = f"{prefix}-{party.upper()}-{year:04d}-"
        used = [
            int(s.removeprefix(start)) for s in self._about if s.startswith(start) and s.removeprefix(start).isdigit()
        ]
        return f"{start}{max(used, default=0) + 1:04d}"


def origin(number: str) -> str:
    """The party that a proposal, an application or a meeting says it is from."""
    return number[2:].rsplit("-", 2)[0].lower()


def _subject(act: AnyAct) -> str:
    if isinstance(act, Constitute):
        return body_hash(act.body)
    if isinstance(act, Accept):
        return act.body
    if isinstance(act, Convene | Minutes):
        return act.meeting
    if isinstance(act, Apply | StageReached):
        return act.application
    return act.proposal

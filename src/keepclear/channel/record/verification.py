"""What a verification found and what it shows: faults, remarks, and a report on each log."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

__all__ = ["FINDINGS_MAX", "Finding", "Findings", "Holding", "Level", "LogReport", "Trust", "Verification"]

FINDINGS_MAX = 50
"""Lines kept of each kind; the rest is counted."""
BODY_ABSENT = 1
"""In :attr:`LogReport.recipients`: no body came with the entry."""


class Level(IntEnum):
    """Bits: what a recipient's entries say of an entry. HELD is its mirror's cosignature and stands elsewhere."""

    NONE = 0
    SHOWN = 1
    READ_BACK = 2
    ANSWERED = 4
    ERASURE_NAMED = 8
    """its author's own entry of kind ``erasure`` names it"""


class Trust(StrEnum):
    PINNED = "pinned"
    """the channel is the one that the reader named from elsewhere"""
    INTERNAL = "internal"
    """nothing from elsewhere: whoever made the folder may have made the parties too"""


@dataclass(frozen=True, slots=True)
class Finding:
    kind: str
    where: str
    what: str
    fault: bool
    """a fault denies the verdict; a remark tells the reader something"""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class Findings:
    """Bounded: the first few of each kind are kept, all are counted."""

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self.counts: Counter[str] = Counter()
        self.faults = 0

    def fault(self, kind: str, where: str, what: str) -> None:
        self.faults += 1
        self._add(Finding(kind, where, what, fault=True))

    def remark(self, kind: str, where: str, what: str) -> None:
        self._add(Finding(kind, where, what, fault=False))

    def _add(self, finding: Finding) -> None:
        self.counts[finding.kind] += 1
        if self.counts[finding.kind] <= FINDINGS_MAX:
            self.kept.append(finding)

    def take(self, other: Findings) -> None:
        self.counts.update(other.counts)
        self.faults += other.faults
        self.kept += other.kept

    @property
    def dropped(self) -> int:
        return self.counts.total() - len(self.kept)


class Holding:
    """The heads of one log that one mirror cosigned: what it holds, and since when at the latest."""

    __slots__ = ("_sizes", "_times")

    def __init__(self) -> None:
        self._sizes, self._times = array("Q"), array("Q")

    def add(self, size: int, time_s: int) -> None:
        """Sizes come ascending."""
        self._sizes.append(size)
        self._times.append(time_s)

    @property
    def size(self) -> int:
        return self._sizes[-1] if self._sizes else 0

    @property
    def time_s(self) -> int:
        """of the largest"""
        return self._times[-1]

    def since(self, seq: int) -> int | None:
        """POSIX seconds by the mirror's clock of its first statement kept here that covers the entry."""
        at = bisect_right(self._sizes, seq)
        return self._times[at] if at < len(self._times) else None


@dataclass(slots=True)
class LogReport:
    """One log, as far as it was read; ``sound`` says that all of it holds, up to ``size`` and ``root``."""

    party: str
    size: int = 0
    root: str = ""
    sound: bool = False
    findings: Findings = field(default_factory=Findings)
    read: int = 0
    """entries"""
    held: dict[str, Holding] = field(default_factory=dict)
    """by mirror"""
    witnesses: dict[str, tuple[int, int]] = field(default_factory=dict)
    """of each witness the largest head that it cosigned: size, POSIX seconds by its clock"""
    witnesses_needed: int = 0
    witnessed: int = 0
    """entries below the largest head that as many witnesses cosigned as the charter asks for"""
    bodies: int = 0
    bodies_absent: int = 0
    bodies_erased: int = 0
    """of the absent ones, those that an entry of kind «erasure» of the same party names"""
    kinds: Counter[str] = field(default_factory=Counter)
    first_ms: int | None = None
    last_ms: int | None = None
    recipients: list[int] = field(default_factory=list)
    """of each entry: whether its body is absent, and above that a bit for each party a message is addressed to"""
    marks: dict[str, bytearray] = field(default_factory=dict)
    """levels that this party's entries give to the entries of each log"""


@dataclass(slots=True)
class Verification:
    channel: str
    digits: str
    name: str
    charters: int
    trust: Trust
    findings: Findings
    logs: list[LogReport] = field(default_factory=list)
    parties: tuple[str, ...] = ()
    """of all versions of the charter, in the order of the bits in :attr:`LogReport.recipients`"""
    proofs: int = 0
    forks: list[str] = field(default_factory=list)
    """what each proof of a fork shows, in words"""
    levels: dict[str, Counter[str]] = field(default_factory=dict)
    """of each party's messages, how many reached which level with every one of their recipients"""
    transcripts: dict[str, bool | None] = field(default_factory=dict)
    """by file name, where somebody compared them: whether they say what the entries say; None: not compared"""

    @property
    def untrue_transcripts(self) -> list[str]:
        return sorted(name for name, same in self.transcripts.items() if same is False)

    @property
    def verified(self) -> bool:
        return self.findings.faults == 0

    @property
    def verdict(self) -> str:
        return "VERIFIED" if self.verified else "NOT VERIFIED"

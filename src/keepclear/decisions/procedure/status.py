"""What is known of a proposal: records only; :mod:`procedure` computes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from keepclear.channel.entry import Reference
from keepclear.channel.fork_proof import ForkProof
from keepclear.decisions.procedure.docket import Filed
from keepclear.decisions.rules.body import Body
from keepclear.decisions.rules.rule import Rule
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.rules.tally import Tally
from keepclear.decisions.vocabulary import Ballot, Effect, State, Under, VoidReason

__all__ = ["Bound", "Closed", "Contradiction", "Counted", "Missing", "Round", "Statement", "Status", "Text", "Void",
           "day_of"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Text:
    """A version of a proposal's text."""

    version: int
    title: str
    text: str
    language: str
    hash: str
    filed: Filed


@dataclass(frozen=True, slots=True)
class Void:
    """What has no effect, and why."""

    filed: Filed
    member: str
    reason: VoidReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """A position as it counts. ``reference`` is none where a member kept silent."""

    member: str
    stance: Stance
    reference: Reference | None
    received_ms: int
    """by the secretary's log"""
    by_sheet: bool = False
    """written down by the secretary in a room, not signed by the member's party"""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two positions of one member that cannot both be meant: the references are the proof, or the fork is."""

    member: str
    references: tuple[Reference, ...]
    stances: tuple[Stance, ...]
    fork: ForkProof | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """What would be needed to say what came of it, and is not here."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Statement:
    """An interpretative statement: part of the record, of no count."""

    member: str
    text: str
    language: str
    reference: Reference
    version: int
    """of the text that it is about"""


@dataclass(frozen=True, slots=True)
class Bound:
    """Whether a decision binds a member; ``why``: its stance, SILENT, NOT_ACCEPTED, NOT_REPRESENTED, EXCLUDED …"""

    member: str
    bound: bool
    why: str


@dataclass(frozen=True, slots=True)
class Closed:
    """What the secretary said came of it, and what is wrong with that."""

    filed: Filed
    outcome: Outcome
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """One circulation of one version, from its opening to what came of it."""

    version: int
    text_hash: str
    circulated: Filed
    under: Under
    ballot: Ballot
    opened_ms: int
    closes_ms: int
    first_closes_ms: int
    """as it was announced with the circulation"""
    open_by_ms: int | None
    state: State
    finished_ms: int | None
    members: tuple[str, ...]
    """who takes part"""
    delivered: tuple[str, ...]
    """members that are proved to have had the text before the opening"""
    counted: tuple[Counted, ...]
    replaced: tuple[Counted, ...]
    """earlier positions that the same log replaced by a later one"""
    contradictions: tuple[Contradiction, ...]
    broken_by: tuple[str, ...]
    reserved_by: tuple[str, ...]
    tally: Tally | None
    """as it stands; None where the rule cannot be applied to what is here"""
    sealed: tuple[str, ...] = ()
    """members whose commitments are in"""
    closed: Closed | None = None

    @property
    def finished(self) -> bool:
        return self.finished_ms is not None


@dataclass(frozen=True, slots=True)
class Status:
    proposal: str
    state: State
    title: str
    effect: Effect
    body: Body | None
    rule: Rule | None
    tabled: Filed
    version: int
    text_hash: str
    texts: tuple[Text, ...]
    rounds: tuple[Round, ...]
    """all of them: what failed stays"""
    bound: tuple[Bound, ...]
    void: tuple[Void, ...]
    waiting: tuple[Filed, ...]
    """acts of other parties that the secretary has not registered yet, while it still can"""
    missing: tuple[Missing, ...]
    statements: tuple[Statement, ...]
    faults: tuple[str, ...]
    """what keeps it from any procedure, and what the secretary said and is not so"""
    heads: Mapping[str, int]
    """how many entries of each log this was computed from"""
    moved_to: str = ""
    """the number under which another body has it"""
    adopted_ms: int | None = None
    """when it was adopted, by the secretary's log"""

    @property
    def round(self) -> Round | None:
        """The last one."""
        return self.rounds[-1] if self.rounds else None

    @property
    def tally(self) -> Tally | None:
        return self.rounds[-1].tally if self.rounds else None

    @property
    def contradictions(self) -> tuple[Contradiction, ...]:
        return tuple(found for each in self.rounds for found in each.contradictions)

    @property
    def outcome(self) -> Outcome | None:
        """None while it is open, and where what decides is not all here."""
        if self.state is State.ADOPTED:
            return Outcome.ADOPTED
        if self.state in _FAILED or (self.state is State.MOVED and self.rounds):
            return Outcome.REJECTED
        return None


_FAILED = frozenset({State.REJECTED, State.LAPSED, State.BROKEN, State.CONSULTATION})


DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()


def day_of(at_ms: int) -> date:
    """The day in UTC."""
    return date.fromordinal(_EPOCH + at_ms // DAY_MS)

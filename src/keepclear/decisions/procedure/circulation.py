"""One circulation of one version of a text: which positions count, and what the rule makes of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from keepclear.channel.entry import Reference
from keepclear.decisions.acts import Circulate, Commit, Open, Position, Received, Sheet, Table
from keepclear.decisions.procedure.admission import refuse_position, refuse_sheet
from keepclear.decisions.procedure.ballot import SealedVotes
from keepclear.decisions.procedure.docket import Docket, Filed
from keepclear.decisions.procedure.events import Event, Forked
from keepclear.decisions.procedure.status import Closed, Contradiction, Counted, Missing, Round, Void, day_of
from keepclear.decisions.rules.body import Body, Electorate, Member
from keepclear.decisions.rules.rule import Rule
from keepclear.decisions.rules.stance import OBJECTIONS, Stance
from keepclear.decisions.rules.tally import Tally, tally, tally_counts
from keepclear.decisions.vocabulary import Ballot, State, Under, VoidReason
from keepclear.errors import InputError

__all__ = ["Circulation"]

SHEET = ""
"""Stands for a party among the sources of a position: written down by the secretary in a room."""


@dataclass(slots=True)
class Circulation:
    docket: Docket
    body: Body
    rule: Rule
    table: Table
    act: Circulate
    filed: Filed
    electorate: Electorate
    """of the day of the opening"""
    closes_ms: int
    open_by_ms: int | None
    delivered: frozenset[str] = frozenset()
    missing: list[Missing] = field(default_factory=list)
    void: list[Void] = field(default_factory=list)
    replaced: list[Counted] = field(default_factory=list)
    broken_by: dict[str, Counted | None] = field(default_factory=dict)
    """in the order in which it came in, with the position that did it"""
    extended: bool = False
    finished_ms: int | None = None
    last_seq: int | None = None
    """the secretary's entry that shows that it is over"""
    state: State = State.VOTING
    closed: Closed | None = None
    _cast: dict[str, dict[str, Counted]] = field(default_factory=dict)
    """by member and source"""
    _seqs: dict[tuple[str, str], int] = field(default_factory=dict)
    _forked: dict[str, list[Reference]] = field(default_factory=dict)
    _sealed: SealedVotes = field(init=False)
    _counts: Sheet | None = None
    _members: dict[date, dict[str, Member]] = field(default_factory=dict)
    _ended: tuple[Round, list[Void]] | None = None
    """what came of it, once it is over: nothing but the secretary's word on it is added then"""

    def __post_init__(self) -> None:
        act = self.act
        self._sealed = SealedVotes(self.docket.channel, act.proposal, act.version, act.text_hash)
        self.delivered = frozenset(self._deliver(act.delivered))

    @property
    def deadline_ms(self) -> int:
        return self.open_by_ms or self.closes_ms

    def _deliver(self, references: Iterable[Reference]) -> Iterable[str]:
        """Members whose party has acknowledged this very text; a reference by hash shows that it did so before."""
        by_party: dict[str, list[str]] = {}
        for member in self.electorate.members:
            for party in member.represented(self.electorate.on):
                by_party.setdefault(party, []).append(member.id)
        for reference in references:
            if self.docket.forked(reference.party, reference.seq):
                continue
            filed = self.docket.at(reference)
            if filed is None:
                self.missing.append(
                    Missing(f"entry {reference.seq} of {reference.party}", self.docket.lacks(reference))
                )
            elif (
                isinstance(filed.act, Received)
                and (filed.act.proposal, filed.act.version) == (self.act.proposal, self.act.version)
                and filed.act.text_hash == self.act.text_hash
            ):
                yield from by_party.get(filed.party, ())

    def members_on(self, on: date) -> dict[str, Member]:
        """By id. Every position asks it anew, and most on the same day."""
        found = self._members.get(on)
        if found is None:
            found = self._members[on] = {m.id: m for m in self.body.members if m.holds(on)}
        return found

    def take(self, event: Event) -> None:
        """A position, a commitment, an opening or a sheet, as received."""
        act = event.filed.act
        if isinstance(act, Sheet):
            reason, detail = refuse_sheet(self, act, event), ""
        elif isinstance(act, Position | Commit | Open):
            reason, detail = refuse_position(self, act, event)
        else:
            raise AssertionError("nothing else is taken here")
        if reason is not None:
            self.void.append(Void(event.filed, getattr(act, "member", ""), reason, detail))
        elif isinstance(act, Sheet):
            self._take_sheet(act, event)
        elif isinstance(act, Commit):
            self._sealed.commit(act.member, event.filed)
        elif isinstance(act, Open):
            self._sealed.open(act.member, event.filed, event.at_ms)
        elif act.stance is not None:
            counted = Counted(act.member, act.stance, event.filed.reference, event.at_ms)
            self._cast_one(counted, event.filed.party, event.filed.seq)

    def take_forked(self, event: Forked) -> None:
        """A position of a party that told two histories of it, whatever each of them says."""
        if event.member in self.electorate.by_id and event.at_ms <= self.closes_ms:
            self._forked.setdefault(event.member, []).append(event.reference)
            self._look_for_break(event.member)

    def _take_sheet(self, act: Sheet, event: Event) -> None:
        """A later sheet takes the place of an earlier one, whole."""
        for by_source in self._cast.values():
            if (before := by_source.pop(SHEET, None)) is not None:
                self.replaced.append(before)
        self._counts = act if act.counts is not None else None
        for member, stance in act.roll.items():
            self._cast_one(Counted(member, stance, event.filed.reference, event.at_ms, True), SHEET, event.filed.seq)

    def _cast_one(self, counted: Counted, source: str, seq: int) -> None:
        """In one log the later entry counts, in whatever order they were registered; both are shown."""
        by_source, key = self._cast.setdefault(counted.member, {}), (counted.member, source)
        before = by_source.get(source)
        if before is not None and self._seqs[key] > seq:
            self.replaced.append(counted)
            return
        if before is not None:
            self.replaced.append(before)
        by_source[source] = counted
        self._seqs[key] = seq
        self._look_for_break(counted.member)

    def _look_for_break(self, member: str) -> None:
        """A silence is broken by the first objection that comes in, and what comes later does not mend it."""
        if self.act.under is not Under.SILENCE or member in self.broken_by:
            return
        objecting = [c for c in self._cast.get(member, {}).values() if c.stance in OBJECTIONS]
        if objecting or self._contradiction(member, self._cast.get(member, {})):
            self.broken_by[member] = objecting[0] if objecting else None

    @property
    def reserved_by(self) -> tuple[str, ...]:
        """Members that are not yet able to agree. In a vote that is no vote, and nothing waits for it."""
        if not self.rule.kind.counts_objections:
            return ()
        return tuple(sorted(m for m, cast in self._cast.items() if Stance.RESERVE in {c.stance for c in cast.values()}))

    def finish(self, state: State, at_ms: int, seq: int | None) -> None:
        """No position comes in any more; ``seq`` is the secretary's entry that shows it."""
        self.state, self.finished_ms, self.last_seq, self._ended = state, at_ms, seq, None

    @property
    def complete(self) -> bool:
        """Whether nobody is left whose position could still come: the secretary may close before the deadline."""
        cast = {member for member, by_source in self._cast.items() if by_source}
        by_sheet = self._counts is not None or any(SHEET in by_source for by_source in self._cast.values())
        return by_sheet or (self.act.ballot is Ballot.OPEN and cast >= set(self.electorate.by_id))

    def _contradiction(self, member: str, cast: dict[str, Counted]) -> Contradiction | None:
        forked = self._forked.get(member, [])
        stances = {counted.stance for counted in cast.values()}
        if not forked and len(stances) < 2:
            return None
        references = [c.reference for _, c in sorted(cast.items()) if c.reference] + forked
        proof = next((self.docket.forks[r.party] for r in forked if r.party in self.docket.forks), None)
        return Contradiction(member, tuple(references), tuple(c.stance for _, c in sorted(cast.items())), proof)

    def _departed(self, member: str, cast: Iterable[Counted], on: date) -> Iterable[Void]:
        for counted in cast:
            filed = self.docket.at(counted.reference) if counted.reference else None
            if filed is not None:
                yield Void(filed, member, VoidReason.NOT_A_MEMBER, f"it had left by {on}, when this ended")

    def tally_counts(self, sheet: Sheet) -> Tally:
        assert sheet.counts is not None
        counts = sheet.counts
        return tally_counts(
            self.rule, self.electorate, in_favour=counts.in_favour, against=counts.against,
            abstaining=counts.abstaining,
        )  # fmt: skip

    def result(self, now_ms: int) -> tuple[Round, list[Void]]:
        """As it stands with what the secretary's log shows until ``now_ms``."""
        if self.finished_ms is None:
            return self._result(now_ms)
        if self._ended is None:
            self._ended = self._result(now_ms)
        return replace(self._ended[0], state=self.state, closed=self.closed), self._ended[1]

    def _result(self, now_ms: int) -> tuple[Round, list[Void]]:
        end_ms = min(now_ms, self.deadline_ms) if self.finished_ms is None else self.finished_ms
        then = self.members_on(day_of(end_ms))
        staying = tuple(m for m in self.electorate.members if m.id in then)
        electorate = replace(self.electorate, members=staying)
        cast, void = {member: by_source for member, by_source in self._cast.items() if by_source}, list(self.void)
        if self.act.ballot is Ballot.SECRET:
            cast, unopened = self._sealed.count(ended=self.finished_ms is not None)
            void += unopened
        counted: list[Counted] = []
        contradictions: list[Contradiction] = []
        for member in sorted({*cast, *self._forked}):
            found = self._contradiction(member, cast.get(member, {}))
            if found:
                contradictions.append(found)
            elif member in electorate.by_id:
                counted.append(self.broken_by.get(member) or next(iter(cast[member].values())))
            else:
                void += self._departed(member, cast[member].values(), day_of(end_ms))
        stances = {c.member: c.stance for c in counted}
        if self.rule.kind.counts_objections:
            stances |= {c.member: Stance.AGAINST for c in contradictions if c.member in electorate.by_id}
        silent = frozenset[str]() if self.act.under is Under.VOTE else self.delivered & set(electorate.by_id)
        try:
            found_tally = (
                self.tally_counts(self._counts) if self._counts and not stances
                else tally(self.rule, electorate, stances, silent=silent) if electorate.members else None
            )  # fmt: skip
        except InputError:
            found_tally = None
        result = Round(
            version=self.act.version, text_hash=self.act.text_hash, circulated=self.filed, under=self.act.under,
            ballot=self.act.ballot, opened_ms=self.filed.clock_ms, closes_ms=self.closes_ms,
            first_closes_ms=self.act.closes_ms, open_by_ms=self.open_by_ms, state=self.state,
            finished_ms=self.finished_ms, members=tuple(m.id for m in electorate.members),
            delivered=tuple(sorted(self.delivered)), counted=tuple(counted), replaced=tuple(self.replaced),
            contradictions=tuple(contradictions), broken_by=tuple(self.broken_by), reserved_by=self.reserved_by,
            tally=found_tally, sealed=tuple(sorted(self._sealed.commitments)), closed=self.closed,
        )  # fmt: skip
        return result, void

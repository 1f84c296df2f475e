"""The course of a proposal: what its secretary's log shows of it, taken step by step in that log's order."""

from __future__ import annotations

from dataclasses import dataclass, field

from keepclear.decisions.acts import (
    Amend,
    Circulate,
    Close,
    Commit,
    Extend,
    Move,
    Open,
    Position,
    Sheet,
    Withdraw,
    text_hash,
)
from keepclear.decisions.procedure.circulation import Circulation
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.effects import close_faults, failed_state
from keepclear.decisions.procedure.events import Event, Forked
from keepclear.decisions.procedure.opening import open_circulation, refuse_extension
from keepclear.decisions.procedure.proposal import Proposal
from keepclear.decisions.procedure.status import Closed, Missing, Statement, Void
from keepclear.decisions.vocabulary import State, VoidReason

__all__ = ["Course"]


@dataclass(slots=True)
class Course:
    """:meth:`take` every event, :meth:`pass_time` to what the secretary's log shows last."""

    docket: Docket
    proposal: Proposal
    rounds: list[Circulation] = field(default_factory=list)
    void: list[Void] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    ended: State | None = None
    ended_seq: int | None = None
    """the secretary's entry that shows it"""
    moved_to: str = ""
    adopted_ms: int | None = None
    forked: bool = False
    """the secretary, or who tabled it, is proved to have told two histories of it"""

    @property
    def current(self) -> Circulation | None:
        """The circulation that is open."""
        if self.ended is None and self.rounds and self.rounds[-1].finished_ms is None:
            return self.rounds[-1]
        return None

    @property
    def last_seq(self) -> int | None:
        """The secretary's entry after which nothing matters any more; none while something may."""
        if self.ended is not None:
            return self.ended_seq
        return self.rounds[-1].last_seq if self.rounds else None

    def pass_time(self, now_ms: int) -> None:
        """What time alone brings about. A deadline has passed where the secretary's log shows a later date."""
        current, expires_ms = self.current, self.proposal.table.expires_ms
        end_ms = current.deadline_ms if current else 0
        if current and now_ms > end_ms and not current.reserved_by and not (expires_ms and expires_ms < end_ms):
            self._finish(current, end_ms, self._seq_after(end_ms))
        if expires_ms is not None and now_ms > expires_ms and self.ended is None:
            self._end(State.LAPSED, self._seq_after(expires_ms), expires_ms)

    def _seq_after(self, instant_ms: int) -> int | None:
        assert self.proposal.secretary is not None
        return self.docket.passed(self.proposal.secretary, instant_ms)

    def take(self, event: Event | Forked) -> None:
        self.pass_time(event.at_ms)
        current = self.current
        if isinstance(event, Forked):
            if current and event.member:
                current.take_forked(event)
            elif not event.member and event.reference.party == self.proposal.tabled.party and self.ended is None:
                what = f"entry {event.reference.seq} of {event.reference.party}"  # it may have amended or withdrawn
                self.missing.append(Missing(what, "it told two histories of it"))
                self.forked = True
            return
        act = event.filed.act
        if getattr(act, "proposal", None) != self.proposal.number:
            self._refuse(event, VoidReason.MISREGISTERED, "it is about something else")
            return
        if isinstance(act, Position):
            self._keep_statement(act, event)
        if isinstance(act, Position | Commit | Open):
            if current:
                current.take(event)
            else:
                self._refuse(event, self._closed_to_positions())
        elif self.ended is not None and not isinstance(act, Close):
            self._refuse(event, VoidReason.AFTER_THE_END)
        elif isinstance(act, Amend):
            self._amend(act, event)
        elif isinstance(act, Withdraw):
            if event.filed.party == self.proposal.tabled.party:
                self._end(State.WITHDRAWN, event.seq, event.at_ms)
            else:
                self._refuse(event, VoidReason.NOT_ENTITLED, "only who tabled it withdraws it")
        elif event.filed.party != self.proposal.secretary:
            self._refuse(event, VoidReason.NOT_THE_SECRETARY)
        else:
            self._take_own(event, current)

    def _take_own(self, event: Event, current: Circulation | None) -> None:
        """What only the secretary does."""
        act = event.filed.act
        if isinstance(act, Circulate):
            self._circulate(act, event, current)
        elif isinstance(act, Sheet) and current:
            current.take(event)
        elif isinstance(act, Sheet):
            self._refuse(event, self._closed_to_positions())
        elif isinstance(act, Extend):
            self._extend(act, event, current)
        elif isinstance(act, Close):
            self._close(act, event)
        elif isinstance(act, Move):
            self.moved_to = act.as_proposal
            self._end(State.MOVED, event.seq, event.at_ms)

    def _closed_to_positions(self) -> VoidReason:
        if self.ended in (State.MOVED, State.WITHDRAWN):
            return VoidReason.AFTER_THE_END
        return VoidReason.LATE if self.rounds else VoidReason.NOT_CIRCULATED

    def _keep_statement(self, act: Position, event: Event) -> None:
        if act.statement and act.language is not None:
            self.statements.append(
                Statement(act.member, act.statement, act.language, event.filed.reference, act.version)
            )

    def _refuse(self, event: Event, reason: VoidReason, detail: str = "") -> None:
        member: str = event.member or getattr(event.filed.act, "member", None) or ""
        self.void.append(Void(event.filed, member, reason, detail))

    def _end(self, state: State, seq: int | None, at_ms: int) -> None:
        current = self.current
        if current:
            current.finish(state, at_ms, seq)
        self.ended, self.ended_seq = state, seq

    def _amend(self, act: Amend, event: Event) -> None:
        """Received by the secretary: what is before the members is not the text any more (practice R4.2)."""
        current = self.current
        known = (act.version, text_hash(act.title, act.text, act.language)) in self.proposal.texts
        if current and known and act.version > current.act.version:
            current.finish(State.BROKEN if current.broken_by else State.RE_TABLED, event.at_ms, event.seq)

    def _circulate(self, act: Circulate, event: Event, current: Circulation | None) -> None:
        proposal = self.proposal
        assert proposal.body is not None
        assert proposal.rule is not None
        last = self.rounds[-1] if self.rounds else None
        if current and act.version <= current.act.version:
            self._refuse(event, VoidReason.AGAINST_THE_RULE, f"version {current.act.version} is before the members")
            return
        if last and last.state is not State.LAPSED and act.version <= last.act.version:
            self._refuse(event, VoidReason.AGAINST_THE_RULE, "this text was decided: it has to be amended first")
            return
        found = open_circulation(self.docket, proposal.body, proposal.rule, proposal.table, act, event.filed)
        if isinstance(found, str):
            self._refuse(event, VoidReason.AGAINST_THE_RULE, found)
            return
        if current:
            current.finish(State.BROKEN if current.broken_by else State.RE_TABLED, event.at_ms, event.seq)
        if (act.version, act.text_hash) not in proposal.texts:
            why = f"no text with the hash {act.text_hash[:12]}… was tabled in the logs that are here"
            self.missing.append(Missing(f"the text of version {act.version}", why))
        self.missing += found.missing
        self.rounds.append(found)

    def _extend(self, act: Extend, event: Event, current: Circulation | None) -> None:
        if current is None or act.version != current.act.version:
            self._refuse(event, VoidReason.OTHER_VERSION, "that version is not before the members")
            return
        refusal = refuse_extension(current, act, event.at_ms)
        if refusal:
            self._refuse(event, VoidReason.AGAINST_THE_RULE, refusal)
        else:
            current.extended, current.closes_ms = True, act.closes_ms

    def _close(self, act: Close, event: Event) -> None:
        last = self.rounds[-1] if self.rounds else None
        if last is None or act.version != last.act.version or last.closed is not None:
            self._refuse(event, VoidReason.OTHER_VERSION, "that version is not before the members, or is closed")
            return
        if last.finished_ms is None:
            if event.at_ms <= last.deadline_ms and not last.complete and not last.broken_by:
                self._refuse(event, VoidReason.TOO_EARLY, "before the deadline, and positions could still come")
                return
            self._finish(last, event.at_ms, event.seq)
        last.closed = Closed(event.filed, act.outcome, close_faults(act, last.result(event.at_ms)[0]))

    def _finish(self, current: Circulation, at_ms: int, seq: int | None) -> None:
        current.finish(State.REJECTED, at_ms, seq)
        found, _ = current.result(at_ms)
        if current.broken_by:
            current.state = State.BROKEN
        elif found.tally is None or not found.tally.adopted:
            current.state = failed_state(found.tally)
        else:
            current.state, self.adopted_ms = State.ADOPTED, at_ms
            self.ended, self.ended_seq = State.ADOPTED, seq

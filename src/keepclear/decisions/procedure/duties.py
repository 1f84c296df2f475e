"""What a party owes to decisions: a receipt, a position before the deadline, an opening, the next stage; and, where it
is the secretary, what :mod:`secretary` has.

Silence stays a member's right where the rule gives it a meaning: SILENCE_ENDS only tells that it is about to be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from keepclear.decisions.acts import Received
from keepclear.decisions.procedure.application import Application, application
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.duty import Duty, Owed
from keepclear.decisions.procedure.meetings import meeting_duties
from keepclear.decisions.procedure.opening import way_of
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.secretary import secretary_duties
from keepclear.decisions.procedure.status import Round, Status, day_of
from keepclear.decisions.vocabulary import Ballot, State, Under
from keepclear.errors import UsageError

__all__ = ["DutyBook", "duties", "spoken", "unaccepted"]


def duties(docket: Docket, party: str, now_ms: int) -> tuple[Duty, ...]:
    """Everything that ``party`` owes now, by proposal, by meeting and by application."""
    return DutyBook(docket, party).owed(now_ms)


@dataclass(slots=True)
class DutyBook:
    """The same for who asks again and again: what is over is not looked at until something is written about it."""

    docket: Docket
    party: str
    _over: set[str] = field(default_factory=set)

    def touch(self, number: str) -> None:
        """Something was written about it."""
        self._over.discard(number)

    def touch_all(self) -> None:
        """A proof of two histories may change what came of anything."""
        self._over.clear()

    def owed(self, now_ms: int) -> tuple[Duty, ...]:
        docket, party = self.docket, self.party
        found: list[Duty] = []
        for number in docket.proposals():
            if number in self._over:
                continue
            try:
                state = status(docket, number)
            except UsageError:  # nobody has tabled it here
                continue
            ours = tuple(_of_proposal(docket, state, party, now_ms))
            found += ours
            if not ours and _is_over(state):
                self._over.add(number)
        for number in docket.meetings():
            found += meeting_duties(docket, number, party, now_ms)
        for number in docket.applications():
            try:
                found += _of_application(application(docket, number), party, now_ms)
            except UsageError:  # only somebody else's stages of it are here
                continue
        return tuple(found)


def _is_over(found: Status) -> bool:
    """Whether time alone can bring nothing about any more."""
    if found.state in (State.MOVED, State.WITHDRAWN):
        return True
    return found.round is not None and found.round.closed is not None and found.round.version == found.version


def _of_proposal(docket: Docket, found: Status, party: str, now_ms: int) -> Iterator[Duty]:
    if found.body is None or found.rule is None or found.faults:
        return
    today = day_of(now_ms)
    ours = tuple(m.id for m in found.body.members if m.holds(today) and party in m.represented(today))
    current = found.round
    yield from secretary_duties(docket, found, party, now_ms)
    if not ours:
        return
    if found.state in (State.TABLED, State.RE_TABLED) or found.state.open:
        yield from _receipt(docket, found, party, ours)
    if current is None:
        return
    if current.version != found.version or not (found.state.open or found.state is State.OPENING):
        return
    if found.state.open and (now_ms <= current.closes_ms or current.reserved_by):
        yield from _position(found, current, tuple(m for m in ours if m in current.members), now_ms)
    elif (
        current.open_by_ms is not None
    ):  # by our clock: the secretary's log may show nothing before the first is opened
        opened = {one.member for one in current.counted}
        sealed = tuple(member for member in ours if member in current.sealed and member not in opened)
        if sealed:
            late = now_ms > current.open_by_ms
            yield Duty(found.proposal, found.version, Owed.OPENING, sealed, current.closes_ms, current.open_by_ms, late)


def _of_application(found: Application, party: str, now_ms: int) -> Iterator[Duty]:
    """The secretary answers for a stage whose owner is a role and no party that could be reminded."""
    if not found.next or not found.owner:
        return
    secretary = found.body.secretary if found.body else None
    voices = {one.party for member in found.body.members for one in member.represented_by} if found.body else set()
    reminded = found.owner if found.owner in (voices | {secretary, found.filed.party}) else secretary
    due_ms = found.steps[-1].due_ms if found.steps else None
    if reminded == party and (due_ms is not None or not found.steps):
        late = found.late(now_ms) is not None
        yield Duty(found.number, None, Owed.STAGE, (), found.last.clock_ms, due_ms, late)


def _receipt(docket: Docket, found: Status, party: str, ours: tuple[str, ...]) -> Iterator[Duty]:
    assert found.rule is not None
    if way_of(found.rule) is Under.VOTE:
        return
    text = next((one for one in found.texts if one.hash == found.text_hash), found.texts[-1])
    for filed in docket.about(found.proposal):
        if isinstance(filed.act, Received) and filed.party == party and filed.act.text_hash == text.hash:
            return
    due_ms = found.round.closes_ms if found.round and found.state.open else None
    yield Duty(found.proposal, text.version, Owed.RECEIPT, ours, text.filed.clock_ms, due_ms)


def _position(found: Status, current: Round, ours: tuple[str, ...], now_ms: int) -> Iterator[Duty]:
    done = spoken(current)
    if current.ballot is Ballot.SECRET:
        done |= frozenset(current.sealed)
    left = tuple(member for member in ours if member not in done)
    what = Owed.SILENCE_ENDS if current.under is Under.SILENCE else Owed.POSITION
    if what is Owed.SILENCE_ENDS:
        left = tuple(member for member in left if member in current.delivered)
    if left:
        late = now_ms > current.closes_ms
        yield Duty(found.proposal, found.version, what, left, current.opened_ms, current.closes_ms, late)


def spoken(current: Round) -> frozenset[str]:
    """The members that have said something that is before everybody, be it contradictory."""
    return frozenset({one.member for one in current.counted} | {one.member for one in current.contradictions})


def unaccepted(docket: Docket, party: str) -> tuple[str, ...]:
    """Hashes of the bodies that speak of the party and that it has not accepted."""
    return tuple(
        digest
        for digest, body in docket.bodies().items()
        if party not in docket.accepted(digest)
        and (body.secretary == party or any(one.party == party for m in body.members for one in m.represented_by))
    )

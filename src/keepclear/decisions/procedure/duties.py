"""What a party owes to a decision: a receipt, a position before the deadline, an opening, the next stage.

Silence stays a member's right where the rule gives it a meaning: SILENCE_ENDS only tells that it is about to be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from keepclear.decisions.acts import Received
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.opening import way_of
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.status import Round, Status, day_of
from keepclear.decisions.vocabulary import Ballot, State, Under
from keepclear.errors import UsageError

__all__ = ["Duty", "Owed", "duties", "spoken", "unaccepted"]


class Owed(StrEnum):
    RECEIPT = "RECEIPT"
    """proof of delivery: without it a member's silence says nothing"""
    POSITION = "POSITION"
    SILENCE_ENDS = "SILENCE_ENDS"
    """not a duty to speak: from the deadline on, the silence of these members is read"""
    OPENING = "OPENING"
    """of a sealed vote: unopened it does not count"""
    CLOSE = "CLOSE"
    """of the secretary: the deadline has passed, and its log, which is everybody's clock, does not show it yet"""


@dataclass(frozen=True, slots=True)
class Duty:
    about: str
    """the proposal"""
    version: int
    what: Owed
    members: tuple[str, ...]
    """for whom; empty where it is the party's own affair"""
    since_ms: int
    due_ms: int | None
    late: bool = False

    @property
    def urgent_ms(self) -> int | None:
        """When the last quarter of its time begins."""
        return None if self.due_ms is None else self.due_ms - (self.due_ms - self.since_ms) // 4


def duties(docket: Docket, party: str, now_ms: int) -> tuple[Duty, ...]:
    """Everything that ``party`` owes now, by proposal."""
    found: list[Duty] = []
    for number in docket.proposals():
        try:
            found += _of_proposal(docket, status(docket, number), party, now_ms)
        except UsageError:  # nobody has tabled it here
            continue
    return tuple(found)


def _of_proposal(docket: Docket, found: Status, party: str, now_ms: int) -> Iterator[Duty]:
    if found.body is None or found.rule is None or found.faults:
        return
    today = day_of(now_ms)
    ours = tuple(m.id for m in found.body.members if m.holds(today) and party in m.represented(today))
    current = found.round
    if found.body.secretary == party and current is not None and found.state.open and not current.reserved_by:
        over_ms = current.open_by_ms or current.closes_ms
        if now_ms > over_ms:
            yield Duty(found.proposal, found.version, Owed.CLOSE, (), over_ms, None)
    if not ours:
        return
    if found.state in (State.TABLED, State.RE_TABLED) or found.state.open:
        yield from _receipt(docket, found, party, ours)
    if current is None:
        return
    if found.state.open and current.version == found.version and (now_ms <= current.closes_ms or current.reserved_by):
        yield from _position(found, current, tuple(m for m in ours if m in current.members), now_ms)
    elif found.state is State.OPENING and current.open_by_ms is not None:
        opened = {one.member for one in current.counted}
        sealed = tuple(member for member in ours if member in current.sealed and member not in opened)
        if sealed:
            late = now_ms > current.open_by_ms
            yield Duty(found.proposal, found.version, Owed.OPENING, sealed, current.closes_ms, current.open_by_ms, late)


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

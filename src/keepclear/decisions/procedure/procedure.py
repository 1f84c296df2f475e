"""Where a proposal stands: a fold over what the secretary's log shows of it, in that log's order.

Nothing else decides: no clock of our own, no order of arrival. Whoever holds the same logs finds the same.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import prod

from keepclear.decisions.acts import Convene
from keepclear.decisions.procedure.circulation import Circulation
from keepclear.decisions.procedure.course import Course
from keepclear.decisions.procedure.docket import Docket, Filed
from keepclear.decisions.procedure.effects import bound_by
from keepclear.decisions.procedure.events import history
from keepclear.decisions.procedure.proposal import read_proposal
from keepclear.decisions.procedure.status import Missing, Round, Status, Void
from keepclear.decisions.vocabulary import State, Under, VoidReason

__all__ = ["status"]

SUPPOSITIONS_MAX = 64
"""What might have been is tried that often; a party that writes more about one proposal leaves it open instead."""


def status(docket: Docket, proposal: str) -> Status:
    """Raises :class:`UsageError` for a proposal that was not tabled in the logs that are here."""
    found = _told(docket, proposal)
    cuts = _cuts(docket, proposal)
    if not cuts:
        return found
    if prod(len(places) for places in cuts.values()) <= SUPPOSITIONS_MAX:
        supposed = (
            _told(docket.supposing({p: at for p, at in zip(cuts, places, strict=True) if at is not None}), proposal)
            for places in product(*cuts.values())
        )
        if all(_what_came(other) == _what_came(found) for other in supposed):
            return found
    missing = tuple(
        Missing(f"the log of {p}", "it told two histories; no proof here shows from where on") for p in cuts
    )
    return replace(found, state=State.INCOMPLETE, bound=(), adopted_ms=None, missing=found.missing + missing)


def _cuts(docket: Docket, proposal: str) -> dict[str, list[int | None]]:
    """Of each log that parted at an unknown place, every place that could make a difference; none: after all of it."""
    cuts: dict[str, list[int | None]] = {}
    for party, known in docket.doubtful().items():
        acts = [filed for filed in docket.about(proposal) if filed.party == party]
        places = [filed.seq for filed in acts if known is None or filed.seq < known]
        if party == read_proposal(docket, proposal).secretary:
            places.append(0)
        if places:
            cuts[party] = [None, *places]
    return cuts


def _what_came(found: Status) -> tuple[object, ...]:
    rounds = tuple((each.circulated.leaf, each.state, each.finished_ms) for each in found.rounds)
    return found.state, found.outcome, found.version, found.text_hash, found.adopted_ms, rounds


def _told(docket: Docket, proposal: str) -> Status:
    """As the logs that are here have it."""
    found = read_proposal(docket, proposal)
    course = Course(docket, found, void=list(found.void))
    unreceived: tuple[Filed, ...] = ()
    first: int | None = None
    if found.secretary and not found.fault:
        shown = history(docket, found.secretary, proposal)
        course.missing += shown.missing
        for event in shown.events:
            course.take(event)
        course.pass_time(docket.clock(found.secretary))
        first = shown.events[0].seq if shown.events else None
        unreceived = shown.unreceived
    course.missing += _gaps(course, found.secretary, first)
    return _status(course, unreceived)


def _gaps(course: Course, secretary: str | None, first: int | None) -> list[Missing]:
    """What was decided in the dark: acts of the secretary that nobody can read any more, and forked logs."""
    docket, last, tabled = course.docket, course.last_seq, course.proposal.tabled
    found = [
        Missing(f"entry {seq} of {secretary}, the secretary's", why)
        for seq, why in (sorted(docket.absent(secretary).items()) if secretary else ())
        if first is not None and first < seq and (last is None or seq <= last)
    ]
    if secretary and docket.forked(secretary, last if last is not None else docket.taken.get(secretary, 0)):
        found.append(Missing(f"the log of {secretary}", "the secretary told two histories of this"))
        course.forked = True
    if docket.forked(tabled.party, tabled.seq):
        found.append(Missing(f"the log of {tabled.party}", "it told two histories of what it tabled"))
        course.forked = True
    return found


def _state(course: Course) -> State:
    last = course.rounds[-1] if course.rounds else None
    newest = course.proposal.newest.version
    if course.forked:
        return State.INCOMPLETE  # also while it is open: nobody can say what is before the members
    if course.ended is not None:
        state = course.ended
    elif last is None:
        return State.RE_TABLED if newest > 1 else State.TABLED
    elif last.finished_ms is None and not last.broken_by:
        return _open_state(course, last)
    else:
        state = last.state if last.finished_ms is not None else State.BROKEN
        if newest > last.act.version:
            state = State.RE_TABLED
        elif state is State.BROKEN and (last.closed or _is_convened_on(course, last)):
            state = State.CONSULTATION
    return State.INCOMPLETE if course.missing else state


def _open_state(course: Course, current: Circulation) -> State:
    secretary = course.proposal.secretary
    assert secretary is not None
    if current.reserved_by:
        return State.RESERVED
    if course.docket.clock(secretary) > current.closes_ms:
        return State.OPENING
    if current.extended:
        return State.EXTENDED
    return State.UNDER_SILENCE if current.act.under is Under.SILENCE else State.VOTING


def _is_convened_on(course: Course, broken: Circulation) -> bool:
    """Whether the secretary has called a meeting on it since."""
    docket, number = course.docket, course.proposal.number
    return any(
        isinstance(filed.act, Convene) and filed.party == course.proposal.secretary and filed.seq > broken.filed.seq
        and not docket.forked(filed.party, filed.seq)
        and any(item.proposal == number for item in filed.act.agenda)
        for meeting in docket.meetings() for filed in docket.about(meeting)
    )  # fmt: skip


def _status(course: Course, unreceived: tuple[Filed, ...]) -> Status:
    proposal, docket, state = course.proposal, course.docket, _state(course)
    now_ms = docket.clock(proposal.secretary) if proposal.secretary else 0
    rounds: list[Round] = []
    void = list(course.void)
    for circulation in course.rounds:
        found, unopened = circulation.result(now_ms)
        rounds.append(found)
        void += unopened
    open_now = course.ended is None
    if not open_now:
        void += [Void(f, getattr(f.act, "member", None) or "", VoidReason.NOT_REGISTERED) for f in unreceived]
    text = proposal.newest
    if rounds and state is not State.RE_TABLED:
        text = proposal.texts.get((rounds[-1].version, rounds[-1].text_hash), text)
    faults = [proposal.fault] if proposal.fault else []
    faults += [fault for each in rounds if each.closed for fault in each.closed.faults]
    adopted = state is State.ADOPTED and proposal.body is not None
    return Status(
        proposal=proposal.number, state=state, title=text.title, effect=proposal.table.effect, body=proposal.body,
        rule=proposal.rule, tabled=proposal.tabled, version=text.version, text_hash=text.hash,
        texts=tuple(each for _, each in sorted(proposal.texts.items())), rounds=tuple(rounds),
        bound=bound_by(docket, proposal.table, proposal.body, rounds[-1]) if adopted and proposal.body else (),
        void=tuple(void), waiting=unreceived if open_now else (), missing=tuple(course.missing),
        statements=tuple(course.statements), faults=tuple(faults), heads=dict(docket.taken),
        moved_to=course.moved_to, adopted_ms=course.adopted_ms if adopted else None,
    )  # fmt: skip

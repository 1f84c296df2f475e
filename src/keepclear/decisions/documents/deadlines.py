"""What stands in a calendar: deadlines of texts, meetings, due stages, each under a name that it keeps for ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from keepclear.decisions.acts import Circulate, Convene, Extend
from keepclear.decisions.procedure.application import application
from keepclear.decisions.procedure.docket import Docket, Filed
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.status import Status
from keepclear.decisions.vocabulary import State
from keepclear.errors import UsageError

__all__ = ["Deadline", "DeadlineKind", "deadlines"]


class DeadlineKind(StrEnum):
    SILENCE = "SILENCE"
    VOTE = "VOTE"
    CONSENSUS = "CONSENSUS"
    OPENING = "OPENING"
    MEETING = "MEETING"
    STAGE = "STAGE"


@dataclass(frozen=True, slots=True)
class Deadline:
    uid: str
    sequence: int
    """grows with every change that was written down"""
    kind: DeadlineKind
    at_ms: int
    stated_ms: int
    """when it was last changed, by the log of whoever did"""
    title: str
    text: str
    place: str = ""
    cancelled: bool = False
    """it stands no more: the silence was broken, the text amended, moved or withdrawn"""


def deadlines(docket: Docket) -> tuple[Deadline, ...]:
    """In the order of their instants; what is over stays, what was taken back is marked so."""
    found = [*_of_proposals(docket), *_meetings(docket), *_stages(docket)]
    return tuple(sorted(found, key=lambda one: (one.at_ms, one.uid)))


def _uid(docket: Docket, *parts: str) -> str:
    return f"{'.'.join(parts).lower()}@{docket.channel[:16]}.keepclear"


def _of_proposals(docket: Docket) -> Iterator[Deadline]:
    for number in docket.proposals():
        try:
            found = status(docket, number)
        except UsageError:  # nobody has tabled it here
            continue
        current = found.round
        if current is None:
            continue
        changes = _changes(docket, found)
        # A round before this one was taken back when it was broken or amended: that was a change as well.
        sequence = len(changes) + len(found.rounds) - 2
        stands = found.state.open or current.state in (State.ADOPTED, State.REJECTED, State.LAPSED)
        stands = (stands or found.state is State.OPENING) and current.version == found.version
        text = f"{found.proposal} version {found.version}, {found.rule.name if found.rule else ''}: {found.state.value}"
        ended_ms = current.finished_ms if current.finished_ms is not None and not stands else 0
        yield Deadline(
            _uid(docket, number), sequence + (not stands), DeadlineKind(current.under.value), current.closes_ms,
            max(changes[-1].clock_ms, ended_ms), f"{current.under.value}: {found.title}", text, cancelled=not stands,
        )  # fmt: skip
        if current.open_by_ms is not None:
            yield Deadline(
                _uid(docket, number, "opening"), sequence + (not stands), DeadlineKind.OPENING,
                current.open_by_ms, changes[-1].clock_ms, f"OPENING: {found.title}", text, cancelled=not stands,
            )  # fmt: skip


def _changes(docket: Docket, found: Status) -> list[Filed]:
    """The secretary's acts that have set or moved the deadline, in its log's order."""
    void = {one.filed.reference for one in found.void}
    secretary = found.body.secretary if found.body else None
    return [
        one
        for one in docket.about(found.proposal)
        if one.party == secretary and isinstance(one.act, Circulate | Extend) and one.reference not in void
    ]


def _meetings(docket: Docket) -> Iterator[Deadline]:
    """A meeting that its body's secretary convenes again, under its number, is moved."""
    for number in docket.meetings():
        convened = [one for one in docket.about(number) if isinstance(one.act, Convene) and _by_secretary(docket, one)]
        if not convened:
            continue
        last = convened[-1]
        assert isinstance(last.act, Convene)
        agenda = "\n".join(f"{n}. {item.title}" for n, item in enumerate(last.act.agenda, 1))
        body = docket.body(last.act.body)
        yield Deadline(
            _uid(docket, number), len(convened) - 1, DeadlineKind.MEETING, last.act.starts_ms, last.clock_ms,
            f"Meeting: {body.name}", agenda, last.act.place,
        )  # fmt: skip


def _by_secretary(docket: Docket, filed: Filed) -> bool:
    assert isinstance(filed.act, Convene)
    body = docket.bodies().get(filed.act.body)
    return body is not None and body.secretary == filed.party


def _stages(docket: Docket) -> Iterator[Deadline]:
    """Of each stage that was reached and says until when; it stands no more once another stage was reached after it."""
    for number in docket.applications():
        try:
            found = application(docket, number)
        except UsageError:  # only somebody else's stages of it are here
            continue
        for step in found.steps:
            if step.due_ms is None:
                continue
            over = step is not found.steps[-1]
            yield Deadline(
                _uid(docket, number, step.filed.leaf[:16]), int(over), DeadlineKind.STAGE, step.due_ms,
                step.filed.clock_ms, f"{step.stage.value}: {found.apply.subject}", f"{number}, with {step.owner}",
                cancelled=over,
            )  # fmt: skip

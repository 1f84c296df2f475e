"""What is checked before a meeting is convened or recorded, and before an application goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keepclear.decisions import acts
from keepclear.decisions.drafting.writer import Writer
from keepclear.decisions.procedure.application import application
from keepclear.decisions.procedure.status import day_of
from keepclear.decisions.vocabulary import Effect, Stage, State
from keepclear.errors import InputError
from keepclear.quantities import format_instant

__all__ = ["CHECKS"]

BY_DECISION = frozenset({Stage.GRANTED, Stage.DEFERRED_WITH_CONDITIONS, Stage.REFUSED})
TURNED_DOWN = frozenset({State.REJECTED, State.LAPSED, State.BROKEN, State.CONSULTATION})


def _convene(act: acts.Convene, writer: Writer) -> None:
    writer.secretary(writer.body(act.body))
    writer.future(act.starts_ms, "starts")
    for item in act.agenda:
        if item.proposal is not None:
            writer.status(item.proposal)


def _minutes(act: acts.Minutes, writer: Writer) -> None:
    convened = [f.act for f in writer.docket.about(act.meeting) if isinstance(f.act, acts.Convene)]
    if not convened:
        raise InputError(f"no meeting {act.meeting} was convened here")
    body = writer.body(convened[0].body)
    writer.secretary(body)
    if convened[-1].starts_ms > writer.now_ms:
        raise InputError(f"{act.meeting} has not begun: {format_instant(convened[-1].starts_ms / 1000.0)}")
    on = day_of(convened[-1].starts_ms)
    for member_id in act.present:
        if body.member(member_id, on) is None:
            raise InputError(f"{member_id} was no member of {body.id} on {on}", where="present")


def _apply(act: acts.Apply, writer: Writer) -> None:
    writer.body(act.body)


def _stage(act: acts.StageReached, writer: Writer) -> None:
    found = application(writer.docket, act.application)
    before = found.stage.value if found.stage else "an application that nobody has received yet"
    if act.stage not in found.next:
        allowed = ", ".join(stage.value for stage in found.next) or "nothing"
        raise InputError(f"{act.stage.value} does not follow {before}; what follows is {allowed}", where="stage")
    secretary = found.body.secretary if found.body else None
    entitled: set[str | None]
    if act.stage is Stage.WITHDRAWN:
        entitled = {found.filed.party}
    else:
        entitled = {secretary} if act.stage in BY_DECISION else {secretary, found.owner}
    if writer.party not in entitled:
        who = " or ".join(sorted(party for party in entitled if party))
        raise InputError(f"it is for {who} to say so, not for {writer.party}", where="stage")
    if act.stage is Stage.DEFERRED_WITH_CONDITIONS and not act.conditions:
        raise InputError("a deferral with conditions names them", where="conditions")
    for number in (act.decision, act.advisory):
        if number is not None:
            writer.status(number)
    if act.stage in BY_DECISION:
        _carried(act, writer)
    writer.future(act.due_ms, "due")


def _carried(act: acts.StageReached, writer: Writer) -> None:
    """Only a binding decision changes a status; an advisory vote never does (practice R4.5)."""
    if act.decision is None:
        said = "; an advisory vote changes no status" if act.advisory else ""
        raise InputError(f"{act.stage.value} names the decision that it rests on{said}", where="decision")
    decision = writer.status(act.decision)
    if decision.effect is Effect.ADVISORY:
        raise InputError(f"{act.decision} is advisory: it changes no status", where="decision")
    if decision.state is not State.ADOPTED and not (act.stage is Stage.REFUSED and decision.state in TURNED_DOWN):
        raise InputError(f"{act.decision} is {decision.state.value}: nothing rests on it", where="decision")


CHECKS: Mapping[type, Callable[[Any, Writer], None]] = {
    acts.Convene: _convene,
    acts.Minutes: _minutes,
    acts.Apply: _apply,
    acts.StageReached: _stage,
}

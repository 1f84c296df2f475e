"""Requests and applications: which stage they are at, whose move it is, what comes next, who is late.

Each stage names the act that it follows, so the stages are a chain, whatever log they stand in. Only a binding decision
of the body that was applied to grants, defers or refuses; an advisory vote is shown and changes nothing (R4.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from keepclear.decisions.acts import Apply, StageReached
from keepclear.decisions.procedure.docket import Docket, Filed, origin
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.proposal import tabled
from keepclear.decisions.procedure.status import Void
from keepclear.decisions.rules.body import Body
from keepclear.decisions.vocabulary import Effect, Stage, State, VoidReason
from keepclear.errors import UsageError

__all__ = ["Advice", "Application", "Late", "Step", "application", "successors"]

_ON = MappingProxyType({
    Stage.RECEIVED: (Stage.TRANSMITTED, Stage.OPINION_REQUESTED, Stage.QUESTIONNAIRE, Stage.DECISION),
    Stage.TRANSMITTED: (Stage.OPINION_REQUESTED, Stage.QUESTIONNAIRE, Stage.DECISION),
    Stage.OPINION_REQUESTED: (Stage.QUESTIONNAIRE, Stage.OPINION_GIVEN),
    Stage.QUESTIONNAIRE: (Stage.QUESTIONNAIRE, Stage.OPINION_GIVEN),
    Stage.OPINION_GIVEN: (Stage.OPINION_REQUESTED, Stage.QUESTIONNAIRE, Stage.DECISION),
    Stage.DECISION: (Stage.GRANTED, Stage.DEFERRED_WITH_CONDITIONS, Stage.REFUSED),
    Stage.DEFERRED_WITH_CONDITIONS: (Stage.OPINION_REQUESTED, Stage.QUESTIONNAIRE, Stage.DECISION),
    Stage.GRANTED: (), Stage.REFUSED: (), Stage.WITHDRAWN: (),
})  # fmt: skip
_ENDS = frozenset({Stage.GRANTED, Stage.REFUSED, Stage.WITHDRAWN})
_BY_DECISION = frozenset({Stage.GRANTED, Stage.DEFERRED_WITH_CONDITIONS, Stage.REFUSED})
_TURNED_DOWN = frozenset({State.REJECTED, State.LAPSED, State.BROKEN, State.CONSULTATION})


def successors(stage: Stage | None) -> tuple[Stage, ...]:
    """What may follow; ``None``: nobody has received it yet. Who applied may withdraw it until the end."""
    if stage is None:
        return (Stage.RECEIVED, Stage.WITHDRAWN)
    return _ON[stage] if stage in _ENDS else (*_ON[stage], Stage.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Step:
    stage: Stage
    owner: str
    """whose move it was from then on"""
    filed: Filed
    due_ms: int | None
    conditions: tuple[str, ...]
    decision: str | None
    document: str | None


@dataclass(frozen=True, slots=True)
class Advice:
    """An advisory vote on it: what came of that, and no more."""

    proposal: str
    state: State | None
    """None where it is not in the logs that are here"""


@dataclass(frozen=True, slots=True)
class Late:
    owner: str
    stage: Stage
    due_ms: int


@dataclass(frozen=True, slots=True)
class Application:
    number: str
    filed: Filed
    apply: Apply
    body: Body | None
    steps: tuple[Step, ...]
    void: tuple[Void, ...]
    advice: tuple[Advice, ...]

    @property
    def stage(self) -> Stage | None:
        """None: not received yet."""
        return self.steps[-1].stage if self.steps else None

    @property
    def last(self) -> Filed:
        """The act that the next stage follows: its leaf goes into ``after``."""
        return self.steps[-1].filed if self.steps else self.filed

    @property
    def owner(self) -> str:
        """Whose move it is; empty where it is over."""
        if self.stage in _ENDS:
            return ""
        if self.steps:
            return self.steps[-1].owner
        return (self.body.secretary or "") if self.body else ""

    @property
    def next(self) -> tuple[Stage, ...]:
        return successors(self.stage)

    @property
    def granted(self) -> bool:
        return self.stage is Stage.GRANTED

    def late(self, now_ms: int) -> Late | None:
        """Who should have moved by now."""
        last = self.steps[-1] if self.steps else None
        if last is None or last.due_ms is None or last.stage in _ENDS or now_ms <= last.due_ms:
            return None
        return Late(last.owner, last.stage, last.due_ms)


def application(docket: Docket, number: str) -> Application:
    """Raises :class:`UsageError` where it is not in the logs that are here."""
    about = docket.about(number)
    first = next((f for f in about if isinstance(f.act, Apply) and f.party == origin(number)), None)
    if first is None:
        raise UsageError(f"no application {number[:80]} was made in the logs that are here")
    assert isinstance(first.act, Apply)
    try:
        body = docket.body(first.act.body)
    except UsageError:
        body = None
    secretary = body.secretary if body else None
    following: dict[str, list[Filed]] = {}
    for filed in about:
        if isinstance(filed.act, StageReached):
            following.setdefault(filed.act.after, []).append(filed)
    steps: list[Step] = []
    void: list[Void] = []
    leaf: str | None = first.leaf
    while leaf is not None:
        before, leaf, reached = leaf, None, list(steps)
        # The secretary's word goes first; then by party and place, the same for everybody.
        for filed in sorted(following.pop(before, ()), key=lambda f: (f.party != secretary, f.party, f.seq)):
            assert isinstance(filed.act, StageReached)
            refusal = _refuse(docket, first, filed, filed.act, reached, secretary)
            if refusal is not None:
                void.append(Void(filed, "", *refusal))
            elif leaf is not None:
                void.append(Void(filed, "", VoidReason.AGAINST_THE_RULE, "another stage was reached first"))
            else:
                steps.append(_step(filed, filed.act))
                leaf = filed.leaf
    stranded = (f for fs in following.values() for f in fs)
    void += [
        Void(f, "", VoidReason.AGAINST_THE_RULE, "it follows no stage of this application")
        for f in sorted(stranded, key=lambda f: (f.party, f.seq))
    ]
    return Application(number, first, first.act, body, tuple(steps), tuple(void), _advice(docket, about))


def _step(filed: Filed, act: StageReached) -> Step:
    return Step(act.stage, act.owner, filed, act.due_ms, act.conditions, act.decision, act.document)


def _refuse(
    docket: Docket, first: Filed, filed: Filed, act: StageReached, steps: list[Step], secretary: str | None
) -> tuple[VoidReason, str] | None:
    """Why the stage is not reached by this."""
    stage = steps[-1].stage if steps else None
    owner = steps[-1].owner if steps else secretary
    if act.stage is Stage.WITHDRAWN:
        entitled = filed.party == first.party
    elif act.stage in _BY_DECISION:
        entitled = filed.party == secretary
    else:
        entitled = filed.party in (secretary, owner)
    if not entitled:
        return VoidReason.NOT_ENTITLED, f"it is not for {filed.party} to say so"
    if act.stage not in successors(stage):
        return VoidReason.AGAINST_THE_RULE, f"{act.stage.value} does not follow {stage.value if stage else 'nothing'}"
    if act.stage is Stage.DEFERRED_WITH_CONDITIONS and not act.conditions:
        return VoidReason.AGAINST_THE_RULE, "it is deferred with conditions, and names none"
    if act.stage in _BY_DECISION:
        why = _not_decided(docket, first, act)
        return (VoidReason.AGAINST_THE_RULE, why) if why else None
    return None


def _not_decided(docket: Docket, first: Filed, act: StageReached) -> str:
    """Why the decision that it names does not carry it; empty: it does."""
    assert isinstance(first.act, Apply)
    if act.decision is None:
        return f"{act.stage.value} needs a decision" + (
            ": an advisory vote changes no status" if act.advisory is not None else ""
        )
    try:
        found = status(docket, act.decision)
    except UsageError as error:
        return str(error)
    table = tabled(docket, act.decision).act
    if getattr(table, "body", None) != first.act.body:
        return f"{act.decision} was tabled in another body"
    if found.effect is Effect.ADVISORY:
        return f"{act.decision} is advisory: it changes no status"
    carried = found.state is State.ADOPTED or (act.stage is Stage.REFUSED and found.state in _TURNED_DOWN)
    return "" if carried else f"{act.decision} is {found.state.value}"


def _advice(docket: Docket, about: list[Filed]) -> tuple[Advice, ...]:
    named = {f.act.advisory for f in about if isinstance(f.act, StageReached) and f.act.advisory is not None}
    return tuple(Advice(number, _state(docket, number)) for number in sorted(named))


def _state(docket: Docket, number: str) -> State | None:
    try:
        return status(docket, number).state
    except UsageError:
        return None

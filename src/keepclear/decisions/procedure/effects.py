"""What a finished circulation amounts to: why it failed, whom it binds, whether the secretary says it rightly."""

from __future__ import annotations

from keepclear.decisions.acts import Close, Table
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.status import Bound, Round, day_of
from keepclear.decisions.rules.body import Body
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.rules.tally import Condition, Tally
from keepclear.decisions.vocabulary import Effect, State

__all__ = ["bound_by", "close_faults", "failed_state"]

_NOBODY_AGAINST = frozenset({Condition.QUORUM, Condition.UNREACHED, Condition.ABSENT, Condition.RESERVATIONS})


def failed_state(found: Tally | None) -> State:
    """LAPSED where nobody was against it and something was missing: a quorum, members, their agreement."""
    if found is None or not found.quorum_met:
        return State.LAPSED
    failed = {check.condition for check in found.checks if not check.met}
    return State.LAPSED if failed <= _NOBODY_AGAINST and not found.objectors else State.REJECTED


def bound_by(docket: Docket, table: Table, body: Body, found: Round) -> tuple[Bound, ...]:
    """For each member of the body on the day of adoption whether the adopted text binds it, and why."""
    assert found.finished_ms is not None
    on = day_of(found.finished_ms)
    accepted = docket.accepted(table.body)
    stances = {counted.member: counted.stance for counted in found.counted}
    bound = []
    for member in body.members:
        if not member.holds(on):
            continue
        parties = member.represented(on)
        stance = stances.get(member.id)
        if table.effect is Effect.ADVISORY:
            bound.append(Bound(member.id, False, "ADVISORY"))
        elif not parties:
            bound.append(Bound(member.id, False, "NOT_REPRESENTED"))
        elif not accepted.intersection(parties):
            bound.append(Bound(member.id, False, "NOT_ACCEPTED"))
        elif stance is Stance.QUALIFIED_ABSTAIN:
            bound.append(Bound(member.id, False, stance.value))
        elif member.id in table.excluded:
            bound.append(Bound(member.id, True, "EXCLUDED"))
        else:
            bound.append(Bound(member.id, True, stance.value if stance else "SILENT"))
    return tuple(bound)


def close_faults(act: Close, found: Round) -> tuple[str, ...]:
    """Where the secretary says something else than follows from the logs."""
    adopted = found.state is State.ADOPTED
    outcome = Outcome.ADOPTED if adopted else Outcome.REJECTED
    faults = []
    if act.outcome is not outcome:
        faults.append(f"the secretary closed version {act.version} as {act.outcome.value}; it is {outcome.value}")
    if act.tally and found.tally is not None:
        said = {stance: count for stance, count in act.tally.items() if count}
        if said != found.tally.counts:
            faults.append(f"the secretary counted {_words(said)}; it is {_words(found.tally.counts)}")
    return tuple(faults)


def _words(counts: dict[Stance, int]) -> str:
    return ", ".join(f"{count} {stance.value}" for stance, count in sorted(counts.items())) or "nobody"

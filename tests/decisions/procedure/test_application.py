"""Requests and applications, and requirement R4.5: an advisory vote changes no status."""

from __future__ import annotations

import pytest

from keepclear.channel.entry import Reference
from keepclear.decisions.acts import Apply, Constitute, StageReached
from keepclear.decisions.procedure.application import Application, Late, application, successors
from keepclear.decisions.rules.body import body_hash
from keepclear.decisions.rules.stance import Stance
from keepclear.decisions.vocabulary import Effect, Request, Stage, State, VoidReason
from keepclear.errors import UsageError
from tests.decisions.logs import DAY_MS, START_MS, Logs, council

A = "A-UA-2026-0001"
OPINION, GRANT = "P-HUB-2026-0001", "P-HUB-2026-0002"
ALL = ("aa", "bb", "cc")


def applied(logs: Logs | None = None) -> Logs:
    logs = logs or Logs(council(rules=("simple-majority",)))
    logs.write("ua", Apply(application=A, applicant="Ukraine", body=body_hash(logs.body), kind=Request.CANDIDATE_STATUS,
                           subject="Membership", basis="Article 49 TEU", language="uk"))  # fmt: skip
    return logs


def see(logs: Logs) -> Application:
    return application(logs.docket(), A)


def step(logs: Logs, stage: Stage, *, by: str = "hub", owner: str = "hub", **more: object) -> Reference:
    return logs.write(by, StageReached(application=A, stage=stage, after=see(logs).last.leaf, owner=owner,
                                       **more))  # type: ignore[arg-type]  # fmt: skip


def decide(logs: Logs, number: str, *, effect: Effect = Effect.BINDING, against: bool = False) -> None:
    logs.table(proposal=number, effect=effect)
    logs.circulate(proposal=number)
    for party in ALL:
        logs.say(party, Stance.AGAINST if against else Stance.FOR, proposal=number)
    logs.wait(DAY_MS + 1)
    logs.tick()


def to_decision(logs: Logs) -> None:
    step(logs, Stage.RECEIVED)
    step(logs, Stage.TRANSMITTED, owner="commission")
    step(logs, Stage.OPINION_REQUESTED, owner="commission")
    step(logs, Stage.QUESTIONNAIRE, by="commission", owner="commission")
    step(logs, Stage.OPINION_GIVEN, by="commission", document="d" * 64, owner="hub")
    step(logs, Stage.DECISION)


def test_an_application_goes_from_hand_to_hand_until_it_is_granted() -> None:
    logs = applied()
    assert (see(logs).stage, see(logs).owner, see(logs).next) == (None, "hub", (Stage.RECEIVED, Stage.WITHDRAWN))
    to_decision(logs)
    decide(logs, GRANT)
    step(logs, Stage.GRANTED, decision=GRANT)
    found = see(logs)
    assert found.granted
    assert [s.stage for s in found.steps] == [
        Stage.RECEIVED, Stage.TRANSMITTED, Stage.OPINION_REQUESTED, Stage.QUESTIONNAIRE, Stage.OPINION_GIVEN,
        Stage.DECISION, Stage.GRANTED,
    ]  # fmt: skip
    assert (found.owner, found.next, found.void) == ("", (), ())


def test_r4_5_an_advisory_vote_cannot_change_the_status() -> None:
    logs = applied()
    to_decision(logs)
    decide(logs, OPINION, effect=Effect.ADVISORY)
    step(logs, Stage.GRANTED, decision=OPINION)
    step(logs, Stage.GRANTED, advisory=OPINION)
    found = see(logs)
    assert found.stage is Stage.DECISION
    assert [v.detail for v in found.void] == [
        f"{OPINION} is advisory: it changes no status",
        "GRANTED needs a decision: an advisory vote changes no status",
    ]
    assert [(a.proposal, a.state) for a in found.advice] == [(OPINION, State.ADOPTED)]


def test_nothing_is_granted_by_a_decision_that_was_not_adopted_or_is_of_another_body() -> None:
    logs = applied()
    to_decision(logs)
    logs.table(proposal=GRANT)
    step(logs, Stage.GRANTED, decision=GRANT)
    other = council(rules=("simple-majority",), body_id="parliament")
    logs.write("hub", Constitute(body=other))
    logs.table(proposal="P-HUB-2026-0003", body=other)
    step(logs, Stage.GRANTED, decision="P-HUB-2026-0003")
    step(logs, Stage.GRANTED, decision="P-HUB-2026-0099")
    found = see(logs)
    assert found.stage is Stage.DECISION
    assert [v.detail for v in found.void] == [
        f"{GRANT} is TABLED", "P-HUB-2026-0003 was tabled in another body",
        "no proposal P-HUB-2026-0099 was tabled in the logs that are here",
    ]  # fmt: skip


def test_a_deferral_names_its_conditions_and_leads_back_to_a_decision() -> None:
    logs = applied()
    to_decision(logs)
    decide(logs, GRANT)
    step(logs, Stage.DEFERRED_WITH_CONDITIONS, decision=GRANT)
    step(logs, Stage.DEFERRED_WITH_CONDITIONS, decision=GRANT, conditions=("Seven steps",), owner="ua")
    found = see(logs)
    assert found.stage is Stage.DEFERRED_WITH_CONDITIONS
    assert found.steps[-1].conditions == ("Seven steps",)
    assert [v.detail for v in found.void] == ["it is deferred with conditions, and names none"]
    assert Stage.DECISION in found.next


def test_a_proposal_that_was_voted_down_refuses() -> None:
    logs = applied()
    to_decision(logs)
    decide(logs, GRANT, against=True)
    step(logs, Stage.GRANTED, decision=GRANT)
    step(logs, Stage.REFUSED, decision=GRANT)
    assert see(logs).stage is Stage.REFUSED


def test_whoever_applied_may_withdraw_at_any_stage_and_nobody_else() -> None:
    logs = applied()
    step(logs, Stage.RECEIVED)
    step(logs, Stage.WITHDRAWN, by="hub")
    assert see(logs).stage is Stage.RECEIVED
    step(logs, Stage.WITHDRAWN, by="ua")
    assert see(logs).stage is Stage.WITHDRAWN


def test_stages_are_for_the_secretary_and_for_whose_move_it_is_and_in_their_order() -> None:
    logs = applied()
    step(logs, Stage.TRANSMITTED)
    step(logs, Stage.RECEIVED, by="aa")
    step(logs, Stage.RECEIVED, owner="commission")
    step(logs, Stage.OPINION_REQUESTED, by="commission", owner="commission")
    found = see(logs)
    assert [s.stage for s in found.steps] == [Stage.RECEIVED, Stage.OPINION_REQUESTED]
    assert [v.reason for v in found.void] == [VoidReason.AGAINST_THE_RULE, VoidReason.NOT_ENTITLED]


def test_of_two_stages_after_the_same_the_secretarys_stands_and_the_other_is_shown() -> None:
    logs = applied()
    received = step(logs, Stage.RECEIVED, owner="aa")
    for by, stage in (("aa", Stage.DECISION), ("hub", Stage.QUESTIONNAIRE)):
        logs.write(by, StageReached(application=A, stage=stage, after=received.leaf, owner=by))
    found = see(logs)
    assert found.stage is Stage.QUESTIONNAIRE
    assert [(v.filed.party, v.detail) for v in found.void] == [("aa", "another stage was reached first")]


def test_a_stage_that_follows_nothing_is_shown_as_void() -> None:
    logs = applied()
    logs.write("hub", StageReached(application=A, stage=Stage.RECEIVED, after="e" * 64, owner="hub"))
    found = see(logs)
    assert (found.stage, [v.detail for v in found.void]) == (None, ["it follows no stage of this application"])


def test_who_is_late_is_said_from_the_millisecond_after_the_due_date_on() -> None:
    logs = applied()
    due_ms = START_MS + DAY_MS
    step(logs, Stage.RECEIVED, owner="commission", due_ms=due_ms)
    assert see(logs).late(due_ms) is None
    assert see(logs).late(due_ms + 1) == Late("commission", Stage.RECEIVED, due_ms)
    step(logs, Stage.TRANSMITTED)
    assert see(logs).late(due_ms + 1) is None


def test_an_application_that_nobody_made_or_that_bears_another_partys_number_is_none() -> None:
    logs = Logs(council())
    with pytest.raises(UsageError, match="no application"):
        see(logs)
    logs.write("aa", Apply(application=A, applicant="A", body=body_hash(logs.body), kind=Request.MEASURE,
                           subject="A corridor", basis="Resolution 1", language="en"))  # fmt: skip
    with pytest.raises(UsageError, match="no application"):
        see(logs)


def test_every_stage_but_the_last_ones_leads_on_and_may_be_withdrawn() -> None:
    for stage in Stage:
        after = successors(stage)
        assert (after == ()) == (stage in (Stage.GRANTED, Stage.REFUSED, Stage.WITHDRAWN))
        assert not after or Stage.WITHDRAWN in after
        assert (Stage.GRANTED in after) == (stage is Stage.DECISION)

"""A body that decides over a channel on which everything goes wrong; benchmarks/decisions_prove.py runs more seeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import count

import pytest

from keepclear.decisions.procedure.authority import Authority, Standing
from keepclear.decisions.procedure.circulation import Circulation
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.status import Status
from keepclear.decisions.vocabulary import State
from keepclear.simulation.channel import Breach
from keepclear.simulation.decisions import sit


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("dishonest", [False, True])
def test_nodes_with_the_same_logs_show_the_same_and_after_healing_all_agree(seed: int, dishonest: bool) -> None:
    run = sit(seed, dishonest=dishonest)
    assert run.acts
    assert run.states or run.unlike or dishonest
    assert run.comparisons or dishonest


def test_the_runs_meet_what_bodies_bring_about() -> None:
    met = {each for seed in range(8) for each in sit(seed).met}
    assert met >= {"adopted by silence", "adopted by a vote", "in force", "application granted"}


def test_the_same_seed_is_the_same_run() -> None:
    assert sit(3, dishonest=True) == sit(3, dishonest=True)


def test_a_node_that_shows_something_else_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = count()

    def dishonest(docket: Docket, number: str) -> Status:
        found = status(docket, number)
        return replace(found, state=State.ADOPTED) if next(calls) % 3 else found

    monkeypatch.setattr("keepclear.simulation.delegations.status", dishonest)
    with pytest.raises(Breach):
        _ = [sit(seed) for seed in range(5)]


def test_what_is_in_force_without_having_been_adopted_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "keepclear.simulation.decisions.authority", lambda *_, **__: Standing(Authority.IN_FORCE, "", "")
    )
    with pytest.raises(Breach, match="is in force"):
        _ = [sit(seed) for seed in range(3)]


def test_who_is_taken_for_silent_without_a_receipt_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def deliver(self: Circulation, references: object) -> Iterable[str]:
        return self.electorate.by_id

    monkeypatch.setattr(Circulation, "_deliver", deliver)
    with pytest.raises(Breach, match=r"taken for silent|did not have it"):
        _ = [sit(seed) for seed in range(30)]

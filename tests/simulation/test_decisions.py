"""A body that decides over a channel on which everything goes wrong; benchmarks/decisions_prove.py runs more seeds."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

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


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(3191 // 2, id="a receipt in a log whose fork one could prove only by heads: adopted or lapsed"),
        pytest.param(4297 // 2, id="a stranger's proposal tabled in two histories: tabled or re-tabled"),
        pytest.param(8403 // 2, id="a forked secretary's clock alone: lapsed or still tabled"),
    ],
)
def test_what_a_liar_once_made_honest_nodes_show_differently_is_left_open(seed: int) -> None:
    assert sit(seed, dishonest=True).acts


def test_the_same_seed_is_the_same_run() -> None:
    assert sit(3, dishonest=True) == sit(3, dishonest=True)


def test_a_node_that_shows_something_else_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = count()

    def dishonest(docket: Docket, number: str) -> Status:
        found = status(docket, number)
        return replace(found, state=State.ADOPTED) if next(calls) % 3 else found

    monkeypatch.setattr("keepclear.simulation.decisions.status", dishonest)
    with pytest.raises(Breach):
        _ = [sit(seed) for seed in range(5)]

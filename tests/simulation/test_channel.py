"""A channel under crashes, losses, restores, wrong clocks and a party that lies, from seeds: what must hold, holds."""

from __future__ import annotations

import pytest

from keepclear.simulation.channel import simulate


@pytest.mark.parametrize("block", range(4))
def test_honest_parties_end_with_equal_logs_nothing_lost_and_nobody_accused(block: int) -> None:
    runs = [simulate(seed) for seed in range(block * 8, block * 8 + 8)]
    assert sum(r.acknowledged for r in runs) > 20
    assert sum(r.exchanges for r in runs) > 50


@pytest.mark.parametrize("block", range(4))
def test_a_party_that_tells_two_histories_is_proved_to_and_nobody_else_is_accused(block: int) -> None:
    runs = [simulate(seed, dishonest=True) for seed in range(block * 8, block * 8 + 8)]
    assert sum(r.forks for r in runs) > 0


@pytest.mark.parametrize("seed", [
    10, 173,  # a pending entry in the lock, and the others' copies of it, taken for a second instance's
    188, 196,
    2315,  # two heads that were equal when they were told, and parted while the answer was under way
])  # fmt: skip
def test_runs_that_once_found_something(seed: int) -> None:
    simulate(seed, dishonest=True)


def test_what_the_lock_alone_still_holds_comes_back_at_the_start() -> None:
    assert simulate(420).lost_by_all == 0


def test_a_restored_node_may_die_while_it_starts() -> None:
    assert simulate(1198).crashes


def test_the_same_seed_is_the_same_run() -> None:
    assert simulate(3) == simulate(3)
    assert simulate(3) != simulate(4)

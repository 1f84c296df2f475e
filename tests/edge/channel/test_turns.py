"""Those who wait are served in the order of arrival, together, and one who fails holds up nobody."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from keepclear.edge.channel.turns import Turns


def test_everybody_is_served_once_and_in_rounds() -> None:
    rounds: list[list[int]] = []
    gate = threading.Event()

    def serve(group: Sequence[int]) -> None:
        gate.wait(5)
        rounds.append(list(group))

    turns: Turns[int] = Turns(serve, lambda waiting: min(4, len(waiting)))
    threads = [threading.Thread(target=turns.go, args=(n,)) for n in range(30)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(5)
    assert sorted(n for group in rounds for n in group) == list(range(30))
    assert max(len(group) for group in rounds) <= 4
    assert len(rounds) < 30


def test_a_round_that_breaks_off_lets_the_next_begin() -> None:
    def serve(group: Sequence[str]) -> None:
        if "bad" in group:
            raise KeyboardInterrupt

    turns: Turns[str] = Turns(serve)
    with pytest.raises(KeyboardInterrupt):
        turns.go("bad")
    turns.go("good")

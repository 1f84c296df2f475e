"""Time and a network between parties: it loses, repeats, delays and so reorders what is sent, and splits."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from random import Random

__all__ = ["START_MS", "TIMEOUT_MS", "Network"]

START_MS = 1_700_000_000_000
TIMEOUT_MS = 1_500
"""After it, an exchange that got no answer is dropped."""


class Network:
    """Time goes on from event to event; how bad the lines are is drawn once a run."""

    def __init__(self, rng: Random) -> None:
        self.now_ms = START_MS
        self.cut: set[frozenset[str]] = set()
        """pairs of parties that cannot reach each other"""
        self._rng = rng
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self.loss, self.repeat = rng.choice((0.0, 0.1, 0.4)), rng.choice((0.0, 0.1, 0.4))
        self.delay_max_ms = rng.choice((20, 200, 3_000))

    def at(self, delay_ms: float, act: Callable[[], None]) -> None:
        heappush(self._events, (self.now_ms + int(delay_ms), next(self._order), act))

    def play(self, until_ms: int) -> None:
        while self._events and self._events[0][0] <= until_ms:
            self.now_ms, _, act = heappop(self._events)
            act()
        self.now_ms = until_ms

    def carry(self, one: str, other: str, act: Callable[[], None]) -> None:
        """What arrives, arrives after a while: nothing, once, or twice."""
        for _ in range(1 + (self._rng.random() < self.repeat)):
            if frozenset((one, other)) not in self.cut and self._rng.random() >= self.loss:
                self.at(self._rng.uniform(1, self.delay_max_ms), act)

    def split(self, pair: frozenset[str], duration_ms: float) -> None:
        self.cut.add(pair)
        self.at(duration_ms, lambda: self.cut.discard(pair))

    def mend(self) -> None:
        self.loss = self.repeat = 0.0
        self.delay_max_ms = 2
        self.cut.clear()

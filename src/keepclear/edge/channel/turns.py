"""Group commit: what arrives while one round is being served goes together in the next, led by who waits longest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["Turns"]

T = TypeVar("T")


class _Place(Generic[T]):
    __slots__ = ("called", "done", "work")

    def __init__(self, work: T) -> None:
        self.work = work
        self.called: threading.Event | None = None
        """to lead a round, or because its own is done; whoever need not wait has none"""
        self.done = False


class Turns(Generic[T]):
    """``serve`` gets the work of one round, in the order of arrival, and leaves results and errors in it; ``fits`` says
    how many of those that wait go together, at least one. Nobody waits for more than the rounds before it."""

    def __init__(self, serve: Callable[[Sequence[T]], None], fits: Callable[[Sequence[T]], int] = len) -> None:
        self._serve, self._fits = serve, fits
        self._lock = threading.Lock()
        self._waiting: list[_Place[T]] = []
        self._busy = False

    def go(self, work: T) -> None:
        """Returns when the work was served, by this thread or another."""
        place = _Place(work)
        with self._lock:
            self._waiting.append(place)
            if self._busy:
                place.called = threading.Event()
            self._busy = True
        if place.called is not None:
            place.called.wait()
        if not place.done:
            self._lead()

    def _lead(self) -> None:
        with self._lock:
            count = self._fits([place.work for place in self._waiting])
            served, self._waiting = self._waiting[:count], self._waiting[count:]
        try:
            self._serve([place.work for place in served])
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._busy = following is not None
            for place in served:
                place.done = True
                if place.called is not None:
                    place.called.set()
            if following is not None and following.called is not None:
                following.called.set()

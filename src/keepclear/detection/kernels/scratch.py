"""Arrays kept between calls: asking the system for fresh memory costs more than filling it (a fault a page)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Scratch", "scratch"]

KEPT_BYTES = 64 << 20
"""Kept after a call in any case: some 300,000 aircraft, beyond any live picture."""
KEPT_TIMES = 2
"""Beyond that, kept is at most so many times what both of the last two calls used: a large job once leaves nothing
behind, and one call after another of the same size does not ask for its memory again."""


class Scratch:
    """Named arrays of undefined content, the same memory again at the next call. Nothing in them may be returned."""

    def __init__(self) -> None:
        self._held: dict[str, npt.NDArray[Any]] = {}
        self._used_bytes = self._used_before_bytes = 0

    def take(self, name: str, shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        size = shape if isinstance(shape, int) else int(np.prod(shape))
        held = self._held.get(name)
        if held is None or len(held) < size:
            self._held.pop(name, None)
            self._held[name] = held = np.empty(size + size // 4, dtype)
        self._used_bytes += size * held.itemsize
        return held[:size].reshape(shape)

    def trim(self) -> None:
        """The call has ended: give back what is too much to keep."""
        usual = min(self._used_bytes, self._used_before_bytes)
        self._used_before_bytes, self._used_bytes = self._used_bytes, 0
        if self.held_bytes() > max(KEPT_BYTES, KEPT_TIMES * usual):
            self._held.clear()

    def held_bytes(self) -> int:
        return sum(array.nbytes for array in self._held.values())


_shared = Scratch()
_in_use = Lock()


@contextmanager
def scratch() -> Iterator[Scratch]:
    """The process's scratch arrays; while another thread has them, fresh ones."""
    if not _in_use.acquire(blocking=False):
        yield Scratch()
        return
    try:
        yield _shared
    finally:
        _shared.trim()
        _in_use.release()

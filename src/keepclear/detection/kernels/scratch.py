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
"""More than this is given back after the call: some 250,000 aircraft, beyond any live picture."""


class Scratch:
    """Named arrays of undefined content, the same memory again at the next call. Nothing in them may be returned."""

    def __init__(self) -> None:
        self._held: dict[str, npt.NDArray[Any]] = {}

    def take(self, name: str, shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        size = shape if isinstance(shape, int) else int(np.prod(shape))
        held = self._held.get(name)
        if held is None or len(held) < size:
            self._held[name] = held = np.empty(size + size // 4, dtype)
        return held[:size].reshape(shape)

    def trim(self) -> None:
        if sum(array.nbytes for array in self._held.values()) > KEPT_BYTES:
            self._held.clear()


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

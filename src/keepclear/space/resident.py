"""Memory for what stays: arrays that kernels read at random, in huge pages where the system gives them.

A table of some megabytes in pages of 4 KB costs a walk of the page tables at nearly every random read, four times the
read itself; in pages of 2 MB it costs none.
"""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["resident"]

HUGE_PAGE = 2 << 20
CACHE_LINE = 64
WORTH = 1 << 20
"""Less than this fits the second-level cache and its page entries anyway."""


def resident(arrays: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    """Copies of the arrays, each beginning a cache line, all in one mapping that lives as long as any of them."""
    size = sum(_lines(a.nbytes) for a in arrays)
    if size < WORTH or not hasattr(mmap, "MADV_HUGEPAGE"):
        memory = np.empty(size + CACHE_LINE, np.uint8)
        at = -memory.ctypes.data % CACHE_LINE
    else:
        mapping = mmap.mmap(-1, size + HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with contextlib.suppress(OSError):  # a system built without them: ordinary pages then
            mapping.madvise(mmap.MADV_HUGEPAGE)
        memory = np.frombuffer(mapping, np.uint8)
        at = -memory.ctypes.data % HUGE_PAGE
    kept = []
    for a in arrays:
        view = memory[at : at + a.nbytes].view(a.dtype).reshape(a.shape)
        view[...] = a
        kept.append(view)
        at += _lines(a.nbytes)
    return kept


def _lines(size: int) -> int:
    return -(-size // CACHE_LINE) * CACHE_LINE

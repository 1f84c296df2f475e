"""The threads that kernels run on: started once, because starting them costs more than a small call."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

__all__ = ["each", "in_blocks", "threads"]

Result = TypeVar("Result")


@cache
def threads() -> int:
    """As many as this process may use at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _helpers(process: int) -> ThreadPoolExecutor:
    # one pool a process: threads do not survive a fork
    return ThreadPoolExecutor(max(1, threads() - 1), thread_name_prefix="kernel")


def in_blocks(work: Callable[[int, int], Result], n: int, smallest: int, blocks_per_thread: int = 4) -> list[Result]:
    """``work(begin, end)`` over [0, n) in order, on all threads when there are at least two blocks of ``smallest``."""
    count = min(n // smallest, threads() * blocks_per_thread)
    if count < 2 or threads() == 1:
        return [work(0, n)]
    edges = [n * k // count for k in range(count + 1)]
    return _share(lambda k: work(edges[k], edges[k + 1]), count)


def each(work: Callable[[int], Result], count: int, *, enough: bool) -> list[Result]:
    """``work(k)`` for k below ``count`` in order, on all threads where there is ``enough`` to do."""
    if not enough or count < 2 or threads() == 1:
        return [work(k) for k in range(count)]
    return _share(work, count)


def _share(work: Callable[[int], Result], count: int) -> list[Result]:
    """The caller works too, and the others take what is left over: nothing waits for a thread that wakes up late."""
    done: dict[int, Result] = {}
    left = iter(range(count))  # gives each number once, whoever asks

    def take() -> None:
        for k in left:
            done[k] = work(k)

    pool = _helpers(os.getpid())
    others = [pool.submit(take) for _ in range(min(threads(), count) - 1)]
    try:
        take()
    finally:
        for other in others:
            if not other.cancel():
                other.result()
    return [done[k] for k in range(count)]

"""A recording played again in the order of its own time: cycle by cycle, at any speed, as if it were live."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from keepclear.feeds.reports import ReportBatch, concatenate

__all__ = ["ReplayCycle", "replay"]

LOOK_BACK_S = 120.0
"""How far a stream of batches may be out of order in time. Beyond it a recording is not sorted by time (a folder of
one-aircraft traces, say): give it whole, sorted, instead of streamed."""


@dataclass(frozen=True, slots=True)
class ReplayCycle:
    now_s: float
    """the recording's own time: the end of the cycle"""
    reports: ReportBatch
    late_s: float
    """how far the replay is behind its wanted speed; 0 at full speed"""


def replay(
    batches: Iterable[ReportBatch],
    *,
    cycle_s: float = 1.0,
    speed: float | None = None,
    sorted_by_time: bool = False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[ReplayCycle]:
    """Cycles of ``cycle_s`` seconds of the recording. ``speed`` 1 is as recorded, 10 ten times as fast, ``None`` as
    fast as it can be taken. With ``sorted_by_time`` the batches are streamed and memory stays flat; without, all is
    read first and sorted.

    A long silence in the recording is stepped over in one cycle at full speed, so that tracks still age and end.
    """
    source = iter(batches) if sorted_by_time else iter([_sorted(list(batches))])
    pending = ReportBatch.empty()
    frontier_s = -np.inf
    now_s: float | None = None
    began = clock()
    first_s = 0.0
    exhausted = False
    while True:
        while not exhausted and (now_s is None or frontier_s < now_s + cycle_s + LOOK_BACK_S * sorted_by_time):
            batch = next(source, None)
            if batch is None:
                exhausted = True
                break
            if len(batch):
                pending = _sorted([pending, batch] if len(pending) else [batch])
                frontier_s = max(frontier_s, float(batch.time_s.max()))
                if now_s is None:
                    now_s = first_s = float(np.floor(pending.time_s.min() / cycle_s) * cycle_s)
        if not len(pending) and exhausted:
            return
        assert now_s is not None, "there is a report, so there is a time"
        now_s += cycle_s
        count = int(np.searchsorted(pending.time_s, now_s, side="right"))
        if speed is None and not count:
            now_s = float(np.ceil(pending.time_s[0] / cycle_s) * cycle_s)
            count = int(np.searchsorted(pending.time_s, now_s, side="right"))
        ready, pending = pending.take(slice(0, count)), pending.take(slice(count, None))
        late_s = 0.0
        if speed is not None:
            ahead = (now_s - first_s) / speed - (clock() - began)
            if ahead > 0:
                sleep(ahead)
            late_s = max(0.0, -ahead)
        yield ReplayCycle(now_s, ready, late_s)


def _sorted(batches: list[ReportBatch]) -> ReportBatch:
    whole = concatenate(batches)
    if len(whole) and np.any(np.diff(whole.time_s) < 0):
        whole = whole.take(np.argsort(whole.time_s, kind="stable"))
    return whole

"""A recording played again in the order of its own time: cycle by cycle, at any speed, as if it were live."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from keepclear.errors import InputError
from keepclear.feeds.reports import ReportBatch, concatenate
from keepclear.quantities import format_instant

__all__ = ["HELD_WHOLE_REPORTS", "ReplayCycle", "replay"]

LOOK_BACK_S = 120.0
"""How far a streamed recording may be out of order in time: the played instant stays this far behind what is read."""
HELD_WHOLE_REPORTS = 2_000_000
"""A recording of up to so many reports (some 160 MB) is read whole and sorted, whatever its order. A longer one that
begins in order of time is streamed, so that memory stays flat."""
LEFT_OUT_SHARE_MAX = 0.1
"""Single reports that come after their time was played are left out and counted; more of a batch than this, and the
recording is not one in order of time."""

_PIECE_REPORTS = 10_000


@dataclass(frozen=True, slots=True)
class ReplayCycle:
    now_s: float
    """the recording's own time: the end of the cycle"""
    reports: ReportBatch
    late_s: float
    """how far the replay is behind its wanted speed; 0 at full speed"""
    left_out: int = 0
    """reports so far that came too late to be played in order"""


def replay(
    batches: Iterable[ReportBatch],
    *,
    cycle_s: float = 1.0,
    speed: float | None = None,
    sorted_by_time: bool | None = None,
    held_whole_reports: int = HELD_WHOLE_REPORTS,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[ReplayCycle]:
    """Cycles of ``cycle_s`` seconds of the recording. ``speed`` 1 is as recorded, 10 ten times as fast, ``None`` as
    fast as it can be taken. With ``sorted_by_time`` the batches are streamed and memory stays flat; with ``False``
    all is read first and sorted; with ``None`` the recording decides (:data:`HELD_WHOLE_REPORTS`).

    A long silence in the recording is stepped over in one cycle at full speed, so that tracks still age and end.
    Raises :class:`InputError` where a streamed recording turns out not to be in order of time.
    """
    source: Iterator[ReportBatch] = (batch for batch in batches if len(batch))
    if sorted_by_time is None:
        source, sorted_by_time = _decided(source, held_whole_reports)
    if not sorted_by_time:
        source = (whole for whole in [_sorted(list(source))] if len(whole))
    ahead_s = cycle_s + LOOK_BACK_S * sorted_by_time
    pending = ReportBatch.empty()
    frontier_s = played_s = -np.inf
    now_s: float | None = None
    began = clock()
    first_s = 0.0
    left_out = 0
    exhausted = False
    while True:
        while not exhausted and (now_s is None or not len(pending) or frontier_s < now_s + ahead_s):
            batch = next(source, None)
            if batch is None:
                exhausted = True
                break
            # The middle of a batch, not its end: one wild time stamp must not pass for the recording's progress.
            frontier_s = max(frontier_s, float(np.median(batch.time_s))) if sorted_by_time else np.inf
            batch, late = _in_time(batch, played_s)
            left_out += late
            pending = _sorted([pending, batch] if len(pending) else [batch])
            if now_s is None:
                now_s = first_s = float(np.floor(pending.time_s.min() / cycle_s) * cycle_s)
        if not len(pending) and exhausted:
            return
        assert now_s is not None, "there is a report, so there is a time"
        now_s += cycle_s
        count = int(np.searchsorted(pending.time_s, now_s, side="right"))
        if speed is None and not count and len(pending):
            until_s = pending.time_s[0] if exhausted else min(pending.time_s[0], frontier_s - LOOK_BACK_S)
            now_s = max(now_s, float(np.ceil(until_s / cycle_s) * cycle_s))
            count = int(np.searchsorted(pending.time_s, now_s, side="right"))
        played_s = now_s
        ready, pending = pending.take(slice(0, count)), pending.take(slice(count, None))
        late_s = 0.0
        if speed is not None:
            ahead = (now_s - first_s) / speed - (clock() - began)
            if ahead > 0:
                sleep(ahead)
            late_s = max(0.0, -ahead)
        yield ReplayCycle(now_s, ready, late_s, left_out)


def _decided(source: Iterator[ReportBatch], held_whole_reports: int) -> tuple[Iterator[ReportBatch], bool]:
    """The same batches, and whether to stream them: there are many, and those at the beginning are in order."""
    held: list[ReportBatch] = []
    reports = 0
    for batch in source:
        held.append(batch)
        reports += len(batch)
        if reports > held_whole_reports:
            return chain(held, source), _in_order(held)
    return iter(held), False


def _in_order(batches: list[ReportBatch]) -> bool:
    """No more than single reports lie further back than LOOK_BACK_S behind what came before them."""
    reached_s, behind, reports = -np.inf, 0, 0
    for batch in batches:
        for begin in range(0, len(batch), _PIECE_REPORTS):
            time_s = batch.time_s[begin : begin + _PIECE_REPORTS]
            behind += int(np.count_nonzero(time_s < reached_s - LOOK_BACK_S))
            reached_s = max(reached_s, float(np.median(time_s)))
        reports += len(batch)
    return behind <= LEFT_OUT_SHARE_MAX * reports


def _in_time(batch: ReportBatch, played_s: float) -> tuple[ReportBatch, int]:
    """Without the reports of times that were played already, and how many those are. Raises :class:`InputError`."""
    late = batch.time_s <= played_s
    count = int(np.count_nonzero(late))
    if not count:
        return batch, 0
    if count > LEFT_OUT_SHARE_MAX * len(batch):
        raise InputError(
            f"the recording goes back to {format_instant(float(batch.time_s[late].min()))} after "
            f"{format_instant(played_s)} was played: one of more than {HELD_WHOLE_REPORTS:,} reports is streamed and "
            "must be in order of time; sort it, or watch its files one by one"
        )
    return batch.take(~late), count


def _sorted(batches: list[ReportBatch]) -> ReportBatch:
    whole = concatenate(batches)
    if len(whole) and np.any(np.diff(whole.time_s) < 0):
        whole = whole.take(np.argsort(whole.time_s, kind="stable"))
    return whole

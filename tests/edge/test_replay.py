"""A replay keeps the recording's own time, at any speed, and does not hold what it has passed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from keepclear.edge.replay import replay
from keepclear.feeds.reports import ReportBatch


def batch(*seconds: float) -> ReportBatch:
    n = len(seconds)
    return ReportBatch.build(
        time_s=1_700_000_000.0 + np.array(seconds), lat_deg=np.zeros(n), lon_deg=np.zeros(n), target=["a"] * n
    )


def test_every_report_comes_once_in_its_cycle() -> None:
    cycles = list(replay([batch(2.5, 0.2), batch(1.1, 0.9, 3.0)]))
    assert [(c.now_s - 1.7e9, len(c.reports)) for c in cycles] == [(1.0, 2), (2.0, 1), (3.0, 2)]
    assert all((c.reports.time_s <= c.now_s).all() for c in cycles)


def test_at_full_speed_a_silence_is_stepped_over() -> None:
    cycles = list(replay([batch(0.5, 3600.5)]))
    assert [c.now_s - 1.7e9 for c in cycles] == [1.0, 3601.0]


def test_at_a_stated_speed_it_waits_and_says_when_it_is_late() -> None:
    clock = [0.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds

    cycles = replay([batch(0.5, 1.5, 2.5)], speed=2.0, sleep=sleep, clock=lambda: clock[0])
    next(cycles)
    assert slept == pytest.approx([0.5])
    clock[0] += 10.0
    assert next(cycles).late_s == pytest.approx(9.5)


def test_a_streamed_recording_is_not_read_ahead_beyond_the_look_back() -> None:
    read = 0

    def source() -> Iterator[ReportBatch]:
        nonlocal read
        for minute in range(100):
            read += 1
            yield batch(*(60.0 * minute + np.arange(0.0, 60.0, 10.0)))

    cycles = replay(source(), sorted_by_time=True)
    seen = 0
    for _ in range(60):
        seen += len(next(cycles).reports)
    assert read < 15, "ten minutes were replayed, and two more read ahead"
    assert seen + sum(len(c.reports) for c in cycles) == 600


def test_nothing_gives_nothing() -> None:
    assert list(replay([])) == []

"""A replay keeps the recording's own time, at any speed, and does not hold what it has passed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from keepclear.edge.replay import replay
from keepclear.errors import InputError
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


def hour(order: bool, minutes: int = 60) -> list[ReportBatch]:
    batches = [batch(*(60.0 * minute + np.arange(0.0, 60.0, 0.1))) for minute in range(minutes)]
    return batches if order else [*batches[30:], *batches[:30]]


def test_a_long_recording_in_order_of_time_is_streamed() -> None:
    read = 0

    def source() -> Iterator[ReportBatch]:
        nonlocal read
        for b in hour(True):
            read += 1
            yield b

    cycles = replay(source(), held_whole_reports=3000)
    next(cycles)
    assert read == 6, "five minutes and a bit are held to see whether they are in order"
    seen = sum(len(next(cycles).reports) for _ in range(1200))
    assert read < 25
    assert seen + sum(len(c.reports) for c in cycles) == 36_000 - 11


def test_a_long_recording_that_begins_out_of_order_is_read_whole() -> None:
    cycles = list(replay(hour(False), held_whole_reports=20_000))
    assert sum(len(c.reports) for c in cycles) == 36_000
    assert [c.now_s for c in cycles] == sorted({c.now_s for c in cycles})


def test_a_streamed_recording_that_goes_back_later_is_refused_with_its_times() -> None:
    cycles = replay(hour(False), held_whole_reports=3000)
    with pytest.raises(InputError, match=r"goes back to 2023-11-14T22:13:20\S* after 2023-11-14T23:\S+Z was played"):
        list(cycles)


@pytest.mark.parametrize("wild_s", [1e9, -1e9])
def test_one_wild_time_stamp_does_not_end_a_streamed_recording(wild_s: float) -> None:
    batches = hour(True)
    batches[20] = batch(*(1200.0 + np.arange(0.0, 59.0, 0.1)), wild_s)
    cycles = list(replay(batches, held_whole_reports=3000))
    played = sum(len(c.reports) for c in cycles)
    assert played + cycles[-1].left_out == 36_000 - 600 + 591
    assert cycles[-1].left_out == (1 if wild_s < 0 else 0)
    assert [c.now_s for c in cycles] == sorted({c.now_s for c in cycles})

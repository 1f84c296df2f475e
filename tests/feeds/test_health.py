"""A stalled or lying feed is DEGRADED with its reason, never silence (practice R2.10)."""

from __future__ import annotations

import numpy as np
import pytest

from keepclear.feeds.health import FeedCounts, FeedState, judge
from keepclear.feeds.reports import ReportBatch

NOW = 1_700_000_000.0


def reports(lag_s: float = 0.5, *, n: int = 50, lat: float = 50.0, now_s: float = NOW) -> ReportBatch:
    return ReportBatch.build(
        time_s=np.full(n, now_s - lag_s), received_s=np.full(n, now_s),
        lat_deg=np.full(n, lat), lon_deg=np.full(n, 30.0),
        ground_speed_mps=200.0, target=["a"] * n,
    )  # fmt: skip


def connected() -> FeedCounts:
    return FeedCounts("f", NOW - 100.0, connected=True, last_bytes_s=NOW)


def test_a_healthy_feed_is_up() -> None:
    counts = connected()
    counts.observe(reports(), 0, NOW)
    assert judge(counts, NOW + 1.0).state is FeedState.UP


def test_r2_10_a_stall_is_degraded_after_ten_seconds() -> None:
    counts = connected()
    counts.observe(reports(), 0, NOW)
    health = judge(counts, NOW + 11.0)
    assert health.state is FeedState.DEGRADED
    assert health.reason == "no new report for 11 s"


@pytest.mark.parametrize(
    ("lag_s", "words"), [(60.0, "60 s old"), (-20.0, "20 s in the future")]
)  # fmt: skip
def test_r2_10_a_clock_that_lies_is_degraded(lag_s: float, words: str) -> None:
    counts = connected()
    counts.observe(reports(lag_s), 0, NOW)
    health = judge(counts, NOW)
    assert health.state is FeedState.DEGRADED
    assert words in health.reason


def test_r2_10_garbage_and_a_frozen_picture_are_degraded() -> None:
    garbage = connected()
    garbage.observe(reports(n=10), 90, NOW)
    assert "unreadable" in judge(garbage, NOW).reason
    frozen = connected()
    for second in range(10):
        frozen.observe(reports(now_s=NOW + second), 0, NOW + second)
    assert "frozen" in judge(frozen, NOW + 9.0).reason
    moving = connected()
    for second in range(10):
        moving.observe(reports(now_s=NOW + second, lat=50.0 + second / 100), 0, NOW + second)
    assert judge(moving, NOW + 9.0).state is FeedState.UP


def test_before_the_first_report_it_waits_and_then_worries() -> None:
    counts = FeedCounts("f", NOW)
    assert judge(counts, NOW + 1.0).state is FeedState.WAITING
    assert judge(counts, NOW + 30.0).state is FeedState.DOWN
    counts.ended = True
    assert judge(counts, NOW + 30.0).state is FeedState.ENDED

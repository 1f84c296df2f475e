"""A sensor whose frame is turned is found out by traffic known otherwise, at any angle, and never by guessing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import UsageError
from keepclear.feeds.reports import ReportBatch
from keepclear.tracks.bearing_bias import BearingVerdict, estimate_bearing_bias

SITE = (50.35, 30.9)


def _traffic(
    seed: int,
    aircraft: int = 8,
    turn_deg: float = 0.0,
    *,
    labels: bool = True,
    noise_deg: float = 0.2,
    outliers: float = 0.0,
) -> tuple[ReportBatch, ReportBatch]:
    """Straight flights around the site: as the sensor with its turned frame says them, and as they are."""
    random = np.random.default_rng(seed)
    known: list[tuple[float, float, float, str]] = []
    sensed: list[tuple[float, float, float, str]] = []
    for number in range(aircraft):
        x, y = random.uniform(-60_000, 60_000, 2)
        heading, speed = random.uniform(0, 2 * math.pi), random.uniform(80, 250)
        for second in range(0, 300, 5):
            e, n = x + speed * second * math.sin(heading), y + speed * second * math.cos(heading)
            bearing, distance = math.degrees(math.atan2(e, n)), math.hypot(e, n)
            true = Geodesic.WGS84.Direct(*SITE, bearing, distance)
            known.append((1e9 + second, true["lat2"], true["lon2"], f"{number:06x}"))
            if second % 10 == 0 and second:
                seen = bearing + turn_deg + random.normal(0, noise_deg)
                if random.random() < outliers:
                    seen = random.uniform(0, 360)
                found = Geodesic.WGS84.Direct(*SITE, seen, distance + random.normal(0, 50))
                name = f"{number:06x}" if labels else f"asterix:0001/{number + 100}"
                sensed.append((1e9 + second + 1.3, found["lat2"], found["lon2"], name))

    def batch(rows: list[tuple[float, float, float, str]]) -> ReportBatch:
        t, lat, lon, target = zip(*rows, strict=True)
        return ReportBatch.build(time_s=t, lat_deg=lat, lon_deg=lon, target=list(target))

    return batch(sensed), batch(known)


@pytest.mark.parametrize("labels", [True, False])
def test_r2_5_a_frame_turned_by_105_degrees_is_misaligned(labels: bool) -> None:
    found = estimate_bearing_bias(*_traffic(1, turn_deg=105.0, labels=labels), *SITE)
    assert found.verdict is BearingVerdict.MISALIGNED
    assert found.bias_deg == pytest.approx(105.0, abs=0.5)
    assert found.interval_deg[0] <= 105.0 + 0.3
    assert found.interval_deg[1] >= 105.0 - 0.3
    assert found.pairs > 100


@pytest.mark.parametrize("labels", [True, False])
def test_a_true_frame_is_ok(labels: bool) -> None:
    found = estimate_bearing_bias(*_traffic(2, labels=labels), *SITE)
    assert found.verdict is BearingVerdict.OK
    assert abs(found.bias_deg) < 0.5


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 360, exclude_max=True), st.booleans(), st.integers(0, 1000))
def test_every_angle_is_found(turn_deg: float, labels: bool, seed: int) -> None:
    found = estimate_bearing_bias(*_traffic(seed, 10, turn_deg, labels=labels), *SITE)
    assert abs((found.bias_deg - turn_deg + 180) % 360 - 180) < 1.0
    away = min(turn_deg, 360 - turn_deg)
    if away > 3:
        assert found.verdict is BearingVerdict.MISALIGNED
    elif away < 1:
        assert found.verdict is BearingVerdict.OK


def test_a_third_of_outliers_changes_nothing() -> None:
    found = estimate_bearing_bias(*_traffic(3, turn_deg=-40.0, outliers=0.33), *SITE)
    assert found.bias_deg == pytest.approx(-40.0, abs=0.5)
    assert found.verdict is BearingVerdict.MISALIGNED


def test_too_few_pairs_are_never_ok() -> None:
    sensor, known = _traffic(4)
    for rows in (0, 1, 5, 19):
        found = estimate_bearing_bias(sensor.take(slice(0, rows)), known, *SITE)
        assert found.verdict is BearingVerdict.UNDETERMINED
    assert estimate_bearing_bias(sensor, ReportBatch.empty(), *SITE).verdict is BearingVerdict.UNDETERMINED
    assert estimate_bearing_bias(ReportBatch.empty(), ReportBatch.empty(), *SITE).pairs == 0


def test_one_unlabelled_track_is_not_enough() -> None:
    found = estimate_bearing_bias(*_traffic(5, aircraft=1, turn_deg=105.0, labels=False), *SITE)
    assert found.verdict is BearingVerdict.UNDETERMINED


def test_scattered_bearings_are_undetermined() -> None:
    found = estimate_bearing_bias(*_traffic(6, outliers=1.0), *SITE)
    assert found.verdict is BearingVerdict.UNDETERMINED


def test_traffic_at_another_time_is_no_evidence() -> None:
    sensor, known = _traffic(7)
    later = ReportBatch.build(
        time_s=known.time_s + 86_400.0, lat_deg=known.lat_deg, lon_deg=known.lon_deg, target=known.target
    )
    assert estimate_bearing_bias(sensor, later, *SITE).verdict is BearingVerdict.UNDETERMINED


def test_a_bias_at_the_tolerance_is_undetermined() -> None:
    found = estimate_bearing_bias(*_traffic(8, turn_deg=2.0, noise_deg=0.5), *SITE)
    assert found.verdict is BearingVerdict.UNDETERMINED
    assert found.interval_deg[0] < 2.0 < found.interval_deg[1]


def test_the_interval_covers_the_truth_about_19_times_in_20() -> None:
    hits = 0
    for seed in range(60):
        low, high = estimate_bearing_bias(*_traffic(100 + seed, 6, 30.0, noise_deg=1.0), *SITE).interval_deg
        hits += low <= 30.0 <= high
    assert hits >= 52  # 60 × 0.95 = 57; fewer than 52 has a probability below 1 %


def test_a_place_not_on_earth_is_refused() -> None:
    with pytest.raises(UsageError):
        estimate_bearing_bias(ReportBatch.empty(), ReportBatch.empty(), 95.0, 0.0)
    with pytest.raises(UsageError):
        estimate_bearing_bias(ReportBatch.empty(), ReportBatch.empty(), 0.0, 0.0, tolerance_deg=0.0)

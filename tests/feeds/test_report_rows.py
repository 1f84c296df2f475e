"""Rows gathered one by one become columns; what cannot be is refused at the door or becomes «not known»."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.feeds.decoder import Faults
from keepclear.feeds.report_rows import LABEL_MAX, ReportRows, clean_label

GOOD: dict[str, Any] = {"time_s": 1.7e9, "lat_deg": 50.0, "lon_deg": 30.0, "target": "a"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"time_s": math.nan}, "time is missing or outside the years 1970 to 2200"),
        ({"time_s": 1.7e12}, "time is missing or outside the years 1970 to 2200"),
        ({"lat_deg": 90.1}, "position is missing or not on Earth"),
        ({"lon_deg": math.inf}, "position is missing or not on Earth"),
        ({"target": ""}, "report names no target"),
    ],
)
def test_a_row_that_cannot_be_is_a_fault(change: dict[str, Any], reason: str) -> None:
    faults = Faults()
    rows = ReportRows(faults, "s")
    assert not rows.add("here", **{**GOOD, **change})
    assert faults.counts == {reason: 1}
    assert len(rows.take()) == 0


_NUMBERS = st.floats(width=64)


@given(
    _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS,
    st.floats(-90, 90), st.floats(-360, 360), st.integers(-(10**9), 10**9), st.text(),
)  # fmt: skip
def test_any_numbers_give_a_sound_batch(
    baro: float,
    geo: float,
    speed: float,
    track: float,
    rate: float,
    accuracy: float,
    lat: float,
    lon: float,
    squawk: int,
    text: str,
) -> None:
    rows = ReportRows(Faults(), "")
    assert rows.add(
        "", time_s=1.7e9, lat_deg=lat, lon_deg=lon, target="t", altitude_baro_m=baro, altitude_geo_m=geo,
        ground_speed_mps=speed, track_deg=track, vertical_rate_mps=rate, accuracy_m=accuracy,
        squawk=squawk, callsign=clean_label(text),
    )  # fmt: skip
    batch = rows.take()
    assert -180 <= batch.lon_deg[0] < 180
    for column in (
        batch.altitude_baro_m,
        batch.altitude_geo_m,
        batch.ground_speed_mps,
        batch.vertical_rate_mps,
        batch.accuracy_m,
    ):
        assert not np.isinf(column).any()
    assert np.isnan(batch.track_deg[0]) or 0 <= batch.track_deg[0] < 360
    assert -1 <= batch.squawk[0] <= 7777
    assert not batch.accuracy_m[0] < 0
    assert len(batch.callsign.at(0)) <= LABEL_MAX
    assert batch.callsign.at(0).isprintable()


def test_receipt_defaults_to_measurement_and_take_empties() -> None:
    rows = ReportRows(Faults(), "s")
    rows.add("", **GOOD)
    rows.add("", **GOOD, received_s=1.7e9 + 5, simulated=True)
    batch = rows.take()
    assert batch.received_s.tolist() == [1.7e9, 1.7e9 + 5]
    assert batch.source.strings() == ["s", "s (simulated)"]
    assert len(rows) == len(rows.take()) == 0

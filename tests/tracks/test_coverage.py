"""«No infringement» is said over a stated coverage: who was observed for how long, which areas saw anything when."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import LimitExceeded, UsageError
from keepclear.feeds.reports import ReportBatch
from keepclear.tracks.assemble import assemble
from keepclear.tracks.coverage import area_coverage, track_coverage
from keepclear.tracks.table import TrackTable


def table(rows: Sequence[tuple[str, float, float, float]]) -> TrackTable:
    return assemble(
        ReportBatch.build(
            time_s=[r[1] for r in rows], lat_deg=[r[2] for r in rows], lon_deg=[r[3] for r in rows],
            target=[r[0] for r in rows], source="s",
        )
    )  # fmt: skip


def test_r2_8_gaps_are_recorded_with_the_track() -> None:
    found = track_coverage(table([("a", t, 50, 30) for t in (0, 10, 110, 120, 320)] + [("b", 5, 50, 30)]))
    assert found.gaps.tolist() == [2, 0]
    assert found.gap_longest_s.tolist() == [200.0, 0.0]
    assert found.observed_s.tolist() == [20.0, 0.0]
    assert found.span_s.tolist() == [320.0, 0.0]
    assert found.fraction.tolist() == [20.0 / 320.0, 1.0]


def test_r2_8_no_violations_requires_coverage() -> None:
    tracks = table([("a", t, 50.0, 30.0) for t in range(0, 600, 30)])
    found = area_coverage(tracks, [29.5, -60.0], [49.5, 10.0], [30.5, -59.0], [50.5, 11.0], from_s=0, to_s=1200)
    assert found.fraction.tolist() == [0.5, 0.0]  # nobody was looking over the second area
    assert found.unseen(0) == [(600.0, 1200.0)]
    assert found.unseen(1) == [(0.0, 1200.0)]


def test_an_area_across_the_antimeridian_and_one_round_the_pole() -> None:
    tracks = table([("a", 0, 10.0, 179.9), ("b", 400, 10.0, -179.9), ("c", 700, 89.0, 12.0)])
    found = area_coverage(tracks, [179.5, -180.0], [9.0, 85.0], [-179.5, 180.0], [11.0, 90.0], from_s=0, to_s=900)
    assert found.seen.tolist() == [[True, True, False], [False, False, True]]


def test_the_last_bin_weighs_what_it_is() -> None:
    found = area_coverage(table([("a", 0, 50, 30)]), [29], [49], [31], [51], from_s=0, to_s=400, bin_s=300)
    assert found.fraction.tolist() == [0.75]


def test_a_wild_position_proves_no_sensor() -> None:
    rows = [("a", float(t), 50.0, 30.0) for t in range(10)]
    rows[5] = ("a", 5.0, 0.0, 0.0)
    found = area_coverage(table(rows), [-1], [-1], [1], [1], from_s=0, to_s=10, bin_s=1)
    assert not found.seen.any()


def test_nothing_recorded_is_no_coverage() -> None:
    nothing = assemble(ReportBatch.empty())
    assert area_coverage(nothing, [0], [0], [1], [1], from_s=0, to_s=100).fraction.tolist() == [0.0]
    assert area_coverage(nothing, [0], [0], [1], [1]).fraction.tolist() == [0.0]
    assert len(track_coverage(nothing).gaps) == 0


def test_what_makes_no_sense_is_refused() -> None:
    one = table([("a", 0, 50, 30)])
    with pytest.raises(UsageError, match="ends before"):
        area_coverage(one, [0], [0], [1], [1], from_s=10, to_s=0)
    with pytest.raises(LimitExceeded, match="longer bins"):
        area_coverage(one, [0], [0], [1], [1], from_s=0, to_s=1e12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 999), st.floats(-80, 80), st.floats(-180, 179.9)), min_size=1, max_size=20),
    st.tuples(st.floats(-180, 179), st.floats(-75, 60), st.floats(0.1, 90), st.floats(0.1, 15)),
)
def test_a_report_in_an_area_is_seen_and_one_far_away_is_not(
    rows: list[tuple[float, float, float]], area: tuple[float, float, float, float]
) -> None:
    # One label each, so that no report is an impossible jump.
    tracks = table([(str(i), *row) for i, row in enumerate(rows)])
    west, south, wide, tall = area
    east, north = (west + wide + 180.0) % 360.0 - 180.0, south + tall
    found = area_coverage(tracks, [west], [south], [east], [north], from_s=0, to_s=1000, bin_s=100, near_deg=0.5)
    for k in range(10):
        inside = far = 0
        of_bin = [(lat, lon) for t, lat, lon in rows if int(t // 100) == k]
        for lat, lon in of_bin:
            within = south <= lat <= north and (lon - west) % 360.0 <= wide
            margin = 0.7 / np.cos(np.radians(max(abs(south), abs(north))))
            near = south - 0.7 <= lat <= north + 0.7 and (lon - west + margin) % 360.0 <= wide + 2 * margin
            inside += within
            far += not near
        if inside:
            assert found.seen[0, k]
        elif far == len(of_bin):
            assert not found.seen[0, k]

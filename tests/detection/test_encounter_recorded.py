"""Recorded encounters are what a dense look along the same lines sees, and a dip is one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.detection.recorded import EncounterTable, encounters_recorded
from keepclear.detection.situation import Verdict
from keepclear.detection.thresholds import RADAR_SEPARATION, Thresholds
from keepclear.feeds.reports import ReportBatch, concatenate
from keepclear.tracks.table import ReportFlag, TrackTable

DEGREE_M = 111_319.49
START_S = 1_700_000_000.0
Floats = npt.NDArray[np.float64]


def table(tracks: list[dict[str, Any]], flags: list[int] | None = None) -> TrackTable:
    """Each track: t, lat, lon, and whatever else ReportBatch.build takes."""
    parts = []
    for k, track in enumerate(tracks):
        columns = dict(track)
        t = np.asarray(columns.pop("t"), np.float64) + START_S
        n = len(t)
        columns.setdefault("target", [f"{k:06x}"] * n)
        columns.setdefault("altitude_baro_m", np.full(n, 3000.0))
        parts.append(ReportBatch.build(time_s=t, lat_deg=columns.pop("lat"), lon_deg=columns.pop("lon"), **columns))
    start = np.cumsum([0] + [len(p) for p in parts])
    reports = concatenate(parts)
    flagged = np.zeros(len(reports), np.uint8) if flags is None else np.asarray(flags, np.uint8)
    return TrackTable(reports, start, tuple(f"T{k}" for k in range(len(parts))), flagged, 60.0)


def east(t: list[float], metres: list[float], **more: Any) -> dict[str, Any]:
    return {"t": t, "lat": np.zeros(len(t)), "lon": np.asarray(metres) / DEGREE_M, **more}


def head_on(**more: Any) -> list[dict[str, Any]]:
    """They meet after 100 s, closing at 400 m/s."""
    t = [0.0, 50.0, 100.0, 150.0, 200.0]
    return [
        east(t, [200.0 * s for s in t], **more),
        east(t, [40_000.0 - 200.0 * s for s in t], **more),
    ]


def test_a_head_on_meeting_has_its_times_distances_and_places() -> None:
    found = encounters_recorded(table(head_on()))
    assert len(found) == 1
    half = 9260.0 / 400.0
    assert found.entry_time_s[0] - START_S == pytest.approx(100.0 - half, abs=0.01)
    assert found.exit_time_s[0] - START_S == pytest.approx(100.0 + half, abs=0.01)
    assert found.cpa_time_s[0] - START_S == pytest.approx(100.0, abs=0.01)
    assert found.cpa_horizontal_m[0] == pytest.approx(0.0, abs=0.5)
    assert found.cpa_vertical_m[0] == 0.0
    assert found.a_lon_deg[0] * DEGREE_M == pytest.approx(20_000.0, abs=2.0)
    assert found.b_altitude_m[0] == pytest.approx(3000.0)
    assert (found.entry_observed[0], found.exit_observed[0]) == (True, True)
    assert (found.verdict[0], found.coverage[0]) == (Verdict.ACTUAL, 1.0)
    row = found.to_arrow().to_pylist()[0]
    assert (row["track_id_a"], row["track_id_b"], row["verdict"], row["datum"]) == ("T0", "T1", "ACTUAL", "STD")
    assert row["confidence"] is None


def test_r2_9_a_dip_is_one_encounter_and_leaving_widely_is_two() -> None:
    t = [0.0, 60.0, 120.0, 180.0]

    def beside(distance: list[float]) -> TrackTable:
        return table([east(t, [0.0] * 4), east(t, distance)])

    # out to 9,500 m, within a tenth of the threshold: the loss never really ended
    assert len(encounters_recorded(beside([9000.0, 9500.0, 9000.0, 9000.0]))) == 1
    assert len(encounters_recorded(beside([9000.0, 10_500.0, 9000.0, 9000.0]))) == 2
    # without hysteresis the same dip counts twice
    assert len(encounters_recorded(beside([9000.0, 9500.0, 9000.0, 9000.0]), hysteresis=1.0)) == 2


def test_r2_8_no_line_is_drawn_across_a_gap() -> None:
    flags = [0, 0, int(ReportFlag.GAP_BEFORE), 0, 0] + [0] * 5
    found = encounters_recorded(table(head_on(), flags))
    # they met at report 2; the stretch before it (50–100 s) was not observed
    assert len(found) == 1
    assert not found.entry_observed[0]
    assert found.entry_time_s[0] == pytest.approx(START_S + 100.0)
    assert found.coverage[0] == pytest.approx(0.75)
    whole_gap = [0, int(ReportFlag.GAP_BEFORE), int(ReportFlag.GAP_BEFORE), int(ReportFlag.IMPOSSIBLE_JUMP), 0]
    assert len(encounters_recorded(table(head_on(), whole_gap + [0] * 5))) == 0


def test_r2_1_a_threshold_within_the_accuracy_is_indeterminate() -> None:
    t = [0.0, 100.0]
    for apart, verdict in ((9000.0, Verdict.ACTUAL), (9200.0, Verdict.INDETERMINATE), (9300.0, Verdict.INDETERMINATE)):
        a, b = east(t, [0.0, 0.0], accuracy_m=[100.0] * 2), east(t, [apart] * 2, accuracy_m=[100.0] * 2)
        found = encounters_recorded(table([a, b]))
        assert found.verdict.tolist() == [verdict]
        assert (found.confidence[0] > 0.5) == (apart < 9260.0)
    assert len(encounters_recorded(table([a, east(t, [9500.0] * 2, accuracy_m=[100.0] * 2)]))) == 0


def test_r2_7_altitudes_of_unlike_datum_are_not_compared() -> None:
    a, b = head_on()
    b["altitude_geo_m"], b["altitude_baro_m"] = np.full(5, 9000.0), np.full(5, np.nan)
    found = encounters_recorded(table([a, b]))
    assert found.verdict.tolist() == [Verdict.INDETERMINATE]
    assert found.to_arrow()["datum"].to_pylist() == ["UNKNOWN"]
    assert math.isnan(found.cpa_vertical_m[0])
    a["altitude_geo_m"] = np.full(5, 9100.0)
    found = encounters_recorded(table([a, b]))
    assert found.to_arrow()["datum"].to_pylist() == ["WGS84"]
    assert found.cpa_vertical_m[0] == pytest.approx(100.0)
    a["altitude_geo_m"] = np.full(5, 9400.0)
    assert len(encounters_recorded(table([a, b]))) == 0


def test_one_target_and_aircraft_on_the_ground_are_not_paired() -> None:
    assert len(encounters_recorded(table(head_on(target=["4b1617"] * 5)))) == 0
    assert len(encounters_recorded(table(head_on(on_ground=[1] * 5)))) == 0


def test_an_encounter_over_the_antimeridian_and_one_over_the_pole() -> None:
    t = [0.0, 100.0]
    dateline = [
        {"t": t, "lat": [0.0, 0.0], "lon": [179.9, -179.92]},
        {"t": t, "lat": [0.0, 0.0], "lon": [-179.9, 179.92]},
    ]
    found = encounters_recorded(table(dateline))
    assert found.cpa_horizontal_m[0] == pytest.approx(0.0, abs=1.0)
    assert abs(abs(found.a_lon_deg[0]) - 180.0) < 1e-3
    pole = [{"t": t, "lat": [89.9, 89.9], "lon": [0.0, 180.0]}, {"t": t, "lat": [89.9, 89.9], "lon": [90.0, -90.0]}]
    found = encounters_recorded(table(pole))
    assert found.cpa_time_s[0] - START_S == pytest.approx(50.0, abs=0.1)
    assert found.cpa_horizontal_m[0] == pytest.approx(0.0, abs=2.0)
    assert found.a_lat_deg[0] == pytest.approx(90.0, abs=1e-3)


def test_nothing_recorded_is_no_rows() -> None:
    empty = TrackTable(ReportBatch.empty(), np.zeros(1, np.int64), (), np.zeros(0, np.uint8), 60.0)
    found = encounters_recorded(empty)
    assert len(found) == 0
    assert found.to_arrow().num_rows == 0
    assert len(encounters_recorded(table([east([0.0], [0.0]), east([0.0], [0.0])]))) == 0


def walk(rng: np.random.Generator, lat: float, lon: float, irregular: bool) -> dict[str, Any]:
    n = 12
    t = np.cumsum(rng.uniform(2.0, 25.0, n)) if irregular else np.arange(n) * 10.0
    speed, heading = rng.uniform(20, 250), rng.uniform(0, 360)
    here = (lat + rng.normal(0, 0.05), lon + rng.normal(0, 0.05))
    lats, lons = [here[0]], [here[1]]
    for k in range(1, n):
        heading += rng.normal(0, 25)
        end = Geodesic.WGS84.Direct(lats[-1], lons[-1], heading, speed * (t[k] - t[k - 1]))
        lats.append(end["lat2"])
        lons.append(end["lon2"])
    altitude = 3000.0 + np.cumsum(rng.normal(0, 60, n))
    return {"t": t, "lat": lats, "lon": lons, "altitude_baro_m": altitude}


def dense_look(tracks: TrackTable, i: int, j: int, thresholds: Thresholds, step: float) -> list[tuple[float, bool]]:
    """The slow twin: (time, lost) every ``step`` seconds, places on the geodesic between two reports."""
    sides = []
    for k in (i, j):
        rows = slice(tracks.start[k], tracks.start[k + 1])
        r = tracks.reports.take(rows)
        sides.append((r.time_s, r.lat_deg, r.lon_deg, r.altitude_baro_m))
    begin, end = max(s[0][0] for s in sides), min(s[0][-1] for s in sides)
    looks = []
    for t in np.arange(begin, end, step):
        places = []
        for time, lat, lon, altitude in sides:
            k = min(int(np.searchsorted(time, t, side="right")) - 1, len(time) - 2)
            f = (t - time[k]) / (time[k + 1] - time[k])
            line = Geodesic.WGS84.InverseLine(lat[k], lon[k], lat[k + 1], lon[k + 1])
            place = line.Position(f * line.s13)
            places.append((place["lat2"], place["lon2"], altitude[k] + f * (altitude[k + 1] - altitude[k])))
        (a_lat, a_lon, a_alt), (b_lat, b_lon, b_alt) = places
        distance = Geodesic.WGS84.Inverse(a_lat, a_lon, b_lat, b_lon)["s12"]
        lost = distance < thresholds.horizontal_m and abs(a_alt - b_alt) < thresholds.vertical_m
        looks.append((float(t), bool(lost)))
    return looks


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6), irregular=st.booleans(),
    place=st.sampled_from([(50.0, 10.0), (0.0, 179.98), (89.97, 0.0), (-60.0, -180.0)]),
    thresholds=st.sampled_from([RADAR_SEPARATION, Thresholds(2000.0, 150.0)]),
)  # fmt: skip
def test_every_instant_agrees_with_a_dense_look_along_geodesics(
    seed: int, irregular: bool, place: tuple[float, float], thresholds: Thresholds
) -> None:
    rng = np.random.default_rng(seed)
    tracks = table([walk(rng, *place, irregular) for _ in range(3)])
    found = encounters_recorded(tracks, thresholds, hysteresis=1.0)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        rows = np.flatnonzero((found.track_a == i) & (found.track_b == j))
        spans = [(found.entry_time_s[k], found.exit_time_s[k]) for k in rows.tolist()]
        for t, lost in dense_look(tracks, i, j, thresholds, 1.0):
            inside = any(a - 0.05 <= t <= b + 0.05 for a, b in spans)
            clearly = any(a + 0.05 <= t <= b - 0.05 for a, b in spans)
            assert inside if lost else not clearly


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), shift=st.floats(-180, 180))
def test_order_of_tracks_and_turning_the_earth_change_nothing(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    walks = [walk(rng, 50.0, 10.0, True) for _ in range(8)]

    def rows(found: EncounterTable, number: list[int]) -> dict[tuple[int, int, float], list[float]]:
        answer = {}
        for k in range(len(found)):
            a, b = number[found.track_a[k]], number[found.track_b[k]]
            values = [found.entry_time_s[k], found.exit_time_s[k], found.cpa_horizontal_m[k], found.cpa_vertical_m[k]]
            answer[min(a, b), max(a, b), round(float(found.cpa_time_s[k]), 2)] = values
        return answer

    one = rows(encounters_recorded(table(walks)), list(range(8)))
    order = rng.permutation(8).tolist()
    assert rows(encounters_recorded(table([walks[k] for k in order])), order) == one
    for track in walks:
        track["lon"] = (np.asarray(track["lon"]) + shift + 180.0) % 360.0 - 180.0
    turned = rows(encounters_recorded(table(walks)), list(range(8)))
    assert len(turned) == len(one)
    for a, b in zip(sorted(one.values()), sorted(turned.values())):
        np.testing.assert_allclose(a, b, rtol=0, atol=0.01)


def test_many_tracks_give_what_each_pair_alone_gives() -> None:
    rng = np.random.default_rng(3)
    walks = [walk(rng, 50.0 + rng.normal(0, 0.3), 10.0 + rng.normal(0, 0.3), True) for _ in range(40)]
    found = encounters_recorded(table(walks))
    expected = []
    for i in range(40):
        for j in range(i + 1, 40):
            alone = encounters_recorded(table([walks[i], walks[j]]))
            expected += [(i, j, round(float(t) - START_S, 3)) for t in alone.cpa_time_s.tolist()]
    assert len(expected) > 20
    got = zip(found.track_a.tolist(), found.track_b.tolist(), (found.cpa_time_s - START_S).round(3).tolist())
    assert sorted(got) == sorted(expected)

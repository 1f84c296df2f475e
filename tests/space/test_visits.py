"""Visits are computed on the segments between reports: slow twins in Shapely and GeographicLib, gaps, dips, seams."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keepclear.space.geodesy import distance_m
from keepclear.space.geometry import Circle, EdgeType, Polygon, Shape
from keepclear.space.index import OutlineIndex, Visits

Build = Callable[..., OutlineIndex]
Star = Callable[..., Polygon]
Floats = npt.NDArray[np.float64]


def one_track(
    index: OutlineIndex, lon: npt.ArrayLike, lat: npt.ArrayLike, time: npt.ArrayLike, altitude: npt.ArrayLike = 0.0,
    breaks: npt.ArrayLike = False, merge_gap_s: float = 0.0, high: npt.ArrayLike | None = None,
) -> Visits:  # fmt: skip
    x = np.asarray(lon, dtype=np.float64)
    n = len(x)
    low = np.broadcast_to(np.asarray(altitude, dtype=np.float64), n).copy()
    top = low if high is None else np.broadcast_to(np.asarray(high, dtype=np.float64), n).copy()
    flags = np.broadcast_to(np.asarray(breaks, dtype=np.bool_), n).copy()
    return index.visits(
        x, np.asarray(lat, dtype=np.float64), low, top, np.asarray(time, dtype=np.float64), np.array([0, n]), flags,
        merge_gap_s=merge_gap_s,
    )  # fmt: skip


BOX = Polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)), edge_type=EdgeType.STRAIGHT)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000), st.integers(3, 40), st.sampled_from([0.0, 179.99, -179.995]), st.floats(-70.0, 70.0),
    st.sampled_from([100, 3_000]),
)  # fmt: skip
def test_equals_the_slow_twin_in_the_plane(
    star: Star, build: Build, seed: int, vertices: int, lon: float, lat: float, cells: int
) -> None:
    """Small polygons and short legs, where straight in lon/lat is the geodesic: Shapely cuts the legs, plain Python
    cuts what is left with altitude band and time limits."""
    polygon = star(seed, lon, lat, 0.02, vertices)
    ring = np.array(polygon.exterior)
    planar = shapely.Polygon(np.column_stack([np.unwrap(ring[:, 0], period=360.0), ring[:, 1]]))
    rng = np.random.default_rng(seed)
    n = 20
    x = lon + np.cumsum(rng.normal(0.0, 0.008, n))
    x += 0.5 * (planar.bounds[0] + planar.bounds[2]) - lon
    y = lat + np.clip(np.cumsum(rng.normal(0.0, 0.008, n)), -0.04, 0.04)
    h = np.cumsum(rng.normal(0.0, 30.0, n))
    h[rng.uniform(size=n) < 0.05] = np.nan
    t = np.cumsum(rng.uniform(1.0, 10.0, n))
    limits = np.array([-50.0, 80.0, float(t[3]) + 0.5, float(t[-3]) + 0.5])
    visits = one_track(
        build([polygon], [limits], cells), (x + 180.0) % 360.0 - 180.0, y, t, altitude=h, merge_gap_s=0.0
    )
    total, spans = 0.0, []
    for k in range(n - 1):
        leg = shapely.LineString([(x[k], y[k]), (x[k + 1], y[k + 1])])
        cut = leg.intersection(planar)
        for part in getattr(cut, "geoms", [cut]):
            if part.is_empty or part.length == 0.0:
                continue
            ends = sorted(leg.project(shapely.Point(c)) / leg.length for c in (part.coords[0], part.coords[-1]))
            f0, f1 = ends
            if np.isfinite(h[k]) and np.isfinite(h[k + 1]) and h[k] != h[k + 1]:
                at = sorted((limit - h[k]) / (h[k + 1] - h[k]) for limit in limits[:2])
                f0, f1 = max(f0, at[0]), min(f1, at[1])
            elif np.isfinite(h[k]) and np.isfinite(h[k + 1]) and not limits[0] <= h[k] <= limits[1]:
                continue
            s0 = max(t[k] + f0 * (t[k + 1] - t[k]), limits[2])
            s1 = min(t[k] + f1 * (t[k + 1] - t[k]), limits[3])
            if s1 > s0:
                total += s1 - s0
                spans.append((s0, s1))
    merged: list[list[float]] = []
    for s0, s1 in sorted(spans):
        if merged and s0 - merged[-1][1] < 1e-5:
            merged[-1][1] = max(merged[-1][1], s1)
        else:
            merged.append([s0, s1])
    assert visits.inside_s.sum() == pytest.approx(total, abs=1e-4)
    long_enough = [m for m in merged if m[1] - m[0] > 1e-4]
    found = [(a, b) for a, b in zip(visits.enter_s, visits.exit_s, strict=True) if b - a > 1e-4]
    assert np.allclose(found, long_enough, atol=1e-4) if found else not long_enough


@settings(max_examples=60, deadline=None)
@example(0.0, 77.0, 5.5, 8.0, 0.0, 3.0)  # the first guess at the rim lay beside the piece that crosses it
@given(
    st.floats(-180.0, 180.0), st.floats(-89.0, 89.0), st.floats(1.0, 6.0), st.floats(0.0, 360.0),
    st.floats(-1.2, 1.2), st.floats(0.3, 3.0),
)  # fmt: skip
def test_circles_are_entered_and_left_on_their_rim(
    build: Build, lon: float, lat: float, power: float, course: float, offset: float, reach: float
) -> None:
    """A leg past the centre at ``offset`` radii, against the exact geodesic: ends on the rim, middle inside."""
    radius = 10.0**power
    foot = Geodesic.WGS84.Direct(lat, lon, course + 90.0, offset * radius)
    way = foot["azi2"] - 90.0
    a = Geodesic.WGS84.Direct(foot["lat2"], foot["lon2"], way + 180.0, reach * radius)
    b = Geodesic.WGS84.Direct(foot["lat2"], foot["lon2"], way, reach * radius)
    visits = one_track(build([Circle(lon, lat, radius)]), [a["lon2"], b["lon2"]], [a["lat2"], b["lat2"]], [0.0, 100.0])
    line = Geodesic.WGS84.InverseLine(a["lat2"], a["lon2"], b["lat2"], b["lon2"])
    # How far the way followed may be from the geodesic, and so from the rim.
    slack = 1.5 if line.s13 < 200e3 else 1.5 + 60.0 * (line.s13 / 1e6) ** 2
    depth = [
        radius - float(distance_m(lon, lat, p["lon2"], p["lat2"]))
        for p in (line.Position(line.s13 * f) for f in np.linspace(0.0, 1.0, 101))
    ]
    if max(depth) > slack:
        assert len(visits) == 1
        for seen, x, y in (
            (visits.entered[0], visits.enter_lon_deg[0], visits.enter_lat_deg[0]),
            (visits.left[0], visits.exit_lon_deg[0], visits.exit_lat_deg[0]),
        ):
            d = float(distance_m(lon, lat, x, y))
            if seen:
                assert d == pytest.approx(radius, abs=0.05)
            else:
                assert d <= radius + 0.05
        # Sampled points well inside lie between entry and exit, points well outside do not.
        for k, value in enumerate(depth):
            if value > slack * 2:
                assert visits.enter_s[0] - 0.1 <= k <= visits.exit_s[0] + 0.1
            elif value < -slack * 2:
                assert not visits.enter_s[0] < k < visits.exit_s[0]
    elif max(depth) < -slack:
        assert len(visits) == 0


def test_r2_8_a_crossing_between_two_reports_is_seen(build: Build) -> None:
    """Neither report is inside; the leg is."""
    visits = one_track(build([BOX]), [-0.5, 1.5], [0.5, 0.5], [0.0, 200.0])
    assert len(visits) == 1
    assert visits.enter_s[0] == pytest.approx(50.0, abs=0.01)
    assert visits.exit_s[0] == pytest.approx(150.0, abs=0.01)
    assert visits.entered[0]
    assert visits.left[0]
    assert (visits.first_report[0], visits.last_report[0]) == (0, 1)
    assert visits.enter_lon_deg[0] == pytest.approx(0.0, abs=1e-9)


def test_r2_9_a_dip_is_one_violation(build: Build) -> None:
    """Out over the border for 4 s and back: one visit with a merge gap of 5 s, two without."""
    lon, time = [-0.5, 0.5, 1.01, 0.5], [0.0, 100.0, 151.0, 202.0]
    index = build([BOX])
    two = one_track(index, lon, [0.5] * 4, time)
    assert len(two) == 2
    one = one_track(index, lon, [0.5] * 4, time, merge_gap_s=5.0)
    assert len(one) == 1
    assert one.inside_s[0] == pytest.approx(two.inside_s.sum())
    assert one.exit_s[0] == 202.0
    assert not one.left[0]
    assert (one.first_report[0], one.last_report[0]) == (0, 3)


def test_a_gap_ends_a_visit_unseen(build: Build) -> None:
    visits = one_track(build([BOX]), [0.2, 0.4, 0.6, 0.8], [0.5] * 4, [0.0, 10.0, 1000.0, 1010.0], breaks=[0, 0, 1, 0])
    assert visits.enter_s.tolist() == [0.0, 1000.0]
    assert visits.exit_s.tolist() == [10.0, 1010.0]
    assert not visits.entered.any()
    assert not visits.left.any()


def test_no_line_is_drawn_over_a_gap(build: Build) -> None:
    assert len(one_track(build([BOX]), [-0.5, 1.5], [0.5, 0.5], [0.0, 200.0], breaks=[0, 1])) == 0


def test_a_single_report_is_a_visit_of_no_length(build: Build) -> None:
    index = build([BOX], [[0.0, 100.0, 0.0, 50.0]])
    visits = one_track(index, [0.5], [0.5], [10.0], altitude=50.0)
    assert len(visits) == 1
    assert visits.enter_s[0] == visits.exit_s[0] == 10.0
    assert visits.inside_s[0] == 0.0
    assert len(one_track(index, [0.5], [0.5], [10.0], altitude=200.0)) == 0
    assert len(one_track(index, [0.5], [0.5], [60.0], altitude=50.0)) == 0
    isolated = one_track(index, [0.5, 0.5, 0.5], [0.5] * 3, [10.0, 20.0, 30.0], altitude=50.0, breaks=[0, 1, 1])
    assert len(isolated) == 3


def test_altitude_band_climb_and_unknown(build: Build) -> None:
    index = build([BOX], [[100.0, 200.0, -np.inf, np.inf]])
    climb = one_track(index, [0.4, 0.41], [0.5, 0.5], [0.0, 100.0], altitude=[0.0, 400.0])
    assert (climb.enter_s[0], climb.exit_s[0]) == (pytest.approx(25.0), pytest.approx(50.0))
    # The band of uncertainty touches the zone although its middle does not.
    unsure = one_track(index, [0.4, 0.41], [0.5, 0.5], [0.0, 100.0], altitude=[50.0, 50.0], high=[120.0, 120.0])
    assert unsure.inside_s[0] == 100.0
    assert len(one_track(index, [0.4, 0.41], [0.5, 0.5], [0.0, 100.0], altitude=[50.0, 50.0])) == 0
    unknown = one_track(index, [0.4, 0.41], [0.5, 0.5], [0.0, 100.0], altitude=[np.nan, 300.0])
    assert unknown.inside_s[0] == 100.0


def test_time_limits_begin_and_end_a_visit(build: Build) -> None:
    visits = one_track(build([BOX], [[-1e9, 1e9, 30.0, 70.0]]), [0.4, 0.41], [0.5, 0.5], [0.0, 100.0])
    assert (visits.enter_s[0], visits.exit_s[0]) == (pytest.approx(30.0), pytest.approx(70.0))
    assert visits.entered[0]
    assert visits.left[0]


@pytest.mark.parametrize("step", [0.005, 0.05, 0.5])
def test_over_the_antimeridian(build: Build, step: float) -> None:
    box = Polygon(((179.0, -1.0), (-179.0, -1.0), (-179.0, 1.0), (179.0, 1.0)), edge_type=EdgeType.STRAIGHT)
    x = np.arange(178.75, 181.25 + step / 2, step)
    visits = one_track(
        build([box, Circle(180.0, 0.0, 50_000.0)]), (x + 180.0) % 360.0 - 180.0, 0.0 * x, (x - 178.75) * 100
    )
    assert visits.outline_row.tolist() == [0, 1]
    assert visits.enter_s[0] == pytest.approx(25.0, abs=1e-6)
    assert visits.exit_s[0] == pytest.approx(225.0, abs=1e-6)
    assert distance_m(visits.enter_lon_deg[1], visits.enter_lat_deg[1], 180.0, 0.0) == pytest.approx(50_000.0, abs=0.05)


def test_over_the_pole(build: Build) -> None:
    cap: list[Shape] = [
        Polygon(((0.0, 85.0), (90.0, 85.0), (180.0, 85.0), (-90.0, 85.0)), edge_type=EdgeType.RHUMB),
        Circle(0.0, 90.0, 300_000.0),
        Circle(0.0, -90.0, 300_000.0),
    ]
    visits = one_track(build(cap), [40.0, -140.0], [80.0, 80.0], [0.0, 1000.0])
    assert visits.outline_row.tolist() == [0, 1]
    assert visits.enter_s[0] == pytest.approx(250.0, abs=1.0)
    assert visits.exit_s[0] == pytest.approx(750.0, abs=1.0)
    assert distance_m(visits.enter_lon_deg, visits.enter_lat_deg, 0.0, 90.0)[1] == pytest.approx(300_000.0, abs=0.05)
    assert distance_m(visits.exit_lon_deg, visits.exit_lat_deg, 0.0, 90.0)[1] == pytest.approx(300_000.0, abs=0.05)


@settings(max_examples=60, deadline=None)
@given(st.floats(-180.0, 180.0), st.floats(-5.0, 0.0), st.floats(0.0, 360.0), st.floats(100.0, 150_000.0))
def test_a_leg_beside_a_pole_or_over_it_is_where_the_geodesic_is(
    build: Build, lon: float, power: float, aside: float, length: float
) -> None:
    """Straight in longitude and latitude it would go round the pole in a spiral; entries are 60° sectors' sides."""
    sectors = [
        Polygon(((x, 80.0), (x + 60.0, 80.0), (x + 60.0, 90.0), (x, 90.0)), edge_type=EdgeType.STRAIGHT)
        for x in np.arange(-180.0, 180.0, 60.0).tolist()
    ]
    start = Geodesic.WGS84.Direct(90.0 - 10.0**power, lon, aside, 0.6 * length)
    back = Geodesic.WGS84.Inverse(start["lat2"], start["lon2"], 90.0 - 10.0**power, lon)["azi1"]
    line = Geodesic.WGS84.Line(start["lat2"], start["lon2"], back)
    end = line.Position(length)
    index = build(sectors)
    found = one_track(index, [start["lon2"], end["lon2"]], [start["lat2"], end["lat2"]], [0.0, 1000.0])
    for t, x, y in zip(found.enter_s, found.enter_lon_deg, found.enter_lat_deg):
        at = line.Position(length * t / 1000.0)
        assert distance_m(at["lon2"], at["lat2"], x, y) < 2.5
    middle = [line.Position(length * t / 1000.0) for t in 0.5 * (found.enter_s + found.exit_s)]
    x, y = np.array([(p["lon2"] + 180.0) % 360.0 - 180.0 for p in middle]), np.array([p["lat2"] for p in middle])
    assert (index.boundary_distance(x, y, found.outline_row) > -2.5).all()


def test_a_long_leg_follows_the_geodesic(build: Build) -> None:
    """600 km along 60° N bow 10 km to the north: the leg enters a box that the parallel does not."""
    middle = Geodesic.WGS84.InverseLine(60.0, 0.0, 60.0, 11.0)
    top = middle.Position(middle.s13 / 2)
    box = Polygon(
        ((5.0, top["lat2"] - 0.001), (6.0, top["lat2"] - 0.001), (6.0, 60.5), (5.0, 60.5)), edge_type=EdgeType.STRAIGHT
    )
    visits = one_track(build([box]), [0.0, 11.0], [60.0, 60.0], [0.0, 2000.0])
    assert len(visits) == 1
    assert visits.enter_lat_deg[0] == pytest.approx(top["lat2"] - 0.001, abs=2e-5)


@pytest.mark.parametrize("seed", range(12))
def test_dense_tracks_everywhere_agree_with_positions(build: Build, world: list[Shape], seed: int) -> None:
    """Each report that is inside by itself lies in a visit of its track, and no other does."""
    index = build(world)
    rng = np.random.default_rng(seed)
    tracks, n = 12, 120
    course, speed = rng.uniform(0.0, 360.0, tracks), rng.uniform(50.0, 3000.0, tracks)
    lon, lat = np.empty((tracks, n)), np.empty((tracks, n))
    for k in range(tracks):
        shape = world[int(rng.integers(len(world)))]
        place = (shape.lon_deg, shape.lat_deg) if isinstance(shape, Circle) else shape.exterior[0]
        line = Geodesic.WGS84.Line(place[1], place[0], course[k])
        at = [line.Position(speed[k] * 10.0 * (i - n / 2 + 0.37)) for i in range(n)]
        lon[k], lat[k] = [p["lon2"] for p in at], [p["lat2"] for p in at]
    x, y = lon.ravel(), lat.ravel()
    zero, time = np.zeros(tracks * n), np.tile(np.arange(n) * 10.0, tracks)
    visits = index.visits(x, y, zero, zero, time, np.arange(0, tracks * n + 1, n), np.zeros(tracks * n, np.bool_))
    report, row = index.positions(x, y, zero, time)
    covered = np.zeros((tracks * n, len(world)), np.bool_)
    margin = np.zeros((tracks * n, len(world)), np.bool_)
    for k in range(len(visits)):
        base = visits.track[k] * n
        here = time[base : base + n]
        a, b = visits.enter_s[k], visits.exit_s[k]
        covered[base : base + n, visits.outline_row[k]] |= (here >= a) & (here <= b)
        margin[base : base + n, visits.outline_row[k]] |= (np.abs(here - a) < 0.05) | (np.abs(here - b) < 0.05)
    inside = np.zeros_like(covered)
    inside[report, row] = True
    wrong = np.argwhere((inside != covered) & ~margin)[:5]
    assert wrong.tolist() == []


def test_large_calls_agree_with_track_by_track(build: Build, world: list[Shape]) -> None:
    index = build(world)
    rng = np.random.default_rng(9)
    tracks, n = 300, 100
    lon = rng.uniform(-180, 180, (tracks, 1)) + np.cumsum(rng.normal(0, 0.3, (tracks, n)), axis=1)
    lat = np.clip(rng.uniform(-80, 80, (tracks, 1)) + np.cumsum(rng.normal(0, 0.3, (tracks, n)), axis=1), -90, 90)
    x, y = ((lon + 180.0) % 360.0 - 180.0).ravel(), lat.ravel()
    time, zero, flags = np.tile(np.arange(n) * 60.0, tracks), np.zeros(tracks * n), rng.uniform(size=tracks * n) < 0.03
    whole = index.visits(x, y, zero, zero, time, np.arange(0, tracks * n + 1, n), flags, merge_gap_s=10.0)
    parts = []
    for k in range(tracks):
        cut = slice(k * n, (k + 1) * n)
        part = index.visits(
            x[cut], y[cut], zero[cut], zero[cut], time[cut], np.array([0, n]), flags[cut], merge_gap_s=10.0
        )
        parts.append(part)
    assert len(whole) == sum(len(p) for p in parts) > 100
    assert np.array_equal(whole.enter_s, np.concatenate([p.enter_s for p in parts]))
    assert np.array_equal(whole.exit_lat_deg, np.concatenate([p.exit_lat_deg for p in parts]))
    assert np.array_equal(whole.first_report, np.concatenate([p.first_report + n * k for k, p in enumerate(parts)]))
    assert (np.diff(whole.track) >= 0).all()


def test_unknown_places_break_the_track(build: Build) -> None:
    visits = one_track(build([BOX]), [0.2, np.nan, 0.6, 0.8], [0.5] * 4, [0.0, 10.0, 20.0, 30.0])
    assert visits.enter_s.tolist() == [0.0, 20.0]
    assert visits.exit_s.tolist() == [0.0, 30.0]


def test_no_tracks_have_no_visits(build: Build) -> None:
    empty = np.empty(0)
    visits = build([BOX]).visits(empty, empty, empty, empty, empty, np.array([0]), np.empty(0, np.bool_))
    assert len(visits) == 0

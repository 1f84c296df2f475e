"""Predicted stays begin where constant velocity along the geodesic meets the outline; boundary distances are true."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.space.geodesy import distance_m
from keepclear.space.geometry import Circle, EdgeType, Polygon, Shape
from keepclear.space.index import Ahead, OutlineIndex
from keepclear.space.warmup import warm_up

Build = Callable[..., OutlineIndex]
Star = Callable[..., Polygon]


def one(
    index: OutlineIndex, lon: float, lat: float, course: float, speed: float, horizon: float,
    altitude: float = 0.0, up: float = 0.0, time: float = 0.0,
) -> Ahead:  # fmt: skip
    def column(v: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([v])

    east, north = speed * math.sin(math.radians(course)), speed * math.cos(math.radians(course))
    return index.ahead(
        column(lon), column(lat), column(altitude), column(time), column(east), column(north), column(up), horizon
    )


@settings(max_examples=80, deadline=None)
@given(
    st.floats(-180.0, 180.0), st.floats(-88.0, 88.0), st.floats(0.0, 360.0), st.floats(100.0, 50_000.0),
    st.floats(0.1, 0.9), st.floats(50.0, 600.0),
)  # fmt: skip
def test_entry_into_a_circle_is_on_time_and_on_its_rim(
    build: Build, lon: float, lat: float, course: float, radius: float, miss: float, speed: float
) -> None:
    """The twin walks the exact geodesic by bisection for the time of entry."""
    centre = Geodesic.WGS84.Direct(lat, lon, course, radius * 2.0)
    aside = Geodesic.WGS84.Direct(centre["lat2"], centre["lon2"], centre["azi2"] + 90.0, miss * radius)
    x, y = (aside["lon2"] + 180.0) % 360.0 - 180.0, aside["lat2"]
    horizon = 2.0 * radius / speed
    found = one(build([Circle(x, y, radius)]), lon, lat, course, speed, horizon)
    line = Geodesic.WGS84.Line(lat, lon, course)

    def depth(t: float) -> float:
        p = line.Position(speed * t)
        return radius - float(distance_m(x, y, p["lon2"], p["lat2"]))

    low, high = 0.0, horizon
    assert depth(high) > 0.0 > depth(low)
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if depth(middle) < 0.0 else (low, middle)
    assert len(found) == 1
    way = radius * 2.0
    slack = (11.0 if way <= 20_000.0 and abs(lat) < 79.0 else 11.0 + 0.001 * way) / math.sqrt(1.0 - miss * miss)
    assert abs(found.enter_s[0] - high) * speed <= slack
    assert distance_m(found.enter_lon_deg[0], found.enter_lat_deg[0], x, y) == pytest.approx(radius, abs=0.05)
    assert found.exit_s[0] == horizon


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(-179.9, 179.9), st.floats(-75.0, 75.0), st.floats(0.0, 360.0))
def test_stays_agree_with_points_along_the_way(
    star: Star, build: Build, seed: int, lon: float, lat: float, course: float
) -> None:
    polygon = star(seed, lon, lat, 0.1, 12)
    index = build([polygon])
    start = Geodesic.WGS84.Direct(lat, lon, course + 190.0, 12_000.0)
    horizon, speed = 60.0, 250.0
    found = one(index, (start["lon2"] + 180) % 360 - 180, start["lat2"], course, speed, horizon)
    line = Geodesic.WGS84.Line(start["lat2"], start["lon2"], course)
    t = np.linspace(0.0, horizon, 301)
    at = [line.Position(speed * float(s)) for s in t]
    x = np.array([(p["lon2"] + 180.0) % 360.0 - 180.0 for p in at])
    y = np.array([p["lat2"] for p in at])
    depth = index.boundary_distance(x, y, np.zeros(len(t), np.int64))
    clear_in, clear_out = depth > 15.0, depth < -15.0
    assert len(found) <= 1
    if len(found) == 0:
        assert not clear_in.any()
        return
    enter, leave = float(found.enter_s[0]), float(found.exit_s[0])
    # Nothing clearly inside before the entry, nothing clearly outside during the stay.
    assert not clear_in[t < enter].any()
    assert not clear_out[(t > enter) & (t < leave)].any()
    if enter > 0.0:
        edge = index.boundary_distance(found.enter_lon_deg, found.enter_lat_deg, found.outline_row)
        assert abs(float(edge[0])) < 0.01


def test_inside_now_altitude_time_and_unknowns(build: Build) -> None:
    index = build([Circle(0.0, 0.0, 5_000.0)], [[1000.0, 2000.0, 30.0, 1e9]])
    assert one(index, 0.0, 0.0, 90.0, 10.0, 60.0, altitude=1500.0).enter_s.tolist() == [30.0]
    assert one(index, 0.0, 0.0, 90.0, 10.0, 60.0, altitude=1500.0, time=40.0).enter_s.tolist() == [0.0]
    climbing = one(index, 0.0, 0.0, 90.0, 10.0, 60.0, altitude=500.0, up=10.0, time=40.0)
    assert climbing.enter_s[0] == pytest.approx(50.0)
    assert len(one(index, 0.0, 0.0, 90.0, 10.0, 60.0, altitude=500.0, time=40.0)) == 0
    assert one(index, 0.0, 0.0, 90.0, 10.0, 60.0, altitude=math.nan, time=40.0).enter_s.tolist() == [0.0]
    assert one(index, 0.0, 0.0, 90.0, math.nan, 60.0, altitude=1500.0, time=40.0).enter_s.tolist() == [0.0]
    assert one(index, 0.0, 0.0, 90.0, 10.0, 0.0, altitude=1500.0, time=40.0).enter_s.tolist() == [0.0]
    assert len(one(index, math.nan, 0.0, 90.0, 10.0, 60.0, altitude=1500.0, time=40.0)) == 0


def test_over_the_antimeridian_and_the_pole(build: Build) -> None:
    index = build([Circle(-179.9, 0.0, 5_000.0), Circle(90.0, 89.9, 5_000.0)])
    east = one(index, 179.95, 0.0, 90.0, 250.0, 120.0)
    assert east.outline_row.tolist() == [0]
    assert east.enter_s[0] == pytest.approx((distance_m(179.95, 0.0, -179.9, 0.0) - 5000.0) / 250.0, abs=0.05)
    north = one(index, -90.0, 89.9, 0.0, 250.0, 120.0)
    assert north.outline_row.tolist() == [1]
    assert north.enter_s[0] == pytest.approx((distance_m(-90.0, 89.9, 90.0, 89.9) - 5000.0) / 250.0, abs=0.05)


def test_large_calls_agree_with_small_ones(build: Build, world: list[Shape]) -> None:
    index = build(world)
    rng = np.random.default_rng(4)
    n = 12_000
    lon, lat = rng.uniform(-180, 180, n), rng.uniform(-90, 90, n)
    east, north, zero = rng.normal(0, 200, n), rng.normal(0, 200, n), np.zeros(n)
    whole = index.ahead(lon, lat, zero, zero, east, north, zero, 600.0)
    parts = []
    for a in range(0, n, 1000):
        x, y, z, e, v = (c[a : a + 1000] for c in (lon, lat, zero, east, north))
        parts.append(index.ahead(x, y, z, z, e, v, z, 600.0))
    assert len(whole) == sum(len(p) for p in parts) > 500
    assert np.array_equal(whole.enter_s, np.concatenate([p.enter_s for p in parts]))
    assert np.array_equal(whole.report, np.concatenate([p.report + 1000 * k for k, p in enumerate(parts)]))
    # Who is inside now enters at once.
    report, row = index.positions(lon, lat, zero, zero)
    now = set(zip(whole.report[whole.enter_s == 0.0].tolist(), whole.outline_row[whole.enter_s == 0.0].tolist()))
    assert now == set(zip(report.tolist(), row.tolist()))


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 10_000), st.floats(-180.0, 180.0), st.floats(-89.0, 89.0), st.floats(-1.0, 1.0), st.floats(-1.0, 1.0)
)
def test_boundary_distance_equals_the_slow_twin(
    star: Star, build: Build, seed: int, lon: float, lat: float, dx: float, dy: float
) -> None:
    """The twin searches each edge for the least exact distance (ternary search on the geodesic distance)."""
    index = build([star(seed, lon, lat, 0.4, 24)])
    o = index.outlines
    px = (lon + 0.5 * dx / max(0.05, math.cos(math.radians(lat))) + 180.0) % 360.0 - 180.0
    py = min(89.9, max(-89.9, lat + 0.5 * dy))
    e = o.edges[o.real == 1]
    low, high = np.zeros(len(e)), np.ones(len(e))

    def away(f: object) -> object:
        g = np.asarray(f)
        return distance_m(
            px, py, e[:, 0] + g * (e[:, 2] - e[:, 0]), np.clip(e[:, 1] + g * (e[:, 3] - e[:, 1]), -90, 90)
        )

    for _ in range(60):
        a, b = low + (high - low) / 3.0, high - (high - low) / 3.0
        nearer = np.asarray(away(a)) < np.asarray(away(b))
        low, high = np.where(nearer, low, a), np.where(nearer, b, high)
    exact = float(np.min(np.asarray(away(0.5 * (low + high)))))
    found = float(index.boundary_distance(np.array([px]), np.array([py]), np.zeros(1, np.int64))[0])
    assert abs(found) == pytest.approx(exact, rel=1e-4, abs=0.01)
    zero = np.zeros(1)
    assert (found > 0.0) == bool(len(index.positions(np.array([px]), np.array([py]), zero, zero)[0]))


def test_boundary_distance_of_circles_caps_and_large_outlines(build: Build, star: Star) -> None:
    large = star(5, 10.0, 50.0, 3.0, 10_000)
    cap = Polygon(((0.0, 80.0), (120.0, 80.0), (-120.0, 80.0)), edge_type=EdgeType.RHUMB)
    index = build([Circle(0.0, 0.0, 1000.0), cap, large])
    lon, lat = np.array([0.0, 0.0, 50.0, 77.0, 10.0, np.nan]), np.array([0.0, 0.1, 90.0, 79.0, 50.0, 0.0])
    found = index.boundary_distance(lon, lat, np.array([0, 0, 1, 1, 2, 2]))
    assert found[0] == pytest.approx(1000.0)
    assert found[1] == pytest.approx(1000.0 - distance_m(0.0, 0.0, 0.0, 0.1))
    assert found[2] == pytest.approx(float(distance_m(0.0, 80.0, 0.0, 90.0)), abs=10.0)
    assert found[3] == pytest.approx(-float(distance_m(0.0, 79.0, 0.0, 80.0)), abs=2.0)
    vertices = np.array(large.exterior)
    assert 0.0 < found[4] <= float(np.min(distance_m(10.0, 50.0, vertices[:, 0], vertices[:, 1])))
    assert np.isnan(found[5])


def test_warm_up_says_what_it_does() -> None:
    said: list[str] = []
    warm_up(said.append)
    assert said == ["geodesics", "outlines", "zone index", "positions", "visits", "predictions"]

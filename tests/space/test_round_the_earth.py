"""Outlines that touch a pole, go round one or overtake themselves: judged as the even-odd rule on a cylinder says.

The twin goes down the position's meridian to the South Pole and counts the edges it meets, straight in longitude and
latitude; no frame of longitudes, no seam and no closing edges are in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.space.geodesy import distance_m
from keepclear.space.geometry import Circle, EdgeType, Polygon, Ring
from keepclear.space.index import OutlineIndex
from keepclear.space.outlines import build_outlines

Build = Callable[..., OutlineIndex]
Floats = npt.NDArray[np.float64]
ASIDE_DEG = 3.7e-11
"""The twin looks 4 µm beside a position: no vertex lies on its meridian then."""


def wrapped(lon: float) -> float:
    return (lon + 180.0) % 360.0 - 180.0


def unwrapped(ring: Ring) -> Floats:
    """[n + 1, 2] each vertex the shorter way from the one before, the first again at the end."""
    x = [ring[0][0]]
    for a, b in zip(ring, (*ring[1:], ring[0])):
        x.append(x[-1] + wrapped(b[0] - a[0]))
    turns = round((x[-1] - x[0]) / 360.0)
    return np.column_stack([[*x[:-1], x[0] + 360.0 * turns], [v[1] for v in (*ring, ring[0])]])


def on_the_south(polygon: Polygon) -> bool:
    """Whether the South Pole is inside: if rings go round the poles oddly often, the first leaves less Earth there."""
    turning = [r for r in map(unwrapped, (polygon.exterior, *polygon.holes)) if round((r[-1, 0] - r[0, 0]) / 360.0) % 2]
    if len(turning) % 2 == 0:
        return False
    f = (np.arange(2_000) + 0.5) / 2_000
    x, y = turning[0].T
    sines = np.sin(np.radians(y[:-1, None] + f * np.diff(y)[:, None])).mean(axis=1)
    return bool((sines * np.diff(x)).sum() / (x[-1] - x[0]) < 0.0)


def holds(polygon: Polygon, lon: Floats, lat: Floats) -> npt.NDArray[np.bool_]:
    inside = np.full(len(lon), on_the_south(polygon))
    px = lon[:, None] + ASIDE_DEG
    for ring in (polygon.exterior, *polygon.holes):
        x, y = unwrapped(ring).T
        turn = np.floor((x - px) / 360.0)
        turn[:, -1] = turn[:, 0] + np.round((x[-1] - x[0]) / 360.0)
        at = np.maximum(turn[:, 1:], turn[:, :-1]) * 360.0 + px
        with np.errstate(divide="ignore", invalid="ignore"):
            met = y[:-1] + (at - x[:-1]) / np.diff(x) * np.diff(y)
        inside ^= (((turn[:, 1:] != turn[:, :-1]) & (met < lat[:, None])).sum(axis=1) % 2).astype(np.bool_)
    return inside


def inside_of(index: OutlineIndex, lon: Floats, lat: Floats) -> npt.NDArray[np.bool_]:
    zero = np.zeros(len(lon))
    return np.isin(np.arange(len(lon)), index.positions(lon, lat, zero, zero)[0])


def winding(seed: int) -> Polygon:
    """Once or twice round the Earth, forwards and back a little, with a hole anywhere; it may cross itself."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 10))
    steps = 360.0 / n + rng.uniform(-70.0, 70.0, n * int(rng.integers(1, 3)))
    x = float(rng.choice([0.0, -180.0, 1e-7, 57.3])) + np.concatenate([[0.0], np.cumsum(steps)[:-1]])
    y = np.clip(rng.uniform(-80.0, 80.0) + rng.uniform(-40.0, 40.0, len(x)), -90.0, 90.0)
    a, b = rng.uniform(-180.0, 180.0), rng.uniform(-60.0, 60.0)
    hole = ((wrapped(a), b), (wrapped(a + 50.0), b + 5.0), (wrapped(a + 20.0), b + 30.0))
    ring = tuple((wrapped(float(p)), float(q)) for p, q in zip(x, y, strict=True))
    return Polygon(ring, (hole,) if seed % 2 else (), EdgeType.STRAIGHT)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1_000_000))
def test_rings_round_the_earth_hold_what_even_odd_says(build: Build, seed: int) -> None:
    polygon = winding(seed)
    index = build([polygon], cells=int(np.random.default_rng(seed).choice([64, 3_000, 40_000])))
    west, _, east, _ = index.outlines.box[0]
    assert -180.0 <= west < 180.0
    assert east <= west + 360.0
    rng = np.random.default_rng(seed + 1)
    n = 400
    lon, lat = rng.uniform(-180.0, 180.0, n), rng.uniform(-90.0, 90.0, n)
    near = np.array(polygon.exterior)[rng.integers(0, len(polygon.exterior), n // 2)]
    lon[: n // 2] = (near[:, 0] + rng.normal(0.0, 1e-5, n // 2) + 180.0) % 360.0 - 180.0
    away = index.boundary_distance(lon, lat, np.zeros(n, np.int64))
    clear = np.abs(away) > 5.0
    truth = holds(polygon, lon, lat)
    assert np.array_equal((away > 0.0)[clear], truth[clear])
    assert np.array_equal(inside_of(index, lon, lat)[clear], truth[clear])
    # The first stay of a way that is straight enough holds no place that is surely outside, and misses none before it.
    zero, course = np.zeros(n), rng.uniform(0.0, 2.0 * math.pi, n)
    calm = np.abs(lat) < 75.0
    found = index.ahead(lon, lat, zero, zero, 150.0 * np.sin(course), 150.0 * np.cos(course), zero, 120.0)
    enter, leave = np.full(n, np.inf), np.full(n, np.inf)
    enter[found.report], leave[found.report] = found.enter_s, found.exit_s
    for t in (0.0, 30.0, 77.0, 120.0):
        x = lon + 150.0 * t * np.sin(course) / 111_320.0 / np.cos(np.radians(lat))
        y = lat + 150.0 * t * np.cos(course) / 111_000.0
        x = (x + 180.0) % 360.0 - 180.0
        sure = calm & (t <= leave) & (np.abs(index.boundary_distance(x, y, np.zeros(n, np.int64))) > 400.0)
        assert np.array_equal((enter <= t)[sure], holds(polygon, x, y)[sure])


@pytest.mark.parametrize("kind", list(EdgeType))
def test_a_meridian_from_pole_to_pole_is_a_boundary(build: Build, kind: EdgeType) -> None:
    index = build([Polygon(((0.0, -90.0), (0.0, 90.0), (90.0, 90.0), (90.0, -90.0)), edge_type=kind)])
    lon, lat = np.array([1.0, 89.0, -1.0, 91.0, 45.0]), np.array([0.0, 30.0, 0.0, -30.0, 80.5])
    depth = index.boundary_distance(lon, lat, np.zeros(5, np.int64))
    assert inside_of(index, lon, lat).tolist() == [True, True, False, False, True]
    to_meridian = np.asarray(distance_m(lon[:4], lat[:4], np.array([0.0, 90.0, 0.0, 90.0]), lat[:4]))
    assert np.abs(depth[:4]) == pytest.approx(to_meridian, rel=2e-3)
    assert np.sign(depth).tolist() == [1.0, 1.0, -1.0, -1.0, 1.0]
    speed, zero = np.array([200.0]), np.zeros(1)
    found = index.ahead(np.array([-0.1]), zero, zero, zero, speed, zero, zero, 120.0)
    assert found.enter_s[0] == pytest.approx(0.1 * 111_319.5 / 200.0, abs=0.01)


def test_a_straight_edge_that_ends_at_a_pole_runs_straight_there(build: Build) -> None:
    index = build([Polygon(((0.0, 0.0), (10.0, 90.0), (20.0, 0.0)), edge_type=EdgeType.STRAIGHT)])
    lat = np.array([45.0, 45.0, 81.0, 81.0, 89.1, 89.1])
    lon = lat / 9.0 + np.array([-1e-6, 1e-6] * 3)
    assert inside_of(index, lon, lat).tolist() == [False, True] * 3


@pytest.mark.parametrize("kind", [EdgeType.GEODESIC, EdgeType.RHUMB])
@pytest.mark.parametrize("stated", [0.0, 100.0, -170.0])
def test_geodesics_and_rhumb_lines_reach_a_pole_along_their_meridian(
    build: Build, kind: EdgeType, stated: float
) -> None:
    """Whatever longitude is stated of the pole; and so does a geodesic that crosses it."""
    index = build([Polygon(((20.0, 60.0), (40.0, 60.0), (stated, 90.0)), edge_type=kind)])
    lon, lat = np.array([19.99, 20.01, 39.99, 40.01]), np.array([75.0, 75.0, 89.9, 89.9])
    assert inside_of(index, lon, lat).tolist() == [False, True, True, False]
    over = build([Polygon(((20.0, 60.0), (-160.0, 70.0), (110.0, 65.0)), edge_type=EdgeType.GEODESIC)])
    lon, lat = np.array([19.0, 21.0, 100.0, -159.0, -161.0]), np.array([89.0, 89.0, 89.9, 89.0, 89.0])
    assert inside_of(over, lon, lat).tolist() == [False, True, True, False, True]


def test_a_step_that_rounds_to_a_whole_turn_goes_round_nothing(build: Build) -> None:
    almost = math.nextafter(180.0, 0.0)
    ring = ((-180.0, 10.0), (almost, 20.0), (170.0, 15.0))
    index = build([Polygon(ring, edge_type=EdgeType.STRAIGHT)])
    west, south, east, north = index.outlines.box[0].tolist()
    assert (west, south, north) == (170.0, 10.0, 20.0)
    assert east == pytest.approx(180.0)
    lon, lat = np.array([175.0, -175.0, 0.0, 0.0]), np.array([15.0, 15.0, 15.0, 80.0])
    assert inside_of(index, lon, lat).tolist() == [True, False, False, False]


def test_a_box_never_begins_west_of_the_antimeridian() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        hair = float(rng.choice([-180.0, math.nextafter(180.0, 0.0), -179.9999999, math.nextafter(-180.0, 0.0)]))
        middle = [(float(x), float(y)) for x, y in zip(rng.uniform(-180, 180, 4), rng.uniform(-80, 80, 4))]
        box = build_outlines([Polygon((*middle, (hair, 5.0)), edge_type=EdgeType.STRAIGHT)]).box[0]
        assert -180.0 <= box[0] < 180.0
        assert box[2] <= box[0] + 360.0


def test_who_flies_a_centimetre_beside_the_seam_is_seen(build: Build) -> None:
    """Up the meridian of 1e-7° over the pole and back by another way: along the seam only one side is inside."""
    ring = ((1e-7, 0.0), (180.0, 89.99999999999999), (-90.0, 55.0), (0.0, 50.0), (-109.0, -79.0))
    index = build([Polygon(ring, edge_type=EdgeType.GEODESIC)])
    rng = np.random.default_rng(5)
    lon, lat = np.concatenate([np.zeros(300), rng.normal(0.0, 1e-3, 300)]), rng.uniform(-80.0, 80.0, 600)
    zero = np.zeros(600)
    away = index.boundary_distance(lon, lat, np.zeros(600, np.int64))
    found = index.ahead(lon, lat, zero, zero, zero + 100.0, zero - 50.0, zero, 600.0)
    now = np.isin(np.arange(600), found.report[found.enter_s == 0.0])
    clear = np.abs(away) > 1.0
    assert np.array_equal(now[clear], (away > 0.0)[clear])
    assert np.array_equal(now[clear], inside_of(index, lon, lat)[clear])


def test_of_a_ring_cut_open_along_the_antimeridian_only_the_step_is_a_boundary(build: Build) -> None:
    ring = ((-180.0, 0.0), (180.0, 0.0), (180.0, 20.0), (0.0, 15.0), (-180.0, 10.0))
    index = build([Polygon(ring, edge_type=EdgeType.STRAIGHT)])
    lon, lat = np.array([179.9, -179.9, 179.9, -179.9]), np.array([5.0, 5.0, 15.0, 15.0])
    assert inside_of(index, lon, lat).tolist() == [True, True, True, False]
    depth = index.boundary_distance(lon, lat, np.zeros(4, np.int64))
    assert np.abs(depth) == pytest.approx([550_000.0, 550_000.0, 10_750.0, 10_750.0], rel=0.02)


def test_the_whole_earth_has_no_boundary_but_a_depth(build: Build) -> None:
    ring = ((-180.0, -90.0), (180.0, -90.0), (180.0, 90.0), (-180.0, 90.0))
    index = build([Polygon(ring, edge_type=EdgeType.STRAIGHT)])
    lon, lat = np.array([0.0, -180.0, 179.9, 10.0]), np.array([0.0, 45.0, 89.0, -90.0])
    assert inside_of(index, lon, lat).all()
    depth = index.boundary_distance(lon, lat, np.zeros(4, np.int64))
    assert ((depth > 2e7) & np.isfinite(depth)).all()


def test_an_edge_that_rises_by_an_ulp_is_a_boundary_of_its_cells(build: Build) -> None:
    ring = ((0.0, 90.0), (-50.89872080795706, math.nextafter(46.0, 50.0)), (0.0, 46.0))
    index = build([Polygon(ring, edge_type=EdgeType.RHUMB), Circle(100.0, -89.0, 1e5)], cells=2_000)
    lon = np.linspace(-50.8, -0.1, 800)
    for lat, inside in ((45.99, False), (46.01, True)):
        assert (inside_of(index, lon, np.full(800, lat)) == inside).all()


def test_the_rim_of_a_large_circle_is_crossed_where_it_is(build: Build) -> None:
    """The local distance is 20 km off there, and a short piece lies beside its guess."""
    index = build([Circle(0.0, 0.0, 1_649_241.5013517917)])
    lon, lat = np.array([13.56131779162726, 13.572]), np.array([-6.007859619354297, -6.064])
    zero = np.zeros(2)
    found = index.visits(lon, lat, zero, zero, np.array([0.0, 600.0]), np.array([0, 2]), np.zeros(2, np.uint8))
    assert distance_m(0.0, 0.0, found.exit_lon_deg[0], found.exit_lat_deg[0]) == pytest.approx(1_649_241.5, abs=1.0)

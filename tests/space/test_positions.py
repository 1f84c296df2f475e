"""Positions are found inside exactly the outlines that contain them: slow twin, Shapely, GeographicLib."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.space.geodesy import distance_m
from keepclear.space.geometry import Circle, EdgeType, Polygon, Shape
from keepclear.space.index import OutlineIndex
from keepclear.space.kernels.parts import MANY
from keepclear.space.outlines import Outlines

Build = Callable[..., OutlineIndex]
Star = Callable[..., Polygon]
Floats = npt.NDArray[np.float64]


def twin(outlines: Outlines, lon: Floats, lat: Floats, row: int) -> npt.NDArray[np.bool_]:
    """Which places are inside the row: even-odd over every edge, the exact distance for circles. Slow and plain."""
    if outlines.is_circle[row]:
        x, y, r = outlines.circle[row]
        return np.asarray(distance_m(lon, lat, x, y) <= r)
    west = outlines.box[row, 0]
    x = np.where(lon < 180.0, lon, lon - 360.0)
    x = np.where(x < west, x + 360.0, x)
    inside = np.zeros(len(lon), np.bool_)
    for x0, y0, x1, y1 in outlines.edges[outlines.edge_start[row] : outlines.edge_start[row + 1]]:
        if y0 < y1:
            inside ^= (y0 <= lat) & (lat < y1) & (x < x0 + (lat - y0) * ((x1 - x0) / (y1 - y0)))
    return inside


def pairs(index: OutlineIndex, lon: Floats, lat: Floats) -> set[tuple[int, int]]:
    zero = np.zeros(len(lon))
    report, row = index.positions(lon, lat, zero, zero)
    return set(zip(report.tolist(), row.tolist(), strict=True))


@pytest.fixture(scope="module")
def places(world: list[Shape], build: Build) -> tuple[Floats, Floats]:
    """Places everywhere, most of them close to an edge; the antimeridian from both sides, the poles."""
    o = build(world).outlines
    rng = np.random.default_rng(3)
    n = 1_500
    k, f = rng.integers(0, len(o.edges), n), rng.uniform(0.0, 1.0, n)
    lon = o.edges[k, 0] + f * (o.edges[k, 2] - o.edges[k, 0]) + rng.normal(0.0, 1e-3, n)
    lat = o.edges[k, 1] + f * (o.edges[k, 3] - o.edges[k, 1]) + rng.normal(0.0, 1e-3, n)
    everywhere = rng.uniform(-180.0, 180.0, 500), np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, 500)))
    edge = np.array([180.0, -180.0, 180.0, -180.0, 0.0, 77.0, -180.0]), np.array([10.0, 10.0, -40, -40, 90, -90, 90])
    return (
        np.concatenate([(lon + 180.0) % 360.0 - 180.0, everywhere[0], edge[0]]),
        np.concatenate([np.clip(lat, -90.0, 90.0), everywhere[1], edge[1]]),
    )


@pytest.mark.parametrize("cells", [None, 300, 200_000])
def test_equals_the_slow_twin_whatever_the_raster(
    world: list[Shape], build: Build, places: tuple[Floats, Floats], cells: int | None
) -> None:
    index = build(world, cells=cells)
    lon, lat = places
    expected = {(int(k), row) for row in range(len(world)) for k in np.flatnonzero(twin(index.outlines, lon, lat, row))}
    assert len(expected) > 800
    assert pairs(index, lon, lat) == expected


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 10_000), st.integers(3, 80), st.sampled_from([1e-13, 1e-9, 1e-7, 1e-5, 1e-3]),
    st.sampled_from([20, 500, 20_000]),
)  # fmt: skip
def test_positions_on_and_beside_edges_vertices_and_cells_equal_the_slow_twin(
    star: Star, build: Build, seed: int, vertices: int, aside: float, cells: int
) -> None:
    """The short form of a cell's edges must know where it is not fine enough."""
    rng = np.random.default_rng(seed)
    outer, inner = star(seed, 10.0, 50.0, 1.0, vertices), star(seed + 1, 10.0, 50.0, 0.2, vertices)
    steps = [(9.0 + 0.1 * k, 50.0 + 0.05 * (k % 3)) for k in range(20)]
    comb = Polygon((*steps, (11.0, 49.0), (9.0, 49.0)), edge_type=EdgeType.STRAIGHT)
    index = build([Polygon(outer.exterior, (inner.exterior,), EdgeType.STRAIGHT), comb], cells=cells)
    raster, edges = index._raster, index.outlines.edges
    k, f = rng.integers(0, len(edges), 300), rng.choice([0.0, 1.0, rng.uniform()], 300)
    lon = edges[k, 0] + f * (edges[k, 2] - edges[k, 0])
    lat = edges[k, 1] + f * (edges[k, 3] - edges[k, 1])
    lon = np.concatenate(
        [lon, rng.uniform(8.0, 12.0, 300), raster.x0 + rng.integers(0, raster.nx, 50) / raster.inverse_cell]
    )
    lat = np.concatenate([lat, lat, raster.y0 + rng.integers(0, raster.ny, 50) / raster.inverse_cell])
    lon += aside * rng.choice([-1.0, 0.0, 1.0], len(lon))
    lat += aside * rng.choice([-1.0, 0.0, 1.0], len(lat))
    expected = {(int(i), row) for row in range(2) for i in np.flatnonzero(twin(index.outlines, lon, lat, row))}
    found = pairs(index, lon, lat)
    # A hair's breadth from an edge the two may round to different sides of it.
    sure = {(i, row) for i, row in found ^ expected if _beside(index.outlines, lon[i], lat[i], row) > 1e-12}
    assert not sure


def _beside(outlines: Outlines, lon: float, lat: float, row: int) -> float:
    """Degrees to the nearest edge of the row."""
    e = outlines.edges[outlines.edge_start[row] : outlines.edge_start[row + 1]]
    a, d = e[:, :2] - (lon, lat), e[:, 2:] - e[:, :2]
    t = np.clip(-(a * d).sum(1) / (d * d).sum(1), 0.0, 1.0)
    return float(np.hypot(*(a + d * t[:, None]).T).min())


@pytest.mark.parametrize("rise", [0.0, 1e-14, 1e-12, 1e-9])
@pytest.mark.parametrize("cells", [3, 40, 900])
def test_level_edges_and_edges_nearly_level_part_inside_from_outside(build: Build, rise: float, cells: int) -> None:
    """No ray to the east meets a level edge, and yet a part of a cell that it runs through is not all inside."""
    rng = np.random.default_rng(5)
    shapes: list[Shape] = []
    for _ in range(12):
        left, low = rng.uniform(-3.0, 1.0, 2)
        stairs = [(left + 0.3 * k, low + 0.2 * ((k + 1) // 2) + rise * (k % 2)) for k in range(8)]
        shapes.append(Polygon((*stairs, (stairs[-1][0], low - 0.5), (left, low - 0.5)), edge_type=EdgeType.STRAIGHT))
    index = build(shapes, cells=cells)
    lon, lat = rng.uniform(-3.2, 4.0, 20_000), rng.uniform(-4.0, 3.0, 20_000)
    expected = {(int(k), z) for z in range(len(shapes)) for k in np.flatnonzero(twin(index.outlines, lon, lat, z))}
    assert len(expected) > 5_000
    assert pairs(index, lon, lat) == expected


def test_a_cell_of_many_rows_gives_all_of_them_in_order(build: Build) -> None:
    shapes: list[Shape] = [Circle(0.0, 0.0, 1000.0 + k) for k in range(3_000)]
    index = build(shapes)
    lon = np.zeros(20)
    report, row = index.positions(lon, lon, lon, lon)
    assert report.tolist() == np.repeat(np.arange(20), 3_000).tolist()
    assert row.tolist() == np.tile(np.arange(3_000), 20).tolist()


def test_more_edges_in_a_cell_than_a_line_of_the_table_can_count_decide_all_the_same(star: Star, build: Build) -> None:
    index = build([star(1, 10.0, 50.0, 1.0, 20_000)], cells=3)
    assert (index._raster.table.view(np.uint64) >> np.uint64(57)).max() == MANY
    rng = np.random.default_rng(4)
    lon, lat = rng.uniform(8.4, 11.6, 400), rng.uniform(49.0, 51.0, 400)
    expected = {(int(k), 0) for k in np.flatnonzero(twin(index.outlines, lon, lat, 0))}
    assert 100 < len(expected) < 300
    assert pairs(index, lon, lat) == expected
    assert pairs(index.with_limits(np.array([[-1.0, 1.0, -1.0, 1.0]])), lon, lat) == expected
    assert not pairs(index.with_limits(np.array([[1.0, 2.0, -1.0, 1.0]])), lon, lat)


def test_the_last_longitude_before_the_antimeridian_is_on_the_raster(build: Build) -> None:
    whole = Polygon(((-180.0, -90.0), (180.0, -90.0), (180.0, 90.0), (-180.0, 90.0)), edge_type=EdgeType.STRAIGHT)
    for cells in (50, 777, 5_000, 16_384, 100_000):
        lon = np.array([np.nextafter(180.0, 0.0), -180.0, 180.0, np.nextafter(-180.0, 0.0)])
        assert len(pairs(build([whole], cells=cells), lon, np.full(4, 12.3))) == 4


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 60), st.floats(-179.0, 179.0), st.floats(-70.0, 70.0))
def test_equals_shapely_where_edges_are_straight(
    star: Star, build: Build, seed: int, vertices: int, lon: float, lat: float
) -> None:
    polygon = star(seed, lon, lat, 0.8, vertices)
    index = build([polygon])
    x = np.unwrap(np.array([p[0] for p in polygon.exterior]), period=360.0)
    planar = shapely.Polygon(np.column_stack([x, [p[1] for p in polygon.exterior]]))
    rng = np.random.default_rng(seed)
    px, py = rng.uniform(x.min() - 0.2, x.max() + 0.2, 400), rng.uniform(lat - 1.0, lat + 1.0, 400)
    inside = shapely.contains_xy(planar, px, py)
    found = pairs(index, (px + 180.0) % 360.0 - 180.0, py)
    assert found == {(int(k), 0) for k in np.flatnonzero(inside)}


@settings(max_examples=80, deadline=None)
@given(
    st.floats(-180.0, 180.0), st.floats(-90.0, 90.0), st.floats(1.0, 6.3), st.floats(0.0, 360.0),
    st.sampled_from([-1.0, 1.0]),
)  # fmt: skip
def test_circles_are_true_to_a_centimetre(
    build: Build, lon: float, lat: float, power: float, azimuth: float, side: float
) -> None:
    radius = 10.0**power
    at = Geodesic.WGS84.Direct(lat, lon, azimuth, radius + 0.01 * side)
    x = (at["lon2"] + 180.0) % 360.0 - 180.0
    assert bool(pairs(build([Circle(lon, lat, radius)]), np.array([x]), np.array([at["lat2"]]))) == (side < 0)


@settings(max_examples=60, deadline=None)
@given(st.floats(-180.0, 180.0), st.floats(-60.0, 60.0), st.floats(100e3, 3000e3), st.floats(0.05, 0.95))
def test_geodesic_edges_divide_inside_from_outside(
    build: Build, lon: float, lat: float, length: float, fraction: float
) -> None:
    """1.5 m to either side of the geodesic between two vertices, with the tolerance of 1 m."""
    there = Geodesic.WGS84.Direct(lat, lon, 80.0, length)
    peak = Geodesic.WGS84.Direct(lat, lon, 20.0, 400e3)
    index = build([Polygon(((lon, lat), (there["lon2"], there["lat2"]), (peak["lon2"], peak["lat2"])))])
    at = Geodesic.WGS84.Direct(lat, lon, 80.0, length * fraction)
    for aside, inside in ((-90.0, True), (90.0, False)):
        near = Geodesic.WGS84.Direct(at["lat2"], at["lon2"], at["azi2"] + aside, 1.5)
        x = (near["lon2"] + 180.0) % 360.0 - 180.0
        assert bool(pairs(index, np.array([x]), np.array([near["lat2"]]))) == inside


def test_limits_are_closed_and_unknown_altitudes_are_possible_anywhere(build: Build) -> None:
    index = build([Circle(0.0, 0.0, 1000.0)], [[100.0, 200.0, 10.0, 20.0]])
    altitude = np.array([99.9, 100.0, 200.0, 200.1, np.nan, 150.0, 150.0, 150.0, 150.0])
    time = np.array([15.0, 15.0, 15.0, 15.0, 15.0, 9.9, 10.0, 20.0, 20.1])
    report, _ = index.positions(np.zeros(9), np.zeros(9), altitude, time)
    assert report.tolist() == [1, 2, 4, 6, 7]


def test_unknown_places_are_nowhere(build: Build, world: list[Shape]) -> None:
    index = build(world)
    lon, lat = np.array([np.nan, 0.0, np.nan]), np.array([0.0, np.nan, np.nan])
    assert pairs(index, lon, lat) == set()


def test_large_calls_run_in_the_pool_and_agree_with_small_ones(build: Build, world: list[Shape]) -> None:
    index = build(world)
    rng = np.random.default_rng(5)
    n = 40_000
    lon, lat, zero = rng.uniform(-180, 180, n), rng.uniform(-90, 90, n), np.zeros(n)
    report, row = index.positions(lon, lat, zero, zero)
    parts = [index.positions(lon[a : a + 5_000], lat[a : a + 5_000], zero, zero) for a in range(0, n, 5_000)]
    assert np.array_equal(report, np.concatenate([p[0] + 5_000 * k for k, p in enumerate(parts)]))
    assert np.array_equal(row, np.concatenate([p[1] for p in parts]))
    assert (np.diff(report) >= 0).all()


def test_read_only_and_strided_columns_give_the_same(build: Build, world: list[Shape]) -> None:
    index = build(world)
    rng = np.random.default_rng(5)
    both = np.column_stack([rng.uniform(-180, 180, 500), rng.uniform(-90, 90, 500)])
    expected = pairs(index, both[:, 0].copy(), both[:, 1].copy())
    lon = both[:, 0].copy()
    lon.flags.writeable = False
    assert pairs(index, lon, both[:, 1]) == expected


def test_other_limits_share_the_raster(build: Build) -> None:
    index = build([Circle(0.0, 0.0, 1000.0)])
    later = index.with_limits(np.array([[0.0, 10.0, 100.0, 200.0]]))
    one = np.zeros(1)
    assert len(index.positions(one, one, one, one)[0]) == 1
    assert len(later.positions(one, one, one, one)[0]) == 0
    assert len(later.positions(one, one, one, one + 150.0)[0]) == 1
    with pytest.raises(ValueError, match="limits"):
        index.with_limits(np.zeros((2, 4)))


def test_many_continents_do_not_blow_up(build: Build) -> None:
    """400 hemispheres: the raster is made coarser, the answers stay."""
    rng = np.random.default_rng(2)
    shapes: list[Shape] = [
        Circle(float(x), float(y), 9.9e6)
        for x, y in zip(rng.uniform(-180, 180, 400), rng.uniform(-60, 60, 400), strict=True)
    ]
    index = build(shapes)
    assert index.entries < 4_000_000
    found = pairs(index, np.array([10.0]), np.array([20.0]))
    assert found == {
        (0, k)
        for k, c in enumerate(shapes)
        if isinstance(c, Circle) and distance_m(10, 20, c.lon_deg, c.lat_deg) <= c.radius_m
    }


def test_no_outlines_contain_nothing(build: Build) -> None:
    index = build([], np.empty((0, 4)))
    assert pairs(index, np.zeros(3), np.zeros(3)) == set()


def test_the_whole_earth_and_bands_of_it(build: Build) -> None:
    whole = Polygon(((-180.0, -90.0), (180.0, -90.0), (180.0, 90.0), (-180.0, 90.0)), edge_type=EdgeType.STRAIGHT)
    band = Polygon(((-180.0, 10.0), (180.0, 10.0), (180.0, 20.0), (-180.0, 20.0)), edge_type=EdgeType.STRAIGHT)
    index = build([whole, band])
    lon, lat = np.array([-180.0, 180.0, 0.0, 0.0, 180.0]), np.array([15.0, 15.0, 90.0, -90.0, 5.0])
    assert pairs(index, lon, lat) == {(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (0, 1), (1, 1)}

"""Outlines are refused for what is wrong with them, with the reason; crossings are found as a second library does."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError, LimitExceeded
from keepclear.space.geometry import EdgeType, Polygon
from keepclear.zones.antimeridian import crosses_antimeridian, cut_polygon
from keepclear.zones.outline_checks import MAX_RING_VERTICES, check_circle, check_polygon, check_ring, crossing_of

MILLIS = st.integers(0, 50_000).map(lambda value: value / 1000.0)
GRID = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda p: (float(p[0]), float(p[1])))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(MILLIS, MILLIS), min_size=3, max_size=9, unique=True))
def test_crossings_agree_with_shapely(points: list[tuple[float, float]]) -> None:
    ring = tuple(points)
    if shapely.LinearRing(ring).is_simple:
        assert crossing_of(ring) is None
    else:
        # shapely also counts touching, which is no crossing here: then no pair of edges has both ends apart
        found = crossing_of(ring)
        assert (found is not None) == any(
            properly(ring, i, j) for i in range(len(ring)) for j in range(i + 1, len(ring))
        )


def properly(ring: tuple[tuple[float, float], ...], i: int, j: int) -> bool:
    """The definition, pair by pair."""

    def side(p: tuple[float, float], q: tuple[float, float], r: tuple[float, float]) -> float:
        value = (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
        return math.copysign(1.0, value) if value else 0.0

    a, b, c, d = ring[i], ring[(i + 1) % len(ring)], ring[j], ring[(j + 1) % len(ring)]
    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


@settings(max_examples=200, deadline=None)
@given(st.lists(GRID, min_size=3, max_size=10))
def test_crossings_agree_with_the_definition_on_a_grid(points: list[tuple[float, float]]) -> None:
    ring = tuple(points)
    pairs = [(i, j) for i in range(len(ring)) for j in range(i + 1, len(ring)) if properly(ring, i, j)]
    found = crossing_of(ring)
    assert (found is None) == (not pairs)
    assert found is None or found in pairs


def test_a_crossing_over_the_antimeridian_is_found() -> None:
    assert crossing_of(((179.0, 0.0), (-179.0, 1.0), (-179.0, 0.0), (179.0, 1.0))) == (0, 2)
    assert crossing_of(((179.0, 0.0), (-179.0, 0.0), (-179.0, 1.0), (179.0, 1.0))) is None


def test_a_large_border_is_checked_quickly_and_a_tangle_is_bounded() -> None:
    rng = random.Random(1)
    n = 20_000
    ring = tuple(
        (
            10 + 5 * (1 + 0.001 * rng.random()) * math.cos(2 * math.pi * k / n),
            40 + 5 * (1 + 0.001 * rng.random()) * math.sin(2 * math.pi * k / n),
        )
        for k in range(n)
    )
    assert crossing_of(ring) is None or isinstance(crossing_of(ring), tuple)
    comb = [(float(k % 2) * 80 + k * 1e-6, k * 1e-6) for k in range(20_000)]
    tall = [(100 + k * 1e-6, float(k % 2) * 80 + k * 1e-6) for k in range(20_000)]
    with pytest.raises(LimitExceeded):
        crossing_of((*comb, *tall))


@pytest.mark.parametrize(
    ("ring", "reason"),
    [
        ([], "0 distinct vertices"),
        ([(1, 1)], "single point"),
        ([(1, 1), (2, 1), (2, 2)], "not closed"),
        ([(1, 1), (2, 1), (1, 1), (2, 1), (1, 1)], "2 distinct vertices"),
        ([(1, 95), (2, 1), (2, 2), (1, 95)], "swapped"),
        ([(1, math.nan), (2, 1), (2, 2), (1, 1)], "not a number"),
        ([(1, 1), (2, 1), (1000, 2), (1, 1)], "outside ±180"),
        ([(1,), (2, 1), (2, 2), (1, 1)], "longitude and a latitude"),
        ([(0, 0)] * (MAX_RING_VERTICES + 1), "more than"),
    ],
)
def test_rings_are_refused(ring: Any, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        check_ring(ring, where="line 7")
    assert caught.value.where == "line 7"


def test_rings_are_stored_open_without_repeats() -> None:
    assert check_ring([(1, 1), (1, 1), (2, 1), (182, 2), (1, 1)]) == ((1, 1), (2, 1), (-178, 2))
    assert check_ring([(1, 1), (2, 1), (2, 2)], closed=False) == ((1, 1), (2, 1), (2, 2))


def test_a_bow_tie_is_refused_or_told() -> None:
    bow = [[(0, 0), (1, 1), (1, 0), (0, 1), (0, 0)]]
    with pytest.raises(InputError, match="crosses itself"):
        check_polygon(bow, EdgeType.STRAIGHT)
    warnings: list[str] = []
    assert len(check_polygon(bow, EdgeType.STRAIGHT, warnings=warnings).exterior) == 4
    assert "crosses itself" in warnings[0]


def test_a_ring_round_a_pole_on_one_parallel_encloses_the_pole() -> None:
    for lat in (80.0, -89.0):
        assert check_polygon([[(0.0, lat), (120.0, lat), (-120.0, lat)]], EdgeType.GEODESIC, closed=False).exterior


def test_a_ring_on_one_line_is_refused() -> None:
    with pytest.raises(InputError, match="one line"):
        check_polygon([[(0, 0), (1, 1), (2, 2), (0, 0)]], EdgeType.STRAIGHT)


def test_a_triangle_wider_than_half_the_earth_is_not_on_one_line() -> None:
    assert check_polygon([[(0, 0), (100, 10), (-170, -17), (0, 0)]], EdgeType.STRAIGHT).exterior


@pytest.mark.parametrize(
    ("ring", "kind"),
    [
        ([(0, 10), (180, -10), (90, 40)], EdgeType.GEODESIC),
        ([(0, 89.8), (90, -89.8), (90, 40)], EdgeType.GEODESIC),
        ([(0, -90), (10, 90), (90, 40)], EdgeType.GEODESIC),
        ([(90, 40), (0, -90), (10, 90)], EdgeType.RHUMB),
    ],
)
def test_an_edge_between_opposite_places_is_refused_where_it_is_read(
    ring: list[tuple[float, float]], kind: EdgeType
) -> None:
    with pytest.raises(InputError, match=r"line 7: .*opposite each other on Earth.*add a vertex between them"):
        check_polygon([ring], kind, where="line 7", closed=False)
    assert check_polygon([ring], EdgeType.STRAIGHT, closed=False).exterior


@pytest.mark.parametrize("kind", list(EdgeType))
def test_an_edge_from_pole_to_pole_along_one_meridian_is_read(kind: EdgeType) -> None:
    assert check_polygon([[(10, -90), (10, 90), (90, 40)]], kind, closed=False).exterior


def test_circles_are_on_earth() -> None:
    assert check_circle(190.0, 10.0, 5.0).lon_deg == -170.0
    for bad in ((0.0, 91.0, 5.0), (0.0, 0.0, 0.0), (0.0, 0.0, math.inf)):
        with pytest.raises(InputError):
            check_circle(*bad)


def star(lon: float, lat: float, radii: list[float], scale: float) -> tuple[tuple[float, float], ...]:
    return tuple(
        (
            (lon + scale * r * math.cos(2 * math.pi * k / len(radii)) + 180) % 360 - 180,
            lat + scale * r * math.sin(2 * math.pi * k / len(radii)),
        )
        for k, r in enumerate(radii)
    )


@settings(max_examples=200, deadline=None)
@given(
    st.floats(-180, 179.9), st.floats(-40, 40),
    st.lists(st.integers(10, 400).map(lambda v: v / 10), min_size=4, max_size=12), st.booleans(),
)  # fmt: skip
def test_a_cut_polygon_is_the_same_area_in_valid_parts(lon: float, lat: float, radii: list[float], hole: bool) -> None:
    holes = (star(lon, lat, radii, 0.4),) if hole else ()
    polygon = Polygon(star(lon, lat, radii, 1.0), holes, EdgeType.STRAIGHT)
    parts = cut_polygon(polygon)
    shapes = [shapely.Polygon(part[0], part[1:]) for part in parts]
    for shape in shapes:
        assert shape.is_valid
        assert shape.bounds[0] >= -180.0
        assert shape.bounds[2] <= 180.0

    def plane(ring: tuple[tuple[float, float], ...]) -> list[tuple[float, float]]:
        return [(lon + (x - lon + 180) % 360 - 180, y) for x, y in ring]

    whole = shapely.Polygon(plane(polygon.exterior), [plane(ring) for ring in holes])
    assert math.isclose(sum(shape.area for shape in shapes), whole.area, rel_tol=1e-9)
    assert crosses_antimeridian(polygon) == (len({s.bounds[0] < 0 for s in shapes}) > 1 or len(shapes) > 1) or not (
        whole.bounds[0] > -180 and whole.bounds[2] < 180
    )


def test_a_polygon_round_a_pole_is_closed_over_it() -> None:
    ring = tuple((lon, 70.0) for lon in (0.0, 90.0, -180.0, -90.0))
    parts = cut_polygon(Polygon(ring, (), EdgeType.STRAIGHT))
    area = sum(shapely.Polygon(part[0], part[1:]).area for part in parts)
    assert math.isclose(area, 360.0 * 20.0)
    assert all(-180.0 <= x <= 180.0 for part in parts for ring in part for x, _ in ring)

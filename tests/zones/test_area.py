"""Holds true that a zone's area is the ellipsoid's, with its edges as declared, also over the poles and ±180°."""

from __future__ import annotations

import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.space.geometry import Circle, EdgeType, Polygon, Ring
from keepclear.zones.arcs import arc_by_bearings
from keepclear.zones.area import area_m2


def karney(ring: Ring) -> float:
    """The second opinion: GeographicLib's exact area of a geodesic polygon."""
    polygon = Geodesic.WGS84.Polygon()
    for lon, lat in ring:
        polygon.AddPoint(lat, lon)
    return abs(float(polygon.Compute(False, True)[2]))


@settings(max_examples=60, deadline=None)
@given(st.floats(-180, 179), st.floats(-75, 75), st.floats(0.05, 12.0), st.floats(0.5, 1.0))
def test_geodesic_polygons_agree_with_geographiclib(lon: float, lat: float, width: float, part: float) -> None:
    height = part * width * (1.0 if lat < 0.0 else -1.0)
    ring = tuple(((x + 180.0) % 360.0 - 180.0, y) for x, y in (
        (lon, lat), (lon + width, lat), (lon + 0.8 * width, lat + height), (lon - 0.1 * width, lat + 0.7 * height),
    ))  # fmt: skip
    assert area_m2(Polygon(ring)) == pytest.approx(karney(ring), rel=3e-4)


def test_a_ring_around_the_pole_encloses_the_pole() -> None:
    ring = tuple((lon, 80.0) for lon in range(-180, 180, 10))
    assert area_m2(Polygon(ring)) == pytest.approx(karney(ring), rel=1e-3)


def test_the_kind_of_the_edges_changes_the_area() -> None:
    ring = ((0.0, 50.0), (20.0, 50.0), (20.0, 55.0), (0.0, 55.0))
    straight, rhumb, geodesic = (area_m2(Polygon(ring, (), kind)) for kind in
                                 (EdgeType.STRAIGHT, EdgeType.RHUMB, EdgeType.GEODESIC))  # fmt: skip
    dense = tuple((i / 50.0, 50.0) for i in range(1001)) + tuple((20.0 - i / 50.0, 55.0) for i in range(1001))
    assert straight == pytest.approx(karney(dense), rel=1e-5)
    assert rhumb == pytest.approx(straight, rel=1e-9)  # parallels and meridians are both
    assert abs(geodesic - straight) > 1e9


def test_holes_are_taken_out_and_circles_are_round() -> None:
    outer, hole = ((0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)), ((0.5, 0.5), (1.0, 0.5), (1.0, 1.0))
    assert area_m2(Polygon(outer, (hole,))) == pytest.approx(area_m2(Polygon(outer)) - area_m2(Polygon(hole)))
    ring = tuple(arc_by_bearings((30.0, 50.0), 100_000.0, 0.0, 0.0, clockwise=True)[:-1])
    assert area_m2(Circle(30.0, 50.0, 100_000.0)) == pytest.approx(karney(ring), rel=5e-3)

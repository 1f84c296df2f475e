"""Drawn rings lie on the shapes that they stand for, across the antimeridian and round the poles too."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from keepclear.server.drawing import circle_ring, drawn_rings, joined_ring
from keepclear.space.geometry import Circle, EdgeType, Polygon

GEOD = Geod(ellps="WGS84")


@given(st.floats(-180, 179.9), st.floats(-88, 88), st.floats(10.0, 2_000_000.0))
@settings(deadline=None)
def test_every_vertex_of_a_circle_is_at_its_radius(lon: float, lat: float, radius_m: float) -> None:
    ring = circle_ring(Circle(lon, lat, radius_m))
    _, _, distance = GEOD.inv(np.full(len(ring), lon), np.full(len(ring), lat), ring[:, 0], ring[:, 1])
    assert np.abs(distance - radius_m).max() < 0.01 + radius_m * 1e-8


def test_a_geodesic_edge_bows_and_a_rhumb_edge_is_left_alone() -> None:
    ring = ((0.0, 50.0), (8.0, 50.0), (4.0, 52.0))
    bowed = joined_ring(ring, EdgeType.GEODESIC)
    first_edge = bowed[: int(np.flatnonzero((bowed == ring[1]).all(axis=1))[0])]
    middle = first_edge[np.abs(first_edge[:, 0] - 4.0).argmin()]
    expected = GEOD.npts(0.0, 50.0, 8.0, 50.0, 1)[0]
    assert middle[1] == pytest.approx(expected[1], abs=0.005)
    assert middle[1] > 50.05
    assert joined_ring(ring, EdgeType.RHUMB).tolist() == [list(p) for p in ring]
    assert np.all(joined_ring(((0.0, 50.0), (8.0, 50.0), (8.0, 58.0)), EdgeType.STRAIGHT)[:8, 1] == 50.0)


def test_a_zone_across_the_antimeridian_is_one_piece() -> None:
    [ring] = drawn_rings(Polygon(((178.0, 10.0), (-178.0, 10.0), (-178.0, 14.0), (178.0, 14.0))))
    lon = [p[0] for p in ring]
    assert max(lon) - min(lon) == pytest.approx(4.0)
    assert ring[0] == ring[-1]


def test_a_zone_round_a_pole_is_closed_over_it() -> None:
    [ring] = drawn_rings(Circle(30.0, -89.0, 500_000.0))
    assert ring[0] == ring[-1]
    assert min(p[1] for p in ring) == -89.0
    lon = [p[0] for p in ring]
    assert max(lon) - min(lon) == pytest.approx(360.0, abs=1e-3)


def test_a_hole_lies_beside_its_outer_ring() -> None:
    outer = ((176.0, 10.0), (-176.0, 10.0), (-176.0, 18.0), (176.0, 18.0))
    hole = ((-179.0, 12.0), (-178.0, 12.0), (-178.0, 13.0))
    rings = drawn_rings(Polygon(outer, (hole,), EdgeType.STRAIGHT))
    assert all(176.0 <= p[0] <= 184.0 for ring in rings for p in ring)


def test_rings_are_finite_and_closed_for_the_largest_shapes() -> None:
    for shape in (Circle(0.0, 0.0, 15_000_000.0), Circle(10.0, 90.0, 1000.0), Circle(-180.0, 0.0, 5.0)):
        [ring] = drawn_rings(shape)
        assert all(math.isfinite(v) for p in ring for v in p)
        assert ring[0] == ring[-1]

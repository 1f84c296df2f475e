"""Outlines that no surveyor drew (vertices said twice, needles, edges that cross, numbers next to nothing) are refused
or judged exactly."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.space.geometry import EdgeType, Polygon, Ring
from keepclear.space.index import OutlineIndex
from keepclear.space.outlines import build_outlines
from keepclear.zones.outline_checks import check_polygon

NEAR = Fraction(1, 10**7)
"""degrees, 1 cm: so close to an edge rounding may decide"""
TINY = (0.0, -0.0, 5e-324, 1e-320, -1e-308, 1e-16, 1e-7)
LONGITUDES = st.sampled_from(
    [*TINY, 46.0, math.nextafter(46.0, 50.0), 46.0 + 1e-9, 50.0, -60.0, -179.9999999, 179.5, 179.0]
)
LATITUDES = st.sampled_from([*TINY, 46.0, math.nextafter(46.0, 50.0), 46.0 + 1e-9, 50.0, -80.0, 80.0, 12.5])
VERTICES = st.tuples(LONGITUDES, LATITUDES)
RINGS = st.lists(VERTICES, min_size=3, max_size=7).map(lambda ring: [*ring, ring[0]])
PLACES = st.tuples(
    st.one_of(LONGITUDES, st.floats(-179.9, 179.9)), st.one_of(LATITUDES, st.floats(-85.0, 85.0))
)  # fmt: skip


def unwrapped(ring: Ring) -> list[Fraction] | None:
    """Longitudes, each the shorter way from the one before; None where that is not clear, or goes round a pole."""
    x = [Fraction(ring[0][0])]
    for a, b in zip(ring, (*ring[1:], ring[0])):
        step = Fraction(b[0]) - Fraction(a[0])
        if abs(abs(step) - 180) < NEAR or abs(abs(step) - 360) < NEAR:
            return None
        x.append(x[-1] + (step - 360 if step > 180 else step + 360 if step < -180 else step))
    return x if x[-1] == x[0] else None


def holds(polygon: Polygon, lon: float, lat: float) -> bool | None:
    """Even-odd in exact numbers; None next to an edge."""
    crossed = 0
    for ring in (polygon.exterior, *polygon.holes):
        x = unwrapped(ring)
        if x is None:
            return None
        y = [Fraction(vertex[1]) for vertex in (*ring, ring[0])]
        for px in (Fraction(lon) + turn for turn in (-720, -360, 0, 360, 720)):
            py = Fraction(lat)
            for x0, y0, x1, y1 in zip(x, y, x[1:], y[1:]):
                if min(x0, x1) - NEAR <= px <= max(x0, x1) + NEAR and min(y0, y1) - NEAR <= py <= max(y0, y1) + NEAR:
                    length = abs(x1 - x0) + abs(y1 - y0)
                    if abs((x1 - x0) * (py - y0) - (y1 - y0) * (px - x0)) <= NEAR * length:
                        return None
                if (y0 > py) != (y1 > py) and x0 + (py - y0) * (x1 - x0) / (y1 - y0) > px:
                    crossed += 1
    return crossed % 2 == 1


@settings(deadline=None)
@given(
    st.lists(st.lists(RINGS, min_size=1, max_size=2), min_size=1, max_size=4), st.lists(PLACES, min_size=8, max_size=8)
)
def test_any_ring_is_refused_or_judged_exactly(
    drawn: list[list[list[tuple[float, float]]]], places: list[tuple[float, float]]
) -> None:
    polygons = []
    for rings in drawn:
        try:
            polygons.append(check_polygon(rings, EdgeType.STRAIGHT, warnings=[]))
        except InputError:
            continue
    assume(polygons)
    outlines = build_outlines(polygons)
    assert np.isfinite(outlines.slope).all()
    index = OutlineIndex(outlines, np.tile([-np.inf, np.inf, -np.inf, np.inf], (len(polygons), 1)))
    lon, lat = np.array(places, dtype=np.float64).T.copy()
    report, row = index.positions(lon, lat, np.zeros(len(lon)), np.zeros(len(lon)))
    found = set(zip(report.tolist(), row.tolist()))
    for k, place in enumerate(places):
        for r, polygon in enumerate(polygons):
            inside = holds(polygon, *place)
            assert inside is None or inside == ((k, r) in found), (polygon, place)


def test_an_edge_that_rises_by_next_to_nothing_puts_nobody_on_the_wrong_side() -> None:
    """Its slope is beyond all doubles; taken for level it met the equator at the wrong end, and a cell of the raster
    stood inside out."""
    hole = ((1e-16, 1e-320), (-180.0, 67.0), (50.0, 0.0))
    polygon = Polygon(((-180.0, 0.0), (0.0, -90.0), (46.0, 0.0)), (hole,), EdgeType.RHUMB)
    index = OutlineIndex(build_outlines([polygon]), np.array([[-np.inf, np.inf, -np.inf, np.inf]]))
    lon, lat = (grid.ravel().copy() for grid in np.meshgrid(np.linspace(-5.0, 50.0, 111) + 0.05, [-0.1, 0.1]))
    report, _ = index.positions(lon, lat, np.zeros(len(lon)), np.zeros(len(lon)))
    inside = np.isin(np.arange(len(lon)), report)
    away = index.boundary_distance(lon, lat, np.zeros(len(lon), np.int64))
    assert ((away > 0.0) == inside)[np.abs(away) > 1.0].all()

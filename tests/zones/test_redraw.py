"""An outline drawn again for another kind of edge lies where it lay."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from keepclear.quantities import UNBOUNDED
from keepclear.space.geometry import EdgeType, Polygon, Ring
from keepclear.zones import ed269, ed318, openair
from keepclear.zones.model import Volume, Zone
from keepclear.zones.redraw import REDRAWN_WITHIN_M, redrawn

WGS84 = Geod(ellps="WGS84")
LONG = ((20.0, 50.0), (30.0, 50.0), (30.0, 55.0), (20.0, 55.0))


def apart_m(geodesic: Ring, straight: Ring) -> float:
    """How far positions on the geodesic ring lie from the ring that is straight in longitude and latitude."""
    worst = 0.0
    turn = np.array([(lon, lat) for lon, lat in (*straight, straight[0])])
    for (x0, y0), (x1, y1) in pairwise((*geodesic, geodesic[0])):
        for lon, lat in WGS84.npts(x0, y0, x1, y1, 7):
            scale = np.array([111_320.0 * math.cos(math.radians(lat)), 111_320.0])
            away = turn - (lon, lat)
            away[:, 0] = (away[:, 0] + 180.0) % 360.0 - 180.0
            p, step = away[:-1] * scale, np.diff(turn, axis=0)
            step[:, 0] = (step[:, 0] + 180.0) % 360.0 - 180.0
            step *= scale
            t = np.clip(-np.sum(p * step, axis=1) / np.maximum(np.sum(step * step, axis=1), 1e-12), 0.0, 1.0)
            worst = max(worst, float(np.hypot(*(p + t[:, None] * step).T).min()))
    return worst


@st.composite
def quadrangles(draw: st.DrawFn) -> Ring:
    """Convex, up to 30° wide, anywhere but at the poles, over the antimeridian too."""
    west, south = draw(st.floats(-180.0, 179.0)), draw(st.floats(-75.0, 50.0))
    width, height = draw(st.floats(0.5, 30.0)), draw(st.floats(0.5, 25.0))
    slant = draw(st.floats(0.0, 0.4)) * width
    corners = (
        (west, south),
        (west + width, south),
        (west + width + slant, south + height),
        (west + slant, south + height),
    )
    return tuple(((lon + 180.0) % 360.0 - 180.0, lat) for lon, lat in corners)


@settings(max_examples=10, deadline=None)
@given(quadrangles())
def test_it_stays_within_a_metre_either_way(ring: Ring) -> None:
    straight, more = redrawn(Polygon(ring, (), EdgeType.GEODESIC), EdgeType.STRAIGHT)
    assert more == len(straight.exterior) - len(ring)
    assert [vertex for vertex in straight.exterior if vertex in ring] == list(ring)
    assert apart_m(ring, straight.exterior) < 1.1 * REDRAWN_WITHIN_M
    geodesic, _ = redrawn(Polygon(ring, (), EdgeType.STRAIGHT), EdgeType.GEODESIC)
    assert apart_m(geodesic.exterior, ring) < 1.1 * REDRAWN_WITHIN_M


def test_a_long_parallel_drawn_as_geodesics_stays_on_the_parallel() -> None:
    again, more = redrawn(Polygon(LONG, (), EdgeType.STRAIGHT), EdgeType.GEODESIC)
    assert 10 < more < 1000
    south = [vertex for vertex in again.exterior if vertex[1] == 50.0]
    for (x0, y0), (x1, y1) in pairwise(south):
        _, lat = WGS84.npts(x0, y0, x1, y1, 1)[0]
        assert abs(lat - 50.0) * 111_300.0 < REDRAWN_WITHIN_M


def test_a_geodesic_beside_the_pole_passes_it() -> None:
    over = ((0.0, 80.0), (179.9, 80.0), (-90.0, 75.0))
    again, _ = redrawn(Polygon(over, (), EdgeType.GEODESIC), EdgeType.STRAIGHT)
    assert max(lat for _, lat in again.exterior) > 89.98
    assert apart_m(over, again.exterior) < 1.1 * REDRAWN_WITHIN_M


def test_a_rhumb_line_along_a_parallel_is_the_straight_one() -> None:
    rhumb, straight = (
        redrawn(Polygon(LONG, (), of), EdgeType.GEODESIC)[0] for of in (EdgeType.RHUMB, EdgeType.STRAIGHT)
    )
    assert [v for v in rhumb.exterior if v[1] == 50.0] == [v for v in straight.exterior if v[1] == 50.0]


def test_what_is_converted_lies_where_it_lay() -> None:
    geodesic = Zone("A", (Volume(Polygon(LONG), UNBOUNDED, UNBOUNDED),))
    straight = Zone("A", (Volume(Polygon(LONG, (), EdgeType.STRAIGHT), UNBOUNDED, UNBOUNDED),))
    for module in (ed269, ed318):
        writing = module.write([geodesic])
        assert any(loss.field == "volumes.shape" and "within a metre" in loss.detail for loss in writing.losses)
        (again,) = module.read(writing.data, "x").zones
        assert apart_m(LONG, again.volumes[0].shape.exterior) < 1.1 * REDRAWN_WITHIN_M
    writing = openair.write([straight])
    assert any(loss.field == "edge_type" and "within a metre" in loss.detail for loss in writing.losses)
    (again,) = openair.read(writing.data, "x").zones
    assert apart_m(again.volumes[0].shape.exterior, LONG) < 1.1 * REDRAWN_WITHIN_M  # type: ignore[union-attr]

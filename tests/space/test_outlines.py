"""Chains keep to geodesics and rhumb lines, rings go over the antimeridian and round poles, and even-odd holds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.space.geodesy import distance_m
from keepclear.space.geometry import Circle, EdgeType, Polygon, Shape
from keepclear.space.kernels.lines import GEODESIC, RHUMB, STRAIGHT
from keepclear.space.outlines import Outlines, build_outlines

Floats = npt.NDArray[np.float64]
KINDS = {EdgeType.GEODESIC: GEODESIC, EdgeType.RHUMB: RHUMB, EdgeType.STRAIGHT: STRAIGHT}


def off_the_chain(outlines: Outlines, lon: float, lat: float) -> float:
    """Metres from a place near the outline to the nearest of the first row's edges, in the plane there."""
    e = outlines.edges[outlines.real == 1]
    scale = np.array([111_320.0 * np.cos(np.radians(lat)), 111_000.0])
    dx = (e[:, 0] - lon + 180.0) % 360.0 - 180.0
    a = np.stack([dx, e[:, 1] - lat], axis=1) * scale
    d = np.stack([e[:, 2] - e[:, 0], e[:, 3] - e[:, 1]], axis=1) * scale
    t = np.clip(-(a * d).sum(1) / (d * d).sum(1), 0.0, 1.0)
    return float(np.hypot(*(a + d * t[:, None]).T).min())


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-180.0, 179.9), st.floats(-75.0, 75.0), st.floats(0.0, 360.0), st.floats(1_000.0, 5_000_000.0),
    st.floats(0.01, 0.99), st.sampled_from([1.0, 20.0]),
)  # fmt: skip
def test_geodesic_edges_are_kept_within_the_tolerance(
    lon: float, lat: float, azimuth: float, length: float, fraction: float, tolerance: float
) -> None:
    there = Geodesic.WGS84.Direct(lat, lon, azimuth, length)
    aside = Geodesic.WGS84.Direct(lat, lon, azimuth + 90.0, 1000.0)
    polygon = Polygon(((lon, lat), (there["lon2"], there["lat2"]), (aside["lon2"], aside["lat2"])))
    at = Geodesic.WGS84.Direct(lat, lon, azimuth, fraction * length)
    if abs(at["lat2"]) > 88.0:
        return
    assert off_the_chain(build_outlines([polygon], tolerance_m=tolerance), at["lon2"], at["lat2"]) <= tolerance * 1.02


def test_rhumb_edges_keep_their_bearing() -> None:
    """A rhumb line from 0/0 to 60° N with constant bearing: its longitude is the isometric latitude (Snyder 7-7)."""
    outlines = build_outlines([Polygon(((0.0, 0.0), (80.0, 60.0), (-10.0, 60.0)), edge_type=EdgeType.RHUMB)])
    e = np.sqrt(0.0066943799901413165)

    def isometric(lat: float) -> float:
        s = np.sin(np.radians(lat))
        return float(np.arctanh(s) - e * np.arctanh(e * s))

    for lat in np.linspace(1.0, 59.0, 30):
        lon = 80.0 * isometric(float(lat)) / isometric(60.0)
        assert off_the_chain(outlines, lon, float(lat)) < 1.02
    parallel = outlines.edges[(outlines.edges[:, 1] == 60.0) & (outlines.edges[:, 3] == 60.0)]
    assert len(parallel) == 1


def test_straight_edges_stay_as_they_are() -> None:
    outlines = build_outlines([Polygon(((0.0, 50.0), (40.0, 50.0), (40.0, 60.0)), edge_type=EdgeType.STRAIGHT)])
    assert len(outlines.edges) == 3
    assert outlines.box[0].tolist() == [0.0, 50.0, 40.0, 60.0]


@pytest.mark.parametrize("kind", list(EdgeType))
def test_rings_over_the_antimeridian_are_continuous(kind: EdgeType) -> None:
    outlines = build_outlines([Polygon(((179.0, 0.0), (-179.0, 0.0), (-179.0, 1.0), (179.0, 1.0)), edge_type=kind)])
    west, south, east, north = outlines.box[0]
    assert (west, south, east) == (179.0, 0.0, 181.0)
    assert north == pytest.approx(1.0, abs=1e-3)
    assert (np.abs(outlines.edges[:, 2] - outlines.edges[:, 0]) < 2.001).all()


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("turn", [1, -1])
def test_a_ring_round_a_pole_is_closed_over_it(sign: float, turn: int) -> None:
    ring = ((0.0, 70.0 * sign), (120.0, 70.0 * sign), (-120.0, 70.0 * sign))[::turn]
    outlines = build_outlines([Polygon(ring)])
    west, south, east, north = outlines.box[0]
    assert east - west == pytest.approx(360.0)
    assert (north if sign > 0 else south) == 90.0 * sign
    # What closes it lies beyond the box.
    assert (outlines.edges[outlines.real == 0, 2] > east).all()


def test_a_hole_lies_in_the_frame_of_its_ring() -> None:
    polygon = Polygon(
        ((170.0, -10.0), (-170.0, -10.0), (-170.0, 10.0), (170.0, 10.0)),
        (((-178.0, -2.0), (-176.0, -2.0), (-176.0, 2.0), (-178.0, 2.0)),),
        EdgeType.STRAIGHT,
    )
    outlines = build_outlines([polygon])
    assert outlines.box[0].tolist() == [170.0, -10.0, 190.0, 10.0]
    assert outlines.edges[:, 0].min() == 170.0


@settings(max_examples=80, deadline=None)
@given(
    st.floats(-180.0, 180.0), st.floats(-90.0, 90.0), st.floats(10.0, 9_000_000.0), st.floats(0.0, 360.0)
)  # fmt: skip
def test_the_box_of_a_circle_holds_it(lon: float, lat: float, radius: float, azimuth: float) -> None:
    west, south, east, north = build_outlines([Circle(lon, lat, radius)]).box[0]
    at = Geodesic.WGS84.Direct(lat, lon, azimuth, radius)
    assert south <= at["lat2"] <= north
    assert -180.0 <= west < 180.0
    x = (at["lon2"] - west) % 360.0
    assert x <= east - west or x > 360.0 - 1e-9
    assert distance_m(lon, lat, at["lon2"], at["lat2"]) == pytest.approx(radius, abs=1e-3)


def test_opposite_vertices_are_refused() -> None:
    with pytest.raises(InputError, match="add a vertex between them"):
        build_outlines([Polygon(((0.0, 10.0), (180.0, -10.0), (90.0, 0.0)))])


def test_no_shapes_make_no_rows() -> None:
    assert len(build_outlines([])) == 0


def test_all_at_once_equals_one_by_one(world: list[Shape]) -> None:
    outlines = build_outlines(world)
    for row, shape in enumerate(world):
        alone = build_outlines([shape])
        a, b = outlines.edge_start[row], outlines.edge_start[row + 1]
        assert (a == b) == isinstance(shape, Circle)
        assert np.array_equal(outlines.edges[a:b], alone.edges)
        assert np.array_equal(outlines.real[a:b], alone.real)
        assert np.array_equal(outlines.box[row], alone.box[0])


def test_of_many_shapes_the_one_with_opposite_vertices_is_refused() -> None:
    fine = Polygon(((0.0, 10.0), (20.0, -10.0), (10.0, 0.0)))
    straight = Polygon(((0.0, 10.0), (180.0, -10.0), (90.0, 0.0)), edge_type=EdgeType.STRAIGHT)
    closing = Polygon(((0.0, 10.0), (90.0, 60.0), (180.0, -10.0)))
    build_outlines([fine, straight, Circle(0.0, 0.0, 10.0)])
    with pytest.raises(InputError, match="vertices 3 and 1 lie opposite"):
        build_outlines([fine, straight, closing, fine])

"""Volumes: what is refused, what is meant, and that cells leave nothing out (rules 3 to 6)."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
import s2sphere
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.dss.cells import SIDE, Cells, ShapeTooLarge, ShapeUnusable, cover_circle, cover_polygon
from keepclear.dss.extent import Extent
from keepclear.dss.instants import HOUR_US, rfc3339
from keepclear.dss.refusal import RefusalKind
from keepclear.dss.request import Rules, parse
from keepclear.dss.volumes import Volume4D, extent_of, union_of
from keepclear.space.geometry import Circle
from tests.dss.desk import BAD, NOW_US, TOO_LARGE, altitude, circle, polygon, refused, time, volume

SQUARE = polygon((46.0, 7.0), (46.0, 7.02), (46.02, 7.02), (46.02, 7.0))


def extent(v4: dict[str, Any], too_large: RefusalKind = BAD) -> Extent:
    return extent_of(parse(msgspec.json.Decoder(Volume4D), json.dumps(v4).encode()), Rules(), too_large)


def s2_ids(cells: Cells) -> set[int]:
    """The cells as the reference implementation numbers them."""
    ids = set()
    for block, mask in cells.masks.items():
        face, rest = divmod(block, 1 << 20)
        i0, j0 = (rest >> 10) * SIDE, (rest & 1023) * SIDE
        for bit in range(64):
            if mask >> bit & 1:
                i, j = i0 + bit // SIDE, j0 + bit % SIDE
                ids.add(s2sphere.CellId.from_face_ij(face, i << 17, j << 17).parent(13).id())
    return ids


def cell_at(lat: float, lng: float) -> int:
    return int(s2sphere.CellId.from_lat_lng(s2sphere.LatLng.from_degrees(lat, lng)).parent(13).id())


@pytest.mark.parametrize(
    ("what", "v4"),
    [
        ("both circle and polygon", volume({**circle(), **SQUARE})),
        ("neither", volume({"altitude_lower": altitude(0)})),
        ("two vertices", volume(polygon((46.0, 7.0), (46.0, 7.02)))),
        ("no vertices", volume({"outline_polygon": {"vertices": []}})),
        ("latitude out of range", volume(circle(lat=90.5))),
        ("longitude out of range", volume(circle(lng=180.5))),
        ("crossing edges", volume(polygon((46.0, 7.0), (46.02, 7.02), (46.0, 7.02), (46.02, 7.0)))),
        ("a vertex twice", volume(polygon((46.0, 7.0), (46.0, 7.02), (46.0, 7.02), (46.02, 7.0)))),
        ("the first vertex again", volume(polygon((46.0, 7.0), (46.0, 7.02), (46.02, 7.02), (46.0, 7.0)))),
        ("a vertex met again", volume(polygon((46, 7), (46, 7.02), (46.01, 7.01), (46.02, 7.02), (46.01, 7.01)))),
        ("no area", volume(polygon((0.0, 7.0), (0.0, 7.01), (0.0, 7.02)))),
        ("radius 0", volume(circle(radius_m=0.0))),
        ("a negative radius", volume(circle(radius_m=-5.0))),
        ("lower above upper", volume(low=200.0, high=100.0)),
        ("start after end", volume(start=HOUR_US, end=0)),
        ("an altitude beyond the sanity bounds", volume(high=100_001.0)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_rule_3_refuses(what: str, v4: dict[str, Any]) -> None:
    refused(BAD, lambda: extent(v4))


@pytest.mark.parametrize(
    "change",
    [
        {"outline_circle": {"center": {"lat": 46, "lng": 7}, "radius": {"value": 300, "units": "FT"}}},
        {"altitude_lower": {"value": 0, "reference": "SFC", "units": "M"}},
        {"altitude_lower": {"value": 0, "reference": "W84", "units": "FT"}},
        {"altitude_lower": {"value": "0", "reference": "W84", "units": "M"}},
    ],
)
def test_rule_3_refuses_other_units_and_references(change: dict[str, Any]) -> None:
    refused(BAD, lambda: extent(volume({**circle(), **change}, low=None)))


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:60Z"])
def test_rule_3_refuses_what_is_no_time(text: str) -> None:
    refused(BAD, lambda: extent({**volume(), "time_start": {"value": text, "format": "RFC3339"}}))


def test_rule_4_winding_is_free_and_the_smaller_area_is_meant() -> None:
    ring = ((7.0, 46.0), (7.02, 46.0), (7.02, 46.02), (7.0, 46.02))
    assert cover_polygon(ring) == cover_polygon(ring[::-1])
    assert len(cover_polygon(ring)) < 20


def test_rule_4_too_large_is_refused_as_the_operation_says() -> None:
    large = volume(polygon((46.0, 7.0), (46.0, 8.0), (47.0, 8.0), (47.0, 7.0)))
    refused(BAD, lambda: extent(large))
    refused(TOO_LARGE, lambda: extent(large, TOO_LARGE))
    refused(TOO_LARGE, lambda: extent(volume(circle(radius_m=28_300.0)), TOO_LARGE))
    assert extent(volume(circle(radius_m=28_200.0)))


def test_rule_4_the_limit_of_area_is_2500_square_kilometres_on_the_sphere() -> None:
    side = math.degrees(math.sqrt(2_500.0) / 6_371.01)
    for share, fits in ((0.999, True), (1.001, False)):
        half = side * math.sqrt(share) / 2
        ring = ((-half, -half), (half, -half), (half, half), (-half, half))
        if fits:
            assert cover_polygon(ring)
        else:
            with pytest.raises(ShapeTooLarge):
                cover_polygon(ring)


def test_rule_5_circles_at_the_pole_and_beside_it_over_the_antimeridian_overlap() -> None:
    pole, beside = extent(volume(circle(lat=90.0, lng=0.0))), extent(volume(circle(lat=89.999, lng=180.0)))
    other = extent(volume(circle(lat=89.999, lng=-180.0)))
    assert pole.meets(beside)
    assert beside.meets(other)
    assert extent(volume(circle(lat=-90.0, lng=77.0))).meets(extent(volume(circle(lat=-89.999, lng=-100.0))))


def test_rule_5_a_polygon_over_the_antimeridian_is_one_small_area() -> None:
    over = extent(volume(polygon((10.0, 179.99), (10.0, -179.99), (10.02, -179.99), (10.02, 179.99))))
    assert len(over.cells) < 20
    assert over.meets(extent(volume(circle(lat=10.01, lng=180.0))))
    assert over.meets(extent(volume(circle(lat=10.01, lng=-180.0))))


def test_rule_5_a_polygon_around_a_pole_contains_it() -> None:
    around = cover_polygon(((0.0, 89.8), (90.0, 89.8), (180.0, 89.8), (-90.0, 89.8)))
    assert cover_circle(Circle(12.0, 90.0, 1.0)).meets(around)
    assert around.covers(cover_circle(Circle(12.0, 90.0, 1.0)))


def test_rule_6_volumes_are_united_to_one_box() -> None:
    decoder = msgspec.json.Decoder(list[Volume4D])
    given_ = [
        volume(circle(46.0), low=0, high=50),
        volume(circle(46.1), low=200, high=300, start=HOUR_US, end=2 * HOUR_US),
    ]
    united = union_of(decoder.decode(json.dumps(given_)), Rules())
    assert (united.lower_m, united.upper_m) == (0.0, 300.0)
    assert (united.start_us, united.end_us) == (NOW_US, NOW_US + 2 * HOUR_US)
    assert united.meets(extent(volume(circle(46.1), low=100, high=120)))  # in neither volume, but in the box


def test_touching_counts_as_meeting() -> None:
    low, high = extent(volume(low=0, high=100)), extent(volume(low=100, high=200))
    assert low.meets(high)
    assert not extent(volume(low=0, high=99)).meets(high)
    assert extent(volume(end=HOUR_US)).meets(extent(volume(start=HOUR_US, end=2 * HOUR_US)))


def test_fields_given_twice_are_refused() -> None:
    text = json.dumps(volume())[:-1] + ', "time_start": ' + json.dumps(time(0)) + "}"
    refused(BAD, lambda: parse(msgspec.json.Decoder(Volume4D), text.encode()))


def test_brackets_without_end_are_refused() -> None:
    for text in (b'{"volume":' + b"[" * 200_000, b'{"volume": {"x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}}"):
        refused(BAD, lambda text=text: parse(msgspec.json.Decoder(Volume4D), text))  # type: ignore[misc]


def test_times_keep_their_microseconds() -> None:
    assert rfc3339(NOW_US + 1) == "2027-01-15T08:00:00.000001Z"


def test_a_needle_around_the_earth_is_refused_quickly() -> None:
    with pytest.raises((ShapeTooLarge, ShapeUnusable)):
        cover_polygon(((-179.0, 0.0), (0.0, 0.0), (179.0, 0.0001)))
    with pytest.raises(ShapeTooLarge):
        cover_polygon(((0.0, 0.0), (30.0, 0.0), (30.0, 0.0001)))


@pytest.mark.parametrize("tiny", [-1e-320, 5e-324, 1e-310, -1e-17])
def test_edges_all_but_level_on_a_face_are_covered_like_level_ones(tiny: float) -> None:
    """Found by fuzzing: a slope of a subnormal difference is infinite, and ended the process."""
    for make in (
        lambda x: ((7.0, 46.0), (0.0, 46.0), (x, 46.01)),
        lambda x: ((0.0, 0.0), (7.0, x), (7.0, 0.01)),
        lambda x: ((90.0, 0.0), (90.0 + x, 7.0), (90.01, 7.0)),
        lambda x: ((-180.0, -46.0), (x - 180.0, -40.0), (179.99, -40.0)),
    ):
        assert cover_polygon(make(tiny)) == cover_polygon(make(0.0))


def test_ten_thousand_vertices_are_covered() -> None:
    ring = tuple(
        (7.0 + 0.2 * math.cos(a) * (1 + 0.05 * (k % 2)), 46.0 + 0.15 * math.sin(a) * (1 + 0.05 * (k % 2)))
        for k, a in enumerate(2 * math.pi * k / 10_000 for k in range(10_000))
    )
    cells = cover_polygon(ring)
    assert cell_at(46.0, 7.0) in s2_ids(cells)


positions = st.tuples(
    st.one_of(st.sampled_from([90.0, -90.0, 0.0, 45.0, 35.2643897, -35.2643897]), st.floats(-90, 90)),
    st.one_of(st.sampled_from([0.0, 45.0, 135.0, -45.0, -180.0, 90.0]), st.floats(-180, 179.999)),
)


@settings(max_examples=60, deadline=None)
@given(
    positions, st.floats(1.0, 28_000.0), st.lists(st.tuples(st.floats(0, 360), st.floats(0, 1)), min_size=5, max_size=5)
)
def test_cells_hold_every_point_of_a_circle(
    centre: tuple[float, float], radius_m: float, chosen: list[tuple[float, float]]
) -> None:
    lat, lng = centre
    ids = s2_ids(cover_circle(Circle(lng, lat, radius_m)))
    for azimuth, share in chosen:
        spot = Geodesic.WGS84.Direct(lat, lng, azimuth, radius_m * math.sqrt(share))
        assert cell_at(spot["lat2"], spot["lon2"]) in ids


@settings(max_examples=60, deadline=None)
@given(positions, st.floats(100.0, 20_000.0), st.integers(3, 9), st.floats(0, 360), st.data())
def test_cells_hold_every_point_of_a_polygon(
    centre: tuple[float, float], size_m: float, corners: int, turn: float, data: st.DataObject
) -> None:
    """Star-shaped around its centre, so that points inside are known: on the way from the centre to an edge."""
    lat, lng = centre
    ends = []
    for k in range(corners):
        reach_m = size_m * data.draw(st.floats(0.5, 1.0))
        there = Geodesic.WGS84.Direct(lat, lng, turn + 360.0 * k / corners, reach_m)
        ends.append((there["lon2"], there["lat2"]))
    ids = s2_ids(cover_polygon(tuple(ends)))
    for k, (lng1, lat1) in enumerate(ends):
        lng2, lat2 = ends[(k + 1) % corners]
        edge = Geodesic.WGS84.Inverse(lat1, lng1, lat2, lng2)
        on_edge = Geodesic.WGS84.Direct(lat1, lng1, edge["azi1"], edge["s12"] * data.draw(st.floats(0, 1)))
        assert cell_at(on_edge["lat2"], on_edge["lon2"]) in ids
        inward = Geodesic.WGS84.Inverse(lat, lng, on_edge["lat2"], on_edge["lon2"])
        inside = Geodesic.WGS84.Direct(lat, lng, inward["azi1"], inward["s12"] * data.draw(st.floats(0, 0.99)))
        assert cell_at(inside["lat2"], inside["lon2"]) in ids


def test_cells_are_few_beyond_what_the_reference_finds() -> None:
    """Conservative, yet close: the reference's own covering of the same square, and at most a rim more."""
    region = s2sphere.LatLngRect.from_point_pair(
        s2sphere.LatLng.from_degrees(46.0, 7.0), s2sphere.LatLng.from_degrees(46.1, 7.15)
    )
    coverer = s2sphere.RegionCoverer()
    coverer.min_level = coverer.max_level = 13
    coverer.max_cells = 10_000
    theirs = {cell.id() for cell in coverer.get_covering(region)}
    ours = s2_ids(cover_polygon(((7.0, 46.0), (7.15, 46.0), (7.15, 46.1), (7.0, 46.1))))
    assert len(ours) <= 1.15 * len(theirs) + 8
    assert len(theirs - ours) <= 1  # their rectangle's sides follow the parallels

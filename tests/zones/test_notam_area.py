"""Holds true that the areas which NOTAM texts describe are read as their writers meant them, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.quantities import NAUTICAL_MILE_M
from keepclear.space.geometry import Circle, EdgeType, Polygon
from keepclear.zones.arcs import azimuth_and_distance
from keepclear.zones.notam_area import read_area

TRIANGLE = ((31.0, 48.5), (32.0, 48.5), (32.0, 49.0))


@pytest.mark.parametrize(
    "text",
    [
        "AREA BOUNDED BY: 483000N 0310000E - 483000N 0320000E - 490000N 0320000E - 483000N 0310000E",
        "WI AN AREA BOUNDED BY FLW COORD:\n4830N 03100E  4830N 03200E  4900N 03200E TO BEGINNING",
        "AREA BOUNDED BY LINES JOINING: 483000N0310000E 483000N0320000E 490000N0320000E.",
        "483000N/0310000E 483000N/0320000E 490000N/0320000E",
        "N483000 E0310000 N483000 E0320000 N490000 E0320000",
        "48°30'00\"N 031°00'00\"E – 48°30'00\"N 032°00'00\"E – 49°00'00\"N 032°00'00\"E",
        "48 30 00 N 031 00 00 E, 48 30 00 N 032 00 00 E, 49 00 00 N 032 00 00 E",
        "48.5N 31.0E, 48.5N 32.0E, 49.0N 32.0E",
        "4830.0N 03100.0E THEN 4830.0N 03200.0E THEN 4900.0N 03200.0E THEN TO POINT OF ORIGIN",
        "483000.0N 0310000.0E, 483000.0N 0320000.0E, 490000.0N 0320000.0E",
        "1. 4830N 03100E 2. 4830N 03200E 3. 4900N 03200E",
        "4830\n00N 0310000E 483000N 03200\n00E 490000N\n0320000E",
        "4830N 3100E, 4830N 3200E, 4900N 3200E",
    ],
)
def test_one_triangle_in_every_notation(text: str) -> None:
    reading = read_area(text)
    assert not reading.trouble
    (shape,) = reading.shapes
    assert isinstance(shape, Polygon)
    assert shape.edge_type is EdgeType.GEODESIC
    assert [pytest.approx(v, abs=1e-9) for v in TRIANGLE] == list(shape.exterior)


@pytest.mark.parametrize(
    ("text", "radius_m"),
    [
        ("WI 5NM RADIUS CENTRED ON 483000N 0310000E", 5 * NAUTICAL_MILE_M),
        ("CIRCLE RADIUS 10KM CENTRE 4830N 03100E", 10_000.0),
        ("WITHIN 5NM OF 4830N 03100E", 5 * NAUTICAL_MILE_M),
        ("PSN 4830N 03100E RADIUS 2.5KM", 2_500.0),
        ("A CIRCLE WITH RADIUS 500M (0.27NM) CENTERED ON 483000N0310000E", 500.0),
        ("RADIUS 2,5 KM AROUND 4830N 03100E", 2_500.0),
        ("3NMR OF 483000N0310000E (ABQ123045.5)", 3 * NAUTICAL_MILE_M),
        ("5 NM RADIUS OF AERODROME REFERENCE POINT (ARP) 4830N 03100E", 5 * NAUTICAL_MILE_M),
    ],
)
def test_one_circle_in_every_wording(text: str, radius_m: float) -> None:
    (shape,) = read_area(text).shapes
    assert isinstance(shape, Circle)
    assert (shape.lon_deg, shape.lat_deg) == pytest.approx((31.0, 48.5))
    assert shape.radius_m == pytest.approx(radius_m)


def test_each_radius_goes_with_its_own_centre() -> None:
    for text in (
        "4830N 03100E RADIUS 5KM, 4930N 03200E RADIUS 6KM",
        "RADIUS 5KM AROUND 4830N 03100E AND RADIUS 6KM AROUND 4930N 03200E",
    ):
        shapes = read_area(text).shapes
        assert [(s.lat_deg, s.radius_m) for s in shapes if isinstance(s, Circle)] == [(48.5, 5_000.0), (49.5, 6_000.0)]


def test_several_areas_stay_several() -> None:
    numbered = read_area("1. 4830N 03100E 4830N 03200E 4900N 03200E 2. 5030N 03100E 5030N 03200E 5100N 03200E")
    assert len(numbered.shapes) == 2
    mixed = read_area("AREA 1: 4830N 03100E 4830N 03200E 4900N 03200E. AREA 2: CIRCLE 3KM AROUND 5000N 03000E")
    assert sorted(type(shape).__name__ for shape in mixed.shapes) == ["Circle", "Polygon"]


def test_an_arc_is_followed_the_way_round_that_is_stated() -> None:
    text = "4810N 03100E - 4810N 03200E THEN {} ARC RADIUS 10NM CENTRED ON 4820N 03200E TO 4830N 03200E - 4830N 03100E"
    for words, side in (("CLOCKWISE", -1), ("ANTICLOCKWISE", 1)):
        reading = read_area(text.format(words))
        assert not reading.trouble
        (shape,) = reading.shapes
        assert isinstance(shape, Polygon)
        arc = shape.exterior[2:-2]
        assert len(arc) > 50
        assert all((lon - 32.0) * side > 0 for lon, _ in arc)
        lengths = [azimuth_and_distance((32.0, 48 + 1 / 3), vertex)[1] for vertex in arc]
        assert max(lengths) - min(lengths) < 60.0  # the published ends differ by this much on the ellipsoid


def test_a_strip_along_a_line_holds_everything_within_its_width() -> None:
    reading = read_area("WI 5NM EITHER SIDE OF LINE 4830N 03100E - 4900N 03200E - 5000N 03200E")
    assert not reading.trouble
    assert [type(shape).__name__ for shape in reading.shapes] == ["Polygon", "Polygon", "Circle", "Circle", "Circle"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("AREA BOUNDED BY 4830N 03100E, 4830N 03200E THEN ALONG FIR BOUNDARY TO 4900N 03200E, 4830N03100E", "boundary"),
        ("4830N 03100E - 4830N 03200E - 4900N 03200E THEN ALONG THE COASTLINE TO ORIGIN", "boundary"),
        ("4830N 03100E - 4830N 03200E THEN ARC RADIUS 10NM CENTRED ON 4840N 03200E TO 4850N 03200E", "which way"),
        ("4830N 03100E - 4830N 03200E - 4900N 03200E AND WI 5NM RADIUS OF VOR KVH", "radius"),
        ("4830N 03100E - 4930N 03200E - 4930N 03100E - 4830N 03200E", "crosses itself"),
        ("LINE 4830N 03100E - 4930N 03200E", "line"),
        ("CORRIDOR 10NM WIDE 4830N 03100E 4900N 03200E", "line"),
    ],
)
def test_what_is_not_fully_given_is_not_half_used(text: str, said: str) -> None:
    reading = read_area(text)
    assert reading.shapes == ()
    assert said in reading.trouble


def test_a_position_not_on_earth_is_refused() -> None:
    for text in ("9830N 03100E 4830N 03200E 4900N 03200E", "4870N 03100E", "4830N 18500E"):
        with pytest.raises(InputError):
            read_area(text)


def test_a_text_without_positions_gives_nothing() -> None:
    assert read_area("RWY 11/29 CLSD DUE WIP UNTIL 1200") == read_area("")


@given(st.text(alphabet="0123456789NSEW°'\" .,-/RADIUSKM\nTOARCLINEWI", max_size=200))
def test_any_text_gives_shapes_or_a_typed_error(text: str) -> None:
    try:
        reading = read_area(text)
    except InputError:
        return
    assert not (reading.trouble and reading.shapes)

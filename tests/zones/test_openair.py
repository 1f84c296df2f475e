"""Holds true that OpenAir blocks are read one by one, arcs and circles exact, and written back whole."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.quantities import NAUTICAL_MILE_M, UNBOUNDED, Datum, LengthUnit, Level
from keepclear.space.geometry import Circle, EdgeType, Polygon
from keepclear.zones import openair
from keepclear.zones.arcs import arc_between, arc_by_bearings, azimuth_and_distance, destination
from keepclear.zones.model import Exemption, Period, Restriction, Volume, Zone, ZoneType
from keepclear.zones.reading import Severity, ZoneReading

SQUARE = "DP 48:50:00 N 008:00:00 E\nDP 48:50:00 N 008:10:00 E\nDP 48:40:00 N 008:10:00 E\nDP 48:40:00 N 008:00:00 E\n"


def read(text: str) -> ZoneReading:
    return openair.read(text.encode(), "test.txt")


def one(outline: str, *, head: str = "AC R\nAN TEST\nAL GND\nAH FL100\n") -> Zone:
    reading = read(head + outline)
    assert not [problem for problem in reading.problems if problem.severity is Severity.ERROR]
    (zone,) = reading.zones
    return zone


def test_a_block_becomes_a_zone() -> None:
    zone = one(SQUARE, head="* comment\nAC P\nAN SOME PLACE\nAF 123.450\nAL 1500ft AGL\nAH 2000MSL * the top\n")
    assert (zone.id, zone.name, zone.type, zone.restriction) == (
        "SOME PLACE", "SOME PLACE", ZoneType.PROHIBITED, Restriction.PROHIBITED,
    )  # fmt: skip
    (volume,) = zone.volumes
    assert volume.shape == Polygon(
        ((8.0, 48 + 5 / 6), (8 + 1 / 6, 48 + 5 / 6), (8 + 1 / 6, 48 + 2 / 3), (8.0, 48 + 2 / 3)), (), EdgeType.GEODESIC
    )
    assert volume.lower == Level(1500.0, LengthUnit.FOOT, Datum.AGL)
    assert volume.upper == Level(2000.0, LengthUnit.FOOT, Datum.AMSL)
    assert zone.extensions["openair"] == {"AC": "P", "AF": "123.450"}


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("SFC", UNBOUNDED), ("GND", UNBOUNDED), ("0 ft", UNBOUNDED),
        ("FL195", Level(195.0, LengthUnit.FLIGHT_LEVEL, Datum.STD)),
        ("FL 65", Level(65.0, LengthUnit.FLIGHT_LEVEL, Datum.STD)),
        ("1500 ft AGL", Level(1500.0, LengthUnit.FOOT, Datum.AGL)),
        ("2000MSL", Level(2000.0, LengthUnit.FOOT, Datum.AMSL)),
        ("4500", Level(4500.0, LengthUnit.FOOT, Datum.AMSL)),
        ("1000 M", Level(1000.0, LengthUnit.METRE, Datum.AMSL)),
        ("1000m AMSL", Level(1000.0, LengthUnit.METRE, Datum.AMSL)),
        ("500ft GND", Level(500.0, LengthUnit.FOOT, Datum.AGL)),
        ("3500ft ALT", Level(3500.0, LengthUnit.FOOT, Datum.AMSL)),
    ],
)  # fmt: skip
def test_lower_limits_in_the_words_that_are_used(text: str, level: Level) -> None:
    assert one(SQUARE, head=f"AC R\nAN X\nAL {text}\nAH UNL\n").volumes[0].lower == level


def test_r2_7_sentinel_ceilings_become_unbounded() -> None:
    for text in ("UNL", "UNLIM", "FL999", "99999ft", "99999 MSL"):
        assert one(SQUARE, head=f"AC R\nAN X\nAL GND\nAH {text}\n").volumes[0].upper is UNBOUNDED


@pytest.mark.parametrize(
    "position",
    [
        "48:30:00 N 008:30:00 E", "48:30:00N 8:30:00E", "48:30.000 N 008:30.000 E", "483000N 0083000E",
        "48.5 N 8.5 E", "48:30 N 008:30 E", "N48:30:00 E008:30:00",
    ],
)  # fmt: skip
def test_positions_in_the_notations_that_are_used(position: str) -> None:
    zone = one(f"V X={position}\nDC 2\n")
    assert zone.volumes[0].shape == Circle(8.5, 48.5, 2 * NAUTICAL_MILE_M)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-180.0, 179.9), st.floats(-85.0, 85.0), st.floats(0.2, 60.0), st.floats(0.0, 360.0),
    st.floats(0.0, 360.0), st.booleans(),
)  # fmt: skip
def test_an_arc_stays_within_a_metre_and_goes_the_way_it_should(
    lon: float, lat: float, radius_nm: float, start: float, end: float, clockwise: bool
) -> None:
    """The twin: the middle of every chord lies within a metre of the radius, and bearings go round monotonically."""
    radius_m = radius_nm * NAUTICAL_MILE_M
    points = arc_by_bearings((lon, lat), radius_m, start, end, clockwise=clockwise)
    swept = 0.0
    for a, b in pairwise(points):
        azimuth, length = azimuth_and_distance(a, b)
        middle = destination(a, azimuth, length / 2.0)
        bearing_a, distance_a = azimuth_and_distance((lon, lat), a)
        bearing_b, _ = azimuth_and_distance((lon, lat), b)
        assert distance_a == pytest.approx(radius_m, abs=1e-3)
        assert abs(azimuth_and_distance((lon, lat), middle)[1] - radius_m) < 1.0
        turn = (bearing_b - bearing_a) % 360.0 if clockwise else (bearing_a - bearing_b) % 360.0
        assert turn < 180.0 + 1e-6
        swept += turn
    expected = (end - start) % 360.0 if clockwise else (start - end) % 360.0
    assert swept == pytest.approx(expected or 360.0, abs=1e-3) or expected == pytest.approx(360.0, abs=1e-3)


def test_direction_and_centre_of_arcs_between_two_positions_are_honoured() -> None:
    arc = "DB 47:10:00 N 008:00:00 E, 47:00:00 N 008:14:41 E\n"
    text = "V X=47:00:00 N 008:00:00 E\nV D={}\n" + arc + "DP 47:00:00 N 008:00:00 E\n"
    short, long = (one(text.format(sign)).volumes[0].shape for sign in "+-")
    assert isinstance(short, Polygon)
    assert isinstance(long, Polygon)
    assert min(lon for lon, _ in short.exterior) >= 8.0
    assert min(lon for lon, _ in long.exterior) < 7.8
    assert short.exterior[0] == (8.0, 47 + 1 / 6)


def test_the_direction_is_clockwise_again_in_each_airspace() -> None:
    arc = "V X=47:00:00 N 008:00:00 E\n{}DA 5,0,90\nDP 47:00:00 N 008:00:00 E\n"
    reading = read(
        "AC R\nAN A\nAL GND\nAH UNL\n" + arc.format("V D=-\n") + "AC R\nAN B\nAL GND\nAH UNL\n" + arc.format("")
    )
    first, second = (zone.volumes[0].shape for zone in reading.zones)
    assert isinstance(first, Polygon)
    assert isinstance(second, Polygon)
    assert min(lon for lon, _ in first.exterior) < 7.9
    assert min(lon for lon, _ in second.exterior) > 7.9999


def test_a_whole_turn_is_a_true_circle() -> None:
    assert one("V X=47:00:00 N 008:00:00 E\nDA 5,0,360\n").volumes[0].shape == Circle(8.0, 47.0, 5 * NAUTICAL_MILE_M)


def test_an_airway_is_a_strip_of_its_width() -> None:
    zone = one("V W=10\nDY 47:00.5 N 008:00 E\nDY 48:00.5 N 009:00 E\nDY 49:00 N 009:00 E\n")
    assert [type(volume.shape).__name__ for volume in zone.volumes] == ["Polygon", "Polygon", "Circle"]


def test_a_bad_line_costs_its_block_and_nothing_else() -> None:
    good = "AC R\nAN {}\nAL GND\nAH FL100\n" + SQUARE
    bad = [
        ("AC Q\nAN B1\nAL GND\nAH FL100\nDP 48:00:0x N 008:00:00 E\n" + SQUARE, "no position"),
        ("AC Q\nAN B2\nAL BANANA\nAH FL100\n" + SQUARE, "no vertical limit"),
        ("AC Q\nAN B3\nAL GND\nAH FL100\nDC 5\n", "without a centre"),
        ("AC Q\nAN B4\nAL GND\nAH FL100\n", "no outline"),
        ("AC Q\nAN B5\nAL FL100\nAH FL050\n" + SQUARE, "above the upper limit"),
        ("AC Q\nAN B8\nAL FL195\nAH 2500ft AMSL\n" + SQUARE, "in any weather, over any ground"),
        ("AC Q\nAN B6\nAL GND\nAH FL100\nV X=48:00:00 N 008:00:00 E\nDC 5\n" + SQUARE, "which is meant"),
        ("AC Q\nAN B7\nAL GND\nAH FL100\nDP 48:50:00 N 008:00:00 E\nDP 48:40:00 N 008:10:00 E\n"
         "DP 48:50:00 N 008:10:00 E\nDP 48:40:00 N 008:00:00 E\n", "crosses itself"),
    ]  # fmt: skip
    for text, reason in bad:
        reading = read(good.format("ONE") + text + good.format("TWO"))
        assert [zone.id for zone in reading.zones] == ["ONE", "TWO"]
        (problem,) = reading.problems
        assert problem.severity is Severity.ERROR
        assert reason in problem.reason
        assert problem.where.startswith("line ")
    assert read(good.format("ONE") + bad[0][0]).problems[0].where == "line 13, airspace of line 9 (B1)"


def test_unknown_records_and_a_missing_limit_are_said() -> None:
    reading = read("AC R\nAN X\nAL GND\nTQ 3\n" + SQUARE)
    assert len(reading.zones) == 1
    assert sorted(problem.reason for problem in reading.problems) == [
        "AH is missing: taken as unlimited on that side", "records TQ are not known here and not used",
    ]  # fmt: skip


def test_extended_records_and_activation_times() -> None:
    zone = one(SQUARE, head="AC R\nAY TRA\nAI 123-abc\nAN TRA X\nAX 7000\nAA 2023-12-16T12:00Z/2023-12-16T13:00Z\n"
                            "AL GND\nAH FL100\n")  # fmt: skip
    assert zone.id == "123-abc"
    assert zone.applicability == (Period(1702728000.0, 1702731600.0),)
    again = openair.read(openair.write([zone]).data, "again").zones[0]
    assert (again.id, again.name, again.applicability, again.extensions) == (
        zone.id, zone.name, zone.applicability, zone.extensions,
    )  # fmt: skip


def test_names_are_read_in_either_encoding_and_equal_names_get_their_own_ids() -> None:
    text = "AC R\nAN ZÜRICH\nAL GND\nAH FL100\n" + SQUARE
    for data in (text.encode("cp1252"), text.encode("utf-8"), text.encode("utf-8-sig"), text.encode("utf-16")):
        assert openair.read(data, "x").zones[0].name == "ZÜRICH"
    assert [zone.id for zone in read(text * 3).zones] == ["ZÜRICH", "ZÜRICH #2", "ZÜRICH #3"]


shapes = st.one_of(
    st.builds(Circle, st.floats(-180, 179.99), st.floats(-89, 89), st.floats(1.0, 1e6)),
    st.builds(
        lambda lon, lat, size: Polygon(((lon, lat), (lon + size, lat), (lon + size, lat + size / 2))),
        st.floats(-170, 170), st.floats(-80, 80), st.floats(0.001, 5.0),
    ),
)  # fmt: skip
levels = st.one_of(
    st.just(UNBOUNDED),
    st.builds(Level, st.integers(1, 660).map(float), st.just(LengthUnit.FLIGHT_LEVEL), st.just(Datum.STD)),
    st.builds(
        Level, st.integers(1, 90_000).map(float), st.sampled_from([LengthUnit.FOOT, LengthUnit.METRE]),
        st.sampled_from([Datum.AGL, Datum.AMSL, Datum.STD]),
    ),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(shapes, levels, levels, st.sampled_from("RPQ"))
def test_writing_and_reading_again_keeps_shape_limits_and_class(
    shape: Circle | Polygon, lower: Level, upper: Level, code: str
) -> None:
    try:
        volume = Volume(shape, lower, upper)
    except InputError:
        return
    kind = {"R": ZoneType.RESTRICTED, "P": ZoneType.PROHIBITED, "Q": ZoneType.DANGER}[code]
    restriction = {"R": Restriction.REQ_AUTHORISATION, "P": Restriction.PROHIBITED, "Q": Restriction.CONDITIONAL}[code]
    zone = Zone("A", (volume,), name="A", type=kind, restriction=restriction)
    writing = openair.write([zone])
    assert writing.losses == ()
    (again,) = openair.read(writing.data, "again").zones
    assert (again.id, again.name, again.type, again.restriction) == (zone.id, zone.name, kind, restriction)
    assert (again.volumes[0].lower, again.volumes[0].upper) == (lower, upper)
    found = again.volumes[0].shape
    if isinstance(shape, Circle):
        assert isinstance(found, Circle)
        assert found.radius_m == pytest.approx(shape.radius_m, abs=1e-3)
        assert azimuth_and_distance((shape.lon_deg, shape.lat_deg), (found.lon_deg, found.lat_deg))[1] < 1e-3
    else:
        assert isinstance(found, Polygon)
        assert all(azimuth_and_distance(a, b)[1] < 1e-3 for a, b in zip(shape.exterior, found.exterior, strict=True))


def test_whatever_a_zone_holds_comes_back_or_is_listed(any_zones: st.SearchStrategy[list[Zone]]) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(any_zones.map(lambda zones: [replace(zone, id=f"{i}{zone.id}") for i, zone in enumerate(zones)]))
    def check(zones: list[Zone]) -> None:
        writing = openair.write(zones)
        if not zones:
            return
        reading = openair.read(writing.data, "x")
        assert [str(problem) for problem in reading.problems if problem.severity is Severity.ERROR] == []
        found = iter(reading.zones)
        for zone in zones:
            lost = {loss.field for loss in writing.losses if loss.zone_id == zone.id}
            for volume in zone.volumes:
                again = next(found)
                assert "name" in lost or again.name == (zone.name or zone.id)
                assert "id" in lost or again.id.split(" #")[0] == zone.id
                assert "type" in lost or (again.type, again.restriction) == (zone.type, zone.restriction)
                assert "applicability" in lost or again.applicability == zone.applicability
                for mine, its in zip((volume.lower, volume.upper), (again.volumes[0].lower, again.volumes[0].upper)):
                    held = (mine.datum, str(mine.metres)) == (its.datum, str(its.metres))
                    assert "limits" in lost or held or (mine.value == 0.0 and mine.datum is Datum.AGL)
                if isinstance(volume.shape, Circle):
                    assert isinstance(again.volumes[0].shape, Circle)
                    assert again.volumes[0].shape.radius_m == pytest.approx(volume.shape.radius_m, rel=1e-15)

    check()


def test_a_period_is_rather_too_long_than_left_out() -> None:
    volume = Volume(Circle(30.0, 50.0, 3500.0), UNBOUNDED, UNBOUNDED)
    zone = Zone("A", (volume,), applicability=(Period(0.0, 86_400.0), Period(864_000.0, 950_400.0)))
    writing = openair.write([zone])
    assert [loss.field for loss in writing.losses] == ["applicability"]
    assert openair.read(writing.data, "x").zones[0].applicability == (Period(0.0, 950_400.0),)


def test_what_openair_cannot_hold_is_listed_by_field() -> None:
    outer, hole = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0)), ((5.0, 1.0), (6.0, 1.0), (6.0, 2.0))
    zone = Zone(
        "A", (Volume(Polygon(outer, (hole,), EdgeType.STRAIGHT), UNBOUNDED, UNBOUNDED),), text="closed",
        type=ZoneType.HUMANITARIAN, exemptions=(Exemption(clause="EXC"),), buffer_lateral_m=10.0,
        applicability=(Period(0.0, math.inf, (), True),), extensions={"notam": {"number": "A0001/20"}},
    )  # fmt: skip
    assert {loss.field for loss in openair.write([zone]).losses} == {
        "text", "type", "exemptions", "buffer_lateral_m", "applicability", "holes", "edge_type", "extensions.notam",
    }  # fmt: skip


def test_no_airspace_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="no airspace found"):
        read("hello\nworld")


def test_the_two_ends_of_an_arc_must_lie_on_one() -> None:
    with pytest.raises(InputError, match="no arc"):
        arc_between((0.0, 0.0), (1.0, 0.0), (0.0, 2.0), clockwise=True)


RECORDS = (
    "AC R", "AN X", "AL GND", "AH FL9", "V X=1:0:0 N 1:0:0 E", "V D=-", "DA 5,0,90", "DC 3", "DB 1 N 1 E,2 N 2 E",
    "DP 1 N 1 E", "DP 2 N 1 E", "DY 3 N 3 E", "V W=2", "*", "ZZ", "\xff",
)  # fmt: skip


@given(st.lists(st.sampled_from(RECORDS), max_size=20))
def test_any_sequence_of_records_gives_zones_and_problems_or_a_typed_error(lines: list[str]) -> None:
    try:
        reading = read("\n".join(lines))
    except InputError:
        assert "AC R" not in lines
        return
    errors = [problem for problem in reading.problems if problem.severity is Severity.ERROR]
    assert len(reading.zones) + len(errors) == lines.count("AC R")

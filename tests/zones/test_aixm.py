"""Holds true that AIXM airspaces keep their outlines, their limits for each volume, and the kind of their edges."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError, UsageError
from keepclear.quantities import NAUTICAL_MILE_M, UNBOUNDED, Datum, LengthUnit, Level, parse_instant
from keepclear.space.geometry import Circle, EdgeType, Polygon
from keepclear.zones import aixm
from keepclear.zones.applicability import active_intervals
from keepclear.zones.arcs import azimuth_and_distance
from keepclear.zones.model import Restriction, Weekday, Zone, ZoneType
from keepclear.zones.reading import Severity, ZoneReading

NAMESPACES = (
    'xmlns:m="http://www.aixm.aero/schema/5.1/message" xmlns:aixm="http://www.aixm.aero/schema/5.1" '
    'xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:xlink="http://www.w3.org/1999/xlink"'
)
SQUARE = (
    """<gml:LinearRing><gml:posList>50.0 30.0 50.0 31.0 51.0 31.0 51.0 30.0 50.0 30.0</gml:posList></gml:LinearRing>"""
)
LIMITS = """<aixm:upperLimit uom="FL">100</aixm:upperLimit><aixm:upperLimitReference>STD</aixm:upperLimitReference>
<aixm:lowerLimit uom="FT">0</aixm:lowerLimit><aixm:lowerLimitReference>SFC</aixm:lowerLimitReference>"""


def surface(ring: str, srs: str = "urn:ogc:def:crs:EPSG::4326", interior: str = "") -> str:
    hole = f"<gml:interior>{interior}</gml:interior>" if interior else ""
    return (
        f'<aixm:horizontalProjection><aixm:Surface srsName="{srs}"><gml:patches><gml:PolygonPatch><gml:exterior>{ring}'
        f"</gml:exterior>{hole}</gml:PolygonPatch></gml:patches></aixm:Surface></aixm:horizontalProjection>"
    )


def component(inner: str, operation: str = "BASE") -> str:
    return (
        f"<aixm:geometryComponent><aixm:AirspaceGeometryComponent><aixm:operation>{operation}</aixm:operation>"
        f"<aixm:theAirspaceVolume><aixm:AirspaceVolume>{inner}</aixm:AirspaceVolume></aixm:theAirspaceVolume>"
        "</aixm:AirspaceGeometryComponent></aixm:geometryComponent>"
    )


def airspace(components: str, *, designator: str = "UKR1", kind: str = "R", extra: str = "", uuid: str = "a-b") -> str:
    return (
        f'<m:hasMember><aixm:Airspace><gml:identifier codeSpace="urn:uuid:">{uuid}</gml:identifier><aixm:timeSlice>'
        "<aixm:AirspaceTimeSlice><gml:validTime><gml:TimePeriod><gml:beginPosition>2026-01-01T00:00:00Z"
        '</gml:beginPosition><gml:endPosition indeterminatePosition="unknown"/></gml:TimePeriod></gml:validTime>'
        "<aixm:interpretation>BASELINE</aixm:interpretation><aixm:sequenceNumber>3</aixm:sequenceNumber>"
        f"<aixm:type>{kind}</aixm:type><aixm:designator>{designator}</aixm:designator><aixm:name>A NAME</aixm:name>"
        f"{components}{extra}</aixm:AirspaceTimeSlice></aixm:timeSlice></aixm:Airspace></m:hasMember>"
    )


def read(*members: str) -> ZoneReading:
    return aixm.read(f"<m:AIXMBasicMessage {NAMESPACES}>{''.join(members)}</m:AIXMBasicMessage>".encode(), "x.xml")


def one(*members: str) -> Zone:
    reading = read(*members)
    assert reading.problems == ()
    (zone,) = reading.zones
    return zone


def test_an_airspace_becomes_a_zone_with_latitude_first() -> None:
    zone = one(airspace(component(LIMITS + surface(SQUARE))))
    assert (zone.id, zone.name, zone.version) == ("UKR1", "A NAME", "3")
    assert (zone.type, zone.restriction) == (ZoneType.RESTRICTED, Restriction.REQ_AUTHORISATION)
    (volume,) = zone.volumes
    assert volume.shape == Polygon(((30.0, 50.0), (31.0, 50.0), (31.0, 51.0), (30.0, 51.0)), (), EdgeType.GEODESIC)
    assert (volume.lower, volume.upper) == (UNBOUNDED, Level(100.0, LengthUnit.FLIGHT_LEVEL, Datum.STD))
    assert zone.applicability[0].from_s == parse_instant("2026-01-01T00:00:00Z")


def test_crs84_has_longitude_first_and_straight_edges() -> None:
    ring = SQUARE.replace("50.0 30.0 50.0 31.0 51.0 31.0 51.0 30.0 50.0 30.0",
                          "30.0 50.0 31.0 50.0 31.0 51.0 30.0 51.0 30.0 50.0")  # fmt: skip
    shape = one(airspace(component(LIMITS + surface(ring, "urn:ogc:def:crs:OGC:1.3:CRS84")))).volumes[0].shape
    assert isinstance(shape, Polygon)
    assert shape.exterior[0] == (30.0, 50.0)
    assert shape.edge_type is EdgeType.STRAIGHT


def test_each_volume_keeps_its_own_limits() -> None:
    low = component(LIMITS + surface(SQUARE))
    high = component(LIMITS.replace(">100<", ">200<").replace('uom="FT">0<', 'uom="FT">3000<')
                     .replace(">SFC<", ">MSL<") + surface(SQUARE), "UNION")  # fmt: skip
    first, second = one(airspace(low + high)).volumes
    assert first.upper.value == 100.0
    assert (second.lower, second.upper.value) == (Level(3000.0, LengthUnit.FOOT, Datum.AMSL), 200.0)


def test_a_hole_is_kept() -> None:
    hole = "<gml:LinearRing><gml:posList>50.2 30.2 50.2 30.4 50.4 30.4 50.2 30.2</gml:posList></gml:LinearRing>"
    shape = one(airspace(component(LIMITS + surface(SQUARE, interior=hole)))).volumes[0].shape
    assert isinstance(shape, Polygon)
    assert len(shape.holes) == 1


def ring_of(*segments: str) -> str:
    return (
        "<gml:Ring><gml:curveMember><gml:Curve><gml:segments>"
        + "".join(segments)
        + ("</gml:segments></gml:Curve></gml:curveMember></gml:Ring>")
    )


def test_a_circle_stays_a_circle() -> None:
    inner = '<gml:pos>50.5 30.5</gml:pos><gml:radius uom="[nmi_i]">8</gml:radius>'
    circle = f"<gml:CircleByCenterPoint>{inner}</gml:CircleByCenterPoint>"
    zone = one(airspace(component(LIMITS + surface(ring_of(circle)))))
    assert zone.volumes[0].shape == Circle(30.5, 50.5, 8 * NAUTICAL_MILE_M)


@pytest.mark.parametrize(("start", "end", "east"), [(0, 180, True), (180, 0, True), (-180, 0, False), (0, -180, False)])
def test_an_arc_goes_the_way_its_angles_go(start: int, end: int, east: bool) -> None:
    """Angles are bearings under EPSG:4326: from 0 to 180 over 90, the east; from 0 to -180 over the west."""
    arc = (
        f'<gml:ArcByCenterPoint><gml:pos>50.5 30.5</gml:pos><gml:radius uom="KM">10</gml:radius>'
        f'<gml:startAngle uom="deg">{start}</gml:startAngle>'
        f'<gml:endAngle uom="deg">{end}</gml:endAngle></gml:ArcByCenterPoint>'
    )
    shape = one(airspace(component(LIMITS + surface(ring_of(arc))))).volumes[0].shape
    assert isinstance(shape, Polygon)
    assert all((lon > 30.5 - 1e-9) if east else (lon < 30.5 + 1e-9) for lon, _ in shape.exterior)
    assert all(abs(azimuth_and_distance((30.5, 50.5), v)[1] - 10_000.0) < 1e-3 for v in shape.exterior)


def test_geodesic_strings_and_points_by_reference() -> None:
    segments = (
        '<gml:GeodesicString><gml:pointProperty><aixm:Point gml:id="P1"><gml:pos>50 30</gml:pos></aixm:Point>'
        "</gml:pointProperty><gml:pos>50 31</gml:pos></gml:GeodesicString>",
        '<gml:GeodesicString><gml:pos>51 31</gml:pos><gml:pointProperty xlink:href="#P1"/></gml:GeodesicString>',
    )
    shape = one(airspace(component(LIMITS + surface(ring_of(*segments))))).volumes[0].shape
    assert shape == Polygon(((30.0, 50.0), (31.0, 50.0), (31.0, 51.0)), (), EdgeType.GEODESIC)


def test_an_airspace_made_of_another_takes_its_outline_and_keeps_its_own_limits() -> None:
    reference = (
        "<aixm:contributorAirspace><aixm:AirspaceVolumeDependency><aixm:dependency>HORZ_PROJECTION</aixm:dependency>"
        '<aixm:theAirspace xlink:href="urn:uuid:part"/></aixm:AirspaceVolumeDependency></aixm:contributorAirspace>'
    )
    part = airspace(component(surface(SQUARE)), designator="PART", kind="FIR_P", uuid="part")
    whole = airspace(component(LIMITS + reference), designator="WHOLE", kind="FIR", uuid="whole")
    zones = {zone.id: zone for zone in read(part, whole).zones}
    assert zones["WHOLE"].volumes[0].shape == zones["PART"].volumes[0].shape
    assert zones["WHOLE"].volumes[0].upper.value == 100.0
    assert zones["WHOLE"].type is ZoneType.AIRSPACE
    (problem,) = read(whole).problems
    assert "not in this file" in problem.reason
    circular = read(airspace(component(reference), uuid="part"))
    assert circular.zones == ()
    assert "deep" in circular.problems[0].reason


def test_a_part_taken_away_is_said() -> None:
    reading = read(airspace(component(LIMITS + surface(SQUARE)) + component(LIMITS + surface(SQUARE), "SUBTR")))
    (problem,) = reading.problems
    assert problem.severity is Severity.WARNING
    assert "larger than the airspace" in problem.reason


def timesheet(inner: str) -> str:
    return (
        "<aixm:activation><aixm:AirspaceActivation><aixm:timeInterval><aixm:Timesheet>"
        f"<aixm:timeReference>UTC</aixm:timeReference>{inner}"
        "</aixm:Timesheet></aixm:timeInterval><aixm:status>ACTIVE</aixm:status></aixm:AirspaceActivation></aixm:activation>"
    )


def test_timesheets_become_schedules() -> None:
    sheet = timesheet("<aixm:day>MON</aixm:day><aixm:dayTil>WED</aixm:dayTil><aixm:startTime>08:00</aixm:startTime>"
                      "<aixm:endTime>16:00</aixm:endTime>")  # fmt: skip
    zone = one(airspace(component(LIMITS + surface(SQUARE)), extra=sheet))
    assert zone.applicability[0].schedule[0].days == {Weekday.MON, Weekday.TUE, Weekday.WED}
    monday = parse_instant("2026-03-02T00:00:00Z")
    assert active_intervals(zone, monday, monday + 7 * 86_400.0)[:, 0].tolist() == [
        monday + day * 86_400.0 + 8 * 3600.0 for day in range(3)
    ]


def test_a_timesheet_that_is_not_understood_is_in_force_throughout_and_said() -> None:
    reading = read(airspace(component(LIMITS + surface(SQUARE)), extra=timesheet("<aixm:day>HOL</aixm:day>")))
    assert reading.zones[0].applicability[0].schedule == ()
    assert "treated as in force throughout" in reading.problems[0].reason


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        (LIMITS, "no outline"),
        (LIMITS + surface(SQUARE, "urn:ogc:def:crs:EPSG::32635"), "only EPSG:4326"),
        (LIMITS + surface(SQUARE.replace("51.0 31.0", "151.0 31.0")), "latitude"),
        (LIMITS + surface(SQUARE.replace("51.0 31.0", "51.0")), "make no positions"),
        (LIMITS + surface(SQUARE.replace("51.0 31.0", "51.0 x")), "no position"),
        (LIMITS.replace(">100<", ">bananas<") + surface(SQUARE), "upper limit"),
        (LIMITS + surface(ring_of("<gml:CircleByCenterPoint><gml:pos>50 30</gml:pos></gml:CircleByCenterPoint>")),
         "radius"),
    ],
)  # fmt: skip
def test_a_bad_airspace_is_told_with_its_line_and_the_rest_is_read(inner: str, reason: str) -> None:
    good = airspace(component(LIMITS + surface(SQUARE)), designator="GOOD")
    reading = read(good, airspace(component(inner), designator="BAD", uuid="bad"))
    assert [zone.id for zone in reading.zones] == ["GOOD"]
    (problem,) = reading.problems
    assert reason in problem.reason
    assert problem.where.startswith("line ")
    assert problem.where.endswith("airspace BAD")


def test_what_is_no_aixm_is_refused_and_none_is_written() -> None:
    for data in (b"<a/>", b"<a", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'):
        with pytest.raises(InputError):
            aixm.read(data, "x.xml")
    with pytest.raises(UsageError):
        aixm.write([])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 3000), st.binary(min_size=1, max_size=8))
def test_a_damaged_file_gives_a_reading_or_a_typed_error(at: int, noise: bytes) -> None:
    whole = f"<m:AIXMBasicMessage {NAMESPACES}>{airspace(component(LIMITS + surface(SQUARE)))}</m:AIXMBasicMessage>"
    data = whole.encode()
    try:
        aixm.read(data[: at % len(data)] + noise + data[at % len(data) + len(noise) :], "x.xml")
    except InputError:
        return

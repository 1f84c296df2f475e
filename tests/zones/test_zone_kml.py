"""KML and KMZ: our own files come back whole, other people's are read as drawn, and hostile ones are bounded."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import pytest

from keepclear.errors import InputError, LimitExceeded
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level, parse_instant
from keepclear.space.geometry import Circle, EdgeType, Polygon
from keepclear.zones import kml, zip_archive
from keepclear.zones.model import Period, Volume, Zone, ZoneOrigin, ZoneType
from keepclear.zones.reading import Severity

SQUARE = "30,50 31,50 31,51 30,51 30,50"


def polygon(coordinates: str = SQUARE, *, extra: str = "", inner: str = "") -> str:
    hole = f"<innerBoundaryIs><LinearRing><coordinates>{inner}</coordinates></LinearRing></innerBoundaryIs>"
    return (
        f"<Polygon>{extra}<outerBoundaryIs><LinearRing><coordinates>{coordinates}</coordinates></LinearRing>"
        f"</outerBoundaryIs>{hole if inner else ''}</Polygon>"
    )


def document(body: str) -> bytes:
    return (
        f'<?xml version="1.0"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{body}</Document></kml>'.encode()
    )


def placemark(body: str) -> bytes:
    return document(f"<Placemark>\n<name>Z</name>{body}</Placemark>")


def without_origin(zones: Any) -> list[Zone]:
    return [replace(zone, origin=ZoneOrigin()) for zone in zones]


def test_a_plain_placemark() -> None:
    body = (
        "<Folder><name>North</name><TimeSpan><begin>2026-01-01T00:00:00Z</begin><end>2026-02</end></TimeSpan>"
        "<Placemark id='p1'><name>Range</name><description>Hot</description><styleUrl>#x</styleUrl>"
        "<ExtendedData><Data name='type'><value>Danger</value></Data>"
        "<SchemaData><SimpleData name='owner'>Army</SimpleData></SchemaData></ExtendedData>"
        + polygon(inner="30.2,50.2 30.4,50.2 30.4,50.4 30.2,50.2")
        + "</Placemark></Folder>"
    )
    reading = kml.read(document(body), "x.kml")
    assert reading.problems == ()
    (zone,) = reading.zones
    assert (zone.id, zone.name, zone.text, zone.type) == ("p1", "Range", "Hot", ZoneType.DANGER)
    assert zone.applicability == (Period(parse_instant("2026-01-01T00:00:00Z"), parse_instant("2026-03-01T00:00:00Z")),)
    assert zone.extensions["kml"] == {"data": {"type": "Danger", "owner": "Army"}, "folders": ["North"]}
    shape = zone.volumes[0].shape
    assert isinstance(shape, Polygon)
    assert shape.edge_type is EdgeType.GEODESIC
    assert len(shape.holes) == 1
    assert zone.origin.where == "Placemark 1 «Range» (line 2)"


@pytest.mark.parametrize(
    ("mode", "upper"),
    [
        ("", UNBOUNDED),
        ("<altitudeMode>clampToGround</altitudeMode>", UNBOUNDED),
        ("<altitudeMode>relativeToGround</altitudeMode>", Level(120, LengthUnit.METRE, Datum.AGL)),
        ("<altitudeMode>absolute</altitudeMode>", Level(120, LengthUnit.METRE, Datum.AMSL)),
    ],
)
def test_the_outlines_height_is_the_upper_limit(mode: str, upper: Level) -> None:
    high = "30,50,120 31,50,120\n31,51,120 30,50,120"
    reading = kml.read(placemark(polygon(high, extra=f"<extrude>1</extrude>{mode}")), "x")
    assert reading.problems == ()
    assert reading.zones[0].volumes[0].upper == upper


def test_a_hanging_outline_is_told() -> None:
    high = "30,50,120 31,50,120 31,51,130 30,50,120"
    reading = kml.read(placemark(polygon(high, extra="<altitudeMode>absolute</altitudeMode>")), "x")
    assert reading.zones[0].volumes[0].upper.value == 130
    assert len(reading.problems) == 2
    assert {problem.severity for problem in reading.problems} == {Severity.WARNING}


def test_limits_in_extended_data_win() -> None:
    extended = "<ExtendedData><Data name='upper'><value>FL100</value></Data></ExtendedData>"
    (zone,) = kml.read(placemark(extended + polygon()), "x").zones
    assert zone.volumes[0].upper == Level(100, LengthUnit.FLIGHT_LEVEL, Datum.STD)


def test_parts_of_a_multigeometry_are_volumes() -> None:
    body = f"<MultiGeometry>{polygon()}<MultiGeometry>{polygon()}</MultiGeometry></MultiGeometry>"
    assert len(kml.read(placemark(body), "x").zones[0].volumes) == 2


def test_a_circle_is_drawn_and_stays_a_circle_until_it_is_redrawn() -> None:
    zone = Zone("C", (Volume(Circle(30.0, 50.0, 5000.0), UNBOUNDED, UNBOUNDED),))
    data = kml.write([zone]).data
    assert kml.read(data, "x").zones[0].volumes == zone.volumes
    first = data.split(b"<coordinates>")[1].split(b" ")[0]
    lon, lat = (float(number) for number in first.split(b","))
    moved = data.replace(first, f"{lon},{lat + 0.001}".encode())
    reading = kml.read(moved, "x")
    assert isinstance(reading.zones[0].volumes[0].shape, Polygon)
    assert "redrawn" in reading.problems[0].reason


def test_repeated_names_get_ids_of_their_own() -> None:
    reading = kml.read(document(f"<Placemark><name>A</name>{polygon()}</Placemark>" * 2), "x")
    assert [zone.id for zone in reading.zones] == ["A", "A#2"]
    assert reading.problems[0].severity is Severity.WARNING


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "no polygon"),
        ("<Point><coordinates>30,50</coordinates></Point>", "encloses nothing"),
        (polygon("30,50 31,50 31,51"), "not closed"),
        (polygon("30,50 x,50 31,51 30,50"), "longitude,latitude"),
        (polygon("30,50 nan,50 31,51 30,50"), "longitude,latitude"),
        (polygon("30,50 31,150 31,51 30,50"), "outside ±90°"),
        ("<Polygon/>", "no outer boundary"),
        ("<TimeSpan><begin>2026-01-01T00:00:00</begin></TimeSpan>" + polygon(), "no zone"),
        ("<TimeSpan><begin>2028</begin><end>2026</end></TimeSpan>" + polygon(), "after it begins"),
        ("<ExtendedData><Data name='keepclear'><value>{}</value></Data></ExtendedData>" + polygon(), "missing"),
        ("<ExtendedData><Data name='keepclear'><value>{</value></Data></ExtendedData>" + polygon(), "not JSON"),
    ],
)
def test_a_broken_placemark_is_told_and_the_rest_loads(body: str, reason: str) -> None:
    good = f"<Placemark><name>good</name>{polygon()}</Placemark>\n"
    reading = kml.read(document(f"{good}<Placemark><name>bad</name>{body}</Placemark>"), "x.kml")
    assert [zone.id for zone in reading.zones] == ["good"]
    (problem,) = reading.problems
    assert problem.where.startswith("Placemark 2 «bad» (line 3)")
    assert reason in problem.reason


def test_a_network_link_is_told() -> None:
    reading = kml.read(document("<NetworkLink/>"), "x")
    assert "not followed" in reading.problems[0].reason


def test_a_billion_laughs_are_refused() -> None:
    laughs = (
        b'<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><kml><Document>&b;</Document></kml>'
    )
    with pytest.raises(InputError, match="document type"):
        kml.read(laughs, "x")


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(LimitExceeded, match="64 deep"):
        kml.read(b"<kml>" + b"<Folder>" * 100_000, "x")


def archive(**entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in entries.items():
            packed.writestr(name, data)
    return buffer.getvalue()


def test_a_kmz_is_read_through_its_kml() -> None:
    data = archive(**{"icon.png": b"x", "doc.kml": placemark(polygon())})
    assert len(kml.read(data, "x").zones) == 1


def test_a_kmz_bomb_is_refused() -> None:
    with pytest.raises(LimitExceeded, match="unpack from"):
        kml.read(archive(**{"doc.kml": b" " * 20_000_000}), "x")
    with pytest.raises(LimitExceeded, match="entries"):
        kml.read(archive(**{f"{i}.kml": b"" for i in range(zip_archive.MAX_ENTRIES + 1)}), "x")


def test_a_lying_kmz_is_refused() -> None:
    data = archive(**{"doc.kml": placemark(polygon()) * 50})
    for at in range(len(data) - 120, len(data)):
        try:
            kml.read(data[:at] + b"\xff" + data[at + 1 :], "x")
        except InputError:
            continue


@pytest.mark.parametrize("data", [b"", b"<", b"<gpx/>", b"{}", b"PK\x03\x04", b"\x00" * 50, b"<kml>\x01</kml>"])
def test_what_is_not_kml_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        kml.read(data, "x")


def test_the_written_text_is_plain_for_viewers() -> None:
    level = Level(400, LengthUnit.FOOT, Datum.AGL)
    shape = Polygon(((30.0, 50.0), (31.0, 50.0), (31.0, 51.0)))
    text = kml.write([Zone("A", (Volume(shape, UNBOUNDED, level),), name="<&\x00>")]).data.decode()
    assert "<name>&lt;&amp;\ufffd&gt;</name>" in text
    assert "<altitudeMode>relativeToGround</altitudeMode>" in text
    assert "30.0,50.0,121.92" in text
    record = text.split('<Data name="keepclear"><value>')[1].split("</value>")[0]
    assert json.loads(record.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))["name"] == "<&\x00>"

"""GeoJSON keeps every field of our own zones, reads other people's files sensibly, and says what it refused."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keepclear.errors import InputError
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level
from keepclear.space.geometry import Circle, EdgeType, Polygon
from keepclear.zones import geojson
from keepclear.zones.model import Period, Restriction, Subject, Volume, Zone, ZoneOrigin, ZoneType
from keepclear.zones.reading import Severity

SQUARE = [[30.0, 50.0], [31.0, 50.0], [31.0, 51.0], [30.0, 51.0], [30.0, 50.0]]


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def text(*features: Any, **members: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", **members, "features": list(features)}).encode()


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def without_origin(zones: Any) -> list[Zone]:
    return [replace(zone, origin=ZoneOrigin()) for zone in zones]


def test_the_written_text_is_rfc_7946() -> None:
    zone = Zone("A", (Volume(Polygon(((30.0, 50.0), (31.0, 50.0), (31.0, 51.0))), UNBOUNDED, UNBOUNDED),))
    written = json.loads(geojson.write([zone]).data)
    ring = written["features"][0]["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    assert written["features"][0]["properties"]["volumes"][0]["edge_type"] == "GEODESIC"


def test_a_circle_is_a_point_with_its_radius() -> None:
    zone = Zone("A", (Volume(Circle(30.0, 50.0, 1234.5), UNBOUNDED, UNBOUNDED),))
    written = json.loads(geojson.write([zone]).data)["features"][0]
    assert written["geometry"] == {"type": "Point", "coordinates": [30.0, 50.0]}
    assert written["properties"]["volumes"][0]["radius_m"] == 1234.5


def test_a_polygon_over_the_antimeridian_is_cut_there() -> None:
    ring = ((178.0, -18.0), (-178.0, -18.0), (-178.0, -16.0), (178.0, -16.0))
    zone = Zone("FJ", (Volume(Polygon(ring, (), EdgeType.STRAIGHT), UNBOUNDED, UNBOUNDED),))
    data = geojson.write([zone]).data
    geometry = json.loads(data)["features"][0]["geometry"]
    assert geometry["type"] == "MultiPolygon"
    sides = [sorted({x for x, _ in part[0]}) for part in geometry["coordinates"]]
    assert sides == [[178.0, 180.0], [-180.0, -178.0]]
    assert geojson.read(data, "x").zones[0].volumes == zone.volumes


def test_both_cut_and_uncut_polygons_over_the_antimeridian_are_read() -> None:
    uncut = [[178.0, -18.0], [182.0, -18.0], [182.0, -16.0], [178.0, -16.0], [178.0, -18.0]]
    jumping = [[178.0, -18.0], [-178.0, -18.0], [-178.0, -16.0], [178.0, -16.0], [178.0, -18.0]]
    cut = {
        "type": "MultiPolygon",
        "coordinates": [
            [[[178, -18], [180, -18], [180, -16], [178, -16], [178, -18]]],
            [[[-180, -18], [-178, -18], [-178, -16], [-180, -16], [-180, -18]]],
        ],
    }
    reading = geojson.read(text(feature(polygon(uncut)), feature(polygon(jumping)), feature(cut)), "x")
    assert reading.zones[0].volumes[0].shape == reading.zones[1].volumes[0].shape
    assert len(reading.zones[2].volumes) == 2
    assert [problem.severity for problem in reading.problems] == [Severity.WARNING]
    assert "over the antimeridian" in reading.problems[0].reason


def test_our_own_fields_count_where_no_schema_is_named_and_what_only_bears_their_name_is_told() -> None:
    place = polygon([[0, 0], [1, 0], [1, 1], [0, 0]])
    ours = {
        "id": "SEA-1", "version": 3, "type": "THIRD_PARTY_TERRITORY", "restriction": "CONDITIONAL",
        "subject": {"domains": ["SEA"]}, "applicability": [{"from": "2026-01-01T00:00:00Z"}], "accuracy_m": 50,
        "exemptions": [{"callsign": "RESCUE1"}], "status": "SUSPENDED",
    }  # fmt: skip
    theirs = {
        "id": "X",
        "type": "CTR",
        "status": "A",
        "subject": "drones",
        "applicability": [{"startDateTime": "2026-01-01"}],
    }
    party = {"id": "P", "subject": {"parties": ["BLUE"]}}
    reading = geojson.read(text(*(feature(place, **given) for given in (ours, theirs, party))), "x")
    sea, foreign, of_party = reading.zones
    assert of_party.subject == Subject(parties=frozenset({"BLUE"}))  # aircraft, as where no domain is named
    assert (sea.version, sea.type, sea.restriction, sea.status, sea.accuracy_m) == (
        "3", "THIRD_PARTY_TERRITORY", "CONDITIONAL", "SUSPENDED", 50.0,
    )  # fmt: skip
    assert sea.subject.domains == {"SEA"}
    assert (sea.applicability[0].from_s, sea.exemptions[0].callsign) == (1_767_225_600.0, "RESCUE1")
    assert (foreign.type, foreign.subject, foreign.applicability) == (ZoneType.AIRSPACE, Subject(), (Period(),))
    assert sorted(problem.reason.partition(" is not")[0] for problem in reading.problems) == [
        "the property 'applicability'", "the property 'subject'",
    ]  # fmt: skip
    again = geojson.read(geojson.write(reading.zones).data, "y").zones
    assert without_origin(again) == without_origin(reading.zones)


@pytest.mark.shared
def test_all_flight_information_regions_load(shared_zones: Path) -> None:
    reading = geojson.read(gzip.decompress((shared_zones / "eurofirs_2015.geojson.gz").read_bytes()), "firs")
    zones = {zone.id: zone for zone in reading.zones}
    assert len(zones) == 58
    assert reading.problems == ()
    kyiv = zones["UKBV"]
    assert (kyiv.name, kyiv.type, kyiv.restriction) == ("KYIV FIR", ZoneType.AIRSPACE, Restriction.NO_RESTRICTION)
    assert kyiv.volumes[0].upper == Level(275.0, LengthUnit.FLIGHT_LEVEL, Datum.STD)
    assert kyiv.volumes[0].lower == UNBOUNDED
    assert isinstance(kyiv.volumes[0].shape, Polygon)
    assert len(kyiv.volumes[0].shape.exterior) == 1238
    assert kyiv.volumes[0].shape.edge_type is EdgeType.STRAIGHT
    assert zones["EPWW"].extensions["geojson"]["properties"]["EFFECTDATE"] == "30-04-2015"  # type: ignore[index]
    assert zones["LPPO"].volumes[0].upper == UNBOUNDED
    assert without_origin(geojson.read(geojson.write(reading.zones).data, "y").zones) == without_origin(reading.zones)


@pytest.mark.parametrize(
    ("properties", "lower", "upper"),
    [
        ({"lower_limit": "FL195", "upper_limit": "UNL"}, Level(195, LengthUnit.FLIGHT_LEVEL, Datum.STD), UNBOUNDED),
        (
            {"floor": "1500 ft AGL", "ceiling": "2500ft MSL"},
            Level(1500, LengthUnit.FOOT, Datum.AGL),
            Level(2500, LengthUnit.FOOT, Datum.AMSL),
        ),
        (
            {"lowerLimit": {"value": 0, "unit": 1, "referenceDatum": 0},
             "upperLimit": {"value": 100, "unit": 6, "referenceDatum": 2}},
            UNBOUNDED,
            Level(100, LengthUnit.FLIGHT_LEVEL, Datum.STD),
        ),
        (
            {"LOWER_VAL": 700, "LOWER_UOM": "FT", "LOWER_CODE": "SFC", "UPPER_VAL": -9998},
            Level(700, LengthUnit.FOOT, Datum.AGL),
            UNBOUNDED,
        ),
        ({"upper": 99999, "upper_unit": "m", "lower": "GND"}, UNBOUNDED, UNBOUNDED),
        ({}, UNBOUNDED, UNBOUNDED),
    ],
)  # fmt: skip
def test_limits_under_other_names(properties: dict[str, Any], lower: Level, upper: Level) -> None:
    reading = geojson.read(text(feature(polygon(SQUARE), **properties)), "x")
    assert reading.problems == ()
    assert (reading.zones[0].volumes[0].lower, reading.zones[0].volumes[0].upper) == (lower, upper)


def test_unknown_properties_are_kept_and_written_back() -> None:
    data = text(feature(polygon(SQUARE), ident="P1", type="P", Colour="red"), name="my zones")
    zones = geojson.read(data, "x").zones
    assert (zones[0].id, zones[0].type) == ("P1", ZoneType.PROHIBITED)
    again = geojson.write(zones).data
    written = json.loads(again)
    assert written["name"] == "my zones"
    assert written["features"][0]["properties"]["Colour"] == "red"
    assert without_origin(geojson.read(again, "x").zones) == without_origin(zones)


def test_bare_geometries_and_features_are_read() -> None:
    assert len(geojson.read(json.dumps(polygon(SQUARE)).encode(), "x").zones) == 1
    assert len(geojson.read(json.dumps(feature(polygon(SQUARE))).encode(), "x").zones) == 1
    nested = {"type": "GeometryCollection", "geometries": [polygon(SQUARE), polygon(SQUARE)]}
    assert len(geojson.read(json.dumps(nested).encode(), "x").zones[0].volumes) == 2


@pytest.mark.parametrize(
    ("geometry", "reason"),
    [
        (polygon(SQUARE[:-1]), "not closed"),
        (polygon([[30, 50], [31, 50], [30, 50]]), "2 distinct vertices"),
        (polygon([[30, 50], [31, 50], [32, 50], [30, 50]]), "one line"),
        (polygon([[50, 130], [51, 130], [51, 131], [50, 130]]), "swapped"),
        (polygon([[30, "50"], [31, 50], [31, 51], [30, 50]]), "numbers only"),
        (polygon(), "no ring"),
        ({"type": "LineString", "coordinates": [[30, 50], [31, 51]]}, "encloses nothing"),
        ({"type": "Point", "coordinates": [30, 50]}, "radius_m"),
        ({"type": "Blob"}, "not one of"),
        (None, "no geometry"),
    ],
)
def test_a_broken_feature_is_told_and_the_rest_loads(geometry: Any, reason: str) -> None:
    reading = geojson.read(text(feature(polygon(SQUARE), id="good"), feature(geometry, id="bad")), "f.geojson")
    assert [zone.id for zone in reading.zones] == ["good"]
    (problem,) = reading.problems
    assert reason in problem.reason
    assert problem.source == "f.geojson"
    assert problem.where.startswith("features[1] (line 1)")


def test_a_crossing_ring_is_read_as_drawn_and_told() -> None:
    bow = [[30.0, 50.0], [31.0, 51.0], [31.0, 50.0], [30.0, 51.0], [30.0, 50.0]]
    reading = geojson.read(text(feature(polygon(bow))), "x")
    assert len(reading.zones) == 1
    assert reading.problems[0].severity is Severity.WARNING
    assert "crosses itself" in reading.problems[0].reason


def test_upside_down_limits_are_refused() -> None:
    reading = geojson.read(text(feature(polygon(SQUARE), lower="3000 ft AMSL", upper="1000 ft AMSL")), "x")
    assert "above the upper limit" in reading.problems[0].reason


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"type": "Topology"}',
        b'{"type": "FeatureCollection", "features": 3}',
        b'{"type": "FeatureCollection", "type": "FeatureCollection", "features": []}',
        b'{"type": "FeatureCollection", "features": []} x',
        b'{"type": "FeatureCollection", "features": [], "crs": {"properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}}',
        b"PK\x03\x04",
    ],
)
def test_what_is_not_geojson_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        geojson.read(data, "x")


def test_looks_like() -> None:
    assert geojson.looks_like(b'\xef\xbb\xbf {"type": "FeatureCollection",')
    assert not geojson.looks_like(b"<kml/>")


def test_an_unnoticed_ed_318_feature_is_told() -> None:
    reading = geojson.read(text(feature(polygon(SQUARE), identifier="A", variant="COMMON", zoneAuthority=[])), "x")
    assert "read the file as ed318" in reading.problems[0].reason


@pytest.mark.parametrize("to", [1e14, -1e15, 253_402_300_800])
def test_an_instant_that_no_calendar_has_is_refused(to: float) -> None:
    zone = Zone("A", (Volume(Circle(30.0, 50.0, 1000.0), UNBOUNDED, UNBOUNDED),), applicability=(Period(to_s=1e9),))
    text = geojson.write([zone]).data.replace(b'"2001-09-09T01:46:40Z"', str(to).encode())
    (problem,) = geojson.read(text, "x").problems
    assert "outside the years 1 to 9999" in problem.reason

"""ED-318: the official examples are read and written back whole, the bad one is refused, the schemas accept ours."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from keepclear.errors import InputError
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level
from keepclear.space.geometry import Circle, EdgeType, Polygon
from keepclear.zones import ed318
from keepclear.zones.model import Restriction, SolarEvent, TimeOfDay, Zone
from keepclear.zones.reading import Severity

GOOD = (
    "ED318_Example_Collection.json",
    "ED318_Example_GeoZone_2_Layers.json",
    "ED318_Example_GeoZone_Circle.json",
    "ED318_Example_GeoZone_with_extension.json",
)


@cache
def schemas(folder: Path) -> Draft7Validator:
    found = {path.name: json.loads(path.read_text()) for path in (folder / "ed318_schema").glob("*.json")}
    # The official files name one another relatively and have no $id.
    registry: Any = Registry().with_resources(
        [(prefix + name, Resource.from_contents(schema)) for name, schema in found.items() for prefix in ("", "./")]
    )
    return Draft7Validator(found["Schema_GeoZones.json"], registry=registry)


def feature(**changes: Any) -> dict[str, Any]:
    properties = {
        "identifier": "ABC1234",
        "country": "FRA",
        "type": "PROHIBITED",
        "variant": "COMMON",
        "zoneAuthority": [{"purpose": "INFORMATION"}],
        **changes,
    }
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {
            "type": "Point",
            "coordinates": [2.6, 50.1],
            "extent": {"subType": "Circle", "radius": 3500},
            "layer": {"upper": 99999, "upperReference": "AMSL", "lower": 50, "lowerReference": "WGS84", "uom": "ft"},
        },
    }


def read(*features: Any) -> Any:
    return ed318.read(json.dumps({"type": "FeatureCollection", "features": list(features)}).encode(), "z.json")


@pytest.mark.shared
@pytest.mark.parametrize("name", GOOD)
def test_an_official_example_is_written_back_as_it_was(shared_zones: Path, name: str) -> None:
    data = (shared_zones / name).read_bytes()
    assert ed318.looks_like(data[:4096])
    reading = ed318.read(data, name)
    assert reading.problems == ()
    writing = ed318.write(reading.zones)
    assert writing.losses == ()
    assert json.loads(writing.data) == json.loads(data)


@pytest.mark.shared
def test_the_official_bad_example_is_refused_with_its_reasons(shared_zones: Path) -> None:
    name = "ED318_InvalidExample_GeoZone_2_Layers.json"
    reading = ed318.read((shared_zones / name).read_bytes(), name)
    assert reading.zones == ()
    assert [problem.where for problem in reading.problems] == [
        "metadata.validFrom",
        "features[0] (line 11), properties.type",
    ]
    assert "REQ_AUTHORISATION" in reading.problems[1].reason


@pytest.mark.shared
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_official_schemas_accept_what_is_written(
    shared_zones: Path, any_zones: st.SearchStrategy[list[Zone]], data: st.DataObject
) -> None:
    written = json.loads(ed318.write(data.draw(any_zones)).data)
    assert [error.message for error in schemas(shared_zones).iter_errors(written)] == []


@pytest.mark.shared
def test_the_schemas_would_notice(shared_zones: Path) -> None:
    bad = json.loads((shared_zones / "ED318_InvalidExample_GeoZone_2_Layers.json").read_text())
    assert list(schemas(shared_zones).iter_errors(bad))


def test_circles_and_limits() -> None:
    (found,) = read(feature()).zones
    (volume,) = found.volumes
    assert volume.shape == Circle(2.6, 50.1, 3500.0)
    assert volume.upper == UNBOUNDED
    assert volume.lower == Level(50, LengthUnit.FOOT, Datum.WGS84)


def test_layers_of_a_collection() -> None:
    ring = [[2.0, 49.0], [3.0, 49.0], [3.0, 50.0], [2.0, 49.0]]
    layered = feature()
    layered["geometry"] = {
        "type": "GeometryCollection",
        "geometries": [
            {"type": "Polygon", "coordinates": [ring], "layer": {"upper": 10, "upperReference": "AGL"}},
            {"type": "MultiPolygon", "coordinates": [[ring], [ring]]},
        ],
        "layer": {"upper": 20, "upperReference": "AMSL"},
    }
    (found,) = read(layered).zones
    assert [volume.upper.value for volume in found.volumes] == [10, 20, 20]
    assert all(isinstance(v.shape, Polygon) and v.shape.edge_type is EdgeType.STRAIGHT for v in found.volumes)


def test_languages_are_kept_until_the_text_changes() -> None:
    import dataclasses

    names = [{"text": "Langmatt (de)", "lang": "de-CH"}, {"text": "Langmatt (en)", "lang": "en-GB"}]
    (found,) = read(feature(name=names)).zones
    assert found.name == "Langmatt (en)"
    assert json.loads(ed318.write([found]).data)["features"][0]["properties"]["name"] == names
    writing = ed318.write([dataclasses.replace(found, name="New")])
    assert json.loads(writing.data)["features"][0]["properties"]["name"] == [{"text": "New", "lang": "en-GB"}]
    assert [loss.field for loss in writing.losses] == ["extensions.ed318.name"]


def test_u_space_and_solar_schedules_survive() -> None:
    schedule = [{"day": ["MON"], "startEvent": "BMCT", "endEvent": "EECT"}]
    (found,) = read(feature(type="USPACE", limitedApplicability=[{"schedule": schedule}])).zones
    assert found.restriction is Restriction.CONDITIONAL
    assert found.applicability[0].schedule[0].start == TimeOfDay(0.0, SolarEvent.BMCT)
    written = json.loads(ed318.write([found]).data)["features"][0]["properties"]
    assert written["type"] == "USPACE"
    assert written["limitedApplicability"] == [{"schedule": schedule}]


@pytest.mark.parametrize(
    ("changes", "where", "reason"),
    [
        ({"type": "REQ_AUTHORISATION"}, "properties.type", "not one of"),
        ({"variant": None}, "properties.variant", "missing"),
        ({"name": [{"text": "x"}]}, "properties.name[0].lang", "language"),
        ({"zoneAuthority": [{}]}, "zoneAuthority[0].purpose", "missing"),
        ({"zoneAuthority": None}, "zoneAuthority", "list"),
    ],
)
def test_a_broken_feature_is_told_and_the_rest_loads(changes: Any, where: str, reason: str) -> None:
    reading = read(feature(identifier="GOOD"), feature(**changes))
    assert [zone.id for zone in reading.zones] == ["GOOD"]
    assert where in reading.problems[0].where
    assert reason in reading.problems[0].reason


def test_unknown_properties_are_told() -> None:
    reading = read(feature(colour="red"))
    assert reading.problems[0].severity is Severity.WARNING
    assert [loss.field for loss in ed318.write(reading.zones).losses] == ["extensions.ed318.unknown"]


@pytest.mark.parametrize("data", [b"", b"[]", b'{"type": "Feature"}', b'{"type": "FeatureCollection"}'])
def test_what_is_not_ed318_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        ed318.read(data, "x")

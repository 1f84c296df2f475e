"""Edges half round the Earth and more lie where they were drawn."""

from __future__ import annotations

import json

import pytest

from keepclear.zones import ed269, ed318, geojson
from keepclear.zones.area import area_m2

EARTH_KM2 = 510_065_622.0


def box(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def read(module: object, ring: list[list[float]]) -> tuple[float, bool, list[str]]:
    """Area in km², whether the vertices reach east of Greenwich, and the warnings."""
    geometry = {"type": "Polygon", "coordinates": [ring]}
    if module is geojson:
        text = {"type": "Feature", "properties": {}, "geometry": geometry}
        reading = geojson.read(json.dumps(text).encode(), "x")
    elif module is ed269:
        volume = {"uomDimensions": "M", "horizontalProjection": geometry}
        zone = {
            "identifier": "A", "country": "FRA", "name": "A", "type": "COMMON", "restriction": "PROHIBITED",
            "reason": [], "applicability": [{"permanent": "YES"}], "zoneAuthority": [], "geometry": [volume],
        }  # fmt: skip
        reading = ed269.read(json.dumps({"features": [zone]}).encode(), "x")
    else:
        properties = {
            "identifier": "A", "country": "FRA", "type": "PROHIBITED", "variant": "COMMON",
            "zoneAuthority": [{"purpose": "INFORMATION"}],
        }  # fmt: skip
        layer = {"upper": 9, "upperReference": "AGL", "lower": 0, "lowerReference": "AGL", "uom": "m"}
        feature = {"type": "Feature", "properties": properties, "geometry": {**geometry, "layer": layer}}
        reading = ed318.read(json.dumps({"type": "FeatureCollection", "features": [feature]}).encode(), "x")
    (zone_read,) = reading.zones
    shape = zone_read.volumes[0].shape
    east = any(0.0 < lon < 180.0 for lon, _ in shape.exterior)  # type: ignore[union-attr]
    return area_m2(shape) / 1e6, east, [problem.reason for problem in reading.problems]


@pytest.mark.parametrize("module", [geojson, ed269, ed318])
def test_a_box_of_half_the_earth_is_the_half_that_was_drawn(module: object) -> None:
    for ring, eastern in ((box(0, -90, 180, 90), True), (box(-180, -90, 0, 90), False)):
        area, east, warnings = read(module, ring)
        assert east is eastern
        assert area == pytest.approx(EARTH_KM2 / 2, rel=1e-3)
        assert warnings == []


def test_a_box_round_the_whole_earth_is_a_belt_and_a_cap_is_a_cap() -> None:
    belt, _, warnings = read(geojson, box(-180, -30, 180, 30))
    assert belt == pytest.approx(EARTH_KM2 / 2, rel=0.01)
    assert warnings == []
    whole, _, _ = read(geojson, box(-180, -90, 180, 90))
    assert whole == pytest.approx(EARTH_KM2, rel=1e-6)
    cap, _, warnings = read(geojson, box(-180, 60, 180, 90))
    assert cap == pytest.approx(34.4e6, rel=0.01)
    assert warnings == []


@pytest.mark.parametrize("module", [geojson, ed269, ed318])
def test_an_edge_of_more_than_180_degrees_goes_the_short_way_and_says_so(module: object) -> None:
    area, _, warnings = read(module, box(-170, -30, 170, 30))
    assert area < EARTH_KM2 / 10
    assert any("going the short way" in warning for warning in warnings)

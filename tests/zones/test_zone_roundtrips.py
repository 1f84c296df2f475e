"""Whatever a writer does not list as lost comes back equal, for every zone the model can hold, in every format."""

from __future__ import annotations

from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepclear.zones import ed269, ed318, geojson, kml
from keepclear.zones.model import Zone, ZoneOrigin
from keepclear.zones.reading import Loss, Severity

KMZ = SimpleNamespace(write=kml.write_kmz, read=kml.read)
FORMATS = {"geojson": geojson, "ed269": ed269, "ed318": ed318, "kml": kml, "kmz": KMZ}

LOSSLESS = {"geojson", "kml", "kmz"}
"""These hold the whole model; the others list what they cannot."""


def kept(thing: Any, lost: set[str], prefix: str) -> dict[str, Any]:
    return {f.name: getattr(thing, f.name) for f in fields(thing) if f"{prefix}.{f.name}" not in lost}


def comparable(zone: Zone, losses: list[Loss], name: str) -> dict[str, Any]:
    """The zone's fields without those which the losses name, as deep as they name them."""
    lost = {loss.field for loss in losses}
    result = {f.name: getattr(zone, f.name) for f in fields(zone) if f.name not in lost and f.name != "origin"}
    volumes = []
    for volume in zone.volumes:
        held = kept(volume, lost, "volumes")
        if "shape" in held and "volumes.shape.edge_type" in lost and hasattr(volume.shape, "edge_type"):
            held["shape"] = kept(volume.shape, lost, "volumes.shape")
        if "shape" in held and "volumes.shape.radius_m" in lost and hasattr(volume.shape, "radius_m"):
            held["shape"] = kept(volume.shape, lost, "volumes.shape")
        volumes.append(held)
    result["volumes"] = volumes
    extra = {field.split(".", 2)[2] for field in lost if field.startswith("authorities.extra.")}
    if "authorities" not in lost:
        result["authorities"] = [
            {
                **kept(authority, lost, "authorities"),
                "extra": {key: value for key, value in authority.extra.items() if key not in extra},
            }
            for authority in zone.authorities
        ]
    if any(field.startswith("applicability") for field in lost):
        result.pop("applicability", None)
    extension = dict(zone.extensions.get(name, {}))
    for field in lost:
        if field.startswith(f"extensions.{name}."):
            extension.pop(field.split(".", 2)[2], None)
    others = {key: value for key, value in zone.extensions.items() if key != name and f"extensions.{key}" not in lost}
    result["extensions"] = {**others, **({name: extension} if extension else {})}
    return result


@pytest.mark.parametrize("name", FORMATS)
def test_all_that_is_not_listed_as_lost_comes_back(name: str, any_zones: st.SearchStrategy[list[Zone]]) -> None:
    module: Any = FORMATS[name]

    @settings(max_examples=35, deadline=None, suppress_health_check=list(HealthCheck))
    @given(any_zones.map(lambda zones: [replace(zone, id=f"{i}{zone.id}") for i, zone in enumerate(zones)]))
    def check(zones: list[Zone]) -> None:
        writing = module.write(zones)
        reading = module.read(writing.data, "x")
        assert [str(problem) for problem in reading.problems if problem.severity is Severity.ERROR] == []
        assert len(reading.zones) == len(zones)
        if name in LOSSLESS:
            assert writing.losses == ()
        for before, after in zip(zones, reading.zones, strict=True):
            losses = [loss for loss in writing.losses if loss.zone_id == before.id]
            assert comparable(after, losses, name) == comparable(before, losses, name)

    check()


@pytest.mark.parametrize("name", FORMATS)
def test_a_second_writing_loses_nothing_more(name: str, any_zones: st.SearchStrategy[list[Zone]]) -> None:
    """What a format holds, it holds for good: read, write, read gives the same zones."""
    module: Any = FORMATS[name]

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(any_zones.map(lambda zones: [replace(zone, id=f"{i}{zone.id}") for i, zone in enumerate(zones)]))
    def check(zones: list[Zone]) -> None:
        once = module.read(module.write(zones).data, "x").zones
        twice = module.read(module.write(once).data, "x").zones
        assert [replace(z, origin=ZoneOrigin()) for z in twice] == [replace(z, origin=ZoneOrigin()) for z in once]

    check()

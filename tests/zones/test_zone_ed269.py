"""ED-269 is read in every form that states publish, written to the standard, and its losses are all told."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from uas_standards.eurocae_ed269 import ED269Schema

from keepclear.errors import InputError
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level, parse_instant
from keepclear.space.geometry import Circle, EdgeType, Polygon
from keepclear.zones import ed269
from keepclear.zones.model import (
    ANY_DAY,
    Category,
    Period,
    Restriction,
    ScheduleEntry,
    TimeOfDay,
    Volume,
    Weekday,
    Zone,
    ZoneType,
)
from keepclear.zones.reading import Severity

RING = [[6.16, 46.21], [6.17, 46.21], [6.17, 46.22], [6.16, 46.21]]


def zone(**changes: Any) -> dict[str, Any]:
    members: dict[str, Any] = {
        "identifier": "LSXX",
        "country": "CHE",
        "name": "City",
        "type": "COMMON",
        "restriction": "REQ_AUTHORISATION",
        "restrictionConditions": "RST02",
        "reason": ["AIR_TRAFFIC"],
        "message": "MSG01",
        "applicability": [{"permanent": "YES"}],
        "zoneAuthority": [{"name": "A", "purpose": "AUTHORIZATION", "fax": "1"}],
        "geometry": [volume()],
    }
    return {key: value for key, value in {**members, **changes}.items() if value is not ...}


def volume(**changes: Any) -> dict[str, Any]:
    return {
        "uomDimensions": "M",
        "lowerLimit": 0,
        "lowerVerticalReference": "AGL",
        "upperLimit": 120,
        "upperVerticalReference": "AMSL",
        "horizontalProjection": {"type": "Polygon", "coordinates": [RING]},
        **changes,
    }


def read(*zones: Any) -> Any:
    return ed269.read(json.dumps({"features": list(zones)}).encode(), "z.json")


def test_the_fields_become_a_zone() -> None:
    (found,) = read(zone()).zones
    assert (found.id, found.country, found.name, found.text) == ("LSXX", "CHE", "City", "MSG01")
    assert (found.type, found.restriction) == (ZoneType.RESTRICTED, Restriction.REQ_AUTHORISATION)
    assert found.subject.categories == {Category.UAS}
    assert found.authorities[0].extra == {"fax": "1"}
    assert found.applicability == (Period(),)
    shape = found.volumes[0].shape
    assert isinstance(shape, Polygon)
    assert shape.edge_type is EdgeType.STRAIGHT
    assert found.volumes[0].lower == Level(0, LengthUnit.METRE, Datum.AGL)
    assert found.volumes[0].upper == Level(120, LengthUnit.METRE, Datum.AMSL)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda z: {"title": "t", "features": [z]},
        lambda z: {"formatVersion": "1.0.0", "createdAt": "2022-11-30T14:50:33Z", "UASZoneList": [z]},
        lambda z: {"UASZoneFilterReply": {"genericReply": {"RequestStatus": "OK"}, "UASZoneList": [z]}},
        lambda z: {"type": "FeatureCollection", "features": [z]},
        lambda z: [z],
        lambda z: z,
    ],
)
def test_every_published_form_is_read_and_written_back(wrap: Any) -> None:
    data = json.dumps(wrap(zone())).encode()
    first = ed269.read(data, "x")
    assert first.problems == ()
    assert [z.id for z in first.zones] == ["LSXX"]
    writing = ed269.write(first.zones)
    assert writing.losses == ()
    again = ed269.read(writing.data, "x")
    assert again.zones[0].extensions == first.zones[0].extensions
    written = json.loads(writing.data)
    assert ("UASZoneList" in written) == (b"UASZoneList" in data)
    assert written.get("createdAt") == json.loads(data).get("createdAt") if data.startswith(b"{") else True


def test_the_swiss_sample_with_nulls_and_texts_for_numbers_is_read() -> None:
    odd = zone(
        applicability=[
            {
                "permanent": "YES", "startDateTime": None, "endDateTime": None,
                "dailyPeriod": [{"day": [], "startTime": None, "endTime": None}],
            }
        ],
        geometry=[volume(lowerLimit="0", upperLimit=None)],
    )  # fmt: skip
    (found,) = read(odd).zones
    assert found.applicability == (Period(),)
    assert found.volumes[0].upper == UNBOUNDED
    assert found.volumes[0].lower.value == 0.0


def test_r2_7_sentinel_ceilings_are_unbounded() -> None:
    assert read(zone(geometry=[volume(upperLimit=99999)])).zones[0].volumes[0].upper == UNBOUNDED


def test_a_circle_keeps_its_radius_in_the_volumes_unit() -> None:
    projection = {"type": "Circle", "center": [6.1, 46.2], "radius": 1000}
    (metres,) = read(zone(geometry=[volume(horizontalProjection=projection)])).zones
    (feet,) = read(zone(geometry=[volume(horizontalProjection=projection, uomDimensions="FT")])).zones
    assert metres.volumes[0].shape == Circle(6.1, 46.2, 1000.0)
    assert feet.volumes[0].shape == Circle(6.1, 46.2, 304.8)


def test_periods_and_schedules() -> None:
    period = {
        "permanent": "NO", "startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2026-02-01T00:00:00+01:00",
        "schedule": [
            {"day": ["ANY"], "startTime": "00:00:00.00Z", "endTime": "12:30Z"},
            {"day": ["MON", "SUN"], "startTime": "01:00:00+02:00", "endTime": "20:00:00+02:00"},
        ],
    }  # fmt: skip
    (found,) = read(zone(applicability=[period])).zones
    (got,) = found.applicability
    assert (got.from_s, got.to_s) == (
        parse_instant("2026-01-01T00:00:00Z"), parse_instant("2026-01-31T23:00:00Z"),
    )  # fmt: skip
    assert got.schedule[0] == ScheduleEntry(ANY_DAY, TimeOfDay(0.0), TimeOfDay(45_000.0))
    shifted = frozenset({Weekday.SUN, Weekday.SAT})
    assert got.schedule[1] == ScheduleEntry(shifted, TimeOfDay(82_800.0), TimeOfDay(64_800.0))


@pytest.mark.parametrize(
    ("changes", "where", "reason"),
    [
        ({"identifier": ...}, "identifier", "missing"),
        ({"restriction": "MAYBE"}, "restriction", "not one of"),
        ({"geometry": []}, "", "no geometry"),
        ({"geometry": [volume(upperLimit="high")]}, "geometry[0].upperLimit", "number"),
        ({"geometry": [volume(lowerLimit=300, upperVerticalReference="AGL")]}, "geometry[0]", "above the upper"),
        ({"geometry": [volume(lowerVerticalReference="QFE")]}, "geometry[0].lowerVerticalReference", "not one of"),
        (
            {"geometry": [volume(horizontalProjection={"type": "Circle", "center": [6, 46], "radius": -5})]},
            "horizontalProjection", "radius -5",
        ),
        (
            {"applicability": [{"permanent": "NO", "startDateTime": "2026-07-22T07:00:00Z",
                                "endDateTime": "2026-07-22T06:50:50.813Z"}]},
            "applicability[0]", "end after it begins",
        ),
        ({"applicability": [{"startDateTime": "2026-07-22T07:00:00"}]}, "startDateTime", "no zone"),
        ({"applicability": [{"schedule": [{"day": ["ANY"], "startTime": "25:00Z"}]}]}, "startTime", "time of day"),
        ({"applicability": [{"schedule": [{"day": ["ANY"], "startTime": "05:00"}]}]}, "startTime", "no zone"),
    ],
)  # fmt: skip
def test_a_broken_zone_is_told_with_its_place_and_the_rest_loads(changes: Any, where: str, reason: str) -> None:
    reading = read(zone(identifier="GOOD"), zone(**changes))
    assert [found.id for found in reading.zones] == ["GOOD"]
    (problem,) = reading.problems
    assert problem.where.startswith("features[1] (line 1)")
    assert where in problem.where
    assert reason in problem.reason


def test_a_permanent_period_with_dates_is_told() -> None:
    period = {"permanent": "YES", "startDateTime": "2026-07-22T07:00:00Z"}
    reading = read(zone(applicability=[period]))
    assert reading.zones[0].applicability == (Period(),)
    assert reading.problems[0].severity is Severity.WARNING


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[1]", b'{"type":"FeatureCollection","features":[]}', b'{"features": 3}', b'{"a":{"b":[]}}']
)
def test_what_is_not_ed269_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        ed269.read(data, "x")


def test_losses_are_told() -> None:
    shape = Polygon(((6.0, 46.0), (7.0, 46.0), (7.0, 47.0)), (), EdgeType.GEODESIC)
    level = Level(195, LengthUnit.FLIGHT_LEVEL, Datum.STD)
    lossy = Zone(
        "A-LONG-IDENTIFIER", (Volume(shape, UNBOUNDED, level),), country="UA", decision_ref="UNSCR 816",
        buffer_lateral_m=1852.0, reasons=("odd",), applicability=(Period(0.0, math.inf, end_estimated=True),),
        type=ZoneType.NFZ, text="x" * 300,
    )  # fmt: skip
    writing = ed269.write([lossy])
    fields = {loss.field for loss in writing.losses}
    assert fields == {
        "id", "country", "decision_ref", "buffer_lateral_m", "reasons", "applicability.end_estimated", "type", "text",
        "volumes.upper", "volumes.shape", "subject",
    }  # fmt: skip
    assert {loss.zone_id for loss in writing.losses} == {"A-LONG-IDENTIFIER"}
    assert json.loads(writing.data)["features"][0]["geometry"][0]["upperLimit"] == 19500


def test_a_second_reader_understands_what_is_written() -> None:
    (found,) = read(
        zone(
            applicability=[
                {"permanent": "NO", "startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2026-02-01T00:00:00Z",
                 "schedule": [{"day": ["MON"], "startTime": "08:00Z", "endTime": "12:30Z"}]}
            ],
            geometry=[volume(), volume(horizontalProjection={"type": "Circle", "center": [6, 46], "radius": 5})],
        )
    ).zones  # fmt: skip
    written = json.loads(ed269.write([found]).data)
    for entry in written["features"][0]["applicability"][0]["schedule"]:
        for key in ("startTime", "endTime"):
            entry[key] = entry[key].replace("Z", ".0Z")  # that reader knows no whole seconds
    parsed = ED269Schema.from_dict(written)
    assert parsed.features[0].identifier == "LSXX"
    assert parsed.features[0].geometry[1].horizontalProjection.radius == 5
    assert parsed.features[0].applicability[0].schedule[0].startTime.time.hour == 8

"""Zones that meet at a border with different vertical limits raise a gap warning."""

from __future__ import annotations

from keepclear.detection.vertical_gap import find_vertical_gaps
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level
from keepclear.space.geometry import Circle, EdgeType, Polygon
from keepclear.zones.model import Restriction, Volume, Zone
from keepclear.zones.zone_set import ZoneSet

GROUND = Level(0.0, LengthUnit.METRE, Datum.AGL)


def closed_to(name: str, west: float, east: float, level: float | None, **given: object) -> Zone:
    ring = ((west, 47.0), (east, 47.0), (east, 49.0), (west, 49.0))
    upper = UNBOUNDED if level is None else Level(level, LengthUnit.FLIGHT_LEVEL, Datum.STD)
    volume = Volume(Polygon(ring, edge_type=EdgeType.RHUMB), GROUND, upper)
    return Zone(id=name, volumes=(volume,), **given)  # type: ignore[arg-type]


def test_r2_6_different_ceilings_on_the_two_sides_of_a_border() -> None:
    gaps = find_vertical_gaps(ZoneSet.of([closed_to("WEST", 36.0, 38.0, 320), closed_to("EAST", 38.0, 40.0, 530)]))
    assert [(g.zone_id, g.other_id) for g in gaps] == [("WEST", "EAST")]
    assert "between FL320 and FL530 only one side is restricted" in gaps[0].text
    assert abs(gaps[0].lon_deg - 38.0) < 0.05


def test_equal_limits_and_distant_zones_raise_nothing() -> None:
    assert not find_vertical_gaps(ZoneSet.of([closed_to("A", 36.0, 38.0, 320), closed_to("B", 38.0, 40.0, 320)]))
    assert not find_vertical_gaps(ZoneSet.of([closed_to("A", 36.0, 38.0, 320), closed_to("B", 39.0, 40.0, 530)]))
    open_side = closed_to("B", 38.0, 40.0, 530, restriction=Restriction.NO_RESTRICTION)
    assert not find_vertical_gaps(ZoneSet.of([closed_to("A", 36.0, 38.0, 320), open_side]))


def test_across_the_antimeridian_and_beside_a_circle() -> None:
    west = closed_to("W", 178.0, 180.0, 320)
    east = closed_to("E", -180.0, -178.0, 530)
    assert len(find_vertical_gaps(ZoneSet.of([west, east]))) == 1
    disc = Zone(id="C", volumes=(Volume(Circle(41.0, 48.0, 74_500.0), GROUND, UNBOUNDED),))
    gaps = find_vertical_gaps(ZoneSet.of([closed_to("A", 38.0, 40.0, 320), disc]))
    assert gaps[0].text == (
        "A (surface to FL320) meets C (surface to unlimited): between FL320 and unlimited only one side is restricted"
    )


def test_levels_in_different_datums_are_said_and_not_compared() -> None:
    a = closed_to("A", 36.0, 38.0, 100)
    feet = Level(10_000.0, LengthUnit.FOOT, Datum.AMSL)
    b = Zone(id="B", volumes=(Volume(Polygon(((38.0, 47.0), (40.0, 47.0), (40.0, 49.0), (38.0, 49.0))), GROUND, feet),))
    gaps = find_vertical_gaps(ZoneSet.of([a, b]))
    assert "different datums" in gaps[0].text

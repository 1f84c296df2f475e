"""Zones as constraints: the times they are in force, a day at a time; whose they are; what is lost on the way."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from implicitdict import ImplicitDict
from uas_standards.astm.f3548.v21 import api

from keepclear.dss.cells import cover_circle, cover_polygon
from keepclear.dss.volumes import Volume4D
from keepclear.errors import UsageError
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level
from keepclear.space.geometry import Circle, EdgeType, Polygon, Shape
from keepclear.tracks.altitude import AltitudeAssumptions
from keepclear.uss.constraint_zones import withdrawn, zones_of
from keepclear.uss.entities import EntityKind, Planned, read_details
from keepclear.uss.volume4d import shape_of
from keepclear.uss.zone_constraints import AHEAD_MAX_S, DAY_S, ConstraintPlan, plan_constraints
from keepclear.zones.applicability import active_intervals
from keepclear.zones.model import (
    ANY_DAY,
    Authority,
    Category,
    Domain,
    Exemption,
    Period,
    Restriction,
    ScheduleEntry,
    SolarEvent,
    Subject,
    TimeOfDay,
    Volume,
    Weekday,
    Zone,
    ZoneStatus,
    ZoneType,
)

HOUR_S = 3600.0
NOW_S = datetime(2026, 11, 28, 9, 30, tzinfo=UTC).timestamp()
MIDNIGHT_S = datetime(2026, 11, 28, tzinfo=UTC).timestamp()
HERE = Circle(7.0, 46.0, 1500.0)


def above(metres: float, datum: Datum = Datum.WGS84) -> Level:
    return Level(metres, LengthUnit.METRE, datum)


def zone(shape: Shape = HERE, lower: Level = UNBOUNDED, upper: Level = UNBOUNDED, **given_: Any) -> Zone:
    return Zone("Z", (Volume(shape, lower, upper),), **given_)


def plan(*zones: Zone, hours: float = 24.0, now_s: float = NOW_S, **assumed: Any) -> ConstraintPlan:
    assumptions = AltitudeAssumptions(**assumed) if assumed else None
    return plan_constraints(zones, "ours", now_s, hours * HOUR_S, assumptions)


def times(planned: ConstraintPlan) -> list[tuple[float, float]]:
    """Hours after today's midnight."""
    return [((one.from_s - MIDNIGHT_S) / HOUR_S, (one.to_s - MIDNIGHT_S) / HOUR_S) for one in planned.planned]


def peer_reads(one: Planned, manager: str = "ours") -> tuple[list[Zone], list[str]]:
    first = one.details["volumes"][0]
    reference = {
        "id": one.id, "manager": manager, "version": 3, "uss_base_url": "https://uss.example", "ovn": "x" * 20,
        "time_start": first["time_start"], "time_end": first["time_end"], "uss_availability": "Normal",
    }  # fmt: skip
    document = {"constraint": {"reference": reference, "details": one.details}}
    return zones_of(read_details(msgspec.json.decode(msgspec.json.encode(document)), EntityKind.CONSTRAINT), "dss")


def lost(planned: ConstraintPlan) -> set[str]:
    return {loss.field for loss in planned.losses}


def test_a_permanent_zone_is_a_constraint_a_day_cut_at_midnights() -> None:
    assert times(plan(zone())) == [(0.0, 24.0), (24.0, 48.0)]
    assert times(plan(zone(), hours=14.5)) == [(0.0, 24.0)]
    assert all(end - begin <= 24.0 for begin, end in times(plan(zone(), hours=1320.0)))


def test_a_zone_of_a_few_hours_is_one_constraint_across_midnight_too() -> None:
    night = Period(MIDNIGHT_S + 20 * HOUR_S, MIDNIGHT_S + 30 * HOUR_S)
    assert times(plan(zone(applicability=(night,)), hours=48.0)) == [(20.0, 30.0)]


def test_what_began_is_published_from_its_beginning_and_what_ended_is_not() -> None:
    running, over = Period(NOW_S - 2 * HOUR_S, NOW_S + HOUR_S), Period(NOW_S - 2 * HOUR_S, NOW_S - HOUR_S)
    assert times(plan(zone(applicability=(running,)))) == [(7.5, 10.5)]
    assert times(plan(zone(applicability=(over,)))) == []


def test_a_schedule_by_clock_or_sun_is_a_constraint_for_each_of_its_times() -> None:
    working = ScheduleEntry(frozenset({Weekday.SAT, Weekday.MON}), TimeOfDay(8 * HOUR_S), TimeOfDay(10 * HOUR_S))
    # The 28th of November 2026 is a Saturday.
    assert times(plan(zone(applicability=(Period(schedule=(working,)),)), hours=72.0)) == [(8.0, 10.0), (56.0, 58.0)]
    night = ScheduleEntry(ANY_DAY, TimeOfDay(event=SolarEvent.SS), TimeOfDay(event=SolarEvent.SR))
    ((begin, end), *_) = times(plan(zone(applicability=(Period(schedule=(night,)),)), hours=24.0))
    assert 15.0 < begin < 16.5
    assert 30.0 < end < 31.5


def test_an_estimated_end_is_no_end_and_that_is_said() -> None:
    planned = plan(zone(applicability=(Period(NOW_S - DAY_S, NOW_S - HOUR_S, end_estimated=True),)))
    assert times(planned) == [(0.0, 24.0), (24.0, 48.0)]
    assert "applicability" in lost(planned)


@pytest.mark.parametrize("status", [ZoneStatus.DRAFT, ZoneStatus.SUSPENDED, ZoneStatus.WITHDRAWN])
def test_what_is_not_in_force_is_not_published(status: ZoneStatus) -> None:
    assert plan(zone(status=status)) == ConstraintPlan((), (), ())


period = st.tuples(st.floats(-4.0, 4.0), st.floats(0.0, 5.0)).map(
    lambda p: Period(MIDNIGHT_S + p[0] * DAY_S, MIDNIGHT_S + (p[0] + p[1]) * DAY_S)
)


@given(st.lists(period, min_size=1, max_size=4), st.floats(0.0, 0.999), st.floats(0.01, 3.0))
def test_constraints_cover_what_is_in_force_and_nothing_else(periods: list[Period], at: float, ahead: float) -> None:
    now_s = MIDNIGHT_S + at * DAY_S
    declared = zone(applicability=tuple(periods))
    planned = plan(declared, now_s=now_s, hours=24.0 * ahead).planned
    assert all(0.0 < one.to_s - one.from_s <= DAY_S for one in planned)
    for k in range(200):
        instant = now_s + ahead * DAY_S * k / 200
        (in_force,) = (len(active_intervals(declared, instant, instant + 1e-3)) > 0,)
        covered = sum(one.from_s <= instant < one.to_s for one in planned)
        assert covered == in_force, instant


@given(st.lists(period, min_size=1, max_size=3), st.floats(0.0, 0.999), st.floats(0.0, 0.999))
def test_asked_again_on_the_same_day_or_the_next_it_plans_under_the_same_ids(
    periods: list[Period], first: float, second: float
) -> None:
    """Otherwise publishing again would withdraw what is in force and make it anew."""
    declared = zone(applicability=tuple(periods))
    early, late = (plan(declared, now_s=MIDNIGHT_S + at * DAY_S, hours=72.0) for at in sorted((first, 1.0 + second)))
    known = {one.id: one for one in early.planned}
    now_s, until_s = MIDNIGHT_S + (1.0 + second) * DAY_S, MIDNIGHT_S + 3 * DAY_S
    for one in late.planned:
        if one.from_s < until_s:
            assert one.id in known
            # Only what the earlier window cut at its end is longer now.
            assert one.to_s == known[one.id].to_s or known[one.id].to_s >= until_s
    going_on = {one.id for one in early.planned if one.to_s > now_s}
    assert going_on <= {one.id for one in late.planned}


def test_the_horizon_is_the_standards() -> None:
    for hours in (0.0, -1.0, AHEAD_MAX_S / HOUR_S + 1, math.nan):
        with pytest.raises(UsageError, match="55 days"):
            plan(zone(), hours=hours)


def test_two_zones_or_two_managers_never_share_an_id() -> None:
    names = [one.id for one in plan(zone(), replace(zone(), id="Y")).planned]
    names += [one.id for one in plan_constraints([zone()], "theirs", NOW_S, DAY_S).planned]
    assert len(set(names)) == len(names) == 6


def test_details_are_what_the_standards_types_want() -> None:
    full = zone(
        lower=above(100.0, Datum.AMSL), upper=Level(95.0, LengthUnit.FLIGHT_LEVEL, Datum.STD), name="A" * 300,
        country="UKR", authorities=(Authority(name="The Authority", email="a@b.example", purpose="AUTHORIZATION"),),
        restriction=Restriction.REQ_AUTHORISATION, restriction_conditions="Ask first", reasons=("SENSITIVE", "OWN"),
        other_reason="B" * 90, text="C" * 900, buffer_lateral_m=500.0, buffer_vertical_m=50.0,
    )  # fmt: skip
    planned = plan(full)
    details: Any = ImplicitDict.parse(planned.planned[0].details, api.ConstraintDetails)
    assert details.geozone.country == "UKR"
    assert details.geozone.zone_authority[0].email == "a@b.example"
    assert details.geozone.reason == ["SENSITIVE"]
    assert len(details.geozone.name) <= 200
    assert {"volumes.lower", "volumes.upper", "name", "other_reason", "text", "buffer"} <= lost(planned)
    volume = details.volumes[0].volume
    assert volume.outline_circle.radius.value == 2000.0
    assert volume.altitude_lower.value < 100.0 + 55.0 - 50.0
    assert volume.altitude_upper.value > 95 * 30.48 + 50.0


def test_a_peer_that_is_a_keepclear_reads_the_same_zone_again() -> None:
    declared = zone(
        lower=above(0.0), upper=above(900.0), name="Closure", country="UKR", type=ZoneType.HUMANITARIAN,
        authorities=(Authority(name="The Authority", phone="+1"),), decision_ref="Decision 7",
        subject=Subject(frozenset({"ALFA"}), frozenset({Domain.AIR, Domain.GROUND}), frozenset({Category.FIXED})),
        exemptions=(Exemption(callsign="RESCUE1", clause="EXC RESCUE"),), text="All of it", accuracy_m=5.0,
    )  # fmt: skip
    planned = plan(declared)
    (read,), warnings = peer_reads(planned.planned[0])
    assert not warnings
    kept = ("name", "country", "type", "authorities", "decision_ref", "subject", "exemptions", "text", "accuracy_m")
    assert [getattr(read, name) for name in kept] == [getattr(declared, name) for name in kept]
    assert read.volumes == declared.volumes
    assert read.applicability == (Period(MIDNIGHT_S, MIDNIGHT_S + DAY_S),)
    assert {"subject", "exemptions", "decision_ref", "accuracy_m"} <= lost(planned)


def test_whose_a_constraint_is_stays_with_the_zone_and_nobody_else_publishes_it() -> None:
    (read,), _ = peer_reads(plan(zone()).planned[0], "theirs")
    assert read.extensions["f3548"]["manager"] == "theirs"
    planned = plan(read)
    assert not planned.planned
    assert "theirs" in str(planned.refused[0])
    # Ours that came back is ours.
    (ours,), _ = peer_reads(plan(zone()).planned[0])
    assert plan(ours).planned


def test_a_constraint_taken_back_is_in_force_until_then_and_still_listed() -> None:
    (read,), _ = peer_reads(plan(zone()).planned[0], "theirs")
    (gone,) = withdrawn([read], NOW_S)
    assert active_intervals(gone, MIDNIGHT_S, MIDNIGHT_S + DAY_S).tolist() == [[MIDNIGHT_S, NOW_S]]
    assert gone.extensions["f3548"]["manager"] == "theirs"


def test_several_parts_each_with_its_limits_are_one_constraint() -> None:
    parts = (Volume(HERE, above(0.0), above(100.0)), Volume(Circle(7.1, 46.0, 500.0), above(200.0), UNBOUNDED))
    (one, _) = plan(Zone("Z", parts)).planned
    (read,), _ = peer_reads(one)
    assert read.volumes == parts
    assert len(plan(Zone("Z", parts)).planned) == 2


def test_holes_are_filled_and_edges_of_maps_are_cut_so_that_the_constraint_contains_the_zone() -> None:
    square = ((6.0, 46.0), (8.0, 46.0), (8.0, 46.2), (6.0, 46.2))
    hole = ((6.9, 46.05), (7.1, 46.05), (7.0, 46.1))
    planned = plan(zone(Polygon(square, (hole,), EdgeType.STRAIGHT)))
    assert {"volumes.shape.holes", "volumes.shape.edge_type"} <= lost(planned)
    (read,), _ = peer_reads(planned.planned[0])
    shape = read.volumes[0].shape
    assert isinstance(shape, Polygon)
    assert not shape.holes
    assert set(square) <= set(shape.exterior)
    assert len(shape.exterior) > 40


def test_a_buffer_is_part_of_the_constraint_and_is_not_applied_twice() -> None:
    square = ((7.0, 46.0), (7.1, 46.0), (7.1, 46.1), (7.0, 46.1))
    planned = plan(zone(Polygon(square), above(100.0), above(200.0), buffer_lateral_m=1000.0, buffer_vertical_m=30.0))
    (read,), _ = peer_reads(planned.planned[0])
    assert (read.buffer_lateral_m, read.buffer_vertical_m) == (0.0, 0.0)
    assert (read.volumes[0].lower.metres, read.volumes[0].upper.metres) == (70.0, 230.0)
    shape = read.volumes[0].shape
    assert isinstance(shape, Polygon)
    assert min(lat for _, lat in shape.exterior) == pytest.approx(46.0 - 1000.0 / 111_170, abs=2e-4)


AT_THE_EDGES_OF_MAPS = [
    Polygon(((179.9, 10.0), (-179.9, 10.0), (-179.9, 10.2), (179.9, 10.2)), (), EdgeType.STRAIGHT),
    Polygon(((179.9, 60.0), (-179.9, 60.1), (180.0, 60.2)), (), EdgeType.RHUMB),
    Polygon(((0.0, 89.9), (120.0, 89.9), (-120.0, 89.9))),
    Polygon(((0.0, -89.9), (90.0, -89.9), (180.0, -89.9), (-90.0, -89.9)), (), EdgeType.RHUMB),
    Circle(0.0, 90.0, 5_000.0),
    Circle(-180.0, -89.99, 5_000.0),
    Circle(179.99, 0.0, 5_000.0),
]  # fmt: skip


@pytest.mark.parametrize("shape", AT_THE_EDGES_OF_MAPS)
def test_a_zone_at_a_pole_or_across_the_antimeridian_is_one_that_a_dss_takes_and_a_peer_reads(shape: Shape) -> None:
    planned = plan(zone(shape, above(0.0, Datum.AMSL), above(500.0, Datum.AMSL)))
    assert not planned.refused
    volume = msgspec.convert(planned.planned[0].details["volumes"][0], Volume4D)
    there = shape_of(volume.volume)
    if isinstance(there, Circle):
        assert cover_circle(there)
        assert there.radius_m == 5_000.0
    else:
        ring = there.exterior
        assert cover_polygon(ring)
        assert isinstance(shape, Polygon)
        assert {((lon + 180.0) % 360.0, lat) for lon, lat in shape.exterior} <= {
            ((lon + 180.0) % 360.0, lat) for lon, lat in ring
        }
    assert peer_reads(planned.planned[0])[0]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (zone(restriction=Restriction.NO_RESTRICTION), "restricts nothing"),
        (zone(type=ZoneType.AIRSPACE), "restricts nothing"),
        (zone(subject=Subject(domains=frozenset({Domain.SEA}))), "does not bind aircraft"),
        (zone(upper=above(120.0, Datum.AGL)), "--ground-elevation"),
        (zone(Polygon(((-170.0, 75.0), (-10.0, 75.0), (150.0, 75.0)), (), EdgeType.RHUMB)), "vertices"),
    ],
)
def test_a_zone_that_no_constraint_can_stand_for_is_refused_and_the_others_are_not(declared: Zone, said: str) -> None:
    planned = plan(declared, replace(zone(), id="Y"))
    assert said in str(planned.refused[0])
    assert {one.label for one in planned.planned} == {"Y"}


def test_foreign_constraints_without_a_record_are_read_by_their_geozone_or_as_restricted() -> None:
    one = plan(zone(name="Plain", upper=above(300.0))).planned[0]
    del one.details["geozone"]["additional_properties"]
    (read,), _ = peer_reads(one)
    assert (read.name, read.restriction) == ("Plain", Restriction.PROHIBITED)
    one.details["geozone"]["restriction"] = "FORBIDDEN?"
    (read,), warnings = peer_reads(one)
    assert read.restriction is Restriction.CONDITIONAL
    assert "taken as CONDITIONAL" in warnings[0]
    del one.details["geozone"]
    (read,), _ = peer_reads(one)
    assert (read.type, read.restriction) == (ZoneType.RESTRICTED, Restriction.CONDITIONAL)


def test_volumes_of_different_times_become_zones_of_their_own_and_a_broken_one_costs_no_other() -> None:
    parts = (Volume(HERE, above(0.0), above(100.0)), Volume(Circle(7.1, 46.0, 500.0), above(0.0), above(50.0)))
    one = plan(Zone("Z", parts)).planned[0]
    first, second = one.details["volumes"]
    second["time_end"]["value"] = "2026-11-28T12:00:00Z"
    broken = {**first, "volume": {}}
    one.details["volumes"] = [first, second, broken]
    zones, warnings = peer_reads(one)
    assert [z.id for z in zones] == [f"{one.id}/1", f"{one.id}/2"]
    assert {z.applicability[0].to_s for z in zones} == {MIDNIGHT_S + DAY_S, MIDNIGHT_S + 12 * HOUR_S}
    assert "exactly one" in warnings[0]

"""A violation is found on the segments between reports, with its times, depth, doubts and coverage."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.detection.infringement import InfringementTable, ScanSettings, find_infringements
from keepclear.detection.situation import SituationKind, Verdict
from keepclear.feeds.reports import ReportBatch, TargetDomain
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level
from keepclear.space.geometry import Circle, EdgeType, Polygon
from keepclear.tracks.altitude import AltitudeAssumptions
from keepclear.tracks.assemble import assemble
from keepclear.zones.model import Category, Domain, Exemption, Period, Subject, Volume, Zone, ZoneType
from keepclear.zones.zone_set import ZoneSet

T0 = 1_700_000_000.0
GROUND = Level(0.0, LengthUnit.METRE, Datum.AGL)


def flight_level(value: float) -> Level:
    return Level(value, LengthUnit.FLIGHT_LEVEL, Datum.STD)


def zone(shape: Circle | Polygon, lower: Level = GROUND, upper: Level = UNBOUNDED, **given: object) -> Zone:
    return Zone(id=str(given.pop("id", "Z")), volumes=(Volume(shape, lower, upper),), **given)  # type: ignore[arg-type]


def square(west: float, south: float, east: float, north: float) -> Polygon:
    return Polygon(((west, south), (east, south), (east, north), (west, north)), edge_type=EdgeType.STRAIGHT)


def track(
    points: list[tuple[float, float, float]],
    *,
    target: str = "abc123",
    altitude_m: float | None = 3000.0,
    **given: object,
) -> ReportBatch:
    """Reports (seconds, lon, lat)."""
    seconds, lon, lat = np.array(points, dtype=float).T
    columns: dict[str, object] = {"altitude_baro_m": altitude_m, "domain": TargetDomain.AIR, **given}
    return ReportBatch.build(
        time_s=T0 + seconds, lon_deg=lon, lat_deg=lat, target=[target] * len(points), **columns,  # type: ignore[arg-type]
    )  # fmt: skip


def scan(reports: ReportBatch, *zones: Zone, gap_s: float = 600.0, **given: object) -> InfringementTable:
    table = assemble(reports, gap_s=gap_s)
    return find_infringements(table, ZoneSet.of(zones), ScanSettings(**given))  # type: ignore[arg-type]


def test_entry_and_exit_lie_on_the_segment_and_not_at_a_report() -> None:
    """Two reports 100 s and 20 km apart pass straight through a circle of 1 km between them."""
    lon_1 = Geodesic.WGS84.Direct(50.0, 30.0, 90.0, 20_000.0)
    middle = Geodesic.WGS84.Direct(50.0, 30.0, 90.0, 10_000.0)
    found = scan(
        track([(0, 30.0, 50.0), (100, lon_1["lon2"], lon_1["lat2"])]),
        zone(Circle(middle["lon2"], middle["lat2"], 1000.0)),
    )
    assert len(found) == 1
    assert found.entry_s[0] - T0 == pytest.approx(45.0, abs=0.02)
    assert found.exit_s[0] - T0 == pytest.approx(55.0, abs=0.02)
    assert found.depth_m[0] == pytest.approx(1000.0, abs=11.0)
    assert found.entry_seen[0]
    assert found.exit_seen[0]
    assert found.verdict[0] == Verdict.ACTUAL


def test_a_track_that_begins_and_ends_inside_says_that_its_entry_was_not_seen() -> None:
    found = scan(track([(0, 30.0, 50.0), (60, 30.05, 50.0)]), zone(square(29.0, 49.0, 31.0, 51.0)))
    assert not found.entry_seen[0]
    assert not found.exit_seen[0]
    assert found.entry_s[0] == T0


def test_nothing_below_or_above_the_limits() -> None:
    area = square(29.0, 49.0, 31.0, 51.0)
    under = scan(
        track([(0, 28.0, 50.0), (600, 32.0, 50.0)], altitude_m=5000.0), zone(area, flight_level(200), UNBOUNDED)
    )
    assert len(under) == 0
    inside = scan(
        track([(0, 28.0, 50.0), (600, 32.0, 50.0)], altitude_m=7000.0), zone(area, flight_level(200), UNBOUNDED)
    )
    assert len(inside) == 1
    assert inside.altitude_datum[0] == 1
    assert inside.lowest_m[0] == inside.highest_m[0] == 7000.0


def test_a_climb_through_the_lower_limit_is_entered_at_the_limit() -> None:
    climbing = track([(0, 30.0, 50.0), (100, 30.1, 50.0)], altitude_m=None)
    climbing = replace(climbing, altitude_baro_m=np.array([5096.0, 7096.0]))
    found = scan(climbing, zone(square(29.0, 49.0, 31.0, 51.0), flight_level(200), UNBOUNDED))
    assert found.entry_s[0] - T0 == pytest.approx(50.0, abs=0.1)


@pytest.mark.parametrize(
    ("accuracy_m", "offset_m", "verdict"),
    [(10.0, 500.0, Verdict.ACTUAL), (900.0, 500.0, Verdict.INDETERMINATE), (900.0, -500.0, Verdict.INDETERMINATE),
     (10.0, -500.0, None), (900.0, -1500.0, None)],
)  # fmt: skip
def test_r2_1_an_error_ellipse_that_straddles_the_border_is_indeterminate(
    accuracy_m: float, offset_m: float, verdict: Verdict | None
) -> None:
    """Along the southern border of a square, ``offset_m`` inside it."""
    lat = Geodesic.WGS84.Direct(50.0, 30.0, 0.0, offset_m)["lat2"]
    along = track([(s, 30.0 + s / 1000.0, lat) for s in range(0, 400, 10)], accuracy_m=accuracy_m)
    found = scan(along, zone(square(29.0, 50.0, 31.0, 51.0)))
    assert [Verdict(v) for v in found.verdict] == ([] if verdict is None else [verdict])
    if verdict is Verdict.INDETERMINATE:
        assert found.doubt[0] == "position"
        inside = offset_m > 0
        assert (found.confidence[0] > 0.5) == inside
        assert 0.0 < found.confidence[0] < 1.0


def test_r2_1_the_zones_own_accuracy_counts_too() -> None:
    lat = Geodesic.WGS84.Direct(50.0, 30.0, 0.0, 300.0)["lat2"]
    along = track([(s, 30.0 + s / 1000.0, lat) for s in range(0, 400, 10)], accuracy_m=10.0)
    found = scan(along, zone(square(29.0, 50.0, 31.0, 51.0), accuracy_m=1000.0))
    assert found.verdict[0] == Verdict.INDETERMINATE


def test_r2_4_an_exempt_flight_is_in_the_rows_and_marked() -> None:
    area = zone(square(29.0, 49.0, 31.0, 51.0), exemptions=(Exemption(callsign="RELIEF1"),))
    named = scan(track([(0, 28.0, 50.0), (600, 30.0, 50.0)], callsign=["RELIEF1", "RELIEF1"]), area)
    assert named.exempt.tolist() == [True]
    assert named.exemption[0] == "exempt: callsign RELIEF1"
    other = scan(track([(0, 28.0, 50.0), (600, 30.0, 50.0)], callsign=["OTHER1", "OTHER1"]), area)
    assert other.exempt.tolist() == [False]


def test_a_clause_in_words_is_a_possibility_for_a_person_to_judge() -> None:
    area = zone(square(29.0, 49.0, 31.0, 51.0), exemptions=(Exemption(clause="EXCEPT STATE AIRCRAFT OF UKRAINE"),))
    ukrainian = scan(track([(0, 28.0, 50.0), (600, 30.0, 50.0)], target="508035"), area)
    polish = scan(track([(0, 28.0, 50.0), (600, 30.0, 50.0)], target="48c222"), area)
    assert ukrainian.exemption[0].startswith("possible (address registered in Ukraine)")
    assert polish.exemption[0].startswith("possible by permission only")
    assert not ukrainian.exempt[0]
    assert ukrainian.verdict[0] == Verdict.ACTUAL


def test_r2_7_unlike_datums_are_a_band_until_somebody_states_the_qnh() -> None:
    """A GNSS height close under a flight level may be above it: which, only the pressure tells."""
    area = zone(square(29.0, 49.0, 31.0, 51.0), flight_level(100), UNBOUNDED)
    passing = [(0.0, 28.0, 50.0), (600.0, 32.0, 50.0)]
    close = scan(track(passing, altitude_m=None, altitude_geo_m=3150.0), area)
    assert [Verdict(v) for v in close.verdict] == [Verdict.INDETERMINATE]
    assert close.doubt[0] == "altitude"
    assert close.altitude_datum[0] == 2
    high = scan(track(passing, altitude_m=None, altitude_geo_m=9000.0), area)
    assert [Verdict(v) for v in high.verdict] == [Verdict.ACTUAL]
    low = scan(track(passing, altitude_m=None, altitude_geo_m=500.0), area)
    assert len(low) == 0


def test_r2_7_a_limit_above_ground_needs_the_grounds_elevation() -> None:
    area = zone(square(29.0, 49.0, 31.0, 51.0), GROUND, Level(500.0, LengthUnit.METRE, Datum.AGL))
    passing = track([(0, 28.0, 50.0), (600, 32.0, 50.0)], altitude_m=None, altitude_geo_m=700.0)
    assert scan(passing, area).verdict.tolist() == [Verdict.INDETERMINATE]
    stated = scan(passing, area, assumptions=AltitudeAssumptions(ground_elevation_m=(300.0, 350.0)))
    assert stated.verdict.tolist() == [Verdict.ACTUAL]
    lower = scan(passing, area, assumptions=AltitudeAssumptions(ground_elevation_m=(50.0, 100.0)))
    assert len(lower) == 0


def test_an_unknown_altitude_between_limits_is_in_doubt_and_without_limits_is_not() -> None:
    passing = track([(0, 28.0, 50.0), (600, 32.0, 50.0)], altitude_m=None)
    limited = scan(passing, zone(square(29.0, 49.0, 31.0, 51.0), flight_level(100), flight_level(200)))
    assert (limited.verdict.tolist(), limited.doubt.tolist()) == ([Verdict.INDETERMINATE], ["altitude"])
    assert scan(passing, zone(square(29.0, 49.0, 31.0, 51.0))).verdict.tolist() == [Verdict.ACTUAL]


def test_r2_8_a_gap_inside_is_not_covered() -> None:
    points = [(s, 30.0 + s / 10_000.0, 50.0) for s in (*range(0, 100, 10), *range(200, 300, 10))]
    found = scan(track(points), zone(square(29.0, 49.0, 31.0, 51.0)), gap_s=60.0)
    assert len(found) == 1
    assert found.coverage[0] == pytest.approx(180.0 / 290.0, abs=0.001)


def test_r2_9_a_dip_is_one_violation() -> None:
    """In, out for a minute, in again: one row. Out for ten minutes: two."""

    def weave(outside_s: float) -> ReportBatch:
        return track([
            (0, 30.0, 49.95), (60, 30.0, 50.05), (120, 30.0, 49.99), (120 + outside_s, 30.0, 49.99),
            (180 + outside_s, 30.0, 50.05), (240 + outside_s, 30.0, 49.95),
        ])  # fmt: skip

    area = zone(square(29.0, 50.0, 31.0, 51.0))
    assert len(scan(weave(60.0), area)) == 1
    assert len(scan(weave(600.0), area, gap_s=1000.0)) == 2


def test_r2_11_each_row_names_the_version_it_was_judged_against() -> None:
    first = zone(square(29.0, 49.0, 31.0, 51.0), version="1")
    edited = ZoneSet.of([first]).edited(ZoneSet.of([zone(square(29.0, 49.0, 30.5, 51.0), version="2")]))
    assert [(z.version, row in edited.superseded) for row, z in enumerate(edited)] == [("1", True), ("2", False)]
    found = find_infringements(assemble(track([(0, 28.0, 50.0), (600, 30.7, 50.0)]), gap_s=600.0), edited)
    assert [edited[row].version for row in found.zone.tolist()] == ["2"]
    again = edited.edited(ZoneSet.of([zone(square(28.0, 49.0, 30.5, 51.0), version="2")]))
    assert [z.version for z in again] == ["1", "2", "2+"]


def test_times_in_force_cut_the_violation() -> None:
    area = zone(
        square(29.0, 49.0, 31.0, 51.0),
        applicability=(Period(T0 + 100, T0 + 200), Period(T0 + 1000, T0 + 1100)),
    )
    points = [(float(s), 30.0 + s / 100_000.0, 50.0) for s in range(0, 2000, 10)]
    found = scan(track(points), area)
    assert [(a - T0, b - T0) for a, b in zip(found.entry_s, found.exit_s, strict=True)] == [(100, 200), (1000, 1100)]
    assert found.entry_seen.all()
    assumed = scan(track(points), area, assume_active=True)
    assert [(a - T0, b - T0) for a, b in zip(assumed.entry_s, assumed.exit_s, strict=True)] == [(0, 1990)]
    assert assumed.rests_on.tolist() == ["assumed active"]


def test_past_an_estimated_end_the_row_says_what_it_rests_on() -> None:
    area = zone(square(29.0, 49.0, 31.0, 51.0), applicability=(Period(T0 - 100, T0 + 10, end_estimated=True),))
    found = scan(track([(0, 29.5, 50.0), (600, 30.5, 50.0)]), area)
    assert found.exit_s[0] == T0 + 600
    assert found.rests_on.tolist() == ["estimated end"]


def test_only_the_domains_that_a_zone_binds() -> None:
    sea = zone(square(29.0, 49.0, 31.0, 51.0), subject=Subject(domains=frozenset({Domain.SEA})))
    path = [(0.0, 28.0, 50.0), (600.0, 30.0, 50.0)]
    assert len(scan(track(path), sea)) == 0
    assert len(scan(track(path, domain=TargetDomain.SEA), sea)) == 1
    assert len(scan(track(path, domain=TargetDomain.UNKNOWN), sea)) == 1
    air = zone(square(29.0, 49.0, 31.0, 51.0))
    assert len(scan(track(path, on_ground=1), air)) == 0


def test_a_party_or_category_that_a_track_does_not_show_is_a_doubt() -> None:
    path = track([(0, 28.0, 50.0), (600, 30.0, 50.0)])
    bound = zone(square(29.0, 49.0, 31.0, 51.0), subject=Subject(parties=frozenset({"A"})))
    assert scan(path, bound).doubt.tolist() == ["party"]
    assert scan(path, bound, parties={"abc123": "A"}).verdict.tolist() == [Verdict.ACTUAL]
    assert len(scan(path, bound, parties={"abc123": "B"})) == 0
    civil = zone(square(29.0, 49.0, 31.0, 51.0), subject=Subject(categories=frozenset({Category.CIVIL})))
    assert scan(path, civil).doubt.tolist() == ["category"]


def test_swapping_the_parties_names_changes_nothing_but_the_names() -> None:
    path = track([(0, 28.0, 50.0), (600, 30.0, 50.0)])

    def judged(ours: str, theirs: str) -> list[object]:
        area = zone(square(29.0, 49.0, 31.0, 51.0), subject=Subject(parties=frozenset({ours})))
        found = scan(path, area, parties={"abc123": ours, "def456": theirs})
        return [found.verdict.tolist(), found.entry_s.tolist(), found.depth_m.tolist()]

    assert judged("red", "blue") == judged("blue", "red")


def test_a_third_partys_territory_is_a_spill_over() -> None:
    found = scan(
        track([(0, 28.0, 50.0), (600, 30.0, 50.0)]),
        zone(square(29.0, 49.0, 31.0, 51.0), type=ZoneType.THIRD_PARTY_TERRITORY),
    )
    assert found.kind.tolist() == [SituationKind.SPILL_OVER]


def test_a_buffer_widens_the_zone_in_all_directions() -> None:
    wide = zone(square(29.0, 50.0, 31.0, 51.0), buffer_lateral_m=5_000.0)
    lat = Geodesic.WGS84.Direct(50.0, 30.0, 180.0, 4_000.0)["lat2"]
    found = scan(track([(s, 29.8 + s / 1000.0, lat) for s in range(0, 400, 10)]), wide)
    assert found.depth_m[0] == pytest.approx(1_000.0, rel=0.03)
    lat = Geodesic.WGS84.Direct(50.0, 30.0, 180.0, 5_200.0)["lat2"]
    assert len(scan(track([(s, 29.8 + s / 1000.0, lat) for s in range(0, 400, 10)]), wide)) == 0


@pytest.mark.parametrize("shift", [0.0, 150.0, 149.5, -210.0])
def test_the_antimeridian_is_an_ordinary_place(shift: float) -> None:
    def turned(lon: float) -> float:
        return (lon + shift + 180.0) % 360.0 - 180.0

    area = Polygon(tuple((turned(x), y) for x, y in ((29.0, 49.0), (31.0, 49.0), (31.0, 51.0), (29.0, 51.0))))
    found = scan(track([(s, turned(28.0 + s / 100.0), 50.0) for s in range(0, 400, 10)]), zone(area))
    assert len(found) == 1
    assert found.entry_s[0] - T0 == pytest.approx(100.0, abs=0.05)
    assert found.exit_s[0] - T0 == pytest.approx(300.0, abs=0.05)


def test_the_pole_is_an_ordinary_place() -> None:
    cap = zone(Polygon(tuple((lon, 85.0) for lon in (-180.0, -90.0, 0.0, 90.0)), edge_type=EdgeType.RHUMB))
    over = track([(0, 10.0, 80.0), (600, 10.0, 86.0), (1200, 10.0, 89.9), (1800, -170.0, 86.0), (2400, -170.0, 80.0)])
    found = scan(over, cap, gap_s=1000.0)
    assert len(found) == 1
    assert found.entry_s[0] - T0 == pytest.approx(500.0, abs=2.0)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_rows_equal_a_slow_twin_that_looks_every_second(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 9))
    angles = np.sort(rng.uniform(0.0, 2.0 * math.pi, count))
    radii = rng.uniform(0.05, 0.2, count)
    ring = [(30.0 + r * math.cos(a), 50.0 + r * math.sin(a)) for a, r in zip(angles, radii, strict=True)]
    points = [
        (float(180 * k), 30.0 + float(rng.uniform(-0.3, 0.3)), 50.0 + float(rng.uniform(-0.3, 0.3))) for k in range(6)
    ]
    area = zone(Polygon(tuple(ring), edge_type=EdgeType.STRAIGHT))
    found = scan(track(points), area, merge_gap_s=0.0)
    seconds = np.arange(0.5, 900.0, 1.0)
    lon = np.interp(seconds, [p[0] for p in points], [p[1] for p in points])
    lat = np.interp(seconds, [p[0] for p in points], [p[2] for p in points])
    inside = np.array([_inside(x, y, ring) for x, y in zip(lon, lat, strict=True)])
    said = np.zeros(len(seconds), dtype=bool)
    for a, b in zip(found.entry_s - T0, found.exit_s - T0, strict=True):
        said |= (seconds >= a) & (seconds <= b)
    # Where they differ a border is crossed within the second: the twin is no finer than that. The tracks here do some
    # 300 m a second and bow from the straight line by metres.
    differs = np.flatnonzero(inside != said)
    edges = np.concatenate([found.entry_s, found.exit_s]) - T0
    for k in differs:
        assert np.min(np.abs(edges - seconds[k]), initial=np.inf) < 1.5 or _near_edge(lon[k], lat[k], ring) < 50.0


def _inside(x: float, y: float, ring: list[tuple[float, float]]) -> bool:
    odd = False
    for (xa, ya), (xb, yb) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (ya > y) != (yb > y) and x < xa + (y - ya) * (xb - xa) / (yb - ya):
            odd = not odd
    return odd


def _near_edge(x: float, y: float, ring: list[tuple[float, float]]) -> float:
    scale = (111_320.0 * math.cos(math.radians(50.0)), 111_320.0)
    best = math.inf
    for (xa, ya), (xb, yb) in zip(ring, [*ring[1:], ring[0]], strict=True):
        ux, uy = (xb - xa) * scale[0], (yb - ya) * scale[1]
        px, py = (x - xa) * scale[0], (y - ya) * scale[1]
        f = max(0.0, min(1.0, (px * ux + py * uy) / (ux * ux + uy * uy)))
        best = min(best, math.hypot(px - f * ux, py - f * uy))
    return best

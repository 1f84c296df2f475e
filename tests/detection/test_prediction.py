"""In the live picture an infringement is told before it happens, where and when, and in doubt where it is in doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from keepclear.detection.activity import activity
from keepclear.detection.prediction import predict_infringements
from keepclear.detection.prediction_memory import JUDGED_EVERY_S, PredictionMemory
from keepclear.detection.prepared import prepare
from keepclear.detection.situation import SituationBatch, SituationKind, Verdict
from keepclear.feeds.reports import ReportBatch, TargetDomain
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level
from keepclear.space.geometry import Circle, EdgeType, Polygon
from keepclear.tracks.picture import Picture, TrackStatus
from keepclear.zones.model import Exemption, Period, Restriction, Volume, Zone, ZoneType
from keepclear.zones.zone_set import ZoneSet

NOW = 1_700_000_000.0
GROUND = Level(0.0, LengthUnit.METRE, Datum.AGL)
SQUARE = Polygon(((29.0, 50.0), (31.0, 50.0), (31.0, 51.0), (29.0, 51.0)), edge_type=EdgeType.STRAIGHT)


def zone(shape: Circle | Polygon = SQUARE, lower: Level = GROUND, upper: Level = UNBOUNDED, **given: Any) -> Zone:
    return Zone(id=given.pop("id", "Z"), volumes=(Volume(shape, lower, upper),), **given)


def picture(*rows: dict[str, Any], age_s: float = 0.0, status: TrackStatus = TrackStatus.LIVE) -> Picture:
    def column(name: str, default: Any) -> list[Any]:
        return [row.get(name, default) for row in rows]

    reports = ReportBatch.build(
        time_s=[NOW - age_s] * len(rows),
        lon_deg=column("lon", 30.0), lat_deg=column("lat", 49.9),
        altitude_baro_m=column("baro", 3000.0), altitude_geo_m=column("geo", np.nan),
        ground_speed_mps=column("speed", 200.0), track_deg=column("track", 0.0),
        vertical_rate_mps=column("climb", 0.0), accuracy_m=column("accuracy", np.nan),
        domain=column("domain", TargetDomain.AIR), callsign=column("callsign", "ABC1"),
        target=[f"{k:06x}" for k in range(len(rows))],
    )  # fmt: skip
    n = len(rows)
    return Picture(
        NOW, np.arange(1, n + 1), reports, np.full(n, status, np.uint8), np.zeros(n, np.uint8), np.full(n, NOW - 60.0)
    )


def judge(seen: Picture, *zones: Zone, margin_m: float = 3704.0, **given: Any) -> SituationBatch:
    zone_set = ZoneSet.of(zones)
    return predict_infringements(
        seen, prepare(zone_set, margin_m=margin_m), activity(zone_set, NOW - 3600.0, NOW + 7200.0), **given
    )


def south_of_border(metres: float) -> float:
    return float(Geodesic.WGS84.Direct(50.0, 30.0, 180.0, metres)["lat2"])


def test_entry_is_told_with_its_time_and_place() -> None:
    found = judge(picture({"lat": south_of_border(12_000.0)}), zone())
    assert found.verdict.tolist() == [Verdict.PREDICTED]
    assert found.kind.tolist() == [SituationKind.APW]
    assert found.time_to_s[0] == pytest.approx(60.0, abs=0.05)
    assert found.at_lat_deg[0] == pytest.approx(50.0, abs=1e-5)
    assert found.at_lon_deg[0] == pytest.approx(30.0, abs=1e-6)


def test_a_zone_between_two_cycles_is_not_missed() -> None:
    """300 m wide and 240 m/s fast: a point check each second would pass it by half of the time."""
    centre = Geodesic.WGS84.Direct(49.9, 30.0, 0.0, 10_000.0)
    found = judge(picture({"speed": 240.0}), zone(Circle(30.0, centre["lat2"], 50.0)))
    assert found.verdict.tolist() == [Verdict.PREDICTED]
    assert found.duration_s[0] == pytest.approx(100.0 / 240.0, abs=0.01)


def test_a_speed_without_a_direction_leads_nowhere() -> None:
    assert len(judge(picture({"lat": south_of_border(12_000.0), "track": np.nan}), zone())) == 0


def test_beyond_the_look_ahead_and_away_from_the_zone_is_clear() -> None:
    assert len(judge(picture({"lat": south_of_border(25_000.0)}), zone())) == 0
    assert len(judge(picture({"lat": south_of_border(12_000.0), "track": 180.0}), zone())) == 0


@pytest.mark.parametrize("distance_m", [5_000.0, 3_000.0, 1_000.0, 200.0])
def test_a_prediction_holds_up_to_the_border(distance_m: float) -> None:
    """Also within the margin in which a worse position would be in doubt."""
    found = judge(picture({"lat": south_of_border(distance_m), "accuracy": 50.0}), zone())
    assert found.verdict.tolist() == [Verdict.PREDICTED]
    assert found.time_to_s[0] == pytest.approx(distance_m / 200.0, abs=0.05)


def test_inside_is_actual_and_measured() -> None:
    inside = float(Geodesic.WGS84.Direct(50.0, 30.0, 0.0, 2_000.0)["lat2"])
    found = judge(picture({"lat": inside, "accuracy": 100.0}), zone())
    assert found.verdict.tolist() == [Verdict.ACTUAL]
    assert found.time_to_s.tolist() == [0.0]
    assert found.depth_m[0] == pytest.approx(2_000.0, abs=1.0)
    assert found.confidence[0] > 0.999


@pytest.mark.parametrize("offset_m", [-300.0, 300.0])
def test_r2_1_nearer_to_the_border_than_the_error_is_indeterminate(offset_m: float) -> None:
    lat = float(Geodesic.WGS84.Direct(50.0, 30.0, 0.0, offset_m)["lat2"])
    found = judge(picture({"lat": lat, "accuracy": 900.0, "track": 90.0}), zone())
    assert found.verdict.tolist() == [Verdict.INDETERMINATE]
    assert found.time_to_s.tolist() == [0.0]
    assert (found.confidence[0] > 0.5) == (offset_m > 0)


def test_a_report_some_seconds_old_is_judged_where_the_track_is_now() -> None:
    found = judge(picture({"lat": south_of_border(1_000.0)}, age_s=8.0), zone())
    assert found.verdict.tolist() == [Verdict.ACTUAL]
    assert found.depth_m[0] == pytest.approx(600.0, abs=2.0)


def test_r2_4_an_exempt_track_is_found_and_marked() -> None:
    found = judge(picture({"lat": 50.5}, {"lat": 50.5, "callsign": "RELIEF1"}),
                  zone(exemptions=(Exemption(callsign="RELIEF1"),)))  # fmt: skip
    assert dict(zip(found.track.tolist(), found.exempt.tolist(), strict=True)) == {1: False, 2: True}


def test_r2_7_an_altitude_that_cannot_be_compared_is_in_doubt() -> None:
    limited = zone(SQUARE, Level(100.0, LengthUnit.FLIGHT_LEVEL, Datum.STD), UNBOUNDED)
    doubtful = judge(picture({"lat": 50.5, "baro": np.nan, "geo": 3_100.0}), limited)
    assert doubtful.verdict.tolist() == [Verdict.INDETERMINATE]
    assert judge(picture({"lat": 50.5, "baro": 3_100.0}), limited).verdict.tolist() == [Verdict.ACTUAL]
    assert len(judge(picture({"lat": 50.5, "baro": 3_000.0}), limited)) == 0


def test_a_climb_into_the_zone_is_told() -> None:
    limited = zone(SQUARE, Level(100.0, LengthUnit.FLIGHT_LEVEL, Datum.STD), UNBOUNDED)
    found = judge(picture({"lat": 50.5, "baro": 2_848.0, "climb": 10.0}), limited)
    assert found.verdict.tolist() == [Verdict.PREDICTED]
    assert found.time_to_s[0] == pytest.approx(20.0, abs=0.1)


def test_r2_10_stale_tracks_are_not_judged() -> None:
    assert len(judge(picture({"lat": 50.5}, status=TrackStatus.STALE), zone())) == 0


def test_a_zone_that_comes_into_force_around_a_track_is_entered_then() -> None:
    found = judge(picture({"lat": 50.5}), zone(applicability=(Period(NOW + 30.0, NOW + 900.0),)))
    assert found.verdict.tolist() == [Verdict.PREDICTED]
    assert found.time_to_s[0] == pytest.approx(30.0, abs=0.01)
    assert len(judge(picture({"lat": 50.5}), zone(applicability=(Period(NOW - 900.0, NOW - 30.0),)))) == 0


def test_an_outline_that_forbids_nothing_is_not_watched_and_a_third_partys_is() -> None:
    seen = picture({"lat": 50.5})
    assert len(judge(seen, zone(restriction=Restriction.NO_RESTRICTION, type=ZoneType.AIRSPACE))) == 0
    territory = judge(seen, zone(restriction=Restriction.NO_RESTRICTION, type=ZoneType.THIRD_PARTY_TERRITORY))
    assert territory.kind.tolist() == [SituationKind.SPILL_OVER]


def test_remembered_depths_change_no_verdict() -> None:
    """Over a minute of random traffic, with the memory and without, cycle by cycle."""
    rng = np.random.default_rng(7)
    n = 300
    lon, lat = rng.uniform(28.5, 31.5, n), rng.uniform(49.5, 51.5, n)
    track, speed = rng.uniform(0.0, 360.0, n), rng.uniform(50.0, 250.0, n)
    zone_set = ZoneSet.of([zone()])
    prepared, in_force = prepare(zone_set, margin_m=3704.0), activity(zone_set, NOW - 10.0, NOW + 100.0)
    memory = PredictionMemory()
    reused = 0
    for second in range(60):
        north = speed * np.cos(np.radians(track)) * second / 111_000.0
        east = speed * np.sin(np.radians(track)) * second / 71_000.0
        reports = ReportBatch.build(
            time_s=np.full(n, NOW + second), lon_deg=lon + east, lat_deg=lat + north, ground_speed_mps=speed,
            track_deg=track, accuracy_m=rng.choice([30.0, 900.0], n), domain=TargetDomain.AIR,
            target=[f"{k:06x}" for k in range(n)],
        )  # fmt: skip
        seen = Picture(
            NOW + second, np.arange(n), reports, np.ones(n, np.uint8), np.zeros(n, np.uint8), np.full(n, NOW)
        )
        with_memory = predict_infringements(seen, prepared, in_force, memory=memory)
        without = predict_infringements(seen, prepared, in_force)
        assert with_memory.track.tolist() == without.track.tolist()
        assert with_memory.verdict.tolist() == without.verdict.tolist()
        assert np.abs(with_memory.depth_m - without.depth_m).max() <= 10.0 * 250.0
        reused += int(np.count_nonzero(with_memory.depth_m != without.depth_m))
    assert reused > 1000, "the memory was never used"


class Run:
    """Cycles with a memory, on pictures of tracks whose newest report may be old."""

    def __init__(self, *zones: Zone) -> None:
        zone_set = ZoneSet.of(zones)
        self.prepared = prepare(zone_set, margin_m=3704.0)
        self.in_force = activity(zone_set, NOW - 10.0, NOW + 900.0)
        self.memory = PredictionMemory()

    def at(self, second: float, seen: Picture, reported: Any = 0.0) -> SituationBatch:
        seen = self.moved(second, seen, reported)
        return predict_infringements(seen, self.prepared, self.in_force, memory=self.memory)

    def afresh(self, second: float, seen: Picture, reported: Any = 0.0) -> SituationBatch:
        return predict_infringements(self.moved(second, seen, reported), self.prepared, self.in_force)

    @staticmethod
    def moved(second: float, seen: Picture, reported: Any) -> Picture:
        time_s = np.broadcast_to(NOW + np.asarray(reported, dtype=np.float64), (len(seen),)).copy()
        return replace(seen, now_s=NOW + second, reports=replace(seen.reports, time_s=time_s, received_s=time_s))


def test_an_entry_is_actual_when_it_is_due_without_another_report() -> None:
    run, seen = Run(zone()), picture({"lat": south_of_border(410.0)})
    assert run.at(0.0, seen).verdict.tolist() == [Verdict.PREDICTED]
    found = {second: run.at(second, seen) for second in np.arange(1.60, 2.10, 0.02).round(2).tolist()}
    assert found[2.04].time_to_s[0] == pytest.approx(0.01, abs=0.005)
    assert [found[s].verdict.tolist() for s in (2.04, 2.06)] == [[Verdict.PREDICTED], [Verdict.ACTUAL]]


def test_only_tracks_with_news_are_judged_again_and_the_others_soon() -> None:
    run = Run(zone())
    seen = picture({"lat": south_of_border(12_000.0)}, {"lat": south_of_border(12_000.0)})
    run.at(0.0, seen)
    turned = replace(seen, reports=replace(seen.reports, track_deg=np.full(2, 180.0, np.float32)))
    assert run.at(0.1, turned, reported=[0.1, 0.0]).track.tolist() == [2], "the first has turned away"
    assert run.at(0.1 + JUDGED_EVERY_S, turned, reported=[0.1, 0.0]).track.tolist() == []


def test_r2_10_of_the_last_live_track_nothing_is_said_while_it_is_silent() -> None:
    run, seen = Run(zone()), picture({"lat": 50.5, "speed": 0.0})
    assert len(run.at(0.0, seen)) == 1
    assert len(run.at(0.1, replace(seen, status=np.full(1, TrackStatus.STALE, np.uint8)))) == 0
    assert len(run.at(0.2, picture())) == 0
    assert len(run.at(0.3, seen)) == 1


def test_a_zone_that_comes_into_force_meets_everybody_at_once() -> None:
    run, seen = Run(zone(applicability=(Period(NOW + 130.05, NOW + 900.0),))), picture({"lat": 50.5, "speed": 0.0})
    assert len(run.at(10.0, seen)) == 0
    run.at(130.0, seen)
    assert run.at(130.1, seen).verdict.tolist() == [Verdict.ACTUAL]


def test_the_depth_in_one_part_of_a_zone_is_not_taken_for_another_part() -> None:
    """Past the border of one part, straight towards another 18 km ahead, and then round the corner into the first."""
    west = Polygon(((29.0, 49.0), (29.98, 49.0), (29.98, 51.0), (29.0, 51.0)), edge_type=EdgeType.STRAIGHT)
    north = Polygon(((29.99, 50.07), (31.0, 50.07), (31.0, 51.0), (29.99, 51.0)), edge_type=EdgeType.STRAIGHT)
    both = Zone(id="Z", volumes=(Volume(west, GROUND, UNBOUNDED), Volume(north, GROUND, UNBOUNDED)))
    run = Run(both)
    assert run.at(0.0, picture({"lat": 49.9, "lon": 29.995})).verdict.tolist() == [Verdict.PREDICTED]
    inside = picture({"lat": 49.9, "lon": 29.975, "track": 270.0})
    assert run.at(2.0, inside, reported=2.0).verdict.tolist() == [Verdict.ACTUAL]


def test_a_memory_tells_what_judging_everybody_tells_within_half_a_second() -> None:
    """Random traffic that turns, a tenth of it reporting in each tenth of a second."""
    rng = np.random.default_rng(11)
    n = 400
    run = Run(zone(), zone(Circle(30.5, 50.2, 15_000.0), id="C", upper=Level(3000.0, LengthUnit.METRE, Datum.STD)))
    rows = [
        {"lat": y, "lon": x, "track": t, "speed": s, "climb": c}
        for x, y, t, s, c in zip(
            rng.uniform(28.8, 31.2, n), rng.uniform(49.8, 51.2, n), rng.uniform(0, 360, n),
            rng.uniform(50, 250, n), rng.uniform(-15, 15, n), strict=True,
        )
    ]  # fmt: skip
    seen, reported = picture(*rows), np.zeros(n)
    told: list[set[tuple[int, int, int]]] = []
    wanted: list[set[tuple[int, int, int]]] = []
    for cycle in range(40):
        second = cycle / 10.0
        reporting = np.arange(n) % 10 == cycle % 10
        reported[reporting] = second
        turned = seen.reports.track_deg + np.where(reporting, rng.uniform(-20, 20, n), 0.0).astype(np.float32)
        seen = replace(seen, reports=replace(seen.reports, track_deg=turned % 360))
        for found, into in ((run.at(second, seen, reported), told), (run.afresh(second, seen, reported), wanted)):
            into.append(set(zip(found.track.tolist(), found.other.tolist(), found.verdict.tolist(), strict=True)))
    late = early = 0
    for cycle, (had, want) in enumerate(zip(told, wanted, strict=True)):
        recent = set().union(*wanted[max(0, cycle - 5) : cycle + 1])
        assert had <= recent, "what is told was so within the last half second"
        assert set.intersection(*wanted[max(0, cycle - 5) : cycle + 1]) <= had, "what lasted so long is told"
        late, early = late + len(want - had), early + len(had - want)
    assert sum(map(len, wanted)) > 5_000
    assert late + early < 0.002 * sum(map(len, wanted)), "most of it is told at once"

"""The flow as functions: three lines of Python say what the commands say, and another library agrees."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import shapely

import keepclear as kc
from keepclear.alerts.model import AlertType
from keepclear.errors import InputError
from keepclear.feeds.reports import ReportBatch
from keepclear.node import Watch
from keepclear.simulation.scenario import scenario_zones
from keepclear.zones.zone_set import ZoneSet

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CLOSED = ("UKBV", "UKDV", "UKFV", "UKLV", "UKOV")


@pytest.fixture
def data() -> Path:
    if not DATA.is_dir():
        pytest.skip(f"no real data at {DATA}")
    return DATA


@pytest.mark.shared
def test_shapely_finds_the_same_aircraft_over_kyiv(data: Path) -> None:
    firs = data / "zones" / "eurofirs_2015.geojson.gz"
    tracks = kc.read_tracks(data / "adsb" / "kyiv_airshow_2021-08-24_modes.csv")
    zones = kc.read_zones(data / "notam" / "ukraine_closure_A0003-23.txt", firs=firs)
    result = kc.scan(tracks, zones, assume_active=True)
    outlines = [
        shapely.geometry.shape(feature["geometry"])
        for feature in json.loads(gzip.decompress(firs.read_bytes()))["features"]
        if set(CLOSED) & {str(value) for value in feature["properties"].values()}
    ]
    assert len(outlines) >= len(CLOSED)
    reports = tracks.reports
    inside = shapely.contains_xy(shapely.union_all(outlines), reports.lon_deg, reports.lat_deg)
    names = np.array(reports.target.strings())
    in_the_air = reports.on_ground != 1
    seen = set(names[inside & in_the_air])
    found = set(result.rows["track_id"].to_pylist())
    assert seen == found
    assert len(found) == result.targets_inside == 34
    assert result.targets == len(set(names)) == 38
    rows = result.rows.to_pylist()
    for name in found:
        times = reports.time_s[inside & in_the_air & (names == name)]
        of_target = [row for row in rows if row["track_id"] == name]
        assert min(row["entry_time"].timestamp() for row in of_target) <= times.min() + 0.001
        assert max(row["exit_time"].timestamp() for row in of_target) >= times.max() - 0.001


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "positions"), [("ais/kystverket_1000.nm4", 743), ("adsb/readsb_trace_ac671b.json", 2500)]
)
def test_real_samples_are_watched_to_their_end(data: Path, file: str, positions: int) -> None:
    from keepclear.edge.replay import replay

    reports = kc.read_tracks(data / file).reports
    assert len(reports) == positions
    watch = Watch(ZoneSet.of(scenario_zones()))
    cycles = [watch.step(cycle.reports, cycle.now_s) for cycle in replay([reports], cycle_s=60.0)]
    counts = watch.tracks.counts
    assert counts.accepted + counts.late + counts.unusable + counts.future == positions
    assert counts.accepted > 0.9 * positions
    assert all(np.isfinite(cycle.picture.reports.lat_deg).all() for cycle in cycles)


def test_a_path_that_is_no_recording_is_a_typed_error(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\x00\x01 nothing")
    with pytest.raises(InputError, match=r"x\.csv"):
        kc.read_tracks(path)


def test_r2_10_a_watch_without_a_feed_is_degraded_and_tracks_age_in_sight() -> None:
    watch = Watch(ZoneSet.of(scenario_zones()))
    report = ReportBatch.build(time_s=[1000.0], lat_deg=[50.0], lon_deg=[20.0], target=["abc123"], domain=1)
    seen = [int(watch.step(report, 1000.5).picture.status[0])]
    for now_s in (1020.0, 1070.0, 1071.0):
        cycle = watch.step(ReportBatch.empty(), now_s)
        assert cycle.heartbeat.page_state == "DEGRADED"
        seen += cycle.picture.status.tolist()
    assert seen == [1, 2, 3], "live, stale, ended: each is shown"


def test_r2_9_an_archive_and_a_watch_count_the_same_violations_over_gaps_in_reception() -> None:
    """Inside all the time, but not heard for two minutes, and later for seven: three tracks live, two violations."""
    time_s = np.concatenate([np.arange(0.0, 60.0), np.arange(180.0, 240.0), np.arange(660.0, 720.0)]) + 1_767_268_800.0
    n = len(time_s)
    reports = ReportBatch.build(
        time_s=time_s, lat_deg=np.full(n, 49.0), lon_deg=np.full(n, 31.0), target=["abc123"] * n, domain=1,
        ground_speed_mps=np.zeros(n), track_deg=np.zeros(n),
    )  # fmt: skip
    watch = Watch(ZoneSet.of(scenario_zones()))
    for now_s in np.arange(time_s[0], time_s[-1] + 1.0).tolist():
        watch.step(reports.take(time_s == now_s), now_s)
    counts = watch.alerts.counts
    assert (counts.targets, counts.tracks, counts.violations, counts.alerts) == (1, 3, 2, 3)
    archive = kc.scan(reports, scenario_zones())
    assert (archive.targets_inside, archive.violations) == (1, 2)


def test_r2_1_neither_archive_nor_watch_tells_of_two_that_were_not_there_together() -> None:
    """One lands and is heard no more; 19 s later another takes off where the first, carried on, would be."""
    seconds = np.concatenate([np.arange(0.0, 60.0), np.arange(79.0, 139.0)])
    n, lands = len(seconds), seconds < 60.0
    reports = ReportBatch.build(
        time_s=seconds + 1_767_268_800.0, lat_deg=48.0 - seconds * 76.0 / 111_200.0, lon_deg=np.full(n, 31.0),
        target=np.where(lands, "4ba749", "73806f").tolist(), domain=1, altitude_baro_m=np.full(n, 350.0),
        ground_speed_mps=np.full(n, 76.0), track_deg=np.full(n, 180.0),
    )  # fmt: skip
    watch = Watch(ZoneSet.of(scenario_zones()))
    cycles = [watch.step(reports.take(seconds == s), 1_767_268_800.0 + s) for s in np.arange(0.0, 139.0).tolist()]
    assert {event.alert.type for cycle in cycles for event in cycle.events} == {AlertType.APW}
    assert not len(kc.encounters(reports))

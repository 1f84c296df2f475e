"""The simulated traffic is the same for the same seed, says what it is, and does what its script says."""

from __future__ import annotations

import pytest

from keepclear.alerts.model import EventKind
from keepclear.detection.situation import SituationKind, Verdict
from keepclear.edge.replay import replay
from keepclear.node import Watch, scan
from keepclear.simulation.regions import regions
from keepclear.simulation.scenario import scenario_zones
from keepclear.simulation.traffic import SIMULATED, simulate_traffic
from keepclear.zones.zone_set import ZoneSet


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, two, other = simulate_traffic(3, flights=5), simulate_traffic(3, flights=5), simulate_traffic(4, flights=5)
    assert one.lat_deg.tobytes() == two.lat_deg.tobytes()
    assert one.lat_deg.tobytes() != other.lat_deg.tobytes()


def test_everything_says_that_it_is_simulated() -> None:
    traffic = simulate_traffic(1, flights=20)
    assert set(traffic.source.strings()) == {SIMULATED}
    assert all(name.startswith("SIM") for name in traffic.callsign.names)
    assert all("imulated" in (zone.name + zone.text) for zone in (*scenario_zones(), *regions()))


def test_neighbouring_regions_share_their_borders() -> None:
    rings = {zone.id: set(zone.volumes[0].shape.exterior) for zone in regions()}  # type: ignore[union-attr]
    for a, b in (
        ("UKLV", "UKBV"),
        ("UKBV", "UKDV"),
        ("UKDV", "UKFV"),
        ("UKFV", "UKOV"),
        ("UKLV", "EPWW"),
        ("LUUU", "UKOV"),
    ):
        assert len(rings[a] & rings[b]) >= 3, (a, b)


def test_the_incidents_are_found_in_the_archive() -> None:
    rows = scan(simulate_traffic(1, flights=0), scenario_zones()).rows.to_pylist()
    found = {(r["callsign"], r["zone_id"]): r for r in rows}
    closure = "SIM-A0001/26"
    assert found["SIM101", closure]["verdict"] == "ACTUAL"
    assert sum(r["callsign"] == "SIM102" for r in rows) == 1, "a dip is one violation"
    assert found["SIM103", closure]["verdict"] == "INDETERMINATE"
    assert found["SIM900", closure]["exempt"]
    assert found["SIM301", "SIM-LUUU"]["kind"] == "SPILL_OVER"
    assert found["SIM SHIP ONE", "SIM-SEA-1"]["verdict"] == "ACTUAL"
    assert ("SIM SHIP TWO", "SIM-SEA-1") not in found


def test_the_incidents_are_told_live() -> None:
    watch = Watch(ZoneSet.of(scenario_zones()))
    events = []
    for cycle in replay([simulate_traffic(1, flights=0)], cycle_s=2.0):
        events += watch.step(cycle.reports, cycle.now_s).events
    told = {(e.alert.track.callsign, e.alert.type.value) for e in events if e.kind is EventKind.RAISED}
    assert {("SIM101", "APW"), ("SIM301", "SPILL_OVER"), ("SIM SHIP ONE", "APW")} <= told
    pairs = {frozenset((e.alert.track.callsign, e.alert.other.callsign)) for e in events if e.alert.other is not None}
    assert frozenset(("SIM201", "SIM202")) in pairs
    assert ("SIM900", "APW") not in told, "exempt: in the picture, not an alert"
    assert any(e.kind is EventKind.EXEMPT_INSIDE and e.alert.track.callsign == "SIM900" for e in events)
    first = next(e for e in events if e.alert.track.callsign == "SIM101")
    assert first.alert.verdict is Verdict.PREDICTED
    assert first.alert.time_to_conflict_s == pytest.approx(118.0, abs=4.0)
    assert any(e.alert.end_reason == "TRACK_LOST" and e.alert.track.callsign == "SIM401" for e in events)
    assert SituationKind.APW.name == "APW"

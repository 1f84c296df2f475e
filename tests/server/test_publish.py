"""What the watch hands to the page: whether it is live, and that a recording has ended."""

from __future__ import annotations

from typing import Any, cast

from keepclear.feeds.health import FeedHealth, FeedState
from keepclear.feeds.reports import ReportBatch
from keepclear.node import Watch, WatchSettings
from keepclear.server.hub import Hub
from keepclear.server.publish import Publisher
from keepclear.simulation.scenario import scenario_zones
from keepclear.zones.zone_set import ZoneSet

NOW_S = 1_767_268_800.0


def test_a_recording_is_shown_as_one_and_its_end_as_an_end() -> None:
    publisher = Publisher(Hub(), cast(Any, None), simulated=False, recorded=True)
    watch = Watch(ZoneSet.of(scenario_zones()), WatchSettings(cycle_s=600.0))  # however slow the machine
    report = ReportBatch.build(time_s=[NOW_S], lat_deg=[49.0], lon_deg=[31.0], target=["abc123"], domain=1)
    health = [FeedHealth("recording", FeedState.UP, "", 1.0, 0.0, 1, 0, 0, 0)]
    cycle = watch.step(report, NOW_S, health)
    publisher.publish(cycle, watch, health)
    shown = publisher.hub.health()
    assert shown is not None
    assert (shown["state"], shown["recorded"], shown["feeds"][0]["state"]) == ("OK", True, "UP")
    publisher.end(cycle, watch, health)
    shown = publisher.hub.health()
    assert shown is not None
    assert (shown["state"], shown["now_s"], shown["feeds"][0]["state"]) == ("ENDED", NOW_S, "ENDED")

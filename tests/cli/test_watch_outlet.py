"""When a watch writes a heartbeat line."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from keepclear.cli.watch.outlet import HEARTBEAT_S, Outlet


def test_a_reason_whose_seconds_go_on_counting_is_no_change_of_state() -> None:
    said: list[tuple[str, ...]] = []
    outlet = Outlet(lambda events, watch: None, lambda cycle: said.append(cycle.heartbeat.reasons))
    watch: Any = SimpleNamespace()

    def at(now_s: float, *reasons: str) -> None:
        cycle: Any = SimpleNamespace(
            now_s=now_s, events=[], heartbeat=SimpleNamespace(state="DEGRADED" if reasons else "ok", reasons=reasons)
        )
        outlet.take(cycle, watch, [])

    at(0.0)
    for second in range(1, 10):
        at(float(second), f"feed: no new report for {second + 9} s")
    assert said == [(), ("feed: no new report for 10 s",)]
    at(1.0 + HEARTBEAT_S, "feed: no new report for 20 s")
    at(2.0 + HEARTBEAT_S, "feed: DOWN")
    assert said[2:] == [("feed: no new report for 20 s",), ("feed: DOWN",)]

"""Does a watch's memory stay flat? An hour of recording time through the real watch and the real store.

    python -m benchmarks.watch_hour [--minutes 60] [--aircraft 2000] [--cycle 1]

Aircraft come and go all the time (each is heard for 6 to 15 minutes, then another address, call sign and way takes its
place), so alerts begin and end, tracks go stale and end, names are forgotten. Reports go through the readsb decoder,
the watch with pairs, the JSON lines (thrown away) and an alert store on the disk, one cycle a second, at full speed.
Prints the resident memory every five minutes of recording time, and in the end the growth from the first quarter, by
which every table has reached its size, to the end. ``--trace`` also prints what Python allocated most in between.
"""

from __future__ import annotations

import argparse
import gc
import json
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.watch_cycle import resident_mib
from keepclear.alerts.events import event_line
from keepclear.alerts.model import AlertEvent
from keepclear.alerts.state import AlertState, open_alerts
from keepclear.cli.watch.outlet import Outlet
from keepclear.edge.alert_store import AlertStore
from keepclear.feeds.formats import DecoderOptions, make_decoder
from keepclear.feeds.health import FeedHealth, FeedState
from keepclear.node import Watch
from keepclear.simulation.scenario import scenario_zones
from keepclear.zones.zone_set import ZoneSet

START_S = 1_767_268_800.0
EVERY_MINUTES = 5
HEARD_S = (360.0, 900.0)


class Traffic:
    """``count`` aircraft at a time; whoever ends is followed by somebody new."""

    def __init__(self, count: int) -> None:
        self.rng = np.random.default_rng(1)
        self.count, self.born = count, 0
        self.columns = {name: np.zeros(count) for name in ("lon", "lat", "track", "knots", "level", "begin", "end")}
        self.number = np.zeros(count, dtype=np.int64)
        self._begin(np.arange(count), 0.0)
        self.columns["end"] = self.rng.uniform(0.0, HEARD_S[1], count)

    def _begin(self, rows: np.ndarray, second: float) -> None:
        n, rng, c = len(rows), self.rng, self.columns
        c["lon"][rows], c["lat"][rows] = rng.uniform(15.0, 42.0, n), rng.uniform(43.0, 54.0, n)
        c["track"][rows], c["knots"][rows] = rng.uniform(0.0, 360.0, n), rng.uniform(200.0, 480.0, n)
        c["level"][rows], c["begin"][rows] = rng.integers(20, 410, n) * 100, second
        c["end"][rows] = second + rng.uniform(*HEARD_S, n)
        self.number[rows] = self.born + np.arange(n)
        self.born += n

    def document(self, second: float) -> bytes:
        c = self.columns
        self._begin(np.flatnonzero(c["end"] <= second), second)
        metres = c["knots"] * 0.5144 * (second - c["begin"])
        lat = c["lat"] + metres * np.cos(np.radians(c["track"])) / 111_320.0
        lon = c["lon"] + metres * np.sin(np.radians(c["track"])) / (111_320.0 * np.cos(np.radians(c["lat"])))
        rows = [
            {"hex": f"{number:06x}", "flight": f"S{number:06d}", "lat": y, "lon": x, "alt_baro": level, "gs": gs,
             "track": track, "baro_rate": 0, "nac_p": 8, "nic": 8, "seen_pos": 0.2}
            for number, x, y, level, gs, track in zip(
                self.number.tolist(), lon.round(6).tolist(), lat.round(6).tolist(), c["level"].tolist(),
                c["knots"].round(1).tolist(), c["track"].round(2).tolist(), strict=True,
            )
        ]  # fmt: skip
        return json.dumps({"now": START_S + second, "aircraft": rows}).encode() + b"\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--aircraft", type=int, default=2_000)
    parser.add_argument("--cycle", type=int, default=1)
    parser.add_argument("--trace", action="store_true")
    given = parser.parse_args()
    traffic = Traffic(given.aircraft)
    decoder = make_decoder("readsb", DecoderOptions(source="benchmark"))
    Watch.warm_up()
    watch = Watch(ZoneSet.of(scenario_zones()), alerts=AlertState.empty())
    kinds: dict[str, int] = {}
    written = 0

    def write(events: Sequence[AlertEvent], watch: Watch) -> None:
        nonlocal written
        for event in events:
            kinds[event.kind.value] = kinds.get(event.kind.value, 0) + 1
            written += len(event_line(event, watch.zones))

    health = [FeedHealth("benchmark", FeedState.UP, "", float(given.aircraft), 0.0, 0, 0, 0, 0)]
    memory: list[float] = []
    with tempfile.TemporaryDirectory() as folder, AlertStore.open(Path(folder) / "alerts.sqlite") as store:
        outlet = Outlet(write, lambda cycle: None, store)
        began = time.perf_counter()
        for second in range(0, given.minutes * 60 + 1, given.cycle):
            batch = decoder.decode(traffic.document(second), START_S + second)
            outlet.take(watch.step(batch, START_S + second, health), watch, health)
            minute, rest = divmod(second, 60)
            if rest or minute % EVERY_MINUTES:
                continue
            gc.collect()
            memory.append(resident_mib())
            if given.trace and minute == given.minutes // 4 // EVERY_MINUTES * EVERY_MINUTES:
                tracemalloc.start(8)
                before = tracemalloc.take_snapshot()
            print(f"minute {minute:3}: resident {memory[-1]:6.1f} MiB   {len(watch.tracks):,} tracks, "
                  f"{len(open_alerts(watch.alerts)):,} open alerts, {sum(kinds.values()):,} events so far, store "
                  f"{(Path(folder) / 'alerts.sqlite').stat().st_size / 2**20:.0f} MiB", flush=True)  # fmt: skip
        took = time.perf_counter() - began
        if given.trace:
            for line in tracemalloc.take_snapshot().compare_to(before, "lineno")[:12]:
                print(line)
    quarter = memory[len(memory) // 4]
    print(f"{given.minutes} minutes in {took:.0f} s; {traffic.born:,} aircraft came; events {kinds}")
    print(f"resident memory {quarter:.1f} MiB after a quarter, {memory[-1]:.1f} MiB at the end: "
          f"{memory[-1] - quarter:+.1f} MiB ({100.0 * (memory[-1] / quarter - 1.0):+.1f} %)")  # fmt: skip


if __name__ == "__main__":
    main()

"""How long a live cycle takes: 10,000 aircraft once a second as aircraft.json, from the bytes to the alerts.

The closure of the simulated scenario covers about two fifths of them, and all of them are held against each other.
Prints the time of decoding and of the whole cycle (median, 99th percentile, largest), and the resident memory at the
beginning and at the end. Run: ``python -m benchmarks.watch_cycle [--aircraft N] [--cycles N]``.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from keepclear.feeds.formats import DecoderOptions, make_decoder
from keepclear.feeds.health import FeedHealth, FeedState
from keepclear.node import Watch
from keepclear.simulation.scenario import scenario_zones
from keepclear.zones.zone_set import ZoneSet

START_S = 1_767_268_800.0
WARM_UP_CYCLES = 5
"""Left out: the first cycles compile, and raise the alerts of everybody who is inside already."""


def documents(aircraft: int, cycles: int) -> list[bytes]:
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(15.0, 42.0, aircraft), rng.uniform(43.0, 54.0, aircraft)
    track, knots = rng.uniform(0.0, 360.0, aircraft), rng.uniform(200.0, 480.0, aircraft)
    level = rng.integers(20, 410, aircraft) * 100
    east = knots * 0.5144 * np.sin(np.radians(track)) / (111_320.0 * np.cos(np.radians(lat)))
    north = knots * 0.5144 * np.cos(np.radians(track)) / 111_320.0
    made = []
    for second in range(cycles):
        rows = [
            {
                "hex": f"{k:06x}", "flight": f"SIM{k:05d}", "lat": round(float(lat[k] + north[k] * second), 6),
                "lon": round(float(lon[k] + east[k] * second), 6), "alt_baro": int(level[k]),
                "gs": round(float(knots[k]), 1), "track": round(float(track[k]), 2),
                "baro_rate": 0, "nac_p": 8, "nic": 8, "seen_pos": 0.2,
            }
            for k in range(aircraft)
        ]  # fmt: skip
        made.append(json.dumps({"now": START_S + second, "aircraft": rows}).encode() + b"\n")
    return made


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--aircraft", type=int, default=10_000)
    parser.add_argument("--cycles", type=int, default=65)
    arguments = parser.parse_args()
    feed = documents(arguments.aircraft, arguments.cycles)
    decoder = make_decoder("readsb", DecoderOptions(source="benchmark"))
    watch = Watch(ZoneSet.of(scenario_zones()))
    health = [FeedHealth("benchmark", FeedState.UP, "", float(arguments.aircraft), 0.0, 0, 0, 0, 0)]
    decoding, whole, events, situations = [], [], 0, 0
    memory = 0.0
    for second, document in enumerate(feed):
        now_s = START_S + second
        began = time.perf_counter()
        batch = decoder.decode(document, now_s)
        decoded = time.perf_counter()
        cycle = watch.step(batch, now_s, health)
        ended = time.perf_counter()
        assert len(cycle.picture) == arguments.aircraft
        if second == WARM_UP_CYCLES:
            memory = resident_mib()
        if second >= WARM_UP_CYCLES:
            decoding.append(decoded - began)
            whole.append(ended - began)
            events += len(cycle.events)
            situations = len(cycle.situations)
    print(
        f"{arguments.aircraft:,} aircraft, {len(whole)} cycles, {situations:,} situations at the end, {events:,} events"
    )
    for name, seconds in (("decoding", decoding), ("decoding and cycle", whole)):
        ms = np.array(seconds) * 1000.0
        print(
            f"{name:20} median {np.median(ms):6.1f} ms  p99 {np.percentile(ms, 99):6.1f} ms  largest {ms.max():6.1f} ms"
        )
    print(f"resident memory {memory:.0f} MiB after the warm-up, {resident_mib():.0f} MiB at the end")


if __name__ == "__main__":
    main()

"""Encounters in a recording of 10,000 tracks × 60 steps, beside a k-d tree at every step.

The peer looks from each step to the next (10 s, straight); ours is one call over the whole recording.
``python -m benchmarks.pairs_steps [--scale 0.1]``
"""

from __future__ import annotations

import argparse
from functools import partial

import numpy as np

from benchmarks.pair_peers import kd_tree
from benchmarks.pair_scenes import Aircraft, best, dense, table
from keepclear.detection.recorded import encounters_recorded
from keepclear.feeds.reports import ReportBatch
from keepclear.tracks.table import TrackTable

STEPS, STEP_S = 60, 10.0


def flown(n: int) -> tuple[list[Aircraft], TrackTable]:
    """The aircraft at every step, turning a little, and the same as a table of tracks."""
    start = dense(n)
    rng = np.random.default_rng(9)
    turn = rng.normal(0, 0.01, n)
    lat, lon, alt = start.lat_deg.copy(), start.lon_deg.copy(), start.altitude_m.copy()
    east, north = start.east_mps, start.north_mps
    up = np.where(rng.random(n) < 0.5, 0.0, start.up_mps)
    states = []
    for _ in range(STEPS):
        states.append(Aircraft(lat.copy(), lon.copy(), alt.copy(), east.copy(), north.copy(), up))
        lat = lat + north * STEP_S / 111_200.0
        lon = lon + east * STEP_S / (111_320.0 * np.cos(np.radians(lat)))
        alt = alt + up * STEP_S
        east, north = east * np.cos(turn) + north * np.sin(turn), north * np.cos(turn) - east * np.sin(turn)
    reports = ReportBatch.build(
        time_s=np.tile(1.8e9 + np.arange(STEPS) * STEP_S, n),
        lat_deg=np.stack([s.lat_deg for s in states], axis=1).ravel(),
        lon_deg=np.stack([s.lon_deg for s in states], axis=1).ravel(),
        altitude_baro_m=np.stack([s.altitude_m for s in states], axis=1).ravel(),
        target=[None] * (n * STEPS),
    )
    ids = tuple(str(k) for k in range(n))
    return states, TrackTable(reports, np.arange(n + 1) * STEPS, ids, np.zeros(n * STEPS, np.uint8), 60.0)


def peer(states: list[Aircraft], thresholds: tuple[float, float, float]) -> np.ndarray:
    return np.unique(np.concatenate([kd_tree(s, *thresholds) for s in states[:-1]]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0)
    n = int(10_000 * parser.parse_args().scale)
    encounters_recorded(flown(200)[1])
    states, recorded = flown(n)
    wall, cores, found = best(partial(encounters_recorded, recorded), 4)
    peer_wall, peer_cores, other = best(partial(peer, states, (9260.0, 304.8, STEP_S)), 2)
    mine = np.unique(found.track_a * n + found.track_b)
    table(
        "Q2: a recording, loss of separation on segments",
        ["tracks × steps", "ms", "cKDTree a step, ms", "ratio (wall)", "ratio (core s)", "pairs", "only peer/only us"],
        [[
            f"{n:,} × {STEPS}", f"{wall * 1e3:,.0f}", f"{peer_wall * 1e3:,.0f}", f"{peer_wall / wall:.1f}",
            f"{peer_cores / cores:.1f}", f"{len(mine):,}",
            f"{len(np.setdiff1d(other, mine))}/{len(np.setdiff1d(mine, other))}",
        ]],
    )  # fmt: skip


if __name__ == "__main__":
    main()

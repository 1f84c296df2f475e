"""Encounters among 10,000 aircraft beside BlueSky's compiled state-based detector.

``python -m benchmarks.pairs_bluesky [--scale 0.1]`` (at full size the peer takes seconds to minutes and memory)
"""

from __future__ import annotations

import argparse
from functools import partial
from types import SimpleNamespace

import numpy as np

from benchmarks.pair_scenes import best, dense, table
from keepclear.detection.kernels.pairs import find_pairs

SEPARATION = (9260.0, 304.8, 120.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    n = int(10_000 * parser.parse_args().scale)
    from bluesky.traffic.asas import cstatebased

    scene = dense(n)
    traffic = SimpleNamespace(
        ntraf=n, id=[str(k) for k in range(n)], lat=scene.lat_deg, lon=scene.lon_deg, alt=scene.altitude_m,
        gs=np.hypot(scene.east_mps, scene.north_mps), vs=scene.up_mps,
        trk=np.degrees(np.arctan2(scene.east_mps, scene.north_mps)) % 360.0,
    )  # fmt: skip
    find_pairs(*dense(1000), *SEPARATION)
    wall, cores, found = best(partial(find_pairs, *scene, *SEPARATION), 9)
    rpz, hpz, look = (np.full(n, value) for value in SEPARATION)
    detect = partial(cstatebased.detect, traffic, traffic, rpz, hpz, look)
    peer_wall, peer_cores, answer = best(detect, 1)
    other = {(min(int(a), int(b)), max(int(a), int(b))) for a, b in answer[0]}
    mine = set(zip(found.i.tolist(), found.j.tolist()))
    table(
        "Q2 beside BlueSky's compiled detector (spherical there, the ellipsoid here)",
        ["aircraft", "ms", "BlueSky, ms", "ratio (wall)", "ratio (core s)", "pairs", "only peer/only us"],
        [[
            f"{n:,}", f"{wall * 1e3:.2f}", f"{peer_wall * 1e3:,.0f}", f"{peer_wall / wall:,.0f}",
            f"{peer_cores / cores:,.0f}", f"{len(mine):,}", f"{len(other - mine)}/{len(mine - other)}",
        ]],
    )  # fmt: skip


if __name__ == "__main__":
    main()

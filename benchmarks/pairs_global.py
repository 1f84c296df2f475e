"""Encounters among 10³ to 10⁵ aircraft, over the globe and over Europe, beside a k-d tree.

``python -m benchmarks.pairs_global [--scale 0.1]``
"""

from __future__ import annotations

import argparse
from functools import partial

import numpy as np

from benchmarks.pair_peers import kd_tree
from benchmarks.pair_scenes import best, dense, globe, table
from keepclear.detection.kernels.pairs import find_pairs

SEPARATION = (9260.0, 304.8, 120.0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0)
    scale = parser.parse_args().scale
    find_pairs(*dense(1000), *SEPARATION)
    find_pairs(*dense(100), *SEPARATION)
    rows = []
    for n in (50, 200, 1_000, 10_000, int(100_000 * scale)):
        for name, scene in (("globe", globe(n)), ("Europe", dense(n))):
            repeats = 200 if n <= 1000 else 7
            wall, cores, found = best(partial(find_pairs, *scene, *SEPARATION), repeats)
            peer_wall, peer_cores, other = best(partial(kd_tree, scene, *SEPARATION), min(repeats, 30))
            mine = found.i * n + found.j
            rows.append([
                f"{n:,} {name}", f"{wall * 1e3:.3f}", f"{peer_wall * 1e3:.3f}", f"{peer_wall / wall:.1f}",
                f"{peer_cores / cores:.1f}", f"{len(mine):,}",
                f"{len(np.setdiff1d(other, mine))}/{len(np.setdiff1d(mine, other))}",
            ])  # fmt: skip
    head = ["aircraft", "ms", "cKDTree + numpy, ms", "ratio (wall)", "ratio (core s)", "pairs", "only peer/only us"]
    table("Q2: encounters within 120 s at 5 NM and 1,000 ft", head, rows)


if __name__ == "__main__":
    main()

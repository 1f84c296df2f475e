"""Small thresholds must not cost more than large ones, and one fast outlier must not slow the rest.

``python -m benchmarks.pairs_small_thresholds [--scale 0.1]``
"""

from __future__ import annotations

import argparse
from functools import partial

from benchmarks.pair_peers import kd_tree
from benchmarks.pair_scenes import best, dense, globe, table
from keepclear.detection.kernels.pairs import find_pairs

CASES = (
    ("5 NM, 1,000 ft, 120 s", (9260.0, 304.8, 120.0)),
    ("4,000 ft, 450 ft, 35 s", (1219.2, 137.16, 35.0)),
    ("500 ft, 100 ft, 30 s", (152.4, 30.48, 30.0)),
    ("50 m, 10 m, now", (50.0, 10.0, 0.0)),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0)
    n = int(100_000 * parser.parse_args().scale)
    find_pairs(*dense(1000), *CASES[0][1])
    rows = []
    for name, scene in (("globe", globe(n)), ("Europe", dense(n)), ("Europe, one at 3,000 m/s", dense(n))):
        if "one" in name:
            scene.east_mps[0], scene.north_mps[0] = 3000.0, 0.0
        for label, thresholds in CASES:
            wall, _, found = best(partial(find_pairs, *scene, *thresholds), 5)
            peer = "–"
            if "one" not in name:
                peer_wall, _, other = best(partial(kd_tree, scene, *thresholds), 2)
                peer = f"{peer_wall / wall:.1f}"
                assert abs(len(other) - len(found.i)) <= 3, (len(other), len(found.i))
            rows.append([f"{n:,} {name}", label, f"{wall * 1e3:.1f}", peer, f"{len(found.i):,}"])
    table("Thresholds against time", ["aircraft", "thresholds", "ms", "× cKDTree", "pairs"], rows)


if __name__ == "__main__":
    main()

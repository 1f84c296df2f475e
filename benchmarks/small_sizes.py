"""Few aircraft and few volumes, where calls cost more than work: beside the best peer at each size.

``python -m benchmarks.small_sizes``. Peers for aircraft: scipy's k-d tree with closest approach in numpy, and the same
closest approach on all pairs in numpy; for volumes: shapely's STRtree over prebuilt polygons, and shapely on all pairs.
"""

from __future__ import annotations

import argparse
from functools import partial

import numpy as np
import shapely

from benchmarks.pair_peers import every_pair, kd_tree
from benchmarks.pair_scenes import best, dense, table, volumes
from benchmarks.volumes_bulk import arrays, peer, peer_every, polygons
from keepclear.detection.conflict import conflicts
from keepclear.detection.kernels.pairs import find_pairs

SEPARATION = (9260.0, 304.8, 120.0)
SIZES = (2, 10, 30, 100, 300, 1_000, 3_000)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    conflicts(arrays(volumes(2000)))
    find_pairs(*dense(1000), *SEPARATION)
    rows = []
    for n in SIZES:
        scene = dense(n)
        times = 300 if n <= 300 else 60
        wall, _, found = best(partial(find_pairs, *scene, *SEPARATION), times)
        peers = {"cKDTree": best(partial(kd_tree, scene, *SEPARATION), times)}
        if n <= 1_000:
            peers["all pairs in numpy"] = best(partial(every_pair, scene, *SEPARATION), times)
        assert all(np.array_equal(p[2], found.i * n + found.j) for p in peers.values())
        rows.append(row(f"{n:,} aircraft", wall, peers, len(found.i)))
    for n in SIZES:
        declared = volumes(n)
        times = 300 if n <= 300 else 60
        ours, shapes = arrays(declared), polygons(declared)
        shapely.prepare(shapes)
        wall, _, met = best(partial(conflicts, ours), times)
        peers = {"STRtree": best(partial(peer, declared, shapes), times)}
        if n <= 1_000:
            peers["all pairs in shapely"] = best(partial(peer_every, declared, shapes), times)
        rows.append(row(f"{n:,} volumes", wall, peers, len(met.i)))
    table("Small sizes beside the best peer", ["what", "µs", "best peer, µs", "which", "ratio", "found"], rows)


def row(name: str, wall_s: float, peers: dict[str, tuple[float, float, np.ndarray]], found: int) -> list[str]:
    which = min(peers, key=lambda p: peers[p][0])
    peer_s = peers[which][0]
    return [name, f"{wall_s * 1e6:,.0f}", f"{peer_s * 1e6:,.0f}", which, f"{peer_s / wall_s:.1f}", f"{found:,}"]


if __name__ == "__main__":
    main()

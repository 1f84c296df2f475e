"""All conflicts among declared 4-D volumes, beside a shapely STRtree over prebuilt polygons.

``python -m benchmarks.volumes_bulk [--scale 0.1]``
"""

from __future__ import annotations

import argparse
from functools import partial

import numpy as np
import shapely

from benchmarks.pair_scenes import Volumes, best, table, volumes
from keepclear.detection.conflict import VolumeArrays, conflicts
from keepclear.quantities import Datum

CORNERS = 64
"""of the polygon that stands for a circle at the peer"""


def arrays(scene: Volumes) -> VolumeArrays:
    return VolumeArrays.of_columns(
        circle=scene.circle, vertex_start=scene.vertex_start, vertex_lon_deg=scene.lon, vertex_lat_deg=scene.lat,
        lower_m=scene.lower_m, upper_m=scene.upper_m, datum=Datum.AMSL, from_s=scene.from_s, to_s=scene.to_s,
    )  # fmt: skip


def polygons(scene: Volumes) -> np.ndarray:
    """One shapely polygon a volume, in degrees; circles as 64-gons."""
    n = len(scene.circle)
    angle = np.arange(CORNERS) * 2 * np.pi / CORNERS
    count = np.diff(scene.vertex_start)
    rings = np.empty(n, object)
    round_ = np.flatnonzero(count == 0)
    c = scene.circle[round_]
    lat = c[:, 1, None] + c[:, 2, None] * np.cos(angle) / 111_206.0
    lon = c[:, 0, None] + c[:, 2, None] * np.sin(angle) / (111_320.0 * np.cos(np.radians(c[:, 1, None])))
    rings[round_] = shapely.linearrings(np.stack([lon, lat], axis=2))
    for corners in np.unique(count[count > 0]):
        rows = np.flatnonzero(count == corners)
        at = scene.vertex_start[rows][:, None] + np.arange(corners)
        rings[rows] = shapely.linearrings(np.stack([scene.lon[at], scene.lat[at]], axis=2))
    return shapely.polygons(rings)


def peer(scene: Volumes, shapes: np.ndarray) -> np.ndarray:
    tree = shapely.STRtree(shapes)
    i, j = tree.query(shapes)
    ahead = i < j
    return _meeting(scene, shapes, i[ahead], j[ahead])


def peer_every(scene: Volumes, shapes: np.ndarray) -> np.ndarray:
    """The same on all pairs: what is quickest to write for few."""
    return _meeting(scene, shapes, *np.triu_indices(len(shapes), 1))


def _meeting(scene: Volumes, shapes: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    together = (
        (scene.from_s[i] < scene.to_s[j]) & (scene.from_s[j] < scene.to_s[i])
        & (scene.lower_m[i] < scene.upper_m[j]) & (scene.lower_m[j] < scene.upper_m[i])
    )  # fmt: skip
    i, j = i[together], j[together]
    meets = shapely.intersects(shapes[i], shapes[j])
    return np.sort(i[meets] * len(shapes) + j[meets])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0)
    scale = parser.parse_args().scale
    conflicts(arrays(volumes(2000)))
    rows = []
    for n in (1_000, int(100_000 * scale), int(1_000_000 * scale)):
        scene = volumes(n)
        build_wall, _, ours = best(partial(arrays, scene), 1)
        wall, cores, found = best(partial(conflicts, ours), 3)
        shapes = polygons(scene)
        peer_wall, peer_cores, other = best(partial(peer, scene, shapes), 1 if n > 200_000 else 3)
        mine = found.i * n + found.j
        rows.append([
            f"{n:,}", f"{wall * 1e3:,.1f}", f"{build_wall * 1e3:,.1f}", f"{peer_wall * 1e3:,.1f}",
            f"{peer_wall / wall:.1f}", f"{peer_cores / cores:.1f}", f"{len(mine):,}",
            f"{len(np.setdiff1d(other, mine))}/{len(np.setdiff1d(mine, other))}",
        ])  # fmt: skip
    table(
        "Q3: conflicts among volumes; the peer tests boxes, then time and altitude, then polygons",
        [
            "volumes",
            "ms",
            "our arrays, ms",
            "STRtree, ms",
            "ratio (wall)",
            "ratio (core s)",
            "pairs",
            "only peer/only us",
        ],
        rows,
    )


if __name__ == "__main__":
    main()

"""Insert one declared volume among many resident ones and learn what it meets.

``python -m benchmarks.volumes_insert [--scale 0.1]``
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.pair_scenes import table, volumes
from benchmarks.volumes_bulk import arrays
from keepclear.detection.conflict import DeclaredVolume, ResidentVolumes, VolumeArrays, conflicts
from keepclear.quantities import Datum, LengthUnit, Level
from keepclear.space.geometry import Circle, Polygon

NEW = 2_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0)
    scale = parser.parse_args().scale
    rows = []
    for n in (1_000, int(100_000 * scale), int(1_000_000 * scale)):
        scene = volumes(n + NEW)
        ready = arrays(scene)
        last = int(scene.vertex_start[n])
        resident = ResidentVolumes.of_arrays(
            [str(k) for k in range(n)], VolumeArrays(ready.body[:n], ready.meta[:n], ready.edges[:last])
        )
        new = []
        for k in range(n, n + NEW):
            a, b = scene.vertex_start[k], scene.vertex_start[k + 1]
            ring = tuple(zip(scene.lon[a:b].tolist(), scene.lat[a:b].tolist()))
            shape = Circle(*scene.circle[k].tolist()) if a == b else Polygon(ring)
            low, high = (Level(float(m[k]), LengthUnit.METRE, Datum.AMSL) for m in (scene.lower_m, scene.upper_m))
            new.append(DeclaredVolume(str(k), shape, low, high, float(scene.from_s[k]), float(scene.to_s[k])))
        for volume in new[:100]:
            resident.insert_and_check(volume)
        took, met = [], 0
        for volume in new[100:]:
            begin = time.perf_counter_ns()
            meetings = resident.insert_and_check(volume)
            took.append(time.perf_counter_ns() - begin)
            met += len(meetings)
        truth = conflicts(ready)
        expected = int((truth.j >= n + 100).sum())
        us = np.array(took) / 1000.0
        rows.append([
            f"{n:,}", f"{np.median(us):.1f}", f"{us.mean():.1f}", f"{np.percentile(us, 99):.1f}", f"{us.max():.0f}",
            f"{met:,}", f"{expected:,}",
        ])  # fmt: skip
    head = ["resident", "median µs", "mean µs", "p99 µs", "max µs", "met", "met by the bulk check"]
    table("Q3: insert and check one volume", head, rows)


if __name__ == "__main__":
    main()

"""Q1 streaming: few positions a call × 10,000 resident zones: ``python -m benchmarks.zones_streaming``.

Shapely's STRtree over prepared zones and keepclear's index are built once; a call brings 1 to 1,000 positions. The
answers must be the same but for positions at the rims of circles, which Shapely has as 256-gons.
"""

from __future__ import annotations

import numpy as np
import shapely

from benchmarks import scenes
from benchmarks.zones_positions import agree, strtree

SIZES = (1, 10, 100, 1_000, 10_000)


def main() -> None:
    scale = scenes.scale()
    m = int(10_000 * scale)
    scene = scenes.zones(m)
    index = scene.index()
    geometries = scenes.planar(scene)
    shapely.prepare(geometries)
    tree = shapely.STRtree(geometries)
    everything = scenes.positions(100_000)
    print(f"{'positions a call':>18}{'keepclear µs':>14}{'STRtree µs':>12}{'ratio cpu':>11}{'ratio wall':>11}")
    for size in SIZES:
        calls = max(1, min(2_000, 100_000 // size))
        batches = [scenes.Positions(*(c[k * size : (k + 1) * size] for c in everything)) for k in range(calls)]
        few = batches[: max(1, calls // 10)]

        def ours(batches=batches):
            return [index.positions(*p) for p in batches]

        ours()
        mine = scenes.measure(ours, 5)
        theirs = scenes.measure(lambda few=few: [strtree(p, scene, tree) for p in few], 3)
        a, b = mine.wall_s / len(batches), theirs.wall_s / len(few)
        ratio = (theirs.cpu_s / len(few)) / (mine.cpu_s / len(batches))
        print(f"{size:18,}{a * 1e6:14.1f}{b * 1e6:12.1f}{ratio:11.1f}{b / a:11.1f}")
        for k, p in enumerate(few[:20]):
            report, row = mine.answer[k]
            agree("", np.sort(report * m + row), np.sort(theirs.answer[k]), p, scene, 50.0, quiet=True)
    print("answers: the same, but for rims of circles")


if __name__ == "__main__":
    main()

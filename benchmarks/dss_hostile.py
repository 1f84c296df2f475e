"""What hostile polygons cost the DSS, in processor time: ``python -m benchmarks.dss_hostile``.

10,000 vertices is all that a request may have. Bodies of this size are read beside the event loop.
"""

from __future__ import annotations

import argparse
import math
import random
import time

from keepclear.dss.cells import ShapeTooLarge, ShapeUnusable, cover_polygon
from keepclear.space.geometry import LonLat

VERTICES = 10_000


def shapes() -> dict[str, tuple[LonLat, ...]]:
    n, chance = VERTICES, random.Random(1)
    turns = [2.0 * math.pi * k / n for k in range(n)]
    star = [0.2 * (1.0 if k % 2 else 0.3) for k in range(n)]
    comb = [(7.0 + 0.3 * k / n, 46.3 if k // 2 % 2 else 46.0) for k in range(n - 2)]
    return {
        "star": tuple((7.0 + r * math.cos(t), 46.0 + r * math.sin(t)) for r, t in zip(star, turns)),
        "round": tuple((7.0 + 0.2 * math.cos(t), 46.0 + 0.2 * math.sin(t)) for t in turns),
        "edges that cross": tuple((7.0 + 0.3 * chance.random(), 46.0 + 0.3 * chance.random()) for _ in turns),
        "comb": (*comb, (7.3, 45.9), (7.0, 45.9)),
        "smaller than a metre": tuple((7.0 + 3e-6 * math.cos(t), 46.0 + 3e-6 * math.sin(t)) for t in turns),
        "needle of 1,200 km": ((-8.0, 46.0), (8.0, 46.0), (8.0, 46.0001)),
        "needle round the Earth": ((-170.0, 0.0), (0.0, 0.0001), (170.0, 0.0)),
        "round a pole": tuple((-180.0 + 360.0 * k / n, 89.9) for k in range(n)),
        "to and fro round a pole": tuple((-180.0 + 360.0 * k / n, 89.9 if k % 2 else 89.99) for k in range(n)),
        "over half of the Earth": ((-170.0, -80.0), (0.0, 80.0), (170.0, -80.0)),
    }


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    cover_polygon(((0.0, 0.0), (0.01, 0.0), (0.01, 0.01)))
    for name, ring in shapes().items():
        began_s = time.process_time()
        try:
            said = f"{len(cover_polygon(ring)):,} cells"
        except (ShapeTooLarge, ShapeUnusable) as refused:
            said = f"refused: {refused}"
        print(f"{name:24} {len(ring):6,} vertices {1e3 * (time.process_time() - began_s):7.1f} ms  {said}")


if __name__ == "__main__":
    main()

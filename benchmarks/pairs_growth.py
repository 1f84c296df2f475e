"""Encounters from 10³ to 10⁷ aircraft at constant density: does time grow no worse than N log N?

``python -m benchmarks.pairs_growth [--scale 0.1] [--picture]``. The density is the one at which ten million just fill
the Earth, one aircraft in 51 km²: half as much again as 100,000 over Europe.
"""

from __future__ import annotations

import math

import numpy as np

from benchmarks.growth import arguments, measure, report
from benchmarks.pair_scenes import Aircraft
from keepclear.detection.kernels.pairs import find_pairs

SEPARATION = (9260.0, 304.8, 120.0)
EARTH_KM2 = 5.1e8
A_KM2 = 10_000_000 / EARTH_KM2
ROW_BYTES = 600


def cap(n: int) -> Aircraft:
    """n aircraft evenly over a cap round (50° N, 10° E) that has the area for the density."""
    rng = np.random.default_rng(n)
    z = 1.0 - rng.uniform(0.0, min(2.0, 2.0 * n / A_KM2 / EARTH_KM2), n)
    angle = rng.uniform(0.0, 2.0 * math.pi, n)
    s = np.sqrt(1.0 - z * z)
    x, y = s * np.cos(angle), s * np.sin(angle)
    tilt = math.radians(40.0)
    x, z = x * math.cos(tilt) + z * math.sin(tilt), z * math.cos(tilt) - x * math.sin(tilt)
    lon = np.degrees(np.arctan2(y, x)) + 10.0
    speed, track = rng.uniform(60, 260, n), rng.uniform(0, 2 * np.pi, n)
    climb = np.where(rng.random(n) < 0.3, rng.uniform(-12, 12, n), 0.0)
    return Aircraft(
        np.degrees(np.arcsin(np.clip(z, -1, 1))), (lon + 180.0) % 360.0 - 180.0, rng.uniform(300, 12_500, n),
        speed * np.sin(track), speed * np.cos(track), climb,
    )  # fmt: skip


def main() -> None:
    given = arguments()
    find_pairs(*cap(1000), *SEPARATION)
    points = measure(cap, lambda s: len(find_pairs(*s, *SEPARATION).i), ROW_BYTES, given)
    picture = "pairs_growth.png" if given.picture else None
    report("Encounters within 120 s, one aircraft in 51 km² (5 NM, 1,000 ft)", {"encounters": points}, picture)


if __name__ == "__main__":
    main()

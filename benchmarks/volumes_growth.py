"""Conflicts among 10³ to 10⁷ declared volumes at constant density: does time grow no worse than N log N?

``python -m benchmarks.volumes_growth [--scale 0.1] [--picture]``: preparing the volumes and finding all pairs.
"""

from __future__ import annotations

from benchmarks.growth import arguments, measure, report
from benchmarks.pair_scenes import Volumes, volumes
from benchmarks.volumes_bulk import arrays
from keepclear.detection.conflict import VolumeArrays, conflicts

ROW_BYTES = 1_800


def find(scene: VolumeArrays) -> int:
    return len(conflicts(scene).i)


def make(n: int) -> VolumeArrays:
    return arrays(volumes(n))


def prepare(scene: Volumes) -> int:
    return len(arrays(scene))


def main() -> None:
    given = arguments()
    conflicts(make(2000))
    series = {"conflicts": measure(make, find, ROW_BYTES, given), "arrays": measure(volumes, prepare, ROW_BYTES, given)}
    report(
        "Conflicts among declared volumes, one a km² and day", series, "volumes_growth.png" if given.picture else None
    )


if __name__ == "__main__":
    main()

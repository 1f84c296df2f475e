"""What the growth benchmarks share: sizes that double until a limit of time or memory, a table, and a log-log plot."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil

from benchmarks.pair_scenes import best, table

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
SIZES = tuple(int(10 ** (k / 2)) for k in range(6, 15))
"""10³, 10³·⁵ … 10⁷"""


class Point(NamedTuple):
    size: int
    wall_s: float
    core_s: float
    found: int


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0, help="largest size, in parts of 10 million")
    parser.add_argument(
        "--from", type=float, default=1e3, dest="smallest", help="smallest size: 1e7 for the largest alone"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="stop when the next size would take longer in all")
    parser.add_argument("--picture", action="store_true", help="write the plot into docs/pictures")
    return parser.parse_args()


def measure(
    make: Callable[[int], Any], work: Callable[[Any], Any], row_bytes: int, given: argparse.Namespace
) -> list[Point]:
    """Best of a few runs at each size, until the next would need more time or memory than there is; says where."""
    points: list[Point] = []
    began, last_s = time.perf_counter(), 0.0
    for size in SIZES:
        if size < 0.99 * given.smallest:
            continue
        if size > 1.01e7 * given.scale:
            break
        if size * row_bytes > 0.6 * psutil.virtual_memory().available:
            print(f"stops before {size:,}: it needs about {size * row_bytes / 1e9:.1f} GB of memory")
            break
        step = time.perf_counter()
        if points and (step - began) + 4.0 * last_s > given.seconds:
            print(f"stops before {size:,}: it would take more than {given.seconds:g} s in all")
            break
        scene = make(size)
        work(scene)
        wall, cores, found = best(partial(work, scene), 5 if size <= 100_000 else 2)
        points.append(Point(size, wall, cores, found))
        last_s = time.perf_counter() - step
    return points


def report(title: str, series: dict[str, list[Point]], picture: str | None) -> None:
    rows = []
    for name, points in series.items():
        for before, point in zip([None, *points], points):
            exponent = "–"
            if before is not None:
                exponent = f"{np.log(point.wall_s / before.wall_s) / np.log(point.size / before.size):.2f}"
            rows.append([
                name, f"{point.size:,}", f"{point.wall_s * 1e3:,.2f}", f"{point.core_s * 1e3:,.2f}",
                f"{point.wall_s / point.size * 1e9:,.0f}", exponent, f"{point.found:,}",
            ])  # fmt: skip
    table(title, ["what", "size", "ms", "core ms", "ns each", "exponent", "found"], rows)
    for name, points in series.items():
        large = [p for p in points if p.size >= 10_000]
        if len(large) > 1:
            slope = np.polyfit(np.log([p.size for p in large]), np.log([p.wall_s for p in large]), 1)[0]
            print(f"{name}: time grows as size to the power of {slope:.2f} from 10,000 up")
    if picture:
        draw(title, series, PICTURES / picture)


def draw(title: str, series: dict[str, Sequence[Point]], path: Path) -> None:
    """Time against size on logarithmic axes, with N log N through the first point of each."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7.2, 4.6), dpi=120, layout="constrained")
    for colour, (name, points) in zip(("#0b5cad", "#c4571a", "#3b7d3b"), series.items()):
        size = np.array([p.size for p in points], float)
        axes.loglog(size, [p.wall_s for p in points], "o-", color=colour, label=name)
        guide = size * np.log(size)
        axes.loglog(
            size,
            guide * points[0].wall_s / guide[0],
            ":",
            color=colour,
            alpha=0.6,
            label=f"N log N from {size[0]:,.0f}",
        )
    axes.set_xlabel("N")
    axes.set_ylabel("seconds (wall, two cores)")
    axes.set_title(title, fontsize=11, loc="left")
    axes.grid(True, which="major", alpha=0.3)
    axes.legend(frameon=False, fontsize=9)
    figure.savefig(path)
    print(f"wrote {path.relative_to(PICTURES.parents[1])}")

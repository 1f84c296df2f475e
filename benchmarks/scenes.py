"""Seeded scenes for the zone benchmarks, their peers' geometry, and the few lines of measuring they share."""

from __future__ import annotations

import argparse
import gc
import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.space.geometry import Circle, EdgeType, Polygon, Shape
from keepclear.space.index import OutlineIndex
from keepclear.space.outlines import build_outlines

Floats = npt.NDArray[np.float64]
WEST, SOUTH, EAST, NORTH = -12.0, 35.0, 40.0, 65.0
"""Europe"""


class Zones(NamedTuple):
    shapes: list[Shape]
    limits: Floats
    """[n, 4] lower, upper (m), from, to (s)"""

    def index(self) -> OutlineIndex:
        return OutlineIndex(build_outlines(self.shapes), self.limits)


class Positions(NamedTuple):
    lon: Floats
    lat: Floats
    altitude: Floats
    time: Floats


class Motions(NamedTuple):
    east: Floats
    north: Floats
    up: Floats


def zones(n: int, seed: int = 1) -> Zones:
    """A third circles of 1 to 30 km, the rest polygons of 4 to 200 vertices and 2 to 60 km, straight in lon/lat."""
    rng = np.random.default_rng(seed)
    shapes: list[Shape] = []
    for _ in range(n):
        lon, lat = float(rng.uniform(WEST, EAST)), float(rng.uniform(SOUTH, NORTH))
        if rng.uniform() < 1.0 / 3.0:
            shapes.append(Circle(lon, lat, float(10.0 ** rng.uniform(3.0, 4.5))))
            continue
        k = int(rng.integers(4, 201))
        angle = 2.0 * math.pi * (np.arange(k) + rng.uniform(0.05, 0.95, k)) / k
        radius = 10.0 ** rng.uniform(-1.7, -0.5) * rng.uniform(0.6, 1.0, k)
        x, y = lon + radius * np.cos(angle) / math.cos(math.radians(lat)), lat + radius * np.sin(angle)
        ring = tuple((float(a), float(b)) for a, b in zip(x, y, strict=True))
        shapes.append(Polygon(ring, edge_type=EdgeType.STRAIGHT))
    low = rng.choice([-np.inf, 0.0, 1000.0, 3000.0], n)
    high = rng.choice([3500.0, 6000.0, 20_000.0, np.inf], n)
    start = rng.choice([-np.inf, 0.0, 1800.0], n)
    end = np.where(np.isinf(start), 0.0, start) + rng.choice([1800.0, 3600.0, np.inf], n)
    return Zones(shapes, np.column_stack([low, high, start, end]))


def positions(n: int, seed: int = 2) -> Positions:
    """Over the same area, in no order: the worst for every cache."""
    rng = np.random.default_rng(seed)
    return Positions(
        rng.uniform(WEST, EAST, n),
        rng.uniform(SOUTH, NORTH, n),
        rng.uniform(0.0, 12_000.0, n),
        rng.uniform(0.0, 3600.0, n),
    )


def motions(n: int, seed: int = 3) -> Motions:
    rng = np.random.default_rng(seed)
    course, speed = rng.uniform(0.0, 2.0 * math.pi, n), rng.uniform(60.0, 260.0, n)
    return Motions(speed * np.sin(course), speed * np.cos(course), rng.choice([0.0, 0.0, 8.0, -8.0], n))


def planar(scene: Zones, segments: int = 64) -> list[Any]:
    """The shapes as Shapely has them: circles become polygons of 4 × ``segments`` chords."""
    import shapely

    out = []
    for shape in scene.shapes:
        if isinstance(shape, Polygon):
            out.append(shapely.Polygon(shape.exterior))
            continue
        north, east = degree_lengths(shape.lat_deg)
        angle = np.linspace(0.0, 2.0 * np.pi, 4 * segments, endpoint=False)
        out.append(
            shapely.Polygon(
                np.column_stack(
                    [
                        shape.lon_deg + shape.radius_m / east * np.cos(angle),
                        shape.lat_deg + shape.radius_m / north * np.sin(angle),
                    ]
                )
            )
        )
    return out


def degree_lengths(lat_deg: Any) -> tuple[Any, Any]:
    """Metres of a degree of latitude and of longitude on WGS84."""
    s = np.sin(np.radians(lat_deg))
    w = 1.0 - 0.0066943799901413165 * s * s
    rad = math.pi / 180.0
    return (
        rad * 6378137.0 * (1.0 - 0.0066943799901413165) / w**1.5,
        rad * 6378137.0 / np.sqrt(w) * np.cos(np.radians(lat_deg)),
    )


class Measured(NamedTuple):
    wall_s: float
    cpu_s: float
    """of all threads"""
    answer: Any


def measure(call: Callable[[], Any], repeats: int = 3) -> Measured:
    """The best of some runs, wall and processor time each at their best."""
    wall, cpu, answer = math.inf, math.inf, None
    for _ in range(repeats):
        gc.collect()
        c, t = time.process_time(), time.perf_counter()
        answer = call()
        wall, cpu = min(wall, time.perf_counter() - t), min(cpu, time.process_time() - c)
    return Measured(wall, cpu, answer)


def table(title: str, ours: Measured, others: dict[str, Measured]) -> None:
    """One line each, with the ratio of processor and of wall time to ours."""
    print(f"\n{title}")
    print(f"{'':44}{'wall ms':>12}{'cpu ms':>12}{'ratio cpu':>11}{'ratio wall':>11}")
    for name, m in {"keepclear": ours, **others}.items():
        print(
            f"{name:44}{m.wall_s * 1e3:12.3f}{m.cpu_s * 1e3:12.3f}"
            f"{m.cpu_s / max(ours.cpu_s, 1e-9):11.2f}{m.wall_s / ours.wall_s:11.2f}"
        )


def scale() -> float:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0, help="1 is the size that the published figures have")
    return float(parser.parse_args().scale)

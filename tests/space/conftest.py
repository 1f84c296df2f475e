"""Shapes and columns that the tests of the space package share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from keepclear.space.geometry import Circle, EdgeType, Polygon, Shape
from keepclear.space.index import OutlineIndex
from keepclear.space.outlines import build_outlines

Floats = npt.NDArray[np.float64]
Star = Callable[..., Polygon]
Build = Callable[..., OutlineIndex]


@pytest.fixture(scope="session")
def star() -> Star:
    """A polygon with k vertices around a place, radii between a third and the whole of ``size_deg``."""

    def make(
        seed: int, lon: float, lat: float, size_deg: float, k: int, edge_type: EdgeType = EdgeType.STRAIGHT
    ) -> Polygon:
        rng = np.random.default_rng(seed)
        # One vertex a sector, so that the ring goes round its centre.
        angle = 2.0 * math.pi * (np.arange(k) + rng.uniform(0.05, 0.95, k)) / k
        radius = size_deg * rng.uniform(0.33, 1.0, k)
        wide = radius / max(0.05, math.cos(math.radians(lat)))
        x = (lon + wide * np.cos(angle) + 180.0) % 360.0 - 180.0
        y = np.clip(lat + radius * np.sin(angle), -90.0, 90.0)
        return Polygon(tuple((float(a), float(b)) for a, b in zip(x, y, strict=True)), edge_type=edge_type)

    return make


@pytest.fixture(scope="session")
def build() -> Build:
    """An index over shapes; without limits every altitude and time is inside."""

    def make(shapes: Sequence[Shape], limits: npt.ArrayLike | None = None, cells: int | None = None) -> OutlineIndex:
        rows = np.tile([-np.inf, np.inf, -np.inf, np.inf], (len(shapes), 1)) if limits is None else np.asarray(limits)
        return OutlineIndex(build_outlines(shapes), rows.astype(np.float64), cells=cells)

    return make


@pytest.fixture(scope="session")
def world(star: Star) -> list[Shape]:
    """Some of everything: all kinds of edges, circles of 10 m to 2,000 km, the antimeridian, both poles, holes."""
    rng = np.random.default_rng(7)
    shapes: list[Shape] = []
    for k in range(40):
        lon, lat = float(rng.uniform(-180.0, 180.0)), float(rng.uniform(-85.0, 85.0))
        size = float(10.0 ** rng.uniform(-2.0, 1.0))
        if k % 4 == 0:
            shapes.append(Circle(lon, lat, float(10.0 ** rng.uniform(1.0, 6.3))))
        else:
            kind = (EdgeType.GEODESIC, EdgeType.RHUMB, EdgeType.STRAIGHT)[k % 4 - 1]
            shapes.append(star(k, lon, lat, size, int(rng.integers(3, 40)), kind))
    shapes += [
        star(1, 179.9, 10.0, 2.0, 9, EdgeType.GEODESIC),
        star(2, -179.9, -40.0, 2.0, 9, EdgeType.STRAIGHT),
        Circle(180.0, 60.0, 300_000.0),
        Circle(20.0, 89.0, 500_000.0),
        Circle(-100.0, -90.0, 1_000_000.0),
        Polygon(((0.0, 80.0), (90.0, 80.0), (180.0, 80.0), (-90.0, 80.0))),
        Polygon(((0.0, -70.0), (120.0, -70.0), (-120.0, -70.0)), edge_type=EdgeType.RHUMB),
        Polygon(
            ((-180.0, -90.0), (180.0, -90.0), (180.0, -70.0), (0.0, -75.0), (-180.0, -70.0)),
            edge_type=EdgeType.STRAIGHT,
        ),
        Polygon(
            ((-10.0, -10.0), (10.0, -10.0), (10.0, 10.0), (-10.0, 10.0)),
            (((-5.0, -5.0), (5.0, -5.0), (5.0, 5.0), (-5.0, 5.0)),),
        ),
    ]
    return shapes

"""A strip along a line (an airway, a route): one piece a leg and a disc a bend, so that nothing within it is missed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from keepclear.errors import InputError
from keepclear.space.geometry import Circle, EdgeType, LonLat, Polygon, Shape
from keepclear.zones.arcs import azimuth_and_distance, destination

__all__ = ["corridor"]

LEG_M = 50_000.0
"""Longer legs are cut: two sides that begin parallel stay parallel to 1 m over this length at 20 km half-width."""


def corridor(line: Sequence[LonLat], half_width_m: float) -> tuple[Shape, ...]:
    """The strip as shapes that overlap: a four-cornered piece for each leg, a disc at each inner bend.

    Raises :class:`InputError` for a line of fewer than two distinct positions.
    """
    points = [position for i, position in enumerate(line) if i == 0 or position != line[i - 1]]
    if len(points) < 2:
        raise InputError("a strip needs two positions")
    shapes: list[Shape] = []
    for start, end in pairwise(points):
        shapes.append(_leg(start, end, half_width_m))
    shapes.extend(Circle(lon, lat, half_width_m) for lon, lat in points[1:-1])
    return tuple(shapes)


def _leg(start: LonLat, end: LonLat, half_width_m: float) -> Polygon:
    azimuth, length_m = azimuth_and_distance(start, end)
    count = max(1, int(-(-length_m // LEG_M)))
    left: list[LonLat] = []
    right: list[LonLat] = []
    for i in range(count + 1):
        here = end if i == count else destination(start, azimuth, length_m * i / count)
        back, _ = azimuth_and_distance(here, start)
        heading = azimuth if i == 0 else back + 180.0
        left.append(destination(here, heading - 90.0, half_width_m))
        right.append(destination(here, heading + 90.0, half_width_m))
    return Polygon((*left, *reversed(right)), (), EdgeType.GEODESIC)

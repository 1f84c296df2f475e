"""Shapes as rings that a Web Mercator map can draw. For eyes only: verdicts are never made on these rings.

A map joins vertices straight in Mercator, so a rhumb edge needs no help, a geodesic or a straight
longitude/latitude edge gets vertices in between, and a true circle becomes a ring of 96. Longitudes run on past
±180° instead of jumping, so that a zone across the antimeridian is one piece.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from keepclear.space.geometry import Circle, EdgeType, LonLat, Ring, Shape

__all__ = ["circle_ring", "drawn_rings", "joined_ring"]

CHORD_DEG = 0.5
"""Edges are cut to about this length: the bow left over is under 100 m, less than a pixel where the edge fits in."""
PIECES_MAX = 360
CIRCLE_VERTICES = 96
POLE_LAT_DEG = 89.0
"""Where a ring around a pole is closed; Web Mercator ends at 85.05°."""

_A, _F = 6_378_137.0, 1.0 / 298.257223563  # WGS84


def drawn_rings(shape: Shape) -> list[list[list[float]]]:
    """Closed rings [[lon, lat], …], the outer one first, rounded to a metre."""
    if isinstance(shape, Circle):
        return [_finished(circle_ring(shape))]
    rings = [_finished(joined_ring(ring, shape.edge_type)) for ring in (shape.exterior, *shape.holes)]
    middle = sum(x for x, _ in rings[0]) / len(rings[0])
    for ring in rings[1:]:  # a hole lies beside its outer ring, not once round the Earth
        turns = 360.0 * round((middle - sum(x for x, _ in ring) / len(ring)) / 360.0)
        for vertex in ring:
            vertex[0] += turns
    return rings


def joined_ring(ring: Ring, edge_type: EdgeType) -> npt.NDArray[np.float64]:
    """The open ring with vertices added along its edges, shape (n, 2)."""
    parts = []
    for start, end in zip(ring, (*ring[1:], ring[0]), strict=True):
        pieces = 1
        if edge_type is not EdgeType.RHUMB:
            across = abs((end[0] - start[0] + 180.0) % 360.0 - 180.0) * math.cos(math.radians((start[1] + end[1]) / 2))
            pieces = min(PIECES_MAX, max(1, math.ceil(math.hypot(across, end[1] - start[1]) / CHORD_DEG)))
        along = np.arange(pieces) / pieces
        parts.append(_great_circle(start, end, along) if edge_type is EdgeType.GEODESIC else _plain(start, end, along))
    return np.concatenate(parts)


def circle_ring(circle: Circle, vertices: int = CIRCLE_VERTICES) -> npt.NDArray[np.float64]:
    """Points at the circle's geodesic radius, evenly by azimuth: Vincenty's direct solution (Survey Review, 1975)."""
    azimuth = np.arange(vertices) * (2.0 * np.pi / vertices)
    b = _A * (1.0 - _F)
    reduced = math.atan((1.0 - _F) * math.tan(math.radians(max(-89.999999, min(89.999999, circle.lat_deg)))))
    sin_u, cos_u = math.sin(reduced), math.cos(reduced)
    sigma1 = np.arctan2(sin_u, cos_u * np.cos(azimuth))
    sin_alpha = cos_u * np.sin(azimuth)
    cos2_alpha = 1.0 - sin_alpha**2
    u2 = cos2_alpha * (_A**2 - b**2) / b**2
    big_a = 1.0 + u2 / 16384.0 * (4096.0 + u2 * (-768.0 + u2 * (320.0 - 175.0 * u2)))
    big_b = u2 / 1024.0 * (256.0 + u2 * (-128.0 + u2 * (74.0 - 47.0 * u2)))
    sigma = circle.radius_m / (b * big_a)
    for _ in range(8):
        middle = np.cos(2.0 * sigma1 + sigma)
        delta = big_b * np.sin(sigma) * (
            middle + big_b / 4.0 * (np.cos(sigma) * (2.0 * middle**2 - 1.0)
            - big_b / 6.0 * middle * (4.0 * np.sin(sigma) ** 2 - 3.0) * (4.0 * middle**2 - 3.0))
        )  # fmt: skip
        sigma = circle.radius_m / (b * big_a) + delta
    middle = np.cos(2.0 * sigma1 + sigma)
    sin_s, cos_s = np.sin(sigma), np.cos(sigma)
    across = sin_u * sin_s - cos_u * cos_s * np.cos(azimuth)
    lat = np.arctan2(sin_u * cos_s + cos_u * sin_s * np.cos(azimuth), (1.0 - _F) * np.sqrt(sin_alpha**2 + across**2))
    turn = np.arctan2(sin_s * np.sin(azimuth), cos_u * cos_s - sin_u * sin_s * np.cos(azimuth))
    c = _F / 16.0 * cos2_alpha * (4.0 + _F * (4.0 - 3.0 * cos2_alpha))
    lon = turn - (1.0 - c) * _F * sin_alpha * (
        sigma + c * sin_s * (middle + c * cos_s * (2.0 * middle**2 - 1.0))
    )  # fmt: skip
    return np.column_stack([circle.lon_deg + np.degrees(lon), np.degrees(lat)])


def _great_circle(start: LonLat, end: LonLat, along: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    a, b = _vector(start), _vector(end)
    angle = math.atan2(float(np.linalg.norm(np.cross(a, b))), float(a @ b))
    if angle < 1e-9 or math.pi - angle < 1e-9:
        return _plain(start, end, along)
    weights = np.sin(np.stack([(1.0 - along) * angle, along * angle])) / math.sin(angle)
    points = weights[0][:, None] * a + weights[1][:, None] * b
    lon_lat = np.column_stack(
        [np.degrees(np.arctan2(points[:, 1], points[:, 0])), np.degrees(np.arcsin(np.clip(points[:, 2], -1.0, 1.0)))]
    )
    lon_lat[0] = start
    return lon_lat


def _plain(start: LonLat, end: LonLat, along: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    across = (end[0] - start[0] + 180.0) % 360.0 - 180.0
    return np.column_stack([start[0] + along * across, start[1] + along * (end[1] - start[1])])


def _vector(position: LonLat) -> npt.NDArray[np.float64]:
    lon, lat = math.radians(position[0]), math.radians(position[1])
    return np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])


def _finished(ring: npt.NDArray[np.float64]) -> list[list[float]]:
    """Unwrapped, closed (over the pole where it winds round one), rounded."""
    steps = np.diff(ring[:, 0], append=ring[0, 0])
    steps = (steps + 180.0) % 360.0 - 180.0
    lon = ring[0, 0] + np.concatenate([[0.0], np.cumsum(steps[:-1])])
    points: list[Sequence[float]] = np.column_stack([lon, ring[:, 1]]).round(5).tolist()
    turn = float(steps.sum())
    first = points[0]
    if abs(turn) > 180.0:
        pole = math.copysign(POLE_LAT_DEG, float(ring[:, 1].sum()))
        points += [[first[0] + turn, first[1]], [first[0] + turn, pole], [first[0], pole]]
    points.append(first)
    return [[float(x), float(y)] for x, y in points]

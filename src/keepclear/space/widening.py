"""Outlines widened by a margin: buffers around zones, and the screen that finds who is near a border.

The widening is done in an azimuthal equidistant plane around the shape's centre, where distances from the centre
are true and distances across are too long by (d/R)/sin(d/R): 0.4 % of the margin at 1,000 km. With ``at_least``
the margin is enlarged by that much, so that nothing within it is missed: what screens may be wide, never narrow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from keepclear.errors import InputError
from keepclear.quantities import EARTH_RADIUS_M
from keepclear.space.geometry import Circle, EdgeType, LonLat, Polygon, Shape

__all__ = ["widen"]

EXTENT_MAX_M = 9_000_000.0
"""Beyond this distance from its centre a shape is nearly a hemisphere, and the plane no longer serves."""
CHORD_M = 20_000.0
"""Edges are cut to this length first: their bow against the geodesic is then under 8 m."""
QUARTER_SEGMENTS = 8
"""Corners are rounded with this many chords a quarter circle; the margin falls short by 0.5 % at most."""


def widen(shape: Shape, margin_m: float, *, at_least: bool = False) -> tuple[Shape, ...]:
    """The shape with everything within ``margin_m`` metres of it.

    A circle stays a true circle. A polygon becomes polygons with short geodesic edges; several, where holes
    or narrow necks make it so. ``at_least`` makes the result never smaller than asked (used to screen).

    Raises :class:`InputError` for a polygon reaching more than 9,000 km from its centre.
    """
    if margin_m <= 0.0:
        return (shape,)
    if isinstance(shape, Circle):
        return (Circle(shape.lon_deg, shape.lat_deg, min(shape.radius_m + margin_m, 20_000_000.0)),)
    from shapely import Polygon as PlanePolygon
    from shapely import get_parts

    centre = _centre(shape.exterior)
    rings = [_to_plane(_cut(ring, shape.edge_type), centre) for ring in (shape.exterior, *shape.holes)]
    extent_m = float(max(np.hypot(r[:, 0], r[:, 1]).max() for r in rings))
    if extent_m > EXTENT_MAX_M:
        raise InputError(f"a polygon reaching {extent_m / 1000:.0f} km from its centre cannot be given a buffer")
    margin = margin_m
    if at_least:
        angle = (extent_m + margin_m) / EARTH_RADIUS_M
        margin = margin_m * 1.01 * max(1.0, angle / math.sin(angle)) + 20.0
    plane = PlanePolygon(rings[0], rings[1:]).buffer(0.0).buffer(margin, quad_segs=QUARTER_SEGMENTS)
    widened = []
    for part in get_parts(plane):
        exterior = _from_plane(np.asarray(part.exterior.coords)[:-1], centre)
        holes = tuple(_from_plane(np.asarray(hole.coords)[:-1], centre) for hole in part.interiors)
        widened.append(Polygon(exterior, holes, EdgeType.GEODESIC))
    return tuple(widened)


def _centre(ring: Sequence[LonLat]) -> LonLat:
    """The direction of the mean of the vertices as vectors: safe at the antimeridian and the poles."""
    lon, lat = np.radians(np.array(ring)).T
    x, y, z = np.mean(np.cos(lat) * np.cos(lon)), np.mean(np.cos(lat) * np.sin(lon)), np.mean(np.sin(lat))
    return (math.degrees(math.atan2(y, x)), math.degrees(math.atan2(z, math.hypot(x, y))))


def _cut(ring: Sequence[LonLat], edge_type: EdgeType) -> npt.NDArray[np.float64]:
    """The closed ring with long edges cut at even steps, along their own kind of line. Shape (n, 2)."""
    points: list[LonLat] = []
    for (lon_a, lat_a), (lon_b, lat_b) in zip(ring, (*ring[1:], ring[0]), strict=True):
        east = (lon_b - lon_a + 180.0) % 360.0 - 180.0
        length_m = EARTH_RADIUS_M * math.hypot(
            math.radians(lat_b - lat_a), math.radians(east) * math.cos(math.radians(0.5 * (lat_a + lat_b)))
        )
        pieces = max(1, math.ceil(length_m / CHORD_M))
        if pieces == 1 or edge_type is EdgeType.GEODESIC:
            # In the plane about the centre a geodesic is all but straight; cutting it there is enough.
            points.extend(_great_circle(lon_a, lat_a, lon_a + east, lat_b, pieces))
            continue
        for k in range(pieces):
            lat = lat_a + (lat_b - lat_a) * k / pieces
            fraction = k / pieces
            if edge_type is EdgeType.RHUMB and abs(lat_b - lat_a) > 1e-9:
                fraction = (_mercator(lat) - _mercator(lat_a)) / (_mercator(lat_b) - _mercator(lat_a))
            points.append((lon_a + east * fraction, lat))
    return np.array(points)


def _mercator(lat_deg: float) -> float:
    return math.asinh(math.tan(math.radians(max(-89.999, min(89.999, lat_deg)))))


def _great_circle(lon_a: float, lat_a: float, lon_b: float, lat_b: float, pieces: int) -> list[LonLat]:
    if pieces == 1:
        return [(lon_a, lat_a)]
    a, b = (_vector(lon, lat) for lon, lat in ((lon_a, lat_a), (lon_b, lat_b)))
    angle = math.acos(max(-1.0, min(1.0, float(a @ b))))
    if angle < 1e-12:
        return [(lon_a, lat_a)]
    cut = []
    for k in range(pieces):
        p = (math.sin(angle * (1 - k / pieces)) * a + math.sin(angle * k / pieces) * b) / math.sin(angle)
        cut.append((math.degrees(math.atan2(p[1], p[0])), math.degrees(math.atan2(p[2], math.hypot(p[0], p[1])))))
    return cut


def _vector(lon_deg: float, lat_deg: float) -> npt.NDArray[np.float64]:
    lon, lat = math.radians(lon_deg), math.radians(lat_deg)
    return np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])


def _to_plane(points: npt.NDArray[np.float64], centre: LonLat) -> npt.NDArray[np.float64]:
    lon, lat = np.radians(points[:, 0] - centre[0]), np.radians(points[:, 1])
    lat_0 = math.radians(centre[1])
    cos_c = np.clip(math.sin(lat_0) * np.sin(lat) + math.cos(lat_0) * np.cos(lat) * np.cos(lon), -1.0, 1.0)
    angle = np.arccos(cos_c)
    k = np.where(angle < 1e-9, 1.0, angle / np.maximum(np.sin(angle), 1e-300)) * EARTH_RADIUS_M
    east = k * np.cos(lat) * np.sin(lon)
    north = k * (math.cos(lat_0) * np.sin(lat) - math.sin(lat_0) * np.cos(lat) * np.cos(lon))
    return np.column_stack([east, north])


def _from_plane(points: npt.NDArray[np.float64], centre: LonLat) -> tuple[LonLat, ...]:
    east, north = points[:, 0], points[:, 1]
    distance = np.hypot(east, north)
    angle = distance / EARTH_RADIUS_M
    safe = np.maximum(distance, 1e-9)
    lat_0 = math.radians(centre[1])
    lat = np.arcsin(
        np.clip(np.cos(angle) * math.sin(lat_0) + north * np.sin(angle) * math.cos(lat_0) / safe, -1.0, 1.0)
    )
    lon = np.arctan2(
        east * np.sin(angle), distance * math.cos(lat_0) * np.cos(angle) - north * math.sin(lat_0) * np.sin(angle)
    )
    lon_deg = (np.degrees(lon) + centre[0] + 180.0) % 360.0 - 180.0
    return tuple(zip(lon_deg.tolist(), np.degrees(lat).tolist(), strict=True))

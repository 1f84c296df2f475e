"""The cells in which the DSS remembers where things are: S2 level 13 (about 1 km²), as its peers do.

A set of cells is kept as 64-bit masks over blocks of 8 × 8 cells (S2 level 10), so that two sets are compared by
ANDing integers. Sets are conservative: whatever a shape touches on WGS84 is in them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec
import numpy as np
import numpy.typing as npt

from keepclear.space.geometry import Circle, LonLat, Ring

__all__ = ["AREA_MAX_KM2", "Cells", "ShapeTooLarge", "ShapeUnusable", "cover_circle", "cover_polygon"]

LEVEL = 13
SIZE = 1 << LEVEL
SIDE = 8
BLOCKS = SIZE // SIDE
AREA_MAX_KM2 = 2_500.0
"""The pool's limit (InterUSS DSS, geo.maxAllowedAreaKm2)."""
REACH_MAX_RAD = 1_000.0 / 6_371.0
"""A needle within the area limit could still go round the Earth; this bounds the work on it."""
CELLS_LOOKED_AT_MAX = 8_000_000
"""A square of twice the largest reach, on the smallest cells."""
SPHERE_RADIUS_KM = 6_371.01
"""S2's Earth: the area limit is stated on it."""
SHORTEST_RADIUS_M = 6_335_439.0
"""The smallest radius of curvature on WGS84 (a meridian at the equator): no arc spans a larger angle."""
SAME_VERTEX = 1e-12
"""Vertices closer than this (6 µm) are one."""
AREA_MIN_SR = 1e-16
"""Below some 4 cm² there is nothing but rounding."""
SIDES_OF_A_CIRCLE = 32
MARGIN_RAD = 1.0 / SHORTEST_RADIUS_M
"""One metre, for rounding."""
SAG_SHARE = 0.01
"""A WGS84 geodesic is off the great circle through the same coordinates by less than this share of L²/8R."""
PLANE_STRETCH = 3.1
"""The plane of a face stretches angles by at most 1 + u² + v² = 3 at a corner."""


class ShapeUnusable(ValueError):
    """An outline that bounds no area: crossing, repeated or too few vertices."""


class ShapeTooLarge(ValueError):
    """An outline beyond the limit of area or reach."""


class Cells(msgspec.Struct, frozen=True):
    """Block number → mask of its cells. Never changed after it is made."""

    masks: dict[int, int]

    def __bool__(self) -> bool:
        return bool(self.masks)

    def __len__(self) -> int:
        return sum(mask.bit_count() for mask in self.masks.values())

    def __or__(self, other: Cells) -> Cells:
        joined = dict(self.masks)
        for block, mask in other.masks.items():
            joined[block] = joined.get(block, 0) | mask
        return Cells(joined)

    def meets(self, other: Cells) -> bool:
        few, many = (self.masks, other.masks) if len(self.masks) < len(other.masks) else (other.masks, self.masks)
        return any(mask & many.get(block, 0) for block, mask in few.items())

    def covers(self, other: Cells) -> bool:
        mine = self.masks
        return all(not mask & ~mine.get(block, 0) for block, mask in other.masks.items())

    @staticmethod
    def union(sets: Iterable[Cells]) -> Cells:
        joined: dict[int, int] = {}
        for cells in sets:
            for block, mask in cells.masks.items():
                joined[block] = joined.get(block, 0) | mask
        return Cells(joined)


def cover_polygon(ring: Ring, area_max_km2: float = AREA_MAX_KM2) -> Cells:
    """Cells of a polygon with great-circle edges; of the two sides the smaller is meant, whatever the winding.

    Raises :class:`ShapeUnusable` for crossing edges, repeated vertices or no area, :class:`ShapeTooLarge`.
    """
    if len(ring) < 3:
        raise ShapeUnusable(f"a polygon needs three vertices, this one has {len(ring)}")
    from keepclear.dss.kernels.covering import measure

    points = _unit_vectors(ring)
    middle, nearest, longest, shortest, area_sr = measure(points)
    if nearest < math.cos(REACH_MAX_RAD):
        raise ShapeTooLarge(f"the polygon reaches more than {REACH_MAX_RAD * 6371:.0f} km from its middle")
    if shortest < SAME_VERTEX:
        raise ShapeUnusable("a vertex is given twice in a row (the last one must not repeat the first)")
    _check_simple(points, middle)
    area_km2 = area_sr * SPHERE_RADIUS_KM**2
    if area_km2 > area_max_km2:
        raise ShapeTooLarge(f"the polygon has {area_km2:,.0f} km²; at most {area_max_km2:,.0f}")
    return _cover(points, MARGIN_RAD + SAG_SHARE * longest * longest / 8.0)


def cover_circle(circle: Circle, area_max_km2: float = AREA_MAX_KM2) -> Cells:
    """Cells of all points within the radius along the ellipsoid. Raises :class:`ShapeTooLarge`."""
    radius = circle.radius_m / SHORTEST_RADIUS_M
    if math.pi * (circle.radius_m / 1000.0) ** 2 > area_max_km2 or radius > REACH_MAX_RAD:
        raise ShapeTooLarge(f"a circle of {circle.radius_m:,.0f} m covers more than {area_max_km2:,.0f} km²")
    from keepclear.dss.kernels.covering import ring_around

    return _cover(ring_around(circle.lon_deg, circle.lat_deg, radius, SIDES_OF_A_CIRCLE), MARGIN_RAD)


def _unit_vectors(positions: Iterable[LonLat]) -> npt.NDArray[np.float64]:
    lon_lat = np.radians(np.array(list(positions), dtype=np.float64))
    points = np.empty((len(lon_lat), 3))
    cos_lat = np.cos(lon_lat[:, 1])
    points[:, 0], points[:, 1] = cos_lat * np.cos(lon_lat[:, 0]), cos_lat * np.sin(lon_lat[:, 0])
    points[:, 2] = np.sin(lon_lat[:, 1])
    return points


def _across(centre: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Two unit vectors that span the plane at a point."""
    x, y, z = centre.tolist()
    a, b, c = (y, -x, 0.0) if abs(z) < 0.9 else (0.0, z, -y)
    length = math.sqrt(a * a + b * b + c * c)
    a, b, c = a / length, b / length, c / length
    return np.array((a, b, c)), np.array((y * c - z * b, z * a - x * c, x * b - y * a))


def _check_simple(points: npt.NDArray[np.float64], centre: npt.NDArray[np.float64]) -> None:
    """In the plane that touches the sphere at the centre, great circles are straight: GEOS judges the ring there."""
    import shapely

    aside, up = _across(centre)
    plane = np.empty((len(points) + 1, 2))
    plane[:-1, 0], plane[:-1, 1] = points @ aside, points @ up
    plane[:-1] /= (points @ centre)[:, None]
    plane[-1] = plane[0]
    polygon = shapely.polygons(plane)
    if not shapely.is_valid(polygon) or shapely.area(polygon) < AREA_MIN_SR:
        raise ShapeUnusable("the polygon's edges cross or touch, or it has no area")


# For each of S2's faces the axes (and signs) of u's numerator, v's numerator and the denominator.
_AXES = np.array(((1, 2, 0), (0, 2, 1), (0, 1, 2), (2, 1, 0), (2, 0, 1), (1, 0, 2)))
_SIGNS = np.array(((1, 1, 1), (-1, 1, 1), (-1, -1, 1), (-1, -1, -1), (-1, 1, -1), (1, 1, -1)), np.float64)
_FAR_SIDE = 0.25
"""A face ends 55° from its axis; what reaches it spans at most 18° more, so its cosine is above this throughout."""


def _cover(points: npt.NDArray[np.float64], margin_rad: float) -> Cells:
    from keepclear.dss.kernels.covering import cover_ring

    blocks, masks, whole = cover_ring(
        points, PLANE_STRETCH * margin_rad, _AXES, _SIGNS, _FAR_SIDE, SIZE, SIDE, CELLS_LOOKED_AT_MAX
    )
    if not whole:
        raise ShapeTooLarge("the shape spans too many cells")
    return Cells(dict(zip(blocks.tolist(), masks.tolist())))

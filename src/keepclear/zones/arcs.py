"""Arcs of circles on the ellipsoid as vertices close enough together that no chord leaves the arc by a metre."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from keepclear.errors import InputError
from keepclear.space.geometry import LonLat, check_position

__all__ = ["arc_between", "arc_by_bearings", "azimuth_and_distance", "destination"]

SAGITTA_MAX_M = 1.0
"""How far a chord may leave its arc: below what any published coordinate means (one arc second is 31 m)."""
RADIUS_MAX_M = 5_000_000.0
VERTICES_MAX = 100_000
"""One arc: a full circle of the largest radius needs 5,000."""


@lru_cache(maxsize=1)
def _wgs84() -> Any:
    from geographiclib.geodesic import Geodesic

    return Geodesic.WGS84


def azimuth_and_distance(start: LonLat, end: LonLat) -> tuple[float, float]:
    """Azimuth at the start in degrees and geodesic distance in metres (Karney 2013)."""
    line = _wgs84().Inverse(start[1], start[0], end[1], end[0])
    return line["azi1"], line["s12"]


def destination(start: LonLat, azimuth_deg: float, distance_m: float) -> LonLat:
    """The position at this azimuth and geodesic distance from the start."""
    line = _wgs84().Direct(start[1], start[0], azimuth_deg, distance_m)
    return check_position(line["lon2"], line["lat2"])


def arc_by_bearings(
    centre: LonLat, radius_m: float, start_deg: float, end_deg: float, *, clockwise: bool, end_radius_m: float = 0.0
) -> list[LonLat]:
    """Vertices from the start bearing to the end bearing, both included; equal bearings make a full circle.

    A different ``end_radius_m`` widens the radius evenly along the arc (published radii rarely fit to the metre).
    """
    end_radius_m = end_radius_m or radius_m
    largest = max(radius_m, end_radius_m)
    if not 0.0 < largest <= RADIUS_MAX_M or min(radius_m, end_radius_m) <= 0.0:
        raise InputError(f"an arc of {radius_m / 1000:.1f} km radius is not between 0 and {RADIUS_MAX_M / 1000:.0f} km")
    sweep = (end_deg - start_deg) % 360.0 if clockwise else (start_deg - end_deg) % 360.0
    sweep = sweep or 360.0
    step = 2.0 * math.degrees(math.acos(max(0.0, 1.0 - SAGITTA_MAX_M / largest)))
    count = min(VERTICES_MAX, max(1, math.ceil(sweep / step)))
    sign = 1.0 if clockwise else -1.0
    import numpy as np

    from keepclear.space.geodesy import destinations

    part = np.arange(count + 1) / count
    lon, lat = destinations(
        *centre, start_deg + sign * sweep * part, radius_m + (end_radius_m - radius_m) * part
    )  # fmt: skip
    return list(zip(lon.tolist(), lat.tolist(), strict=True))


def arc_between(centre: LonLat, start: LonLat, end: LonLat, *, clockwise: bool) -> list[LonLat]:
    """Vertices of the arc from start to end, which are kept as they were given.

    Raises :class:`InputError` where the two lie at radii that differ by more than a tenth: no arc joins them.
    """
    start_deg, radius_m = azimuth_and_distance(centre, start)
    end_deg, end_radius_m = azimuth_and_distance(centre, end)
    if abs(radius_m - end_radius_m) > 0.1 * max(radius_m, end_radius_m):
        raise InputError(
            f"no arc: its start is {radius_m / 1000:.2f} km from the centre, its end {end_radius_m / 1000:.2f} km"
        )
    points = arc_by_bearings(centre, radius_m, start_deg, end_deg, clockwise=clockwise, end_radius_m=end_radius_m)
    return [start, *points[1:-1], end]

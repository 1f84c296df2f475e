"""Shapes on WGS84 as values: what a zone's outline is, before any kernel sees it.

Coordinates are (longitude, latitude) in degrees, in this order, everywhere in this package. A ring is stored
open (the last vertex is not the first again). The kind of a polygon's edges is part of the shape, because it
changes the area by kilometres (sag = L²·tan φ / 8R, some 6 km on a 500 km edge at 50° N).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from keepclear.errors import InputError

__all__ = ["Circle", "EdgeType", "LonLat", "Polygon", "Ring", "Shape", "check_position"]

LonLat = tuple[float, float]
Ring = tuple[LonLat, ...]


class EdgeType(StrEnum):
    """How two neighbouring vertices of a polygon are joined."""

    GEODESIC = "GEODESIC"
    """the shortest line on the ellipsoid (GML «geodesic», AIXM default, NOTAM and OpenAir here)"""
    RHUMB = "RHUMB"
    """constant bearing (parallels of latitude, loxodromes)"""
    STRAIGHT = "STRAIGHT"
    """straight in longitude/latitude (GeoJSON, RFC 7946 §3.1.1)"""


def check_position(lon_deg: float, lat_deg: float, *, where: str = "") -> LonLat:
    """The position with its longitude brought into [-180, 180); refuses what is not on Earth.

    Raises :class:`InputError` for NaN, infinities, latitudes beyond ±90° and longitudes beyond ±360°.
    """
    if not (math.isfinite(lon_deg) and math.isfinite(lat_deg)):
        raise InputError(f"position ({lon_deg}, {lat_deg}) is not a number", where=where)
    if not -90.0 <= lat_deg <= 90.0:
        hint = "; longitude and latitude swapped?" if abs(lon_deg) <= 90.0 else ""
        raise InputError(f"latitude {lat_deg} is outside ±90°{hint}", where=where)
    if not -360.0 <= lon_deg <= 360.0:
        raise InputError(f"longitude {lon_deg} is outside ±180°", where=where)
    if -180.0 <= lon_deg < 180.0:
        return (lon_deg, lat_deg)
    return ((lon_deg + 180.0) % 360.0 - 180.0, lat_deg)


@dataclass(frozen=True, slots=True)
class Polygon:
    """An outer ring, holes, and how the vertices are joined. Self-crossing is checked by the readers' door."""

    exterior: Ring
    holes: tuple[Ring, ...] = ()
    edge_type: EdgeType = EdgeType.GEODESIC

    def __post_init__(self) -> None:
        for ring in (self.exterior, *self.holes):
            if len(ring) < 3:
                raise InputError(f"a ring needs three vertices, this one has {len(ring)}")
            if ring[0] == ring[-1]:
                raise InputError("a ring is stored open here: drop the repeated last vertex")


@dataclass(frozen=True, slots=True)
class Circle:
    """All points whose geodesic distance from the centre is at most ``radius_m``; never a 64-gon."""

    lon_deg: float
    lat_deg: float
    radius_m: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.radius_m) and 0.0 < self.radius_m <= 20_000_000.0):
            raise InputError(f"radius {self.radius_m} m is not between 0 and 20,000 km")


Shape = Polygon | Circle

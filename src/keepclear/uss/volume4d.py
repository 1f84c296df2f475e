"""Volumes as ASTM F3548-21 writes them (Annex A4, ``Volume4D``), from our shapes and limits and back.

F3548 knows circles and polygons without holes with shortest edges, and altitudes above the WGS84 ellipsoid. What it
cannot hold is held by a volume that contains it, and said.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from keepclear.dss.instants import microseconds, rfc3339
from keepclear.dss.volumes import Volume3D, Volume4D
from keepclear.errors import InputError
from keepclear.quantities import EARTH_RADIUS_M, UNBOUNDED, Datum, LengthUnit, Level
from keepclear.space.geoid import INTERPOLATION_ERROR_M, undulation_m
from keepclear.space.geometry import Circle, EdgeType, LonLat, Ring, Shape
from keepclear.tracks.altitude import TEMPERATURE_DEVIATION_K, UNDULATION_WORLD_M, AltitudeAssumptions, level_in
from keepclear.zones.outline_checks import check_circle, check_polygon

__all__ = [
    "HIGHEST_W84_M", "LOWEST_W84_M", "Lose", "levels_of", "limits_w84", "outline", "shape_of", "times_of", "volume4d",
]  # fmt: skip

Lose = Callable[[str, str], None]
"""Takes a field and what is lost of it."""

EDGE_TOLERANCE_M = 1.0
"""How far the shortest edges that stand for others may be from them."""
SLANT = 1.09
"""A slanting line of a plan in longitude and latitude bends by up to so much more than the parallel there."""
PIECES_MAX = 10_000
"""More vertices than any entity may have (OiMaxVertices)."""
GEOID_STEP_M, GEOID_STEPS_MAX = 7_000.0, 81
"""Where the geoid is looked up, and how often a side: its own grid has 28 km."""
GEOID_REACH_M = 1_000_000.0
"""A shape that reaches farther from its middle is given the geoid's extremes on Earth."""
MEAN_COLUMN_K = 250.0
"""Mean temperature of the standard column up to cruising levels."""
LOWEST_W84_M, HIGHEST_W84_M = -8_000.0, 100_000.0
"""Altitude.value in F3548-21."""


def volume4d(
    shape: Circle | Ring, lower_m: float | None, upper_m: float | None, from_s: float, to_s: float
) -> dict[str, Any]:
    """The JSON object; altitudes in metres W84, None: no limit; instants POSIX seconds, both finite.

    What lies beyond the altitudes that F3548 can write has no limit on that side, so that nothing is left out.
    """
    volume: dict[str, Any] = {}
    if isinstance(shape, Circle):
        volume["outline_circle"] = {
            "center": {"lat": shape.lat_deg, "lng": shape.lon_deg}, "radius": {"value": shape.radius_m, "units": "M"},
        }  # fmt: skip
    else:
        volume["outline_polygon"] = {"vertices": [{"lat": lat, "lng": lon} for lon, lat in shape]}
    if lower_m is not None and lower_m >= LOWEST_W84_M:
        volume["altitude_lower"] = _altitude(math.floor(min(lower_m, HIGHEST_W84_M) * 1e3) / 1e3)
    if upper_m is not None and upper_m <= HIGHEST_W84_M:
        volume["altitude_upper"] = _altitude(math.ceil(max(upper_m, LOWEST_W84_M) * 1e3) / 1e3)
    return {"volume": volume, "time_start": _time(from_s), "time_end": _time(to_s)}


def outline(shape: Shape, lose: Lose) -> Circle | Ring:
    """The shape as F3548 can hold it."""
    if isinstance(shape, Circle):
        return shape
    if shape.holes:
        lose("volumes.shape.holes", f"{len(shape.holes)} left out of the outline are inside it now")
    if shape.edge_type is EdgeType.GEODESIC:
        return shape.exterior
    ring = _cut(shape.exterior, shape.edge_type)
    if len(ring) > len(shape.exterior):
        lose("volumes.shape.edge_type", f"{shape.edge_type} edges are cut into {len(ring)} shortest ones")
    return ring


def limits_w84(
    lower: Level, upper: Level, shape: Circle | Ring, assumptions: AltitudeAssumptions, lose: Lose
) -> tuple[float | None, float | None]:
    """Altitudes above the ellipsoid between which the limits are for certain, metres; None: no limit.

    Raises :class:`InputError` for a height above ground where no ground elevation is stated, and for a lower limit
    that is above the upper one however they are read.
    """
    bounds: list[float | None] = []
    for name, level, side in (("lower", lower, 0), ("upper", upper, 1)):
        if level.datum is Datum.UNBOUNDED or (side == 0 and level.datum is Datum.AGL and level.value <= 0.0):
            bounds.append(None)
            continue
        if level.datum is Datum.WGS84:
            bounds.append(level.metres)
            continue
        if level.datum is Datum.AGL and assumptions.ground_elevation_m is None:
            raise InputError(f"the {name} limit {level} needs the ground: state --ground-elevation LOW:HIGH")
        band = level_in(level, Datum.AMSL, assumptions)
        geoid = _undulations(shape)
        error = abs(level.metres) * TEMPERATURE_DEVIATION_K / MEAN_COLUMN_K if level.datum is Datum.STD else 0.0
        outward = -1.0 if side == 0 else 1.0
        held = band[side] + outward * (error + INTERPOLATION_ERROR_M) + geoid[side]
        bounds.append(held)
        lose(f"volumes.{name}", f"{level} is held as {held:.0f} m above the ellipsoid, where it is at the outermost")
    low, high = bounds
    if low is not None and high is not None and low > high:
        raise InputError(f"the lower limit {lower} is above the upper limit {upper}")
    return low, high


def shape_of(volume: Volume3D, warnings: list[str] | None = None) -> Shape:
    """The outline; raises :class:`InputError` for none, two or one that bounds nothing. One that crosses itself is read
    as drawn, which is told in ``warnings``."""
    circle, polygon = volume.outline_circle, volume.outline_polygon
    if (circle is None) == (polygon is None):
        raise InputError("a volume needs exactly one of outline_circle and outline_polygon")
    if circle is not None:
        return check_circle(circle.center.lng, circle.center.lat, circle.radius.value)
    assert polygon is not None
    ring = [(v.lng, v.lat) for v in polygon.vertices]
    return check_polygon([ring], EdgeType.GEODESIC, closed=False, warnings=[] if warnings is None else warnings)


def levels_of(volume: Volume3D) -> tuple[Level, Level]:
    low, high = volume.altitude_lower, volume.altitude_upper
    return (
        UNBOUNDED if low is None else Level(low.value, LengthUnit.METRE, Datum.WGS84),
        UNBOUNDED if high is None else Level(high.value, LengthUnit.METRE, Datum.WGS84),
    )


def times_of(volume: Volume4D) -> tuple[float, float]:
    """POSIX seconds; infinite where there is none."""
    start, end = volume.time_start, volume.time_end
    return (
        -math.inf if start is None else microseconds(start.value) / 1e6,
        math.inf if end is None else microseconds(end.value) / 1e6,
    )


def _altitude(metres: float) -> dict[str, Any]:
    return {"value": metres, "reference": "W84", "units": "M"}


def _time(time_s: float) -> dict[str, str]:
    return {"value": rfc3339(round(time_s * 1e6)), "format": "RFC3339"}


def _undulations(shape: Circle | Ring) -> tuple[float, float]:
    """Lowest and highest of the geoid on a grid over the square around the shape, in the plane that touches its
    middle."""
    lon, lat = np.radians(np.array(((shape.lon_deg, shape.lat_deg),) if isinstance(shape, Circle) else shape).T)
    points = np.stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)))
    middle = points.mean(axis=1)
    middle /= max(1e-9, float(np.linalg.norm(middle)))
    reach = math.acos(min(1.0, max(-1.0, float((middle @ points).min()))))
    reach += shape.radius_m / EARTH_RADIUS_M * 1.01 if isinstance(shape, Circle) else 0.0
    if reach * EARTH_RADIUS_M > GEOID_REACH_M:
        return UNDULATION_WORLD_M
    steps = min(GEOID_STEPS_MAX, 3 + math.ceil(2.0 * reach * EARTH_RADIUS_M / GEOID_STEP_M))
    aside = np.cross(middle, (0.0, 0.0, 1.0) if abs(middle[2]) < 0.9 else (1.0, 0.0, 0.0))
    aside /= np.linalg.norm(aside)
    u, v = (axis.ravel() for axis in np.meshgrid(*(np.linspace(-1.0, 1.0, steps) * math.tan(reach),) * 2))
    x, y, z = middle[:, None] + aside[:, None] * u + np.cross(middle, aside)[:, None] * v
    values = undulation_m(np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x)))
    return float(values.min()), float(values.max())


def _cut(ring: Ring, edge_type: EdgeType) -> Ring:
    """Points so close along edges of this kind that shortest edges between them stay within the tolerance.

    The bow of such an edge is at most L²·tan φ / 8R; the root gives the length. Raises :class:`InputError` where there
    would be more points than any entity may have.
    """
    points: list[LonLat] = []
    for (lon_a, lat_a), (lon_b, lat_b) in zip(ring, (*ring[1:], ring[0])):
        east = lon_b - lon_a if edge_type is EdgeType.STRAIGHT else (lon_b - lon_a + 180.0) % 360.0 - 180.0
        if abs(east) > 180.0:
            east = (east + 180.0) % 360.0 - 180.0
        slope = SLANT * math.tan(math.radians(min(89.999, max(abs(lat_a), abs(lat_b), 1.0))))
        longest_m = math.sqrt(8.0 * EARTH_RADIUS_M * EDGE_TOLERANCE_M / slope)
        reach = math.radians(abs(east)) * math.cos(math.radians(min(abs(lat_a), abs(lat_b))))
        length_m = EARTH_RADIUS_M * math.hypot(math.radians(lat_b - lat_a), reach)
        pieces = 1 if abs(east) < 1e-9 else max(1, math.ceil(length_m / longest_m))
        if len(points) + pieces > PIECES_MAX:
            raise InputError(
                f"{edge_type} edges so long and so near a pole take more than {PIECES_MAX:,} shortest ones"
            )
        for k in range(pieces):
            lat = lat_a + (lat_b - lat_a) * k / pieces
            share = k / pieces
            if edge_type is EdgeType.RHUMB and abs(lat_b - lat_a) > 1e-9:
                share = (_mercator(lat) - _mercator(lat_a)) / (_mercator(lat_b) - _mercator(lat_a))
            points.append(((lon_a + east * share + 180.0) % 360.0 - 180.0, lat))
    return tuple(points)


def _mercator(lat_deg: float) -> float:
    return math.asinh(math.tan(math.radians(max(-89.999, min(89.999, lat_deg)))))

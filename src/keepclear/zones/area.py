"""The area of a zone on WGS84, its edges as they are declared: geodesic, rhumb or straight in longitude/latitude.

Method: authalic latitude keeps areas (Snyder, Map Projections: A Working Manual, eq. 3-11 and 3-12), so the area is
that of a sphere's outline: the integral of sin(latitude) over longitude along the edges, cut into short pieces.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from keepclear.space.geometry import Circle, EdgeType, Ring, Shape

__all__ = ["area_m2"]

_SEMI_MAJOR_M, _ECCENTRICITY_2 = 6_378_137.0, 0.00669437999014
_AXES_RATIO = math.sqrt(1.0 - _ECCENTRICITY_2)
PIECE_DEG = 0.02
"""Length to which edges are cut."""
PIECES_MAX = 4_000_000


def area_m2(shape: Shape) -> float:
    """Square metres within the shape's outline, holes taken out. A ring around a pole encloses the pole's side."""
    if isinstance(shape, Circle):
        # On the sphere that fits the ellipsoid best at the centre (its Gaussian curvature there).
        sine = math.sin(math.radians(shape.lat_deg))
        radius_m = _SEMI_MAJOR_M * math.sqrt(1.0 - _ECCENTRICITY_2) / (1.0 - _ECCENTRICITY_2 * sine * sine)
        return 2.0 * math.pi * radius_m**2 * (1.0 - math.cos(min(math.pi, shape.radius_m / radius_m)))
    outer = _ring_area_m2(shape.exterior, shape.edge_type)
    return max(0.0, outer - sum(_ring_area_m2(hole, shape.edge_type) for hole in shape.holes))


def _q(sine: float) -> float:
    e = math.sqrt(_ECCENTRICITY_2)
    return (1 - e * e) * (sine / (1 - (e * sine) ** 2) - math.log((1 - e * sine) / (1 + e * sine)) / (2 * e))


def _ring_area_m2(ring: Ring, edge_type: EdgeType) -> float:
    lon, lat = _dense(np.asarray(ring, dtype=np.float64), edge_type)
    e, sine = math.sqrt(_ECCENTRICITY_2), np.sin(np.radians(lat))
    q = (1 - e * e) * (sine / (1 - (e * sine) ** 2) - np.log((1 - e * sine) / (1 + e * sine)) / (2 * e))
    q_pole = _q(1.0)
    step = np.diff(lon, append=lon[:1])
    step = np.radians((step + 180.0) % 360.0 - 180.0)
    mean_q = (q + np.roll(q, -1)) / 2.0
    around = round(float(step.sum()) / (2.0 * math.pi))
    if around:
        pole = math.copysign(q_pole, float(lat.mean()))
        return float(abs(((pole - mean_q) * step).sum())) * _SEMI_MAJOR_M**2 / 2.0
    return float(abs((mean_q * step).sum())) * _SEMI_MAJOR_M**2 / 2.0


def _dense(
    ring: npt.NDArray[np.float64], edge_type: EdgeType
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Vertices close enough together that it no longer matters how they are joined."""
    following = np.roll(ring, -1, axis=0)
    step = following - ring
    step[:, 0] = (step[:, 0] + 180.0) % 360.0 - 180.0
    pieces = np.maximum(1, np.ceil(np.abs(step).max(axis=1) / PIECE_DEG)).astype(np.int64)
    if pieces.sum() > PIECES_MAX:
        pieces = np.maximum(1, pieces * PIECES_MAX // pieces.sum())
    edge = np.repeat(np.arange(len(ring)), pieces)
    part = (np.arange(len(edge)) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / pieces[edge]
    if edge_type is not EdgeType.GEODESIC:
        # A rhumb's latitude is even in isometric latitude, not in latitude: on a short piece the two agree, on a
        # long edge it is taken through the Mercator plane.
        if edge_type is EdgeType.RHUMB:
            return ring[edge, 0] + part * step[edge, 0], _rhumb_latitude(ring, following, edge, part)
        return ring[edge, 0] + part * step[edge, 0], ring[edge, 1] + part * step[edge, 1]
    start, end = _vectors(ring), _vectors(following)
    angle = np.arctan2(np.linalg.norm(np.cross(start, end), axis=1), (start * end).sum(axis=1))[edge]
    safe = np.where(np.sin(angle) > 1e-12, np.sin(angle), 1.0)
    weight_end = np.where(angle > 1e-9, np.sin(part * angle) / safe, part)
    weight_start = np.where(angle > 1e-9, np.sin((1.0 - part) * angle) / safe, 1.0 - part)
    point = start[edge] * weight_start[:, None] + end[edge] * weight_end[:, None]
    lon = np.degrees(np.arctan2(point[:, 1], point[:, 0]))
    return lon, np.degrees(np.arctan2(point[:, 2], np.hypot(point[:, 0], point[:, 1]) * _AXES_RATIO))


def _vectors(ring: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """On the auxiliary sphere of reduced latitudes, where geodesics are nearly great circles (Bessel 1825)."""
    lon, lat = np.radians(ring[:, 0]), np.arctan(_AXES_RATIO * np.tan(np.radians(ring[:, 1])))
    return np.stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)), axis=1)


def _rhumb_latitude(
    ring: npt.NDArray[np.float64], following: npt.NDArray[np.float64], edge: npt.NDArray[np.int64],
    part: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:  # fmt: skip
    """Latitudes at even parts of longitude along each rhumb line (on the sphere)."""

    def mercator(lat_deg: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.arcsinh(np.tan(np.radians(np.clip(lat_deg, -89.9999, 89.9999))))

    low, high = mercator(ring[:, 1])[edge], mercator(following[:, 1])[edge]
    latitude: npt.NDArray[np.float64] = np.degrees(np.arctan(np.sinh(low + part * (high - low))))
    return latitude

"""Outlines: the shapes of many zones as arrays that the kernels work on. One row is one shape.

Exact: circles (centre and geodesic radius, never a polygon), vertices, edges straight in longitude/latitude.
Within ``tolerance_m``: geodesic and rhumb edges, which become chains of edges straight in longitude/latitude.

Longitudes are unwrapped: a row's box begins in [-180, 180) and may end east of 180, so the antimeridian is an
ordinary place. An edge joins its vertices by the shorter way round. A ring that goes round a pole is closed over
the one whose side is smaller. Inside is even-odd over all rings of the row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepclear.errors import InputError
from keepclear.space.geometry import Circle, EdgeType, Polygon, Shape

__all__ = ["BEYOND_POLE_DEG", "CHUNK", "Outlines", "build_outlines"]

Floats = npt.NDArray[np.float64]

BEYOND_POLE_DEG = 91.0
"""Rings that hold a pole are closed here, so that the pole itself, at 90°, is inside and not on the edge."""
CHUNK = 16
"""Edges a bounding box: nearest-edge and crossing searches skip whole chunks."""

_KIND = {EdgeType.GEODESIC: 0, EdgeType.RHUMB: 1, EdgeType.STRAIGHT: 2}


@dataclass(frozen=True, slots=True)
class Outlines:
    """Rows of outlines in compressed rows; lengths in brackets: R rows, E edges, C chunks."""

    is_circle: npt.NDArray[np.uint8]
    """[R]"""
    circle: Floats
    """[R, 3] centre longitude and latitude (degrees) and radius (metres); nan for polygons"""
    box: Floats
    """[R, 4] west in [-180, 180), south, east (may exceed 180), north, degrees"""
    edge_start: npt.NDArray[np.int64]
    """[R + 1] edges of row r are edge_start[r] to edge_start[r + 1]; none for circles"""
    edges: Floats
    """[E, 4] longitude and latitude of the lower, then of the upper end, degrees"""
    slope: Floats
    """[E] degrees of longitude a degree of latitude; 0 for horizontal edges"""
    real: npt.NDArray[np.uint8]
    """[E] 0 for edges that only close a ring over a pole or along the seam of a full circle: no boundary there"""
    chunk_start: npt.NDArray[np.int64]
    """[R + 1]"""
    chunk_box: Floats
    """[C, 4] west, south, east, north of every CHUNK edges"""

    def __len__(self) -> int:
        return len(self.is_circle)


def build_outlines(shapes: Sequence[Shape], *, tolerance_m: float = 1.0) -> Outlines:
    """Outlines of the shapes, one row each, in their order.

    Raises :class:`InputError` where two neighbouring vertices of geodesic edges are antipodal (no one line).
    """
    from keepclear.space.kernels.lines import chunk_boxes

    n = len(shapes)
    is_circle = np.zeros(n, np.uint8)
    circle = np.full((n, 3), np.nan)
    box = np.empty((n, 4))
    edge_start = np.zeros(n + 1, np.int64)
    edge_parts: list[Floats] = []
    real_parts: list[npt.NDArray[np.uint8]] = []
    for row, shape in enumerate(shapes):
        edge_start[row + 1] = edge_start[row]
        if isinstance(shape, Circle):
            is_circle[row] = 1
            lon = shape.lon_deg if -180.0 <= shape.lon_deg < 180.0 else (shape.lon_deg + 180.0) % 360.0 - 180.0
            circle[row] = (lon, shape.lat_deg, shape.radius_m)
            box[row] = _circle_box(lon, shape.lat_deg, shape.radius_m)
            continue
        edges, real, box[row] = _polygon(shape, tolerance_m)
        edge_start[row + 1] += len(edges)
        edge_parts.append(edges)
        real_parts.append(real)
    edges = np.ascontiguousarray(np.concatenate(edge_parts)) if edge_parts else np.empty((0, 4))
    real = np.concatenate(real_parts) if real_parts else np.empty(0, np.uint8)
    rise = edges[:, 3] - edges[:, 1]
    slope = np.divide(edges[:, 2] - edges[:, 0], rise, out=np.zeros(len(edges)), where=rise > 0.0)
    chunk_start, chunk_box = chunk_boxes(edge_start, edges, CHUNK)
    return Outlines(is_circle, circle, box, edge_start, edges, slope, real, chunk_start, chunk_box)


def _polygon(shape: Polygon, tolerance_m: float) -> tuple[Floats, npt.NDArray[np.uint8], Floats]:
    """Edges (lower end first), which of them are real, and the box, all rings in one frame of longitudes."""
    from keepclear.space.kernels.lines import chain

    xs: list[Floats] = []
    ys: list[Floats] = []
    reals: list[npt.NDArray[np.uint8]] = []
    reference = math.nan
    for ring in (shape.exterior, *shape.holes):
        given = np.asarray(ring, dtype=np.float64)
        if shape.edge_type is EdgeType.GEODESIC:
            _refuse_antipodes(given)
        x, y = chain(
            np.ascontiguousarray(given[:, 0]), np.ascontiguousarray(given[:, 1]), _KIND[shape.edge_type], tolerance_m
        )
        real = np.ones(len(x) - 1, np.uint8)
        turn = x[-1] - x[0]
        y = np.where(y >= 90.0, BEYOND_POLE_DEG, np.where(y <= -90.0, -BEYOND_POLE_DEG, y))
        if abs(turn) > 180.0:
            # Round a pole: up the seam, along beyond the pole, and down again.
            mean = float(np.sum((np.sin(np.radians(y[:-1])) + np.sin(np.radians(y[1:]))) * np.diff(x))) / turn
            pole = BEYOND_POLE_DEG if mean >= 0.0 else -BEYOND_POLE_DEG
            x = np.concatenate([x, [x[-1], x[0], x[0]]])
            y = np.concatenate([y, [pole, pole, y[0]]])
            real = np.concatenate([real, np.zeros(3, np.uint8)])
        if math.isnan(reference):
            west = float(x.min())
            x = x - 360.0 * math.floor((west + 180.0) / 360.0)
            reference = 0.5 * float(x.min() + x.max())
        else:
            # A hole lies in the frame of its outer ring.
            x = x + 360.0 * round((reference - 0.5 * float(x.min() + x.max())) / 360.0)
        xs.append(x)
        ys.append(y)
        reals.append(real)
    west, east = min(float(x.min()) for x in xs), max(float(x.max()) for x in xs)
    shift = -360.0 * math.floor((west + 180.0) / 360.0)
    x0 = np.concatenate([x[:-1] for x in xs]) + shift
    x1 = np.concatenate([x[1:] for x in xs]) + shift
    y0, y1 = np.concatenate([y[:-1] for y in ys]), np.concatenate([y[1:] for y in ys])
    west, east = west + shift, east + shift
    real = np.concatenate(reals)
    if east - west >= 360.0 - 1e-9:
        seam = (x0 == x1) & ((x0 <= west + 1e-9) | (x0 >= east - 1e-9))
        real[seam] = 0
    real[(np.abs(y0) >= 90.0) & (np.abs(y1) >= 90.0)] = 0
    up = y0 <= y1
    edges = np.stack([np.where(up, x0, x1), np.where(up, y0, y1), np.where(up, x1, x0), np.where(up, y1, y0)], axis=1)
    keep = (x0 != x1) | (y0 != y1)
    south, north = max(-90.0, float(edges[:, 1].min())), min(90.0, float(edges[:, 3].max()))
    return edges[keep], real[keep], np.array([west, south, east, north])


def _refuse_antipodes(ring: Floats) -> None:
    following = np.roll(ring, -1, axis=0)
    apart = np.abs(np.abs(following[:, 0] - ring[:, 0]) - 180.0)
    bad = np.flatnonzero((apart < 0.7) & (np.abs(following[:, 1] + ring[:, 1]) < 0.7))
    if len(bad):
        k = int(bad[0])
        raise InputError(
            f"vertices {k + 1} and {(k + 1) % len(ring) + 1} lie opposite each other on Earth: "
            "no one shortest line joins them; add a vertex between them"
        )


def _circle_box(lon: float, lat: float, radius_m: float) -> tuple[float, float, float, float]:
    """A box that holds the circle, a little too large."""
    # The shortest degree of latitude is 110.57 km (at the equator); a degree of the sphere used for the
    # longitudes is taken shorter than any on the ellipsoid.
    reach = radius_m / 110_500.0 + 1e-9
    south, north = lat - reach, lat + reach
    half = 180.0
    if north < 90.0 and south > -90.0:
        sine = math.sin(math.radians(min(90.0, reach * 1.01))) / math.cos(math.radians(lat))
        if sine < 1.0:
            half = min(180.0, math.degrees(math.asin(sine)) * 1.001 + 1e-9)
    if half >= 180.0:
        return (-180.0, max(-90.0, south), 180.0, min(90.0, north))
    west = lon - half
    if west < -180.0:
        west += 360.0
    return (west, south, west + 2.0 * half, north)

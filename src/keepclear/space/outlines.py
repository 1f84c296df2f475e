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
from itertools import chain

import numpy as np
import numpy.typing as npt

from keepclear.errors import InputError
from keepclear.space.geometry import Circle, EdgeType, Polygon, Shape

__all__ = ["BEYOND_POLE_DEG", "CHUNK", "KIND", "POLE_LAT_DEG", "Outlines", "build_outlines", "opposite_vertices"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BEYOND_POLE_DEG = 91.0
"""Rings that hold a pole are closed here, so that the pole itself, at 90°, is inside and not on the edge."""
CHUNK = 16
"""Edges a bounding box: nearest-edge and crossing searches skip whole chunks."""

AXIS_DEG = 1e-12
"""Nearer to the equator or the prime meridian than this (0.1 µm) a vertex lies on it: an edge that rises by a subnormal
number has no slope that a double holds, and where it is crossed could not be said."""

OPPOSITE_DEG = 0.7
"""From nearer to the antipode than this (78 km) several ways are about equally short, and the iteration that finds the
shortest may not settle (within some 0.6° of longitude at the equator)."""
POLE_LAT_DEG = 89.999999999
"""Nearer to a pole than this (0.1 mm) an end of a geodesic or rhumb line lies on it."""

KIND = {EdgeType.GEODESIC: 0, EdgeType.RHUMB: 1, EdgeType.STRAIGHT: 2}


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
    """[E] 0 for edges that only close a ring beyond a pole or beyond a seam: no boundary there"""
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
    from keepclear.space.kernels.polygons import lay_polygons

    n = len(shapes)
    is_circle = np.fromiter((isinstance(s, Circle) for s in shapes), np.uint8, n)
    circle = np.full((n, 3), np.nan)
    box = np.empty((n, 4))
    for row in np.flatnonzero(is_circle).tolist():
        shape = shapes[row]
        assert isinstance(shape, Circle)
        lon = shape.lon_deg if -180.0 <= shape.lon_deg < 180.0 else (shape.lon_deg + 180.0) % 360.0 - 180.0
        circle[row] = (lon, shape.lat_deg, shape.radius_m)
        box[row] = _circle_box(lon, shape.lat_deg, shape.radius_m)
    polygons = [s for s in shapes if isinstance(s, Polygon)]
    rings = [ring for p in polygons for ring in (p.exterior, *p.holes)]
    ring_start = _starts([len(ring) for ring in rings])
    vertex = np.fromiter(chain.from_iterable(chain.from_iterable(rings)), np.float64, 2 * int(ring_start[-1]))
    vertex[np.abs(vertex) < AXIS_DEG] = 0.0
    vertex = vertex.reshape(-1, 2)
    polygon_start = _starts([1 + len(p.holes) for p in polygons])
    kind = np.array([KIND[p.edge_type] for p in polygons], np.int64)
    _refuse_opposite(vertex, ring_start, np.repeat(kind, np.diff(polygon_start)))
    edges, real, first, box[is_circle == 0] = lay_polygons(
        vertex, ring_start, polygon_start, kind, float(tolerance_m), BEYOND_POLE_DEG
    )
    count = np.zeros(n, np.int64)
    count[is_circle == 0] = np.diff(first)
    edge_start = _starts(count)
    rise = edges[:, 3] - edges[:, 1]
    slope = np.divide(edges[:, 2] - edges[:, 0], rise, out=np.zeros(len(edges)), where=rise > 0.0)
    chunk_start, chunk_box = chunk_boxes(edge_start, edges, CHUNK)
    return Outlines(is_circle, circle, box, edge_start, edges, slope, real, chunk_start, chunk_box)


def _starts(lengths: npt.ArrayLike) -> Ints:
    """Where each of the runs of these lengths begins, and the end of the last."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def _refuse_opposite(vertex: Floats, ring_start: Ints, kind: Ints) -> None:
    if len(vertex) == 0:
        return
    following = np.arange(1, len(vertex) + 1)
    following[ring_start[1:] - 1] = ring_start[:-1]
    lon, lat = vertex[:, 0], vertex[:, 1]
    bad = opposite_vertices(lon, lat, following, np.repeat(kind, np.diff(ring_start)))
    if bad.any():
        at = int(np.argmax(bad))
        ring = int(np.searchsorted(ring_start, at, side="right")) - 1
        k, n = at - int(ring_start[ring]), int(ring_start[ring + 1] - ring_start[ring])
        raise InputError(
            f"vertices {k + 1} and {(k + 1) % n + 1} lie opposite each other on Earth: "
            "no one shortest line joins them; add a vertex between them"
        )


def opposite_vertices(lon: Floats, lat: Floats, following: Ints, kind: Ints) -> npt.NDArray[np.bool_]:
    """Which vertices no one line of their kind joins to their following ones: those opposite on Earth, or nearly so.

    From a pole every meridian is the shortest line, so the other end says which; of two poles both must say the same.
    """
    x, y, z = _unit(lon, lat)
    # As a chord to the antipode, on the sphere.
    chord = (x[following] + x) ** 2 + (y[following] + y) ** 2 + (z[following] + z) ** 2
    least = np.where(kind == KIND[EdgeType.GEODESIC], math.radians(OPPOSITE_DEG) ** 2, 0.0)
    polar = np.abs(lat) >= POLE_LAT_DEG
    poles = polar & polar[following] & (lat * lat[following] < 0.0) & (kind != KIND[EdgeType.STRAIGHT])
    unclear = (chord < least) & ~(polar | polar[following]) | poles
    bad: npt.NDArray[np.bool_] = unclear & ((lon[following] - lon) % 360.0 != 0.0)
    return bad


def _unit(lon: Floats, lat: Floats) -> tuple[Floats, Floats, Floats]:
    a, b = np.radians(lon), np.radians(lat)
    return np.cos(b) * np.cos(a), np.cos(b) * np.sin(a), np.sin(b)


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

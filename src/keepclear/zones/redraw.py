"""Outlines drawn again for a format that joins its vertices by another kind of line.

A converted zone must lie where the given one lies: vertices are put into the edges until the other kind of line, too,
stays within a metre of them (sag = L²·tan φ / 8R: some 6 km on a 500 km edge at 50° N).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

from keepclear.quantities import EARTH_RADIUS_M
from keepclear.space.geodesy import FLATTENING
from keepclear.space.geometry import EdgeType, LonLat, Polygon, Ring, check_position

__all__ = ["REDRAWN_WITHIN_M", "redrawn"]

REDRAWN_WITHIN_M = 1.0
"""As near as arcs are drawn; outlines are published to a second of arc, 30 m."""
HALVINGS_MAX = 24
"""A degree is 1 cm then; a line that leads over a pole takes nearly as many."""
_WIDE_DEG = 8.0
"""Longer pieces are halved unasked, so that symmetry cannot fool the look at their middles."""
EVEN_PIECES_MAX = 5_000
"""More are looked for by halving: beside a pole most of them would be for nothing."""
_HIGH_RAD = math.radians(85.0)
_POLE_DEG = 89.999_999
_ECCENTRICITY = math.sqrt(FLATTENING * (2.0 - FLATTENING))

_Line = Callable[[float], LonLat]
"""A position by the fraction of the way; its longitude may be whole turns away."""


def redrawn(shape: Polygon, edge_type: EdgeType) -> tuple[Polygon, int]:
    """The polygon for edges of this kind, within :data:`REDRAWN_WITHIN_M`, and how many vertices were put in."""
    if shape.edge_type is edge_type:
        return shape, 0
    rings = [_ring(ring, shape.edge_type, edge_type) for ring in (shape.exterior, *shape.holes)]
    more = sum(map(len, rings)) - sum(map(len, (shape.exterior, *shape.holes)))
    return Polygon(rings[0], tuple(rings[1:]), edge_type), more


def _ring(ring: Ring, given: EdgeType, wanted: EdgeType) -> Ring:
    drawn: list[LonLat] = []
    for a, b in zip(ring, (*ring[1:], ring[0]), strict=True):
        drawn.append(a)
        pieces = _pieces(a, b)
        if pieces > EVEN_PIECES_MAX:
            between: Iterable[LonLat] = _between(a, b, given, wanted)
        elif pieces > 1:
            line = _line(a, b, given)
            between = (line(k / pieces) for k in range(1, pieces))
        else:
            continue
        drawn.extend(check_position(_step(lon), lat) for lon, lat in between)
    return tuple(drawn)


def _pieces(a: LonLat, b: LonLat) -> int:
    """Into how many even pieces lines of any two kinds between the positions are near enough to each other.

    Their curvatures differ by tan φ / R at most, so that the pieces' sags fall with the square of their number; taken
    at twice its size, at the highest latitude that the line may reach.
    """
    east, north = math.radians(abs(_step(b[0] - a[0]))), math.radians(abs(b[1] - a[1]))
    low, high = sorted((abs(math.radians(a[1])), abs(math.radians(b[1]))))
    high += 0.5 * (east + north)
    if high > _HIGH_RAD:
        return EVEN_PIECES_MAX + 1 if east else 1
    sag_m = EARTH_RADIUS_M * east * (east + 2.0 * north) * math.sin(high) / 4.0
    if sag_m <= REDRAWN_WITHIN_M:
        return 1
    return math.ceil(math.sqrt(sag_m / REDRAWN_WITHIN_M) * math.cos(low) / math.cos(high))


def _between(a: LonLat, b: LonLat, given: EdgeType, wanted: EdgeType) -> Iterator[LonLat]:
    """Positions on the given line between a and b, from each of which the wanted line to the next is near enough."""
    line = _line(a, b, given)
    pieces = [(0.0, a, 1.0, b, 0)]
    while pieces:
        t0, p, t1, q, halvings = pieces.pop()
        looks = [(line(t0 + u * (t1 - t0)), u) for u in (0.5, 0.25)]
        chord = _line(p, q, wanted)
        wide = max(abs(_step(q[0] - p[0])) * math.cos(math.radians(looks[0][0][1])), abs(q[1] - p[1])) > _WIDE_DEG
        if halvings < HALVINGS_MAX and (wide or any(_apart_m(at, chord(u)) > REDRAWN_WITHIN_M for at, u in looks)):
            middle = looks[0][0]
            half = 0.5 * (t0 + t1)
            pieces.append((half, middle, t1, q, halvings + 1))
            pieces.append((t0, p, half, middle, halvings + 1))
        elif t1 < 1.0:
            yield q


def _line(a: LonLat, b: LonLat, edge_type: EdgeType) -> _Line:
    east, north = _step(b[0] - a[0]), b[1] - a[1]
    if edge_type is EdgeType.GEODESIC:
        from geographiclib.geodesic import Geodesic

        wanted = Geodesic.LATITUDE | Geodesic.LONGITUDE
        line = Geodesic.WGS84.InverseLine(a[1], a[0], b[1], b[0], wanted | Geodesic.DISTANCE_IN)

        def geodesic(t: float) -> LonLat:
            at = line.Position(t * line.s13, wanted)
            return float(at["lon2"]), float(at["lat2"])

        return geodesic
    if edge_type is EdgeType.RHUMB and abs(north) > 1e-9:
        begin, end = _isometric(a[1]), _isometric(b[1])

        def rhumb(t: float) -> LonLat:
            lat = a[1] + t * north
            return a[0] + east * (_isometric(lat) - begin) / (end - begin), lat

        return rhumb
    return lambda t: (a[0] + t * east, a[1] + t * north)


def _isometric(lat_deg: float) -> float:
    """Isometric latitude on the ellipsoid, radians (Snyder, «Map projections», 1987, eq. 7-7)."""
    lat = math.radians(max(-_POLE_DEG, min(_POLE_DEG, lat_deg)))
    return math.asinh(math.tan(lat)) - _ECCENTRICITY * math.atanh(_ECCENTRICITY * math.sin(lat))


def _apart_m(p: LonLat, q: LonLat) -> float:
    """Metres between positions that lie close together."""
    east = math.radians(_step(q[0] - p[0])) * math.cos(math.radians(0.5 * (p[1] + q[1])))
    return EARTH_RADIUS_M * math.hypot(east, math.radians(q[1] - p[1]))


def _step(lon_deg: float) -> float:
    """The longitude, or step of longitude, within half a turn; one of exactly half a turn keeps its side."""
    return lon_deg - 360.0 * round(lon_deg / 360.0)

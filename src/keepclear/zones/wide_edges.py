"""Edges half round the Earth and more, in the formats whose edges run straight in longitude and latitude.

Longitudes are stored in [-180, 180), which forgets the side on which such an edge was drawn: a box from 0° to 180°
would come out as the other half of the Earth, and one from -180° to 180° as nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from keepclear.space.geometry import EdgeType

__all__ = ["keep_direction"]

_THE_SHORT_WAY = "an edge of more than 180° of longitude is read as going the short way, over the antimeridian"
_POLE_DEG = 90.0


def keep_direction(
    rings: Sequence[Sequence[Sequence[float]]], edge_type: EdgeType, warnings: list[str]
) -> Sequence[Sequence[Sequence[float]]]:
    """The rings, with vertices put into every edge of exactly 180° or 360° of longitude, which is read as drawn.

    Edges in between go the short way and are told once: outlines over the antimeridian are often left uncut,
    whatever RFC 7946 §3.1.9 says.
    """
    if edge_type is EdgeType.GEODESIC:
        return rings
    drawn = [_with_vertices(ring) for ring in rings]
    if _THE_SHORT_WAY not in warnings and any(
        180.0 < abs(b[0] - a[0]) < 360.0 and not (a[1] == b[1] and abs(a[1]) == _POLE_DEG)
        for ring in drawn
        for a, b in pairwise(ring)
    ):
        warnings.append(_THE_SHORT_WAY)
    return drawn


def _with_vertices(ring: Sequence[Sequence[float]]) -> Sequence[Sequence[float]]:
    wide = [k for k in range(1, len(ring)) if abs(ring[k][0] - ring[k - 1][0]) in (180.0, 360.0)]
    if not wide:
        return ring
    drawn = list(ring)
    for k in reversed(wide):
        (x0, y0), (x1, y1) = ring[k - 1][:2], ring[k][:2]
        steps = 2 if abs(x1 - x0) == 180.0 else 3
        drawn[k:k] = [[x0 + (x1 - x0) * s / steps, y0 + (y1 - y0) * s / steps] for s in range(1, steps)]
    return drawn

"""Rings whose edges are great ellipse arcs, from rings with geodesic, rhumb or longitude/latitude edges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from keepclear.detection.kernels.motion import RADIAN
from keepclear.space.kernels.geodesy import direct, inverse, wrap180
from keepclear.space.kernels.lines import isometric

__all__ = ["dense_ring", "dense_rows", "plain_ring"]

GEODESIC = 0
RHUMB = 1
PIECES_MAX = 20_000
"""an edge round the Earth in pieces of 2 km"""


@njit(cache=True, nogil=True, error_model="numpy")
def _pieces(lon0: float, lat0: float, lon1: float, lat1: float, kind: int, tolerance_m: float, arc_m: float) -> int:
    """Into how many arcs an edge must be cut."""
    across = wrap180(lon1 - lon0) * RADIAN * math.cos(0.5 * (lat0 + lat1) * RADIAN)
    far = 6.38e6 * math.sqrt(across * across + ((lat1 - lat0) * RADIAN) ** 2)
    if kind == GEODESIC:
        # near a pole the estimate above may be long, never short by more than the cosine's change
        return 1 if far < 0.5 * arc_m and max(abs(lat0), abs(lat1)) < 85.0 else int(2.2e7 / arc_m) + 1
    if lon0 == lon1:
        return int(far / arc_m) + 1
    # a line of constant bearing turns from the arc by tan φ / R a metre eastwards: sag = L² tan φ / 8R
    steep = min(89.9, max(abs(lat0), abs(lat1)))
    limit = math.sqrt(8.0 * 6.35e6 * tolerance_m / max(1e-9, math.tan(steep * RADIAN) + 0.5 * far / 6.35e6))
    return min(PIECES_MAX, int(far / min(limit, arc_m)) + 1)


@njit(cache=True, nogil=True, error_model="numpy")
def plain_ring(lon: Any, lat: Any, kind: int, tolerance_m: float, arc_m: float) -> bool:
    """Are all edges good as they are?"""
    n = len(lon)
    for k in range(n):
        f = k + 1 if k + 1 < n else 0
        if _pieces(lon[k], lat[k], lon[f], lat[f], kind, tolerance_m, arc_m) > 1:
            return False
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def dense_ring(lon: Any, lat: Any, kind: int, tolerance_m: float, arc_m: float) -> Any:
    """(lon, lat) with vertices added; nan where a geodesic between opposite points has no direction."""
    n = len(lon)
    count = np.empty(n, np.int64)
    for k in range(n):
        f = k + 1 if k + 1 < n else 0
        count[k] = _pieces(lon[k], lat[k], lon[f], lat[f], kind, tolerance_m, arc_m)
        if kind == GEODESIC and count[k] > 1:
            length, _, _ = inverse(lon[k], lat[k], lon[f], lat[f])
            count[k] = int(length / arc_m) + 1
    total = count.sum()
    x, y = np.empty(total), np.empty(total)
    at = 0
    for k in range(n):
        f = k + 1 if k + 1 < n else 0
        length, azimuth, known = 0.0, 0.0, True
        if kind == GEODESIC and count[k] > 1:
            length, azimuth, known = inverse(lon[k], lat[k], lon[f], lat[f])
        dx, dy = wrap180(lon[f] - lon[k]), lat[f] - lat[k]
        poles = abs(lat[k]) >= 90.0 or abs(lat[f]) >= 90.0
        m0, m1 = 0.0, 0.0
        if kind == RHUMB and not poles and dy != 0.0:
            m0, m1 = isometric(lat[k]), isometric(lat[f])
        for p in range(count[k]):
            t = p / count[k]
            if not known:
                x[at], y[at] = np.nan, np.nan
            elif p == 0:
                x[at], y[at] = lon[k], lat[k]
            elif kind == GEODESIC:
                x[at], y[at] = direct(lon[k], lat[k], azimuth, t * length)
            else:
                y[at] = lat[k] + t * dy
                along = t
                if m1 != m0:
                    along = (isometric(y[at]) - m0) / (m1 - m0)
                x[at] = lon[k] + along * dx
            at += 1
    return x, y


@njit(cache=True, nogil=True, error_model="numpy")
def dense_rows(start: Any, lon: Any, lat: Any, kind: int, tolerance_m: float, arc_m: float) -> Any:
    """Rows of one ring each, (start, lon, lat), made good: the same arrays where nothing is to be added."""
    n = len(start) - 1
    plain = True
    for i in range(n):
        a, b = start[i], start[i + 1]
        if not plain_ring(lon[a:b], lat[a:b], kind, tolerance_m, arc_m):
            plain = False
            break
    if plain:
        return start, lon, lat
    new_start = np.zeros(n + 1, np.int64)
    cap = 2 * len(lon) + 64
    x, y = np.empty(cap), np.empty(cap)
    at = 0
    for i in range(n):
        a, b = start[i], start[i + 1]
        px, py = dense_ring(lon[a:b], lat[a:b], kind, tolerance_m, arc_m)
        while at + len(px) > cap:
            cap *= 2
            wider_x, wider_y = np.empty(cap), np.empty(cap)
            wider_x[:at], wider_y[:at] = x[:at], y[:at]
            x, y = wider_x, wider_y
        x[at : at + len(px)], y[at : at + len(px)] = px, py
        at += len(px)
        new_start[i + 1] = at
    return new_start, x[:at], y[:at]

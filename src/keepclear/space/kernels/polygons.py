"""Edges of many polygons at once: rings become continuous chains, closed over poles, in one frame of longitudes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.space.kernels.geodesy import RAD
from keepclear.space.kernels.lines import chain

Floats = npt.NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def _chain_of(lon: Floats, lat: Floats, kind: int, tolerance_m: float, beyond_deg: float) -> tuple[Floats, Floats, int]:
    """The closed chain of a ring and how many of its last edges only close it over a pole."""
    x, y = chain(lon, lat, kind, tolerance_m)
    n = len(x)
    turn = x[n - 1] - x[0]
    for k in range(n):
        if abs(y[k]) >= 90.0:
            y[k] = math.copysign(beyond_deg, y[k])
    if abs(turn) <= 180.0:
        return x, y, 0
    # Round a pole, over the one whose side is smaller: up the seam, along beyond the pole, and down again.
    mean = 0.0
    for k in range(n - 1):
        mean += (math.sin(y[k] * RAD) + math.sin(y[k + 1] * RAD)) * (x[k + 1] - x[k])
    pole = beyond_deg if mean / turn >= 0.0 else -beyond_deg
    x2, y2 = np.empty(n + 3), np.empty(n + 3)
    x2[:n], y2[:n] = x, y
    x2[n], x2[n + 1], x2[n + 2] = x[n - 1], x[0], x[0]
    y2[n], y2[n + 1], y2[n + 2] = pole, pole, y[0]
    return x2, y2, 3


@njit(cache=True, nogil=True, error_model="numpy")
def lay_polygons(
    vertex: Floats, ring_start: Any, polygon_start: Any, kind: Any, tolerance_m: float, beyond_deg: float
) -> tuple[Floats, Any, Any, Floats]:
    """Edges [E, 4] (lower end first), which of them are real, where each polygon's begin, and boxes [P, 4].

    ``vertex`` is [V, 2] longitude, latitude; ring r is vertices ring_start[r] to ring_start[r + 1], polygon p rings
    polygon_start[p] to polygon_start[p + 1], its outer ring first.
    """
    polygons = len(kind)
    cap = 2 * len(vertex) + 64
    edges, real = np.empty((cap, 4)), np.empty(cap, np.uint8)
    start, box = np.zeros(polygons + 1, np.int64), np.empty((polygons, 4))
    n = 0
    for p in range(polygons):
        first = n
        reference = 0.0
        west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
        for r in range(polygon_start[p], polygon_start[p + 1]):
            a, b = ring_start[r], ring_start[r + 1]
            x, y, closing = _chain_of(vertex[a:b, 0].copy(), vertex[a:b, 1].copy(), kind[p], tolerance_m, beyond_deg)
            least, most = x.min(), x.max()
            if r == polygon_start[p]:
                move = -360.0 * math.floor((least + 180.0) / 360.0)
                reference = 0.5 * (least + most) + move
            else:
                # A hole lies in the frame of its outer ring.
                move = 360.0 * round((reference - 0.5 * (least + most)) / 360.0)
            west, east = min(west, least + move), max(east, most + move)
            m = len(x) - 1
            if n + m > cap:
                cap = 2 * cap + m
                edges2, real2 = np.empty((cap, 4)), np.empty(cap, np.uint8)
                edges2[:n], real2[:n] = edges[:n], real[:n]
                edges, real = edges2, real2
            for k in range(m):
                x0, y0, x1, y1 = x[k] + move, y[k], x[k + 1] + move, y[k + 1]
                south, north = min(south, y0, y1), max(north, y0, y1)
                if x0 == x1 and y0 == y1:
                    continue
                if y0 > y1:
                    x0, y0, x1, y1 = x1, y1, x0, y0
                edges[n, 0], edges[n, 1], edges[n, 2], edges[n, 3] = x0, y0, x1, y1
                beyond = abs(y0) >= 90.0 and abs(y1) >= 90.0
                real[n] = 0 if (k >= m - closing or beyond) else 1
                n += 1
        shift = -360.0 * math.floor((west + 180.0) / 360.0)
        west, east = west + shift, east + shift
        round_earth = east - west >= 360.0 - 1e-9
        for k in range(first, n):
            edges[k, 0] += shift
            edges[k, 2] += shift
            x0 = edges[k, 0]
            if round_earth and x0 == edges[k, 2] and (x0 <= west + 1e-9 or x0 >= east - 1e-9):
                real[k] = 0
        box[p] = (west, max(-90.0, south), east, min(90.0, north))
        start[p + 1] = n
    return edges[:n].copy(), real[:n].copy(), start, box

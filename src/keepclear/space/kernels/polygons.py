"""Edges of many polygons at once: rings become continuous chains in one frame of longitudes, no wider than a turn.

Most polygons are a piece of a plane. One that goes round a pole, or whose ring overtakes itself, is cut along a seam:
the meridian of its westernmost place. What crosses the seam goes on at its other side, and an edge beyond it, which is
no boundary, keeps the parity: from the crossing to beyond the pole that is inside. So even-odd holds on the cylinder.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.space.kernels.geodesy import RAD
from keepclear.space.kernels.lines import chain

Floats = npt.NDArray[np.float64]
SEAM_DEG = 1e-9
"""Nearer to the seam than this (0.1 mm) a vertex lies on it: whole turns are added with rounding."""


@njit(cache=True, nogil=True, error_model="numpy")
def _over_poles(x: Floats, y: Floats, beyond_deg: float) -> tuple[Floats, Floats]:
    """The chain with its edges along a pole, which are one place, drawn beyond it instead."""
    n = len(x)
    met = 0
    for k in range(n - 1):
        if abs(y[k]) >= 90.0 and y[k] == y[k + 1]:
            met += 1
    if met == 0:
        return x, y
    x2, y2 = np.empty(n + 2 * met), np.empty(n + 2 * met)
    m = 0
    for k in range(n):
        x2[m], y2[m] = x[k], y[k]
        m += 1
        if k + 1 < n and abs(y[k]) >= 90.0 and y[k] == y[k + 1]:
            x2[m], x2[m + 1] = x[k], x[k + 1]
            y2[m] = y2[m + 1] = math.copysign(beyond_deg, y[k])
            m += 2
    return x2, y2


@njit(cache=True, nogil=True, error_model="numpy")
def _side(x: Floats, y: Floats) -> float:
    """+1 or -1: the pole on whose side a ring round the poles leaves less of the Earth."""
    n = len(x)
    mean = 0.0
    for k in range(n - 1):
        low, high = min(90.0, max(-90.0, y[k])) * RAD, min(90.0, max(-90.0, y[k + 1])) * RAD
        # The mean of the sine along the edge.
        sine = math.sin(low) if abs(high - low) < 1e-6 else (math.cos(low) - math.cos(high)) / (high - low)
        mean += sine * (x[k + 1] - x[k])
    return 1.0 if mean / (x[n - 1] - x[0]) >= 0.0 else -1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _grown(edges: Floats, real: Any, used: int, need: int) -> tuple[Floats, Any]:
    if need <= len(edges):
        return edges, real
    edges2, real2 = np.empty((2 * need, 4)), np.empty(2 * need, np.uint8)
    edges2[:used], real2[:used] = edges[:used], real[:used]
    return edges2, real2


@njit(cache=True, nogil=True, error_model="numpy")
def _put(edges: Floats, real: Any, n: int, x0: float, y0: float, x1: float, y1: float, is_real: bool) -> int:
    """Writes an edge, lower end first, unless it has no length; the number of the next."""
    if x0 == x1 and y0 == y1:
        return n
    if y0 > y1:
        x0, y0, x1, y1 = x1, y1, x0, y0
    edges[n, 0], edges[n, 1], edges[n, 2], edges[n, 3] = x0, y0, x1, y1
    real[n] = 1 if is_real else 0
    return n + 1


@njit(cache=True, nogil=True, error_model="numpy")
def _turn(x: float, west: float) -> tuple[int, float]:
    """In which turn from the seam a longitude lies, and where it is in the first turn."""
    turns = (x - west) / 360.0
    near = round(turns)
    if abs(x - west - 360.0 * near) <= SEAM_DEG:
        return int(near), west
    k = math.floor(turns)
    return int(k), x - 360.0 * k


@njit(cache=True, nogil=True, error_model="numpy")
def _cut(
    edges: Floats, real: Any, n: int, seam: Floats, m: int, west: float, pole_deg: float, x0: float, y0: float,
    x1: float, y1: float,
) -> tuple[Floats, Any, int, Floats, int]:  # fmt: skip
    """Writes an edge in pieces within the turn that begins at ``west``; what lies on the seam goes to ``seam``."""
    k0, a = _turn(x0, west)
    k1, b = _turn(x1, west)
    edges, real = _grown(edges, real, n, n + 3 * abs(k1 - k0) + 1)
    is_real = abs(y0) <= 90.0 and abs(y1) <= 90.0
    east = west + 360.0
    x, y, k = a, y0, k0
    while k != k1:
        # A place on the seam belongs to the turn that begins there.
        meridian = west + 360.0 * (k + 1 if k1 > k else k)
        through = y0 if y0 == y1 else y0 + (meridian - x0) / (x1 - x0) * (y1 - y0)
        if k1 > k and k + 1 == k1 and b == west:
            through = y1
        elif k1 < k and k == k0 and a == west:
            through = y0
        through = min(max(y0, y1), max(min(y0, y1), through))
        n = _put(edges, real, n, x, y, east if k1 > k else west, through, is_real)
        n = _put(edges, real, n, east, through, east + 1.0, through, False)
        n = _put(edges, real, n, east + 1.0, through, east + 1.0, pole_deg, False)
        x, y = west if k1 > k else east, through
        k += 1 if k1 > k else -1
    if x == west and b == west:
        if is_real and y != y1:
            if m == len(seam):
                seam2 = np.empty((2 * m + 8, 2))
                seam2[:m] = seam
                seam = seam2
            seam[m, 0], seam[m, 1] = y, y1
            m += 1
    else:
        n = _put(edges, real, n, x, y, b, y1, is_real)
    return edges, real, n, seam, m


@njit(cache=True, nogil=True, error_model="numpy")
def lay_polygons(
    vertex: Floats, ring_start: Any, polygon_start: Any, kind: Any, tolerance_m: float, beyond_deg: float
) -> tuple[Floats, Any, Any, Floats]:
    """Edges [E, 4] (lower end first), which of them are real, where each polygon's begin, and boxes [P, 4].

    ``vertex`` is [V, 2] longitude, latitude; ring r is vertices ring_start[r] to ring_start[r + 1], polygon p rings
    polygon_start[p] to polygon_start[p + 1], its outer ring first.
    """
    polygons = len(kind)
    edges, real = np.empty((2 * len(vertex) + 64, 4)), np.empty(2 * len(vertex) + 64, np.uint8)
    start, box = np.zeros(polygons + 1, np.int64), np.empty((polygons, 4))
    xs, ys, ring_end = np.empty(256), np.empty(256), np.empty(16, np.int64)
    seam = np.empty((8, 2))
    n = 0
    for p in range(polygons):
        reference = 0.0
        west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
        used, rings, around, pole = 0, polygon_start[p + 1] - polygon_start[p], 0, 0.0
        if rings > len(ring_end):
            ring_end = np.empty(2 * rings, np.int64)
        for r in range(rings):
            a, b = ring_start[polygon_start[p] + r], ring_start[polygon_start[p] + r + 1]
            x, y = chain(vertex[a:b, 0].copy(), vertex[a:b, 1].copy(), kind[p], tolerance_m)
            x, y = _over_poles(x, y, beyond_deg)
            if round((x[len(x) - 1] - x[0]) / 360.0) % 2 != 0:
                around += 1
                if pole == 0.0:
                    pole = _side(x, y)
            least, most = x.min(), x.max()
            if r == 0:
                move = -360.0 * math.floor((least + 180.0) / 360.0)
                reference = 0.5 * (least + most) + move
            else:
                # A hole lies in the frame of its outer ring.
                move = 360.0 * round((reference - 0.5 * (least + most)) / 360.0)
            if used + len(x) > len(xs):
                xs2, ys2 = np.empty(2 * (used + len(x))), np.empty(2 * (used + len(x)))
                xs2[:used], ys2[:used] = xs[:used], ys[:used]
                xs, ys = xs2, ys2
            for k in range(len(x)):
                xs[used + k], ys[used + k] = x[k] + move, y[k]
            used += len(x)
            ring_end[r] = used
            west, east = min(west, least + move), max(east, most + move)
            south, north = min(south, y.min()), max(north, y.max())
        shift = -360.0 * math.floor((west + 180.0) / 360.0)
        # The sum above is rounded: a hair west of -180 it may count as a turn less.
        shift += 360.0 if west + shift < -180.0 else -360.0 if west + shift >= 180.0 else 0.0
        west, east = west + shift, east + shift
        edges, real = _grown(edges, real, n, n + used)
        whole = east - west >= 360.0 - SEAM_DEG
        pole_deg = -beyond_deg if pole < 0.0 else beyond_deg
        k, m = 0, 0
        for r in range(rings):
            while k + 1 < ring_end[r]:
                x0, y0, x1, y1 = xs[k] + shift, ys[k], xs[k + 1] + shift, ys[k + 1]
                k += 1
                if whole:
                    edges, real, n, seam, m = _cut(edges, real, n, seam, m, west, pole_deg, x0, y0, x1, y1)
                else:
                    n = _put(edges, real, n, x0, y0, x1, y1, abs(y0) <= 90.0 and abs(y1) <= 90.0)
            k += 1
        if whole:
            east = west + 360.0
            if around % 2 == 1:
                south, north = (-90.0, north) if pole < 0.0 else (south, 90.0)
            # Where two edges lie along the seam upon each other, neither is a boundary.
            ends = np.sort(seam[:m].copy().reshape(-1))
            edges, real = _grown(edges, real, n, n + m)
            for e in range(0, 2 * m, 2):
                n = _put(edges, real, n, west, ends[e], west, ends[e + 1], True)
        box[p] = (west, max(-90.0, south), east, min(90.0, north))
        start[p + 1] = n
    return edges[:n].copy(), real[:n].copy(), start, box

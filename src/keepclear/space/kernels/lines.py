"""Edges of every kind turned into chains that are straight in longitude and latitude, and distances for columns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.space.kernels.geodesy import RAD, F, direct, distance, inverse, radii, wrap180
from keepclear.space.outlines import POLE_LAT_DEG

GEODESIC, RHUMB, STRAIGHT = 0, 1, 2
DEPTH_MAX = 20
PIECE_MAX_DEG = 8.0
"""Longer pieces are halved unasked, so that the sampled check for the chord error cannot be fooled by symmetry."""
E1 = math.sqrt(F * (2.0 - F))
Floats = npt.NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def distances(lon1: Floats, lat1: Floats, lon2: Floats, lat2: Floats) -> Floats:
    out = np.empty(len(lon1))
    for i in range(len(lon1)):
        if lon1[i] + lat1[i] + lon2[i] + lat2[i] == lon1[i] + lat1[i] + lon2[i] + lat2[i]:
            out[i] = distance(lon1[i], lat1[i], lon2[i], lat2[i])
        else:
            out[i] = np.nan
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def isometric(lat_deg: float) -> float:
    """Isometric latitude on the ellipsoid (Snyder, «Map projections», 1987, eq. 7-7), radians."""
    lat = min(POLE_LAT_DEG, max(-POLE_LAT_DEG, lat_deg)) * RAD
    s = math.sin(lat)
    return math.asinh(math.tan(lat)) - E1 * math.atanh(E1 * s)


@njit(cache=True, nogil=True, error_model="numpy")
def _away(x: float, y: float, px: float, py: float, scale_lat: float) -> float:
    """Metres between two positions that lie close together."""
    m, n = radii(scale_lat)
    dx = (x - px) * RAD * n * math.cos(scale_lat * RAD)
    dy = (y - py) * RAD * m
    return math.sqrt(dx * dx + dy * dy)


@njit(cache=True, nogil=True, error_model="numpy")
def _on_edge(
    kind: int, t: float, x0: float, y0: float, x1: float, y1: float, azimuth: float, length: float, p0: float, p1: float
) -> tuple[float, float]:
    """The point at fraction t of an edge: of its length (geodesic) or of its latitude (rhumb)."""
    if kind == GEODESIC:
        x, y = direct(x0, y0, azimuth, t * length)
        return x, y
    y = y0 + t * (y1 - y0)
    return x0 + (x1 - x0) * (isometric(y) - p0) / (p1 - p0), y


@njit(cache=True, nogil=True, error_model="numpy")
def _pole(lat_deg: float) -> float:
    """±90 at a pole, else 0."""
    return math.copysign(90.0, lat_deg) if abs(lat_deg) >= POLE_LAT_DEG else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _turned(lon: float, near: float) -> float:
    """The longitude on that of its turns that is nearest."""
    return lon + 360.0 * round((near - lon) / 360.0)


@njit(cache=True, nogil=True, error_model="numpy")
def chain(lon: Floats, lat: Floats, kind: int, tolerance_m: float) -> tuple[Floats, Floats]:
    """One ring as a continuous closed chain: the first vertex comes again at the end, whole turns away if the ring
    goes round a pole. Between its points the edges stay within ``tolerance_m`` of straight in lon/lat."""
    n = len(lon)
    cap = 4 * n + 64
    xs, ys = np.empty(cap), np.empty(cap)
    # A geodesic or a rhumb line comes to a pole along a meridian and leaves it along another: the longitude stated of
    # the pole says nothing, but where the line leads from pole to pole.
    first = 0
    if kind != STRAIGHT:
        while first < n and _pole(lat[first]) != 0.0:
            first += 1
        if first == n:
            first = 0
            while first + 1 < n and _pole(lat[first]) == _pole(lat[first + 1]):
                first += 1
    xs[0], ys[0] = wrap180(lon[first]), lat[first]
    if kind != STRAIGHT and _pole(lat[first]) != 0.0:
        ys[0] = _pole(lat[first])
    k = 1
    # A stack of the fractions still to be reached on the present edge, nearest on top.
    stack_t = np.empty(4 * DEPTH_MAX + 64)
    stack_d = np.empty(4 * DEPTH_MAX + 64, np.int64)
    for edge in range(n):
        e = first + edge if first + edge < n else first + edge - n
        f = e + 1 if e + 1 < n else 0
        if k + 4 > cap:
            cap *= 2
            nx, ny = np.empty(cap), np.empty(cap)
            nx[:k], ny[:k] = xs[:k], ys[:k]
            xs, ys = nx, ny
        x0, y0, y1 = xs[k - 1], ys[k - 1], lat[f]
        step = lon[f] - lon[e]
        leaves, reaches = _pole(lat[e]), _pole(y1)
        if kind != STRAIGHT and (leaves != 0.0 or reaches != 0.0):
            if leaves == 0.0:
                xs[k], ys[k] = x0, reaches
                k += 1
            elif leaves != reaches:
                xs[k], ys[k] = _turned(lon[f], x0 + wrap180(lon[f] - x0)), leaves
                xs[k + 1], ys[k + 1] = xs[k], y1 if reaches == 0.0 else reaches
                k += 2
            continue
        if kind == STRAIGHT and (abs(step) == 360.0 or abs(step) == 180.0) and lon[e] + step == lon[f]:
            pass  # as it is written: the seam of a whole-Earth ring, or half a turn whose side is given
        else:
            step = wrap180(step)
            if step == -180.0 and kind == RHUMB:
                step = 180.0
        # The vertex itself on one of its turns: steps added up would stray.
        x1 = _turned(lon[f], x0 + step)
        if kind == GEODESIC and abs(step) == 180.0:
            # Over the pole.
            xs[k], xs[k + 1], xs[k + 2] = x0, x1, x1
            ys[k] = ys[k + 1] = 90.0 if y0 + y1 > 0.0 else -90.0
            ys[k + 2] = y1
            k += 3
            continue
        top = max(abs(y0), abs(y1))
        split = kind != STRAIGHT and (abs(step) > 1e-9)
        if kind == RHUMB and abs(y1 - y0) < 1e-9:
            split = False
        azimuth, length, p0, p1 = 0.0, 0.0, 0.0, 0.0
        if split:
            # Most edges are short: sag = L·L_east·tan φ / 8R, at twice its size to be on the safe side.
            m, nn = radii(top)
            east = abs(step) * RAD * nn * math.cos(min(abs(y0), abs(y1)) * RAD)
            north = abs(y1 - y0) * RAD * m
            reach = math.sqrt(east * east + north * north)
            high = top + reach / 220_000.0
            if high < 89.0 and reach < 300_000.0:
                split = reach * east * math.tan(high * RAD) / (4.0 * 6.33e6) > tolerance_m
        if split:
            if kind == GEODESIC:
                length, azimuth, valid = inverse(x0, y0, x1, y1)
                if not valid:
                    split = False
            else:
                p0, p1 = isometric(y0), isometric(y1)
        if split:
            pieces = 1
            reach_deg = length / 111_000.0 if kind == GEODESIC else abs(y1 - y0)
            if reach_deg > PIECE_MAX_DEG:
                pieces = int(reach_deg / PIECE_MAX_DEG) + 1
            px, py, pt = x0, y0, 0.0
            for piece in range(pieces):
                top_of_stack = 0
                stack_t[0], stack_d[0] = (piece + 1.0) / pieces, 0
                while top_of_stack >= 0:
                    t, depth = stack_t[top_of_stack], stack_d[top_of_stack]
                    if t >= 1.0:
                        qx, qy = x1, y1
                    else:
                        qx, qy = _on_edge(kind, t, x0, y0, x1, y1, azimuth, length, p0, p1)
                        qx = px + wrap180(qx - px)
                    good = True
                    if depth < DEPTH_MAX:
                        for part in range(2):
                            u = 0.5 if part == 0 else 0.25
                            rx, ry = _on_edge(kind, pt + u * (t - pt), x0, y0, x1, y1, azimuth, length, p0, p1)
                            rx = px + wrap180(rx - px)
                            sx = px + u * (px + wrap180(qx - px) - px)
                            if _away(rx, ry, sx, py + u * (qy - py), ry) > tolerance_m:
                                good = False
                                break
                    if good:
                        if t >= 1.0:
                            # End exactly on the given vertex; its turn follows from the way taken.
                            qx = px + wrap180(x1 - px)
                            qx = x1 + 360.0 * round((qx - x1) / 360.0)
                        else:
                            if k == cap:
                                cap *= 2
                                nx, ny = np.empty(cap), np.empty(cap)
                                nx[:k], ny[:k] = xs[:k], ys[:k]
                                xs, ys = nx, ny
                            xs[k], ys[k] = qx, qy
                            k += 1
                        px, py, pt = qx, qy, t
                        top_of_stack -= 1
                        x1 = qx if t >= 1.0 else x1
                    else:
                        stack_d[top_of_stack] = depth + 1
                        top_of_stack += 1
                        stack_t[top_of_stack] = pt + 0.5 * (t - pt)
                        stack_d[top_of_stack] = depth + 1
        if k == cap:
            cap *= 2
            nx, ny = np.empty(cap), np.empty(cap)
            nx[:k], ny[:k] = xs[:k], ys[:k]
            xs, ys = nx, ny
        xs[k], ys[k] = x1, y1
        k += 1
    if kind != STRAIGHT and _pole(ys[k - 1]) != 0.0:
        # A ring of poles alone.
        xs[k], ys[k] = _turned(xs[0], xs[k - 1] + wrap180(xs[0] - xs[k - 1])), ys[k - 1]
        k += 1
    return xs[:k].copy(), ys[:k].copy()


@njit(cache=True, nogil=True, error_model="numpy")
def chunk_boxes(edge_start: npt.NDArray[np.int64], edges: Floats, size: int) -> tuple[Any, Floats]:
    """Boxes (west, south, east, north) of every ``size`` edges of a row, and where each row's boxes begin."""
    rows = len(edge_start) - 1
    start = np.zeros(rows + 1, np.int64)
    for z in range(rows):
        start[z + 1] = start[z] + (edge_start[z + 1] - edge_start[z] + size - 1) // size
    box = np.empty((start[rows], 4))
    for z in range(rows):
        for c in range(start[z], start[z + 1]):
            a = edge_start[z] + (c - start[z]) * size
            b = min(a + size, edge_start[z + 1])
            w, s, e, n = np.inf, np.inf, -np.inf, -np.inf
            for k in range(a, b):
                w, e = min(w, edges[k, 0], edges[k, 2]), max(e, edges[k, 0], edges[k, 2])
                s, n = min(s, edges[k, 1], edges[k, 3]), max(n, edges[k, 1], edges[k, 3])
            box[c] = (w, s, e, n)
    return start, box

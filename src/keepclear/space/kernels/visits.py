"""The archive kernel: visits of recorded tracks to rows of outlines, with exact entries and exits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.space.kernels.geodesy import wrap180
from keepclear.space.kernels.motion import along, candidates, crossings, cut, inside_row, pieces_needed
from keepclear.space.kernels.raster import Raster

Floats = npt.NDArray[np.float64]

# Columns of an open visit and of the result.
TRACK, ROW, FIRST, LAST, ENTERED, LEFT, AT_END = 0, 1, 2, 3, 4, 5, 6
ENTER, EXIT, ENTER_LON, ENTER_LAT, EXIT_LON, EXIT_LAT, INSIDE = 0, 1, 2, 3, 4, 5, 6
TOUCHING_S = 1e-6
"""Stays this close together are one: a float of POSIX seconds resolves 0.24 µs."""


@njit(cache=True, nogil=True, error_model="numpy")
def _grow(ints: Any, floats: Floats) -> tuple[Any, Floats]:
    n = len(ints)
    ints2, floats2 = np.empty((2 * n + 8, 7), np.int64), np.empty((2 * n + 8, 7))
    ints2[:n], floats2[:n] = ints, floats
    return ints2, floats2


@njit(cache=True, nogil=True, error_model="numpy")
def band(v0: float, v1: float, limit: float, below: bool) -> tuple[float, float]:
    """Fractions of a linear change v0 → v1 where the value is ≤ limit (``below``) or ≥ limit; nan is possible
    anywhere. An empty span has its end before its beginning."""
    if not below:
        v0, v1, limit = -v0, -v1, -limit
    if not (v0 > limit or v1 > limit):  # also where either is nan
        return 0.0, 1.0
    if v0 > limit and v1 > limit:
        return 1.0, 0.0
    if not (v0 == v0 and v1 == v1):
        return 0.0, 1.0
    f = (limit - v0) / (v1 - v0)
    if v0 <= limit:
        return 0.0, f
    return f, 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def in_limits(limits: Floats, z: int, low0: float, low1: float, high0: float, high1: float) -> tuple[float, float]:
    """Fractions of a motion whose altitude band touches the band of row z."""
    a0, a1 = band(low0, low1, limits[z, 1], True)
    b0, b1 = band(high0, high1, limits[z, 0], False)
    return max(a0, b0), min(a1, b1)


@njit(cache=True, nogil=True, error_model="numpy")
def visits_block(
    ix: Raster,
    k0: int,
    k1: int,
    lon: Floats,
    lat: Floats,
    low: Floats,
    high: Floats,
    time: Floats,
    start: Any,
    break_before: Any,
    merge_gap_s: float,
    tolerance_m: float,
    most_edges: int,
) -> tuple[Any, Floats]:
    """Visits of tracks k0 to k1; see :meth:`keepclear.space.index.OutlineIndex.visits`."""
    out_i, out_f = np.empty((64, 7), np.int64), np.empty((64, 7))
    n_out = 0
    open_i, open_f = np.empty((16, 7), np.int64), np.empty((16, 7))
    n_open = 0
    n_rows = len(ix.box)
    seen = np.full(n_rows, -1, np.int64)
    whole = np.zeros(n_rows, np.int64)
    rows = np.empty(64, np.int64)
    us = np.empty(2 * most_edges + 8)
    stamp = 0
    gap = max(merge_gap_s, TOUCHING_S)
    x0, y0, inv, nx, ny = ix.x0, ix.y0, ix.inverse_cell, ix.nx, ix.ny
    quiet = ix.quiet
    limits = ix.limits
    for track in range(k0, k1):
        a, b = start[track], start[track + 1]
        before = -1
        run_start = a
        was_bad = False
        for i in range(a, b):
            # The cell with a margin of one around the raster, clamped: outside it lie large, quiet cells.
            gx = lon[i] - x0
            if gx < 0.0:
                gx += 360.0
            elif gx >= 360.0:
                gx -= 360.0
            fx, fy = gx * inv + 1.0, (lat[i] - y0) * inv + 1.0
            bad = not (fx < 1e9 and fy < 1e9)
            if bad:
                fx, fy = 0.0, 0.0
            fx = min(fx, nx + 1.0)
            fy = min(max(fy, 0.0), ny + 1.0)
            cell = int(fy) * (nx + 2) + int(fx)
            breaks = i == a or break_before[i] != 0 or bad or was_bad
            was_bad = bad
            if n_open == 0 and not breaks and cell == before and quiet[cell] == 1:
                if abs(lat[i] - lat[i - 1]) * inv <= 1.0 and abs(lon[i] - lon[i - 1]) * inv <= 1.0:
                    continue
            before = cell
            if breaks:
                # Nothing is known between here and the report before: visits end there unseen.
                for v in range(n_open):
                    ended_at = i - 1
                    open_i[v, LEFT] = 0 if (open_i[v, AT_END] == 1 and open_i[v, LAST] == ended_at) else 1
                    if n_out == len(out_i):
                        out_i, out_f = _grow(out_i, out_f)
                    out_i[n_out], out_f[n_out] = open_i[v], open_f[v]
                    n_out += 1
                n_open = 0
                run_start = i
                alone = i + 1 == b or break_before[i + 1] != 0 or not (lon[i + 1] + lat[i + 1] < 1e9)
                if bad or not alone or quiet[cell] == 1:
                    continue
            stamp += 1
            if breaks:
                # A report that no line leads to or from: a visit of no length.
                found, cells, rows = candidates(ix, lon[i], lat[i], lon[i], lat[i], stamp, seen, whole, rows)
                for r in range(found):
                    z = rows[r]
                    if (
                        low[i] > limits[z, 1]
                        or high[i] < limits[z, 0]
                        or time[i] < limits[z, 2]
                        or time[i] > limits[z, 3]
                    ):
                        continue
                    if not inside_row(ix, z, lon[i], lat[i]):
                        continue
                    if n_out == len(out_i):
                        out_i, out_f = _grow(out_i, out_f)
                    out_i[n_out] = (track, z, i, i, 0, 0, 1)
                    x = wrap180(lon[i])
                    out_f[n_out] = (time[i], time[i], x, lat[i], x, lat[i], 0.0)
                    n_out += 1
                continue
            t0, t1 = time[i - 1], time[i]
            xa, ya, yb = lon[i - 1], lat[i - 1], lat[i]
            xb = xa + wrap180(lon[i] - xa)
            # Visits that ended too long ago to be taken up again.
            v = 0
            while v < n_open:
                if open_f[v, EXIT] < t0 - gap:
                    open_i[v, LEFT] = 1
                    if n_out == len(out_i):
                        out_i, out_f = _grow(out_i, out_f)
                    out_i[n_out], out_f[n_out] = open_i[v], open_f[v]
                    n_out += 1
                    n_open -= 1
                    open_i[v], open_f[v] = open_i[n_open], open_f[n_open]
                else:
                    v += 1
            pieces, nearest = pieces_needed(xa, ya, xb, yb, tolerance_m)
            px, py = xa, ya
            for piece in range(pieces):
                f0, f1 = cut(piece, pieces, nearest), cut(piece + 1, pieces, nearest)
                if piece + 1 == pieces:
                    # The same place as xb, on the turn the way has taken.
                    qx, qy = px + wrap180(xb - px), yb
                else:
                    qx, qy = along(xa, ya, xb, yb, f1)
                    qx = px + wrap180(qx - px)
                stamp += 1
                found, cells, rows = candidates(ix, px, py, qx, qy, stamp, seen, whole, rows)
                for r in range(found):
                    z = rows[r]
                    s0, s1 = in_limits(limits, z, low[i - 1], low[i], high[i - 1], high[i])
                    if t1 > t0:
                        if t0 < limits[z, 2]:
                            s0 = max(s0, (limits[z, 2] - t0) / (t1 - t0))
                        if t1 > limits[z, 3]:
                            s1 = min(s1, (limits[z, 3] - t0) / (t1 - t0))
                    elif t0 < limits[z, 2] or t0 > limits[z, 3]:
                        continue
                    s0, s1 = max(s0, f0), min(s1, f1)
                    if s1 < s0:
                        continue
                    inside = whole[z] == cells
                    surely = inside
                    n = 0 if surely else crossings(ix, z, px, py, qx, qy, us)
                    u0 = 0.0
                    for c in range(n + 1):
                        u1 = us[c] if c < n else 1.0
                        if not surely:
                            # Asked in the middle: at its ends the way may lie on an edge, where rounding decides.
                            um = 0.5 * (u0 + u1)
                            inside = u1 - u0 > 1e-12 and inside_row(ix, z, px + um * (qx - px), py + um * (qy - py))
                        if inside:
                            g0 = max(s0, f0 if u0 <= 0.0 else f0 + u0 * (f1 - f0))
                            g1 = min(s1, f1 if u1 >= 1.0 else f0 + u1 * (f1 - f0))
                            if g1 > g0 or (t1 == t0 and g1 == g0):
                                enter = t0 if g0 <= 0.0 else t0 + g0 * (t1 - t0)
                                leave = t1 if g1 >= 1.0 else t0 + g1 * (t1 - t0)
                                w1 = min(1.0, max(0.0, (g1 - f0) / (f1 - f0)))
                                out_x, out_y = wrap180(px + w1 * (qx - px)), py + w1 * (qy - py)
                                v = 0
                                while v < n_open and open_i[v, ROW] != z:
                                    v += 1
                                if v < n_open and enter - open_f[v, EXIT] > gap:
                                    open_i[v, LEFT] = 1
                                    if n_out == len(out_i):
                                        out_i, out_f = _grow(out_i, out_f)
                                    out_i[n_out], out_f[n_out] = open_i[v], open_f[v]
                                    n_out += 1
                                    n_open -= 1
                                    open_i[v], open_f[v] = open_i[n_open], open_f[n_open]
                                    v = n_open
                                if v == n_open:
                                    if n_open == len(open_i):
                                        open_i, open_f = _grow(open_i, open_f)
                                    n_open += 1
                                    w0 = min(1.0, max(0.0, (g0 - f0) / (f1 - f0)))
                                    seen_before = 1 if (g0 > 0.0 or i - 1 > run_start) else 0
                                    open_i[v] = (track, z, i - 1, i, seen_before, 0, 0)
                                    open_f[v, ENTER] = enter
                                    open_f[v, ENTER_LON] = wrap180(px + w0 * (qx - px))
                                    open_f[v, ENTER_LAT] = py + w0 * (qy - py)
                                    open_f[v, INSIDE] = 0.0
                                open_i[v, LAST] = i
                                open_i[v, AT_END] = 1 if g1 >= 1.0 else 0
                                open_f[v, EXIT] = leave
                                open_f[v, EXIT_LON], open_f[v, EXIT_LAT] = out_x, out_y
                                open_f[v, INSIDE] += leave - enter
                        u0 = u1
                px, py = qx, qy
        for v in range(n_open):
            open_i[v, LEFT] = 0 if (open_i[v, AT_END] == 1 and open_i[v, LAST] == b - 1) else 1
            if n_out == len(out_i):
                out_i, out_f = _grow(out_i, out_f)
            out_i[n_out], out_f[n_out] = open_i[v], open_f[v]
            n_out += 1
        n_open = 0
    return out_i[:n_out], out_f[:n_out]

"""Q1 ahead of time: where constant velocity leads into rows of outlines within a horizon."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.space.kernels.geodesy import wrap180
from keepclear.space.kernels.motion import along, candidates, crossings, cut, end_of_motion, inside_row, pieces_needed
from keepclear.space.kernels.raster import Raster
from keepclear.space.kernels.screen import apart, may_meet
from keepclear.space.kernels.visits import in_limits

Floats = npt.NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def ahead_block(
    ix: Raster,
    a: int,
    b: int,
    lon: Floats,
    lat: Floats,
    altitude: Floats,
    time: Floats,
    east: Floats,
    north: Floats,
    up: Floats,
    horizon_s: float,
    tolerance_m: float,
    most_edges: int,
) -> tuple[Any, Any, Floats]:
    """First stay of each motion in each row: reports, rows, and [n, 4] enter, exit (s), longitude, latitude."""
    cap = (b - a) // 4 + 256
    out_report, out_row, out = np.empty(cap, np.int64), np.empty(cap, np.int32), np.empty((cap, 4))
    n_out = 0
    n_rows = len(ix.box)
    seen = np.full(n_rows, -1, np.int64)
    whole = np.zeros(n_rows, np.int64)
    rows = np.empty(64, np.int64)
    us = np.empty(2 * most_edges + 8)
    stamp = 0
    limits = ix.limits
    kept = np.empty(b - a, np.int64)
    for k in range(may_meet(ix, a, b, lon, lat, altitude, time, east, north, up, horizon_s, kept)):
        i = kept[k]
        xa, ya, h, t = lon[i], lat[i], altitude[i], time[i]
        xb, yb = end_of_motion(xa, ya, east[i], north[i], horizon_s)
        if not (xb == xb and yb == yb):
            # No velocity: where it is now is all that is known.
            xb, yb = xa, ya
        h1 = h + up[i] * horizon_s
        if h1 != h1:
            h1 = h
        pieces, nearest = pieces_needed(xa, ya, xb, yb, tolerance_m)
        mine = n_out
        px, py = xa, ya
        for piece in range(pieces):
            f0, f1 = cut(piece, pieces, nearest), cut(piece + 1, pieces, nearest)
            if piece + 1 == pieces:
                qx, qy = px + wrap180(xb - px), yb
            else:
                qx, qy = along(xa, ya, xb, yb, f1)
                qx = px + wrap180(qx - px)
            stamp += 1
            found, cells, rows = candidates(ix, px, py, qx, qy, stamp, seen, whole, rows)
            for r in range(found):
                z = rows[r]
                if apart(ix.box, z, min(px, qx), min(py, qy), max(px, qx), max(py, qy)):
                    continue
                s0, s1 = in_limits(limits, z, h, h1, h, h1)
                if horizon_s > 0.0:
                    s0, s1 = max(s0, (limits[z, 2] - t) / horizon_s), min(s1, (limits[z, 3] - t) / horizon_s)
                elif t < limits[z, 2] or t > limits[z, 3]:
                    continue
                s0, s1 = max(s0, f0), min(s1, f1)
                if s1 < s0:
                    continue
                known = mine
                while known < n_out and out_row[known] != z:
                    known += 1
                if known < n_out and out[known, 1] < f0:
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
                        if g1 > g0 or (g1 == g0 and g0 == 0.0):
                            if known < n_out:
                                if out[known, 1] >= g0:
                                    out[known, 1] = max(g1, out[known, 1])
                                else:
                                    break
                            else:
                                if n_out == cap:
                                    cap *= 2
                                    report2, row2, out2 = (
                                        np.empty(cap, np.int64),
                                        np.empty(cap, np.int32),
                                        np.empty((cap, 4)),
                                    )
                                    report2[:n_out], row2[:n_out], out2[:n_out] = out_report, out_row, out
                                    out_report, out_row, out = report2, row2, out2
                                w = min(1.0, max(0.0, (g0 - f0) / (f1 - f0)))
                                out_report[n_out], out_row[n_out] = i, z
                                out[n_out, 0], out[n_out, 1] = g0, g1
                                out[n_out, 2], out[n_out, 3] = wrap180(px + w * (qx - px)), py + w * (qy - py)
                                known = n_out
                                n_out += 1
                    u0 = u1
            px, py = qx, qy
        for m in range(mine, n_out):
            out[m, 0] *= horizon_s
            out[m, 1] *= horizon_s
    return out_report[:n_out], out_row[:n_out], out[:n_out]

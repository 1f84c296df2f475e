"""Q1: which positions are in which rows of outlines."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.space.kernels.raster import CIRCLE, PARITY, WHOLE, in_disc, in_outline

Floats = npt.NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def positions_block(
    x0: float,
    y0: float,
    inv: float,
    nx: int,
    ny: int,
    cell_start: Any,
    entry: Any,
    record_start: Any,
    record: Floats,
    limits: Floats,
    disc: Floats,
    is_circle: Any,
    box: Floats,
    edge_start: Any,
    edges: Floats,
    slope: Floats,
    a: int,
    b: int,
    lon: Floats,
    lat: Floats,
    altitude: Floats,
    time: Floats,
) -> tuple[Any, Any]:
    """Reports a to b: pairs of report index and row, ordered by report. nan altitudes pass, nan places do not.

    The fields of :class:`keepclear.space.kernels.raster.Raster` come one by one: unpacking a named tuple at each call
    would cost more than some hundred positions.
    """
    cap = (b - a) // 2 + 256
    report = np.empty(cap, np.int64)
    row = np.empty(cap, np.int32)
    n = 0
    for i in range(a, b):
        gx, y = lon[i] - x0, lat[i]
        if gx < 0.0:
            gx += 360.0
        elif gx >= 360.0:
            gx -= 360.0
        fx, fy = gx * inv, (y - y0) * inv
        if not (fx >= 0.0 and fx < nx and fy >= 0.0 and fy < ny):
            continue
        c = int(fy) * nx + int(fx)
        s, e = cell_start[c], cell_start[c + 1]
        if s == e:
            continue
        if n + (e - s) > cap:
            cap = 2 * cap + (e - s)
            report2, row2 = np.empty(cap, np.int64), np.empty(cap, np.int32)
            report2[:n], row2[:n] = report[:n], row[:n]
            report, row = report2, row2
        h, t = altitude[i], time[i]
        for q in range(s, e):
            word = entry[q]
            z = word >> 3
            if h < limits[z, 0] or h > limits[z, 1] or t < limits[z, 2] or t > limits[z, 3]:
                continue
            kind = word & 3
            if kind == PARITY:
                inside = (word & 4) != 0
                for k in range(record_start[q], record_start[q + 1]):
                    inside ^= (
                        (y >= record[k, 0])
                        & (y < record[k, 1])
                        & (gx < (y - record[k, 0]) * record[k, 3] + record[k, 2])
                    )
            elif kind == WHOLE:
                inside = True
            elif kind == CIRCLE:
                inside = in_disc(disc, z, lon[i], y)
            else:
                inside = in_outline(box, is_circle, disc, edge_start, edges, slope, z, lon[i], y)
            if inside:
                report[n] = i
                row[n] = z
                n += 1
    return report[:n], row[:n]

"""Which motions may meet a row at all: most meet none, and a box without trigonometry shows it.

The box of a motion is bounded from its speed: latitude by the least radius in the meridian, longitude by the cosine's
series cut where it lies below, both widened by what the way bends at most. Never too small, so nothing is lost.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.space.kernels.geodesy import RAD
from keepclear.space.kernels.raster import Raster

Floats = npt.NDArray[np.float64]
FAR_M2 = 4.0e8
"""Ways of more than 20 km are not screened: the series behind the widening holds up to there."""
TOP_DEG = 80.0
NORTH_M = 110_500.0
"""A degree of latitude is at least 110,574 m long."""
EAST_M = 108_000.0
"""A degree of longitude is at least 111,319 m · cos φ; 3 % off for the meridians closing in along 20 km below 80°."""
BEND = 8.6e-13
"""Degrees a square metre of way to the east, over cos φ: 0.6·tan φ / R², where half of tan φ / R² is the bend."""
HAIR_DEG = 1e-6


@njit(cache=True, nogil=True, error_model="numpy")
def apart(box: Floats, z: int, west: float, south: float, east: float, north: float) -> bool:
    """Whether a box, on any turn of longitude within a turn of [-180, 180], surely does not touch that of row z."""
    w, e = box[z, 0] - 1e-9, box[z, 2] + 1e-9
    return bool(
        (north < box[z, 1] - 1e-9)
        | (south > box[z, 3] + 1e-9)
        | (
            ((east < w) | (west > e))
            & ((east + 360.0 < w) | (west + 360.0 > e))
            & ((east + 720.0 < w) | (west + 720.0 > e))
            & ((east - 360.0 < w) | (west - 360.0 > e))
        )
    )


@njit(cache=True, nogil=True, error_model="numpy")
def may_meet(
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
    kept: Any,
) -> int:
    """Those of motions a to b whose box touches that of a row under limits that they may keep; how many of ``kept``."""
    x0, y0, inv, nx, ny = ix.x0, ix.y0, ix.inverse_cell, ix.nx, ix.ny
    start = ix.cell_start
    right, top = np.float64(nx), np.float64(ny)
    n = 0
    for i in range(a, b):
        # Kept unless all that follows is known and says no.
        kept[n] = i
        x, y = lon[i], lat[i]
        e, u = east[i] * horizon_s, north[i] * horizon_s
        if not (e * e + u * u <= FAR_M2 and -TOP_DEG < y < TOP_DEG):
            n += 1
            continue
        p = y * RAD
        p *= p
        c = 1.0 / (1.0 - p * (0.5 - p * (1.0 / 24.0 - p * (1.0 / 720.0))))
        bend = e * e * c * BEND + HAIR_DEG
        dx, dy = e * c * (1.0 / EAST_M), u * (1.0 / NORTH_M)
        west, more = min(dx, 0.0) - HAIR_DEG, max(dx, 0.0) + HAIR_DEG
        south, upper = y + min(dy, 0.0) - bend, y + max(dy, 0.0) + bend
        gx = x - x0
        gx = gx + 360.0 if gx < 0.0 else gx
        gx = gx - 360.0 if gx >= 360.0 else gx
        if gx + west < 0.0 or gx + more >= 360.0:
            n += 1
            continue
        f0, f1 = (gx + west) * inv, (gx + more) * inv
        g0, g1 = (south - y0) * inv, (upper - y0) * inv
        if f0 >= right or g1 < 0.0 or g0 >= top:
            continue
        i0, i1 = int(f0), int(min(f1, right - 1.0))
        j0, j1 = int(max(g0, 0.0)), int(min(g1, top - 1.0))
        met = False
        for j in range(j0, j1 + 1):
            s, t = start[j * nx + i0], start[j * nx + i1 + 1]
            if s == t:
                continue
            h = altitude[i]
            h1 = h + up[i] * horizon_s
            if h1 != h1:
                h1 = h
            low, high = min(h, h1), max(h, h1)
            for q in range(s, t):
                z = ix.entry[q] >> 3
                k = ix.limit_class[z] << 2
                if (
                    (high < ix.limit[k])
                    | (low > ix.limit[k + 1])
                    | (time[i] + horizon_s < ix.limit[k + 2])
                    | (time[i] > ix.limit[k + 3])
                ):
                    continue
                if not apart(ix.box, z, x + west, south, x + more, upper):
                    met = True
                    break
            if met:
                break
        n += 1 if met else 0
    return n

"""Aircraft in the middle of the time looked at: a rough disc of each to screen by, the exact state of a candidate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from keepclear.detection.kernels.motion import A_M, AXIS_RATIO2, E2, RADIAN, carry, sine_cosine
from keepclear.space.kernels.prefetch import prefetch

__all__ = ["STATE", "screen", "states"]

STATE = 10
"""0–2 place, 3–5 motion, 6 barometric and 7 geometric altitude, 8 climb, 9 accuracy"""
AHEAD = 12
"""Turns ahead that the columns, read in the order of places, are fetched: of millions none is in a cache."""
SPEED_LIMIT_MPS = 4_000.0
"""A speed above this is a broken report; it counts as not known, or one of them would sweep the whole Earth."""


@njit(cache=True, nogil=True, error_model="numpy")
def screen(
    begin: Any,
    end: Any,
    lat: Any,
    lon: Any,
    east: Any,
    north: Any,
    up: Any,
    baro: Any,
    geo: Any,
    age: Any,
    accuracy: Any,
    separations: Any,
    disc: Any,
    reach: Any,
    angle: Any,
) -> None:
    """Each aircraft's disc for the sweep in the middle of the horizon, its reach and its direction.

    ``separations`` is (horizontal_m, vertical_m, tau_s, look_ahead_s). ``geo``, ``age`` and ``accuracy`` may be of
    one row that stands for all. The place is right to a metre, the direction to 3e-6 radians.
    """
    horizontal, vertical = separations[0], separations[1]
    horizon = separations[2] + separations[3]
    geo_step, age_step = 1 if len(geo) > 1 else 0, 1 if len(age) > 1 else 0
    accuracy_step = 1 if len(accuracy) > 1 else 0
    for i in range(begin, end):
        if not (abs(lat[i]) <= 90.0 and abs(lon[i]) <= 360.0):
            reach[i] = np.nan
            continue
        ve, vn, vu = _motion(east[i], north[i], up[i])
        ahead = age[i * age_step] + 0.5 * horizon
        p, q = ve * ahead, vn * ahead
        speed2 = ve * ve + vn * vn
        s, c = sine_cosine(lat[i])
        sl, cl = sine_cosine(lon[i])
        w2 = 1.0 - E2 * s * s
        root = math.sqrt(w2)
        n = A_M / root
        if abs(lat[i]) > 70.0 or p * p + q * q > 6.25e8:
            x, y, z, _, _, _ = carry(lat[i], lon[i], ve, vn, ahead)
            angle[0, i] = math.atan2(z * AXIS_RATIO2, math.sqrt(x * x + y * y))
            angle[1, i] = math.atan2(y, x)
        else:
            # up to 25 km a sphere's sagitta; the direction by a series of second order: what it leaves out is below
            # 4e-3 cubed times tan² 70°
            down = (p * p + q * q) * (0.5 / 6.37e6)
            x = n * c * cl - p * sl - q * s * cl - down * c * cl
            y = n * c * sl + p * cl - q * s * sl - down * c * sl
            z = n * (1.0 - E2) * s + q * c - down * s
            p, q = p * root * (1.0 / A_M), q * root * w2 * (1.0 / (A_M * (1.0 - E2)))
            inverse = 1.0 / c
            t = s * inverse
            turned = lon[i] * RADIAN + p * inverse * (1.0 + q * t)
            # input may say 190° or -350°
            turned -= 2.0 * math.pi * math.floor((turned + math.pi) * (0.5 / math.pi))
            angle[0, i], angle[1, i] = lat[i] * RADIAN + q - 0.5 * p * p * t, turned
        margin = max(accuracy[i * accuracy_step], 0.0)
        # 0.1 % and 5 m for the curvature that a straight line leaves out
        w = (0.5 * horizontal + margin + 0.5 * horizon * math.sqrt(speed2)) * 1.001 + 5.0
        reach[i] = w
        disc[i, 0], disc[i, 1], disc[i, 2], disc[i, 3] = x, y, z, w
        disc[i, 4] = baro[i] + vu * ahead
        disc[i, 6] = geo[i * geo_step] + vu * ahead if baro[i] != baro[i] else np.nan
        disc[i, 5] = disc[i, 7] = 0.5 * vertical + 0.5 * horizon * abs(vu) + 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _motion(east_mps: Any, north_mps: Any, up_mps: Any) -> Any:
    """The motion, none where it is not known."""
    if not east_mps * east_mps + north_mps * north_mps <= SPEED_LIMIT_MPS * SPEED_LIMIT_MPS:
        east_mps, north_mps = 0.0, 0.0
    return east_mps, north_mps, up_mps if abs(up_mps) <= SPEED_LIMIT_MPS else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def states(
    begin: Any,
    end: Any,
    ids: Any,
    touched: Any,
    lat: Any,
    lon: Any,
    east: Any,
    north: Any,
    up: Any,
    baro: Any,
    geo: Any,
    age: Any,
    accuracy: Any,
    separations: Any,
    state: Any,
) -> None:
    """Exact places and motion in the middle of the horizon, for the sorted positions that are candidates."""
    half = 0.5 * (separations[2] + separations[3])
    geo_step, age_step = 1 if len(geo) > 1 else 0, 1 if len(age) > 1 else 0
    accuracy_step = 1 if len(accuracy) > 1 else 0
    last = end - 1
    for k in range(begin, end):
        soon = np.uintp(ids[min(k + AHEAD, last)])
        prefetch(lat, soon)
        prefetch(lon, soon)
        prefetch(east, soon)
        prefetch(north, soon)
        prefetch(up, soon)
        prefetch(baro, soon)
        if touched[k] == 0:
            continue
        i = ids[k]
        ve, vn, vu = _motion(east[i], north[i], up[i])
        ahead = age[i * age_step] + half
        x, y, z, vx, vy, vz = carry(lat[i], lon[i], ve, vn, ahead)
        state[k, 0], state[k, 1], state[k, 2] = x, y, z
        state[k, 3], state[k, 4], state[k, 5] = vx, vy, vz
        state[k, 6], state[k, 7] = baro[i] + vu * ahead, geo[i * geo_step] + vu * ahead
        state[k, 8], state[k, 9] = vu, max(accuracy[i * accuracy_step], 0.0)

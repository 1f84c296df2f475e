"""Aircraft in the middle of the time looked at: the state of each, and from it a rough disc to screen by."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from keepclear.detection.kernels.eight import PLACE
from keepclear.detection.kernels.motion import A_M, AXIS_RATIO2, NEAR2, RADIAN, carry, carry_near
from keepclear.space.kernels.prefetch import prefetch

__all__ = ["MORE", "STATE", "gather_aircraft", "screen"]

STATE = 8
"""0–2 place, 3–5 motion, 6 barometric altitude, 7 climb: one line of the processor's cache"""
MORE = 6
"""0–1 middle and half-length of the span of geometric altitude where the barometric is not known, 2–4 motion, 5 half
the distance that two may come close to"""
CHUNK = 256
"""Aircraft computed side by side, in arrays that stay in the nearest cache: a loop over them is one of vectors."""
SOON = 12
"""States ahead that are fetched, read in the order of places: of millions none is in a cache."""
SPEED_LIMIT_MPS = 4_000.0
"""A speed above this is a broken report; it counts as not known, or one of them would sweep the whole Earth."""
ROUNDED_M = 2.0
"""How far rounding to 32 bits may move a place, now and carried on"""
FAR_M2 = 6.25e8
"""25 km, squared: up to there the direction's series will do"""
STEEP_DEG = 70.0
LAT, LON, EAST, NORTH, AHEAD, X, Y, Z, VX, VY, VZ, NEAR, SPEED, PHI, LAMBDA, ROWS = range(16)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _carry_chunk(m: int, buf: Any) -> None:
    """Places, motion and roughly the directions of ``m`` aircraft in the middle."""
    for k in range(m):
        ve, vn, ahead = buf[EAST, k], buf[NORTH, k], buf[AHEAD, k]
        x, y, z, vx, vy, vz, near2, s, c, root = carry_near(buf[LAT, k], buf[LON, k], ve, vn, ahead)
        buf[X, k], buf[Y, k], buf[Z, k], buf[VX, k], buf[VY, k], buf[VZ, k], buf[NEAR, k] = x, y, z, vx, vy, vz, near2
        buf[SPEED, k] = math.sqrt(ve * ve + vn * vn)
        # A series of second order: what it leaves out is below 4e-3 cubed times tan² 70°.
        p = ve * ahead * root * (1.0 / A_M)
        q = vn * ahead * root * root * root * (AXIS_RATIO2 / A_M)
        inverse = 1.0 / max(c, 1e-3)
        t = s * inverse
        turned = buf[LON, k] * RADIAN + p * inverse * (1.0 + q * t)
        # input may say 190° or -350°
        turned = turned - 2.0 * math.pi if turned >= math.pi else turned
        turned = turned - 2.0 * math.pi if turned >= math.pi else turned
        turned = turned + 2.0 * math.pi if turned < -math.pi else turned
        turned = turned + 2.0 * math.pi if turned < -math.pi else turned
        buf[PHI, k] = buf[LAT, k] * RADIAN + q - 0.5 * p * p * t
        buf[LAMBDA, k] = turned


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
    age: Any,
    accuracy: Any,
    separations: Any,
    state: Any,
    reach: Any,
    angle: Any,
) -> None:
    """Each aircraft's state in the middle of the horizon, its reach (nan: no position or no age) and its direction.

    ``separations`` is (horizontal_m, vertical_m, tau_s, look_ahead_s). ``age`` and ``accuracy`` may be of one row
    that stands for all. The direction is right to 3e-6 radians.
    """
    horizon = separations[2] + separations[3]
    age_step, accuracy_step = 1 if len(age) > 1 else 0, 1 if len(accuracy) > 1 else 0
    buf = np.empty((ROWS, CHUNK))
    for base in range(begin, end, CHUNK):
        m = min(CHUNK, end - base)
        for k in range(m):
            i = base + k
            ahead = age[i * age_step] + 0.5 * horizon
            placed = abs(lat[i]) <= 90.0 and abs(lon[i]) <= 360.0 and abs(ahead) < np.inf
            reach[i] = 0.0 if placed else np.nan
            buf[LAT, k], buf[LON, k] = lat[i] if placed else 0.0, lon[i] if placed else 0.0
            ve, vn = east[i], north[i]
            slow = ve * ve + vn * vn <= SPEED_LIMIT_MPS * SPEED_LIMIT_MPS
            buf[EAST, k], buf[NORTH, k] = ve if slow else 0.0, vn if slow else 0.0
            buf[AHEAD, k] = ahead if placed else 0.0
        _carry_chunk(m, buf)
        for k in range(m):
            far2 = (buf[SPEED, k] * buf[AHEAD, k]) ** 2
            if abs(buf[LAT, k]) > STEEP_DEG or far2 > FAR_M2:
                if not buf[NEAR, k] <= NEAR2:
                    x, y, z, vx, vy, vz = carry(buf[LAT, k], buf[LON, k], buf[EAST, k], buf[NORTH, k], buf[AHEAD, k])
                    buf[X, k], buf[Y, k], buf[Z, k], buf[VX, k], buf[VY, k], buf[VZ, k] = x, y, z, vx, vy, vz
                buf[PHI, k] = math.atan2(buf[Z, k] * AXIS_RATIO2, math.hypot(buf[X, k], buf[Y, k]))
                buf[LAMBDA, k] = math.atan2(buf[Y, k], buf[X, k])
        for k in range(m):
            i = base + k
            climb = up[i] if abs(up[i]) <= SPEED_LIMIT_MPS else 0.0
            reach[i] += _reach(separations, buf[SPEED, k], accuracy[i * accuracy_step])
            angle[0, i], angle[1, i] = buf[PHI, k], buf[LAMBDA, k]
            for c in range(6):
                state[i, c] = buf[X + c, k]
            state[i, 6], state[i, 7] = baro[i] + climb * buf[AHEAD, k], climb


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _reach(separations: Any, speed: Any, accuracy: Any) -> Any:
    # 0.1 % and 5 m for the curvature that a straight line leaves out
    return (0.5 * separations[0] + max(accuracy, 0.0) + 0.5 * (separations[2] + separations[3]) * speed) * 1.001 + 5.0


@njit(cache=True, nogil=True, error_model="numpy")
def gather_aircraft(
    ids: Any, state: Any, reach: Any, geo: Any, age: Any, accuracy: Any, separations: Any, place: Any, more: Any,
    begin: Any, end: Any,
) -> None:  # fmt: skip
    """The discs of the aircraft ``ids``, in their order: rows of ``place`` and columns of ``more``."""
    horizon = separations[2] + separations[3]
    close = 0.5 * separations[0] + ROUNDED_M + 1e-4 * horizon
    span = 0.5 * separations[1] + 1.0
    geo_step, age_step = 1 if len(geo) > 1 else 0, 1 if len(age) > 1 else 0
    accuracy_step = 1 if len(accuracy) > 1 else 0
    rows, last = state.reshape(-1), end - 1
    for k in range(begin, end):
        soon = np.uintp(ids[min(k + SOON, last)])
        prefetch(rows, soon * np.uintp(STATE))
        prefetch(reach, soon)
        i = ids[k]
        for c in range(3):
            place[c, k], more[k, 2 + c] = state[i, c], state[i, 3 + c]
        place[3, k] = reach[i]
        baro, climb = state[i, 6], state[i, 7]
        half = span + 0.5 * horizon * abs(climb)
        place[PLACE - 2, k], place[PLACE - 1, k] = baro, half
        more[k, 0], more[k, 1] = np.nan, half
        if baro != baro:
            more[k, 0] = geo[i * geo_step] + climb * (age[i * age_step] + 0.5 * horizon)
        more[k, 5] = close + max(accuracy[i * accuracy_step], 0.0)

"""Every pair of many moving aircraft that is, or within a look-ahead will be, too close; exact on straight motion."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.detection.kernels.motion import (
    A_M,
    AXIS_RATIO2,
    E2,
    RADIAN,
    carry,
    loss_times,
    plane_quadratic,
    vertical_window,
)
from keepclear.detection.kernels.pool import in_blocks
from keepclear.detection.kernels.sweep import classify, order_class, split_long, sweep
from keepclear.feeds.reports import Floats

__all__ = ["BARO", "GEO", "UNKNOWN", "Pairs", "candidates", "find_pairs"]

SMALL = 384
"""Up to here all pairs are looked at directly: the sort would cost more than it saves."""
SPEED_LIMIT_MPS = 4_000.0
"""A speed above this is a broken report; it counts as not known, or one of them would sweep the whole Earth."""
CLASS_RATIO = 2.5
LAYERED_CLASS_RATIO = 8.0
"""Layers leave few in a window: there, sweeping twice costs more than looking too far (measured)."""
UNKNOWN, BARO, GEO = 0, 1, 2
"""what the vertical distance of a pair was measured by"""
STATE = 10
RESULT = 13


class Pairs(NamedTuple):
    """Columns, one row a pair, ordered by (i, j); seconds from now, metres. Widened: by both accuracies."""

    i: npt.NDArray[np.int64]
    j: npt.NDArray[np.int64]
    """row numbers, i < j"""
    enter_s: Floats
    leave_s: Floats
    """the loss of separation at the nominal thresholds within [0, look-ahead]; nan if only the widened ones are lost"""
    wide_enter_s: Floats
    wide_leave_s: Floats
    now_horizontal_m: Floats
    now_vertical_m: Floats
    cpa_s: Floats
    """least horizontal distance while vertically too close, within the look-ahead"""
    cpa_horizontal_m: Floats
    cpa_vertical_m: Floats
    certain: Floats
    """2: lost now even at the narrowed threshold; 1: will be; 0: neither"""
    wide_now: Floats
    """1: lost now at the widened threshold"""
    accuracy_m: Floats
    """95 % radius of the relative position"""
    datum: Floats
    """:data:`BARO`, :data:`GEO` or :data:`UNKNOWN`"""


@njit(cache=True, nogil=True, error_model="numpy")
def _direction(lat_deg: Any, lon_deg: Any, east_m: Any, north_m: Any, x: Any, y: Any, z: Any) -> Any:
    """Latitude and longitude (radians) of a carried place, to the 3e-6 radians that the sweep allows for."""
    p, q = east_m / 6.37e6, north_m / 6.37e6
    if abs(lat_deg) > 70.0 or p * p + q * q > 1.6e-5:
        return math.atan2(z * AXIS_RATIO2, math.sqrt(x * x + y * y)), math.atan2(y, x)
    # a series of second order: what it leaves out is below 4e-3 cubed times tan² 70°
    lat = lat_deg * RADIAN
    s, c = math.sin(lat), math.cos(lat)
    t = s / c
    w2 = 1.0 - E2 * s * s
    root = math.sqrt(w2)
    p, q = east_m / A_M * root, north_m / (A_M * (1.0 - E2)) * root * w2
    lon = lon_deg * RADIAN + p / c * (1.0 + q * t)
    if lon >= math.pi:
        lon -= 2.0 * math.pi
    elif lon < -math.pi:
        lon += 2.0 * math.pi
    return lat + q - 0.5 * p * p * t, lon


@njit(cache=True, nogil=True, error_model="numpy")
def prepare(
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
    state: Any,
    disc: Any,
    reach: Any,
    angle: Any,
) -> Any:
    """Each aircraft in the middle of the horizon: its state, its disc for the sweep, its reach and direction.

    ``separations`` is (horizontal_m, vertical_m, tau_s, look_ahead_s).
    """
    horizontal, vertical = separations[0], separations[1]
    horizon = separations[2] + separations[3]
    for i in range(begin, end):
        ve, vn, vu = east[i], north[i], up[i]
        if not ve * ve + vn * vn <= SPEED_LIMIT_MPS * SPEED_LIMIT_MPS:
            ve, vn = 0.0, 0.0
        if not abs(vu) <= SPEED_LIMIT_MPS:
            vu = 0.0
        if not (abs(lat[i]) <= 90.0 and abs(lon[i]) <= 360.0):
            reach[i] = np.nan
            state[i, 0] = np.nan
            continue
        ahead = age[i] + 0.5 * horizon
        x, y, z, vx, vy, vz = carry(lat[i], lon[i], ve, vn, ahead)
        margin = accuracy[i] if accuracy[i] > 0.0 else 0.0
        state[i, 0], state[i, 1], state[i, 2] = x, y, z
        state[i, 3], state[i, 4], state[i, 5] = vx, vy, vz
        state[i, 6], state[i, 7] = baro[i] + vu * ahead, geo[i] + vu * ahead
        state[i, 8], state[i, 9] = vu, margin
        # 0.1 % and 5 m for the curvature that a straight line leaves out
        w = (0.5 * horizontal + margin + 0.5 * horizon * math.sqrt(ve * ve + vn * vn)) * 1.001 + 5.0
        reach[i] = w
        disc[i, 0], disc[i, 1], disc[i, 2], disc[i, 3] = x, y, z, w
        disc[i, 4] = state[i, 6]
        disc[i, 6] = state[i, 7] if baro[i] != baro[i] else np.nan
        disc[i, 5] = disc[i, 7] = 0.5 * vertical + 0.5 * horizon * abs(vu) + 1.0
        angle[0, i], angle[1, i] = _direction(lat[i], lon[i], ve * ahead, vn * ahead, x, y, z)


@njit(cache=True, nogil=True, error_model="numpy")
def judge(p: Any, q: Any, ids_p: Any, ids_q: Any, state: Any, target: Any, separations: Any) -> Any:
    """Which of the candidates lose separation, and how. Returns (i, j, table of RESULT columns)."""
    horizontal, vertical, tau, look = separations[0], separations[1], separations[2], separations[3]
    begin = -0.5 * (tau + look)
    end = begin + look
    cap = 64
    left, right, table = np.empty(cap, np.int64), np.empty(cap, np.int64), np.empty((cap, RESULT))
    k = 0
    for r in range(len(p)):
        i, j = ids_p[p[r]], ids_q[q[r]]
        if i > j:
            i, j = j, i
        if target[i] >= 0 and target[i] == target[j]:
            continue
        dz, datum = state[j, 6] - state[i, 6], BARO
        if dz != dz:
            dz, datum = state[j, 7] - state[i, 7], GEO
            if dz != dz:
                datum = UNKNOWN
        dw = state[j, 8] - state[i, 8]
        low, high = vertical_window(dz, dw, vertical)
        if not (low < high and low < end and high > begin):
            continue
        a, b, c = plane_quadratic(
            state[i, 0], state[i, 1], state[i, 2], state[i, 3], state[i, 4], state[i, 5],
            state[j, 0], state[j, 1], state[j, 2], state[j, 3], state[j, 4], state[j, 5],
        )  # fmt: skip
        margin = math.sqrt(state[i, 9] * state[i, 9] + state[j, 9] * state[j, 9])
        wide_in, wide_out = loss_times(a, b, c, low, high, horizontal + margin, tau, begin, end)
        if wide_in != wide_in:
            continue
        enter, leave, certain = wide_in, wide_out, 0.0
        if margin > 0.0:
            enter, leave = loss_times(a, b, c, low, high, horizontal, tau, begin, end)
            if horizontal > margin and datum != UNKNOWN:
                sure_in, _ = loss_times(a, b, c, low, high, horizontal - margin, tau, begin, end)
                if sure_in == sure_in:
                    certain = 2.0 if sure_in == begin else 1.0
        elif datum != UNKNOWN:
            certain = 2.0 if enter == begin else 1.0
        first, last = max(begin, low), min(end, high)
        cpa = first if a < 1e-9 else min(last, max(first, -b / a))
        if k == cap:
            cap *= 2
            left2, right2, table2 = np.empty(cap, np.int64), np.empty(cap, np.int64), np.empty((cap, RESULT))
            left2[:k], right2[:k], table2[:k] = left, right, table
            left, right, table = left2, right2, table2
        left[k], right[k] = i, j
        table[k, 0], table[k, 1] = enter - begin, leave - begin
        table[k, 2], table[k, 3] = wide_in - begin, wide_out - begin
        table[k, 4] = math.sqrt(max(0.0, (a * begin + 2.0 * b) * begin + c))
        table[k, 5] = abs(dz + dw * begin)
        table[k, 6] = cpa - begin
        table[k, 7] = math.sqrt(max(0.0, (a * cpa + 2.0 * b) * cpa + c))
        table[k, 8] = abs(dz + dw * cpa)
        table[k, 9], table[k, 10] = certain, 1.0 if wide_in == begin else 0.0
        table[k, 11], table[k, 12] = margin, datum
        k += 1
    return left[:k], right[:k], table[:k]


@njit(cache=True, nogil=True, error_model="numpy")
def every_pair(disc: Any, reach: Any) -> Any:
    """Candidates among few: all pairs, by the same tests as the sweep's."""
    n = len(reach)
    cap, k = 256, 0
    p, q = np.empty(cap, np.int32), np.empty(cap, np.int32)
    for i in range(n):
        if reach[i] != reach[i]:
            continue
        x, y, z, w = disc[i, 0], disc[i, 1], disc[i, 2], disc[i, 3]
        m1, h1, m2, h2 = disc[i, 4], disc[i, 5], disc[i, 6], disc[i, 7]
        for j in range(i + 1, n):
            if abs(disc[j, 4] - m1) > disc[j, 5] + h1 or reach[j] != reach[j]:
                continue
            dx, dy, dz, r = disc[j, 0] - x, disc[j, 1] - y, disc[j, 2] - z, disc[j, 3] + w
            if dx * dx + dy * dy + dz * dz > r * r or abs(disc[j, 6] - m2) > disc[j, 7] + h2:
                continue
            if k == cap:
                cap *= 2
                p2, q2 = np.empty(cap, np.int32), np.empty(cap, np.int32)
                p2[:k], q2[:k] = p, q
                p, q = p2, q2
            p[k], q[k] = i, j
            k += 1
    return p[:k], q[:k]


@njit(cache=True, nogil=True, error_model="numpy")
def few(
    lat: Any,
    lon: Any,
    east: Any,
    north: Any,
    up: Any,
    baro: Any,
    geo: Any,
    age: Any,
    accuracy: Any,
    target: Any,
    separations: Any,
) -> Any:
    """:func:`find_pairs` for few aircraft, in one call."""
    n = len(lat)
    state, disc = np.empty((n, STATE)), np.empty((n, 8), np.float32)
    reach, angle = np.empty(n), np.empty((2, n))
    prepare(0, n, lat, lon, east, north, up, baro, geo, age, accuracy, separations, state, disc, reach, angle)
    p, q = every_pair(disc, reach)
    ids = np.arange(n).astype(np.int32)
    return judge(p, q, ids, ids, state, target, separations)


@njit(cache=True, nogil=True, error_model="numpy")
def gather(ids: Any, disc: Any, out: Any, middle: Any, half: Any, begin: Any, end: Any) -> Any:
    for k in range(begin, end):
        middle[k], half[k] = disc[ids[k], 4], disc[ids[k], 5]
        for c in range(8):
            out[k, c] = disc[ids[k], c]


class _Class(NamedTuple):
    ids: npt.NDArray[np.int32]
    columns: npt.NDArray[np.int32]
    start: npt.NDArray[np.int32]
    grid: Floats
    disc: npt.NDArray[np.float32]
    middle: npt.NDArray[np.float32]
    half: npt.NDArray[np.float32]
    reach_m: float


def candidates(
    disc: npt.NDArray[np.float32], reach: Floats, lat_rad: Floats, lon_rad: Floats, then: Any, layered: bool = False
) -> list[tuple[Any, ...]]:
    """Sweep discs and hand each block of candidates to ``then(p, q, ids_p, ids_q)`` on the pool's threads."""
    kind, largest = classify(reach, LAYERED_CLASS_RATIO if layered else CLASS_RATIO)
    sizes = largest.tolist()
    longest = split_long(kind, len(sizes), disc) if layered else 0.0
    classes: list[_Class] = []
    for number, reach_m in enumerate(sizes + sizes if layered else sizes):
        height = longest if number < len(sizes) else 0.0
        ids, columns, start, grid = order_class(kind, number, reach_m, lat_rad, lon_rad, disc, height)
        if len(ids) == 0:
            continue
        ordered = np.empty((len(ids), 8), np.float32)
        middle, half = np.empty(len(ids), np.float32), np.empty(len(ids), np.float32)
        in_blocks(partial(gather, ids, disc, ordered, middle, half), len(ids), 20_000, 1)
        classes.append(_Class(ids, columns, start, grid, ordered, middle, half, reach_m))
    found: list[tuple[Any, ...]] = []
    for n, target in enumerate(classes):
        for query in classes[: n + 1]:

            def work(begin: int, end: int, query: _Class = query, target: _Class = target) -> tuple[Any, ...]:
                p, q = sweep(
                    begin, end, query is target, query.columns, query.start, query.grid, query.disc, query.reach_m,
                    target.columns, target.start, target.grid, target.disc, target.middle, target.half, target.reach_m,
                )  # fmt: skip
                answer: tuple[Any, ...] = then(p, q, query.ids, target.ids)
                return answer

            found += in_blocks(work, len(query.ids), 1000)
    return found


def find_pairs(
    lat_deg: Floats,
    lon_deg: Floats,
    altitude_m: Floats,
    east_mps: Floats,
    north_mps: Floats,
    up_mps: Floats,
    horizontal_m: float,
    vertical_m: float,
    look_ahead_s: float,
    *,
    tau_s: float = 0.0,
    altitude_geo_m: Floats | None = None,
    age_s: Floats | None = None,
    accuracy_m: Floats | None = None,
    target: npt.NDArray[np.int64] | None = None,
) -> Pairs:
    """Every pair that within [0, look_ahead_s] is inside both thresholds at the same instant.

    Columns of float64, shape (n,). ``nan`` altitude: that aircraft may be anywhere vertically; ``nan`` motion counts
    as none; a row without a position takes no part. ``altitude_m`` are of one datum, ``altitude_geo_m`` of another
    for pairs where one of the two lacks the first. ``age_s`` seconds have passed since each position. Rows with
    equal ``target`` >= 0 are one aircraft. ``accuracy_m`` (95 %) widens the horizontal threshold of a pair by the
    root of the sum of squares. Cost grows as n plus the pairs found, whatever the thresholds.
    """
    n = len(lat_deg)
    nothing = np.zeros(n)
    age = nothing if age_s is None else age_s
    accuracy = nothing if accuracy_m is None else accuracy_m
    geo = np.full(n, np.nan) if altitude_geo_m is None else altitude_geo_m
    who = np.full(n, -1, np.int64) if target is None else target
    separations = (horizontal_m, vertical_m, tau_s, look_ahead_s)
    if n <= SMALL:
        i, j, table = few(
            lat_deg, lon_deg, east_mps, north_mps, up_mps, altitude_m, geo, age, accuracy, who, separations
        )
        return Pairs(i, j, *table.T)
    state, disc = np.empty((n, STATE)), np.empty((n, 8), np.float32)
    reach, angle = np.empty(n), np.empty((2, n))
    in_blocks(
        lambda a, b: prepare(
            a, b, lat_deg, lon_deg, east_mps, north_mps, up_mps, altitude_m, geo, age, accuracy, separations,
            state, disc, reach, angle,
        ), n, 2_000, 1,
    )  # fmt: skip
    found = candidates(disc, reach, angle[0], angle[1], lambda p, q, a, b: judge(p, q, a, b, state, who, separations))
    if not found:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), *np.empty((RESULT, 0)))
    i, j = np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])
    order = np.argsort(i * n + j, kind="stable")
    table = np.concatenate([f[2] for f in found])[order]
    return Pairs(i[order], j[order], *table.T)

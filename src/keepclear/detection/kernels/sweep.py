"""Which of many discs on Earth may meet: each cell of them held against the stretches of rows in its reach.

A disc is a place with a reach; two are candidates when the straight-line distance of their places is at most the
sum of their reaches, and the two spans they occupy on a line of their own (altitude, time) touch. The cells of a row
of latitude stand side by side, so what is in reach of a cell is one stretch a row, and its discs are tested eight at
once. Discs are split into classes of similar reach, so that one fast outlier widens its own windows only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from keepclear.detection.kernels.eight import EIGHT, lowest, touching
from keepclear.detection.kernels.motion import A_M
from keepclear.detection.kernels.order import (
    AROUND,
    BOTTOM,
    FIRST,
    HEIGHT,
    LAYER,
    LAYERS,
    LONGEST,
    PER_RADIAN,
    ROWS,
    SLACK_M,
    SMALLEST_RADIUS_M,
    SOUTH,
    STORED,
)

__all__ = ["SPAN", "sweep"]

SPAN = 2
"""Columns of ``more`` without motion"""
BESIDE = 1.02 / (2.0 * A_M)
"""Two points that move straight, each level where it is, part by this times the square of the sum of their reaches at
most along their mean vertical, which horizontal distance leaves out."""
STEADY = np.float32(1e-6)
"""(m/s)²: below it a difference of velocities is rounding"""


@njit(cache=True, nogil=True, error_model="numpy")
def _window(q_low: Any, q_high: Any, t_low: Any, t_high: Any, reach_rad: Any) -> Any:
    """Half-width in longitude (radians) that holds every disc of one row in reach of one in another; pi: all."""
    gap = max(0.0, t_low - q_high, q_low - t_high)
    left = math.sin(0.5 * min(reach_rad, math.pi)) ** 2 - math.sin(0.5 * gap) ** 2
    if left < 0.0:
        return -1.0
    half = 0.5 * math.pi
    c1 = max(0.0, math.cos(min(half, max(abs(q_low), abs(q_high)))))
    c2 = max(0.0, math.cos(min(half, max(abs(t_low), abs(t_high)))))
    product = c1 * c2
    if left >= product:
        return math.pi
    return 2.0 * math.asin(math.sqrt(left / product)) * 1.0001 + 6e-6


@njit(cache=True, nogil=True, error_model="numpy")
def _lines(line: int, own: bool, q_grid: Any, t_grid: Any, reach_rad: float, found: Any, width: Any) -> Any:
    """The target's rows in reach of one of the query's, and how far in longitude; more than ``found`` holds: -1."""
    q_rows, t_rows = int(q_grid[ROWS]), int(t_grid[ROWS])
    low = q_grid[SOUTH] + (line % q_rows) * q_grid[HEIGHT] - 1e-12
    high = low + q_grid[HEIGHT] + 2e-12
    first, last = 0, int(t_grid[LAYERS]) - 1
    if last > 0 and q_grid[LAYERS] > 1.0:
        lowest_of_layer = q_grid[BOTTOM] + (line // q_rows) * q_grid[LAYER]
        both = (q_grid[LONGEST] + t_grid[LONGEST]) * 1.00001 + 1e-3
        first = max(0, int(math.floor((lowest_of_layer - both - t_grid[BOTTOM]) / t_grid[LAYER] - 1e-6)))
        highest = lowest_of_layer + q_grid[LAYER] + both
        last = min(last, int(math.floor((highest - t_grid[BOTTOM]) / t_grid[LAYER] + 1e-6)))
    if own:
        first = line // q_rows
    low_row = max(0, int(math.floor((low - reach_rad - t_grid[SOUTH]) / t_grid[HEIGHT])))
    high_row = min(t_rows - 1, int(math.floor((high + reach_rad - t_grid[SOUTH]) / t_grid[HEIGHT])))
    k = 0
    for layer in range(first, last + 1):
        for row in range(low_row, high_row + 1):
            if own and layer * t_rows + row < line:
                continue
            t_low = t_grid[SOUTH] + row * t_grid[HEIGHT] - 1e-12
            wide = _window(low, high, t_low, t_low + t_grid[HEIGHT] + 2e-12, reach_rad)
            if wide >= 0.0:
                if k == len(found):
                    return -1
                found[k], width[k] = layer * t_rows + row, wide
                k += 1
    return k


@njit(cache=True, nogil=True, error_model="numpy")
def _sweep_line(
    cell: Any, line: Any, begin: Any, end: Any, own: Any, half_s: Any, q_start: Any, q_grid: Any, q_place: Any,
    q_more: Any, t_start: Any, t_grid: Any, t_place: Any, t_more: Any, lines: Any, found: Any, width: Any, k: Any,
    out_p: Any, out_q: Any,
) -> Any:  # fmt: skip
    """The candidates of a row's cells from ``cell`` on. Returns (the cell that it got to, how many are in ``out``);
    ends early, before the cell, when there is no room for its candidates."""
    moving = q_more.shape[1] > SPAN
    half, beside = np.float32(half_s), np.float32(BESIDE)
    stored, t_stored = int(q_grid[STORED]), int(t_grid[STORED])
    t_first, around = int(t_grid[FIRST]), int(t_grid[AROUND])
    q_wide, per_radian = 1.0 / q_grid[PER_RADIAN], t_grid[PER_RADIAN]
    room = len(out_p)
    beyond = (line + 1) * stored
    while cell < beyond and q_start[cell] < end:
        p0, p1 = max(begin, q_start[cell]), min(end, q_start[cell + 1])
        west = (cell - line * stored + q_grid[FIRST]) * q_wide
        before = k
        for n in range(lines if p0 < p1 else 0):
            t_line, wide = found[n], width[n]
            same = own and t_line == line
            low = int(math.floor((west - wide) * per_radian))
            high = int(math.floor((west + q_wide + wide) * per_radian))
            if high - low + 1 >= around or wide >= math.pi:
                low, high = 0, around - 1
            for part in range(3):
                if part == 0:
                    u, v = max(low, 0), min(high, around - 1)
                elif part == 1:  # over the antimeridian
                    if low >= 0:
                        continue
                    u, v = low + around, around - 1
                else:
                    if high < around:
                        continue
                    u, v = 0, high - around
                u, v = max(u - t_first, 0), min(v - t_first, t_stored - 1)
                if u > v:
                    continue
                first, b = t_start[t_line * t_stored + u], t_start[t_line * t_stored + v + 1]
                for p in range(p0, p1):
                    a = max(first, p + 1) if same else first
                    x, y, z, w = q_place[0, p], q_place[1, p], q_place[2, p], q_place[3, p]
                    m, h = q_place[4, p], q_place[5, p]
                    for base in range(a, b, EIGHT):
                        bits = touching(t_place, np.uintp(base), x, y, z, w, m, h)
                        if base + EIGHT > b:
                            bits &= (np.uint64(1) << np.uint64(b - base)) - np.uint64(1)
                        while bits:
                            q = base + np.int64(lowest(bits))
                            bits &= bits - np.uint64(1)
                            if abs(t_more[q, 0] - q_more[p, 0]) > t_more[q, 1] + q_more[p, 1]:
                                continue
                            if moving:
                                dx, dy, dz = t_place[0, q] - x, t_place[1, q] - y, t_place[2, q] - z
                                du = t_more[q, 2] - q_more[p, 2]
                                dv = t_more[q, 3] - q_more[p, 3]
                                dw = t_more[q, 4] - q_more[p, 4]
                                t = -(dx * du + dy * dv + dz * dw) / (du * du + dv * dv + dw * dw + STEADY)
                                t = min(max(t, -half), half)
                                dx, dy, dz = dx + t * du, dy + t * dv, dz + t * dw
                                both = t_place[3, q] + w
                                near = t_more[q, 5] + q_more[p, 5] + both * both * beside
                                if dx * dx + dy * dy + dz * dz > near * near:
                                    continue
                            if k == room:
                                return cell, before
                            out_p[k], out_q[k] = p, q
                            k += 1
        cell += 1
    return cell, k


@njit(cache=True, nogil=True, error_model="numpy")
def sweep(
    begin: Any,
    end: Any,
    own: Any,
    half_s: Any,
    q_start: Any,
    q_grid: Any,
    q_place: Any,
    q_more: Any,
    q_reach_m: Any,
    t_start: Any,
    t_grid: Any,
    t_place: Any,
    t_more: Any,
    t_reach_m: Any,
) -> Any:
    """Candidates (p, q): p among the query class's sorted positions [begin, end), q of the target class.

    ``own`` says that the two classes are one: each unordered pair is then found once. ``place`` and ``more`` are of
    :class:`DiscClass`; where ``more`` has motion, a pair must also come as close as its ``close`` within ``half_s``
    before or after.
    """
    cap = 256
    out_p, out_q = np.empty(cap, np.int32), np.empty(cap, np.int32)
    found, width = np.empty(64, np.int64), np.empty(64)
    k = 0
    reach_rad = (q_reach_m + t_reach_m + SLACK_M) / SMALLEST_RADIUS_M
    stored = int(q_grid[STORED])
    cell = np.searchsorted(q_start, begin, side="right") - 1
    while cell < len(q_start) - 1 and q_start[cell] < end:
        line = cell // stored
        lines = _lines(line, own, q_grid, t_grid, reach_rad, found, width)
        while lines < 0:
            found, width = np.empty(4 * len(found), np.int64), np.empty(4 * len(width))
            lines = _lines(line, own, q_grid, t_grid, reach_rad, found, width)
        while True:
            cell, k = _sweep_line(
                cell, line, begin, end, own, half_s, q_start, q_grid, q_place, q_more, t_start, t_grid, t_place,
                t_more, lines, found, width, k, out_p, out_q,
            )  # fmt: skip
            if cell >= (line + 1) * stored or q_start[cell] >= end:
                break
            cap *= 2
            wider_p, wider_q = np.empty(cap, np.int32), np.empty(cap, np.int32)
            wider_p[:k], wider_q[:k] = out_p[:k], out_q[:k]
            out_p, out_q = wider_p, wider_q
    return out_p[:k], out_q[:k]

"""Which of many discs on Earth may meet: a sweep along rows of latitude in which they stand by longitude.

A disc is a place with a reach; two are candidates when the straight-line distance of their places is at most the
sum of their reaches, and the two spans they occupy on a line of their own (altitude, time) touch. There is no
table of cells to fill, so small reaches cost no more than large ones. Discs are split into classes of similar
reach, so that one fast outlier widens its own windows only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from keepclear.detection.kernels.order import SLACK_M, SMALLEST_RADIUS_M

__all__ = ["sweep"]

FEW = 12
"""Up to here a loop over the window is shorter than preparing a vector of answers."""


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
def sweep(
    begin: Any,
    end: Any,
    own: Any,
    q_columns: Any,
    q_start: Any,
    q_grid: Any,
    q_disc: Any,
    q_touched: Any,
    q_reach_m: Any,
    t_columns: Any,
    t_start: Any,
    t_grid: Any,
    t_disc: Any,
    t_touched: Any,
    t_middle: Any,
    t_half: Any,
    t_reach_m: Any,
) -> Any:
    """Candidates (p, q): p among the query class's sorted positions [begin, end), q of the target class.

    ``own`` says that the two classes are one: each unordered pair is then found once. ``disc`` rows are
    (x, y, z, reach, middle, half-length, middle2, half-length2); nan in a middle passes every test.
    ``t_middle`` and ``t_half`` are copies of its columns 4 and 5, contiguous. ``touched`` is set for candidates.
    """
    cap = 1024
    out_p, out_q = np.empty(cap, np.int32), np.empty(cap, np.int32)
    near, passes = np.empty(256, np.int32), np.empty(256, np.uint8)
    k = 0
    reach_rad = (q_reach_m + t_reach_m + SLACK_M) / SMALLEST_RADIUS_M
    q_rows, t_rows, t_layers = int(q_grid[4]), int(t_grid[4]), int(t_grid[7])
    around = int(t_grid[3])
    cell = np.searchsorted(q_start, begin, side="right") - 1
    while cell < len(q_start) - 1 and q_start[cell] < end:
        p0, p1 = max(begin, q_start[cell]), min(end, q_start[cell + 1])
        if p0 >= p1:
            cell += 1
            continue
        q_row = cell % q_rows
        q_low = q_grid[0] + q_row * q_grid[1] - 1e-12
        q_high = q_low + q_grid[1] + 2e-12
        first_layer, last_layer = 0, t_layers - 1
        if t_layers > 1 and q_grid[7] > 1.0:
            lowest = q_grid[5] + (cell // q_rows) * q_grid[6]
            both = (q_grid[8] + t_grid[8]) * 1.00001 + 1e-3
            first_layer = max(0, int(math.floor((lowest - both - t_grid[5]) / t_grid[6] - 1e-6)))
            last_layer = min(last_layer, int(math.floor((lowest + q_grid[6] + both - t_grid[5]) / t_grid[6] + 1e-6)))
        if own:
            first_layer = cell // q_rows
        low_row = max(0, int(math.floor((q_low - reach_rad - t_grid[0]) / t_grid[1])))
        high_row = min(t_rows - 1, int(math.floor((q_high + reach_rad - t_grid[0]) / t_grid[1])))
        span = high_row - low_row + 1
        for step in range(max(0, last_layer - first_layer + 1) * max(0, span)):
            t_layer, t_row = first_layer + step // span, low_row + step % span
            t_cell = t_layer * t_rows + t_row
            if own and t_cell < cell:
                continue
            s0, s1 = t_start[t_cell], t_start[t_cell + 1]
            if s0 == s1:
                continue
            t_low = t_grid[0] + t_row * t_grid[1] - 1e-12
            width = _window(q_low, q_high, t_low, t_low + t_grid[1] + 2e-12, reach_rad)
            if width < 0.0:
                continue
            # two quantisations, each rounding down, can be one apart
            reach_columns = int(width * t_grid[2]) + 2
            whole = 2 * reach_columns + 4 >= around
            same_row = own and t_cell == cell
            scale = t_grid[3] / q_grid[3]
            low = high = s0
            over = False
            spread = int(scale) if scale > 1.0 else 0
            if not whole:
                column = int(q_columns[p0] * scale)
                low = s0 + np.searchsorted(t_columns[s0:s1], column - reach_columns)
                high = low
                last = int(q_columns[p1 - 1] * scale)
                over = column - reach_columns < 0 or last + reach_columns + spread >= around
            for p in range(p0, p1):
                column = int(q_columns[p] * scale)
                for part in range(3 if over else 1):
                    if part == 0:
                        if whole:
                            a, b = s0, s1
                        else:
                            if same_row:
                                low = p + 1
                            else:
                                while low < s1 and t_columns[low] < column - reach_columns:
                                    low += 1
                            if high < low:
                                high = low
                            while high < s1 and t_columns[high] <= column + reach_columns + spread:
                                high += 1
                            a, b = low, high
                    elif part == 1:  # over the antimeridian, eastwards
                        limit = column + reach_columns + spread - around
                        if limit < 0 or t_columns[s0] > limit:
                            continue
                        a, b = s0, s0
                        while b < s1 and t_columns[b] <= limit:
                            b += 1
                    else:
                        limit = column - reach_columns + around
                        if limit >= around or t_columns[s1 - 1] < limit:
                            continue
                        a, b = s1, s1
                        while a > s0 and t_columns[a - 1] >= limit:
                            a -= 1
                    if same_row:
                        a = max(a, p + 1)
                    if b <= a:
                        continue
                    if b - a > len(near):
                        near, passes = np.empty(2 * (b - a), np.int32), np.empty(2 * (b - a), np.uint8)
                    m1, h1 = q_disc[p, 4], q_disc[p, 5]
                    # Nine of ten fail here at random: collecting the rest without a branch is many times as fast.
                    kept = 0
                    if b - a <= FEW:
                        for q in range(a, b):
                            near[kept] = q
                            kept += not (abs(t_middle[q] - m1) > t_half[q] + h1)
                    else:
                        for n in range(b - a):
                            passes[n] = not (abs(t_middle[a + n] - m1) > t_half[a + n] + h1)
                        for n in range(b - a):
                            near[kept] = a + n
                            kept += passes[n]
                    if kept == 0:
                        continue
                    x, y, z, w = q_disc[p, 0], q_disc[p, 1], q_disc[p, 2], q_disc[p, 3]
                    m2, h2 = q_disc[p, 6], q_disc[p, 7]
                    for n in range(kept):
                        q = near[n]
                        dx, dy, dz, r = t_disc[q, 0] - x, t_disc[q, 1] - y, t_disc[q, 2] - z, t_disc[q, 3] + w
                        if dx * dx + dy * dy + dz * dz > r * r:
                            continue
                        if abs(t_disc[q, 6] - m2) > t_disc[q, 7] + h2:
                            continue
                        if k == cap:
                            cap *= 2
                            wider_p, wider_q = np.empty(cap, np.int32), np.empty(cap, np.int32)
                            wider_p[:k], wider_q[:k] = out_p, out_q
                            out_p, out_q = wider_p, wider_q
                        out_p[k], out_q[k] = p, q
                        q_touched[p], t_touched[q] = 1, 1
                        k += 1
        cell += 1
    return out_p[:k], out_q[:k]

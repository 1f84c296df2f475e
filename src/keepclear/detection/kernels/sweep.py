"""Which of many discs on Earth may meet: a sort by (row of latitude, longitude) and a sweep along the rows.

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

__all__ = ["classify", "order_class", "split_long", "sweep"]

SMALLEST_RADIUS_M = 6_335_439.0
"""The ellipsoid's smallest radius of curvature (meridian at the equator): an arc of s metres changes the
direction of the vertical by at most s over this, which makes every window below a safe one."""
SLACK_M = 25.0
"""Places are kept in 32-bit floats (half a metre on Earth) while screening, and the directions that rows and
columns are chosen by may be 3e-6 radians off."""
CLASSES = 8
RADIAN = math.pi / 180.0


@njit(cache=True, nogil=True, error_model="numpy")
def classify(reach: Any, ratio: float) -> Any:
    """(class of each disc, largest reach of each class), the largest first; a nan reach has no class (-1).

    A class spans a factor of ``ratio`` in reach; one that is small in number joins the next larger, which is cheaper
    than sweeping it apart.
    """
    n = len(reach)
    top, finite = 0.0, 0
    for i in range(n):
        if reach[i] == reach[i]:
            top = max(top, reach[i])
            finite += 1
    kind = np.empty(n, np.int8)
    count = np.zeros(CLASSES, np.int64)
    bounds = np.empty(CLASSES)
    bound = top
    for k in range(CLASSES):
        bounds[k] = bound
        bound /= ratio
    for i in range(n):
        if reach[i] != reach[i]:
            kind[i] = -1
            continue
        k = 0
        while k < CLASSES - 1 and reach[i] <= bounds[k + 1]:
            k += 1
        kind[i] = k
        count[k] += 1
    # From the smallest class up: what is not worth a sweep of its own joins the next larger one there is.
    # Few large among many small is the case that must stay apart; few small among many large need not.
    join = np.arange(CLASSES)
    for k in range(CLASSES - 1, 0, -1):
        if count[k] == 0:
            continue
        larger = k - 1
        while larger >= 0 and count[larger] == 0:
            larger -= 1
        if larger >= 0 and (count[k] * 4 <= count[larger] or finite < 512):
            count[larger] += count[k]
            count[k] = 0
            join[k] = larger
    number = np.full(CLASSES, -1, np.int64)
    used = 0
    largest = np.empty(CLASSES)
    for k in range(CLASSES):
        if count[k] > 0:
            number[k] = used
            largest[used] = bounds[k]
            used += 1
    for k in range(CLASSES):
        root = k
        while join[root] != root:
            root = join[root]
        number[k] = number[root]
    for i in range(n):
        if kind[i] >= 0:
            kind[i] = number[kind[i]]
    return kind, largest[:used]


@njit(cache=True, nogil=True, error_model="numpy")
def split_long(kind: Any, classes: int, disc: Any) -> Any:
    """Give discs whose span is unknown or over four times the median a class of their own: number + classes.

    The others can then be sorted into layers of the line that the spans lie on.
    """
    n = len(kind)
    sample = disc[:: max(1, n // 1000), 5].copy()
    known = sample[disc[:: max(1, n // 1000), 4] == disc[:: max(1, n // 1000), 4]]
    longest = 4.0 * np.median(known) if len(known) else 0.0
    used = 0.0
    for i in range(n):
        if kind[i] >= 0:
            if disc[i, 4] == disc[i, 4] and disc[i, 5] <= longest:
                used = max(used, disc[i, 5])
            else:
                kind[i] += classes
    return used


@njit(cache=True, nogil=True, error_model="numpy")
def order_class(kind: Any, wanted: int, reach_m: float, lat_rad: Any, lon_rad: Any, disc: Any, longest: float) -> Any:
    """The discs of one class sorted by layer, row, and within a row by quantised longitude.

    Layers cut the line of the spans (altitude, time) where ``longest``, the largest half-length, is above 0; else
    there is one. Returns (ids, columns, row_start, grid): ids in sorted order, their quantised longitudes, the first
    position of each row of each layer, and the grid: south edge, row height, columns per radian, columns, rows,
    lowest layer's beginning, layer height, layers, largest half-length.
    """
    n = len(kind)
    size = 0
    south, north = math.pi, -math.pi
    bottom, top = np.inf, -np.inf
    for i in range(n):
        if kind[i] == wanted:
            size += 1
            south, north = min(south, lat_rad[i]), max(north, lat_rad[i])
            if longest > 0.0:
                bottom, top = min(bottom, disc[i, 4]), max(top, disc[i, 4])
    if size == 0:
        south = north = bottom = top = 0.0
    # rows half as high as two discs reach, but not so many that the empty ones cost more than the full ones
    most = 4.0 * size + 16.0
    layers, layer = 1, 1.0
    height = reach_m / SMALLEST_RADIUS_M
    if longest > 0.0:
        height *= 2.0
        # a little more than two can be apart and touch, so that one's partners are in its own layer or the next
        layer = max(2.002 * longest + 0.01, (top - bottom) / 1000.0, 1e-3)
        layers = int((top - bottom) / layer) + 1
    else:
        bottom = 0.0
    height = max(height, (north - south) * layers / most, 1e-9)
    rows = int((north - south) / height) + 1
    columns = 1024
    while columns < 2 * size and columns < 1 << 21:
        columns *= 2
    per_radian = columns / (2.0 * math.pi)
    by_column = np.zeros(columns + 1, np.int32)
    row_start = np.zeros(rows * layers + 1, np.int32)
    column = np.empty(size, np.int32)
    row = np.empty(size, np.int32)
    member = np.empty(size, np.int32)
    k = 0
    for i in range(n):
        if kind[i] == wanted:
            c = min(columns - 1, max(0, int((lon_rad[i] + math.pi) * per_radian)))
            r = min(rows - 1, int((lat_rad[i] - south) / height))
            if layers > 1:
                r += rows * min(layers - 1, int((disc[i, 4] - bottom) / layer))
            column[k], row[k], member[k] = c, r, i
            by_column[c + 1] += 1
            row_start[r + 1] += 1
            k += 1
    for c in range(columns):
        by_column[c + 1] += by_column[c]
    for r in range(rows * layers):
        row_start[r + 1] += row_start[r]
    first = np.empty(size, np.int32)
    for k in range(size):
        first[by_column[column[k]]] = k
        by_column[column[k]] += 1
    ids = np.empty(size, np.int32)
    sorted_columns = np.empty(size, np.int32)
    place = row_start[:-1].copy()
    for f in range(size):
        k = first[f]
        p = place[row[k]]
        place[row[k]] += 1
        ids[p] = member[k]
        sorted_columns[p] = column[k]
    grid = np.array(
        [south, height, per_radian, float(columns), float(rows), bottom, layer, float(layers), longest]
    )  # fmt: skip
    return ids, sorted_columns, row_start, grid


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
    q_reach_m: Any,
    t_columns: Any,
    t_start: Any,
    t_grid: Any,
    t_disc: Any,
    t_middle: Any,
    t_half: Any,
    t_reach_m: Any,
) -> Any:
    """Candidates (p, q): p among the query class's sorted positions [begin, end), q of the target class.

    ``own`` says that the two classes are one: each unordered pair is then found once. ``disc`` rows are
    (x, y, z, reach, middle, half-length, middle2, half-length2); nan in a middle passes every test.
    ``t_middle`` and ``t_half`` are copies of its columns 4 and 5, contiguous.
    """
    cap = 1024 + (end - begin)
    out_p, out_q = np.empty(cap, np.int32), np.empty(cap, np.int32)
    near = np.empty(256, np.int32)
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
                x, y, z, w = q_disc[p, 0], q_disc[p, 1], q_disc[p, 2], q_disc[p, 3]
                m1, h1, m2, h2 = q_disc[p, 4], q_disc[p, 5], q_disc[p, 6], q_disc[p, 7]
                column = int(q_columns[p] * scale)
                for part in range(3 if over else 1):
                    if part == 0:
                        if whole:
                            a, b = s0, s1
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
                    if b - a > len(near):
                        near = np.empty(2 * (b - a), np.int32)
                    # Nine of ten fail here at random: collecting the rest without a branch is four times as fast.
                    kept = 0
                    for q in range(a, b):
                        near[kept] = q
                        kept += not (abs(t_middle[q] - m1) > t_half[q] + h1)
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
                        k += 1
        cell += 1
    return out_p[:k], out_q[:k]

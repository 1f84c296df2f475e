"""Discs on Earth sorted for a sweep: into classes of similar reach, then by (layer, row of latitude, longitude)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

__all__ = ["SLACK_M", "SMALLEST_RADIUS_M", "classify", "columns_for", "order_class", "split_long"]

SMALLEST_RADIUS_M = 6_335_439.0
"""The ellipsoid's smallest radius of curvature (meridian at the equator): an arc of s metres changes the
direction of the vertical by at most s over this, which makes every window below a safe one."""
SLACK_M = 25.0
"""Places are kept in 32-bit floats (half a metre on Earth) while screening, and the directions that rows and
columns are chosen by may be 3e-6 radians off."""
CLASSES = 8
LONELY = 4.0
"""Where fewer than this lie in a window of the largest reach, a second class would cost more than it saves."""


@njit(cache=True, nogil=True, error_model="numpy")
def classify(reach: Any, lat_rad: Any, lon_rad: Any, ratio: float, kind: Any) -> Any:
    """Fill each disc's class, the largest reach first; a nan reach has none (-1).

    Returns (largest reach of each class, solid angle of the box that holds all). A class spans a factor of ``ratio``
    in reach; one that is small in number joins the next larger, which is cheaper than sweeping it apart.
    """
    n = len(reach)
    top, finite = 0.0, 0
    south, north, west, east = math.pi, -math.pi, 4.0, -4.0
    for i in range(n):
        if reach[i] == reach[i]:
            top = max(top, reach[i])
            finite += 1
            south, north = min(south, lat_rad[i]), max(north, lat_rad[i])
            west, east = min(west, lon_rad[i]), max(east, lon_rad[i])
    area = max(1e-12, (math.sin(north) - math.sin(south)) * (east - west)) if finite else 1.0
    across = 2.0 * top / SMALLEST_RADIUS_M
    lonely = finite * 2.0 * across * across < LONELY * area
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
        while not lonely and k < CLASSES - 1 and reach[i] <= bounds[k + 1]:
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
    if used > 1:
        for i in range(n):
            if kind[i] >= 0:
                kind[i] = number[kind[i]]
    elif not lonely:
        for i in range(n):
            kind[i] = min(kind[i], 0)
    return largest[:used], area


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
def columns_for(size: int) -> int:
    """Into how many columns longitude is quantised."""
    columns = 1024
    while 2 * columns < size and columns < 1 << 21:
        columns *= 2
    return columns


@njit(cache=True, nogil=True, error_model="numpy")
def order_class(
    kind: Any,
    wanted: int,
    reach_m: float,
    area: float,
    lat_rad: Any,
    lon_rad: Any,
    disc: Any,
    longest: float,
    work: Any,
    by_column: Any,
    ids: Any,
    sorted_columns: Any,
    row_start: Any,
) -> Any:
    """The discs of one class sorted by layer, row, and within a row by quantised longitude.

    Layers cut the line of the spans (altitude, time) where ``longest``, the largest half-length, is above 0; else
    there is one. Fills the first ``size`` of ids in sorted order and their quantised longitudes, and the first
    position of each row of each layer. ``work`` is (4, n) and ``by_column`` has room for the columns. Returns (size,
    cells, grid): south edge, row height, columns per radian, columns, rows, lowest layer's beginning, layer height,
    layers, largest half-length.
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
    # not so many cells that the empty ones cost more than the full ones
    most = (4.0 if longest > 0.0 else 0.25) * size + 16.0
    layers, layer = 1, 1.0
    across = (2.0 * reach_m + SLACK_M) / SMALLEST_RADIUS_M * 1.000001
    if longest > 0.0:
        # a little more than two can be apart and touch, so that one's partners are in its own layer or the next
        layer = max(2.002 * longest + 0.01, (top - bottom) / 1000.0, 1e-3)
        layers = int((top - bottom) / layer) + 1
    else:
        bottom = 0.0
    # Rows as high as two discs reach, so that only the next one is in reach; half of that where many lie in a
    # window, up to four times where few.
    crowd = size * 2.0 * across * across / (area * layers)
    height = across * (0.5 if crowd > 4.0 and layers == 1 else min(4.0, max(1.0, 0.5 / max(crowd, 1e-3))))
    height = max(height, (north - south) * layers / most, 1e-9)
    rows = int((north - south) / height) + 1
    columns = columns_for(size)
    per_radian = columns / (2.0 * math.pi)
    column, row, member, first = work[0], work[1], work[2], work[3]
    by_column[: columns + 1] = 0
    row_start[: rows * layers + 1] = 0
    k = 0
    for i in range(n):
        if kind[i] == wanted:
            c = min(columns - 1, max(0, int((lon_rad[i] + math.pi) * per_radian)))
            r = min(rows - 1, int((lat_rad[i] - south) / height))
            if layers > 1:
                r += rows * min(layers - 1, int((disc[i, 4] - bottom) / layer))
            column[k], row[k], member[k] = c, r, i
            by_column[c] += 1
            row_start[r] += 1
            k += 1
    for c in range(1, columns):
        by_column[c] += by_column[c - 1]
    for r in range(1, rows * layers + 1):
        row_start[r] += row_start[r - 1]
    for k in range(size - 1, -1, -1):
        by_column[column[k]] -= 1
        first[by_column[column[k]]] = k
    for f in range(size - 1, -1, -1):
        k = first[f]
        row_start[row[k]] -= 1
        p = row_start[row[k]]
        ids[p] = member[k]
        sorted_columns[p] = column[k]
    grid = np.array(
        [south, height, per_radian, float(columns), float(rows), bottom, layer, float(layers), longest]
    )  # fmt: skip
    return size, rows * layers, grid

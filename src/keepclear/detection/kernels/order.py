"""Discs on Earth sorted for a sweep: into classes of similar reach, then by (layer, row of latitude, longitude)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

__all__ = ["SLACK_M", "SMALLEST_RADIUS_M", "classify", "order_class", "split_long", "whole"]

SOUTH, HEIGHT, PER_RADIAN, AROUND, ROWS, BOTTOM, LAYER, LAYERS, LONGEST, FIRST, STORED = range(11)
"""A class's grid: south edge and height of a row (radians), columns a radian and around the Earth, rows, where the
lowest layer begins, height of a layer, layers, largest half-length of a span, westernmost column, columns that there
are cells for"""
OCCUPANCY = 2.0
"""Discs a cell, on average: what is looked up for a cell serves all of them"""
LOWEST, NARROWEST = 0.5, 0.125
"""Least height and width of a cell, in parts of what two discs reach: below that, more stretches to look up cost more
than fewer discs to test save."""

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
def order_class(
    kind: Any,
    wanted: int,
    reach_m: float,
    area: float,
    lat_rad: Any,
    lon_rad: Any,
    disc: Any,
    longest: float,
    most: int,
    cell: Any,
    ids: Any,
    start: Any,
) -> Any:
    """The discs of one class sorted by cell: by layer, row of latitude, and column of longitude.

    Layers cut the line of the spans (altitude, time) where ``longest``, the largest half-length, is above 0; else
    there is one. Fills the first ``size`` of ids in sorted order and the first position of each of at most ``most``
    cells; ``cell`` is for each disc. Returns (size, cells, grid).
    """
    n = len(kind)
    size = 0
    south, north, west, east = math.pi, -math.pi, 4.0, -4.0
    bottom, top = np.inf, -np.inf
    for i in range(n):
        if kind[i] == wanted:
            size += 1
            south, north = min(south, lat_rad[i]), max(north, lat_rad[i])
            west, east = min(west, lon_rad[i]), max(east, lon_rad[i])
            if longest > 0.0:
                bottom, top = min(bottom, disc[i, 4]), max(top, disc[i, 4])
    if size == 0:
        south = north = west = east = bottom = top = 0.0
    layers, layer = 1, 1.0
    across = (2.0 * reach_m + SLACK_M) / SMALLEST_RADIUS_M * 1.000001
    if longest > 0.0:
        # a little more than two can be apart and touch, so that one's partners are in its own layer or the next
        layer = max(2.002 * longest + 0.01, (top - bottom) / 1000.0, 1e-3)
        layers = int((top - bottom) / layer) + 1
    else:
        bottom = 0.0
    # As large as that a few are in one; where many are in reach, as low as half of it.
    share = OCCUPANCY * area * layers / max(size, 1)
    height = max(math.sqrt(share), across * LOWEST, 1e-9)
    broad = (math.sin(north) - math.sin(south)) / (north - south) if north > south else max(math.cos(north), 1e-3)
    width = max(share / height, across * NARROWEST) / broad
    rows = columns = first = stored = 1
    while True:
        rows = int((north - south) / height) + 1
        columns = int(max(1.0, min(2.0 * math.pi / width, 1e9)))
        per_radian = columns / (2.0 * math.pi)
        first = min(columns - 1, max(0, int((west + math.pi) * per_radian)))
        stored = min(columns - 1, max(0, int((east + math.pi) * per_radian))) - first + 1
        if float(rows) * layers * stored <= max(most, size):
            break
        height *= 1.4
        width *= 1.4
    cells = rows * layers * stored
    start[: cells + 1] = 0
    per_height, per_layer = 1.0 / height, 1.0 / layer
    for i in range(n):
        if kind[i] == wanted:
            c = min(columns - 1, max(0, int((lon_rad[i] + math.pi) * per_radian))) - first
            r = min(rows - 1, int((lat_rad[i] - south) * per_height))
            if layers > 1:
                r += rows * min(layers - 1, int((disc[i, 4] - bottom) * per_layer))
            c += r * stored
            cell[i] = c
            start[c] += 1
    for c in range(1, cells + 1):
        start[c] += start[c - 1]
    for i in range(n - 1, -1, -1):
        if kind[i] == wanted:
            p = start[cell[i]] - 1
            start[cell[i]] = p
            ids[p] = i
    grid = np.empty(11)
    grid[SOUTH], grid[HEIGHT], grid[PER_RADIAN], grid[AROUND], grid[ROWS] = south, height, per_radian, columns, rows
    grid[BOTTOM], grid[LAYER], grid[LAYERS], grid[LONGEST] = bottom, layer, layers, longest
    grid[FIRST], grid[STORED] = first, stored
    return size, cells, grid


@njit(cache=True, nogil=True, error_model="numpy")
def whole() -> Any:
    """The grid of one cell round the Earth."""
    grid = np.zeros(11)
    grid[SOUTH], grid[HEIGHT], grid[PER_RADIAN] = -math.pi, 2.0 * math.pi, 0.5 / math.pi
    grid[AROUND] = grid[ROWS] = grid[LAYER] = grid[LAYERS] = grid[STORED] = 1.0
    return grid

"""Each entry's cell in eight by eight parts: most are inside or outside as a whole, and one look tells which.

A part that no boundary of the row comes near is inside or outside as its middle is. The rest stay unsure.

The table that positions are looked up in has a line of half a cache line for each entry that is inside or unsure
anywhere; from the low bits up:

    0  the parts inside, a bit each: north rows high, east columns high
    1  the parts unsure
    2  32 bits: the entry; 2: how far a part's row is shifted to give the band of its blocks; 30: its first block
    3  2: how many lines the cell has after this one, 3 if more; 30: the line of the second; 25: class of limits;
       7: blocks of a band, 127 if as many or more

First come the first lines of all cells that have any, in order of cells; then the rest, each cell's together, where
the 30 bits of 3 are the line after the last. Where a cell's first line is follows from ``near``, a word for each
eight cells, from the low bits up: four bits a cell, whether a quarter of its height has anything; a bit a cell,
whether it has; 24 bits, how many cells with lines lie before.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.space.kernels.geodesy import RAD
from keepclear.space.kernels.raster import CIRCLE, FAR, PARITY, WHOLE

Floats = npt.NDArray[np.float64]
LINE = 4
CLASSES_MAX = 1 << 25
MANY = 127
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
NONE = np.uint64(0)
ONE = np.uint64(1)
SLACK = 1e-4
"""Of a part: edges and positions are rounded by a millionth of that."""
SURE = 1.06
"""The local metric serves to within 5 % as far as it is used at all."""
SIDE_MAX_DEG = 0.25
LEVEL_DEG = 1e-9
"""Less than the slack of the smallest part."""
POLAR_DEG = 80.0
"""Beyond it the parts of a circle's cell stay unsure: the local metric does not serve there."""


@njit(cache=True, nogil=True, error_model="numpy")
def lay_table(cell_start: Any, entry: Any, inside: Any, unsure: Any, limit_class: Any) -> tuple[Any, Any, Any]:
    """``near``, the table and the entry of each line."""
    cells = len(cell_start) - 1
    near = np.zeros(cells // 8 + 1, np.uint64)
    heads = 0
    for c in range(cells):
        met = NONE
        for q in range(cell_start[c], cell_start[c + 1]):
            met |= inside[q] | unsure[q]
        for s in range(4):
            if (met >> np.uint64(16 * s)) & np.uint64(0xFFFF):
                near[c // 8] |= ONE << np.uint64(4 * (c % 8) + s)
        if met != NONE:
            near[c // 8] |= ONE << np.uint64(32 + c % 8)
            heads += 1
    table, entry_of = np.zeros((len(entry) + 1, LINE), np.int64), np.zeros(len(entry) + 1, np.int32)
    head, rest = 0, heads
    for c in range(cells):
        if c % 8 == 0:
            near[c // 8] |= np.uint64(head) << np.uint64(40)
        if not (near[c // 8] >> np.uint64(32 + c % 8)) & ONE:
            continue
        count = 0
        for q in range(cell_start[c], cell_start[c + 1]):
            count += (inside[q] | unsure[q]) != NONE
        at, after = head, rest
        for q in range(cell_start[c], cell_start[c + 1]):
            if (inside[q] | unsure[q]) == NONE:
                continue
            table[at, 0], table[at, 1] = np.int64(inside[q]), np.int64(unsure[q])
            table[at, 2] = np.int64(entry[q])
            to = (after << 2) | min(count - 1, 3) if at == head else (after + count - 1) << 2
            table[at, 3] = to | (np.int64(limit_class[entry[q] >> 3]) << 32)
            entry_of[at] = q
            at = rest
            rest += 1
        rest -= 1
        head += 1
    return near, table[: rest + 1].copy(), entry_of[:rest].copy()


@njit(cache=True, nogil=True, error_model="numpy")
def lay_parts(
    x0: float, y0: float, cell: float, nx: int, ny: int, wraps: bool, cell_start: Any, entry: Any, record_start: Any,
    record: Floats, is_circle: Any, disc: Floats, box: Floats, edge_start: Any, edges: Floats,
) -> tuple[Any, Any]:  # fmt: skip
    """Of each entry the parts inside and the parts unsure, a bit each: north rows high, east columns high."""
    inside, unsure = np.zeros(len(entry) + 1, np.uint64), np.zeros(len(entry) + 1, np.uint64)
    for c in range(len(cell_start) - 2):
        i, j = c % nx, c // nx
        for q in range(cell_start[c], cell_start[c + 1]):
            kind, z = entry[q] & 3, entry[q] >> 3
            if kind == WHOLE:
                inside[q] = ALL
            elif kind == PARITY:
                odd, met = _parities(x0, y0, cell, i, j, record, record_start[q], record_start[q + 1])
                if entry[q] & 4:
                    odd ^= ALL
                inside[q], unsure[q] = odd & ~met, met
            elif kind == CIRCLE and disc[z, 3] > 0.0:
                inside[q], unsure[q] = _rounds(x0 + i * cell, y0 + j * cell, cell, disc[z])
            else:
                unsure[q] = ALL
    _mark_level_edges(x0, y0, cell, nx, ny, wraps, cell_start, entry, is_circle, box, edge_start, edges, inside, unsure)
    return inside, unsure


@njit(cache=True, nogil=True, error_model="numpy")
def _parities(
    x0: float, y0: float, cell: float, i: int, j: int, record: Floats, first: int, end: int
) -> tuple[Any, Any]:
    """In which parts the parity at the middle differs from the corner's, and which an edge comes near."""
    inv = 8.0 / cell
    odd, met = NONE, NONE
    for r in range(first, end):
        low, high = (record[r, 0] - y0) * inv - 8.0 * j, (record[r, 1] - y0) * inv - 8.0 * j
        far = record[r, 2] >= FAR
        x, step = (9.0, 0.0) if far else (record[r, 2] * inv - 8.0 * i, record[r, 3])
        # Not from high - low: of an edge nearly level that is rounded too much.
        end_x = x if far else x + (record[r, 1] - record[r, 0]) * inv * step
        least, most = min(x, end_x), max(x, end_x)
        # The rows whose middles lie from low (included) to high (not).
        a, b = max(0.0, math.ceil(low - 0.5)), min(8.0, math.ceil(high - 0.5))
        for k in range(int(a), int(b)):
            west = math.ceil(min(most, max(least, x + (k + 0.5 - low) * step)) - 0.5)
            odd ^= ((ONE << np.uint64(max(0.0, min(8.0, west)))) - ONE) << np.uint64(8 * k)
        if not far:
            met |= _met(x, low, end_x, high, step)
    return odd, met


@njit(cache=True, nogil=True, error_model="numpy")
def _met(ax: float, ay: float, bx: float, by: float, step: float) -> Any:
    """The parts that an edge from (ax, ay) to (bx, by), by no lower, comes near; in parts from the cell's corner."""
    met = NONE
    for k in range(int(max(0.0, math.floor(ay - SLACK))), int(min(7.0, math.floor(by + SLACK))) + 1):
        left = ax + max(0.0, k - SLACK - ay) * step
        right = bx - max(0.0, by - k - 1.0 - SLACK) * step
        if left > right:
            left, right = right, left
        a, b = math.floor(left - SLACK), math.floor(right + SLACK)
        if a > 7.0 or b < 0.0:
            continue
        first, last = np.uint64(max(0.0, a)), np.uint64(min(7.0, b))
        met |= (((np.uint64(2) << last) - ONE) & ~((ONE << first) - ONE)) << np.uint64(8 * k)
    return met


@njit(cache=True, nogil=True, error_model="numpy")
def _mark_level_edges(
    x0: float, y0: float, cell: float, nx: int, ny: int, wraps: bool, cell_start: Any, entry: Any, is_circle: Any,
    box: Floats, edge_start: Any, edges: Floats, inside: Any, unsure: Any,
) -> None:  # fmt: skip
    """Edges of one latitude have no record, as no ray to the east crosses them: the parts that they come near.

    Where an edge rises by next to nothing, its record does not say on what longitudes."""
    inv = 1.0 / cell
    for z in range(len(box)):
        if is_circle[z] == 1:
            continue
        west = box[z, 0] - x0
        shift = -360.0 * math.floor(west / 360.0)
        for k in range(edge_start[z], edge_start[z + 1]):
            if edges[k, 3] - edges[k, 1] > LEVEL_DEG:
                continue
            y = (edges[k, 1] - y0) * inv
            left, right = min(edges[k, 0], edges[k, 2]) - x0 + shift, max(edges[k, 0], edges[k, 2]) - x0 + shift
            for j in range(int(max(0.0, y - SLACK)), int(min(ny - 1.0, y + SLACK)) + 1):
                for i in range(int(math.floor(left * inv - SLACK)), int(math.floor(right * inv + SLACK)) + 1):
                    column = i % nx if wraps else min(max(i, 0), nx - 1)
                    for q in range(cell_start[j * nx + column], cell_start[j * nx + column + 1]):
                        if entry[q] >> 3 == z and entry[q] & 3 == PARITY:
                            a, b = 8.0 * (left * inv - i), 8.0 * (right * inv - i)
                            unsure[q] |= _met(a, 8.0 * (y - j), b, 8.0 * (y - j), 0.0)
                            inside[q] &= ~unsure[q]


@njit(cache=True, nogil=True, error_model="numpy")
def _rounds(west: float, south: float, cell: float, disc: Floats) -> tuple[Any, Any]:
    """The parts surely inside a circle, and those that are neither surely inside nor surely outside."""
    inside, unsure = NONE, NONE
    side = cell / 8.0
    if abs(south) > POLAR_DEG - cell or side > SIDE_MAX_DEG:
        return NONE, ALL
    # Half the diagonal of a part, never too short: its degree of longitude is taken at its widest.
    half = 0.5 * RAD * 6_400_000.0 * side * 1.4143 * SURE + 0.01
    near, far = max(0.0, math.sqrt(disc[3]) - half), math.sqrt(disc[4]) + half
    for j in range(8):
        dy = south + (j + 0.5) * side - disc[1]
        north = (disc[5] + disc[6] * dy) * dy
        east = disc[7] + dy * (disc[8] + dy * (disc[9] + dy * disc[10]))
        for i in range(8):
            dx = west + (i + 0.5) * side - disc[0]
            dx -= 360.0 * math.floor((dx + 180.0) / 360.0)
            d2 = north * north + (east * dx) ** 2
            bit = ONE << np.uint64(8 * j + i)
            if d2 < near * near:
                inside |= bit
            elif d2 < far * far:
                unsure |= bit
    return inside, unsure

"""The edges of a boundary cell in blocks of eight, each one cache line, that decide nearly every position there.

The records of a PARITY entry (see :mod:`keepclear.space.kernels.raster`), cut to the cell and rounded to 1/65535 of
it: a rounded edge keeps within half a unit of the true one, and vertices of one latitude stay at one latitude. Moving
a chain of edges so little turns a position's parity only where it passes over the position. A position within a unit
or two of an edge, of the latitude of an edge's end or of the cell's side is therefore in doubt, and the records in
full precision decide it; elsewhere both give the same parity.

Where there are more edges than a block holds, the cell is cut into two, four or eight bands of latitude, each with
its own blocks, as far as that leaves fewer of them to read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.space.kernels.parts import MANY
from keepclear.space.kernels.raster import FAR, PARITY

Floats = npt.NDArray[np.float64]
EDGES = 8
WORDS = 4 * EDGES
"""A block: eight lower latitudes, eight upper, eight longitudes at the lower, eight at the upper end."""
UNITS = 65535.0
BESIDE = 4
"""Units beyond a band's side from which on an edge plays no part there, not even for doubt."""
SIDE = 2.0
"""Units from a cell's side within which a position is in doubt."""


@njit(cache=True, nogil=True, error_model="numpy")
def lay_blocks(
    x0: float, y0: float, cell: float, nx: int, cell_start: Any, entry: Any, record_start: Any, record: Floats,
    entry_of: Any, table: Any,
) -> Any:  # fmt: skip
    """The blocks, uint16 [blocks · WORDS], in the order of the table's lines; writes into each line its first and how
    many a band has."""
    inv = 1.0 / cell
    cell_of = np.empty(len(entry), np.int32)
    for c in range(len(cell_start) - 1):
        cell_of[cell_start[c] : cell_start[c + 1]] = c
    n = len(entry_of)
    most = 0
    for q in entry_of:
        most = max(most, record_start[q + 1] - record_start[q])
    edge = np.empty((most, 4), np.uint16)
    out = np.full((2 * n + 16, 4, EDGES), 65535, np.uint16)
    count = np.zeros(8, np.int64)
    blocks = 0
    for line in range(n):
        q = entry_of[line]
        i, j = cell_of[q] % nx, cell_of[q] // nx
        if entry[q] & 3 != PARITY:
            table[line, 2] |= np.int64(blocks) << 34
            continue
        k = 0
        for r in range(record_start[q], record_start[q + 1]):
            ya, yb = (record[r, 0] - y0) * inv - j, (record[r, 1] - y0) * inv - j
            low, high = max(0.0, ya), min(1.0, yb)
            if high < low or low > 1.0 or high < 0.0:
                continue
            if record[r, 2] >= FAR:
                left, right = 1.0, 1.0
            else:
                left = record[r, 2] * inv - i + (low - ya) * record[r, 3]
                right = record[r, 2] * inv - i + (high - ya) * record[r, 3]
            if left < 0.0 and right < 0.0:
                continue
            # West of the cell no ray to the east meets it.
            if left < 0.0:
                low += -left / (right - left) * (high - low)
                left = 0.0
            elif right < 0.0:
                high = low - left / (right - left) * (high - low)
                right = 0.0
            edge[k, 0], edge[k, 1], edge[k, 2], edge[k, 3] = _units(low), _units(high), _units(left), _units(right)
            k += 1
        # The bands that leave fewest blocks to read, if all together are no more than twice as many as without bands.
        shift, each, whole = 3, (k + EDGES - 1) // EDGES, (k + EDGES - 1) // EDGES
        for fewer in range(2, -1, -1):
            if whole == 1:
                break
            count[:] = 0
            for e in range(k):
                for band in range(_band(edge[e, 0], -BESIDE, fewer), _band(edge[e, 1], BESIDE, fewer) + 1):
                    count[band] += 1
            most_here = (count.max() + EDGES - 1) // EDGES
            if most_here < each and (8 >> fewer) * most_here <= 2 * whole:
                shift, each = fewer, most_here
        bands = 8 >> shift
        if blocks + bands * each > len(out):
            out2 = np.full((2 * len(out) + bands * each, 4, EDGES), 65535, np.uint16)
            out2[:blocks] = out[:blocks]
            out = out2
        count[:] = 0
        for e in range(k):
            for band in range(_band(edge[e, 0], -BESIDE, shift), _band(edge[e, 1], BESIDE, shift) + 1):
                out[blocks + band * each + count[band] // EDGES, :, count[band] % EDGES] = edge[e]
                count[band] += 1
        table[line, 2] |= np.int64(blocks) << 34 | np.int64(shift) << 32
        table[line, 3] |= np.int64(min(each, MANY)) << 57
        blocks += bands * each
    table[n, 2] = np.int64(blocks) << 34
    return out[:blocks].copy().reshape(-1)


@njit(cache=True, nogil=True, error_model="numpy")
def _band(units: int, aside: int, shift: int) -> int:
    return min(7, max(0, int((np.int64(units) + aside) * 8.0 / UNITS))) >> shift


@njit(cache=True, nogil=True, error_model="numpy")
def _units(fraction: float) -> Any:
    return np.uint16(min(1.0, max(0.0, fraction)) * UNITS + 0.5)


# Sums of ones are exact in any order: reassociation only lets eight edges be tested at once.
@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "nsz"})
def decide_parities(n: int, x: Any, y: Any, at: Any, word: Any, block: Any, inside: Any, doubt: Any) -> Any:
    """Of n positions at (x, y) units in cells whose blocks are ``at`` (first << 32 | end): ``inside``; how many
    stay in ``doubt``."""
    one, zero, near, far = np.float32(1.0), np.float32(0.0), np.float32(SIDE), np.float32(UNITS - SIDE)
    doubts = np.uintp(0)
    for p in range(np.uintp(n)):
        px, py = x[p], y[p]
        crossed, close = zero, zero
        for b in range(np.uintp(at[p]) >> np.uintp(32), np.uintp(at[p]) & np.uintp(0xFFFFFFFF)):
            k = b * np.uintp(WORDS)
            for e in range(np.uintp(EDGES)):
                low, high = np.float32(block[k + e]), np.float32(block[k + e + np.uintp(EDGES)])
                left = np.float32(block[k + e + np.uintp(2 * EDGES)])
                dy, dx = high - low, np.float32(block[k + e + np.uintp(3 * EDGES)]) - left
                up = py - low
                side = (px - left) * dy - up * dx
                level = (up >= zero) & (py < high)
                crossed += one if level & (side < zero) else zero
                tie = (abs(up) <= one) | (abs(py - high) <= one) | (level & (abs(side) <= dy + abs(dx)))
                close += one if tie else zero
        inside[p] = (np.int32(crossed) ^ (word[p] >> 2)) & 1
        doubt[doubts] = p
        doubts += np.uintp((px < near) | (px > far) | (py < near) | (py > far) | (close != zero))
    return doubts

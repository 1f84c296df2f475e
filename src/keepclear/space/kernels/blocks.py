"""The edges of a boundary cell in blocks of eight, each one cache line, that decide nearly every position there.

The records of a PARITY entry (see :mod:`keepclear.space.kernels.raster`), cut to the cell and rounded to 1/65535 of
it: a rounded edge keeps within half a unit of the true one, and vertices of one latitude stay at one latitude. Moving
a chain of edges so little turns a position's parity only where it passes over the position. A position within a unit
or two of an edge, of the latitude of an edge's end or of the cell's side is therefore in doubt, and the records in
full precision decide it; elsewhere both give the same parity.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.space.kernels.prefetch import prefetch
from keepclear.space.kernels.raster import FAR, PARITY

Floats = npt.NDArray[np.float64]
EDGES = 8
WORDS = 4 * EDGES
"""A block: eight lower latitudes, eight upper, eight longitudes at the lower, eight at the upper end."""
UNITS = 65535.0
SIDE = 2.0
"""Units from a cell's side within which a position is in doubt."""
AHEAD = 12
"""Positions ahead whose blocks are fetched: memory takes as long as about so many tests."""


@njit(cache=True, nogil=True, error_model="numpy")
def lay_blocks(
    x0: float, y0: float, cell: float, nx: int, cell_start: Any, entry: Any, record_start: Any, record: Floats
) -> tuple[Any, Any]:
    """[2·(entries + 1)] each entry's word and first block, and the blocks, uint16 [blocks · WORDS]."""
    inv = 1.0 / cell
    n = len(entry)
    packed = np.zeros(2 * n + 2, np.int32)
    most = n
    for q in range(n):
        most += (record_start[q + 1] - record_start[q]) // EDGES
    out = np.full((most, 4, EDGES), 65535, np.uint16)
    blocks = 0
    for c in range(len(cell_start) - 2):
        i, j = c % nx, c // nx
        for q in range(cell_start[c], cell_start[c + 1]):
            packed[2 * q], packed[2 * q + 1] = entry[q], blocks
            if entry[q] & 3 != PARITY:
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
                b, e = blocks + k // EDGES, k % EDGES
                out[b, 0, e], out[b, 1, e] = _units(low), _units(high)
                out[b, 2, e], out[b, 3, e] = _units(left), _units(right)
                k += 1
            blocks += (k + EDGES - 1) // EDGES
    packed[2 * n + 1] = blocks
    return packed, out[:blocks].copy().reshape(-1)


@njit(cache=True, nogil=True, error_model="numpy")
def _units(fraction: float) -> Any:
    return np.uint16(min(1.0, max(0.0, fraction)) * UNITS + 0.5)


# Sums of ones are exact in any order: reassociation only lets eight edges be tested at once.
@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "nsz"})
def decide_parities(
    n: int, x: Any, y: Any, entry_at: Any, word: Any, packed: Any, block: Any, inside: Any, doubt: Any
) -> Any:
    """Of n positions at (x, y) units in the cells of their PARITY entries: ``inside``; how many stay in ``doubt``."""
    one, zero, near, far = np.float32(1.0), np.float32(0.0), np.float32(SIDE), np.float32(UNITS - SIDE)
    doubts = np.uintp(0)
    last = np.uintp(n) - np.uintp(1)
    for p in range(np.uintp(n)):
        soon = np.uintp(entry_at[min(p + np.uintp(AHEAD), last)]) << np.uintp(1)
        prefetch(block, np.uintp(packed[soon + np.uintp(1)]) * np.uintp(WORDS))
        prefetch(block, np.uintp(packed[soon + np.uintp(3)]) * np.uintp(WORDS))
        px, py = x[p], y[p]
        q = np.uintp(entry_at[p]) << np.uintp(1)
        crossed, close = zero, zero
        for b in range(np.uintp(packed[q + np.uintp(1)]), np.uintp(packed[q + np.uintp(3)])):
            at = b * np.uintp(WORDS)
            for e in range(np.uintp(EDGES)):
                low, high = np.float32(block[at + e]), np.float32(block[at + e + np.uintp(EDGES)])
                left = np.float32(block[at + e + np.uintp(2 * EDGES)])
                dy, dx = high - low, np.float32(block[at + e + np.uintp(3 * EDGES)]) - left
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

"""The pairs of positions and rows that are left once cells, parts of cells, altitude and time have been asked.

Each step is a loop over a dense list without a branch that depends on the data, but for cells with three rows or more:
a mispredicted branch costs as much as ten positions, and reads that do not wait for one another overlap. Indices are
unsigned, so that nothing is spent on negative ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.space.kernels.bits import ones
from keepclear.space.kernels.cells import part_of
from keepclear.space.kernels.limits import beyond
from keepclear.space.kernels.parts import CLASSES_MAX, LINE
from keepclear.space.kernels.prefetch import prefetch
from keepclear.space.kernels.raster import PARITY

__all__ = [
    "LINE_OF", "east_of", "fetch_ahead", "kept_in_parts", "kept_within_limits", "lines_of", "listed", "parts_of",
    "unfolded",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
U = np.uintp
ONE = np.uint64(1)
LINE_OF = np.int64(0xFFFFFFFF)
"""Of a pair, position << 32 | line, the line."""
CLASS = U(CLASSES_MAX - 1)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def east_of(lon: float, x0: float) -> float:
    x = lon - x0
    x = x + 360.0 if x < 0.0 else x
    return x - 360.0 if x >= 360.0 else x


@njit(cache=True, nogil=True, error_model="numpy")
def parts_of(first: int, n: int, lon: Floats, lat: Floats, frame: Floats, place: Any) -> None:
    """Each position's cell and its part (cell << 6 | part); the empty cell after the last for those off the raster."""
    x0, y0, inv, wide, high = frame[0], frame[1], frame[2] * 8.0, frame[3] * 8.0, frame[4] * 8.0
    columns, nowhere = np.int32(frame[3]), np.int32(frame[3] * frame[4] * 64.0)
    base = U(first)
    for k in range(U(n)):
        fx, fy = east_of(lon[base + k], x0) * inv, (lat[base + k] - y0) * inv
        on = (fx >= 0.0) & (fx < wide) & (fy >= 0.0) & (fy < high)
        c = part_of(fx if on else 0.0, fy if on else 0.0, columns)
        place[k] = c if on else nowhere


@njit(cache=True, nogil=True, error_model="numpy")
def listed(n: int, place: Any, near: Any, here: Any) -> Any:
    """Lists the positions in quarters of cells where any row is; how many."""
    found = U(0)
    for i in range(U(n)):
        s = U(place[i]) >> U(4)
        here[found] = i
        found += (U(near[s >> U(5)]) >> (s & U(31))) & U(1)
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def lines_of(n: int, here: Any, place: Any, near: Any, table: Any, line: Any, after: Any) -> None:
    """The line of the first entry of each listed position's cell, the cells with entries before it counted, and what
    the line says of those after it."""
    for p in range(U(n)):
        c = U(place[U(here[p])]) >> U(6)
        word = near[c >> U(3)]
        below = (word >> np.uint64(32)) & ((ONE << (c & U(7))) - ONE)
        q = (word >> np.uint64(40)) + ones(below)
        line[p] = q
        prefetch(table, U(q) * U(LINE))
    # The processor has room for some twenty fetches and drops or delays more. This loop, hardly more than a read, has
    # as many on their way as there can be; the longer one that needs the lines would have three or four.
    for p in range(U(n)):
        after[p] = table[U(line[p]) * U(LINE) + U(3)]


@njit(cache=True, nogil=True, error_model="numpy")
def fetch_ahead(first: int, n: int, altitude: Floats, time: Floats) -> None:
    """Asks for the columns that the limits are held against, a cache line at a time: they are read with gaps, which
    the processor's own guesses do not bridge."""
    for k in range(U(first), U(first + n), U(8)):
        prefetch(altitude, k)
        prefetch(time, k)


@njit(cache=True, nogil=True, error_model="numpy")
def unfolded(
    k: int, n: int, here: Any, line: Any, after: Any, place: Any, table: Any, pair: Any, enough: int
) -> tuple[Any, Any]:
    """Pairs (position << 32 | line) of the listed positions from k on until there are enough: how many, the next k."""
    m = U(0)
    for p in range(U(k), U(n)):
        i, q = U(here[p]), U(line[p])
        at = q * U(LINE)
        bit = np.uint64(place[i] & 63)
        last = U(after[p]) & U(LINE_OF)
        both = np.int64(i << U(32))
        pair[m] = both | np.int64(q)
        m += U((np.uint64(table[at] | table[at + U(1)]) >> bit) & ONE)
        second, count = last >> U(2), last & U(3)
        pair[m] = both | np.int64(second)
        prefetch(table, second * U(LINE))
        m += U(count > U(0))
        if count > U(1):
            end = second + count
            if count > U(2):
                end = (U(table[second * U(LINE) + U(3)]) & U(LINE_OF)) >> U(2)
            for d in range(second + U(1), end):
                pair[m] = both | np.int64(d)
                prefetch(table, d * U(LINE))
                m += U(1)
            if m > U(enough):
                return m, p + U(1)
    return m, U(n)


@njit(cache=True, nogil=True, error_model="numpy")
def kept_within_limits(m: int, first: int, pair: Any, table: Any, limit: Floats, altitude: Floats, time: Floats) -> Any:
    """Keeps the pairs whose altitude and time are within the row's limits: how many."""
    base, kept = U(first), U(0)
    for p in range(U(m)):
        both = pair[p]
        i, q = U(both >> 32), U(both & LINE_OF) * U(LINE)
        out = beyond(limit, ((U(table[q + U(3)]) >> U(32)) & CLASS) << U(2), altitude[base + i], time[base + i])
        pair[kept] = both
        kept += out ^ U(1)
    return kept


@njit(cache=True, nogil=True, error_model="numpy")
def kept_in_parts(
    m: int, pair: Any, place: Any, table: Any, word: Any, inside: Any, edge: Any, other: Any
) -> tuple[Any, Any, Any]:
    """Keeps the pairs whose part is inside or unsure, with the words of their entries; lists those that need their
    edges and those that need a distance or everything. How many of each."""
    kept, edges, others = U(0), U(0), U(0)
    for p in range(U(m)):
        both = pair[p]
        i, q = U(both >> 32), U(both & LINE_OF) * U(LINE)
        bit = np.uint64(place[i] & 63)
        w = np.int32(table[q + U(2)])
        yes, maybe = (np.uint64(table[q]) >> bit) & ONE, (np.uint64(table[q + U(1)]) >> bit) & ONE
        on_edge = U((w & 3) == PARITY)
        pair[kept] = both
        word[kept] = w
        inside[kept] = yes
        edge[edges] = kept
        other[others] = kept
        kept += U(yes | maybe)
        edges += U(maybe) & on_edge
        others += U(maybe) & (on_edge ^ U(1))
    return kept, edges, others

"""Q1: which positions are in which rows of outlines.

Some thousand positions go through one step at a time, each step a loop over a dense list without a branch that
depends on the data: a mispredicted branch costs as much as ten positions, and reads that do not wait for one another
overlap. Indices are unsigned, so that nothing is spent on negative ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.space.kernels.blocks import UNITS, decide_parities
from keepclear.space.kernels.prefetch import prefetch
from keepclear.space.kernels.raster import CIRCLE, PARITY, in_disc, in_outline

Floats = npt.NDArray[np.float64]
BATCH = 2_048
"""Positions a step: their lists stay in the first two caches."""
SOON = 16
"""Turns of a loop ahead that what it reads at random is fetched."""
U = np.uintp
MASK = np.int64(0xFFFFFFFF)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _east(lon: float, x0: float) -> float:
    x = lon - x0
    x = x + 360.0 if x < 0.0 else x
    return x - 360.0 if x >= 360.0 else x


@njit(cache=True, nogil=True, error_model="numpy")
def _cells(first: int, n: int, lon: Floats, lat: Floats, frame: Floats, cell: Any) -> None:
    """The cell of each position; the empty one after the last for those off the raster or not on Earth."""
    x0, y0, inv, wide, high = frame[0], frame[1], frame[2], frame[3], frame[4]
    columns, nowhere = np.int32(wide), np.int32(wide * high)
    for k in range(n):
        fx, fy = _east(lon[first + k], x0) * inv, (lat[first + k] - y0) * inv
        on = (fx >= 0.0) & (fx < wide) & (fy >= 0.0) & (fy < high)
        fx = fx if on else 0.0
        fy = fy if on else 0.0
        c = np.int32(fy) * columns + np.int32(fx)
        cell[k] = c if on else nowhere


@njit(cache=True, nogil=True, error_model="numpy")
def _unfold(k: int, n: int, cell: Any, cell_start: Any, pair: Any, enough: int) -> Any:
    """Pairs (position << 32 | entry) of positions from k on until there are enough: their number, the next k."""
    m = U(0)
    last = U(n) - U(1)
    for i in range(U(k), U(n)):
        prefetch(cell_start, U(cell[min(i + U(SOON), last)]))
        c = U(cell[i])
        s, e = cell_start[c], cell_start[c + U(1)]
        word = (np.int64(i) << 32) | np.int64(s)
        # Two at once: what is not wanted is written over by the next.
        pair[m] = word
        pair[m + U(1)] = word + 1
        if e - s > 2:
            for d in range(U(2), U(e - s)):
                pair[m + d] = word + np.int64(d)
            if m + U(e - s) > U(enough):
                return m + U(e - s), i + U(1)
        m += U(e - s)
    return m, U(n)


@njit(cache=True, nogil=True, error_model="numpy")
def _screen(
    m: int, first: int, pair: Any, packed: Any, limit_class: Any, limit: Floats, altitude: Floats, time: Floats,
    word: Any,
) -> Any:  # fmt: skip
    """Keeps the pairs whose altitude and time are within limits, with the words of their entries; how many."""
    base = U(first)
    kept = U(0)
    for p in range(U(m)):
        prefetch(packed, U(pair[p + U(SOON)] & MASK) << U(1))  # past the end: of an older list, no matter
        both = pair[p]
        i = base + U(both >> 32)
        h, t = altitude[i], time[i]
        w = packed[U(both & MASK) << U(1)]
        z = U(limit_class[U(w >> 3)]) << U(2)
        out = (h < limit[z]) | (h > limit[z + U(1)]) | (t < limit[z + U(2)]) | (t > limit[z + U(3)])
        word[kept] = w
        pair[kept] = both
        kept += U(1) - U(out)
    return kept


@njit(cache=True, nogil=True, error_model="numpy")
def _sort_out(n: int, word: Any, inside: Any, edge: Any, other: Any) -> Any:
    """Whole cells are decided; lists those that need their edges and those that need a distance or everything."""
    edges, others = U(0), U(0)
    for p in range(U(n)):
        kind = word[p] & 3
        inside[p] = kind & 1
        edge[edges] = p
        edges += U(kind == PARITY)
    for p in range(U(n)):
        other[others] = p
        others += U((word[p] & 3) >> 1)
    return edges, others


@njit(cache=True, nogil=True, error_model="numpy")
def _edges(
    n: int, first: int, edge: Any, pair: Any, word: Any, lon: Floats, lat: Floats, frame: Floats, packed: Any,
    block: Any, record_start: Any, record: Floats, inside: Any, x: Any, y: Any, at: Any, words: Any, answer: Any,
    doubt: Any,
) -> None:  # fmt: skip
    x0, y0, inv = frame[0], frame[1], frame[2]
    base = U(first)
    for p in range(U(n)):
        e = U(edge[p])
        both = pair[e]
        i = base + U(both >> 32)
        at[p] = both & MASK
        words[p] = word[e]
        fx, fy = _east(lon[i], x0) * inv, (lat[i] - y0) * inv
        x[p], y[p] = np.float32((fx - np.int32(fx)) * UNITS), np.float32((fy - np.int32(fy)) * UNITS)
    doubts = decide_parities(n, x, y, at, words, packed, block, answer, doubt)
    for p in range(U(n)):
        inside[U(edge[p])] = answer[p]
    for d in range(U(doubts)):
        unsure = U(doubt[d])
        q = U(at[unsure])
        i = base + U(pair[U(edge[unsure])] >> 32)
        gx, gy = _east(lon[i], x0), lat[i]
        odd = (words[unsure] & 4) != 0
        for r in range(U(record_start[q]), U(record_start[q + U(1)])):
            odd ^= (gy >= record[r, 0]) & (gy < record[r, 1]) & (gx < (gy - record[r, 0]) * record[r, 3] + record[r, 2])
        inside[U(edge[unsure])] = odd


@njit(cache=True, nogil=True, error_model="numpy")
def _others(
    n: int, first: int, other: Any, pair: Any, word: Any, lon: Floats, lat: Floats, disc: Floats, is_circle: Any,
    box: Floats, edge_start: Any, edges: Floats, slope: Floats, inside: Any, doubt: Any,
) -> None:  # fmt: skip
    """Circles by the local distance; in doubt, and where an outline wants the whole test, one by one."""
    base = U(first)
    doubts, last = U(0), U(n) - U(1)
    for p in range(U(n)):
        prefetch(disc, U(word[U(other[min(p + U(SOON), last)])] >> 3) * U(12))
        e = U(other[p])
        i = base + U(pair[e] >> 32)
        z = U(word[e] >> 3)
        dx = lon[i] - disc[z, 0]
        dx = dx - 360.0 if dx > 180.0 else dx
        dx = dx + 360.0 if dx < -180.0 else dx
        dy = lat[i] - disc[z, 1]
        north = (disc[z, 5] + disc[z, 6] * dy) * dy
        east = (disc[z, 7] + dy * (disc[z, 8] + dy * (disc[z, 9] + dy * disc[z, 10]))) * dx
        d2 = north * north + east * east
        within = d2 < disc[z, 3]
        inside[e] = within
        doubt[doubts] = p
        doubts += U(1) - U((within | (d2 > disc[z, 4])) & ((word[e] & 3) == CIRCLE))
    for d in range(doubts):
        e = U(other[U(doubt[d])])
        i = base + U(pair[e] >> 32)
        z2 = word[e] >> 3
        if word[e] & 3 == CIRCLE:
            inside[e] = in_disc(disc, z2, lon[i], lat[i])
        else:
            inside[e] = in_outline(box, is_circle, disc, edge_start, edges, slope, z2, lon[i], lat[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _put(n: int, first: int, pair: Any, word: Any, inside: Any, report: Any, row: Any, used: int) -> Any:
    at = U(used)
    for p in range(U(n)):
        report[at] = np.int64(first) + (pair[p] >> 32)
        row[at] = word[p] >> 3
        at += U(inside[p])
    return at


@njit(cache=True, nogil=True, error_model="numpy")
def positions_block(
    frame: Floats,
    most: int,
    cell_start: Any,
    packed: Any,
    block: Any,
    record_start: Any,
    record: Floats,
    limit_class: Any,
    limit: Floats,
    disc: Floats,
    is_circle: Any,
    box: Floats,
    edge_start: Any,
    edges: Floats,
    slope: Floats,
    a: int,
    b: int,
    lon: Floats,
    lat: Floats,
    altitude: Floats,
    time: Floats,
) -> tuple[Any, Any]:
    """Reports a to b: pairs of report index and row, ordered by report. nan altitudes pass, nan places do not.

    The fields of :class:`keepclear.space.kernels.raster.Raster` come one by one: unpacking a named tuple at each call
    would cost more than some hundred positions.
    """
    batch = min(BATCH, b - a)
    # A position adds at most two pairs unchecked, the last one all of its cell's entries.
    enough = 2 * batch
    room = 2 * enough + most + 2 + SOON
    cap = (b - a) // 4 + room
    report, row = np.empty(cap, np.int64), np.empty(cap, np.int32)
    cell, pair, word = np.empty(batch, np.int32), np.empty(room, np.int64), np.empty(room, np.int32)
    inside, answer = np.empty(room, np.uint8), np.empty(room, np.uint8)
    edge, other, doubt = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int32)
    x, y = np.empty(room, np.float32), np.empty(room, np.float32)
    at, words = np.empty(room, np.int32), np.empty(room, np.int32)
    used = 0
    for first in range(a, b, BATCH):
        n = min(BATCH, b - first)
        _cells(first, n, lon, lat, frame, cell)
        k = 0
        while k < n:
            m, k = _unfold(k, n, cell, cell_start, pair, enough)
            m = _screen(m, first, pair, packed, limit_class, limit, altitude, time, word)
            n_edges, n_others = _sort_out(m, word, inside, edge, other)
            if n_edges > 0:
                _edges(
                    n_edges, first, edge, pair, word, lon, lat, frame, packed, block, record_start, record, inside,
                    x, y, at, words, answer, doubt,
                )  # fmt: skip
            if n_others > 0:
                _others(
                    n_others, first, other, pair, word, lon, lat, disc, is_circle, box, edge_start, edges, slope,
                    inside, doubt,
                )  # fmt: skip
            if used + m > cap:
                cap = 2 * cap + m
                report2, row2 = np.empty(cap, np.int64), np.empty(cap, np.int32)
                report2[:used], row2[:used] = report[:used], row[:used]
                report, row = report2, row2
            used = _put(m, first, pair, word, inside, report, row, used)
    return report[:used], row[:used]

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

from keepclear.space.kernels.bits import ones
from keepclear.space.kernels.blocks import UNITS, WORDS, decide_parities
from keepclear.space.kernels.limits import beyond
from keepclear.space.kernels.parts import LINE
from keepclear.space.kernels.prefetch import prefetch
from keepclear.space.kernels.raster import CIRCLE, PARITY, in_disc, in_outline

Floats = npt.NDArray[np.float64]
BATCH = 2_048
"""Positions a step: their lists stay in the first two caches."""
U = np.uintp
ONE = np.uint64(1)
MASK = np.int64(0xFFFFFFFF)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _east(lon: float, x0: float) -> float:
    x = lon - x0
    x = x + 360.0 if x < 0.0 else x
    return x - 360.0 if x >= 360.0 else x


@njit(cache=True, nogil=True, error_model="numpy")
def _places(first: int, n: int, lon: Floats, lat: Floats, frame: Floats, place: Any) -> None:
    """Each position's cell and its part (cell << 6 | part); the empty cell after the last for those off the raster."""
    x0, y0, inv, wide, high = frame[0], frame[1], frame[2] * 8.0, frame[3] * 8.0, frame[4] * 8.0
    columns, nowhere = np.int32(frame[3]), np.int32(frame[3] * frame[4] * 64.0)
    for k in range(n):
        fx, fy = _east(lon[first + k], x0) * inv, (lat[first + k] - y0) * inv
        on = (fx >= 0.0) & (fx < wide) & (fy >= 0.0) & (fy < high)
        fx = fx if on else 0.0
        fy = fy if on else 0.0
        ix, iy = np.int32(fx), np.int32(fy)
        c = ((iy >> 3) * columns + (ix >> 3)) << 6 | (iy & 7) << 3 | (ix & 7)
        place[k] = c if on else nowhere


@njit(cache=True, nogil=True, error_model="numpy")
def _occupied(n: int, place: Any, near: Any, here: Any) -> Any:
    """Lists the positions in quarters of cells where any row is; how many."""
    found = U(0)
    for i in range(U(n)):
        s = U(place[i]) >> U(4)
        here[found] = i
        found += (U(near[s >> U(5)]) >> (s & U(31))) & U(1)
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def _lines(n: int, here: Any, place: Any, near: Any, table: Any, line: Any) -> None:
    """The line of the first entry of each listed position's cell: the cells with entries before it, counted."""
    for p in range(U(n)):
        c = U(place[U(here[p])]) >> U(6)
        word = near[c >> U(3)]
        below = word & ((ONE << ((c & U(7)) << U(2))) - ONE)
        below |= below >> np.uint64(1)
        below |= below >> np.uint64(2)
        q = (word >> np.uint64(32)) + ones(below & np.uint64(0x11111111))
        line[p] = q
        prefetch(table, U(q) * U(LINE))


@njit(cache=True, nogil=True, error_model="numpy")
def _unfold(k: int, n: int, here: Any, line: Any, place: Any, table: Any, pair: Any, enough: int) -> Any:
    """Pairs (position << 32 | line) of the listed positions from k on until there are enough: how many, the next k."""
    m = U(0)
    for p in range(U(k), U(n)):
        i, q = U(here[p]), U(line[p])
        at = q * U(LINE)
        bit = np.uint64(place[i] & 63)
        last = U(table[at + U(3)]) & U(MASK)
        both = np.int64(i << U(32))
        pair[m] = both | np.int64(q)
        m += U((np.uint64(table[at] | table[at + U(1)]) >> bit) & ONE)
        after, count = last >> U(2), last & U(3)
        pair[m] = both | np.int64(after)
        prefetch(table, after * U(LINE))
        m += U(count > U(0))
        if count > U(1):
            end = after + count
            if count > U(2):
                end = (U(table[after * U(LINE) + U(3)]) & U(MASK)) >> U(2)
            for d in range(after + U(1), end):
                pair[m] = both | np.int64(d)
                prefetch(table, d * U(LINE))
                m += U(1)
            if m > U(enough):
                return m, p + U(1)
    return m, U(n)


@njit(cache=True, nogil=True, error_model="numpy")
def _screen(
    m: int, first: int, pair: Any, place: Any, table: Any, limit: Floats, altitude: Floats, time: Floats, word: Any,
    inside: Any, edge: Any, other: Any,
) -> Any:  # fmt: skip
    """Keeps the pairs whose part may be inside and whose altitude and time are within limits, with the words of their
    entries; lists those that need their edges and those that need a distance or everything. How many of each."""
    base = U(first)
    kept, edges, others = U(0), U(0), U(0)
    for p in range(U(m)):
        both = pair[p]
        i = U(both >> 32)
        q = U(both & MASK) * U(LINE)
        bit = np.uint64(place[i] & 63)
        w = np.int32(table[q + U(2)])
        yes, maybe = (np.uint64(table[q]) >> bit) & ONE, (np.uint64(table[q + U(1)]) >> bit) & ONE
        out = beyond(limit, (U(table[q + U(3)]) >> U(32)) << U(2), altitude[base + i], time[base + i])
        good = (out ^ U(1)) & U(yes | maybe)
        unsure = good & U(maybe)
        on_edge = U((w & 3) == PARITY)
        word[kept] = w
        pair[kept] = both
        inside[kept] = yes
        edge[edges] = kept
        other[others] = kept
        kept += good
        edges += unsure & on_edge
        others += unsure & (on_edge ^ U(1))
    return kept, edges, others


@njit(cache=True, nogil=True, error_model="numpy")
def _edges(
    n: int, first: int, edge: Any, pair: Any, word: Any, place: Any, lon: Floats, lat: Floats, frame: Floats,
    table: Any, block: Any, entry_of: Any, record_start: Any, record: Floats, inside: Any, x: Any, y: Any, at: Any,
    words: Any, answer: Any, doubt: Any,
) -> None:  # fmt: skip
    x0, y0, inv = frame[0], frame[1], frame[2]
    base = U(first)
    for p in range(U(n)):
        e = U(edge[p])
        both = pair[e]
        i = U(both >> 32)
        q = U(both & MASK) * U(LINE)
        first_block = U(table[q + U(2)]) >> U(32)
        begin, shift = first_block >> U(2), first_block & U(3)
        many = ((U(table[q + U(2 + LINE)]) >> U(34)) - begin) >> (U(3) - shift)
        begin += (((U(place[i]) >> U(3)) & U(7)) >> shift) * many
        prefetch(block, begin * U(WORDS))
        at[p] = (begin << U(32)) | (begin + many)
        words[p] = word[e]
        fx, fy = _east(lon[base + i], x0) * inv, (lat[base + i] - y0) * inv
        x[p], y[p] = np.float32((fx - np.int32(fx)) * UNITS), np.float32((fy - np.int32(fy)) * UNITS)
    doubts = decide_parities(n, x, y, at, words, block, answer, doubt)
    for p in range(U(n)):
        inside[U(edge[p])] = answer[p]
    for d in range(U(doubts)):
        e = U(edge[U(doubt[d])])
        both = pair[e]
        i = base + U(both >> 32)
        q = U(entry_of[U(both & MASK)])
        gx, gy = _east(lon[i], x0), lat[i]
        odd = (word[e] & 4) != 0
        for r in range(U(record_start[q]), U(record_start[q + U(1)])):
            odd ^= (gy >= record[r, 0]) & (gy < record[r, 1]) & (gx < (gy - record[r, 0]) * record[r, 3] + record[r, 2])
        inside[e] = odd


@njit(cache=True, nogil=True, error_model="numpy")
def _others(
    n: int, first: int, other: Any, pair: Any, word: Any, lon: Floats, lat: Floats, disc: Floats, is_circle: Any,
    box: Floats, edge_start: Any, edges: Floats, slope: Floats, inside: Any, doubt: Any,
) -> None:  # fmt: skip
    """Circles by the local distance; in doubt, and where an outline wants the whole test, one by one."""
    base = U(first)
    doubts = U(0)
    for p in range(U(n)):
        prefetch(disc, U(word[U(other[p])] >> 3) * U(12))
        prefetch(disc, U(word[U(other[p])] >> 3) * U(12) + U(8))
    for p in range(U(n)):
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
    near: Any,
    table: Any,
    block: Any,
    entry_of: Any,
    record_start: Any,
    record: Floats,
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
    room = 2 * enough + most + 2
    cap = (b - a) // 4 + room
    report, row = np.empty(cap, np.int64), np.empty(cap, np.int32)
    place, here, line = np.empty(batch, np.int32), np.empty(batch, np.int32), np.empty(batch, np.int32)
    pair, word = np.empty(room, np.int64), np.empty(room, np.int32)
    inside, answer = np.empty(room, np.uint8), np.empty(room, np.uint8)
    edge, other, doubt = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int32)
    x, y = np.empty(room, np.float32), np.empty(room, np.float32)
    at, words = np.empty(room, np.int64), np.empty(room, np.int32)
    used = 0
    for first in range(a, b, BATCH):
        n = min(BATCH, b - first)
        _places(first, n, lon, lat, frame, place)
        found = _occupied(n, place, near, here)
        _lines(found, here, place, near, table, line)
        k = 0
        while k < found:
            m, k = _unfold(k, found, here, line, place, table, pair, enough)
            m, n_edges, n_others = _screen(
                m, first, pair, place, table, limit, altitude, time, word, inside, edge, other
            )
            if n_edges > 0:
                _edges(
                    n_edges, first, edge, pair, word, place, lon, lat, frame, table, block, entry_of, record_start,
                    record, inside, x, y, at, words, answer, doubt,
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

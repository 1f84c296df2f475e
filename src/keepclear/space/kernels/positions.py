"""Q1: which positions are in which rows of outlines.

Some thousand positions go through one step at a time: first those of :mod:`keepclear.space.kernels.candidates`, then
edges for polygons and distances for circles decide what is left.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.space.kernels.blocks import UNITS, WORDS, decide_parities
from keepclear.space.kernels.candidates import (
    LINE_OF,
    east_of,
    fetch_ahead,
    kept_in_parts,
    kept_within_limits,
    lines_of,
    listed,
    parts_of,
    unfolded,
)
from keepclear.space.kernels.parts import LINE, MANY
from keepclear.space.kernels.prefetch import prefetch
from keepclear.space.kernels.raster import CIRCLE, in_disc, in_outline

Floats = npt.NDArray[np.float64]
BATCH = 1_024
"""Positions a step: their lists and the lines they look up stay in the first two caches."""
U = np.uintp


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
        q = U(both & LINE_OF) * U(LINE)
        first_block = U(table[q + U(2)]) >> U(32)
        begin, shift = first_block >> U(2), first_block & U(3)
        many = U(table[q + U(3)]) >> U(57)
        if many == U(MANY):
            many = ((U(table[q + U(2 + LINE)]) >> U(34)) - begin) >> (U(3) - shift)
        begin += (((U(place[i]) >> U(3)) & U(7)) >> shift) * many
        prefetch(block, begin * U(WORDS))
        prefetch(block, (begin + many - U(1)) * U(WORDS))
        at[p] = (begin << U(32)) | (begin + many)
        words[p] = word[e]
        fx, fy = east_of(lon[base + i], x0) * inv, (lat[base + i] - y0) * inv
        x[p], y[p] = np.float32((fx - np.int32(fx)) * UNITS), np.float32((fy - np.int32(fy)) * UNITS)
    doubts = decide_parities(n, x, y, at, words, block, answer, doubt)
    for p in range(U(n)):
        inside[U(edge[p])] = answer[p]
    for d in range(U(doubts)):
        e = U(edge[U(doubt[d])])
        both = pair[e]
        i = base + U(both >> 32)
        q = U(entry_of[U(both & LINE_OF)])
        gx, gy = east_of(lon[i], x0), lat[i]
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
    after = np.empty(batch, np.int64)
    pair, word = np.empty(room, np.int64), np.empty(room, np.int32)
    inside, answer = np.empty(room, np.uint8), np.empty(room, np.uint8)
    edge, other, doubt = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int32)
    x, y = np.empty(room, np.float32), np.empty(room, np.float32)
    at, words = np.empty(room, np.int64), np.empty(room, np.int32)
    used = 0
    for first in range(a, b, BATCH):
        n = min(BATCH, b - first)
        parts_of(first, n, lon, lat, frame, place)
        found = listed(n, place, near, here)
        lines_of(found, here, place, near, table, line, after)
        fetch_ahead(first, n, altitude, time)
        k = 0
        while k < found:
            m, k = unfolded(k, found, here, line, after, place, table, pair, enough)
            m = kept_within_limits(m, first, pair, table, limit, altitude, time)
            m, n_edges, n_others = kept_in_parts(m, pair, place, table, word, inside, edge, other)
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

"""Every pair of many moving aircraft that is, or within a look-ahead will be, too close; exact on straight motion."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.detection.kernels.aircraft import STATE, screen, states
from keepclear.detection.kernels.candidates import DiscClass, candidates
from keepclear.detection.kernels.motion import loss_times, plane_quadratic, vertical_window
from keepclear.detection.kernels.pool import each, in_blocks
from keepclear.detection.kernels.scratch import Scratch, scratch
from keepclear.feeds.reports import Floats
from keepclear.space.kernels.prefetch import prefetch

__all__ = ["BARO", "GEO", "UNKNOWN", "Pairs", "find_pairs"]

SMALL = 384
"""Up to here all pairs are looked at directly: the sort would cost more than it saves."""
UNKNOWN, BARO, GEO = 0, 1, 2
"""what the vertical distance of a pair was measured by"""
RESULT = 13
SOON = 12
"""Candidates ahead whose second states are fetched: those of the next row of latitude lie far off in memory."""


class Pairs(NamedTuple):
    """Columns, one row a pair, ordered by (i, j); seconds from now, metres. Widened: by both accuracies."""

    i: npt.NDArray[np.int64]
    j: npt.NDArray[np.int64]
    """row numbers, i < j"""
    enter_s: Floats
    leave_s: Floats
    """the loss of separation at the nominal thresholds within [0, look-ahead]; nan if only the widened ones are lost"""
    wide_enter_s: Floats
    wide_leave_s: Floats
    now_horizontal_m: Floats
    now_vertical_m: Floats
    cpa_s: Floats
    """least horizontal distance while vertically too close, within the look-ahead"""
    cpa_horizontal_m: Floats
    cpa_vertical_m: Floats
    certain: Floats
    """2: lost now even at the narrowed threshold; 1: will be; 0: neither"""
    wide_now: Floats
    """1: lost now at the widened threshold"""
    accuracy_m: Floats
    """95 % radius of the relative position"""
    datum: Floats
    """:data:`BARO`, :data:`GEO` or :data:`UNKNOWN`"""


@njit(cache=True, nogil=True, error_model="numpy")
def judge(
    p: Any, q: Any, ids_p: Any, ids_q: Any, state_p: Any, state_q: Any, target: Any, separations: Any, key: Any,
    table: Any,
) -> int:  # fmt: skip
    """Which of the candidates lose separation, and how: (i, j) rows of ``key``, RESULT columns of ``table``."""
    horizontal, vertical, tau, look = separations[0], separations[1], separations[2], separations[3]
    begin = -0.5 * (tau + look)
    end = begin + look
    k = 0
    final = len(p) - 1
    rows = state_q.reshape(-1)
    for r in range(len(p)):
        soon = np.uintp(q[min(r + SOON, final)]) * np.uintp(STATE)
        prefetch(rows, soon)
        prefetch(rows, soon + np.uintp(STATE - 1))
        a, b = state_p[p[r]], state_q[q[r]]
        dz, datum = b[6] - a[6], BARO
        if dz != dz:
            dz, datum = b[7] - a[7], GEO
            if dz != dz:
                datum = UNKNOWN
        dw = b[8] - a[8]
        low, high = vertical_window(dz, dw, vertical)
        if not (low < high and low < end and high > begin):
            continue
        square, slope, gap = plane_quadratic(
            a[0], a[1], a[2], a[3], a[4], a[5], b[0], b[1], b[2], b[3], b[4], b[5]
        )  # fmt: skip
        margin = math.sqrt(a[9] * a[9] + b[9] * b[9])
        wide_in, wide_out = loss_times(square, slope, gap, low, high, horizontal + margin, tau, begin, end)
        if wide_in != wide_in:
            continue
        i, j = ids_p[p[r]], ids_q[q[r]]
        if len(target) > 1 and target[i] >= 0 and target[i] == target[j]:
            continue
        enter, leave, certain = wide_in, wide_out, 0.0
        if margin > 0.0:
            enter, leave = loss_times(square, slope, gap, low, high, horizontal, tau, begin, end)
            if horizontal > margin and datum != UNKNOWN:
                sure_in, _ = loss_times(square, slope, gap, low, high, horizontal - margin, tau, begin, end)
                if sure_in == sure_in:
                    certain = 2.0 if sure_in == begin else 1.0
        elif datum != UNKNOWN:
            certain = 2.0 if enter == begin else 1.0
        first, last = max(begin, low), min(end, high)
        cpa = first if square < 1e-9 else min(last, max(first, -slope / square))
        key[k, 0], key[k, 1] = min(i, j), max(i, j)
        row = table[k]
        row[0], row[1] = enter - begin, leave - begin
        row[2], row[3] = wide_in - begin, wide_out - begin
        row[4] = math.sqrt(max(0.0, (square * begin + 2.0 * slope) * begin + gap))
        row[5] = abs(dz + dw * begin)
        row[6] = cpa - begin
        row[7] = math.sqrt(max(0.0, (square * cpa + 2.0 * slope) * cpa + gap))
        row[8] = abs(dz + dw * cpa)
        row[9], row[10] = certain, 1.0 if wide_in == begin else 0.0
        row[11], row[12] = margin, datum
        k += 1
    return k


@njit(cache=True, nogil=True, error_model="numpy")
def every_pair(disc: Any, reach: Any) -> Any:
    """Candidates among few: all pairs, by the same tests as the sweep's."""
    n = len(reach)
    cap, k = 256, 0
    p, q = np.empty(cap, np.int32), np.empty(cap, np.int32)
    for i in range(n):
        if reach[i] != reach[i]:
            continue
        x, y, z, w = disc[i, 0], disc[i, 1], disc[i, 2], disc[i, 3]
        m1, h1, m2, h2 = disc[i, 4], disc[i, 5], disc[i, 6], disc[i, 7]
        for j in range(i + 1, n):
            if abs(disc[j, 4] - m1) > disc[j, 5] + h1 or reach[j] != reach[j]:
                continue
            dx, dy, dz, r = disc[j, 0] - x, disc[j, 1] - y, disc[j, 2] - z, disc[j, 3] + w
            if dx * dx + dy * dy + dz * dz > r * r or abs(disc[j, 6] - m2) > disc[j, 7] + h2:
                continue
            if k == cap:
                cap *= 2
                p2, q2 = np.empty(cap, np.int32), np.empty(cap, np.int32)
                p2[:k], q2[:k] = p, q
                p, q = p2, q2
            p[k], q[k] = i, j
            k += 1
    return p[:k], q[:k]


@njit(cache=True, nogil=True, error_model="numpy")
def few(
    lat: Any,
    lon: Any,
    east: Any,
    north: Any,
    up: Any,
    baro: Any,
    geo: Any,
    age: Any,
    accuracy: Any,
    target: Any,
    separations: Any,
) -> Any:
    """:func:`find_pairs` for few aircraft, in one call. Returns (rows of i and j, table of RESULT columns)."""
    n = len(lat)
    disc, reach, angle = np.empty((n, 8), np.float32), np.empty(n), np.empty((2, n))
    screen(0, n, lat, lon, east, north, up, baro, geo, age, accuracy, separations, disc, reach, angle)
    p, q = every_pair(disc, reach)
    ids, touched = np.arange(n).astype(np.int32), np.zeros(n, np.uint8)
    for k in range(len(p)):
        touched[p[k]] = touched[q[k]] = 1
    state = np.empty((n, STATE))
    states(0, n, ids, touched, lat, lon, east, north, up, baro, geo, age, accuracy, separations, state)
    key, table = np.empty((len(p), 2), np.int64), np.empty((len(p), RESULT))
    k = judge(p, q, ids, ids, state, state, target, separations, key, table)
    return key[:k, 0].copy(), key[:k, 1].copy(), table[:k]


@njit(cache=True, nogil=True, error_model="numpy")
def pick(key: Any, begin: Any, count: Any, n: int) -> Any:
    """(i * n + j, row) of the rows that blocks filled, each from its beginning."""
    total = count.sum()
    number, row = np.empty(total, np.int64), np.empty(total, np.int64)
    k = 0
    for block in range(len(begin)):
        for r in range(begin[block], begin[block] + count[block]):
            number[k], row[k] = key[r, 0] * n + key[r, 1], r
            k += 1
    return number, row


@njit(cache=True, nogil=True, error_model="numpy")
def in_order(key: Any, table: Any, row: Any, order: Any) -> Any:
    """The columns (i, j, RESULT) of the picked rows in order."""
    k = len(order)
    i, j, columns = np.empty(k, np.int64), np.empty(k, np.int64), np.empty((RESULT, k))
    for n in range(k):
        r = row[order[n]]
        i[n], j[n] = key[r, 0], key[r, 1]
        for c in range(RESULT):
            columns[c, n] = table[r, c]
    return i, j, columns


_NONE = np.zeros(1)
_UNKNOWN = np.full(1, np.nan)
_NOBODY = np.full(1, -1, np.int64)


def find_pairs(
    lat_deg: Floats,
    lon_deg: Floats,
    altitude_m: Floats,
    east_mps: Floats,
    north_mps: Floats,
    up_mps: Floats,
    horizontal_m: float,
    vertical_m: float,
    look_ahead_s: float,
    *,
    tau_s: float = 0.0,
    altitude_geo_m: Floats | None = None,
    age_s: Floats | None = None,
    accuracy_m: Floats | None = None,
    target: npt.NDArray[np.int64] | None = None,
) -> Pairs:
    """Every pair that within [0, look_ahead_s] is inside both thresholds at the same instant.

    Columns of float64, shape (n,). ``nan`` altitude: that aircraft may be anywhere vertically; ``nan`` motion counts
    as none; a row without a position takes no part. ``altitude_m`` are of one datum, ``altitude_geo_m`` of another
    for pairs where one of the two lacks the first. ``age_s`` seconds have passed since each position. Rows with
    equal ``target`` >= 0 are one aircraft. ``accuracy_m`` (95 %) widens the horizontal threshold of a pair by the
    root of the sum of squares. Cost grows as n plus the pairs found, whatever the thresholds.
    """
    n = len(lat_deg)
    given: Any
    age = _NONE if age_s is None else age_s
    accuracy = _NONE if accuracy_m is None else accuracy_m
    geo = _UNKNOWN if altitude_geo_m is None else altitude_geo_m
    who = _NOBODY if target is None else target
    separations = (horizontal_m, vertical_m, tau_s, look_ahead_s)
    given = (lat_deg, lon_deg, east_mps, north_mps, up_mps, altitude_m, geo, age, accuracy)
    if n <= SMALL:
        i, j, table = few(*given, who, separations)  # type: ignore[call-arg]
        return Pairs(i, j, *table.T)
    with scratch() as room:
        return _find_many(n, given, who, separations, room)


def _find_many(n: int, given: Any, who: npt.NDArray[np.int64], separations: tuple[float, ...], room: Scratch) -> Pairs:
    disc, state = room.take("disc", (n, 8), np.float32), room.take("state", (n, STATE), np.float64)
    reach, angle = room.take("reach", n, np.float64), room.take("angle", (2, n), np.float64)
    in_blocks(lambda a, b: screen(a, b, *given, separations, disc, reach, angle), n, 2_000, 1)  # type: ignore[call-arg]
    found = candidates(disc, reach, angle[0], angle[1], lambda p, q, a, b: (p, q, a, b), room)
    # Few of many aircraft come near another: only theirs are the exact states needed.
    exact: dict[int, Floats] = {}
    at = 0
    for one in {id(c): c for block in found for c in block[2:]}.values():
        exact[id(one)] = rows = state[at : at + len(one.ids)]
        at += len(one.ids)
        _fill_states(one, given, separations, rows)
    total = np.cumsum([0] + [len(block[0]) for block in found])
    key, table = room.take("key", (total[-1], 2), np.int64), room.take("table", (total[-1], RESULT), np.float64)

    def judge_block(k: int) -> int:
        p, q, a, b = found[k]
        rows = slice(total[k], total[k + 1])
        states_a, states_b = exact[id(a)], exact[id(b)]
        return int(judge(p, q, a.ids, b.ids, states_a, states_b, who, separations, key[rows], table[rows]))

    count = np.array(each(judge_block, len(found), enough=total[-1] > 1_000), np.int64)
    number, row = pick(key, total[:-1], count, n)
    i, j, columns = in_order(key, table, row, np.argsort(number))
    return Pairs(i, j, *columns)


def _fill_states(one: DiscClass, given: Any, separations: tuple[float, ...], rows: Floats) -> None:
    in_blocks(lambda a, b: states(a, b, one.ids, one.touched, *given, separations, rows), len(one.ids), 20_000, 1)  # type: ignore[call-arg]

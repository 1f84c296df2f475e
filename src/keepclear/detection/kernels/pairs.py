"""Every pair of many moving aircraft that is, or within a look-ahead will be, too close; exact on straight motion."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.detection.kernels.aircraft import MORE, STATE, gather_aircraft, screen
from keepclear.detection.kernels.candidates import candidates
from keepclear.detection.kernels.eight import EIGHT, PLACE
from keepclear.detection.kernels.motion import loss_times, plane_quadratic, vertical_window
from keepclear.detection.kernels.order import whole
from keepclear.detection.kernels.pool import each, in_blocks
from keepclear.detection.kernels.scratch import Scratch, scratch
from keepclear.detection.kernels.sweep import sweep
from keepclear.feeds.reports import Floats
from keepclear.space.kernels.prefetch import prefetch

__all__ = ["BARO", "GEO", "UNKNOWN", "Pairs", "find_pairs"]

SMALL = 384
"""Up to here all pairs are looked at directly: the sort would cost more than it saves."""
UNKNOWN, BARO, GEO = 0, 1, 2
"""what the vertical distance of a pair was measured by"""
RESULT = 13
CHUNK = 128
SOON = 8
RELATION = 8
"""squared horizontal distance: square, slope, gap; vertical distance and its rate; when lost vertically; datum"""


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


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _relate(m: int, vertical: float, a: Any, b: Any, both: Any) -> None:
    """What two have to do with each other, for ``m`` pairs of states side by side: rows of RELATION."""
    for r in range(m):
        square, slope, gap = plane_quadratic(
            a[0, r], a[1, r], a[2, r], a[3, r], a[4, r], a[5, r],
            b[0, r], b[1, r], b[2, r], b[3, r], b[4, r], b[5, r],
        )  # fmt: skip
        dz, dw = both[3, r], b[7, r] - a[7, r]
        low, high = vertical_window(dz, dw, vertical)
        both[0, r], both[1, r], both[2, r], both[4, r] = square, slope, gap, dw
        both[5, r], both[6, r] = low, high


@njit(cache=True, nogil=True, error_model="numpy")
def judge(
    p: Any, q: Any, ids_p: Any, ids_q: Any, state: Any, geo: Any, age: Any, accuracy: Any, target: Any,
    separations: Any, key: Any, table: Any,
) -> int:  # fmt: skip
    """Which of the candidates lose separation, and how: (i, j) rows of ``key``, RESULT columns of ``table``."""
    horizontal, vertical, tau, look = separations[0], separations[1], separations[2], separations[3]
    begin = -0.5 * (tau + look)
    end = begin + look
    geo_step, age_step = 1 if len(geo) > 1 else 0, 1 if len(age) > 1 else 0
    rows, final = state.reshape(-1), len(p) - 1
    a, b, both = np.empty((STATE, CHUNK)), np.empty((STATE, CHUNK)), np.empty((RELATION, CHUNK))
    k = 0
    for base in range(0, len(p), CHUNK):
        m = min(CHUNK, len(p) - base)
        for r in range(m):
            soon = min(base + r + SOON, final)
            prefetch(rows, np.uintp(ids_p[p[soon]]) * np.uintp(STATE))
            prefetch(rows, np.uintp(ids_q[q[soon]]) * np.uintp(STATE))
            i, j = ids_p[p[base + r]], ids_q[q[base + r]]
            for c in range(STATE):
                a[c, r], b[c, r] = state[i, c], state[j, c]
            dz = b[6, r] - a[6, r]
            both[3, r], both[7, r] = dz, BARO
            if dz != dz:
                dz = geo[j * geo_step] - geo[i * geo_step]
                dz += b[7, r] * (age[j * age_step] - begin) - a[7, r] * (age[i * age_step] - begin)
                both[3, r], both[7, r] = dz, UNKNOWN if dz != dz else GEO
        _relate(m, vertical, a, b, both)
        for r in range(m):
            low, high = both[5, r], both[6, r]
            if not (low < high and low < end and high > begin):
                continue
            square, slope, gap, dz, dw = both[0, r], both[1, r], both[2, r], both[3, r], both[4, r]
            i, j = ids_p[p[base + r]], ids_q[q[base + r]]
            margin = 0.0
            if len(accuracy) > 1:
                margin = math.sqrt(max(accuracy[i], 0.0) ** 2 + max(accuracy[j], 0.0) ** 2)
            wide_in, wide_out = loss_times(square, slope, gap, low, high, horizontal + margin, tau, begin, end)
            if wide_in != wide_in:
                continue
            if len(target) > 1 and target[i] >= 0 and target[i] == target[j]:
                continue
            enter, leave, certain = wide_in, wide_out, 0.0
            datum = both[7, r]
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
            table[k, 0], table[k, 1] = enter - begin, leave - begin
            table[k, 2], table[k, 3] = wide_in - begin, wide_out - begin
            table[k, 4] = math.sqrt(max(0.0, (square * begin + 2.0 * slope) * begin + gap))
            table[k, 5] = abs(dz + dw * begin)
            table[k, 6] = cpa - begin
            table[k, 7] = math.sqrt(max(0.0, (square * cpa + 2.0 * slope) * cpa + gap))
            table[k, 8] = abs(dz + dw * cpa)
            table[k, 9], table[k, 10] = certain, 1.0 if wide_in == begin else 0.0
            table[k, 11], table[k, 12] = margin, datum
            k += 1
    return k


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
    state, reach, angle = np.empty((n, STATE)), np.empty(n), np.empty((2, n))
    screen(0, n, lat, lon, east, north, up, baro, age, accuracy, separations, state, reach, angle)
    ids, size, largest = np.empty(n, np.int32), 0, 0.0
    for i in range(n):
        if reach[i] == reach[i]:
            ids[size], largest = i, max(largest, reach[i])
            size += 1
    place, more = np.empty((PLACE, size + EIGHT), np.float32), np.empty((size, MORE), np.float32)
    gather_aircraft(ids, state, reach, geo, age, accuracy, separations, place, more, 0, size)
    # one cell that holds all
    start, grid = np.array([0, size], np.int32), whole()
    half_s = 0.5 * (separations[2] + separations[3])
    p, q = sweep(0, size, True, half_s, start, grid, place, more, largest, start, grid, place, more, largest)
    key, table = np.empty((len(p), 2), np.int64), np.empty((len(p), RESULT))
    k = judge(p, q, ids, ids, state, geo, age, accuracy, target, separations, key, table)
    return key[:k, 0].copy(), key[:k, 1].copy(), table[:k]


@njit(cache=True, nogil=True, error_model="numpy")
def pick(key: Any, begin: Any, count: Any, n: int, number: Any, row: Any) -> None:
    """Fill i * n + j and the row of the rows that blocks filled, each from its beginning."""
    k = 0
    for block in range(len(count)):
        for r in range(begin[block], begin[block] + count[block]):
            number[k], row[k] = key[r, 0] * n + key[r, 1], r
            k += 1


@njit(cache=True, nogil=True, error_model="numpy")
def in_order(key: Any, table: Any, row: Any, order: Any, i: Any, j: Any, columns: Any, begin: Any, end: Any) -> None:
    """Fill the columns (i, j, RESULT) of the picked rows in order."""
    flat, final = table.reshape(-1), len(order) - 1
    for n in range(begin, end):
        soon = np.uintp(row[order[min(n + SOON, final)]]) * np.uintp(RESULT)
        prefetch(flat, soon)
        prefetch(flat, soon + np.uintp(8))
        r = row[order[n]]
        i[n], j[n] = key[r, 0], key[r, 1]
        for c in range(RESULT):
            columns[c, n] = table[r, c]


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
    *columns, geo, age, accuracy = given
    state, reach = room.take("state", (n, STATE), np.float64), room.take("reach", n, np.float64)
    angle = room.take("angle", (2, n), np.float64)
    in_blocks(lambda a, b: screen(a, b, *columns, age, accuracy, separations, state, reach, angle), n, 2_000, 1)  # type: ignore[call-arg]

    def gather(ids: Any, place: Any, more: Any, begin: int, end: int) -> None:
        gather_aircraft(ids, state, reach, geo, age, accuracy, separations, place, more, begin, end)

    half_s = 0.5 * (separations[2] + separations[3])
    found = candidates(
        gather, MORE, reach, angle[0], angle[1], lambda p, q, a, b: (p, q, a, b), room, half_s=half_s
    )  # fmt: skip
    total = np.cumsum([0] + [len(block[0]) for block in found])
    key, table = room.take("key", (total[-1], 2), np.int64), room.take("table", (total[-1], RESULT), np.float64)

    def judge_block(k: int) -> int:
        p, q, a, b = found[k]
        rows = slice(total[k], total[k + 1])
        return int(judge(p, q, a.ids, b.ids, state, geo, age, accuracy, who, separations, key[rows], table[rows]))

    count = np.array(each(judge_block, len(found), enough=total[-1] > 1_000), np.int64)
    m = int(count.sum())
    number, row = room.take("number", m, np.int64), room.take("row", m, np.int64)
    pick(key, total[:-1], count, n, number, row)
    order = np.argsort(number)
    i, j, result = np.empty(m, np.int64), np.empty(m, np.int64), np.empty((RESULT, m))
    in_blocks(lambda a, b: in_order(key, table, row, order, i, j, result, a, b), m, 10_000)
    return Pairs(i, j, *result)

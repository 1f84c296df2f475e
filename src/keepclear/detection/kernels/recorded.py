"""Loss of separation between recorded tracks: exact on the straight lines between reports, none across gaps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from keepclear.detection.kernels.motion import (
    AXIS_RATIO2,
    loss_times,
    plane_quadratic,
    surface_point,
    vertical_window,
)
from keepclear.detection.kernels.pairs import BARO, GEO, UNKNOWN

__all__ = [
    "ENTRY", "PIECE", "count_entries", "earth_centred", "entries", "entry_discs", "judge_recorded", "number_tracks",
    "observed_together", "stitch",
]  # fmt: skip

ENTRY = 4
"""track, slab, first report of its first segment, first report of its last segment"""
PIECE = 15
"""0–1 outer in, out; 2–3 widened in, out; 4–5 nominal in, out (nan: none); 6 certain; 7 time, 8 horizontal and 9
vertical distance of the closest approach; 10 datum; 11–12 begin and end of what both were observed; 13–14 reports"""


@njit(cache=True, nogil=True, error_model="numpy")
def earth_centred(begin: int, end: int, lat: Any, lon: Any, out: Any) -> None:
    """Fill rows of ``out``, (n, 3): metres on the ellipsoid."""
    for i in range(begin, end):
        out[i, 0], out[i, 1], out[i, 2] = surface_point(lat[i], lon[i])


@njit(cache=True, nogil=True, error_model="numpy")
def number_tracks(start: Any, track: Any) -> None:
    """Fill the number of the track that each report is of."""
    for t in range(len(start) - 1):
        track[start[t] : start[t + 1]] = t


@njit(cache=True, nogil=True, error_model="numpy")
def count_entries(track: Any, time: Any, usable: Any, slab_s: float) -> int:
    """How many rows :func:`entries` fills."""
    count, inverse = 0, 1.0 / slab_s
    last_track, last_slab = -1, -1
    for k in range(len(time) - 1):
        if usable[k]:
            first, last = int(time[k] * inverse), int(time[k + 1] * inverse)
            if track[k] == last_track and first == last_slab:
                first += 1
            if last >= first:
                count += last - first + 1
                last_track, last_slab = track[k], last
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def entries(track: Any, time: Any, usable: Any, slab_s: float, table: Any) -> None:
    """Which track is observed in which slab of time: a table of ENTRY columns. Times are at least 0.

    ``usable[k]`` says that report k and the one after it are joined by a line.
    """
    e, inverse = -1, 1.0 / slab_s
    last_track, last_slab = -1, -1
    for k in range(len(time) - 1):
        if not usable[k]:
            continue
        first, last = int(time[k] * inverse), int(time[k + 1] * inverse)
        if track[k] == last_track and first == last_slab:
            table[e, 3] = k
            first += 1
        for slab in range(first, last + 1):
            e += 1
            table[e, 0], table[e, 1], table[e, 2], table[e, 3] = track[k], slab, k, k
        if last >= first:
            last_track, last_slab = track[k], last


@njit(cache=True, nogil=True, error_model="numpy")
def entry_discs(
    first: int, beyond: int, table: Any, time: Any, xyz: Any, usable: Any, baro: Any, accuracy: Any, slab_s: float,
    separations: Any, disc: Any, reach: Any, angle: Any,
) -> None:  # fmt: skip
    """One disc for every entry [first, beyond): its span is its slab, so that only discs of one slab are candidates,
    and its second span is barometric altitude."""
    half_tau = 0.5 * separations[2]
    for e in range(first, beyond):
        begin, end = table[e, 1] * slab_s, (table[e, 1] + 1) * slab_s
        x0 = y0 = z0 = np.inf
        x1 = y1 = z1 = -np.inf
        low, high, speed, margin, known = np.inf, -np.inf, 0.0, 0.0, True
        for k in range(table[e, 2], table[e, 3] + 1):
            if not usable[k]:
                continue
            span = time[k + 1] - time[k]
            for side in range(2):
                at = max(time[k], begin) if side == 0 else min(time[k + 1], end)
                f = (at - time[k]) / span
                x = xyz[k, 0] + f * (xyz[k + 1, 0] - xyz[k, 0])
                y = xyz[k, 1] + f * (xyz[k + 1, 1] - xyz[k, 1])
                z = xyz[k, 2] + f * (xyz[k + 1, 2] - xyz[k, 2])
                x0, y0, z0 = min(x0, x), min(y0, y), min(z0, z)
                x1, y1, z1 = max(x1, x), max(y1, y), max(z1, z)
                h = baro[k] + f * (baro[k + 1] - baro[k])
                if h != h:
                    known = False
                low, high = min(low, h), max(high, h)
            if half_tau > 0.0:
                dx, dy, dz = xyz[k + 1, 0] - xyz[k, 0], xyz[k + 1, 1] - xyz[k, 1], xyz[k + 1, 2] - xyz[k, 2]
                speed = max(speed, math.sqrt(dx * dx + dy * dy + dz * dz) / span)
            margin = max(margin, accuracy[k], accuracy[k + 1])
        x, y, z = 0.5 * (x0 + x1), 0.5 * (y0 + y1), 0.5 * (z0 + z1)
        # the box's half diagonal; 10 % for the hysteresis
        r = 0.5 * math.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2 + (z1 - z0) ** 2)
        w = (r + half_tau * speed + 0.55 * separations[0] + 1.1 * margin) * 1.001 + 5.0
        disc[e, 0], disc[e, 1], disc[e, 2], disc[e, 3] = x, y, z, w
        disc[e, 4], disc[e, 5] = table[e, 1], 0.25
        disc[e, 6] = 0.5 * (low + high) if known else np.nan
        disc[e, 7] = 0.5 * (high - low) + 0.55 * separations[1] + 1.0 if known else 0.0
        reach[e] = w
        angle[0, e] = math.atan2(z * AXIS_RATIO2, math.sqrt(x * x + y * y))
        angle[1, e] = math.atan2(y, x)


@njit(cache=True, nogil=True, error_model="numpy")
def judge_recorded(
    p: Any, q: Any, ids_p: Any, ids_q: Any, table: Any, time: Any, xyz: Any, usable: Any, baro: Any, geo: Any,
    accuracy: Any, target: Any, slab_s: float, separations: Any, hysteresis: float,
) -> Any:  # fmt: skip
    """Pieces of encounters: (track i, track j, columns of PIECE), one for each stretch that both fly straight."""
    horizontal, vertical, tau = separations[0], separations[1], separations[2]
    cap = 64
    left, right, out = np.empty(cap, np.int64), np.empty(cap, np.int64), np.empty((cap, PIECE))
    n = 0
    for r in range(len(p)):
        ei, ej = ids_p[p[r]], ids_q[q[r]]
        if table[ei, 1] != table[ej, 1]:
            continue
        if table[ei, 0] > table[ej, 0]:
            ei, ej = ej, ei
        i, j = table[ei, 0], table[ej, 0]
        if i == j or (target[i] >= 0 and target[i] == target[j]):
            continue
        begin, end = table[ei, 1] * slab_s, (table[ei, 1] + 1) * slab_s
        a, b = table[ei, 2], table[ej, 2]
        while a <= table[ei, 3] and b <= table[ej, 3]:
            t0, t1 = max(time[a], time[b], begin), min(time[a + 1], time[b + 1], end)
            if usable[a] and usable[b] and t1 > t0:
                datum = BARO
                h0, h1 = baro[a], baro[a + 1]
                g0, g1 = baro[b], baro[b + 1]
                if math.isnan(h0 + h1 + g0 + g1):
                    datum = GEO
                    h0, h1 = geo[a], geo[a + 1]
                    g0, g1 = geo[b], geo[b + 1]
                    if math.isnan(h0 + h1 + g0 + g1):
                        datum = UNKNOWN
                # seconds count from the middle of the stretch, where the plane touches
                middle = 0.5 * (t0 + t1)
                inverse_a, inverse_b = 1.0 / (time[a + 1] - time[a]), 1.0 / (time[b + 1] - time[b])
                fa, fb = (middle - time[a]) * inverse_a, (middle - time[b]) * inverse_b
                dw = (g1 - g0) * inverse_b - (h1 - h0) * inverse_a
                dz = (g0 + fb * (g1 - g0)) - (h0 + fa * (h1 - h0))
                if datum == UNKNOWN:
                    dz, dw = np.nan, np.nan
                half = 0.5 * (t1 - t0)
                outer_low, outer_high = vertical_window(dz, dw, vertical * hysteresis)
                if outer_low < outer_high and outer_low < half and outer_high > -half:
                    ax, ay, az = xyz[a + 1, 0] - xyz[a, 0], xyz[a + 1, 1] - xyz[a, 1], xyz[a + 1, 2] - xyz[a, 2]
                    bx, by, bz = xyz[b + 1, 0] - xyz[b, 0], xyz[b + 1, 1] - xyz[b, 1], xyz[b + 1, 2] - xyz[b, 2]
                    qa, qb, qc = plane_quadratic(
                        xyz[a, 0] + fa * ax, xyz[a, 1] + fa * ay, xyz[a, 2] + fa * az,
                        ax * inverse_a, ay * inverse_a, az * inverse_a,
                        xyz[b, 0] + fb * bx, xyz[b, 1] + fb * by, xyz[b, 2] + fb * bz,
                        bx * inverse_b, by * inverse_b, bz * inverse_b,
                    )  # fmt: skip
                    ra, rb = max(accuracy[a], accuracy[a + 1]), max(accuracy[b], accuracy[b + 1])
                    margin = math.sqrt(ra * ra + rb * rb)
                    outer_in, outer_out = loss_times(
                        qa, qb, qc, outer_low, outer_high, (horizontal + margin) * hysteresis, tau, -half, half
                    )
                    if outer_in == outer_in:
                        if n == cap:
                            cap *= 2
                            left2, right2 = np.empty(cap, np.int64), np.empty(cap, np.int64)
                            out2 = np.empty((cap, PIECE))
                            left2[:n], right2[:n], out2[:n] = left, right, out
                            left, right, out = left2, right2, out2
                        low, high = vertical_window(dz, dw, vertical)
                        wide_in, wide_out = loss_times(qa, qb, qc, low, high, horizontal + margin, tau, -half, half)
                        enter, leave = loss_times(qa, qb, qc, low, high, horizontal, tau, -half, half)
                        certain = 0.0
                        if horizontal > margin and datum != UNKNOWN:
                            sure, _ = loss_times(qa, qb, qc, low, high, horizontal - margin, tau, -half, half)
                            certain = 1.0 if sure == sure else 0.0
                        cpa, near, apart = np.nan, np.inf, np.nan
                        if wide_in == wide_in:
                            cpa = wide_in if qa < 1e-9 else min(wide_out, max(wide_in, -qb / qa))
                            near = math.sqrt(max(0.0, (qa * cpa + 2.0 * qb) * cpa + qc))
                            apart = abs(dz + dw * cpa)
                        left[n], right[n] = i, j
                        row = out[n]
                        row[0], row[1], row[2], row[3] = outer_in, outer_out, wide_in, wide_out
                        row[4], row[5] = enter, leave
                        for c in range(6):
                            row[c] += middle
                        row[6], row[7], row[8], row[9], row[10] = certain, cpa + middle, near, apart, datum
                        row[11], row[12], row[13], row[14] = t0, t1, a, b
                        n += 1
            if time[a + 1] <= time[b + 1]:
                a += 1
            else:
                b += 1
    return left[:n], right[:n], out[:n]


@njit(cache=True, nogil=True, error_model="numpy")
def stitch(left: Any, right: Any, piece: Any, join_s: float) -> Any:
    """Encounters from pieces ordered by (i, j, time): rows that touch in their outer spans are one.

    Returns (row of the closest approach, entry, exit, certain, entry observed, exit observed).
    """
    n = len(left)
    best, entry, leave = np.empty(n, np.int64), np.empty(n), np.empty(n)
    certain, entry_seen, exit_seen = np.empty(n, np.bool_), np.empty(n, np.bool_), np.empty(n, np.bool_)
    m = 0
    k = 0
    while k < n:
        end = k
        outer = piece[k, 1]
        while end + 1 < n and left[end + 1] == left[k] and right[end + 1] == right[k] and (
            piece[end + 1, 0] <= outer + join_s
        ):  # fmt: skip
            end += 1
            outer = max(outer, piece[end, 1])
        closest, sure, nominal = -1, False, False
        for r in range(k, end + 1):
            sure |= piece[r, 6] > 0.0
            nominal |= piece[r, 4] == piece[r, 4]
            if piece[r, 2] == piece[r, 2] and (closest < 0 or piece[r, 8] < piece[closest, 8]):
                closest = r
        if closest >= 0:
            column = 4 if nominal else 2
            first, last = np.inf, -np.inf
            for r in range(k, end + 1):
                if piece[r, column] == piece[r, column]:
                    if piece[r, column] < first:
                        first = piece[r, column]
                        entry_seen[m] = first > piece[r, 11] + 1e-6
                    if piece[r, column + 1] > last:
                        last = piece[r, column + 1]
                        exit_seen[m] = last < piece[r, 12] - 1e-6
            best[m], entry[m], leave[m], certain[m] = closest, first, last, sure
            m += 1
        k = end + 1
    return best[:m], entry[:m], leave[:m], certain[:m], entry_seen[:m], exit_seen[:m]


@njit(cache=True, nogil=True, error_model="numpy")
def observed_together(left: Any, right: Any, start: Any, time: Any, usable: Any) -> Any:
    """Share of the time common to two tracks in which both were observed, without their gaps."""
    share = np.empty(len(left))
    for r in range(len(left)):
        a, a1 = start[left[r]], start[left[r] + 1] - 1
        b, b1 = start[right[r]], start[right[r] + 1] - 1
        common = min(time[a1], time[b1]) - max(time[a], time[b])
        both = 0.0
        while a < a1 and b < b1:
            if usable[a] and usable[b]:
                both += max(0.0, min(time[a + 1], time[b + 1]) - max(time[a], time[b]))
            if time[a + 1] <= time[b + 1]:
                a += 1
            else:
                b += 1
        share[r] = both / common if common > 0.0 else 0.0
    return share

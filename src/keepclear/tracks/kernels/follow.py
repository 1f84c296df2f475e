"""One batch of reports folded into the live tracks, in arrival order."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from keepclear.tracks.kernels.reach import DEGREE_M, metres_between, reach_m

__all__ = ["fold", "rehash"]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _place(pair: int, mask: int) -> np.int64:
    # Fibonacci hashing; the high half is folded down because the pair's high half is the source.
    h = np.uint64(pair) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64((h ^ (h >> np.uint64(32))) & np.uint64(mask))


@njit(cache=True, nogil=True, error_model="numpy")
def rehash(pair: np.ndarray, primary: np.ndarray, used: int, table: np.ndarray) -> None:
    """Fill the open-addressing ``table`` (a power of two, more than twice the slots) with the primary slots."""
    table[:] = -1
    mask = len(table) - 1
    for slot in range(used):
        if primary[slot]:
            at = _place(pair[slot], mask)
            while table[at] >= 0:
                at = (at + 1) & mask
            table[at] = slot


@njit(cache=True, nogil=True, error_model="numpy")
def fold(
    begin: int,
    pair_of: np.ndarray,
    time_s: np.ndarray,
    lat_deg: np.ndarray,
    lon_deg: np.ndarray,
    accuracy_m: np.ndarray,
    domain: np.ndarray,
    baro_m: np.ndarray,
    geo_m: np.ndarray,
    ground_speed_mps: np.ndarray,
    track_deg: np.ndarray,
    time_max_s: float,
    limit_mps: np.ndarray,
    slack_s: float,
    unknown_m: float,
    baseline_min_s: float,
    baseline_s: float,
    baseline_max_s: float,
    full: bool,
    table: np.ndarray,
    pair: np.ndarray,
    primary: np.ndarray,
    twin: np.ndarray,
    live: np.ndarray,
    at: np.ndarray,
    anchor: np.ndarray,
    motion: np.ndarray,
    first_s: np.ndarray,
    jump_s: np.ndarray,
    reports: np.ndarray,
    key: np.ndarray,
    winner: np.ndarray,
    touched: np.ndarray,
    tally: np.ndarray,
) -> int:
    """Rows from ``begin`` on; returns the row at which a new slot was needed and none was left, or the number of
    rows; where ``full``, rows that need one are refused instead.

    Per slot: ``at`` is (time, lat, lon, accuracy) of the newest report; ``anchor`` (time, lat, lon, baro, geo) the
    report that motion is measured from; ``motion`` (ground speed, direction, vertical rate) as derived; ``winner``
    the row of this batch that is newest, with the slots that have one in ``touched``. ``tally`` is [slots used,
    next track key, touched, accepted, late, future, unusable, jumps, refused].
    """
    mask = len(table) - 1
    for i in range(begin, len(time_s)):
        t = time_s[i]
        lat = lat_deg[i]
        lon = lon_deg[i]
        if pair_of[i] < 0 or not (t - t == 0.0 and -90.0 <= lat <= 90.0 and -360.0 <= lon <= 360.0):
            tally[6] += 1
            continue
        if t > time_max_s:
            tally[5] += 1
            continue
        place = _place(pair_of[i], mask)
        while table[place] >= 0 and pair[table[place]] != pair_of[i]:
            place = (place + 1) & mask
        slot = table[place]
        jumped = False
        fresh = False
        if slot < 0:
            if tally[0] >= len(pair):
                if full:
                    tally[8] += 1
                    continue
                return i
            slot = tally[0]
            tally[0] += 1
            table[place] = slot
            pair[slot] = pair_of[i]
            primary[slot] = True
            twin[slot] = -1
            fresh = True
        else:
            d = domain[i]
            limit = limit_mps[d if d < len(limit_mps) else 0]
            chosen = -1
            best = np.inf
            first = slot
            second = twin[slot]
            for branch in (first, second):
                if branch >= 0 and live[branch]:
                    reach = reach_m(t - at[branch, 0], limit, slack_s, at[branch, 3], accuracy_m[i], unknown_m)
                    # An upper bound without trigonometry settles nearly every report that has one choice only.
                    part = (abs(lat - at[branch, 1]) + abs(lon - at[branch, 2])) * DEGREE_M / reach
                    if part > 1.0 or second >= 0:
                        part = metres_between(at[branch, 1], at[branch, 2], lat, lon) / reach
                    if part <= 1.0 and part < best:
                        best = part
                        chosen = branch
            if chosen >= 0:
                slot = chosen
                if t <= at[slot, 0]:
                    tally[4] += 1
                    continue
            elif not live[first] and not (second >= 0 and live[second]):
                fresh = True
            elif not live[first]:
                fresh = True
                jumped = True
                jump_s[second] = t
            else:
                # Nothing known can be here: a body of its own, beside the known one, both under suspicion.
                fresh = True
                jumped = True
                jump_s[first] = t
                if second < 0:
                    if tally[0] >= len(pair):
                        if full:
                            tally[8] += 1
                            continue
                        return i
                    second = tally[0]
                    tally[0] += 1
                    twin[first] = second
                    pair[second] = pair_of[i]
                    primary[second] = False
                    twin[second] = -1
                slot = second
        if fresh:
            live[slot] = 1
            key[slot] = tally[1]
            tally[1] += 1
            first_s[slot] = t
            jump_s[slot] = t if jumped else -np.inf
            reports[slot] = 0
            if jumped:
                tally[7] += 1
        if fresh or t - at[slot, 0] > baseline_max_s:
            motion[slot, :] = np.nan
            anchor[slot, 0] = t
            anchor[slot, 1] = lat
            anchor[slot, 2] = lon
            anchor[slot, 3] = baro_m[i]
            anchor[slot, 4] = geo_m[i]
        else:
            dt = t - anchor[slot, 0]
            if dt >= baseline_min_s:
                if not (ground_speed_mps[i] >= 0.0 and track_deg[i] >= 0.0):
                    motion[slot, 0] = metres_between(anchor[slot, 1], anchor[slot, 2], lat, lon) / dt
                    p1 = math.radians(anchor[slot, 1])
                    p2 = math.radians(lat)
                    dl = math.radians(lon - anchor[slot, 2])
                    bearing = math.degrees(
                        math.atan2(
                            math.sin(dl) * math.cos(p2),
                            math.cos(p1) * math.sin(p2) - math.sin(p1) * math.cos(p2) * math.cos(dl),
                        )
                    )
                    motion[slot, 1] = bearing if bearing >= 0.0 else bearing + 360.0
                climb = baro_m[i] - anchor[slot, 3]
                if climb - climb != 0.0:
                    climb = geo_m[i] - anchor[slot, 4]
                motion[slot, 2] = climb / dt
                if dt >= baseline_s:
                    anchor[slot, 0] = t
                    anchor[slot, 1] = lat
                    anchor[slot, 2] = lon
                    anchor[slot, 3] = baro_m[i]
                    anchor[slot, 4] = geo_m[i]
        at[slot, 0] = t
        at[slot, 1] = lat
        at[slot, 2] = lon
        at[slot, 3] = accuracy_m[i]
        reports[slot] = min(reports[slot] + 1, 2)
        tally[3] += 1
        if winner[slot] < 0:
            touched[tally[2]] = slot
            tally[2] += 1
        winner[slot] = i
    return len(time_s)

"""One label, perhaps several targets: which reports of a track can be one and the same body."""

from __future__ import annotations

import numpy as np
from numba import njit

from keepclear.tracks.kernels.reach import metres_between, reach_m

__all__ = ["HYPOTHESES", "separate"]

HYPOTHESES = 8
"""Bodies followed at once under one label. Two or three happen (a shared address, a spoofer); the rest is noise,
of which the least supported is forgotten first. Bounds the work at 8 distances a report."""


@njit(cache=True, nogil=True, error_model="numpy")
def separate(
    time_s: np.ndarray,
    lat_deg: np.ndarray,
    lon_deg: np.ndarray,
    accuracy_m: np.ndarray,
    domain: np.ndarray,
    forget_s: float,
    limit_mps: np.ndarray,
    slack_s: float,
    unknown_m: float,
    piece: np.ndarray,
) -> int:
    """Writes for each report of one track (in time order) the number of the body it can belong to, -1 where it
    has no position; returns how many bodies there are.

    A report joins the body heard of within ``forget_s`` that it needs the smallest part of its reach to come
    from; failing that the long-silent one with the smallest part; failing that it founds a new one.
    """
    last = np.zeros(HYPOTHESES, dtype=np.int64)
    number = np.full(HYPOTHESES, -1, dtype=np.int64)
    support = np.zeros(HYPOTHESES, dtype=np.int64)
    bodies = 0
    for i in range(len(time_s)):
        if not (lat_deg[i] - lat_deg[i] == 0.0 and lon_deg[i] - lon_deg[i] == 0.0):
            piece[i] = -1
            continue
        d = domain[i]
        limit = limit_mps[d if d < len(limit_mps) else 0]
        best = -1
        best_silent = True
        best_part = np.inf
        for h in range(HYPOTHESES):
            if number[h] < 0:
                continue
            j = last[h]
            dt = time_s[i] - time_s[j]
            reach = reach_m(dt, limit, slack_s, accuracy_m[j], accuracy_m[i], unknown_m)
            part = metres_between(lat_deg[j], lon_deg[j], lat_deg[i], lon_deg[i]) / reach
            if part > 1.0:
                continue
            silent = dt > forget_s
            if best < 0 or (best_silent and not silent) or (best_silent == silent and part < best_part):
                best = h
                best_silent = silent
                best_part = part
        if best < 0:
            best = 0
            for h in range(1, HYPOTHESES):
                if support[h] < support[best] or (support[h] == support[best] and last[h] < last[best]):
                    best = h
            number[best] = bodies
            support[best] = 0
            bodies += 1
        piece[i] = number[best]
        support[best] += 1
        last[best] = i
    return bodies

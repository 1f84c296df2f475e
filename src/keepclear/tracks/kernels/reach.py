"""Can a target have come from one report to the next? A coarse question, answered cheaply."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["DEGREE_M", "SPHERE_M", "metres_between", "reach_m", "suspects"]

SPHERE_M = 6_371_008.8
"""Mean Earth radius (IUGG R1). The sphere errs by 0.6 % at most, far below any limit asked about here."""
DEGREE_M = SPHERE_M * math.pi / 180.0


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def metres_between(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance on the mean sphere (haversine), metres; nan where a coordinate is."""
    p1 = math.radians(lat1)
    p2 = math.radians(lat2)
    a = math.sin((p2 - p1) / 2.0)
    b = math.sin(math.radians(lon2 - lon1) / 2.0)
    h = a * a + math.cos(p1) * math.cos(p2) * b * b
    return 2.0 * SPHERE_M * math.asin(math.sqrt(min(h, 1.0)))


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def reach_m(dt_s: float, limit_mps: float, slack_s: float, accuracy1: float, accuracy2: float, unknown: float) -> float:
    """Metres a target can have moved, or seem to have moved, in dt_s: speed limit, time slack, both accuracies."""
    a1 = accuracy1 if accuracy1 >= 0.0 else unknown
    a2 = accuracy2 if accuracy2 >= 0.0 else unknown
    return limit_mps * (abs(dt_s) + slack_s) + a1 + a2


@njit(cache=True, nogil=True, error_model="numpy")
def suspects(
    start: np.ndarray,
    time_s: np.ndarray,
    received_s: np.ndarray,
    lat_deg: np.ndarray,
    lon_deg: np.ndarray,
    accuracy_m: np.ndarray,
    domain: np.ndarray,
    scattered: np.ndarray,
    gap_s: float,
    stale_s: float,
    ahead_s: float,
    limit_mps: np.ndarray,
    slack_s: float,
    unknown_m: float,
    flags: np.ndarray,
    suspect: np.ndarray,
) -> int:
    """One pass over sorted reports: writes GAP_BEFORE (1), IMPOSSIBLE_JUMP (2, only where a report is dated
    after its receipt) and STALE_POSITION (4) into ``flags``; marks in ``suspect`` the tracks in which a report
    cannot be reached from the one before. ``scattered`` tracks have no identity: a gap before every report.
    Returns the number of suspect tracks."""
    found = 0
    for k in range(len(start) - 1):
        a = start[k]
        b = start[k + 1]
        jumped = False
        for i in range(a, b):
            flag = 0
            age = received_s[i] - time_s[i]
            if age > stale_s:
                flag |= 4
            elif age < -ahead_s:
                flag |= 2
            if i > a:
                dt = time_s[i] - time_s[i - 1]
                if scattered[k] or dt > gap_s:
                    flag |= 1
                if not jumped and not scattered[k]:
                    d = domain[i]
                    limit = limit_mps[d if d < len(limit_mps) else 0]
                    reach = reach_m(dt, limit, slack_s, accuracy_m[i - 1], accuracy_m[i], unknown_m)
                    # An upper bound without trigonometry settles nearly every report.
                    dlat = abs(lat_deg[i] - lat_deg[i - 1])
                    dlon = abs(lon_deg[i] - lon_deg[i - 1])
                    if (dlat + dlon) * DEGREE_M > reach and (
                        metres_between(lat_deg[i - 1], lon_deg[i - 1], lat_deg[i], lon_deg[i]) > reach
                    ):
                        jumped = True
                    elif not dlat + dlon >= 0.0:
                        # No position, so the check did not happen: let the slow path look past the hole.
                        jumped = True
            flags[i] = flag
        suspect[k] = jumped
        if jumped:
            found += 1
    return found

"""Back from Earth-centred coordinates to longitude and latitude."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from keepclear.detection.kernels.motion import AXIS_RATIO2, RADIAN, carry

__all__ = ["carried_positions", "lon_lat", "positions_between"]


@njit(cache=True, nogil=True, error_model="numpy")
def lon_lat(x: Any, y: Any, z: Any) -> Any:
    """Degrees, of a point on or near the ellipsoid; longitude in [-180, 180)."""
    lon = math.atan2(y, x) / RADIAN
    if lon >= 180.0:
        lon -= 360.0
    return lon, math.atan2(z * AXIS_RATIO2, math.sqrt(x * x + y * y)) / RADIAN


@njit(cache=True, nogil=True, error_model="numpy")
def carried_positions(lat_deg: Any, lon_deg: Any, east_mps: Any, north_mps: Any, seconds: Any) -> Any:
    """(lon, lat) columns after so many seconds straight ahead."""
    n = len(lat_deg)
    lon, lat = np.empty(n), np.empty(n)
    for i in range(n):
        x, y, z, _, _, _ = carry(lat_deg[i], lon_deg[i], east_mps[i], north_mps[i], seconds[i])
        lon[i], lat[i] = lon_lat(x, y, z)
    return lon, lat


@njit(cache=True, nogil=True, error_model="numpy")
def positions_between(xyz: Any, time: Any, report: Any, at_s: Any) -> Any:
    """(lon, lat, fraction of the way) on the lines from ``report`` to the next, at the given times."""
    n = len(report)
    lon, lat, part = np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        k = report[i]
        f = (at_s[i] - time[k]) / (time[k + 1] - time[k])
        x = xyz[k, 0] + f * (xyz[k + 1, 0] - xyz[k, 0])
        y = xyz[k, 1] + f * (xyz[k + 1, 1] - xyz[k, 1])
        z = xyz[k, 2] + f * (xyz[k + 1, 2] - xyz[k, 2])
        lon[i], lat[i] = lon_lat(x, y, z)
        part[i] = f
    return lon, lat, part

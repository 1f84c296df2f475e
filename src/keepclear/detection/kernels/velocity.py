"""Speed and direction as east and north, for all tracks of the picture in every cycle."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from keepclear.detection.kernels.motion import sine_cosine

__all__ = ["velocities"]


@njit(cache=True, nogil=True, error_model="numpy")
def velocities(speed: Any, direction_deg: Any) -> Any:
    """(east, north) in the unit of ``speed``; nan where either is not known, 0 for whatever stands still."""
    n = len(speed)
    east, north = np.empty(n), np.empty(n)
    for i in range(n):
        s, c = sine_cosine(float(direction_deg[i]))
        v = float(speed[i])
        if v == 0.0:  # a hovering aircraft has no direction, and needs none
            s, c = 0.0, 0.0
        east[i], north[i] = v * s, v * c
    return east, north

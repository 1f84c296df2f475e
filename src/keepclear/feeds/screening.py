"""The last look at decoded positions before they become reports: refuse what cannot be a position."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.feeds.decoder import FAULT_EXAMPLES_MAX, Faults
from keepclear.feeds.reports import Floats

__all__ = ["EARLIEST_S", "LATEST_S", "screen_positions", "wrapped_lon_deg"]

EARLIEST_S = 0.0
LATEST_S = 7_258_118_400.0
"""2200-01-01: a later instant is a wrong unit (milliseconds read as seconds), not a report."""


_SWAPPED = "latitude outside ±90° (latitude and longitude swapped?)"


def screen_positions(
    time_s: Floats, lat_deg: Floats, lon_deg: Floats, faults: Faults, where: Callable[[int], str]
) -> npt.NDArray[np.bool_] | None:
    """Which rows to keep, or ``None`` for all of them. Each row left out is a fault, named by ``where(row)``."""
    # The whole-column extremes are one pass each; nan makes every comparison false, so it is caught here too.
    if len(time_s) and (
        -90.0 <= lat_deg.min() <= lat_deg.max() <= 90.0
        and -180.0 <= lon_deg.min() <= lon_deg.max() <= 180.0
        and EARLIEST_S < time_s.min() <= time_s.max() < LATEST_S
    ):
        return None
    keep = np.ones(len(time_s), dtype=np.bool_)
    checks: tuple[tuple[npt.NDArray[Any], str], ...] = (
        (~(np.isfinite(lat_deg) & np.isfinite(lon_deg)), "position is not a number"),
        (~np.isfinite(time_s), "time is not a number"),
        ((np.abs(lat_deg) > 90.0) & (np.abs(lon_deg) <= 90.0), _SWAPPED),
        (np.abs(lat_deg) > 90.0, "latitude outside ±90°"),
        (np.abs(lon_deg) > 180.0, "longitude outside ±180°"),
        ((time_s <= EARLIEST_S) | (time_s >= LATEST_S), "time outside 1970 to 2200"),
    )  # fmt: skip
    for bad, reason in checks:
        refused = np.flatnonzero(bad & keep)
        keep[refused] = False
        for row in refused[:FAULT_EXAMPLES_MAX].tolist():
            faults.add(reason, where(row))
        if len(refused) > FAULT_EXAMPLES_MAX:
            known = faults.counts.get(reason)
            key = reason if known is not None else "other"
            faults.counts[key] = faults.counts.get(key, 0) + len(refused) - FAULT_EXAMPLES_MAX
    return None if keep.all() else keep


def wrapped_lon_deg(lon_deg: Floats) -> Floats:
    """Longitudes in [-180, 180): +180 is written -180. The same array where there is nothing to do."""
    if len(lon_deg) and lon_deg.max() >= 180.0:
        return np.where(lon_deg >= 180.0, lon_deg - 360.0, lon_deg)
    return lon_deg

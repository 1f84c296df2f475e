"""The last look at decoded columns before they become reports: a row that cannot be a position is refused, a number
that cannot be is «not known»."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from keepclear.feeds.decoder import FAULT_EXAMPLES_MAX, Faults
from keepclear.feeds.reports import Float32s, Floats

__all__ = [
    "ACCURACY_MAX_M", "ALTITUDE_MAX_M", "EARLIEST_S", "LATEST_S", "SPEED_MAX_MPS", "directions", "screen_positions",
    "within", "wrapped_lon_deg",
]  # fmt: skip

_T = TypeVar("_T", Floats, Float32s)
EARLIEST_S = 0.0
LATEST_S = 7_258_118_400.0
"""2200-01-01: a later instant is a wrong unit (milliseconds read as seconds), not a report."""
ALTITUDE_MAX_M = 1_000_000.0
SPEED_MAX_MPS = 100_000.0
ACCURACY_MAX_M = 20_000_000.0
"""What is larger is garbage: nothing flies there or so fast, and the Earth has no place so far away."""


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
    if len(lon_deg) and np.fmax.reduce(lon_deg) >= 180.0:  # beside what is not a number, too
        return np.where(lon_deg >= 180.0, lon_deg - 360.0, lon_deg)
    return lon_deg


def within(values: _T, low: float, high: float) -> _T:
    """The same numbers, those outside the bounds ``nan``; the same array where there are none.

    One such value would be an infinity in the single precision of a column, and a warning on the user's screen.
    """
    if not len(values) or not (np.fmin.reduce(values) < low or np.fmax.reduce(values) > high):
        return values
    return np.where((values >= low) & (values <= high), values, values.dtype.type(np.nan))


def directions(track_deg: _T) -> Float32s:
    """Degrees in [0, 360); what is no direction becomes ``nan``. The same array where there is nothing to do."""
    if len(track_deg) and (np.fmin.reduce(track_deg) < 0.0 or np.fmax.reduce(track_deg) >= 360.0):
        turned: Float32s = (within(track_deg, -360.0, 720.0) % 360.0).astype(np.float32)
        turned[turned >= 360.0] = 0.0
        return turned
    narrow: Float32s = track_deg.astype(np.float32, copy=False)
    if len(narrow) and np.fmax.reduce(narrow) >= 360.0:  # 359.99999999 rounds to 360 in single precision
        narrow = np.where(narrow >= 360.0, np.float32(0.0), narrow)
    return narrow

"""A volume's vertical limits made comparable with a track's altitude, never silently (practice R2.7).

Every volume is judged in one frame: pressure altitude where one of its limits is a flight level, mean sea level
otherwise. A limit published in another datum becomes a band: certainly inside between the inner bounds, possibly
inside between the outer ones. What is between is INDETERMINATE until someone states the QNH or the ground elevation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from keepclear.quantities import Datum, Level
from keepclear.tracks.altitude import AltitudeAssumptions, level_in

__all__ = ["VerticalBand", "vertical_band"]


@dataclass(frozen=True, slots=True)
class VerticalBand:
    """``outer_low_m <= inner_low_m`` and ``inner_high_m <= outer_high_m``, metres in ``frame``; infinities are open."""

    frame: Datum
    """STD, AMSL, or UNBOUNDED where no limit needs an altitude at all"""
    outer_low_m: float
    inner_low_m: float
    inner_high_m: float
    outer_high_m: float


def vertical_band(lower: Level, upper: Level, buffer_m: float, assumptions: AltitudeAssumptions) -> VerticalBand:
    """The band of one volume, widened by ``buffer_m`` at both ends."""
    lower_open, upper_open = _open_below(lower), upper.datum is Datum.UNBOUNDED
    if lower_open and upper_open:
        return VerticalBand(Datum.UNBOUNDED, -math.inf, -math.inf, math.inf, math.inf)
    bounding = [level for level, is_open in ((lower, lower_open), (upper, upper_open)) if not is_open]
    frame = Datum.STD if any(level.datum is Datum.STD for level in bounding) else Datum.AMSL
    low = (-math.inf, -math.inf) if lower_open else level_in(lower, frame, assumptions)
    high = (math.inf, math.inf) if upper_open else level_in(upper, frame, assumptions)
    return VerticalBand(frame, low[0] - buffer_m, low[1] - buffer_m, high[0] + buffer_m, high[1] + buffer_m)


def _open_below(lower: Level) -> bool:
    """Nothing flies below the ground, so a lower limit at the surface is no limit."""
    return lower.datum is Datum.UNBOUNDED or (lower.datum is Datum.AGL and lower.value <= 0.0)

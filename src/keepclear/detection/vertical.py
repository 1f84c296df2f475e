"""A volume's vertical limits made comparable with a track's altitude, never silently (practice R2.7).

Every volume is judged in one frame: pressure altitude where one of its limits is a flight level, mean sea level
otherwise. A limit published in another datum becomes a band: certainly inside between the inner bounds, possibly
inside between the outer ones. What is between is INDETERMINATE until someone states the QNH or the ground elevation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from keepclear.errors import UsageError
from keepclear.feeds.reports import Floats, ReportBatch
from keepclear.quantities import Datum, Level
from keepclear.tracks.altitude import QNH_PLAUSIBLE_HPA, WORLD_GROUND_M, altitudes_in, pressure_altitude_m

__all__ = ["AltitudeAssumptions", "VerticalBand", "report_altitudes", "vertical_band"]

GEOID_RANGE_M = (-107.0, 86.0)
"""The EGM96 geoid's extremes above WGS84, used where a limit has no place of its own."""


@dataclass(frozen=True, slots=True)
class AltitudeAssumptions:
    """What somebody states so that unlike altitudes can be compared. ``None``: not stated, so a band."""

    qnh_hpa: float | None = None
    ground_elevation_m: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.qnh_hpa is not None:
            pressure_altitude_m(self.qnh_hpa)
        if self.ground_elevation_m is not None:
            low, high = self.ground_elevation_m
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                raise UsageError(f"ground elevation {low}:{high} m: the lower comes first")


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
    low = (-math.inf, -math.inf) if lower_open else _level_in(lower, frame, assumptions)
    high = (math.inf, math.inf) if upper_open else _level_in(upper, frame, assumptions)
    return VerticalBand(frame, low[0] - buffer_m, low[1] - buffer_m, high[0] + buffer_m, high[1] + buffer_m)


def _open_below(lower: Level) -> bool:
    """Nothing flies below the ground, so a lower limit at the surface is no limit."""
    return lower.datum is Datum.UNBOUNDED or (lower.datum is Datum.AGL and lower.value <= 0.0)


def report_altitudes(reports: ReportBatch, frame: Datum, assumptions: AltitudeAssumptions) -> tuple[Floats, Floats]:
    """Lowest and highest possible altitude of every report in a volume's frame; nan where it is not known."""
    return altitudes_in(reports, frame, qnh_hpa=assumptions.qnh_hpa, ground_elevation_m=assumptions.ground_elevation_m)


def _level_in(level: Level, frame: Datum, assumptions: AltitudeAssumptions) -> tuple[float, float]:
    """The band of altitudes in ``frame`` (STD or AMSL) that a published limit may mean, metres."""
    low = high = level.metres
    if level.datum is frame:
        return low, high
    pressures = QNH_PLAUSIBLE_HPA if assumptions.qnh_hpa is None else (assumptions.qnh_hpa, assumptions.qnh_hpa)
    # Sea level's height above the 1013.25 hPa surface, lowest and highest: high pressure puts that surface high.
    offsets = [-pressure_altitude_m(pressure) for pressure in pressures]
    if level.datum is Datum.STD:
        return low + offsets[0], high + offsets[1]
    if level.datum is Datum.AGL:
        ground = assumptions.ground_elevation_m or WORLD_GROUND_M
        low, high = low + ground[0], high + ground[1]
    elif level.datum is Datum.WGS84:
        low, high = low - GEOID_RANGE_M[1], high - GEOID_RANGE_M[0]
    return (low, high) if frame is Datum.AMSL else (low - offsets[1], high - offsets[0])

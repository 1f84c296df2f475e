"""Units, instants and altitude datums. SI inside; aviation units only at the doors.

Instants are POSIX seconds (float, UTC); durations are plain seconds. Angles are degrees. The unit stands last
in a name: ``altitude_m``, ``ground_speed_mps``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from keepclear.errors import InputError

__all__ = [
    "FOOT_M",
    "FT_PER_MIN_MPS",
    "KNOT_MPS",
    "NAUTICAL_MILE_M",
    "UNBOUNDED",
    "Datum",
    "LengthUnit",
    "Level",
    "check_band",
    "format_instant",
    "limits_text",
    "parse_instant",
]  # fmt: skip

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of WGS84 (2a + b)/3: for screening and for drawing only, never for a verdict."""
FOOT_M = 0.3048
"""One international foot in metres (exact)."""
NAUTICAL_MILE_M = 1852.0
"""One international nautical mile in metres (exact)."""
GROUND_LOWEST_M, GROUND_HIGHEST_M = -450.0, 8_900.0
"""The shore of the Dead Sea and the summit of Everest, rounded outwards."""
GEOID_MOST_M = 110.0
PRESSURE_OFF_M = 1_500.0
"""Of a pressure altitude: the lowest and highest pressures ever measured at sea level are 870 and 1,085 hPa."""
TEMPERATURE_OFF = 0.2
"""Of its height: no column of air is longer or shorter by more than the standard one."""
KNOT_MPS = NAUTICAL_MILE_M / 3600.0
FT_PER_MIN_MPS = FOOT_M / 60.0


class LengthUnit(StrEnum):
    """The unit a vertical limit was published in; kept, so that a round trip loses nothing."""

    METRE = "m"
    FOOT = "ft"
    FLIGHT_LEVEL = "FL"


class Datum(StrEnum):
    """What an altitude or height is measured from."""

    AGL = "AGL"
    """above the ground"""
    AMSL = "AMSL"
    """above mean sea level (the EGM96 geoid here)"""
    STD = "STD"
    """pressure altitude: above the 1013.25 hPa surface of the standard atmosphere"""
    WGS84 = "WGS84"
    """height above the WGS84 ellipsoid, as GNSS measures it"""
    UNBOUNDED = "UNBOUNDED"
    """no limit on this side (SFC below everything, UNL above everything)"""


_UNIT_M = {LengthUnit.METRE: 1.0, LengthUnit.FOOT: FOOT_M, LengthUnit.FLIGHT_LEVEL: 100.0 * FOOT_M}


@dataclass(frozen=True, slots=True)
class Level:
    """One vertical limit: the value as published, its unit and its datum.

    ``UNBOUNDED`` limits carry no value (``math.inf`` signs are the comparison's business). Sentinel ceilings of
    the formats (999 in a NOTAM's Q line, 99999 ft, UNL) are read as ``UNBOUNDED`` (practice R2.7).
    """

    value: float
    unit: LengthUnit
    datum: Datum

    def __post_init__(self) -> None:
        if self.datum is Datum.UNBOUNDED:
            return
        if not math.isfinite(self.value):
            raise InputError(f"vertical limit {self.value!r} is not a number")
        if self.unit is LengthUnit.FLIGHT_LEVEL and self.datum is not Datum.STD:
            raise InputError(f"a flight level is a pressure altitude (STD), not {self.datum}")

    @property
    def metres(self) -> float:
        """The value in metres above its own datum; ``nan`` where unbounded."""
        return math.nan if self.datum is Datum.UNBOUNDED else self.value * _UNIT_M[self.unit]

    def __str__(self) -> str:
        if self.datum is Datum.UNBOUNDED:
            return "UNBOUNDED"
        if self.unit is LengthUnit.FLIGHT_LEVEL:
            return f"FL{self.value:03.0f}"
        if self.datum is Datum.AGL and self.value == 0:
            return "GND"
        return f"{self.value:g} {self.unit} {self.datum}"


UNBOUNDED = Level(0.0, LengthUnit.METRE, Datum.UNBOUNDED)


def check_band(lower: Level, upper: Level) -> None:
    """Raises :class:`InputError` where nothing can be between the limits: of one datum, as they stand; of two, whatever
    pressure, temperature, ground and geoid are."""
    if Datum.UNBOUNDED in (lower.datum, upper.datum):
        return
    if lower.datum is upper.datum:
        if lower.metres > upper.metres:
            raise InputError(f"the lower limit {lower} is above the upper limit {upper}")
    elif _above_sea_m(lower)[0] > _above_sea_m(upper)[1]:
        raise InputError(f"the lower limit {lower} is above the upper limit {upper} in any weather, over any ground")


def _above_sea_m(level: Level) -> tuple[float, float]:
    metres = level.metres
    if level.datum is Datum.STD:
        off_m = PRESSURE_OFF_M + TEMPERATURE_OFF * abs(metres)
        return metres - off_m, metres + off_m
    if level.datum is Datum.AGL:
        return metres + GROUND_LOWEST_M, metres + GROUND_HIGHEST_M
    if level.datum is Datum.WGS84:
        return metres - GEOID_MOST_M, metres + GEOID_MOST_M
    return metres, metres


def limits_text(lower: Level, upper: Level) -> str:
    """«surface to FL195»: how people are told from where to where a volume reaches."""
    low = "surface" if str(lower) in ("UNBOUNDED", "GND") else str(lower)
    return f"{low} to {'unlimited' if upper.datum is Datum.UNBOUNDED else upper}"


_ZONED = re.compile(r"(?:[zZ]|[+-]\d{2}:?\d{2})$")


def parse_instant(text: str) -> float:
    """POSIX seconds of an RFC 3339 / ISO 8601 instant. One without a zone is refused: it has no meaning here.

    Raises :class:`InputError`.
    """
    stripped = text.strip()
    if not _ZONED.search(stripped):
        raise InputError(f"time {text!r} has no zone: write it in UTC, ending in Z")
    try:
        return datetime.fromisoformat(stripped).timestamp()
    except (ValueError, OverflowError) as error:
        raise InputError(f"time {text!r} is not ISO 8601 ({error})") from None


def format_instant(time_s: float) -> str:
    """ISO 8601 in UTC with a Z; milliseconds only where there are any. ``nan`` and infinities give ``""``."""
    return _format(time_s) if math.isfinite(time_s) else ""


@lru_cache(maxsize=4096)
def _format(time_s: float) -> str:
    # Kept: the lines of one cycle say the same few instants hundreds of times.
    instant = datetime.fromtimestamp(round(time_s * 1000.0) / 1000.0, UTC)
    text = instant.isoformat(timespec="milliseconds" if instant.microsecond else "seconds")
    return text.replace("+00:00", "Z")

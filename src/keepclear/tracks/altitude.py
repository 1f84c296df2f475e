"""One altitude in the datum that is asked for, as a band that is as wide as what is not known (practice R2.7)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepclear.errors import UsageError
from keepclear.feeds.reports import Floats, ReportBatch
from keepclear.quantities import Datum, Level

__all__ = [
    "QNH_PLAUSIBLE_HPA",
    "STANDARD_HPA",
    "TEMPERATURE_DEVIATION_K",
    "UNDULATION_WORLD_M",
    "WORLD_GROUND_M",
    "AltitudeAssumptions",
    "altitudes_in",
    "level_in",
    "pressure_altitude_m",
]

STANDARD_HPA = 1013.25
QNH_PLAUSIBLE_HPA = (960.0, 1050.0)
"""Sea-level pressure outside of the rarest lows and highs (records: 870 and 1084 hPa). Where no QNH is stated,
an altitude by pressure is anywhere in the band that these give, from -314 to +453 m about the flight level."""
WORLD_GROUND_M = (-430.0, 8_849.0)
"""The Dead Sea's shore and Everest: all that is known of the ground where no elevation is stated."""
TEMPERATURE_DEVIATION_K = 20.0
"""Mean air column against the standard atmosphere, either way. An altimeter errs by about ΔT/T of the height
(ICAO Doc 8168: 4 % for each 10 °C), so an arctic winter puts an aircraft several hundred metres off at height."""
UNDULATION_WORLD_M = (-107.0, 86.0)
"""Lowest and highest of the EGM96 geoid (Indian Ocean, New Guinea): for a limit that has no place to look up."""
_MEAN_COLUMN_K = 250.0
"""Mean temperature of the standard column up to cruising levels; the lower, the wider the band."""

_LAPSE_HEIGHT_M = 288.15 / 0.0065
_EXPONENT = 0.190_263_1
"""R·L/g of the ICAO standard atmosphere (Doc 7488)."""

Band = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class AltitudeAssumptions:
    """What somebody states so that altitudes of different datums can be compared. Unstated is unknown, not zero."""

    qnh_hpa: float | None = None
    """pressure reduced to mean sea level, hPa"""
    ground_elevation_m: tuple[float, float] | None = None
    """lowest and highest ground above mean sea level in the area concerned"""

    def __post_init__(self) -> None:
        if self.qnh_hpa is not None:
            pressure_altitude_m(self.qnh_hpa)
        ground = self.ground_elevation_m
        if ground is not None and not WORLD_GROUND_M[0] <= ground[0] <= ground[1] <= WORLD_GROUND_M[1]:
            raise UsageError(f"ground from {ground[0]} to {ground[1]} m above sea level is nowhere: lower one first")

    @property
    def pressure_offsets_m(self) -> tuple[float, float]:
        """What to add to a pressure altitude for the altitude above mean sea level: at least and at most."""
        low, high = QNH_PLAUSIBLE_HPA if self.qnh_hpa is None else (self.qnh_hpa, self.qnh_hpa)
        return -pressure_altitude_m(low), -pressure_altitude_m(high)

    @property
    def ground_m(self) -> tuple[float, float]:
        return WORLD_GROUND_M if self.ground_elevation_m is None else self.ground_elevation_m


def pressure_altitude_m(pressure_hpa: float) -> float:
    """The altitude of a pressure in the ICAO standard atmosphere below 11 km, metres (Doc 7488).

    Near sea level 1 hPa is 8.3 m (27 ft). Raises :class:`UsageError` for what is no sea-level pressure.
    """
    if not 800.0 <= pressure_hpa <= 1100.0:
        raise UsageError(f"QNH {pressure_hpa} is no pressure at sea level in hPa (29.92 inHg are 1013.25 hPa)")
    return _LAPSE_HEIGHT_M * (1.0 - math.pow(pressure_hpa / STANDARD_HPA, _EXPONENT))


def altitudes_in(reports: ReportBatch, datum: Datum, assumptions: AltitudeAssumptions | None = None) -> Band:
    """Lowest and highest altitude that each report allows in ``datum``, metres; nan where it states none.

    * STD from AMSL and back: the altimeter's own shift, exact for a stated QNH (an altitude by altimeter is what
      airspace limits mean by AMSL), else the band of plausible pressures.
    * AMSL from WGS84 and back: the EGM96 geoid.
    * Between pressure and WGS84 the temperature error comes on top.
    * AGL: AMSL less the stated ground's lowest and highest elevation, the whole Earth's where none is stated. What
      reports itself on the ground is at 0.

    Where a report has both altitudes, the one measured in the datum is taken; for AMSL the pressure's if the QNH is
    stated, else the geometric one. Raises :class:`UsageError` for UNBOUNDED.
    """
    given = assumptions or AltitudeAssumptions()
    offsets, ground = given.pressure_offsets_m, given.ground_m
    baro, geo = reports.altitude_baro_m, reports.altitude_geo_m
    match datum:
        case Datum.STD:
            return _preferred((baro, baro), lambda: _geometric_to_std(reports, offsets))
        case Datum.WGS84:
            return _preferred((geo, geo), lambda: _std_to_wgs84(reports, offsets))
        case Datum.AMSL | Datum.AGL:
            by_pressure = (baro + offsets[0], baro + offsets[1])
            if given.qnh_hpa is not None:
                low, high = _preferred(by_pressure, lambda: _shifted(geo, reports, -1.0))
            else:
                low, high = _preferred(_shifted(geo, reports, -1.0), lambda: by_pressure)
            landed = reports.on_ground == 1
            if datum is Datum.AGL:
                return np.where(landed, 0.0, low - ground[1]), np.where(landed, 0.0, high - ground[0])
            if given.ground_elevation_m is not None:
                unknown = landed & np.isnan(low)
                low, high = np.where(unknown, ground[0], low), np.where(unknown, ground[1], high)
            return low, high
        case Datum.UNBOUNDED:
            raise UsageError("UNBOUNDED is no datum that an altitude could be given in")


def level_in(level: Level, datum: Datum, assumptions: AltitudeAssumptions | None = None) -> tuple[float, float]:
    """Lowest and highest that a vertical limit can be in ``datum``, metres; it holds for a whole zone, so without a
    place. Equal only where nothing is unknown. Raises :class:`UsageError` for UNBOUNDED on either side.
    """
    if Datum.UNBOUNDED in (level.datum, datum):
        raise UsageError("UNBOUNDED cannot be converted: it is no altitude")
    metres = level.metres
    if level.datum is datum:
        return metres, metres
    given = assumptions or AltitudeAssumptions()
    # By way of mean sea level: what to add to get there from each datum, at least and at most.
    to_amsl: dict[Datum, tuple[float, float]] = {
        Datum.AMSL: (0.0, 0.0),
        Datum.AGL: given.ground_m,
        Datum.STD: given.pressure_offsets_m,
        Datum.WGS84: (-UNDULATION_WORLD_M[1], -UNDULATION_WORLD_M[0]),
    }
    error = 0.0
    if {level.datum, datum} == {Datum.STD, Datum.WGS84}:
        error = abs(metres) * TEMPERATURE_DEVIATION_K / _MEAN_COLUMN_K
    there, back = to_amsl[level.datum], to_amsl[datum]
    return metres + there[0] - back[1] - error, metres + there[1] - back[0] + error


def _geometric_to_std(reports: ReportBatch, offsets: tuple[float, float]) -> Band:
    amsl, _ = _shifted(reports.altitude_geo_m, reports, -1.0)
    error = _temperature_error(amsl)
    return amsl - offsets[1] - error, amsl - offsets[0] + error


def _std_to_wgs84(reports: ReportBatch, offsets: tuple[float, float]) -> Band:
    amsl = reports.altitude_baro_m
    error = _temperature_error(amsl)
    low, _ = _shifted(amsl + offsets[0] - error, reports, 1.0)
    high, _ = _shifted(amsl + offsets[1] + error, reports, 1.0)
    return low, high


def _temperature_error(altitude_m: Floats) -> Floats:
    error: Floats = np.abs(altitude_m) * (TEMPERATURE_DEVIATION_K / _MEAN_COLUMN_K)
    return error


def _shifted(altitude_m: Floats, reports: ReportBatch, sign: float) -> Band:
    """Plus (to WGS84) or minus (to AMSL) the geoid's height, which is only looked up where there is an altitude."""
    known = np.flatnonzero(np.isfinite(altitude_m) & np.isfinite(reports.lat_deg) & np.isfinite(reports.lon_deg))
    shifted: npt.NDArray[np.float64] = np.full(len(altitude_m), np.nan)
    if len(known):
        from keepclear.space.geoid import undulation_m  # its grid is loaded on first use only

        shifted[known] = altitude_m[known] + sign * undulation_m(reports.lat_deg[known], reports.lon_deg[known])
    return shifted, shifted


def _preferred(first: Band, second: Callable[[], Band]) -> Band:
    """The first band where there is one, else the second, which is only worked out if it is needed."""
    missing = np.isnan(first[0])
    if not missing.any():
        return first
    other = second()
    return np.where(missing, other[0], first[0]), np.where(missing, other[1], first[1])

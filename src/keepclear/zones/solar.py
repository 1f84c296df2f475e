"""Sunrise, sunset and civil twilight, by the formulas of NOAA's solar calculator (J. Meeus, Astronomical Algorithms,
2nd ed., ch. 25 and 28), good to a minute or so below 72° of latitude.

Written here because the schedule needs what the libraries at hand do not give: where the sun does not rise (or set)
all day, sunrise and sunset meet at noon (or lie 24 h apart, midnight to midnight), so that «sunrise to sunset» is
empty in the polar night and whole in the polar day without any special case.
"""

from __future__ import annotations

import math

from keepclear.zones.model import SolarEvent

__all__ = ["is_morning", "solar_event_s", "solar_noon_s"]

DAY_S = 86_400.0
_ZENITH_DEG = {
    SolarEvent.SR: 90.833, SolarEvent.SS: 90.833,  # the upper limb, with mean refraction
    SolarEvent.BMCT: 96.0, SolarEvent.EECT: 96.0,
}  # fmt: skip


def is_morning(event: SolarEvent) -> bool:
    return event in (SolarEvent.BMCT, SolarEvent.SR)


def solar_noon_s(day_s: float, lon_deg: float) -> float:
    """The instant of solar noon of the solar day whose mean noon falls nearest to this UTC day's noon."""
    guess = day_s + DAY_S / 2.0 - lon_deg * 240.0
    return guess - _equation_of_time_s(guess)


def solar_event_s(event: SolarEvent, day_s: float, lon_deg: float, lat_deg: float) -> float:
    """The instant of the event of the solar day around :func:`solar_noon_s`; POSIX seconds.

    ``day_s`` is a UTC midnight. Where the sun does not cross the height, noon or noon ± 12 h (see above).
    """
    noon = solar_noon_s(day_s, lon_deg)
    sign = -1.0 if is_morning(event) else 1.0
    instant = noon
    for _ in range(3):  # the declination at the event instead of at noon: converges to a second
        declination = _declination_rad(instant)
        latitude = math.radians(max(-89.999, min(89.999, lat_deg)))
        cosine = math.cos(math.radians(_ZENITH_DEG[event])) / (math.cos(latitude) * math.cos(declination))
        cosine -= math.tan(latitude) * math.tan(declination)
        hour_angle = math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
        instant = noon + sign * hour_angle * 240.0
    return instant


def _sun(time_s: float) -> tuple[float, float, float, float, float]:
    """Mean longitude and anomaly (rad), eccentricity, apparent longitude and obliquity (rad) at the instant."""
    century = (time_s / DAY_S + 2_440_587.5 - 2_451_545.0) / 36_525.0
    longitude = math.radians((280.46646 + century * (36_000.76983 + century * 0.0003032)) % 360.0)
    anomaly = math.radians((357.52911 + century * (35_999.05029 - 0.0001537 * century)) % 360.0)
    eccentricity = 0.016708634 - century * (0.000042037 + 0.0000001267 * century)
    centre = (
        math.sin(anomaly) * (1.914602 - century * (0.004817 + 0.000014 * century))
        + math.sin(2.0 * anomaly) * (0.019993 - 0.000101 * century)
        + math.sin(3.0 * anomaly) * 0.000289
    )
    node = math.radians(125.04 - 1934.136 * century)
    apparent = longitude + math.radians(centre - 0.00569 - 0.00478 * math.sin(node))
    mean_obliquity = (
        23.0 + (26.0 + (21.448 - century * (46.815 + century * (0.00059 - century * 0.001813))) / 60.0) / 60.0
    )
    obliquity = math.radians(mean_obliquity + 0.00256 * math.cos(node))
    return longitude, anomaly, eccentricity, apparent, obliquity


def _declination_rad(time_s: float) -> float:
    _, _, _, apparent, obliquity = _sun(time_s)
    return math.asin(math.sin(obliquity) * math.sin(apparent))


def _equation_of_time_s(time_s: float) -> float:
    longitude, anomaly, e, _, obliquity = _sun(time_s)
    y = math.tan(obliquity / 2.0) ** 2
    radians = (
        y * math.sin(2.0 * longitude)
        - 2.0 * e * math.sin(anomaly)
        + 4.0 * e * y * math.sin(anomaly) * math.cos(2.0 * longitude)
        - 0.5 * y * y * math.sin(4.0 * longitude)
        - 1.25 * e * e * math.sin(2.0 * anomaly)
    )
    return math.degrees(radians) * 240.0

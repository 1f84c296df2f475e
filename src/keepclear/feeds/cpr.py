"""Compact position reporting: the 17-bit latitudes and longitudes of ADS-B, decoded globally and locally.

Algorithm and symbols: ICAO Doc 9871 (2nd ed.) C.2.6; RTCA DO-260B A.1.7. A fraction is the encoded number over 2¹⁷.
"""

from __future__ import annotations

from bisect import bisect_right
from math import acos, cos, degrees, floor, pi, sqrt

__all__ = ["CPR_STEPS", "airborne_pair", "local_position", "longitude_zones"]

CPR_STEPS = 131072.0
_NZ = 15
_EVEN_DEG, _ODD_DEG = 360.0 / 60.0, 360.0 / 59.0


def _transition_deg(zones: int) -> float:
    """The latitude where NL falls below ``zones`` (Doc 9871 C.2.6.2)."""
    ratio = (1.0 - cos(pi / (2.0 * _NZ))) / (1.0 - cos(2.0 * pi / zones))
    return degrees(acos(sqrt(ratio)))


_TRANSITIONS_DEG = [*(_transition_deg(zones) for zones in range(59, 2, -1)), 87.0]


def longitude_zones(lat_deg: float) -> int:
    """NL: how many longitude zones there are at this latitude, 59 at the equator to 1 at the poles."""
    return 59 - bisect_right(_TRANSITIONS_DEG, abs(lat_deg))


def airborne_pair(
    even_lat: float, even_lon: float, odd_lat: float, odd_lon: float, newest_is_odd: bool
) -> tuple[float, float] | None:
    """The newest frame's position (degrees) from an even and an odd frame's fractions; ``None`` if they don't fit.

    The two must be no more than 10 s apart (the caller's business): then the aircraft stayed within the same zone
    or NL differs and the pair is refused.
    """
    j = floor(59.0 * even_lat - 60.0 * odd_lat + 0.5)
    even_deg = _EVEN_DEG * (j % 60 + even_lat)
    odd_deg = _ODD_DEG * (j % 59 + odd_lat)
    if even_deg >= 270.0:
        even_deg -= 360.0
    if odd_deg >= 270.0:
        odd_deg -= 360.0
    if abs(even_deg) > 90.0 or abs(odd_deg) > 90.0:
        return None
    zones = longitude_zones(even_deg)
    if zones != longitude_zones(odd_deg):
        return None
    m = floor(even_lon * (zones - 1) - odd_lon * zones + 0.5)
    if newest_is_odd:
        width = max(zones - 1, 1)
        lat_deg, lon_deg = odd_deg, 360.0 / width * (m % width + odd_lon)
    else:
        width = zones
        lat_deg, lon_deg = even_deg, 360.0 / width * (m % width + even_lon)
    return lat_deg, lon_deg - 360.0 if lon_deg >= 180.0 else lon_deg


def local_position(
    lat: float, lon: float, odd: bool, near_lat_deg: float, near_lon_deg: float, surface: bool
) -> tuple[float, float] | None:
    """One frame's position (degrees), the one nearest to a known point.

    Right only within half a zone of it: 180 NM for airborne frames, 45 NM for surface ones.
    """
    circle_deg = 90.0 if surface else 360.0
    height_deg = circle_deg / (59.0 if odd else 60.0)
    j = floor(near_lat_deg / height_deg) + floor(0.5 + near_lat_deg % height_deg / height_deg - lat)
    lat_deg = height_deg * (j + lat)
    if abs(lat_deg) > 90.0:
        return None
    width_deg = circle_deg / max(longitude_zones(lat_deg) - odd, 1)
    m = floor(near_lon_deg / width_deg) + floor(0.5 + near_lon_deg % width_deg / width_deg - lon)
    lon_deg = width_deg * (m + lon)
    return lat_deg, (lon_deg + 180.0) % 360.0 - 180.0

"""Compact position reporting: the 17-bit latitudes and longitudes of ADS-B, decoded globally and locally.

Algorithm and symbols: ICAO Doc 9871 (2nd ed.) C.2.6; RTCA DO-260B A.1.7. A fraction is the encoded number over 2¹⁷.
"""

from __future__ import annotations

from math import acos, cos, degrees, floor, pi, sqrt

import numpy as np
from numba import njit

__all__ = ["airborne_pair", "local_position", "longitude_zones"]

_NZ = 15
_EVEN_DEG, _ODD_DEG = 360.0 / 60.0, 360.0 / 59.0


def _transition_deg(zones: int) -> float:
    """The latitude where NL falls below ``zones`` (Doc 9871 C.2.6.2)."""
    ratio = (1.0 - cos(pi / (2.0 * _NZ))) / (1.0 - cos(2.0 * pi / zones))
    return degrees(acos(sqrt(ratio)))


_TRANSITIONS_DEG = np.array([*(_transition_deg(zones) for zones in range(59, 2, -1)), 87.0])


@njit(cache=True, nogil=True, error_model="numpy")
def longitude_zones(lat_deg: float) -> int:
    """NL: how many longitude zones there are at this latitude, 59 at the equator to 1 at the poles."""
    return 59 - int(np.searchsorted(_TRANSITIONS_DEG, abs(lat_deg), side="right"))


@njit(cache=True, nogil=True, error_model="numpy")
def airborne_pair(
    even_lat: float, even_lon: float, odd_lat: float, odd_lon: float, newest_is_odd: bool
) -> tuple[bool, float, float]:
    """Whether an even and an odd frame's fractions fit, and the newest one's latitude and longitude, degrees.

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
        return False, 0.0, 0.0
    zones = longitude_zones(even_deg)
    if zones != longitude_zones(odd_deg):
        return False, 0.0, 0.0
    m = floor(even_lon * (zones - 1) - odd_lon * zones + 0.5)
    if newest_is_odd:
        width = max(zones - 1, 1)
        lat_deg, lon_deg = odd_deg, 360.0 / width * (m % width + odd_lon)
    else:
        width = zones
        lat_deg, lon_deg = even_deg, 360.0 / width * (m % width + even_lon)
    return True, lat_deg, lon_deg - 360.0 if lon_deg >= 180.0 else lon_deg


@njit(cache=True, nogil=True, error_model="numpy")
def local_position(
    lat: float, lon: float, odd: bool, near_lat_deg: float, near_lon_deg: float, surface: bool
) -> tuple[bool, float, float]:
    """Whether one frame gives a position, and its latitude and longitude (degrees): those nearest to a known point.

    Right only within half a zone of it: 180 NM for airborne frames, 45 NM for surface ones.
    """
    circle_deg = 90.0 if surface else 360.0
    height_deg = circle_deg / (59.0 if odd else 60.0)
    near = near_lat_deg / height_deg
    j = floor(near) + floor(0.5 + (near - floor(near)) - lat)
    lat_deg = height_deg * (j + lat)
    if abs(lat_deg) > 90.0:
        return False, 0.0, 0.0
    width_deg = circle_deg / max(longitude_zones(lat_deg) - (1 if odd else 0), 1)
    # Not near_lon_deg % width_deg: at a zone's edge that may be rounded to the other side than the quotient.
    near = near_lon_deg / width_deg
    m = floor(near) + floor(0.5 + (near - floor(near)) - lon)
    lon_deg = width_deg * (m + lon)
    return True, lat_deg, (lon_deg + 180.0) % 360.0 - 180.0

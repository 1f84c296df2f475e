"""Distances, directions and local scales on the WGS84 ellipsoid, one point pair at a time, compiled.

Source: T. Vincenty, «Direct and inverse solutions of geodesics on the ellipsoid», Survey Review XXIII 176 (1975);
for pairs where that iteration does not settle (nearly antipodal), bisection on the azimuth as in C. F. F. Karney,
«Algorithms for geodesics», J. Geodesy 87 (2013) §4, with Vincenty's series for the longitude integral.
"""

from __future__ import annotations

import math

from numba import njit

A_M = 6378137.0
F = 1.0 / 298.257223563
B_M = A_M * (1.0 - F)
E2 = F * (2.0 - F)
EP2 = E2 / (1.0 - E2)
RAD = math.pi / 180.0
MEAN_RADIUS_M = 6371008.8


@njit(cache=True, nogil=True, error_model="numpy")
def radii(lat_deg: float) -> tuple[float, float]:
    """Radii of curvature in the meridian and in the prime vertical, metres."""
    s = math.sin(lat_deg * RAD)
    w = 1.0 - E2 * s * s
    q = math.sqrt(w)
    return A_M * (1.0 - E2) / (w * q), A_M / q


@njit(cache=True, nogil=True, error_model="numpy")
def wrap180(lon_deg: float) -> float:
    """The longitude (or difference of longitudes) in [-180, 180)."""
    if -180.0 <= lon_deg < 180.0:
        return lon_deg
    x = lon_deg - 360.0 * math.floor((lon_deg + 180.0) / 360.0)
    return -180.0 if x >= 180.0 else x


@njit(cache=True, nogil=True, error_model="numpy")
def local_metric(lat_deg: float) -> tuple[float, float, float, float, float, float]:
    """Coefficients (m0, m1, k0, k1, k2, k3) of the local distance about a latitude, metres a degree.

    With dlat, dlon in degrees from a point at this latitude: north = (m0 + m1·dlat)·dlat,
    east = (k0 + k1·dlat + k2·dlat² + k3·dlat³)·dlon: the mid-latitude formula as a polynomial, without a sine.
    """
    m, n = radii(lat_deg)
    s, c = math.sin(lat_deg * RAD), math.cos(lat_deg * RAD)
    w2 = 1.0 - E2 * s * s
    dm = 3.0 * m * E2 * s * c / w2
    h = 0.5 * RAD
    return (
        m * RAD,
        dm * h * RAD,
        n * c * RAD,
        -m * s * h * RAD,
        -0.5 * (m * c + dm * s) * h * h * RAD,
        m * s / 6.0 * h * h * h * RAD,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def local_distance(lon1_deg: float, lat1_deg: float, lon2_deg: float, lat2_deg: float) -> float:
    """Mid-latitude distance in metres; relative error at most :func:`local_error` of it."""
    m, n = radii(0.5 * (lat1_deg + lat2_deg))
    dy = (lat2_deg - lat1_deg) * RAD * m
    dx = wrap180(lon2_deg - lon1_deg) * RAD * n * math.cos(0.5 * (lat1_deg + lat2_deg) * RAD)
    return math.sqrt(dx * dx + dy * dy)


@njit(cache=True, nogil=True, error_model="numpy")
def local_error(distance_m: float, lat_deg: float) -> float:
    """Bound of the relative error of the local distance over ``distance_m`` from ``lat_deg``; 1 means useless."""
    top = abs(lat_deg) + distance_m / 110_000.0
    if top >= 89.0:
        return 1.0
    t = math.tan(top * RAD)
    d = distance_m / MEAN_RADIUS_M
    return min(1.0, d * d * (1.0 + t * t) / 8.0 + 1e-9)


@njit(cache=True, nogil=True, error_model="numpy")
def series_a_b(cos2_alpha: float) -> tuple[float, float]:
    u2 = cos2_alpha * EP2
    a = 1.0 + u2 / 16384.0 * (4096.0 + u2 * (-768.0 + u2 * (320.0 - 175.0 * u2)))
    b = u2 / 1024.0 * (256.0 + u2 * (-128.0 + u2 * (74.0 - 47.0 * u2)))
    return a, b


@njit(cache=True, nogil=True, error_model="numpy")
def arc_length(cos2_alpha: float, sigma: float, sin_s: float, cos_s: float, cos2m: float) -> float:
    """Metres of a geodesic whose arc on the auxiliary sphere is ``sigma`` (Vincenty 3, 4, 6)."""
    a, b = series_a_b(cos2_alpha)
    q = -1.0 + 2.0 * cos2m * cos2m
    ds = b * sin_s * (cos2m + b / 4.0 * (cos_s * q - b / 6.0 * cos2m * (4.0 * sin_s * sin_s - 3.0) * (2.0 * q - 1.0)))
    return B_M * a * (sigma - ds)


@njit(cache=True, nogil=True, error_model="numpy")
def longitude_lag(sin_alpha: float, sigma: float, sin_s: float, cos_s: float, cos2m: float) -> float:
    """How much the longitude on the ellipsoid stays behind that on the auxiliary sphere (Vincenty 10, 11)."""
    cos2_alpha = 1.0 - sin_alpha * sin_alpha
    c = F / 16.0 * cos2_alpha * (4.0 + F * (4.0 - 3.0 * cos2_alpha))
    q = -1.0 + 2.0 * cos2m * cos2m
    return (1.0 - c) * F * sin_alpha * (sigma + c * sin_s * (cos2m + c * cos_s * q))


@njit(cache=True, nogil=True, error_model="numpy")
def _by_bisection(su1: float, cu1: float, su2: float, cu2: float, lam: float) -> float:
    """Geodesic length by bisection on the first azimuth: reduced latitudes as sines and cosines, lam in [0, π]."""
    # Bring the pair into Karney's canonical order: the first point southern and at least as far from the equator.
    if abs(su1) < abs(su2):
        su1, cu1, su2, cu2 = su2, cu2, su1, cu1
    if su1 > 0.0:
        su1, su2 = -su1, -su2
    if su1 == 0.0:
        su1 = -1e-200
    cu1, cu2 = max(cu1, 1e-200), max(cu2, 1e-200)
    low, high = 0.0, math.pi
    length = 0.0
    for _ in range(64):
        alpha1 = 0.5 * (low + high)
        sa, ca = math.sin(alpha1), math.cos(alpha1)
        sin_a0 = sa * cu1
        over = ca * ca * cu1 * cu1 + (cu2 * cu2 - cu1 * cu1 if cu1 < cu2 else (su1 - su2) * (su1 + su2))
        ca2 = math.sqrt(max(0.0, over)) / cu2
        s1, w1 = math.atan2(su1, ca * cu1), math.atan2(sin_a0 * su1, ca * cu1)
        s2, w2 = math.atan2(su2, ca2 * cu2), math.atan2(sin_a0 * su2, ca2 * cu2)
        sigma, omega = s2 - s1, w2 - w1
        sigma = max(0.0, sigma)
        if omega < 0.0:
            omega += 2.0 * math.pi
        sin_s, cos_s, cos2m = math.sin(sigma), math.cos(sigma), math.cos(s1 + s2)
        reached = omega - longitude_lag(sin_a0, sigma, sin_s, cos_s, cos2m)
        length = arc_length(1.0 - sin_a0 * sin_a0, sigma, sin_s, cos_s, cos2m)
        if reached < lam:
            low = alpha1
        else:
            high = alpha1
    return length


@njit(cache=True, nogil=True, error_model="numpy")
def inverse(lon1_deg: float, lat1_deg: float, lon2_deg: float, lat2_deg: float) -> tuple[float, float, bool]:
    """Length in metres and first azimuth in radians of the geodesic; the azimuth is valid if the flag is set.

    Within 1 mm of the exact length; where the iteration does not settle (within some 60 km of the antipode) the
    length comes from bisection and there is no azimuth.
    """
    lam0 = wrap180(lon2_deg - lon1_deg) * RAD
    u1, u2 = math.atan((1.0 - F) * math.tan(lat1_deg * RAD)), math.atan((1.0 - F) * math.tan(lat2_deg * RAD))
    su1, cu1, su2, cu2 = math.sin(u1), math.cos(u1), math.sin(u2), math.cos(u2)
    lam = lam0
    for _ in range(40):
        sl, cl = math.sin(lam), math.cos(lam)
        p, q = cu2 * sl, cu1 * su2 - su1 * cu2 * cl
        sin_s = math.sqrt(p * p + q * q)
        cos_s = su1 * su2 + cu1 * cu2 * cl
        if sin_s < 1e-15:
            if cos_s > 0.0:
                return 0.0, 0.0, True
            break
        sigma = math.atan2(sin_s, cos_s)
        sin_a = cu1 * cu2 * sl / sin_s
        cos2_a = 1.0 - sin_a * sin_a
        cos2m = cos_s - 2.0 * su1 * su2 / cos2_a if cos2_a > 1e-14 else 0.0
        new = lam0 + longitude_lag(sin_a, sigma, sin_s, cos_s, cos2m)
        if abs(new) > math.pi:
            break
        if abs(new - lam) < 1e-13:
            length = arc_length(cos2_a, sigma, sin_s, cos_s, cos2m)
            return length, math.atan2(p, q), True
        lam = new
    return _by_bisection(su1, cu1, su2, cu2, abs(lam0)), 0.0, False


@njit(cache=True, nogil=True, error_model="numpy")
def distance(lon1_deg: float, lat1_deg: float, lon2_deg: float, lat2_deg: float) -> float:
    """Length of the geodesic in metres."""
    return inverse(lon1_deg, lat1_deg, lon2_deg, lat2_deg)[0]


@njit(cache=True, nogil=True, error_model="numpy")
def direct(lon_deg: float, lat_deg: float, azimuth_rad: float, distance_m: float) -> tuple[float, float]:
    """Where a geodesic ends: longitude (continuous, not wrapped) and latitude in degrees; within 1 mm."""
    tu1 = (1.0 - F) * math.tan(lat_deg * RAD)
    cu1 = 1.0 / math.sqrt(1.0 + tu1 * tu1)
    su1 = tu1 * cu1
    sa1, ca1 = math.sin(azimuth_rad), math.cos(azimuth_rad)
    sigma1 = math.atan2(tu1, ca1)
    sin_a = cu1 * sa1
    cos2_a = 1.0 - sin_a * sin_a
    a, b = series_a_b(cos2_a)
    first = distance_m / (B_M * a)
    sigma = first
    sin_s, cos_s, cos2m = 0.0, 1.0, 1.0
    for _ in range(20):
        cos2m = math.cos(2.0 * sigma1 + sigma)
        sin_s, cos_s = math.sin(sigma), math.cos(sigma)
        q = -1.0 + 2.0 * cos2m * cos2m
        ds = (
            b
            * sin_s
            * (cos2m + b / 4.0 * (cos_s * q - b / 6.0 * cos2m * (4.0 * sin_s * sin_s - 3.0) * (2.0 * q - 1.0)))
        )
        new = first + ds
        done = abs(new - sigma) < 1e-14
        sigma = new
        if done:
            break
    sin_s, cos_s = math.sin(sigma), math.cos(sigma)
    cos2m = math.cos(2.0 * sigma1 + sigma)
    x = su1 * sin_s - cu1 * cos_s * ca1
    lat2 = math.atan2(su1 * cos_s + cu1 * sin_s * ca1, (1.0 - F) * math.sqrt(sin_a * sin_a + x * x))
    lam = math.atan2(sin_s * sa1, cu1 * cos_s - su1 * sin_s * ca1)
    dlon = lam - longitude_lag(sin_a, sigma, sin_s, cos_s, cos2m)
    return lon_deg + dlon / RAD, lat2 / RAD

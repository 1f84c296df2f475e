"""Motion on WGS84 as straight lines in Earth-centred coordinates, and when two of them are too close.

An aircraft is carried along its normal section to the middle of the time looked at, and from there moves on the
tangent. Distances are taken in the plane square to the mean vertical of the two. There is no pole and no
antimeridian in these coordinates, and exchanging the two aircraft changes signs only. Against geodesics
(Karney 2013) the distance is wrong by less than 0.3 m for 120 s at 300 m/s; the tests hold it to that.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

__all__ = [
    "AXIS_RATIO2", "NEAR2", "carry", "carry_near", "loss_times", "plane_quadratic", "sine_cosine", "surface_point",
    "vertical_window",
]  # fmt: skip

A_M = 6378137.0
E2 = 0.0066943799901413165
AXIS_RATIO2 = 1.0 / (1.0 - E2)
"""(a/b)²: a surface point (x, y, z) has its vertical along (x, y, z·AXIS_RATIO2)"""
RADIAN = math.pi / 180.0


ROUND = 1.5 * 2.0**52
"""Added and taken away again it leaves the nearest whole number: one that vectors have an instruction for."""
NEAR2 = 4e-4
"""Squared angle (radians) up to which the series are exact to 1e-14"""


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def sine_cosine(angle_deg: Any) -> Any:
    """Sine and cosine of degrees to 2e-16: quarter turns off without rounding, then the series on [-45°, 45°].

    Without calls, branches or whole numbers, so that a loop does several at once.
    """
    quarters = (angle_deg * (1.0 / 90.0) + ROUND) - ROUND
    r = (angle_deg - 90.0 * quarters) * RADIAN
    q = r * r
    s = 1.0 / 355687428096000.0
    s = s * q - 1.0 / 1307674368000.0
    s = s * q + 1.0 / 6227020800.0
    s = s * q - 1.0 / 39916800.0
    s = s * q + 1.0 / 362880.0
    s = s * q - 1.0 / 5040.0
    s = s * q + 1.0 / 120.0
    s = s * q - 1.0 / 6.0
    s = r + r * (s * q)
    c = 1.0 / 20922789888000.0
    c = c * q - 1.0 / 87178291200.0
    c = c * q + 1.0 / 479001600.0
    c = c * q - 1.0 / 3628800.0
    c = c * q + 1.0 / 40320.0
    c = c * q - 1.0 / 720.0
    c = c * q + 1.0 / 24.0
    c = 1.0 - (0.5 * q - q * q * c)
    # -1, 0 or 1 each: the quarter's own sine and cosine
    halves = (quarters * 0.5 + ROUND) - ROUND
    odd = quarters - 2.0 * halves
    turn = 1.0 - 2.0 * abs(halves - 2.0 * ((halves * 0.5 + ROUND) - ROUND))
    even = 1.0 - abs(odd)
    return turn * (even * s + odd * c), turn * (even * c - odd * s)


@njit(cache=True, nogil=True, error_model="numpy")
def surface_point(lat_deg: Any, lon_deg: Any) -> Any:
    """Earth-centred metres of the point on the ellipsoid."""
    s, c = sine_cosine(lat_deg)
    sl, cl = sine_cosine(lon_deg)
    n = A_M / math.sqrt(1.0 - E2 * s * s)
    return n * c * cl, n * c * sl, n * (1.0 - E2) * s


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def carry_near(lat_deg: Any, lon_deg: Any, east_mps: Any, north_mps: Any, seconds: Any) -> Any:
    """:func:`carry` without a branch, so that a loop does several at once; also the squared angle travelled, up to
    NEAR2 of which it is right, the latitude's sine and cosine, and the root of 1 - e²·sine²."""
    sp, cp = sine_cosine(lat_deg)
    sl, cl = sine_cosine(lon_deg)
    w2 = 1.0 - E2 * sp * sp
    root = math.sqrt(w2)
    n = A_M / root
    ux, uy, uz = cp * cl, cp * sl, sp
    # velocity along the tangent, and how fast it turns downwards: the normal section's curvature (Euler)
    hx, hy, hz = -east_mps * sl - north_mps * sp * cl, east_mps * cl - north_mps * sp * sl, north_mps * cp
    sinking = (north_mps * north_mps * w2 * AXIS_RATIO2 + east_mps * east_mps) * root * (1.0 / A_M)
    speed2 = east_mps * east_mps + north_mps * north_mps
    turned = sinking * seconds
    q = turned * turned / max(speed2, 1e-30)
    part = 1.0 - q * (1.0 / 6.0) * (1.0 - q * (1.0 / 20.0))
    versine = 0.5 * (1.0 - q * (1.0 / 12.0) * (1.0 - q * (1.0 / 30.0)))
    along, down = seconds * part, turned * seconds * versine
    cosine, turn = 1.0 - q * versine, turned * part
    return (
        n * ux + along * hx - down * ux,
        n * uy + along * hy - down * uy,
        n * (1.0 - E2) * uz + along * hz - down * uz,
        cosine * hx - turn * ux,
        cosine * hy - turn * uy,
        cosine * hz - turn * uz,
        q,
        sp,
        cp,
        root,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def carry(lat_deg: Any, lon_deg: Any, east_mps: Any, north_mps: Any, seconds: Any) -> Any:
    """(x, y, z, vx, vy, vz) after so many seconds at constant speed straight ahead over the ellipsoid."""
    x, y, z, vx, vy, vz, near2, _, _, _ = carry_near(lat_deg, lon_deg, east_mps, north_mps, seconds)
    if near2 <= NEAR2:
        return x, y, z, vx, vy, vz
    sp, cp = sine_cosine(lat_deg)
    sl, cl = sine_cosine(lon_deg)
    w2 = 1.0 - E2 * sp * sp
    n = A_M / math.sqrt(w2)
    hx, hy, hz = -east_mps * sl - north_mps * sp * cl, east_mps * cl - north_mps * sp * sl, north_mps * cp
    speed2 = east_mps * east_mps + north_mps * north_mps
    curvature = (north_mps * north_mps * w2 * AXIS_RATIO2 + east_mps * east_mps) / (speed2 * n)
    speed = math.sqrt(speed2)
    angle = curvature * speed * seconds
    sine, cosine = math.sin(angle), math.cos(angle)
    along, down, turn = sine / (curvature * speed), (1.0 - cosine) / curvature, speed * sine
    ux, uy, uz = cp * cl, cp * sl, sp
    return (
        n * ux + along * hx - down * ux,
        n * uy + along * hy - down * uy,
        n * (1.0 - E2) * uz + along * hz - down * uz,
        cosine * hx - turn * ux,
        cosine * hy - turn * uy,
        cosine * hz - turn * uz,
    )


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def plane_quadratic(
    px: Any, py: Any, pz: Any, pu: Any, pv: Any, pw: Any, qx: Any, qy: Any, qz: Any, qu: Any, qv: Any, qw: Any
) -> Any:
    """(a, b, c) of the squared horizontal distance a·t² + 2·b·t + c of two points in straight motion."""
    dx, dy, dz = qx - px, qy - py, qz - pz
    du, dv, dw = qu - pu, qv - pv, qw - pw
    gx, gy, gz = px + qx, py + qy, (pz + qz) * AXIS_RATIO2
    inverse = 1.0 / (gx * gx + gy * gy + gz * gz)
    d_up, v_up = dx * gx + dy * gy + dz * gz, du * gx + dv * gy + dw * gz
    a = du * du + dv * dv + dw * dw - v_up * v_up * inverse
    b = dx * du + dy * dv + dz * dw - d_up * v_up * inverse
    c = dx * dx + dy * dy + dz * dz - d_up * d_up * inverse
    return max(a, 0.0), b, max(c, 0.0)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def vertical_window(dz: Any, dw: Any, vertical_m: Any) -> Any:
    """The open span of time in which |dz + dw·t| < vertical_m; everything where dz is nan; (1, 0) where never."""
    steady = not abs(dw) > 1e-9
    rate = 1.0 if steady else dw
    t1, t2 = (-vertical_m - dz) / rate, (vertical_m - dz) / rate
    low, high = min(t1, t2), max(t1, t2)
    apart = steady and abs(dz) >= vertical_m
    always = dz != dz or (steady and not apart)
    low, high = (1.0 if apart else low), (0.0 if apart else high)
    return (-np.inf if always else low), (np.inf if always else high)


@njit(cache=True, nogil=True, error_model="numpy")
def loss_times(a: Any, b: Any, c: Any, low: Any, high: Any, horizontal_m: Any, tau_s: Any, begin: Any, end: Any) -> Any:
    """(enter, leave) of the loss of separation within [begin, end], inside the vertical window (low, high).

    (nan, nan) where there is none. ``a, b, c`` are of :func:`plane_quadratic`. With ``tau_s`` the loss begins
    where the modified tau, (c(t) - D²) / -b(t), falls to it: a quadratic again.
    """
    c -= horizontal_m * horizontal_m
    if a < 1e-9:
        if c >= 0.0:
            return np.nan, np.nan
    else:
        disc = b * b - a * c
        if disc <= 0.0:
            return np.nan, np.nan
        root = math.sqrt(disc)
        s2 = (root - b) / a
        if tau_s > 0.0:
            half = b + 0.5 * a * tau_s
            wide = half * half - a * (c + tau_s * b)
            s1 = -(half + math.sqrt(max(wide, 0.0))) / a
        else:
            s1 = -(b + root) / a
        low, high = max(low, s1), min(high, s2)
    if not (low < high and high > begin and low < end):
        return np.nan, np.nan
    return max(low, begin), min(high, end)

"""The compiled geodesics agree with GeographicLib and PROJ to a millimetre, and the fast ones keep their bounds."""

from __future__ import annotations

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from keepclear.space.geodesy import destination, destinations, distance_m, geodesic_m
from keepclear.space.kernels.geodesy import direct, inverse, local_distance, local_error, local_metric
from keepclear.space.kernels.motion import end_of_motion

WGS84 = Geod(ellps="WGS84")
lats = st.floats(-90.0, 90.0, allow_subnormal=False)
lons = st.floats(-180.0, 180.0, allow_subnormal=False)


@settings(max_examples=300, deadline=None)
@given(lons, lats, lons, lats)
def test_distance_is_within_a_millimetre_of_geographiclib(lon1: float, lat1: float, lon2: float, lat2: float) -> None:
    exact = Geodesic.WGS84.Inverse(lat1, lon1, lat2, lon2)["s12"]
    assert distance_m(lon1, lat1, lon2, lat2) == pytest.approx(exact, abs=1e-3)


def test_one_geodesic_is_as_long_as_proj_says() -> None:
    for pair in ((30.0, 50.0, 40.0, 35.0), (179.9, 10.0, -179.9, 10.0), (0.0, 0.0, 179.5, 0.5), (5.0, 5.0, 5.0, 5.0)):
        assert geodesic_m(*pair) == pytest.approx(Geod(ellps="WGS84").inv(*pair)[2], abs=1e-6)


def test_distance_is_within_a_millimetre_of_proj_over_columns_and_near_antipodes() -> None:
    rng = np.random.default_rng(1)
    n = 20_000
    lon1, lon2 = rng.uniform(-180, 180, (2, n))
    lat1, lat2 = np.degrees(np.arcsin(rng.uniform(-1, 1, (2, n))))
    near = slice(0, n // 2)
    lon2[near] = lon1[near] + 180.0 + rng.uniform(-1.0, 1.0, n // 2)
    lat2[near] = np.clip(-lat1[near] + rng.uniform(-1.0, 1.0, n // 2), -90.0, 90.0)
    assert np.abs(distance_m(lon1, lat1, lon2, lat2) - WGS84.inv(lon1, lat1, lon2, lat2)[2]).max() < 1e-3


@pytest.mark.parametrize(
    ("place", "other"),
    [((0, 0), (180, 0)), ((0, 0), (179.7, 0)), ((0, 0), (179.99, 0)), ((0, 30), (180, -30)), ((0, 90), (5, -90)),
     ((3, 90), (50, 90)), ((7, 7), (7, 7)), ((-180, 1), (180, 1)), ((0, 0), (179.5, 0.5))],
)  # fmt: skip
def test_degenerate_pairs(place: tuple[float, float], other: tuple[float, float]) -> None:
    exact = Geodesic.WGS84.Inverse(place[1], place[0], other[1], other[0])["s12"]
    assert distance_m(*place, *other) == pytest.approx(exact, abs=1e-3)


def test_unknown_places_have_unknown_distances_and_shapes_broadcast() -> None:
    found = distance_m(np.array([[0.0], [np.nan]]), 0.0, np.array([1.0, 2.0, 3.0]), 0.0)
    assert found.shape == (2, 3)
    assert np.isnan(found[1]).all()
    assert np.isfinite(found[0]).all()


@settings(max_examples=300, deadline=None)
@given(lons, lats, st.floats(0.0, 360.0), st.floats(0.0, 19_000_000.0))
def test_direct_agrees_with_geographiclib(lon: float, lat: float, azimuth: float, length: float) -> None:
    exact = Geodesic.WGS84.Direct(lat, lon, azimuth, length)
    x, y = direct(lon, lat, np.radians(azimuth), length)
    assert Geodesic.WGS84.Inverse(y, x, exact["lat2"], exact["lon2"])["s12"] < 2e-3
    x, y = destination(lon, lat, azimuth, length)
    assert -180.0 <= x < 180.0
    assert Geodesic.WGS84.Inverse(y, x, exact["lat2"], exact["lon2"])["s12"] < 1e-6
    xs, ys = destinations(lon, lat, [azimuth, 0.0], [length, 1.0])
    assert -180.0 <= xs[0] < 180.0
    assert -90.0 <= ys[0] <= 90.0
    assert Geodesic.WGS84.Inverse(ys[0], xs[0], exact["lat2"], exact["lon2"])["s12"] < 2e-3


@settings(max_examples=300, deadline=None)
@given(lats, st.floats(0.0, 360.0), st.floats(1.0, 2_000_000.0))
def test_local_distance_keeps_its_stated_bound(lat: float, azimuth: float, length: float) -> None:
    there = Geodesic.WGS84.Direct(lat, 10.0, azimuth, length)
    bound = local_error(length, lat)
    if bound >= 0.1:
        return
    rounding = 1e-9 + 5e-9 / length  # a longitude in degrees is a few nanometres fine
    assert abs(local_distance(10.0, lat, there["lon2"], there["lat2"]) / length - 1.0) <= bound + rounding
    m0, m1, k0, k1, k2, k3 = local_metric(lat)
    dx, dy = there["lon2"] - 10.0, there["lat2"] - lat
    dx = (dx + 180.0) % 360.0 - 180.0
    metric = np.hypot((m0 + m1 * dy) * dy, (k0 + dy * (k1 + dy * (k2 + dy * k3))) * dx)
    assert abs(metric / length - 1.0) <= bound + rounding


@settings(max_examples=300, deadline=None)
@given(st.floats(-89.9, 89.9), st.floats(0.0, 360.0), st.floats(1.0, 500_000.0))
def test_constant_velocity_follows_the_geodesic_as_stated(lat: float, course: float, length: float) -> None:
    seconds = 100.0
    east, north = np.sin(np.radians(course)) * length / seconds, np.cos(np.radians(course)) * length / seconds
    lon2, lat2 = end_of_motion(10.0, lat, east, north, seconds)
    exact = Geodesic.WGS84.Direct(lat, 10.0, course, length)
    off = Geodesic.WGS84.Inverse(lat2, lon2, exact["lat2"], exact["lon2"])["s12"]
    assert off <= (0.2 if length <= 20_000.0 and abs(lat) < 80.0 else max(0.5, 0.001 * length))


@settings(max_examples=100, deadline=None)
@given(lons, lats, lons, lats)
def test_azimuth_leads_to_the_other_place(lon1: float, lat1: float, lon2: float, lat2: float) -> None:
    length, azimuth, valid = inverse(lon1, lat1, lon2, lat2)
    if valid and length > 1.0:
        x, y = direct(lon1, lat1, azimuth, length)
        assert distance_m(x, y, lon2, lat2) < 0.01

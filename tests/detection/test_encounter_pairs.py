"""The pair kernel finds what looking at every pair finds, and agrees with geodesics on WGS84."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from keepclear.detection.kernels import pairs
from keepclear.detection.kernels.aircraft import STATE
from keepclear.detection.kernels.eight import lowest, touching
from keepclear.detection.kernels.motion import carry, sine_cosine
from keepclear.detection.kernels.pairs import Pairs, find_pairs
from keepclear.detection.kernels.scratch import KEPT_BYTES, Scratch

Floats = npt.NDArray[np.float64]
Scene = tuple[Floats, Floats, Floats, Floats, Floats, Floats]
WGS84 = Geodesic.WGS84


def geodesic_state(lat: float, lon: float, east: float, north: float, t: float) -> tuple[float, float]:
    end = WGS84.Direct(lat, lon, math.degrees(math.atan2(east, north)), math.hypot(east, north) * t)
    return end["lat2"], end["lon2"]


def geodesic_distance(scene: Scene, i: int, j: int, t: float) -> float:
    lat, lon, _, east, north, _ = scene
    a = geodesic_state(lat[i], lon[i], east[i], north[i], t)
    b = geodesic_state(lat[j], lon[j], east[j], north[j], t)
    return float(WGS84.Inverse(*a, *b)["s12"])


def scattered(seed: int, n: int, kind: str) -> Scene:
    rng = np.random.default_rng(seed)
    if kind == "pole":
        lat, lon = 90.0 - rng.exponential(1.0, n).clip(0, 8), rng.uniform(-180, 180, n)
    elif kind == "south pole":
        lat, lon = -90.0 + rng.exponential(1.0, n).clip(0, 8), rng.uniform(-180, 180, n)
    elif kind == "antimeridian":
        lat, lon = rng.uniform(-3, 3, n), (rng.normal(180, 1.5, n) + 180.0) % 360.0 - 180.0
    elif kind == "globe":
        lat, lon = rng.uniform(-90, 90, n), rng.uniform(-180, 180, n)
    else:
        lat, lon = rng.normal(50, 1.5, n), rng.normal(10, 2.0, n)
    speed, track = rng.uniform(0, 280, n), rng.uniform(0, 2 * np.pi, n)
    if kind == "outliers":
        speed[: n // 50] = rng.uniform(300, 3000, n // 50)
        speed[n // 2 :] = rng.uniform(0, 20, n - n // 2)
    up = np.where(rng.random(n) < 0.4, rng.uniform(-20, 20, n), 0.0)
    return lat, lon, rng.uniform(0, 6000, n), speed * np.sin(track), speed * np.cos(track), up


def same(found: Pairs, expected: Pairs) -> None:
    assert found.i.tolist() == expected.i.tolist()
    assert found.j.tolist() == expected.j.tolist()
    for a, b in zip(found, expected):
        np.testing.assert_array_equal(a, b)


KINDS = ["pole", "south pole", "antimeridian", "globe", "europe", "outliers"]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(KINDS),
    thresholds=st.sampled_from(
        [(9260.0, 304.8, 120.0), (1219.2, 137.16, 60.0), (152.4, 30.48, 0.0), (40e3, 3e3, 300.0)]
    ),
    unknown=st.booleans(),
    n=st.sampled_from([3, 60, 700]),
)
def test_the_sweep_finds_exactly_what_looking_at_every_pair_finds(
    seed: int, kind: str, thresholds: tuple[float, float, float], unknown: bool, n: int
) -> None:
    scene = scattered(seed, n, kind)
    rng = np.random.default_rng(seed)
    geo = scene[2] + rng.normal(50, 10, n)
    accuracy = rng.uniform(0, 300, n)
    target = rng.integers(-1, n, n)
    if unknown:
        for column in (scene[2], geo, scene[3], scene[5], scene[0]):
            column[rng.random(n) < 0.1] = np.nan
    options: dict[str, Any] = {
        "altitude_geo_m": geo,
        "accuracy_m": accuracy,
        "target": target,
        "age_s": rng.uniform(0, 10, n),
    }
    with mock.patch.object(pairs, "SMALL", -1):
        swept = find_pairs(*scene, *thresholds, **options)
    with mock.patch.object(pairs, "SMALL", 10**9):
        looked = find_pairs(*scene, *thresholds, **options)
    same(swept, looked)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(KINDS),
    thresholds=st.sampled_from(
        [(9260.0, 304.8, 120.0), (1219.2, 137.16, 60.0), (152.4, 30.48, 0.0), (40e3, 3e3, 300.0)]
    ),
    tau=st.sampled_from([0.0, 35.0]),
    n=st.sampled_from([3, 60, 450]),
)
def test_screening_loses_no_pair_that_judging_every_pair_exactly_finds(
    seed: int, kind: str, thresholds: tuple[float, float, float], tau: float, n: int
) -> None:
    scene = scattered(seed, n, kind)
    rng = np.random.default_rng(seed)
    options: dict[str, Any] = {"accuracy_m": rng.uniform(0, 300, n), "age_s": rng.uniform(0, 10, n), "tau_s": tau}
    with mock.patch.object(pairs, "SMALL", -1):
        found = find_pairs(*scene, *thresholds, **options)
    lat, lon, alt, east, north, up = scene
    horizontal, vertical, look = thresholds
    separations = (horizontal, vertical, tau, look)
    state = np.empty((n, STATE))
    for i in range(n):
        ahead = options["age_s"][i] + 0.5 * (tau + look)
        state[i] = *carry(lat[i], lon[i], east[i], north[i], ahead), alt[i] + up[i] * ahead, up[i]
    p, q = (side.astype(np.int32) for side in np.triu_indices(n, 1))
    key, table = np.empty((len(p), 2), np.int64), np.empty((len(p), pairs.RESULT))
    ids, unknown, nobody = np.arange(n, dtype=np.int32), np.full(1, np.nan), np.full(1, -1)
    m = pairs.judge(
        p, q, ids, ids, state, unknown, options["age_s"], options["accuracy_m"], nobody, separations, key, table
    )
    assert np.stack([found.i, found.j], axis=1).tolist() == key[:m].tolist()
    np.testing.assert_allclose(np.stack(found[2:], axis=1), table[:m], rtol=1e-9, atol=1e-6)


def plain_twin(scene: Scene, i: int, j: int, horizontal: float, vertical: float, look: float) -> float:
    """Least of the larger of the two distances over their thresholds, on geodesics, looking every half second."""
    worst = math.inf
    for t in np.linspace(0.0, look, int(2 * look) + 1):
        dz = abs(scene[2][j] - scene[2][i] + (scene[5][j] - scene[5][i]) * t)
        if dz / vertical < worst:
            worst = min(worst, max(dz / vertical, geodesic_distance(scene, i, j, float(t)) / horizontal))
    return worst


@settings(max_examples=25, deadline=None)
@given(
    lat=st.floats(-90, 90), lon=st.floats(-180, 180), bearing=st.floats(0, 360), apart=st.floats(100, 40_000),
    speeds=st.tuples(st.floats(0, 300), st.floats(0, 300)), tracks=st.tuples(st.floats(0, 6.28), st.floats(0, 6.28)),
    dz=st.floats(-800, 800), climbs=st.tuples(st.floats(-15, 15), st.floats(-15, 15)),
)  # fmt: skip
def test_a_pair_agrees_with_geodesics_looked_at_twice_a_second(
    lat: float, lon: float, bearing: float, apart: float, speeds: tuple[float, float], tracks: tuple[float, float],
    dz: float, climbs: tuple[float, float],
) -> None:  # fmt: skip
    other = WGS84.Direct(lat, lon, bearing, apart)
    scene = (
        np.array([lat, other["lat2"]]), np.array([lon, other["lon2"]]), np.array([3000.0, 3000.0 + dz]),
        np.array([speeds[k] * math.sin(tracks[k]) for k in range(2)]),
        np.array([speeds[k] * math.cos(tracks[k]) for k in range(2)]), np.array(climbs),
    )  # fmt: skip
    found = find_pairs(*scene, 9260.0, 304.8, 60.0)
    worst = plain_twin(scene, 0, 1, 9260.0, 304.8, 60.0)
    if worst < 0.9999:
        assert len(found.i) == 1
    # between two looks the distances change by less than half a second's closing speed
    elif worst > 1.0 + 0.25 * max((speeds[0] + speeds[1]) / 9260.0, abs(climbs[0] - climbs[1]) / 304.8) + 1e-4:
        assert len(found.i) == 0
    for k in range(len(found.i)):
        for t, horizontal in ((0.0, found.now_horizontal_m[k]), (found.cpa_s[k], found.cpa_horizontal_m[k])):
            assert horizontal == pytest.approx(geodesic_distance(scene, 0, 1, float(t)), abs=0.5)


@pytest.mark.parametrize("lat", [-89.99, -45.0, 0.0, 60.0, 89.9])
def test_the_distance_is_within_30_cm_of_the_geodesic_for_two_minutes_at_300_mps(lat: float) -> None:
    rng = np.random.default_rng(7)
    worst = 0.0
    for _ in range(40):
        bearing, apart, track = rng.uniform(0, 360), rng.uniform(500, 60_000), rng.uniform(0, 2 * np.pi, 2)
        other = WGS84.Direct(lat, 12.0, bearing, apart)
        scene = (
            np.array([lat, other["lat2"]]), np.array([12.0, other["lon2"]]), np.full(2, 1000.0),
            300.0 * np.sin(track), 300.0 * np.cos(track), np.zeros(2),
        )  # fmt: skip
        found = find_pairs(*scene, 9260.0, 304.8, 120.0)
        if len(found.i):
            truth = geodesic_distance(scene, 0, 1, float(found.cpa_s[0]))
            worst = max(worst, abs(truth - found.cpa_horizontal_m[0]))
    assert 0.0 < worst < 0.3


def as_set(found: Pairs, rename: npt.NDArray[np.int64]) -> dict[tuple[int, int], tuple[float, ...]]:
    rows = {}
    for k in range(len(found.i)):
        a, b = int(rename[found.i[k]]), int(rename[found.j[k]])
        rows[min(a, b), max(a, b)] = tuple(float(column[k]) for column in found[2:])
    return rows


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(KINDS))
def test_the_order_of_the_tracks_changes_nothing(seed: int, kind: str) -> None:
    scene = scattered(seed, 500, kind)
    order = np.random.default_rng(seed).permutation(500)
    lat, lon, alt, east, north, up = (column[order] for column in scene)
    one = as_set(find_pairs(*scene, 9260.0, 304.8, 120.0), np.arange(500))
    two = as_set(find_pairs(lat, lon, alt, east, north, up, 9260.0, 304.8, 120.0), order)
    assert one == two


def alike(one: dict[tuple[int, int], tuple[float, ...]], two: dict[tuple[int, int], tuple[float, ...]]) -> None:
    for pair in set(one) | set(two):
        if pair not in one or pair not in two:
            # rounding may only decide what lasts no longer than rounding does
            enter, leave = (one.get(pair) or two[pair])[:2]
            assert leave - enter < 1e-3
        else:
            np.testing.assert_allclose(one[pair][4:9], two[pair][4:9], rtol=1e-7, atol=2e-3)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(KINDS), shift=st.floats(-360, 360))
def test_turning_the_earth_or_mirroring_it_changes_nothing(seed: int, kind: str, shift: float) -> None:
    lat, lon, alt, east, north, up = scattered(seed, 500, kind)
    ids = np.arange(500)
    one = as_set(find_pairs(lat, lon, alt, east, north, up, 9260.0, 304.8, 120.0), ids)
    turned = (lon + shift + 180.0) % 360.0 - 180.0
    alike(one, as_set(find_pairs(lat, turned, alt, east, north, up, 9260.0, 304.8, 120.0), ids))
    alike(one, as_set(find_pairs(-lat, lon, alt, east, -north, up, 9260.0, 304.8, 120.0), ids))
    alike(one, as_set(find_pairs(lat, -lon, alt, -east, north, up, 9260.0, 304.8, 120.0), ids))


def test_a_crossing_between_two_seconds_is_found() -> None:
    # Two aircraft at 250 m/s meet head-on half a second after a full second: at whole seconds they are 250 m apart.
    metres = np.array([0.0, 10_250.0])
    scene = (
        np.zeros(2), metres / 111_319.49, np.full(2, 1000.0), np.array([250.0, -250.0]), np.zeros(2), np.zeros(2),
    )  # fmt: skip
    found = find_pairs(*scene, 152.4, 30.48, 60.0)
    assert found.cpa_s.tolist() == pytest.approx([20.5], abs=1e-3)
    assert found.cpa_horizontal_m[0] < 0.1
    assert found.leave_s[0] - found.enter_s[0] == pytest.approx(2 * 152.4 / 500.0, rel=1e-6)


def test_calls_from_several_threads_at_once_do_not_share_memory() -> None:
    scenes = [scattered(seed, 1500 + 300 * seed, kind) for seed, kind in enumerate(KINDS * 2)]

    def find(scene: Scene) -> Pairs:
        return find_pairs(*scene, 9260.0, 304.8, 120.0)

    alone = [find(scene) for scene in scenes]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(find, scenes))
    for found, expected in zip(together, alone):
        same(found, expected)


def test_a_later_call_leaves_an_earlier_answer_alone() -> None:
    first = find_pairs(*scattered(1, 2000, "europe"), 9260.0, 304.8, 120.0)
    kept = [column.copy() for column in first]
    find_pairs(*scattered(2, 3000, "europe"), 9260.0, 304.8, 120.0)
    assert len(first.i)
    for column, before in zip(first, kept):
        np.testing.assert_array_equal(column, before)


@njit
def touching_at(place: Any, at: int, disc: Any) -> Any:
    return touching(place, np.uintp(at), disc[0], disc[1], disc[2], disc[3], disc[4], disc[5])


@njit
def lowest_of(number: Any) -> Any:
    return lowest(number)


def test_eight_discs_at_once_touch_as_one_by_one() -> None:
    rng = np.random.default_rng(3)
    place = rng.uniform(0, 1, (6, 200)).astype(np.float32)
    place[3] *= 0.5
    place[4, ::7] = np.nan
    place[5] *= 0.5
    touched = 0
    for at in range(190):
        disc = place[:, (at * 37) % 200]
        near = ((place[:3, at : at + 8] - disc[:3, None]) ** 2).sum(axis=0) <= (place[3, at : at + 8] + disc[3]) ** 2
        apart = np.abs(place[4, at : at + 8] - disc[4]) > place[5, at : at + 8] + disc[5]
        bits = int(touching_at(place, at, disc))
        assert [bool(bits >> k & 1) for k in range(8)] == (near & ~apart).tolist()
        touched += bits.bit_count()
    assert 100 < touched < 1400
    assert [lowest_of(np.uint64(1 << k)) for k in range(64)] == list(range(64))


def test_memory_is_kept_for_calls_of_one_size_and_given_back_after_a_large_one() -> None:
    large = 2 * KEPT_BYTES
    room = Scratch()
    for held in (0, large, large):  # the second large call shows that it was no exception
        room.take("a", large, np.uint8)
        room.trim()
        assert held <= room.held_bytes() <= 2 * held
    room.take("a", 1000, np.uint8)
    room.trim()
    assert room.held_bytes() == 0
    room.take("a", 1000, np.uint8)
    room.trim()
    assert room.held_bytes() >= 1000


def test_sine_and_cosine_of_degrees_are_the_librarys() -> None:
    angles = np.concatenate([np.random.default_rng(1).uniform(-720, 720, 20_000), np.arange(-720.0, 721.0, 15.0)])
    for angle in angles.tolist():
        s, c = sine_cosine(angle)
        exact = math.radians(math.fmod(angle, 360.0))
        assert abs(s - math.sin(exact)) < 2e-15
        assert abs(c - math.cos(exact)) < 2e-15
    assert sine_cosine(90.0) == (1.0, 0.0)
    assert sine_cosine(-180.0)[1] == -1.0

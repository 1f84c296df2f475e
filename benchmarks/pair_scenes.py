"""Seeded scenes for the pair and volume benchmarks, and the few lines of measuring they share."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Aircraft(NamedTuple):
    lat_deg: Floats
    lon_deg: Floats
    altitude_m: Floats
    east_mps: Floats
    north_mps: Floats
    up_mps: Floats


class Volumes(NamedTuple):
    circle: Floats
    vertex_start: npt.NDArray[np.int64]
    lon: Floats
    lat: Floats
    lower_m: Floats
    upper_m: Floats
    from_s: Floats
    to_s: Floats


def globe(n: int, seed: int = 1) -> Aircraft:
    """Aircraft evenly over the whole Earth: most cells are empty."""
    rng = np.random.default_rng(seed)
    return _flying(rng, np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n))


def dense(n: int, seed: int = 2) -> Aircraft:
    """The same over Europe: 36–60° N, 10° W – 30° E."""
    rng = np.random.default_rng(seed)
    return _flying(rng, rng.uniform(36, 60, n), rng.uniform(-10, 30, n))


def _flying(rng: np.random.Generator, lat: Floats, lon: Floats) -> Aircraft:
    n = len(lat)
    speed, track = rng.uniform(60, 260, n), rng.uniform(0, 2 * np.pi, n)
    climbing = np.where(rng.random(n) < 0.3, rng.uniform(-12, 12, n), 0.0)
    return Aircraft(lat, lon, rng.uniform(300, 12_500, n), speed * np.sin(track), speed * np.cos(track), climbing)


def volumes(n: int, seed: int = 3) -> Volumes:
    """Declared volumes at one a square kilometre and day: a third circles of 0.3–3 km, the others 4–8-cornered
    polygons of 1–10 km, 30–300 m bands below 3 km, 10–60 minutes of one day, around 48° N."""
    rng = np.random.default_rng(seed)
    side = np.sqrt(n) * 1000.0
    lat = 48.0 + rng.uniform(-0.5, 0.5, n) * side / 111_200.0
    lon = 10.0 + rng.uniform(-0.5, 0.5, n) * side / 74_500.0
    round_ = rng.random(n) < 1 / 3
    corners = np.where(round_, 0, rng.integers(4, 9, n))
    start = np.concatenate(([0], np.cumsum(corners))).astype(np.int64)
    row = np.repeat(np.arange(n), corners)
    k = np.arange(start[-1]) - start[row]
    size = rng.uniform(500, 5_000, n)
    angle = (k + rng.uniform(0.1, 0.9, len(k))) * 2 * np.pi / corners[row]
    reach = size[row] * rng.uniform(0.4, 1.0, len(k))
    v_lat = lat[row] + reach * np.cos(angle) / 111_200.0
    v_lon = lon[row] + reach * np.sin(angle) / (111_320.0 * np.cos(np.radians(lat[row])))
    circle = np.full((n, 3), np.nan)
    circle[round_] = np.stack([lon, lat, rng.uniform(300, 3_000, n)], axis=1)[round_]
    lower = rng.uniform(0, 2_700, n)
    begin = 1.8e9 + rng.uniform(0, 86_400, n)
    return Volumes(
        circle, start, v_lon, v_lat, lower, lower + rng.uniform(30, 300, n), begin, begin + rng.uniform(600, 3_600, n)
    )


def best(work: Callable[[], Any], times: int = 5) -> tuple[float, float, Any]:
    """(wall seconds, core seconds, answer) of the fastest of several runs."""
    fastest: tuple[float, float, Any] | None = None
    gc.collect()
    for _ in range(times):
        cores, wall = time.process_time(), time.perf_counter()
        answer = work()
        wall, cores = time.perf_counter() - wall, time.process_time() - cores
        if fastest is None or wall < fastest[0]:
            fastest = (wall, cores, answer)
    assert fastest is not None
    return fastest


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(str(r[c])) for r in [head, *rows]) for c in range(len(head))]
    print(f"\n{title}")
    for row in [head, ["-" * w for w in widths], *rows]:
        print("| " + " | ".join(str(cell).ljust(w) for cell, w in zip(row, widths)) + " |")
    print(flush=True)

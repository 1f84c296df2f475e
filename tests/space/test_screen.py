"""Motions left out before any trigonometry meet no row in force: points of the exact way are the twin."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from geographiclib.geodesic import Geodesic

from keepclear.space.geometry import Shape
from keepclear.space.index import OutlineIndex
from keepclear.space.kernels.screen import may_meet

Build = Callable[..., OutlineIndex]


def test_a_motion_that_reaches_a_row_in_force_is_kept(build: Build, world: list[Shape]) -> None:
    rng = np.random.default_rng(7)
    limits = np.column_stack(
        [rng.choice([-np.inf, 500.0], len(world)), rng.choice([900.0, np.inf], len(world)),
         rng.choice([-np.inf, 30.0], len(world)), rng.choice([50.0, np.inf], len(world))]
    )  # fmt: skip
    index = build(world, limits)
    # Around the rims and corners of the rows' boxes, where leaving out is tempting.
    n, horizon = 3_000, 60.0
    box = index.outlines.box[rng.integers(0, len(world), n)]
    lon = (rng.choice([0, 2], n) == 0) * (box[:, 0] - box[:, 2]) + box[:, 2] + rng.normal(0.0, 0.1, n)
    lon = (lon + 180.0) % 360.0 - 180.0
    lat = np.clip(np.where(rng.uniform(size=n) < 0.5, box[:, 1], box[:, 3]) + rng.normal(0.0, 0.1, n), -89.9, 89.9)
    altitude, time = rng.uniform(0.0, 1500.0, n), rng.uniform(-60.0, 60.0, n)
    course, speed = rng.uniform(0.0, 360.0, n), rng.uniform(0.0, 330.0, n)
    east, north = speed * np.sin(np.radians(course)), speed * np.cos(np.radians(course))
    up = rng.choice([0.0, 10.0, -10.0], n)
    kept = np.empty(n, np.int64)
    count = may_meet(index._raster, 0, n, lon, lat, altitude, time, east, north, up, horizon, kept)
    assert n // 10 < count < n
    left_out = np.setdiff1d(np.arange(n), kept[:count])
    for t in np.linspace(0.0, horizon, 7).tolist():
        at = [
            Geodesic.WGS84.Direct(float(lat[k]), float(lon[k]), float(course[k]), float(speed[k]) * t) for k in left_out
        ]
        x, y = np.array([(p["lon2"] + 180.0) % 360.0 - 180.0 for p in at]), np.array([p["lat2"] for p in at])
        met, _ = index.positions(x, y, altitude[left_out] + up[left_out] * t, time[left_out] + t)
        assert len(met) == 0


def test_unknown_velocity_altitude_and_rate_keep_a_motion(build: Build, world: list[Shape]) -> None:
    index = build(world)
    box = index.outlines.box[0]
    column = np.full(4, math.nan)
    lon, lat = np.full(4, (box[0] + box[2]) / 2.0), np.full(4, (box[1] + box[3]) / 2.0)
    east, north, up, altitude = (np.zeros(4) for _ in range(4))
    east[0], north[1], up[2], altitude[3] = column
    kept = np.empty(4, np.int64)
    assert may_meet(index._raster, 0, 4, lon, lat, altitude, np.zeros(4), east, north, up, 60.0, kept) == 4

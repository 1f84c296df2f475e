"""How deep a visit went: the greatest signed distance to the boundary along a path, not only at its reports.

The distance to a boundary changes by at most one metre a metre of path, so between two samples with depths d₀, d₁
that lie L apart along the path no depth exceeds (d₀ + d₁ + L)/2 (Piyavskii 1972, Lipschitz maximisation). Pieces
that cannot beat the best so far are dropped, the others halved, until the answer is within the tolerance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepclear.feeds.reports import Floats
from keepclear.quantities import EARTH_RADIUS_M

__all__ = ["Deepest", "Paths", "deepest"]

TOLERANCE_M = 10.0
TOLERANCE_SHARE = 0.01
"""The depth is exact to the larger of 10 m and 1 %: finer than any track's accuracy, and cheap."""
FIRST_SAMPLES = 9
ROUNDS_MAX = 24
"""Halving 24 times brings an earth's circumference below three metres."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Paths:
    """Polylines in compressed rows: path p has points ``start[p]:start[p+1]``, at least one."""

    start: Ints
    lon_deg: Floats
    lat_deg: Floats
    time_s: Floats


@dataclass(frozen=True, slots=True)
class Deepest:
    depth_m: Floats
    lon_deg: Floats
    lat_deg: Floats
    time_s: Floats


def deepest(paths: Paths, depth_at: Callable[[Floats, Floats, Ints], Floats]) -> Deepest:
    """The deepest place of every path. ``depth_at(lon, lat, path)`` gives signed metres inside.

    Shapes: all outputs (paths,). Exact to ``max(10 m, 1 %)``.
    """
    count = len(paths.start) - 1
    if count == 0:
        nothing = np.empty(0)
        return Deepest(nothing, nothing, nothing, nothing)
    along = _lengths(paths)
    path_number = np.arange(count)
    begin, end = along[paths.start[:-1]], along[paths.start[1:] - 1]

    points = np.diff(paths.start)
    samples = np.where(points == 1, 1, FIRST_SAMPLES)
    path = np.repeat(path_number, samples)
    fraction = (np.arange(len(path)) - np.repeat(np.cumsum(samples) - samples, samples)) / np.maximum(
        samples[path] - 1, 1
    )
    place = begin[path] + fraction * (end - begin)[path]
    lon, lat, time = _at(paths, along, path, place)
    depth = depth_at(lon, lat, path)

    best = np.full(count, -np.inf)
    best_lon, best_lat, best_time = np.empty(count), np.empty(count), np.empty(count)

    def keep(path: Ints, depth: Floats, lon: Floats, lat: Floats, time: Floats) -> None:
        order = np.lexsort((depth, path))
        last = order[np.append(path[order][1:] != path[order][:-1], True)]
        better = last[depth[last] > best[path[last]]]
        best[path[better]] = depth[better]
        best_lon[path[better]], best_lat[path[better]], best_time[path[better]] = lon[better], lat[better], time[better]

    keep(path, depth, lon, lat, time)
    same = path[1:] == path[:-1]
    left, right = place[:-1][same], place[1:][same]
    depth_left, depth_right, path = depth[:-1][same], depth[1:][same], path[:-1][same]
    for _ in range(ROUNDS_MAX):
        tolerance = np.maximum(TOLERANCE_M, TOLERANCE_SHARE * np.abs(best[path]))
        hopeful = 0.5 * (depth_left + depth_right + (right - left)) > best[path] + tolerance
        if not hopeful.any():
            break
        left, right, path = left[hopeful], right[hopeful], path[hopeful]
        depth_left, depth_right = depth_left[hopeful], depth_right[hopeful]
        middle = 0.5 * (left + right)
        lon, lat, time = _at(paths, along, path, middle)
        depth = depth_at(lon, lat, path)
        keep(path, depth, lon, lat, time)
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        depth_left, depth_right = np.concatenate([depth_left, depth]), np.concatenate([depth, depth_right])
        path = np.concatenate([path, path])
    return Deepest(best, best_lon, best_lat, best_time)


def _lengths(paths: Paths) -> Floats:
    """Metres along all paths laid end to end, enlarged by 1 % because a sphere measures them: a bound, not a figure."""
    lat = np.radians(paths.lat_deg)
    north = np.diff(lat)
    east = np.radians((np.diff(paths.lon_deg) + 180.0) % 360.0 - 180.0)
    half = np.sin(north / 2) ** 2 + np.cos(lat[:-1]) * np.cos(lat[1:]) * np.sin(east / 2) ** 2
    step = 1.01 * 2.0 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    # A path's own last and the next one's first point are one metre apart, so that places stay in their own path.
    step[paths.start[1:-1] - 1] = 1.0
    along: Floats = np.concatenate(([0.0], np.cumsum(step)))
    return along


def _at(paths: Paths, along: Floats, path: Ints, place: Floats) -> tuple[Floats, Floats, Floats]:
    """Longitude, latitude and time at places along the paths, linear between neighbouring points."""
    first, last = paths.start[:-1][path], paths.start[1:][path] - 1
    left = np.clip(np.searchsorted(along, place, side="right") - 1, first, np.maximum(first, last - 1))
    right = np.minimum(left + 1, last)
    length = along[right] - along[left]
    fraction = np.clip(
        np.where(length > 0.0, (place - along[left]) / np.where(length > 0.0, length, 1.0), 0.0), 0.0, 1.0
    )
    lon_left = paths.lon_deg[left]
    east = (paths.lon_deg[right] - lon_left + 180.0) % 360.0 - 180.0
    lon = (lon_left + fraction * east + 180.0) % 360.0 - 180.0
    lat = paths.lat_deg[left] + fraction * (paths.lat_deg[right] - paths.lat_deg[left])
    time = paths.time_s[left] + fraction * (paths.time_s[right] - paths.time_s[left])
    return lon, lat, time

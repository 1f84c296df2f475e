"""Q1 ahead: 1 M motions, 60 s, × 1,000 zones beside Shapely: ``python -m benchmarks.zones_ahead``.

The peer is what a careful user would write: segments as Shapely lines, an STRtree over the prepared zones, and
altitude and time compared for the segment as a whole. It says which zones a segment meets at all; ours says when and
where it enters and leaves, and whether altitude, time and place are within limits at the same moment. Answers are
compared without limits, where the question is the same; where they differ, GeographicLib decides: Shapely's circles
are 256-gons (2.3 m inside the rim at 30 km) and its ways are straight on a map (12 m off at most).
"""

from __future__ import annotations

import math

import numpy as np
import shapely
from geographiclib.geodesic import Geodesic

from benchmarks import scenes
from keepclear.space.geometry import Circle, Polygon
from keepclear.space.index import AHEAD_TOLERANCE_M, OutlineIndex

HORIZON_S = 60.0
STEPS = 1_200
"""Points of a way at which its depth is looked at: 13 m apart at most."""


def segments(p, v):
    north, east = scenes.degree_lengths(p.lat)
    ends = np.column_stack([p.lon, p.lat, p.lon + HORIZON_S * v.east / east, p.lat + HORIZON_S * v.north / north])
    return shapely.linestrings(ends.reshape(-1, 2, 2))


def strtree(p, v, tree):
    report, zone = tree.query(segments(p, v), predicate="intersects")
    return report * len(tree.geometries) + zone


def strtree_limits(p, v, tree, limits):
    """Also whether altitude and time come within limits at all: not yet whether at the same moment as the place."""
    report, zone = tree.query(segments(p, v), predicate="intersects")
    low = p.altitude + np.minimum(0.0, v.up * HORIZON_S)
    high = p.altitude + np.maximum(0.0, v.up * HORIZON_S)
    t = p.time[report]
    lim = limits[zone]
    ok = (high[report] >= lim[:, 0]) & (low[report] <= lim[:, 1]) & (t + HORIZON_S >= lim[:, 2]) & (t <= lim[:, 3])
    return report[ok] * len(tree.geometries) + zone[ok]


def deepest_m(p, v, k, shape):
    """How deep motion k comes into a shape on the exact geodesic, metres; negative: how far it stays away."""
    line = Geodesic.WGS84.Line(p.lat[k], p.lon[k], math.degrees(math.atan2(v.east[k], v.north[k])))
    speed = math.hypot(v.east[k], v.north[k])
    if isinstance(shape, Polygon):
        north, east = scenes.degree_lengths(p.lat[k])
        area = shapely.Polygon((np.array(shape.exterior) - [p.lon[k], p.lat[k]]) * [east, north])
        shapely.prepare(area)

    def depth(t):
        at = line.Position(speed * t)
        if isinstance(shape, Circle):
            return shape.radius_m - Geodesic.WGS84.Inverse(at["lat2"], at["lon2"], shape.lat_deg, shape.lon_deg)["s12"]
        x, y = (at["lon2"] - p.lon[k]) * east, (at["lat2"] - p.lat[k]) * north
        away = shapely.distance(area.boundary, shapely.Point(x, y))
        return away if shapely.contains_xy(area, x, y) else -away

    times = np.linspace(0.0, HORIZON_S, STEPS + 1)
    best = int(np.argmax([depth(t) for t in times]))
    low, high = times[max(0, best - 1)], times[min(STEPS, best + 1)]
    for _ in range(40):
        one, two = low + (high - low) / 3.0, high - (high - low) / 3.0
        low, high = (one, high) if depth(one) < depth(two) else (low, two)
    return max(depth(times[best]), depth(0.5 * (low + high)))


def agree(ours, theirs, p, v, scene):
    """Where the two differ the exact geodesic judges: ours is right, or off by less than it promises to be."""
    m = len(scene.shapes)
    differ = np.setxor1d(ours, theirs)
    mine = np.isin(differ, ours)
    right, within, worst = {"circles": 0, "polygons": 0}, 0, 0.0
    for key, met in zip(differ.tolist(), mine.tolist(), strict=True):
        shape = scene.shapes[key % m]
        depth = deepest_m(p, v, key // m, shape)
        if (depth > 0.0) == met:
            right["circles" if isinstance(shape, Circle) else "polygons"] += 1
            continue
        assert abs(depth) <= AHEAD_TOLERANCE_M, (key, met, depth)
        within, worst = within + 1, max(worst, abs(depth))
    print(
        f"answers: {len(ours):,} and {len(theirs):,} pairs, {len(differ):,} differ; by the exact geodesic ours is right"
    )
    print(f"at {right['circles']} circles and {right['polygons']} polygons, wrong at {within} by at most {worst:.1f} m")


def main() -> None:
    n, m = int(1_000_000 * scenes.scale()), 1_000
    scene = scenes.zones(m)
    index = scene.index()
    unlimited = OutlineIndex(index.outlines, np.tile([-np.inf, np.inf, -np.inf, np.inf], (m, 1)))
    geometries = scenes.planar(scene)
    shapely.prepare(geometries)
    tree = shapely.STRtree(geometries)
    p, v = scenes.positions(n), scenes.motions(n)
    index.ahead(*(c[:1000] for c in p), *(c[:1000] for c in v), HORIZON_S)
    mine = scenes.measure(lambda: index.ahead(*p, *v, HORIZON_S), 3)
    free = scenes.measure(lambda: unlimited.ahead(*p, *v, HORIZON_S), 2)
    peer = scenes.measure(lambda: strtree_limits(p, v, tree, scene.limits), 1)
    plain = scenes.measure(lambda: strtree(p, v, tree), 1)
    title = f"{n:,} motions, {HORIZON_S:.0f} s ahead, × {m:,} zones"
    scenes.table(f"{title}, limits, {len(mine.answer):,} stays", mine, {"shapely STRtree on segments": peer})
    scenes.table(f"{title}, no limits, {len(free.answer):,} stays", free, {"shapely STRtree on segments": plain})
    ours = np.sort(free.answer.report * m + free.answer.outline_row)
    agree(ours, np.sort(plain.answer), p, v, scene)


if __name__ == "__main__":
    main()

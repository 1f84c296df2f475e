"""Q1 ahead: 1 M motions, 60 s, × 1,000 zones beside Shapely: ``python -m benchmarks.zones_ahead``.

The peer is what a careful user would write: segments as Shapely lines, an STRtree over the prepared zones, and
altitude and time compared for the segment as a whole. It says which zones a segment meets at all; ours says when and
where it enters and leaves, and whether altitude, time and place are within limits at the same moment. Answers are
compared without limits, where the question is the same: what differs must be a graze.
"""

from __future__ import annotations

import numpy as np
import shapely

from benchmarks import scenes
from keepclear.space.index import OutlineIndex

HORIZON_S = 60.0
SLACK_M = 60.0
"""Chords of a 256-gon of 30 km lie 2.3 m inside; a minute's motion curves 12 m away from straight at most."""


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


def agree(ours, theirs, p, v, geometries, n_zones):
    """Pairs that only one of them has are grazes: the segment comes within SLACK_M of the boundary."""
    differ = np.setxor1d(ours, theirs)
    report, zone = differ // n_zones, differ % n_zones
    lines = segments(scenes.Positions(*(c[report] for c in p)), scenes.Motions(*(c[report] for c in v)))
    zones = np.array(geometries, dtype=object)[zone]
    boundary = shapely.boundary(zones)
    inside = shapely.length(shapely.intersection(lines, zones))
    away = np.where(inside > 0.0, 0.0, shapely.distance(lines, boundary)) * 111_000.0
    assert (away <= SLACK_M).all(), away.max()
    longest = float(inside.max(initial=0.0)) * 111_000.0
    print(
        f"answers: {len(ours):,} and {len(theirs):,} pairs, {len(differ):,} differ: grazes, at most "
        f"{away.max(initial=0.0):.1f} m outside or a chord of {longest:.0f} m inside"
    )
    assert len(differ) <= 2e-3 * len(ours)


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
    agree(ours, np.sort(plain.answer), p, v, geometries, m)


if __name__ == "__main__":
    main()

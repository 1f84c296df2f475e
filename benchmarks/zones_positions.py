"""Q1: 10 M positions × 10,000 zones beside a polars cell join and Shapely: ``python -m benchmarks.zones_positions``.

The peers do what a careful user would write: polars joins positions and zones on a grid of cells, then NumPy or
``shapely.contains_xy`` (prepared) decides zone by zone; Shapely alone uses an STRtree over the zones. Their circles
are 256-gons (Shapely) or local distances (NumPy). Answers are compared: away from the rims of the circles they must
be the same. The floor is reading the four input columns once. What memory costs shows beside the same kernel on a few
positions again and again, which stay in the first caches.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import shapely
from numba import njit

from benchmarks import scenes
from keepclear.space.geodesy import distance_m
from keepclear.space.geometry import Circle, Polygon
from keepclear.space.index import OutlineIndex, worker_pool
from keepclear.space.kernels.positions import BATCH, positions_block

CELL_DEG = 0.1


@njit(nogil=True, cache=True, fastmath=True)
def column_sum(a, b, c, d, lo, hi):
    total = 0.0
    for i in range(lo, hi):
        total += a[i] + b[i] + c[i] + d[i]
    return total


def floor(p):
    n = len(p.lon)
    return sum(worker_pool().map(lambda k: column_sum(*p, n * k // 8, n * (k + 1) // 8), range(8)))


@njit(nogil=True, cache=True)
def again(times, a, fields, lon, lat, altitude, time):
    pairs = 0
    for _ in range(times):
        pairs += len(positions_block(*fields, a, a + BATCH, lon, lat, altitude, time)[0])
    return pairs


def in_cache(index: OutlineIndex, p) -> float:
    """ns of processor time a position, of batches that stay in the first caches: the median of some batches."""
    fields, times, each = index._flat, 50, []
    again(1, 0, fields, *p)
    for a in np.linspace(0, len(p.lon) - BATCH, 40).astype(np.int64).tolist():
        best = scenes.measure(lambda a=a: again(times, a, fields, *p), 5)
        each.append(best.cpu_s / times / BATCH * 1e9)
    return float(np.median(each))


def cells_of(scene):
    """zone, cell for every cell that the zone's box touches."""
    zone, cell = [], []
    for z, g in enumerate(scenes.planar(scene, 16)):
        w, s, e, n = g.bounds
        x = np.arange(int((w - scenes.WEST + 1) / CELL_DEG), int((e - scenes.WEST + 1) / CELL_DEG) + 1)
        y = np.arange(int((s - scenes.SOUTH + 1) / CELL_DEG), int((n - scenes.SOUTH + 1) / CELL_DEG) + 1)
        c = (y[:, None] * 10_000 + x[None, :]).ravel()
        zone.append(np.full(len(c), z))
        cell.append(c)
    zone = np.concatenate(zone)
    limits = scene.limits[zone]
    return pl.DataFrame(
        {"zone": zone.astype(np.int32), "cell": np.concatenate(cell).astype(np.int32), "low": limits[:, 0],
         "high": limits[:, 1], "start": limits[:, 2], "end": limits[:, 3]}
    )  # fmt: skip


def candidates(p, cells):
    frame = pl.DataFrame({"lon": p.lon, "lat": p.lat, "altitude": p.altitude, "time": p.time}).with_row_index("report")
    frame = frame.with_columns(
        cell=(((pl.col("lat") - scenes.SOUTH + 1) / CELL_DEG).cast(pl.Int32) * 10_000
              + ((pl.col("lon") - scenes.WEST + 1) / CELL_DEG).cast(pl.Int32))
    )  # fmt: skip
    joined = (
        frame.lazy()
        .join(cells.lazy(), on="cell")
        .filter(
            (pl.col("altitude") >= pl.col("low")) & (pl.col("altitude") <= pl.col("high"))
            & (pl.col("time") >= pl.col("start")) & (pl.col("time") <= pl.col("end"))
        )
        .select("report", "zone", "lon", "lat")
        .sort("zone")
        .collect()
    )  # fmt: skip
    return (joined[c].to_numpy() for c in ("report", "zone", "lon", "lat"))


def polars_numpy(p, scene, cells, rings):
    report, zone, lon, lat = candidates(p, cells)
    keep = np.zeros(len(zone), np.bool_)
    cuts = np.searchsorted(zone, np.arange(len(scene.shapes) + 1))
    for z, shape in enumerate(scene.shapes):
        a, b = cuts[z], cuts[z + 1]
        if a == b:
            continue
        x, y = lon[a:b], lat[a:b]
        if isinstance(shape, Circle):
            north, east = scenes.degree_lengths(0.5 * (y + shape.lat_deg))
            keep[a:b] = ((x - shape.lon_deg) * east) ** 2 + ((y - shape.lat_deg) * north) ** 2 <= shape.radius_m**2
        else:
            x0, y0, y1, slope = rings[z]
            keep[a:b] = (
                ((y0[:, None] > y) != (y1[:, None] > y)) & (x < (y - y0[:, None]) * slope[:, None] + x0[:, None])
            ).sum(axis=0) & 1
    return report[keep].astype(np.int64) * len(scene.shapes) + zone[keep]


def polars_shapely(p, scene, cells, geometries):
    report, zone, lon, lat = candidates(p, cells)
    keep = np.zeros(len(zone), np.bool_)
    cuts = np.searchsorted(zone, np.arange(len(geometries) + 1))
    for z, g in enumerate(geometries):
        a, b = cuts[z], cuts[z + 1]
        if a < b:
            keep[a:b] = shapely.contains_xy(g, lon[a:b], lat[a:b])
    return report[keep].astype(np.int64) * len(geometries) + zone[keep]


def strtree(p, scene, tree):
    report, zone = tree.query(shapely.points(p.lon, p.lat), predicate="intersects")
    lim = scene.limits[zone]
    h, t = p.altitude[report], p.time[report]
    ok = (h >= lim[:, 0]) & (h <= lim[:, 1]) & (t >= lim[:, 2]) & (t <= lim[:, 3])
    return report[ok] * len(scene.shapes) + zone[ok]


def agree(name, ours, theirs, p, scene, slack_m, quiet=False):
    """Pairs that differ must lie at the rim of a circle."""
    m = len(scene.shapes)
    differ = np.setxor1d(ours, theirs)
    for key in differ.tolist():
        shape = scene.shapes[key % m]
        k = key // m
        assert isinstance(shape, Circle), (name, key)
        d = float(distance_m(p.lon[k], p.lat[k], shape.lon_deg, shape.lat_deg))
        assert abs(d - shape.radius_m) <= slack_m + 2e-3 * shape.radius_m, (name, key, d, shape.radius_m)
    if not quiet:
        print(f"answers: {name}: {len(theirs):,} pairs, {len(differ):,} differ, all at the rims of circles")


def main() -> None:
    scale = scenes.scale()
    n, m = int(10_000_000 * scale), 10_000
    scene = scenes.zones(m)
    build = scenes.measure(scene.index, 1)
    index = scene.index()
    built = scenes.measure(lambda: scenes.OutlineIndex(index.outlines, scene.limits), 2)
    print(
        f"build: outlines {build.wall_s - built.wall_s:.3f} s, raster {built.wall_s:.3f} s, {index.entries:,} entries"
    )
    geometries = scenes.planar(scene)
    shapely.prepare(geometries)
    tree = shapely.STRtree(geometries)
    cells = cells_of(scene)
    rings = {}
    for z, shape in enumerate(scene.shapes):
        if isinstance(shape, Polygon):
            ring = np.array([*shape.exterior, shape.exterior[0]])
            rise = np.diff(ring[:, 1])
            rings[z] = (ring[:-1, 0], ring[:-1, 1], ring[1:, 1], np.diff(ring[:, 0]) / np.where(rise == 0, 1, rise))
    for size in (n, 1000, 100, 10):
        p = scenes.positions(size)

        def ours(p=p):
            report, row = index.positions(*p)
            return report, row

        repeats = 3 if size > 10_000 else 200
        mine = scenes.measure(ours, repeats)
        found = mine.answer[0] * m + mine.answer[1]
        slow = 1 if size > 10_000 else 20
        others = {}
        if size > 10_000:
            floor(p)
            others["floor: the input columns read once"] = scenes.measure(lambda p=p: floor(p), 5)
        others["polars cell join + numpy ring test"] = scenes.measure(
            lambda p=p: polars_numpy(p, scene, cells, rings), slow
        )
        others["polars cell join + shapely.contains_xy"] = scenes.measure(
            lambda p=p: polars_shapely(p, scene, cells, geometries), slow
        )
        others["shapely STRtree, prepared"] = scenes.measure(lambda p=p: strtree(p, scene, tree), slow)
        scenes.table(f"{size:,} positions × {m:,} zones, {len(found):,} pairs", mine, others)
        if size > 10_000:
            print(
                f"each: {mine.cpu_s / size * 1e9:.1f} ns of processor time, {in_cache(index, p):.1f} ns where all that "
                f"is read stays in the first caches"
            )
        for name, other in others.items():
            if not name.startswith("floor"):
                agree(name, np.sort(found), np.sort(other.answer), p, scene, 1.0 if "numpy" in name else 50.0)


if __name__ == "__main__":
    main()

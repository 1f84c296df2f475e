"""``scan`` of a Parquet file from the bytes on the disk to the rows on the disk, against the kernel's own time.

    python -m benchmarks.scan_parquet [--positions 10000000] [--zones 1000] [--order track|time]

The file is made in a temporary folder: flights over Europe at one position every 4 s, sorted by track (as archives
are) or by time (as they were received). Printed: each stage of our scan in one process, warm, best of three, and what
all of it is beside the kernel that finds the visits; the command itself, cold, as a user calls it; the floor, pyarrow
reading the same columns; and a peer: what a careful user of polars and Shapely writes to learn which track was in
which zone, entry and exit to the report (no segments, depths, verdicts, coverage). Its answers are compared with ours.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from benchmarks import scenes
from keepclear.cli.output import write_rows
from keepclear.detection import infringement
from keepclear.detection.rows import infringement_rows
from keepclear.edge.feed_address import parse_feed
from keepclear.edge.recordings import read_recordings
from keepclear.feeds.reports import concatenate
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level
from keepclear.space.index import OutlineIndex
from keepclear.tracks.assemble import assemble
from keepclear.zones import geojson
from keepclear.zones.model import Period, Volume, Zone
from keepclear.zones.zone_set import ZoneSet

T0 = 1_767_225_600.0
STEP_S = 4.0
POSITIONS_A_FLIGHT = 1_000
ROUNDS = 3
COLUMNS = ["time", "lat", "lon", "altitude_baro_m", "target"]


def write(path: Path, positions: int, order: str) -> None:
    flights = max(1, positions // POSITIONS_A_FLIGHT)
    rng = np.random.default_rng(1)
    k = np.arange(POSITIONS_A_FLIGHT)
    course = np.radians(rng.uniform(0, 360, flights))[:, None] + rng.normal(0, 0.0005, flights)[:, None] * k
    speed = rng.uniform(120, 260, flights)[:, None]
    lat0, lon0 = rng.uniform(42, 58, flights)[:, None], rng.uniform(-5, 30, flights)[:, None]
    lat = lat0 + np.cumsum(np.cos(course) * speed * STEP_S / 111_320.0, axis=1)
    lon = lon0 + np.cumsum(np.sin(course) * speed * STEP_S / (111_320.0 * np.cos(np.radians(lat))), axis=1)
    level = rng.uniform(300, 12_000, flights)[:, None] + rng.choice([0.0, 0.0, 2.0, -2.0], flights)[:, None] * k
    time_s = T0 + rng.uniform(0, STEP_S, flights)[:, None] + STEP_S * k
    names = pa.array([f"{0x400000 + i:06x}" for i in range(flights)])
    code = np.repeat(np.arange(flights, dtype=np.int32), POSITIONS_A_FLIGHT)
    place = np.argsort(time_s.ravel(), kind="stable") if order == "time" else np.arange(code.size)
    table = pa.table({
        "time": time_s.ravel()[place], "lat": lat.ravel()[place], "lon": lon.ravel()[place],
        "altitude_baro_m": np.clip(level, 0, 13_000).ravel()[place],
        "target": pa.DictionaryArray.from_arrays(code[place], names),
    })  # fmt: skip
    pq.write_table(table, path, store_schema=False)


def zones_of(count: int) -> tuple[scenes.Zones, ZoneSet]:
    scene = scenes.zones(count)

    def level(value: float) -> Level:
        return Level(value, LengthUnit.METRE, Datum.STD) if np.isfinite(value) else UNBOUNDED

    made = [
        Zone(
            id=f"Z{i}", volumes=(Volume(shape, level(low), level(high)),),
            applicability=(Period(T0 + begin, T0 + end),),
        )
        for i, (shape, (low, high, begin, end)) in enumerate(zip(scene.shapes, scene.limits.tolist(), strict=True))
    ]  # fmt: skip
    return scene, ZoneSet.of(made)


class Stages:
    """Seconds by stage; the kernel's are inside those of judging and are taken out of them."""

    def __init__(self) -> None:
        self.s: dict[str, float] = {}

    def run(self, name: str, call: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        answer = call()
        self.s[name] = self.s.get(name, 0.0) + time.perf_counter() - began
        return answer


def ours(path: Path, zones: ZoneSet, out: Path) -> tuple[Stages, pa.Table]:
    stages = Stages()
    inner = Stages()
    visits, prepare = OutlineIndex.visits, infringement.prepare
    OutlineIndex.visits = lambda *a, **k: inner.run("kernel", lambda: visits(*a, **k))  # type: ignore[method-assign]
    infringement.prepare = lambda *a, **k: inner.run("preparing", lambda: prepare(*a, **k))
    began = time.perf_counter()
    try:
        batch = stages.run("reading", lambda: concatenate(list(read_recordings([parse_feed(str(path))]))))
        table = stages.run("assembling", lambda: assemble(batch))
        found = stages.run("judging", lambda: infringement.find_infringements(table, zones))
        rows = stages.run("writing", lambda: _written(infringement_rows(found, table, zones), out))
    finally:
        OutlineIndex.visits, infringement.prepare = visits, prepare  # type: ignore[method-assign]
    whole = time.perf_counter() - began
    stages.s["judging"] -= sum(inner.s.values())
    stages.s |= inner.s
    stages.s["total"] = whole
    return stages, rows


def _written(rows: pa.Table, out: Path) -> pa.Table:
    write_rows(rows, "parquet", out)
    return rows


def peer(path: Path, scene: scenes.Zones, tree: shapely.STRtree) -> set[tuple[str, int]]:
    """Read, ask the tree for every position, keep what fits in height and time, first and last by (track, zone)."""
    frame = pl.read_parquet(path, columns=COLUMNS)
    report, zone = tree.query(shapely.points(frame["lon"].to_numpy(), frame["lat"].to_numpy()), predicate="intersects")
    limits = scene.limits
    inside = (
        frame[report]
        .with_columns(
            zone=zone, low=limits[zone, 0], high=limits[zone, 1], begin=limits[zone, 2] + T0, end=limits[zone, 3] + T0
        )
        .filter(pl.col("altitude_baro_m").is_between("low", "high") & pl.col("time").is_between("begin", "end"))
        .group_by("target", "zone")
        .agg(entry=pl.col("time").min(), exit=pl.col("time").max(), reports=pl.len())
    )
    return set(zip(inside["target"].to_list(), inside["zone"].to_list(), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--positions", type=int, default=10_000_000)
    parser.add_argument("--zones", type=int, default=1_000)
    parser.add_argument("--order", choices=("track", "time"), default="track")
    parser.add_argument("--no-peer", action="store_true")
    given = parser.parse_args()
    scene, zones = zones_of(given.zones)
    with tempfile.TemporaryDirectory() as folder:
        path, out, file = Path(folder) / "flights.parquet", Path(folder) / "rows.parquet", Path(folder) / "z.geojson"
        write(path, given.positions, given.order)
        file.write_bytes(geojson.write(list(zones)).data)
        size = path.stat().st_size / 2**20
        print(f"{given.positions:,} positions sorted by {given.order}, {given.zones:,} zones, file {size:,.0f} MiB")

        floor = scenes.measure(lambda: pq.read_table(path, columns=COLUMNS, read_dictionary=["target"]), ROUNDS)
        runs = [ours(path, zones, out) for _ in range(ROUNDS)]
        best, rows = min(runs, key=lambda run: run[0].s["total"])
        kernel_s = min(run[0].s["kernel"] for run in runs)
        for name in ("reading", "assembling", "preparing", "kernel", "judging", "writing", "total"):
            print(f"{name:34}{best.s[name]:8.3f} s")
        times = best.s["total"] / kernel_s
        print(f"the scan takes {times:.2f} times its kernel's own time; {rows.num_rows:,} violations")
        show("floor: pyarrow reads the columns", floor.wall_s)
        began = time.perf_counter()
        call = [sys.executable, "-m", "keepclear.cli.main", "scan", str(path), "--zones", str(file), "--out", str(out)]
        done = subprocess.run(call, capture_output=True, text=True)
        show("the command, a process of its own", time.perf_counter() - began, done.stderr.strip()[-200:])
        if given.no_peer:
            return
        shapes = scenes.planar(scene)
        shapely.prepare(shapes)
        tree = shapely.STRtree(shapes)
        theirs = scenes.measure(lambda: peer(path, scene, tree), 1)
        show("polars and Shapely, by positions", theirs.wall_s, f"{theirs.wall_s / best.s['total']:.1f} times ours")
        mine = set(zip(rows["target"].to_pylist(), (int(z[1:]) for z in rows["zone_id"].to_pylist()), strict=True))
        both, missed, more = theirs.answer & mine, theirs.answer - mine, mine - theirs.answer
        print(
            f"answers: {len(theirs.answer):,} (track, zone) by positions, {len(both):,} of them ours too, "
            f"{len(missed)} not; {len(more):,} more are ours alone: passages between two positions"
        )


def show(name: str, seconds: float, more: str = "") -> None:
    print(f"{name:34}{seconds:8.3f} s   {more}")


if __name__ == "__main__":
    main()

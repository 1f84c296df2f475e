"""Which positions, tracks and predicted motions are in which outlines, exactly, at memory speed.

:class:`OutlineIndex` lays the outlines into a raster once and keeps everything resident; a call then costs what its
reports cost. Altitude and time limits of a row are closed intervals; an unknown altitude (nan) is possible anywhere.
"""

from __future__ import annotations

import ctypes
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.space.kernels.ahead import ahead_block
from keepclear.space.kernels.boundary import boundary_distances
from keepclear.space.kernels.positions import positions_block
from keepclear.space.kernels.raster import Raster
from keepclear.space.kernels.visits import visits_block
from keepclear.space.layout import classes, lay_raster, with_classes
from keepclear.space.outlines import Outlines

__all__ = ["Ahead", "OutlineIndex", "Visits"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

INLINE_MAX = 8_192
"""Calls with at most this many reports run in the caller's thread: handing them over costs more than it saves."""
BLOCK = 131_072
"""Reports a task of the pool: long enough to hide the hand-over, short enough to even out the cores."""
WAY_TOLERANCE_M = 1.0
"""How far the straight pieces of a recorded way may stray from the geodesic between two reports."""
AHEAD_TOLERANCE_M = 10.0
"""The same for a prediction: 0.2 m/s of velocity error over a minute is more."""

_pool: ThreadPoolExecutor | None = None
_pool_lock = Lock()


def worker_pool() -> ThreadPoolExecutor:
    """The threads all indexes share; made at first need and kept."""
    global _pool
    with _pool_lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(max(2, os.cpu_count() or 2), thread_name_prefix="keepclear-space")
        return _pool


@dataclass(frozen=True, slots=True)
class Visits:
    """Stays of tracks in rows of outlines, by track, then entry time, then row. Columns of equal length."""

    track: Ints
    """which run of ``start`` it is"""
    outline_row: Ints
    first_report: Ints
    """the last report before the entry (the first inside, where the track begins inside)"""
    last_report: Ints
    """the first report after the exit (the last inside, where the track ends inside)"""
    enter_s: Floats
    exit_s: Floats
    enter_lon_deg: Floats
    enter_lat_deg: Floats
    exit_lon_deg: Floats
    exit_lat_deg: Floats
    entered: npt.NDArray[np.bool_]
    """the entry was seen: it was outside before, not at the beginning of the track or of a gap"""
    left: npt.NDArray[np.bool_]
    """the exit was seen"""
    inside_s: Floats
    """seconds inside; less than exit - enter where dips were merged"""

    def __len__(self) -> int:
        return len(self.track)


@dataclass(frozen=True, slots=True)
class Ahead:
    """The first predicted stay of each report in each row it will meet. Columns of equal length."""

    report: Ints
    outline_row: npt.NDArray[np.int32]
    enter_s: Floats
    """seconds from the report's time; 0 if inside"""
    exit_s: Floats
    """seconds from the report's time; the horizon if it stays inside"""
    enter_lon_deg: Floats
    enter_lat_deg: Floats

    def __len__(self) -> int:
        return len(self.report)


class OutlineIndex:
    """An index over outlines; immutable, shareable between threads.

    ``limits`` is [rows, 4]: lowest and highest altitude (metres), first and last instant (POSIX seconds), infinities
    allowed. All columns given to the methods are contiguous float64, longitudes in [-180, 180], and are not checked
    again here.
    """

    def __init__(self, outlines: Outlines, limits: Floats, *, cells: int | None = None) -> None:
        self.outlines = outlines
        limits = np.array(limits, dtype=np.float64, order="C")
        if limits.shape != (len(outlines), 4):
            raise ValueError(f"limits are {limits.shape}, not ({len(outlines)}, 4)")
        self._raster = lay_raster(outlines, limits, cells)
        self._flat = _flat(self._raster)
        self._most_edges = int(np.diff(outlines.edge_start).max(initial=0))

    def __len__(self) -> int:
        return len(self.outlines)

    @property
    def entries(self) -> int:
        """How many (cell, row) pairs the raster holds: what it costs in memory, 44 bytes each and more at edges."""
        return len(self._raster.entry)

    def with_limits(self, limits: Floats) -> OutlineIndex:
        """The same outlines under other limits (a schedule moved on); costs some milliseconds for 10,000 outlines."""
        other = object.__new__(OutlineIndex)
        other.outlines = self.outlines
        limits = np.array(limits, dtype=np.float64, order="C")
        if limits.shape != (len(self.outlines), 4):
            raise ValueError(f"limits are {limits.shape}, not ({len(self.outlines)}, 4)")
        other._most_edges = self._most_edges
        limit_class, limit = classes(limits)
        table = with_classes(self._raster.table, limit_class)
        other._raster = self._raster._replace(limits=limits, limit_class=limit_class, limit=limit, table=table)
        other._flat = _flat(other._raster)
        return other

    def positions(
        self, lon_deg: Floats, lat_deg: Floats, altitude_m: Floats, time_s: Floats
    ) -> tuple[Ints, npt.NDArray[np.int32]]:
        """Pairs (report index, outline row) of positions inside, ordered by report then row."""
        n = len(lon_deg)
        lon, lat, altitude, time = plain(lon_deg), plain(lat_deg), plain(altitude_m), plain(time_s)
        flat = self._flat
        if n <= INLINE_MAX:
            report, row = positions_block(*flat, 0, n, lon, lat, altitude, time)  # type: ignore[call-arg]
            return report, row
        parts = list(
            worker_pool().map(
                lambda cut: positions_block(*flat, cut[0], cut[1], lon, lat, altitude, time),  # type: ignore[call-arg]
                _cuts(n, BLOCK),
            )
        )
        ends = np.cumsum([0] + [len(p[0]) for p in parts]).tolist()
        report, row = np.empty(ends[-1], np.int64), np.empty(ends[-1], np.int32)

        def put(k: int) -> None:
            report[ends[k] : ends[k + 1]], row[ends[k] : ends[k + 1]] = parts[k]

        list(worker_pool().map(put, range(len(parts))))
        return report, row

    def visits(
        self,
        lon_deg: Floats,
        lat_deg: Floats,
        altitude_low_m: Floats,
        altitude_high_m: Floats,
        time_s: Floats,
        start: Ints,
        break_before: npt.NDArray[np.uint8] | npt.NDArray[np.bool_],
        *,
        merge_gap_s: float = 0.0,
    ) -> Visits:
        """Stays of recorded tracks, with entry and exit computed on the segments between reports.

        Reports are sorted by track and time; those of track k are ``start[k]`` to ``start[k + 1]``. No line is drawn
        into a report whose ``break_before`` is set. A segment is the geodesic, followed within 1 m up to 200 km (60 m
        on 1,000 km); place and altitude change evenly along it in time. The altitude of a report is anywhere from low
        to high (nan: anywhere at all); inside means possibly inside. Stays at most ``merge_gap_s`` apart are one.
        Touching a limit for an instant is no visit. A report that no line leads to or from is a visit of no length.
        """
        flags, runs = plain(break_before.view(np.uint8)), plain(start)
        lon, lat, time = plain(lon_deg), plain(lat_deg), plain(time_s)
        low, high = plain(altitude_low_m), plain(altitude_high_m)
        gap = float(merge_gap_s)
        raster, most = self._raster, self._most_edges

        def block(cut: tuple[int, int]) -> tuple[Ints, Floats]:
            found: tuple[Ints, Floats] = visits_block(
                raster, cut[0], cut[1], lon, lat, low, high, time, runs, flags, gap, WAY_TOLERANCE_M, most,
            )  # fmt: skip
            return found

        tracks = len(start) - 1
        if len(lon_deg) <= INLINE_MAX or tracks < 2:
            ints, floats = block((0, tracks))
        else:
            # Blocks of tracks with about as many reports each.
            k = max(2, -(-len(lon_deg) // BLOCK))
            edges = np.unique(np.searchsorted(start, np.linspace(0, len(lon_deg), k + 1)))
            edges[0], edges[-1] = 0, tracks
            parts = list(worker_pool().map(block, zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)))
            ints, floats = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
        order = np.lexsort((ints[:, 1], floats[:, 0], ints[:, 0]))
        i, f = np.ascontiguousarray(ints[order].T), np.ascontiguousarray(floats[order].T)
        return Visits(
            i[0], i[1], i[2], i[3], f[0], f[1], f[2], f[3], f[4], f[5], i[4] != 0, i[5] != 0, f[6]
        )  # fmt: skip

    def ahead(
        self,
        lon_deg: Floats,
        lat_deg: Floats,
        altitude_m: Floats,
        time_s: Floats,
        east_mps: Floats,
        north_mps: Floats,
        up_mps: Floats,
        horizon_s: float,
    ) -> Ahead:
        """Where constant velocity leads within the horizon: along a great circle from the report's place and course.

        The way is within 10 m of the geodesic up to 20 km and within 0.1 % of its length beyond; the crossing is
        exact on it. An unknown velocity (nan) means no motion, an unknown altitude any, an unknown rate level flight.
        """
        n = len(lon_deg)
        lon, lat, altitude, time = plain(lon_deg), plain(lat_deg), plain(altitude_m), plain(time_s)
        east, north, up = plain(east_mps), plain(north_mps), plain(up_mps)
        horizon = float(horizon_s)
        raster, most = self._raster, self._most_edges

        def block(cut: tuple[int, int]) -> tuple[Ints, npt.NDArray[np.int32], Floats]:
            found: tuple[Ints, npt.NDArray[np.int32], Floats] = ahead_block(
                raster, cut[0], cut[1], lon, lat, altitude, time, east, north, up, horizon, AHEAD_TOLERANCE_M, most,
            )  # fmt: skip
            return found

        if n <= INLINE_MAX // 4:
            report, row, values = block((0, n))
        else:
            parts = list(worker_pool().map(block, _cuts(n, BLOCK // 4)))
            report, row = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
            values = np.concatenate([p[2] for p in parts])
        columns = np.ascontiguousarray(values.T)
        return Ahead(report, row, columns[0], columns[1], columns[2], columns[3])

    def boundary_distance(self, lon_deg: Floats, lat_deg: Floats, outline_row: npt.NDArray[np.int32] | Ints) -> Floats:
        """Signed metres from each position to the nearest boundary of its row, positive inside.

        Circles: exact. Polygons: within 1 mm of the distance to the row's edges up to 2 km, within 0.01 % up to
        100 km, within 1 % beyond; limits of altitude and time play no part.
        """
        rows = np.array(outline_row, dtype=np.int64)
        lon, lat = plain(lon_deg), plain(lat_deg)
        raster = self._raster
        if len(rows) <= INLINE_MAX // 8:
            near: Floats = boundary_distances(raster, lon, lat, rows)
            return near
        parts = worker_pool().map(
            lambda cut: boundary_distances(raster, lon[cut[0] : cut[1]], lat[cut[0] : cut[1]], rows[cut[0] : cut[1]]),
            _cuts(len(rows), BLOCK // 16),
        )
        return np.concatenate(list(parts))


def plain(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same memory as a contiguous writable array: read-only columns (Arrow's) would compile every kernel anew."""
    if not column.flags.c_contiguous:
        return np.ascontiguousarray(column)
    if column.flags.writeable:
        return column
    if len(column) == 0:
        return np.empty(0, column.dtype)
    memory = (ctypes.c_char * column.nbytes).from_address(column.ctypes.data)
    view: npt.NDArray[Any] = np.frombuffer(memoryview(memory), dtype=column.dtype)
    return view


def _flat(r: Raster) -> tuple[Any, ...]:
    frame = np.array([r.x0, r.y0, r.inverse_cell, r.nx, r.ny])
    most = int(np.diff(r.cell_start).max(initial=0))
    return (
        frame, most, r.near, r.table, r.block, r.entry_of, r.record_start, r.record, r.limit, r.disc, r.is_circle,
        r.box, r.edge_start, r.edges, r.slope,
    )  # fmt: skip


def _cuts(n: int, block: int) -> list[tuple[int, int]]:
    """Even pieces of about ``block``, at least two."""
    k = max(2, -(-n // block))
    return [(n * i // k, n * (i + 1) // k) for i in range(k)]

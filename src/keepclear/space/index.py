"""Which positions, tracks and predicted motions are in which outlines, exactly, at memory speed.

:class:`OutlineIndex` lays the outlines into a raster once and keeps everything resident; a call then costs what its
reports cost. Altitude and time limits of a row are closed intervals; an unknown altitude (nan) is possible anywhere.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np
import numpy.typing as npt

from keepclear.space.kernels.positions import positions_block
from keepclear.space.kernels.raster import Raster, cells_wanted, discs, rasterise
from keepclear.space.outlines import Outlines

__all__ = ["OutlineIndex"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

INLINE_MAX = 8_192
"""Calls with at most this many reports run in the caller's thread: handing them over costs more than it saves."""
BLOCK = 131_072
"""Reports a task of the pool: long enough to hide the hand-over, short enough to even out the cores."""
CELLS_A_ROW = 50.0
CELLS_MIN, CELLS_MAX = 16_384, 500_000
"""More cells mean fewer edges to test but miss the cache more often (see benchmarks/zones_growth.py)."""
ROW_CELLS_MAX = 12_000_000.0
"""Cells counted once for each row that covers them: bounds memory where many rows are continents wide."""

_pool: ThreadPoolExecutor | None = None
_pool_lock = Lock()


def worker_pool() -> ThreadPoolExecutor:
    """The threads all indexes share; made at first need and kept."""
    global _pool
    with _pool_lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(max(2, os.cpu_count() or 2), thread_name_prefix="keepclear-space")
        return _pool


class OutlineIndex:
    """An index over outlines; immutable, shareable between threads.

    ``limits`` is [rows, 4]: lowest and highest altitude (metres), first and last instant (POSIX seconds), infinities
    allowed. All columns given to the methods are contiguous float64, longitudes in [-180, 180], and are not checked
    again here.
    """

    def __init__(self, outlines: Outlines, limits: Floats, *, cells: int | None = None) -> None:
        self.outlines = outlines
        limits = np.ascontiguousarray(limits, dtype=np.float64)
        if limits.shape != (len(outlines), 4):
            raise ValueError(f"limits are {limits.shape}, not ({len(outlines)}, 4)")
        self._raster = _lay(outlines, limits, cells)

    def __len__(self) -> int:
        return len(self.outlines)

    def with_limits(self, limits: Floats) -> OutlineIndex:
        """The same outlines under other limits (a schedule moved on); costs nothing."""
        other = object.__new__(OutlineIndex)
        other.outlines = self.outlines
        limits = np.ascontiguousarray(limits, dtype=np.float64)
        if limits.shape != (len(self.outlines), 4):
            raise ValueError(f"limits are {limits.shape}, not ({len(self.outlines)}, 4)")
        other._raster = self._raster._replace(limits=limits)
        return other

    def positions(
        self, lon_deg: Floats, lat_deg: Floats, altitude_m: Floats, time_s: Floats
    ) -> tuple[Ints, npt.NDArray[np.int32]]:
        """Pairs (report index, outline row) of positions inside, ordered by report then row."""
        n = len(lon_deg)
        if n <= INLINE_MAX:
            report, row = positions_block(self._raster, 0, n, lon_deg, lat_deg, altitude_m, time_s)
            return report, row
        raster = self._raster
        parts = list(
            worker_pool().map(
                lambda cut: positions_block(raster, cut[0], cut[1], lon_deg, lat_deg, altitude_m, time_s),
                _cuts(n, BLOCK),
            )
        )
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _cuts(n: int, block: int) -> list[tuple[int, int]]:
    """Even pieces of about ``block``, at least two."""
    k = max(2, -(-n // block))
    return [(n * i // k, n * (i + 1) // k) for i in range(k)]


def _lay(outlines: Outlines, limits: Floats, cells: int | None) -> Raster:
    n = len(outlines)
    box = outlines.box
    disc = discs(outlines.is_circle, outlines.circle)
    if n == 0:
        west, width, south, north = 0.0, 1.0, 0.0, 1.0
    else:
        west, width = _longitudes(box[:, 0], box[:, 2])
        south, north = float(box[:, 1].min()), float(box[:, 3].max())
    wraps = width >= 359.0
    if wraps:
        west, width = -180.0, 360.0
    else:
        west -= 1e-9
        width += 2e-9
    south -= 1e-9
    height = north - south + 2e-9
    wanted = float(cells) if cells is not None else min(float(CELLS_MAX), max(float(CELLS_MIN), CELLS_A_ROW * n))
    # Not below 20 m: a raster finer than that serves nobody.
    cell = max(math.sqrt(width * height / wanted), width / 8192.0, height / 8192.0, 2e-4)
    while n and cells_wanted(box, cell) > ROW_CELLS_MAX and cell < 30.0:
        cell *= 1.25
    if wraps:
        nx = max(2, math.ceil(360.0 / cell))
        cell = 360.0 / nx
    else:
        nx = int(width / cell) + 1
    ny = int(height / cell) + 1
    start, entry, record_start, record, quiet = rasterise(
        west, south, cell, nx, ny, wraps, outlines.is_circle, disc, box, outlines.edge_start, outlines.edges,
        outlines.slope,
    )  # fmt: skip
    return Raster(
        west, south, 1.0 / cell, nx, ny, start, entry, record_start, record, quiet, limits, disc,
        outlines.is_circle, box, outlines.edge_start, outlines.edges, outlines.slope, outlines.real,
        outlines.chunk_start, outlines.chunk_box,
    )  # fmt: skip


def _longitudes(west: Floats, east: Floats) -> tuple[float, float]:
    """The shortest arc of longitudes that holds all the arcs: its west end in [-180, 180) and its width."""
    order = np.argsort(west, kind="stable")
    w, e = west[order], np.maximum.accumulate(east[order])
    over = max(0.0, float(e[-1]) - 360.0)  # what reaches round past 180 covers the beginning too
    gap, after = float(w[0]) + 360.0 - float(e[-1]), float(w[0])
    if len(w) > 1:
        starts = w[1:]
        gaps = starts - np.maximum(e[:-1], over)
        k = int(np.argmax(gaps))
        if gaps[k] > gap:
            gap, after = float(gaps[k]), float(starts[k])
    if gap <= 0.0:
        return -180.0, 360.0
    return after, 360.0 - gap

"""How fine a raster the outlines get, and its arrays, resident in memory."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from keepclear.space.kernels.blocks import lay_blocks
from keepclear.space.kernels.parts import CLASSES_MAX, LINE, lay_parts, lay_table
from keepclear.space.kernels.raster import Raster, cells_wanted, discs, rasterise
from keepclear.space.outlines import Outlines
from keepclear.space.resident import resident

__all__ = ["classes", "lay_raster", "with_classes"]

Floats = npt.NDArray[np.float64]

CELLS_A_ROW = 50.0
CELLS_MIN, CELLS_MAX = 16_384, 250_000
"""More cells mean fewer rows and edges to test but miss the cache more often."""
CELLS_LIMIT = 16_000_000.0
"""A cell and one of its 64 parts are numbered together in 31 bits."""
ROW_CELLS_MAX = 4_000_000.0
"""Cells counted once for each row that covers them: bounds memory where many rows are continents wide."""


def lay_raster(outlines: Outlines, limits: Floats, cells: int | None) -> Raster:
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
    wanted = (
        min(float(cells), CELLS_LIMIT)
        if cells is not None
        else min(float(CELLS_MAX), max(float(CELLS_MIN), CELLS_A_ROW * n))
    )
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
    limit_class, limit = classes(limits)
    inside, unsure = lay_parts(
        west, south, cell, nx, ny, wraps, start, entry, record_start, record, outlines.is_circle, disc, box,
        outlines.edge_start, outlines.edges,
    )  # fmt: skip
    near, table, entry_of = lay_table(start, entry, inside, unsure, limit_class)
    block = lay_blocks(west, south, cell, nx, start, entry, record_start, record, entry_of, table)
    near, table, start, entry_of, block, disc, entry, record_start, record, quiet = resident(
        [near, table.reshape(-1), start, entry_of, block, disc, entry, record_start, record, quiet]
    )
    return Raster(
        west, south, 1.0 / cell, nx, ny, start, entry, record_start, record, quiet, block, near, table, entry_of,
        limits, limit_class, limit, disc, outlines.is_circle, box, outlines.edge_start, outlines.edges, outlines.slope,
        outlines.real, outlines.chunk_start, outlines.chunk_box,
    )  # fmt: skip


def classes(limits: Floats) -> tuple[npt.NDArray[np.int32], Floats]:
    """Which different limits each row has, and these, one after the other."""
    order = np.lexsort(limits.T)
    new = np.ones(len(limits), np.bool_)
    new[1:] = (limits[order[1:]] != limits[order[:-1]]).any(axis=1)
    if np.count_nonzero(new) > CLASSES_MAX:
        raise ValueError(f"outlines have more than {CLASSES_MAX:,} different limits")
    limit_class = np.empty(len(limits), np.int32)
    limit_class[order] = np.cumsum(new) - 1
    return limit_class, np.ascontiguousarray(limits[order[new]]).reshape(-1)


def with_classes(table: npt.NDArray[np.int64], limit_class: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """A copy of a raster's table in which the rows have these classes of limits."""
    kept: npt.NDArray[np.int64] = resident([table])[0]
    lines = kept.reshape(-1, LINE)
    row = (lines[:-1, 2] & 0xFFFFFFFF) >> 3
    lines[:-1, 3] = (lines[:-1, 3] & ~((CLASSES_MAX - 1) << 32)) | (limit_class[row].astype(np.int64) << 32)
    return kept


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

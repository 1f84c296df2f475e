"""From discs to blocks of candidates: classes, their order, the sweep of each against each, on all threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.detection.kernels.order import classify, columns_for, order_class, split_long
from keepclear.detection.kernels.pool import in_blocks
from keepclear.detection.kernels.scratch import Scratch
from keepclear.detection.kernels.sweep import sweep
from keepclear.feeds.reports import Floats

__all__ = ["DiscClass", "candidates"]

CLASS_RATIO = 2.5
LAYERED_CLASS_RATIO = 8.0
"""Layers leave few in a window: there, sweeping twice costs more than looking too far (measured)."""
ROW_ROOM = 2_048
"""cells beyond four a disc: a thousand layers at most, and their last rows"""
CLASSES_MOST = 16

Answer = TypeVar("Answer")


@njit(cache=True, nogil=True, error_model="numpy")
def gather(ids: Any, disc: Any, out: Any, middle: Any, half: Any, touched: Any, begin: Any, end: Any) -> None:
    for k in range(begin, end):
        i = ids[k]
        middle[k], half[k], touched[k] = disc[i, 4], disc[i, 5], 0
        for c in range(8):
            out[k, c] = disc[i, c]


class DiscClass(NamedTuple):
    """The discs of one class in sorted order; scratch arrays, for the time of the call only."""

    ids: npt.NDArray[np.int32]
    columns: npt.NDArray[np.int32]
    start: npt.NDArray[np.int32]
    grid: Floats
    disc: npt.NDArray[np.float32]
    middle: npt.NDArray[np.float32]
    half: npt.NDArray[np.float32]
    touched: npt.NDArray[np.uint8]
    """1: a candidate of any other"""
    reach_m: float


def candidates(
    disc: npt.NDArray[np.float32],
    reach: Floats,
    lat_rad: Floats,
    lon_rad: Floats,
    then: Callable[[npt.NDArray[np.int32], npt.NDArray[np.int32], DiscClass, DiscClass], Answer],
    room: Scratch,
    layered: bool = False,
) -> list[Answer]:
    """Sweep discs and hand each block of candidates to ``then(p, q, query, target)`` on the pool's threads."""
    classes = _classes(disc, reach, lat_rad, lon_rad, room, layered)
    found: list[Answer] = []
    for n, target in enumerate(classes):
        for query in classes[: n + 1]:

            def work(begin: int, end: int, query: DiscClass = query, target: DiscClass = target) -> Answer:
                p, q = sweep(
                    begin, end, query is target, query.columns, query.start, query.grid, query.disc, query.touched,
                    query.reach_m, target.columns, target.start, target.grid, target.disc, target.touched,
                    target.middle, target.half, target.reach_m,
                )  # fmt: skip
                return then(p, q, query, target)

            found += in_blocks(work, len(query.ids), 1000)
    return found


def _classes(
    disc: npt.NDArray[np.float32], reach: Floats, lat_rad: Floats, lon_rad: Floats, room: Scratch, layered: bool
) -> list[DiscClass]:
    n = len(reach)
    kind = room.take("kind", n, np.int8)
    largest, area = classify(reach, lat_rad, lon_rad, LAYERED_CLASS_RATIO if layered else CLASS_RATIO, kind)
    sizes = largest.tolist()
    longest = split_long(kind, len(sizes), disc) if layered else 0.0
    work, by_column = room.take("work", (4, n), np.int32), room.take("by_column", columns_for(n) + 1, np.int32)
    ids, columns = room.take("ids", n, np.int32), room.take("columns", n, np.int32)
    start = room.take("start", 4 * n + CLASSES_MOST * ROW_ROOM, np.int32)
    ordered = room.take("ordered", (n, 8), np.float32)
    middle, half = room.take("middle", n, np.float32), room.take("half", n, np.float32)
    touched = room.take("touched", n, np.uint8)
    classes: list[DiscClass] = []
    at = cells_at = 0
    for number, reach_m in enumerate(sizes + sizes if layered else sizes):
        height = longest if number < len(sizes) else 0.0
        size, cells, grid = order_class(
            kind, number, reach_m, area, lat_rad, lon_rad, disc, height, work, by_column, ids[at:], columns[at:],
            start[cells_at:],
        )  # fmt: skip
        if size == 0:
            continue
        rows = slice(at, at + size)
        one = DiscClass(
            ids[rows], columns[rows], start[cells_at : cells_at + cells + 1], grid, ordered[rows], middle[rows],
            half[rows], touched[rows], reach_m,
        )  # fmt: skip
        in_blocks(partial(gather, one.ids, disc, one.disc, one.middle, one.half, one.touched), size, 20_000, 1)
        classes.append(one)
        at, cells_at = at + size, cells_at + cells + 1
    return classes

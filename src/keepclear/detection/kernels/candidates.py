"""From discs to blocks of candidates: classes, their cells, the sweep of each against each, on all threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.detection.kernels.eight import EIGHT, PLACE
from keepclear.detection.kernels.order import classify, order_class, split_long
from keepclear.detection.kernels.pool import in_blocks
from keepclear.detection.kernels.scratch import Scratch
from keepclear.detection.kernels.sweep import SPAN, sweep
from keepclear.feeds.reports import Floats
from keepclear.space.kernels.prefetch import prefetch

__all__ = ["DiscClass", "candidates", "gather_discs"]

CLASS_RATIO = 2.5
LAYERED_CLASS_RATIO = 8.0
"""Layers leave few in a window: there, sweeping twice costs more than looking too far (measured)."""
FEWEST_CELLS = 2_048
"""Cells that a class may have even if it has fewer discs"""
CLASSES_MOST = 16
AHEAD = 16
"""Discs ahead that are fetched while they are put in order: of millions none is in a cache."""

Answer = TypeVar("Answer")


Gather = Callable[[npt.NDArray[np.int32], npt.NDArray[np.float32], npt.NDArray[np.float32], int, int], None]
"""``gather(ids, place, more, begin, end)`` fills the discs of ids[begin:end] into a :class:`DiscClass`."""
NO_DISCS = np.empty((0, 8), np.float32)


@njit(cache=True, nogil=True, error_model="numpy")
def gather_discs(disc: Any, ids: Any, place: Any, more: Any, begin: Any, end: Any) -> None:
    """From rows of x, y, z, reach, middle and half-length of the span, and of the second span."""
    flat, columns, last = disc.reshape(-1), np.uintp(disc.shape[1]), end - 1
    for k in range(begin, end):
        prefetch(flat, np.uintp(ids[min(k + AHEAD, last)]) * columns)
        i = ids[k]
        for c in range(PLACE):
            place[c, k] = disc[i, c]
        for c in range(SPAN):
            more[k, c] = disc[i, PLACE + c]


class DiscClass(NamedTuple):
    """The discs of one class in sorted order; scratch arrays, for the time of the call only."""

    ids: npt.NDArray[np.int32]
    start: npt.NDArray[np.int32]
    """where each cell begins"""
    grid: Floats
    place: npt.NDArray[np.float32]
    """rows x, y, z, reach, middle and half-length of the span; some columns more than there are discs"""
    more: npt.NDArray[np.float32]
    """columns: middle and half-length of the second span, and for what moves its velocity and half the distance that
    two may come close to"""
    reach_m: float


def candidates(
    gather: Gather,
    columns: int,
    reach: Floats,
    lat_rad: Floats,
    lon_rad: Floats,
    then: Callable[[npt.NDArray[np.int32], npt.NDArray[np.int32], DiscClass, DiscClass], Answer],
    room: Scratch,
    *,
    disc: npt.NDArray[np.float32] = NO_DISCS,
    half_s: float = 0.0,
) -> list[Answer]:
    """Sweep discs and hand each block of candidates to ``then(p, q, query, target)`` on the pool's threads.

    ``columns`` of ``more`` are gathered. Where rows of ``disc`` are given, the discs are sorted into layers of their
    spans as well.
    """
    classes = _classes(gather, columns, reach, lat_rad, lon_rad, room, disc)
    found: list[Answer] = []
    for n, target in enumerate(classes):
        for query in classes[: n + 1]:

            def work(begin: int, end: int, query: DiscClass = query, target: DiscClass = target) -> Answer:
                p, q = sweep(
                    begin, end, query is target, half_s, query.start, query.grid, query.place, query.more,
                    query.reach_m, target.start, target.grid, target.place, target.more, target.reach_m,
                )  # fmt: skip
                return then(p, q, query, target)

            found += in_blocks(work, len(query.ids), 1000)
    return found


def _classes(
    gather: Gather, columns: int, reach: Floats, lat_rad: Floats, lon_rad: Floats, room: Scratch,
    disc: npt.NDArray[np.float32],
) -> list[DiscClass]:  # fmt: skip
    n, layered = len(reach), len(disc) > 0
    kind = room.take("kind", n, np.int8)
    largest, area = classify(reach, lat_rad, lon_rad, LAYERED_CLASS_RATIO if layered else CLASS_RATIO, kind)
    sizes = largest.tolist()
    longest = split_long(kind, len(sizes), disc) if layered else 0.0
    cell, ids = room.take("cell", n, np.int32), room.take("ids", n, np.int32)
    start = room.take("start", n + CLASSES_MOST * (FEWEST_CELLS + 1), np.int32)
    placed = room.take("place", PLACE * (n + CLASSES_MOST * EIGHT), np.float32)
    more = room.take("more", (n, columns), np.float32)
    classes: list[DiscClass] = []
    at = cells_at = placed_at = 0
    for number, reach_m in enumerate(sizes + sizes if layered else sizes):
        height = longest if number < len(sizes) else 0.0
        size, cells, grid = order_class(
            kind, number, reach_m, area, lat_rad, lon_rad, disc, height, FEWEST_CELLS, cell, ids[at:],
            start[cells_at:],
        )  # fmt: skip
        if size == 0:
            continue
        rows = slice(at, at + size)
        place = placed[placed_at : placed_at + PLACE * (size + EIGHT)].reshape(PLACE, size + EIGHT)
        one = DiscClass(ids[rows], start[cells_at : cells_at + cells + 1], grid, place, more[rows], reach_m)
        in_blocks(partial(gather, one.ids, one.place, one.more), size, 20_000, 1)
        classes.append(one)
        at, cells_at, placed_at = at + size, cells_at + cells + 1, placed_at + PLACE * (size + EIGHT)
    return classes

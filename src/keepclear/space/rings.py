"""Rings as they come from a file: do they cross themselves, which way do they turn, how large are they.

For the readers' door, in plain NumPy, so that reading a few zones does not load the compiler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepclear.errors import InputError, LimitExceeded
from keepclear.space.geometry import LonLat

__all__ = ["VERTICES_MAX", "Crossing", "check_ring", "self_crossing", "signed_area_m2"]

VERTICES_MAX = 200_000
"""The finest national coastlines have some 100,000 vertices in a ring; more is not a zone but a mistake."""
_PAIRS_AT_ONCE = 500_000
_AUTHALIC_RADIUS_M = 6371007.181


@dataclass(frozen=True, slots=True)
class Crossing:
    """Two edges of a ring that cross: edge k runs from vertex k to vertex k + 1 (from 0; the last to the first)."""

    first_edge: int
    second_edge: int
    lon_deg: float
    lat_deg: float


def self_crossing(ring: Sequence[LonLat]) -> Crossing | None:
    """The first place (by edge) where two edges of an open ring truly cross, edges straight in lon/lat, or None.

    Rings that touch themselves in a vertex are no crossing: even-odd knows what is inside. Longitudes may run over
    the antimeridian. Time grows with the pairs of edges whose boxes overlap: some 0.4 s for a coastline of 10,000.
    """
    n = len(ring)
    if n < 4:
        return None
    x, y = _unwrapped(ring)
    x0, y0, x1, y1 = x[:-1], y[:-1], x[1:], y[1:]
    if n <= 400:
        a, b = np.triu_indices(n, 2)
        found = _crossing_pairs(a, b, x0, y0, x1, y1, n)
        return _first([found], x0, y0, x1, y1)
    boxes = (np.minimum(x0, x1), np.maximum(x0, x1)), (np.minimum(y0, y1), np.maximum(y0, y1))
    # Sweep along the axis on which fewer edges overlap.
    plans = []
    for low, high in boxes:
        order = np.argsort(low, kind="stable")
        reach = np.searchsorted(low[order], high[order], side="right") - np.arange(n) - 1
        plans.append((int(reach.sum()), order, np.maximum(reach, 0)))
    _, order, reach = min(plans, key=lambda plan: plan[0])
    ends = np.cumsum(reach)
    hits: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
    at = 0
    while at < n:
        done = int(ends[at - 1]) if at else 0
        to = max(at + 1, int(np.searchsorted(ends, done + _PAIRS_AT_ONCE, side="right")))
        counts = reach[at:to]
        left = np.repeat(np.arange(at, to), counts)
        step = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
        p, q = order[left], order[left + step]
        hits.append(_crossing_pairs(np.minimum(p, q), np.maximum(p, q), x0, y0, x1, y1, n))
        at = to
    return _first(hits, x0, y0, x1, y1)


def check_ring(ring: Sequence[LonLat], *, where: str = "") -> None:
    """Refuse a ring that no zone can have: too few distinct vertices, too many, or one that crosses itself.

    Raises :class:`InputError`, :class:`LimitExceeded`.
    """
    if len(ring) > VERTICES_MAX:
        raise LimitExceeded(f"the ring has {len(ring)} vertices, the limit is {VERTICES_MAX}", where=where)
    if len(set(ring)) < 3:
        raise InputError("the ring has fewer than three different vertices", where=where)
    crossing = self_crossing(ring)
    if crossing is not None:
        n = len(ring)
        a, b = crossing.first_edge, crossing.second_edge
        raise InputError(
            f"the ring crosses itself near {crossing.lat_deg:.5f}, {crossing.lon_deg:.5f}: edge {a + 1}–{a + 2} and "
            f"edge {b + 1}–{(b + 1) % n + 1}; are vertices in the wrong order?",
            where=where,
        )


def signed_area_m2(ring: Sequence[LonLat]) -> float:
    """Area of an open ring, positive if it turns counter-clockwise, edges straight in lon/lat.

    On the sphere of the Earth's area: within 0.5 % of the ellipsoid. A ring round a pole counts what it leaves
    between itself and the equator; do not use it there.
    """
    x, y = _unwrapped(ring)
    dx = np.radians(np.diff(x))
    s = np.sin(np.radians(y))
    return float(-0.5 * np.sum(dx * (s[1:] + s[:-1]))) * _AUTHALIC_RADIUS_M**2


def _unwrapped(ring: Sequence[LonLat]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Closed coordinates with every step of longitude the shorter way (a step of exactly 360° stays)."""
    closed = np.asarray([*ring, ring[0]], dtype=np.float64)
    step = np.diff(closed[:, 0])
    step = np.where(np.abs(step) == 360.0, step, step - 360.0 * np.round(step / 360.0))
    return np.concatenate([closed[:1, 0], closed[0, 0] + np.cumsum(step)]), closed[:, 1]


def _crossing_pairs(
    a: npt.NDArray[np.int64],
    b: npt.NDArray[np.int64],
    x0: npt.NDArray[np.float64],
    y0: npt.NDArray[np.float64],
    x1: npt.NDArray[np.float64],
    y1: npt.NDArray[np.float64],
    n: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Of these pairs of edges (a < b) those that cross: each has its ends strictly on both sides of the other."""
    near = (
        (np.minimum(x0[a], x1[a]) <= np.maximum(x0[b], x1[b]))
        & (np.minimum(x0[b], x1[b]) <= np.maximum(x0[a], x1[a]))
        & (np.minimum(y0[a], y1[a]) <= np.maximum(y0[b], y1[b]))
        & (np.minimum(y0[b], y1[b]) <= np.maximum(y0[a], y1[a]))
        & (b - a > 1)
        & (b - a < n - 1)
    )
    a, b = a[near], b[near]
    ax, ay, bx, by = x1[a] - x0[a], y1[a] - y0[a], x1[b] - x0[b], y1[b] - y0[b]
    c0 = ax * (y0[b] - y0[a]) - ay * (x0[b] - x0[a])
    c1 = ax * (y1[b] - y0[a]) - ay * (x1[b] - x0[a])
    d0 = bx * (y0[a] - y0[b]) - by * (x0[a] - x0[b])
    d1 = bx * (y1[a] - y0[b]) - by * (x1[a] - x0[b])
    cross = (c0 * c1 < 0.0) & (d0 * d1 < 0.0)
    return a[cross], b[cross]


def _first(
    hits: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]],
    x0: npt.NDArray[np.float64],
    y0: npt.NDArray[np.float64],
    x1: npt.NDArray[np.float64],
    y1: npt.NDArray[np.float64],
) -> Crossing | None:
    pairs = [(int(p), int(q)) for a, b in hits for p, q in zip(a, b, strict=True)]
    if not pairs:
        return None
    a, b = min(pairs)
    ux, uy, vx, vy = x1[a] - x0[a], y1[a] - y0[a], x1[b] - x0[b], y1[b] - y0[b]
    t = float(((x0[b] - x0[a]) * vy - (y0[b] - y0[a]) * vx) / (ux * vy - uy * vx))
    lon = float(x0[a] + t * ux)
    return Crossing(a, b, (lon + 180.0) % 360.0 - 180.0, float(y0[a] + t * uy))

"""A hash grid of resident volumes: cells in space and time, volumes of like size and duration in one level.

A volume stands in one cell, that of its centre and its middle instant, on the level whose cells are larger than
itself; a query looks into the few cells in reach on each level that holds anything. Cells are cubes of
Earth-centred coordinates, so poles and antimeridian are ordinary cells. Two cells that share a key are read as one:
a longer list, never a wrong answer, because every candidate is tested exactly.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from keepclear.detection.kernels.motion import A_M, E2
from keepclear.detection.kernels.outline import plain_ring
from keepclear.detection.kernels.volumes import LARGEST_REACH_M, bands, circle_body, meet, polygon_body

__all__ = ["LEVELS", "add_volumes", "drop_volume", "insert_volume", "query_volume", "rehash"]

SIZES = 8
FINEST_M = 1500.0
SIZE_RATIO = 4.0
DURATIONS = 7
BRIEFEST_S = 3600.0
DURATION_RATIO = 4.0
LEVELS = SIZES * (DURATIONS + 1)
"""the last duration is «open-ended»: one slab"""


@njit(cache=True, nogil=True, error_model="numpy")
def _level(reach_m: float, half_s: float) -> int:
    size, largest = 0, FINEST_M
    while size < SIZES - 1 and reach_m > largest:
        size += 1
        largest *= SIZE_RATIO
    duration, longest = 0, BRIEFEST_S
    while duration < DURATIONS and 2.0 * half_s > longest:
        duration += 1
        longest *= DURATION_RATIO
    return size * (DURATIONS + 1) + duration


@njit(cache=True, nogil=True, error_model="numpy")
def _key(level: int, slab: int, cx: int, cy: int, cz: int) -> int:
    h = np.uint64(level) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(slab + (1 << 40))
    for c in (cx, cy, cz):
        h = (h ^ (h >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9) + np.uint64(c + (1 << 40))
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    h = h ^ (h >> np.uint64(31))
    return int(np.int64(h >> np.uint64(1)))


@njit(cache=True, nogil=True, error_model="numpy")
def _slot(cells: Any, key: int) -> int:
    """Where the key stands, or the free slot where it would. ``cells`` columns: key (-1: free), first row (-1: none);
    both in one line of the cache, which is what a look costs."""
    mask = len(cells) - 1
    at = key & mask
    while cells[at, 0] != -1 and cells[at, 0] != key:
        at = (at + 1) & mask
    return at


@njit(cache=True, nogil=True, error_model="numpy")
def _cell(body: Any, i: int, epoch_s: float) -> Any:
    half = 0.5 * (body[i, 7] - body[i, 6])
    level = _level(body[i, 3], half)
    edge = 2.0 * FINEST_M * SIZE_RATIO ** (level // (DURATIONS + 1))
    duration = level % (DURATIONS + 1)
    slab = 0
    if duration < DURATIONS:
        slab = int(math.floor((0.5 * (body[i, 6] + body[i, 7]) - epoch_s) / (BRIEFEST_S * DURATION_RATIO**duration)))
    cx, cy, cz = body[i, 0] * A_M / edge, body[i, 1] * A_M / edge, body[i, 2] * A_M / edge
    return level, slab, int(math.floor(cx)), int(math.floor(cy)), int(math.floor(cz))


@njit(cache=True, nogil=True, error_model="numpy")
def add_volumes(begin: int, end: int, body: Any, epoch_s: float, cells: Any, links: Any, counts: Any) -> int:
    """Enter the rows [begin, end) into the grid. Returns the number of slots newly taken.

    ``links`` columns: next, previous, slot, level (-1: not in the grid).
    """
    taken = 0
    for i in range(begin, end):
        level, slab, cx, cy, cz = _cell(body, i, epoch_s)
        key = _key(level, slab, cx, cy, cz)
        at = _slot(cells, key)
        if cells[at, 0] == -1:
            cells[at, 0], cells[at, 1] = key, -1
            taken += 1
        first = cells[at, 1]
        links[i, 0], links[i, 1], links[i, 2], links[i, 3] = first, -1, at, level
        if first >= 0:
            links[first, 1] = i
        cells[at, 1] = i
        counts[level] += 1
    return taken


@njit(cache=True, nogil=True, error_model="numpy")
def rehash(old: Any, cells: Any, links: Any) -> int:
    """Move the cells that hold something into a fresh table. Returns the slots taken."""
    taken = 0
    for s in range(len(old)):
        if old[s, 0] != -1 and old[s, 1] >= 0:
            at = _slot(cells, old[s, 0])
            cells[at, 0], cells[at, 1] = old[s, 0], old[s, 1]
            taken += 1
            i = old[s, 1]
            while i >= 0:
                links[i, 2] = at
                i = links[i, 0]
    return taken


@njit(cache=True, nogil=True, error_model="numpy")
def drop_volume(i: int, cells: Any, links: Any, counts: Any) -> None:
    """Take a row out of the grid."""
    following, previous = links[i, 0], links[i, 1]
    if previous >= 0:
        links[previous, 0] = following
    else:
        cells[links[i, 2], 1] = following
    if following >= 0:
        links[following, 1] = previous
    counts[links[i, 3]] -= 1
    links[i, 3] = -1


@njit(cache=True, nogil=True, error_model="numpy")
def query_volume(i: int, body: Any, meta: Any, edges: Any, epoch_s: float, cells: Any, links: Any, counts: Any) -> Any:
    """(row, indeterminate) of every resident volume that row i meets, in no order; row i itself is left out."""
    found, doubt = np.empty(16, np.int64), np.empty(16, np.bool_)
    whole, some = np.zeros(LEVELS, np.bool_), False
    k = 0
    # All cells' lists are walked side by side: what they wait for in memory then comes at once, not one by one.
    chain = np.empty(128, np.int64)
    chains = 0
    x, y, z, reach = body[i, 0] * A_M, body[i, 1] * A_M, body[i, 2] * A_M, body[i, 3]
    from_s, to_s = body[i, 6] - epoch_s, body[i, 7] - epoch_s
    for level in range(LEVELS):
        if counts[level] == 0:
            continue
        largest = FINEST_M * SIZE_RATIO ** (level // (DURATIONS + 1))
        edge = 2.0 * largest
        duration = level % (DURATIONS + 1)
        s0 = s1 = 0
        if duration < DURATIONS:
            slab = BRIEFEST_S * DURATION_RATIO**duration
            # the middle of what meets is at most half a slab outside
            # bounded before it becomes a whole number: open-ended intervals are infinite
            s0 = int(math.floor(max((from_s - 0.5 * slab) / slab, -1e9)))
            s1 = int(math.floor(min((to_s + 0.5 * slab) / slab, 1e9)))
        r = reach + largest
        x0, x1 = int(math.floor((x - r) / edge)), int(math.floor((x + r) / edge))
        y0, y1 = int(math.floor((y - r) / edge)), int(math.floor((y + r) / edge))
        z0, z1 = int(math.floor((z - r) / edge)), int(math.floor((z + r) / edge))
        nx, ny, nz = float(x1 - x0 + 1), float(y1 - y0 + 1), float(z1 - z0 + 1)
        if 3.0 * (s1 - s0 + 1.0) * max(nx * ny, nx * nz, ny * nz) > len(links):
            # looking at every volume is shorter than looking for those in reach
            whole[level] = True
            some = True
            continue
        for cx in range(x0, x1 + 1):
            for cy in range(y0, y1 + 1):
                # of a column of cells only those that the ellipsoid passes through can hold anything
                low, high = _heights(cx * edge, cy * edge, edge)
                if low < 0.0:
                    continue
                both = low <= edge
                for side in range(1 if both else 2):
                    if both:
                        c0, c1 = math.floor(-high / edge), math.floor(high / edge)
                    elif side == 0:
                        c0, c1 = math.floor(low / edge), math.floor(high / edge)
                    else:
                        c0, c1 = math.floor(-high / edge), math.floor(-low / edge)
                    for cz in range(max(z0, int(c0)), min(z1, int(c1)) + 1):
                        for slab_number in range(s0, s1 + 1):
                            key = _key(level, slab_number, cx, cy, cz)
                            at = _slot(cells, key)
                            if cells[at, 0] == -1 or cells[at, 1] < 0:
                                continue
                            if chains == len(chain):
                                wider = np.empty(2 * chains, np.int64)
                                wider[:chains] = chain
                                chain = wider
                            chain[chains] = cells[at, 1]
                            chains += 1
    while chains > 0:
        left = 0
        for c in range(chains):
            j = chain[c]
            following = links[j, 0]
            if following >= 0:
                chain[left] = following
                left += 1
            if j != i and _near(body, i, j):
                verdict = bands(body, meta, i, j)
                if verdict != 0 and meet(body, meta, edges, i, j):
                    found, doubt, k = _append(found, doubt, k, j, verdict == 2)
        chains = left
    if some:
        for j in range(len(links)):
            if links[j, 3] >= 0 and whole[links[j, 3]] and j != i and _near(body, i, j):
                verdict = bands(body, meta, i, j)
                if verdict != 0 and meet(body, meta, edges, i, j):
                    found, doubt, k = _append(found, doubt, k, j, verdict == 2)
    return found[:k], doubt[:k]


@njit(cache=True, nogil=True, error_model="numpy")
def insert_volume(
    row: int, first_edge: int, ring: Any, circle: Any, limits: Any, datums: Any, kind: int, tolerance_m: float,
    arc_m: float, body: Any, meta: Any, edges: Any, epoch_s: float, cells: Any, links: Any, counts: Any,
) -> Any:  # fmt: skip
    """Fill one volume's row, look what it meets and enter it, all in one call: calls are most of the time otherwise.

    ``ring`` is (n, 2), longitude and latitude, without vertices for a ``circle`` (longitude, latitude, radius);
    ``limits`` is (lower, upper, from, to). Returns (state, slots newly taken, rows met, indeterminate); state 1: the
    edges need more vertices, 2: it reaches too far, and nothing was entered.
    """
    n = len(ring)
    none, nothing = np.empty(0, np.int64), np.empty(0, np.bool_)
    if n > 0:
        lon, lat = ring[:, 0].copy(), ring[:, 1].copy()
        if not plain_ring(lon, lat, kind, tolerance_m, arc_m):
            return 1, 0, none, nothing
        ends = np.empty(1, np.int64)
        ends[0] = n
        polygon_body(lon, lat, ends, body[row], edges[first_edge : first_edge + n])
    else:
        circle_body(circle[0], circle[1], circle[2], body[row])
    if not body[row, 3] <= LARGEST_REACH_M:
        return 2, 0, none, nothing
    meta[row, 0], meta[row, 1], meta[row, 2], meta[row, 3] = first_edge, n, datums[0], datums[1]
    body[row, 4], body[row, 5], body[row, 6], body[row, 7] = limits[0], limits[1], limits[2], limits[3]
    found, doubt = query_volume(row, body, meta, edges, epoch_s, cells, links, counts)
    return 0, add_volumes(row, row + 1, body, epoch_s, cells, links, counts), found, doubt


@njit(cache=True, nogil=True, error_model="numpy")
def _heights(x: float, y: float, edge: float) -> Any:
    """Least and largest |z| of the ellipsoid over the square that begins at (x, y); (-1, -1) where there is none."""
    fx, fy = max(abs(x), abs(x + edge)), max(abs(y), abs(y + edge))
    nx, ny = fx - edge if x * (x + edge) > 0.0 else 0.0, fy - edge if y * (y + edge) > 0.0 else 0.0
    most = A_M * A_M - nx * nx - ny * ny
    if most < 0.0:
        return -1.0, -1.0
    least = A_M * A_M - fx * fx - fy * fy
    # a metre either way for rounding
    flat = math.sqrt(1.0 - E2)
    return max(0.0, flat * math.sqrt(max(0.0, least)) - 1.0), flat * math.sqrt(max(0.0, most)) + 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _near(body: Any, i: int, j: int) -> bool:
    dx, dy, dz = body[i, 0] - body[j, 0], body[i, 1] - body[j, 1], body[i, 2] - body[j, 2]
    r = (body[i, 3] + body[j, 3]) / A_M
    return bool(dx * dx + dy * dy + dz * dz <= r * r)


@njit(cache=True, nogil=True, error_model="numpy")
def _append(found: Any, doubt: Any, k: int, j: int, doubtful: bool) -> Any:
    if k == len(found):
        wider, wider_doubt = np.empty(2 * k, np.int64), np.empty(2 * k, np.bool_)
        wider[:k], wider_doubt[:k] = found, doubt
        found, doubt = wider, wider_doubt
    found[k], doubt[k] = j, doubtful
    return found, doubt, k + 1

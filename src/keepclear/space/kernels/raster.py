"""Rows of outlines laid into a raster of cells: which rows meet a cell, and what is left to test there.

An entry of a cell says of one row: the whole cell is inside; or, for a polygon, the parity at the cell's south-east
corner and the edges whose crossings change it within the cell. A ray to the east from a position in the cell up to
the cell's side, then along that side down to the corner, crosses exactly these edges; where an edge leaves through
the east side at latitude y, a vertical edge from y up to beyond every latitude stands for the second leg. So a
position near a boundary is compared with the few edges of its own cell, and the decision is the even-odd rule over
the whole outline.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.space.kernels.geodesy import RAD, distance, local_error, local_metric

Floats = npt.NDArray[np.float64]
PARITY, WHOLE, FULL_TEST, CIRCLE = 0, 1, 2, 3
"""What an entry asks for; its row is entry >> 3, its bit 2 the parity at the corner."""
FAR = 1.0e9


class Raster(NamedTuple):
    """Everything a kernel needs to know about the outlines; see :class:`keepclear.space.outlines.Outlines`."""

    x0: float
    y0: float
    inverse_cell: float
    nx: int
    ny: int
    cell_start: npt.NDArray[np.int32]
    """[nx·ny + 2] the last cell, after the last of the raster, is empty"""
    entry: npt.NDArray[np.int32]
    """row << 3 | parity << 2 | kind"""
    record_start: npt.NDArray[np.int32]
    """[entries + 1]"""
    record: Floats
    """[records, 4] from latitude, to latitude, longitude east of x0 at the first, slope"""
    quiet: npt.NDArray[np.uint8]
    """[(ny + 2)·(nx + 2)] 1 where neither the cell nor a neighbour has an entry; with a margin of one cell"""
    block: npt.NDArray[np.uint16]
    """see :mod:`keepclear.space.kernels.blocks`"""
    near: npt.NDArray[np.uint64]
    table: npt.NDArray[np.int64]
    """see :mod:`keepclear.space.kernels.parts`"""
    entry_of: npt.NDArray[np.int32]
    """[lines of the table] each line's entry"""
    limits: Floats
    """[R, 4] lowest and highest altitude, first and last instant"""
    limit_class: npt.NDArray[np.int32]
    """[R] which different limits: they are few, and stay in the first cache"""
    limit: Floats
    """[4·classes]"""
    disc: Floats
    """[R, 12] circles: longitude, latitude, radius, d² surely inside, d² surely outside, six of local_metric, 0"""
    is_circle: npt.NDArray[np.uint8]
    box: Floats
    edge_start: npt.NDArray[np.int64]
    edges: Floats
    slope: Floats
    real: npt.NDArray[np.uint8]
    chunk_start: npt.NDArray[np.int64]
    chunk_box: Floats


@njit(cache=True, nogil=True, error_model="numpy")
def discs(is_circle: npt.NDArray[np.uint8], circle: Floats) -> Floats:
    """The constants that decide most positions near a circle without a geodesic."""
    out = np.zeros((len(is_circle), 12))
    for z in range(len(is_circle)):
        if is_circle[z] == 0:
            continue
        lon, lat, r = circle[z]
        error = 2.5 * local_error(r * 1.1 + 1.0, lat)
        out[z, 0], out[z, 1], out[z, 2] = lon, lat, r
        if error < 0.05:
            out[z, 3], out[z, 4] = r * r * (1.0 - error), r * r * (1.0 + error)
        else:
            out[z, 3], out[z, 4] = -1.0, np.inf
        out[z, 5:11] = local_metric(lat)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def in_disc(disc: Floats, z: int, lon: float, lat: float) -> bool:
    """Whether a position is within the circle of row z: by the local distance, in doubt by the geodesic."""
    dx = lon - disc[z, 0]
    if dx > 180.0:
        dx -= 360.0
    elif dx < -180.0:
        dx += 360.0
    dy = lat - disc[z, 1]
    north = (disc[z, 5] + disc[z, 6] * dy) * dy
    east = (disc[z, 7] + dy * (disc[z, 8] + dy * (disc[z, 9] + dy * disc[z, 10]))) * dx
    d2 = north * north + east * east
    if d2 < disc[z, 3]:
        return True
    # Farther than twice the radius the bound does not hold, but the answer does: where the local distance is used
    # at all, the circle is small, and its cells reach no farther than a cell beyond it.
    if d2 > disc[z, 4]:
        return False
    return bool(distance(lon, lat, disc[z, 0], disc[z, 1]) <= disc[z, 2])


@njit(cache=True, nogil=True, error_model="numpy")
def in_rings(edges: Floats, slope: Floats, a: int, b: int, x: float, y: float) -> bool:
    """Even-odd over edges a to b, which begin with their lower end."""
    inside = False
    for k in range(a, b):
        inside ^= (y >= edges[k, 1]) & (y < edges[k, 3]) & (x < (y - edges[k, 1]) * slope[k] + edges[k, 0])
    return inside


@njit(cache=True, nogil=True, error_model="numpy")
def in_outline(
    box: Floats,
    is_circle: Any,
    disc: Floats,
    edge_start: Any,
    edges: Floats,
    slope: Floats,
    z: int,
    lon: float,
    lat: float,
) -> bool:
    """The whole test for one position and one row, without the raster."""
    if is_circle[z] == 1:
        dy = lat - disc[z, 1]
        if abs(dy) * 110_500.0 > disc[z, 2]:
            return False
        return bool(distance(lon, lat, disc[z, 0], disc[z, 1]) <= disc[z, 2])
    x = lon if lon < 180.0 else lon - 360.0
    if x < box[z, 0]:
        x += 360.0
    if x > box[z, 2] or lat < box[z, 1] or lat > box[z, 3]:
        return False
    return in_rings(edges, slope, edge_start[z], edge_start[z + 1], x, lat)


@njit(cache=True, nogil=True, error_model="numpy")
def _grown_floats(old: Floats, used: int, need: int) -> Floats:
    new = np.empty((max(need, 2 * old.shape[0]), old.shape[1]))
    new[:used] = old[:used]
    return new


@njit(cache=True, nogil=True, error_model="numpy")
def _grown_ints(old: Any, used: int, need: int) -> Any:
    new = np.empty((max(need, 2 * old.shape[0]), old.shape[1]), np.int64)
    new[:used] = old[:used]
    return new


@njit(cache=True, nogil=True, error_model="numpy")
def rasterise(
    x0: float,
    y0: float,
    cell: float,
    nx: int,
    ny: int,
    wraps: bool,
    is_circle: Any,
    disc: Floats,
    box: Floats,
    edge_start: Any,
    edges: Floats,
    slope: Floats,
) -> tuple[Any, Any, Any, Floats, Any]:
    """cell_start, entry, record_start, record and quiet of a :class:`Raster`."""
    rows = len(box)
    inv = 1.0 / cell
    entries = np.empty((4 * rows + 1024, 4), np.int64)  # cell, word, first record, records
    n_entries = 0
    records = np.empty((len(edges) * 2 + 1024, 4))
    n_records = 0
    for z in range(rows):
        shift = 0.0
        west = box[z, 0] - x0
        while west + shift < 0.0:
            shift += 360.0
        while west + shift >= 360.0:
            shift -= 360.0
        a = int((west + shift) * inv)
        w = int((box[z, 2] - x0 + shift) * inv) - a + 1
        if not wraps:
            a = min(a, nx - 1)
            w = max(1, min(w, nx - a))
        ja = min(ny - 1, max(0, int((box[z, 1] - y0) * inv)))
        h = min(ny - 1, max(0, int((box[z, 3] - y0) * inv))) - ja + 1
        twice = wraps and w > nx  # the row's last column is its first again
        if is_circle[z] == 1:
            w = min(w, nx)
            lon, lat, r = disc[z, 0], disc[z, 1], disc[z, 2]
            for j in range(h):
                south = y0 + (ja + j) * cell
                flat = min(abs(south), abs(south + cell))
                if south < 0.0 < south + cell:
                    flat = 0.0
                # Half the diagonal of the cell, never too short.
                wide = cell * math.cos(min(flat, 90.0) * RAD)
                half = 0.5 * RAD * 6_400_000.0 * math.sqrt(cell * cell + wide * wide) * 1.001 + 0.01
                mid = south + 0.5 * cell
                if abs(mid) + 0.5 * cell > 90.0:
                    half = max(half, RAD * 6_400_000.0 * cell * 2.0)
                step = RAD * 6_400_000.0 * wide * 1.001 + 0.01
                sure = 0  # cells whose answer follows from one before: distances change by a step a cell at most
                word = 0
                for i in range(w):
                    column = (a + i) % nx
                    if sure > 0:
                        sure -= 1
                    else:
                        d = distance(x0 + (column + 0.5) * cell, min(90.0, max(-90.0, mid)), lon, lat)
                        if d - half > r:
                            word = -1
                        elif d + half < r:
                            word = (z << 3) | WHOLE
                        else:
                            word = (z << 3) | CIRCLE
                        sure = int(max(0.0, (abs(d - r) - half) / step))
                    if word < 0:
                        continue
                    if n_entries == len(entries):
                        entries = _grown_ints(entries, n_entries, 0)
                    entries[n_entries, 0] = (ja + j) * nx + column
                    entries[n_entries, 1] = word
                    entries[n_entries, 2] = n_records
                    entries[n_entries, 3] = 0
                    n_entries += 1
            continue
        # Longitudes of the row relative to the left side of its first column.
        base = x0 + a * cell - shift
        count = np.zeros(h * w, np.int64)
        touched = np.zeros(h * w, np.uint8)
        flips = np.zeros(h * (w + 1), np.uint8)
        place = np.zeros(h * w + 1, np.int64)
        for fill in range(2):
            if fill == 1:
                for c in range(h * w):
                    place[c + 1] = place[c] + count[c]
                    count[c] = 0
                need = n_records + place[h * w]
                if need > len(records):
                    records = _grown_floats(records, n_records, need)
            for k in range(edge_start[z], edge_start[z + 1]):
                xa, ya, xb, yb, sl = edges[k, 0], edges[k, 1], edges[k, 2], edges[k, 3], slope[k]
                j0 = max(0, int((ya - y0) * inv) - ja - 1)
                j1 = min(h - 1, max(0, int((min(yb, 91.0) - y0) * inv) - ja) + 1)
                for j in range(j0, j1 + 1):
                    bottom, top = y0 + (ja + j) * cell, y0 + (ja + j + 1) * cell
                    if yb < bottom or ya > top:
                        continue
                    yl, xl = ya, xa
                    if ya < bottom:
                        yl, xl = bottom, (bottom - ya) * sl + xa
                    yu, xu = yb, xb
                    if yb > top:
                        yu, xu = top, (top - ya) * sl + xa
                    if fill == 0 and bottom >= ya and bottom < yb:
                        # Corners west of the crossing with the band's bottom have it on their ray to the east.
                        at = (bottom - ya) * sl + xa
                        m = math.floor((at - base) * inv)
                        m = min(w, max(0, m))
                        while m > 0 and not at > base + m * cell:
                            m -= 1
                        while m < w and at > base + (m + 1) * cell:
                            m += 1
                        if m > 0:
                            flips[j * (w + 1) + m - 1] ^= 1
                    left, right = min(xl, xu), max(xl, xu)
                    i0 = max(0, math.floor((left - base) * inv) - 1)
                    i1 = min(w - 1, math.floor((right - base) * inv) + 1)
                    for i in range(i0, i1 + 1):
                        side = base + (i + 1) * cell
                        if (left > side) or (right < base + i * cell):
                            continue
                        c = j * w + i
                        leaves = (xl > side) != (xu > side)
                        n_here = (1 if yb > ya else 0) + (1 if leaves else 0)
                        if fill == 0:
                            touched[c] = 1
                            count[c] += n_here
                            continue
                        off = shift - x0
                        if a + i >= nx:
                            off -= 360.0
                        p = n_records + place[c] + count[c]
                        count[c] += n_here
                        y_from, y_to, x_from = ya, yb, xa
                        if leaves:
                            yi = yl + (side - xl) / (xu - xl) * (yu - yl)
                            yi = min(yu, max(yl, yi))
                            if xl > side:
                                y_from = yi
                                x_from = (yi - ya) * sl + xa
                            else:
                                y_to = yi
                        if yb > ya:
                            records[p, 0], records[p, 1], records[p, 2], records[p, 3] = y_from, y_to, x_from + off, sl
                            p += 1
                        if leaves:
                            records[p, 0], records[p, 1], records[p, 2], records[p, 3] = yi, FAR, FAR, 0.0
        for j in range(h):
            odd = 0
            for i in range(w - 1, -1, -1):
                odd ^= flips[j * (w + 1) + i]
                c = j * w + i
                column = (a + i) % nx if wraps else a + i
                if twice and i >= nx:
                    continue
                if twice and i + nx < w:
                    word = (z << 3) | FULL_TEST
                elif touched[c]:
                    word = (z << 3) | (odd << 2) | PARITY
                elif odd:
                    word = (z << 3) | WHOLE
                else:
                    continue
                if n_entries == len(entries):
                    entries = _grown_ints(entries, n_entries, 0)
                entries[n_entries, 0] = (ja + j) * nx + column
                entries[n_entries, 1] = word
                entries[n_entries, 2] = n_records + place[c]
                entries[n_entries, 3] = count[c]
                n_entries += 1
        n_records += place[h * w]
    start = np.zeros(nx * ny + 2, np.int32)
    for q in range(n_entries):
        start[entries[q, 0] + 1] += 1
    for c in range(nx * ny):
        start[c + 1] += start[c]
    start[nx * ny + 1] = start[nx * ny]
    position = start[:-1].copy()
    order = np.empty(n_entries, np.int64)
    for q in range(n_entries):
        c = entries[q, 0]
        order[position[c]] = q
        position[c] += 1
    entry = np.empty(n_entries, np.int32)
    record_start = np.zeros(n_entries + 1, np.int32)
    for p in range(n_entries):
        entry[p] = entries[order[p], 1]
        record_start[p + 1] = record_start[p] + entries[order[p], 3]
    record = np.empty((record_start[n_entries], 4))
    for p in range(n_entries):
        first = entries[order[p], 2]
        for q in range(record_start[p + 1] - record_start[p]):
            record[record_start[p] + q] = records[first + q]
    quiet = np.ones((ny + 2) * (nx + 2), np.uint8)
    for j in range(ny):
        for i in range(nx):
            c = j * nx + i
            if start[c + 1] == start[c]:
                continue
            for dj in range(3):
                for di in range(3):
                    i2 = i + di
                    quiet[(j + dj) * (nx + 2) + i2] = 0
                    if wraps and i2 == 0:
                        quiet[(j + dj) * (nx + 2) + nx] = 0
                    elif wraps and i2 == nx + 1:
                        quiet[(j + dj) * (nx + 2) + 1] = 0
    # Cells next to a pole are narrow wedges where a line does not stay between two of its points.
    for j in range(ny + 2):
        lat = y0 + (j - 1) * cell
        if lat < -85.0 or lat + cell > 85.0:
            for i in range(nx + 2):
                quiet[j * (nx + 2) + i] = 0
    return start, entry, record_start, record, quiet


@njit(cache=True, nogil=True, error_model="numpy")
def cells_wanted(box: Floats, cell: float) -> float:
    """How many cells of this size the boxes of the rows cover together, counted once for each row."""
    total = 0.0
    for z in range(len(box)):
        total += (math.floor((box[z, 2] - box[z, 0]) / cell) + 2.0) * (math.floor((box[z, 3] - box[z, 1]) / cell) + 2.0)
    return total

"""Which S2 cells of level 13 a small polygon touches, on one face of the cube.

On a face's plane (gnomonic: u, v) great circles are straight lines and the cells of one level are the rectangles
between fixed grid lines, so covering is drawing a polygon on an uneven grid.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def st_of(u: float) -> Any:
    """S2's quadratic projection from [-1, 1] to [0, 1]."""
    if u >= 0.0:
        return 0.5 * np.sqrt(1.0 + 3.0 * u)
    return 1.0 - 0.5 * np.sqrt(1.0 - 3.0 * u)


@njit(cache=True, nogil=True, error_model="numpy")
def uv_of(s: float) -> Any:
    """The inverse of :func:`st_of`."""
    if s >= 0.5:
        return (4.0 * s * s - 1.0) / 3.0
    return (1.0 - 4.0 * (1.0 - s) * (1.0 - s)) / 3.0


@njit(cache=True, nogil=True, error_model="numpy")
def index_of(u: float, size: int) -> Any:
    """The grid column (or row) in which u lies, held within the face."""
    if u <= -1.0:
        return 0
    if u >= 1.0:
        return size - 1
    return min(size - 1, max(0, int(np.floor(st_of(u) * size))))


@njit(cache=True, nogil=True, error_model="numpy")
def ring_around(lon_deg: float, lat_deg: float, radius_rad: float, sides: int) -> Any:
    """A regular ring of unit vectors whose sides touch the circle from outside (radius on the unit sphere)."""
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    x, y, z = np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)
    a, b, c = y, -x, 0.0
    if abs(z) >= 0.9:
        a, b, c = 0.0, z, -y
    length = np.sqrt(a * a + b * b + c * c)
    a, b, c = a / length, b / length, c / length
    d, e, f = y * c - z * b, z * a - x * c, x * b - y * a
    reach = np.tan(radius_rad) / np.cos(np.pi / sides)
    size = np.sqrt(1.0 + reach * reach)
    points = np.empty((sides, 3))
    for k in range(sides):
        p, q = reach * np.cos(2.0 * np.pi * k / sides), reach * np.sin(2.0 * np.pi * k / sides)
        points[k, 0] = (x + p * a + q * d) / size
        points[k, 1] = (y + p * b + q * e) / size
        points[k, 2] = (z + p * c + q * f) / size
    return points


@njit(cache=True, nogil=True, error_model="numpy")
def measure(points: Floats) -> Any:
    """Of a ring of unit vectors: (its middle, the cosine to the farthest vertex, the longest and the shortest chord,
    the area in sr). The area is a signed fan of triangles (Van Oosterom and Strackee, 1983)."""
    n = len(points)
    middle = np.zeros(3)
    for k in range(n):
        middle += points[k]
    middle /= n
    length = np.sqrt(np.sum(middle * middle))
    if length < 0.5:
        return middle, -1.0, 2.0, 0.0, 0.0
    middle /= length
    farthest, longest, shortest, area = 1.0, 0.0, 4.0, 0.0
    a = points[0]
    for k in range(n):
        b, c = points[k], points[(k + 1) % n]
        farthest = min(farthest, b[0] * middle[0] + b[1] * middle[1] + b[2] * middle[2])
        chord = (b[0] - c[0]) ** 2 + (b[1] - c[1]) ** 2 + (b[2] - c[2]) ** 2
        longest, shortest = max(longest, chord), min(shortest, chord)
        x, y, z = b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0]
        below = 1.0 + a[0] * (b[0] + c[0]) + a[1] * (b[1] + c[1]) + a[2] * (b[2] + c[2])
        below += b[0] * c[0] + b[1] * c[1] + b[2] * c[2]
        area += 2.0 * np.arctan2(a[0] * x + a[1] * y + a[2] * z, below)
    return middle, farthest, np.sqrt(longest), np.sqrt(shortest), abs(area)


@njit(cache=True, nogil=True, error_model="numpy")
def along(ua: float, va: float, ub: float, vb: float, v: float) -> Any:
    """u where the edge from a up to b (va < vb) is at v, held between its ends.

    By the share of the edge and not by its slope: where vb - va is a subnormal number, the slope is infinite, and what
    comes of that is no index of a cell.
    """
    share = (min(max(v, va), vb) - va) / (vb - va)
    return min(max(ua + share * (ub - ua), min(ua, ub)), max(ua, ub))


@njit(cache=True, nogil=True, error_model="numpy")
def cover_face(u: Floats, v: Floats, margin: float, size: int, side: int, cells_max: int) -> Any:
    """Blocks and masks of the cells that the closed ring (u, v), widened by ``margin``, touches.

    ``size`` cells a side of the face in blocks of ``side`` × ``side``. Returns (block numbers i·(size/side)+j, masks
    of bit (i mod side)·side + (j mod side), cells looked at); -1 cells: more than ``cells_max`` would have to be.
    """
    n = len(u)
    none_i, none_m = np.empty(0, np.int64), np.empty(0, np.uint64)
    u_low, u_high, v_low, v_high = u.min() - margin, u.max() + margin, v.min() - margin, v.max() + margin
    if u_low > 1.0 or u_high < -1.0 or v_low > 1.0 or v_high < -1.0:
        return none_i, none_m, 0
    i0, i1, j0, j1 = index_of(u_low, size), index_of(u_high, size), index_of(v_low, size), index_of(v_high, size)
    columns, rows = i1 - i0 + 1, j1 - j0 + 1
    if columns * rows > cells_max:
        return none_i, none_m, -1
    touched = np.zeros((columns, rows), np.bool_)
    # Cells that no edge touches are inside or outside as a whole: edges crossing a row's centre line left of them say.
    toggled = np.zeros((columns + 1, rows), np.bool_)
    row_line = np.empty(rows + 1)
    for j in range(rows + 1):
        row_line[j] = uv_of((j0 + j) / size)
    for k in range(n):
        ua, va, ub, vb = u[k], v[k], u[(k + 1) % n], v[(k + 1) % n]
        if va > vb:
            ua, va, ub, vb = ub, vb, ua, va
        if va - margin > 1.0 or vb + margin < -1.0:
            continue
        for j in range(max(0, index_of(va - margin, size) - j0), min(rows, index_of(vb + margin, size) - j0 + 1)):
            middle = 0.5 * (row_line[j] + row_line[j + 1])
            if (va > middle) != (vb > middle):
                at = along(ua, va, ub, vb, middle)
                if at < -1.0:
                    toggled[0, j] ^= True
                elif at <= 1.0:
                    toggled[min(columns, max(0, index_of(at, size) - i0 + 1)), j] ^= True
            p, q = ua, ub
            if vb > va:
                p = along(ua, va, ub, vb, row_line[j] - margin)
                q = along(ua, va, ub, vb, row_line[j + 1] + margin)
            if p > q:
                p, q = q, p
            if p - margin > 1.0 or q + margin < -1.0:
                continue
            first, last = index_of(p - margin, size) - i0, index_of(q + margin, size) - i0
            for i in range(max(0, first), min(columns, last + 1)):
                touched[i, j] = True
    for j in range(rows):
        inside = False
        for i in range(columns):
            inside ^= toggled[i, j]
            if inside:
                touched[i, j] = True
    first_i, first_j = i0 // side, j0 // side
    across, down = i1 // side - first_i + 1, j1 // side - first_j + 1
    masks = np.zeros((across, down), np.uint64)
    for i in range(columns):
        for j in range(rows):
            if touched[i, j]:
                bit = ((i0 + i) % side) * side + (j0 + j) % side
                masks[(i0 + i) // side - first_i, (j0 + j) // side - first_j] |= np.uint64(1) << np.uint64(bit)
    count = 0
    for a in range(across):
        for b in range(down):
            if masks[a, b]:
                count += 1
    blocks, kept = np.empty(count, np.int64), np.empty(count, np.uint64)
    count = 0
    for a in range(across):
        for b in range(down):
            if masks[a, b]:
                blocks[count] = (first_i + a) * (size // side) + first_j + b
                kept[count] = masks[a, b]
                count += 1
    return blocks, kept, columns * rows


@njit(cache=True, nogil=True, error_model="numpy")
def cover_ring(
    points: Floats, margin: float, axes: Any, signs: Floats, far_side: float, size: int, side: int, cells_max: int
) -> Any:
    """:func:`cover_face` of a ring of unit vectors on every face that it may touch.

    ``axes`` and ``signs`` (faces, 3) name the axes of u's numerator, v's numerator and the denominator; a face of
    whose denominators one is below ``far_side`` is out of reach. Block numbers begin at face · (size/side)².
    """
    n = len(points)
    blocks, masks = np.empty(0, np.int64), np.empty(0, np.uint64)
    u, v = np.empty(n), np.empty(n)
    for face in range(len(axes)):
        near = True
        for k in range(n):
            below = points[k, axes[face, 2]] * signs[face, 2]
            if below < far_side:
                near = False
                break
            u[k] = points[k, axes[face, 0]] * signs[face, 0] / below
            v[k] = points[k, axes[face, 1]] * signs[face, 1] / below
        if not near:
            continue
        found, kept, looked = cover_face(u, v, margin, size, side, cells_max)
        if looked < 0:
            return blocks, masks, False
        if len(found):
            blocks = np.concatenate((blocks, found + face * (size // side) ** 2))
            masks = np.concatenate((masks, kept))
    return blocks, masks, True

"""A short straight motion against one row of outlines: where it is inside, as fractions of the motion.

A piece of motion is straight in longitude and latitude and short enough that this is the geodesic within a stated
tolerance (:func:`pieces_needed`). Crossings with polygon edges are exact line intersections; crossings with circles
are roots of the geodesic distance. Never point checks.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.space.kernels.geodesy import A_M, E2, MEAN_RADIUS_M, RAD, distance, local_distance, wrap180
from keepclear.space.kernels.raster import CIRCLE, PARITY, WHOLE, Raster, in_disc, in_outline
from keepclear.space.outlines import CHUNK

Floats = npt.NDArray[np.float64]
PIECES_MAX = 4096
PIECE_MAX_M = 50_000.0
RIM_STEPS_MAX = 40
"""Far more than the few that a distance along 50 km takes."""
ASTRAY = 1e-6
"""A root whose last correction was larger, as a fraction of the piece (5 cm of the longest), is not yet one."""
SHORT_DEG = 0.02
"""A motion shorter than this in both coordinates, below 80° latitude, bends less than 0.5 m away from straight."""


@njit(cache=True, nogil=True, error_model="numpy")
def pieces_needed(xa: float, ya: float, xb: float, yb: float, tolerance_m: float) -> tuple[int, float]:
    """Into how many pieces a geodesic must be cut for each to be straight in lon/lat within the tolerance, and the
    fraction at which it comes nearest to a pole, if it comes near one (else nan): see :func:`cut`.

    The sag of a piece is L·L_east·tan φ / 8R; tan φ is bounded by the least distance from the pole on the way.
    """
    dx, dy = abs(xb - xa), abs(yb - ya)
    top = max(abs(ya), abs(yb))
    if dx < SHORT_DEG and dy < SHORT_DEG and top < 80.0:
        return 1, np.nan
    c = math.cos(0.5 * (ya + yb) * RAD)
    east, north = dx * 111_320.0 * c, dy * 111_700.0
    length = math.sqrt(east * east + north * north)
    if length > 300_000.0 or top > 80.0:
        length = distance(xa, ya, xb, yb)
        east = length
    polar = (90.0 - top) * 111_000.0 - 0.5 * length
    if polar < length and length > tolerance_m:
        # A piece at a distance r from the pole may be √(8·r·tolerance) long: as many as keep to that with r reckoned
        # along the way alone.
        nearest = _nearest_to_pole(xa, ya, xb, yb)
        roots = _root(1.0 - nearest) - _root(-nearest)
        return min(PIECES_MAX, int(roots * math.sqrt(0.5 * length / tolerance_m)) + 1), nearest
    polar = max(polar, 10.0 * tolerance_m)
    tangent = MEAN_RADIUS_M / polar if polar < MEAN_RADIUS_M else 1.0
    if top < 80.0 and length < 300_000.0:
        tangent = math.tan((top + 0.5 * length / 111_000.0) * RAD)
    n = math.ceil(math.sqrt(length * east * tangent / (8.0 * MEAN_RADIUS_M * tolerance_m)))
    return min(PIECES_MAX, max(1, int(n), int(length / PIECE_MAX_M) + 1)), np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def cut(k: int, pieces: int, nearest: float) -> float:
    """The fraction of a way at which piece k begins: even, or ever denser towards the place nearest to a pole."""
    if k == 0 or k == pieces:
        return 1.0 if k else 0.0
    if nearest != nearest:
        return k / pieces
    first = _root(-nearest)
    root = first + (_root(1.0 - nearest) - first) * k / pieces
    return min(1.0, max(0.0, nearest + root * abs(root)))


@njit(cache=True, nogil=True, error_model="numpy")
def _root(v: float) -> float:
    return math.copysign(math.sqrt(abs(v)), v)


@njit(cache=True, nogil=True, error_model="numpy")
def _nearest_to_pole(xa: float, ya: float, xb: float, yb: float) -> float:
    """The fraction at which :func:`along` comes nearest to a pole; below 0 or above 1 where that is off the way."""
    ca, cb, turn = math.cos(ya * RAD), math.cos(yb * RAD), (xb - xa) * RAD
    sign = 1.0 if ya + yb >= 0.0 else -1.0
    za, zb = sign * math.sin(ya * RAD), sign * math.sin(yb * RAD)
    # In a frame turned so that the beginning is at longitude 0.
    x, y = cb * math.cos(turn), cb * math.sin(turn)
    u, v, w = -za * y, za * x - ca * zb, ca * y
    sine, cosine = math.sqrt(u * u + v * v + w * w), ca * x + za * zb
    return math.atan2(zb - za * cosine, za * sine) / math.atan2(sine, cosine)


@njit(cache=True, nogil=True, error_model="numpy")
def along(xa: float, ya: float, xb: float, yb: float, f: float) -> tuple[float, float]:
    """The point at fraction f of the great circle of normals: from the geodesic 1 m over 200 km, 60 m over 1,000 km."""
    cl = math.cos(ya * RAD)
    ax, ay, az = cl * math.cos(xa * RAD), cl * math.sin(xa * RAD), math.sin(ya * RAD)
    cl = math.cos(yb * RAD)
    bx, by, bz = cl * math.cos(xb * RAD), cl * math.sin(xb * RAD), math.sin(yb * RAD)
    ux, uy, uz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    s = math.sqrt(ux * ux + uy * uy + uz * uz)
    angle = math.atan2(s, ax * bx + ay * by + az * bz)
    if angle < 1e-9:
        return xa + f * (xb - xa), ya + f * (yb - ya)
    p, q = math.sin((1.0 - f) * angle) / s, math.sin(f * angle) / s
    x, y, z = p * ax + q * bx, p * ay + q * by, p * az + q * bz
    lon = math.atan2(y, x) / RAD
    return xa + wrap180(lon - xa), math.atan2(z, math.sqrt(x * x + y * y)) / RAD


@njit(cache=True, nogil=True, error_model="numpy")
def end_of_motion(lon: float, lat: float, east_mps: float, north_mps: float, seconds: float) -> tuple[float, float]:
    """Where constant ground speed along a great circle leads; longitude continuous.

    Below 80° and up to 20 km by series to the third order, otherwise on the sphere of normals turning at the rates
    east/N and north/M of the start. Differs from the geodesic by less than 0.2 m up to 20 km and less than 0.1 % of
    the way beyond.
    """
    s, c = math.sin(lat * RAD), math.cos(lat * RAD)
    w = 1.0 - E2 * s * s
    q = math.sqrt(w)
    m, n = A_M * (1.0 - E2) / (w * q), A_M / q
    e, u = east_mps * seconds, north_mps * seconds
    if e * e + u * u <= 4.0e8 and -80.0 < lat < 80.0:
        t = s / c
        ex, ny = e / n, u / m
        # Spherical series (Legendre) with the local radii.
        dlat = ny - 0.5 * ex * ex * t * (n / m) - ex * ex * ny * (1.0 + 3.0 * t * t) / 6.0
        dlat -= 1.5 * E2 * s * c / w * ny * ny
        dlon = (ex + ex * ny * t + ex * (ny * ny * (1.0 + 3.0 * t * t) - ex * ex * t * t) / 3.0) / c
        return lon + dlon / RAD, lat + dlat / RAD
    ex, ny = e / n, u / m
    a = math.sqrt(ex * ex + ny * ny)
    if a == 0.0:
        return lon, lat
    k = math.sin(a) / a
    # In a frame turned so that the start is at longitude 0.
    x = c * math.cos(a) - s * ny * k
    y = ex * k
    z = s * math.cos(a) + c * ny * k
    return lon + math.atan2(y, x) / RAD, math.atan2(z, math.sqrt(x * x + y * y)) / RAD


@njit(cache=True, nogil=True, error_model="numpy")
def cell_of(ix: Raster, lon: float, lat: float) -> tuple[float, float]:
    """Column and row coordinates in the raster; column in [0, 360°) of cells."""
    gx = lon - ix.x0
    if gx < 0.0 or gx >= 360.0:
        gx -= 360.0 * math.floor(gx / 360.0)
    return gx * ix.inverse_cell, (lat - ix.y0) * ix.inverse_cell


@njit(cache=True, nogil=True, error_model="numpy")
def inside_row(ix: Raster, z: int, lon: float, lat: float) -> bool:
    """Whether a position (any turn of longitude) is inside row z, limits aside; through its cell."""
    lon = wrap180(lon)
    gx = lon - ix.x0
    if gx < 0.0:
        gx += 360.0
    elif gx >= 360.0:
        gx -= 360.0
    fx, fy = gx * ix.inverse_cell, (lat - ix.y0) * ix.inverse_cell
    if not (fx >= 0.0 and fx < ix.nx and fy >= 0.0 and fy < ix.ny):
        return False
    c = int(fy) * ix.nx + int(fx)
    for q in range(ix.cell_start[c], ix.cell_start[c + 1]):
        word = ix.entry[q]
        if word >> 3 != z:
            continue
        kind = word & 3
        if kind == WHOLE:
            return True
        if kind == CIRCLE:
            return bool(in_disc(ix.disc, z, lon, lat))
        if kind == PARITY:
            inside = (word & 4) != 0
            r = ix.record
            for k in range(ix.record_start[q], ix.record_start[q + 1]):
                inside ^= (lat >= r[k, 0]) & (lat < r[k, 1]) & (gx < (lat - r[k, 0]) * r[k, 3] + r[k, 2])
            return bool(inside)
        return bool(in_outline(ix.box, ix.is_circle, ix.disc, ix.edge_start, ix.edges, ix.slope, z, lon, lat))
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def _from_centre(disc: Floats, z: int, lon: float, lat: float) -> tuple[float, float]:
    """Metres east and north of the centre of circle z by the local distance."""
    dx, dy = wrap180(lon - disc[z, 0]), lat - disc[z, 1]
    east = disc[z, 7] + dy * (disc[z, 8] + dy * (disc[z, 9] + dy * disc[z, 10]))
    return east * dx, (disc[z, 5] + disc[z, 6] * dy) * dy


@njit(cache=True, nogil=True, error_model="numpy")
def _rim_between(xa: float, ya: float, xb: float, yb: float, lon: float, lat: float, r: float) -> float:
    """The fraction at which a piece with one end inside a circle crosses it, by the geodesic alone (Illinois method):
    near a pole the first guess by the local distance can lie beside the piece."""
    u0, u1 = 0.0, 1.0
    f0, f1 = distance(xa, ya, lon, lat) - r, distance(xb, yb, lon, lat) - r
    u, side = 0.0 if abs(f0) <= abs(f1) else 1.0, 0
    for _ in range(RIM_STEPS_MAX):
        if f0 == f1 or (f0 > 0.0) == (f1 > 0.0):
            break
        u = (u0 * f1 - u1 * f0) / (f1 - f0)
        f = distance(xa + u * (xb - xa), ya + u * (yb - ya), lon, lat) - r
        if abs(f) < 1e-4:
            break
        if (f > 0.0) == (f1 > 0.0):
            u1, f1 = u, f
            if side == 1:
                f0 *= 0.5
            side = 1
        else:
            u0, f0 = u, f
            if side == -1:
                f1 *= 0.5
            side = -1
    return u


@njit(cache=True, nogil=True, error_model="numpy")
def _rim_twice(
    xa: float, ya: float, xb: float, yb: float, lon: float, lat: float, r: float, inside: bool, us: Floats
) -> int:
    """The fractions at which a piece with both ends on one side of a circle crosses it: none or two, in us[0:2]."""
    sign = -1.0 if inside else 1.0
    u0, u1 = 0.0, 1.0
    for _ in range(RIM_STEPS_MAX):
        third = (u1 - u0) / 3.0
        p, q = u0 + third, u1 - third
        dp = sign * distance(xa + p * (xb - xa), ya + p * (yb - ya), lon, lat)
        dq = sign * distance(xa + q * (xb - xa), ya + q * (yb - ya), lon, lat)
        if min(dp, dq) < sign * r:
            u = p if dp < dq else q
            xm, ym = xa + u * (xb - xa), ya + u * (yb - ya)
            us[0] = u * _rim_between(xa, ya, xm, ym, lon, lat, r)
            us[1] = u + (1.0 - u) * _rim_between(xm, ym, xb, yb, lon, lat, r)
            return 2
        u0, u1 = (u0, q) if dp < dq else (p, u1)
    return 0


@njit(cache=True, nogil=True, error_model="numpy")
def _circle_crossings(ix: Raster, z: int, xa: float, ya: float, xb: float, yb: float, us: Floats) -> int:
    """Fractions at which a piece crosses the circle of row z; us[0:2]."""
    lon, lat, r = ix.disc[z, 0], ix.disc[z, 1], ix.disc[z, 2]
    surely_in, surely_out = ix.disc[z, 3], ix.disc[z, 4]
    near = surely_in > 0.0
    if near:
        # Most pieces near a circle do not cross it, and the local distance, with its error, tells.
        ea, na = _from_centre(ix.disc, z, xa, ya)
        eb, nb = _from_centre(ix.disc, z, xb, yb)
        em, nm = _from_centre(ix.disc, z, 0.5 * (xa + xb), 0.5 * (ya + yb))
        de, dn = eb - ea, nb - na
        bend = 1.1 * math.sqrt((em - 0.5 * (ea + eb)) ** 2 + (nm - 0.5 * (na + nb)) ** 2) + 0.001
        l2 = de * de + dn * dn
        at = min(1.0, max(0.0, -(ea * de + na * dn) / l2)) if l2 > 0.0 else 0.0
        least = math.sqrt((ea + at * de) ** 2 + (na + at * dn) ** 2) - bend
        if least > 0.0 and least * least > surely_out:
            return 0
        d0, d1, dm = math.sqrt(ea * ea + na * na), math.sqrt(eb * eb + nb * nb), math.sqrt(em * em + nm * nm)
        if (max(d0, d1) + bend) ** 2 < surely_in:
            return 0
        # It is good for a first guess too, but where the piece grazes the rim.
        a = 2.0 * (d0 * d0 - 2.0 * dm * dm + d1 * d1)
        b = -3.0 * d0 * d0 + 4.0 * dm * dm - d1 * d1
        near = a > 0.0 and abs(d0 * d0 - r * r - b * b / (4.0 * a)) > 2.0 * (surely_out - surely_in) + r * bend
    if near:
        in0, in1 = in_disc(ix.disc, z, wrap180(xa), ya), in_disc(ix.disc, z, wrap180(xb), yb)
    else:
        length = local_distance(xa, ya, xb, yb) * 1.01 + 0.01
        d0, d1 = distance(xa, ya, lon, lat), distance(xb, yb, lon, lat)
        if d0 - length > r or d0 + length < r:
            return 0
        dm = distance(0.5 * (xa + xb), 0.5 * (ya + yb), lon, lat)
        in0, in1 = d0 <= r, d1 <= r
    # The square of the distance is a quadratic of the fraction, very nearly; its roots are then made exact.
    f0, fm, f1 = d0 * d0 - r * r, dm * dm - r * r, d1 * d1 - r * r
    a = 2.0 * (f0 - 2.0 * fm + f1)
    b = -3.0 * f0 + 4.0 * fm - f1
    n = 0
    scale = max(abs(f0), abs(f1), abs(fm), 1e-12)
    if abs(a) < 1e-13 * scale:
        if abs(b) > 0.0:
            us[0] = -f0 / b
            n = 1
    else:
        disc = b * b - 4.0 * a * f0
        if disc > 0.0:
            q = -0.5 * (b + math.copysign(math.sqrt(disc), b))
            us[0] = q / a
            us[1] = f0 / q if q != 0.0 else us[0]
            n = 2
    kept = 0
    astray = False
    for k in range(n):
        u = us[k]
        if not (-0.01 < u < 1.01):
            continue
        move = 0.0
        for _ in range(3):
            slope = 2.0 * a * u + b
            if abs(slope) <= 1e-9 * scale:
                break
            d = distance(xa + u * (xb - xa), ya + u * (yb - ya), lon, lat)
            move = (d * d - r * r) / slope
            u -= min(0.05, max(-0.05, move))
            if abs(move) < 1e-8:
                break
        astray |= abs(move) > ASTRAY
        if 0.0 <= u <= 1.0:
            us[kept] = u
            kept += 1
    if astray:
        # Of a circle of hundreds of kilometres the local distance may say little about a short piece.
        if in0 != in1:
            us[0] = _rim_between(xa, ya, xb, yb, lon, lat, r)
            return 1
        return _rim_twice(xa, ya, xb, yb, lon, lat, r, in0, us)
    # Both ends decide how many crossings there can be: one, if they lie on different sides.
    if in0 != in1:
        if kept == 2:
            # Keep the one nearer to where the chord crosses.
            chord = (r - d0) / (d1 - d0)
            if abs(us[1] - chord) < abs(us[0] - chord):
                us[0] = us[1]
            kept = 1
        elif kept == 0:
            us[0] = _rim_between(xa, ya, xb, yb, lon, lat, r)
            kept = 1
    elif kept == 1:
        kept = 0
    return kept


@njit(cache=True, nogil=True, error_model="numpy")
def _ring_crossings(ix: Raster, z: int, xa: float, ya: float, xb: float, yb: float, us: Floats) -> int:
    """Fractions at which a piece crosses edges of the polygon of row z, unsorted, in us."""
    west, south, east, north = ix.box[z]
    dx, dy = xb - xa, yb - ya
    n = 0
    lower, upper = min(ya, yb), max(ya, yb)
    if upper < south or lower > north:
        return 0
    for turn in range(-1, 2):
        px = xa + 360.0 * turn
        left, right = min(px, px + dx), max(px, px + dx)
        if right < west or left > east:
            continue
        first = ix.edge_start[z]
        last = ix.edge_start[z + 1]
        for c in range(ix.chunk_start[z], ix.chunk_start[z + 1]):
            if (
                ix.chunk_box[c, 2] < left
                or ix.chunk_box[c, 0] > right
                or ix.chunk_box[c, 3] < lower
                or ix.chunk_box[c, 1] > upper
            ):
                continue
            k0 = first + (c - ix.chunk_start[z]) * CHUNK
            for k in range(k0, min(k0 + CHUNK, last)):
                if ix.real[k] == 0:
                    continue
                da = dx * (ix.edges[k, 1] - ya) - dy * (ix.edges[k, 0] - px)
                db = dx * (ix.edges[k, 3] - ya) - dy * (ix.edges[k, 2] - px)
                if (da > 0.0) == (db > 0.0):
                    continue
                ex, ey = ix.edges[k, 2] - ix.edges[k, 0], ix.edges[k, 3] - ix.edges[k, 1]
                across = ex * dy - ey * dx
                if across == 0.0:
                    continue
                u = (ex * (ix.edges[k, 1] - ya) - ey * (ix.edges[k, 0] - px)) / across
                if 0.0 <= u <= 1.0:
                    us[n] = u
                    n += 1
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def crossings(ix: Raster, z: int, xa: float, ya: float, xb: float, yb: float, us: Floats) -> int:
    """Sorted fractions at which the piece crosses the boundary of row z; ``us`` must hold 2·edges + 8."""
    if ix.is_circle[z] == 1:
        n = _circle_crossings(ix, z, xa, ya, xb, yb, us)
    else:
        n = _ring_crossings(ix, z, xa, ya, xb, yb, us)
    for i in range(1, n):
        u = us[i]
        j = i - 1
        while j >= 0 and us[j] > u:
            us[j + 1] = us[j]
            j -= 1
        us[j + 1] = u
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def candidates(
    ix: Raster, xa: float, ya: float, xb: float, yb: float, stamp: int, seen: Any, whole: Any, rows: Any
) -> tuple[int, int, Any]:
    """Rows met by the cells under the piece's box: their number, the number of cells, and the (grown) list.

    ``whole[z]`` counts the cells that lie wholly inside row z. ``seen`` holds the last stamp of each row.
    """
    if xa + ya + xb + yb != xa + ya + xb + yb:
        return 0, 0, rows
    nx, ny = ix.nx, ix.ny
    fx, fy = cell_of(ix, min(xa, xb), min(ya, yb))
    # A hair's breadth more on every side, so that rounding does not lose the neighbour cell.
    gx, gy = fx + abs(xb - xa) * ix.inverse_cell + 1e-9, (max(ya, yb) - ix.y0) * ix.inverse_cell + 1e-9
    fx -= 1e-9
    fy -= 1e-9
    found = 0
    cells = 0
    if gy < 0.0 or fy >= ny:
        return 0, 0, rows
    j0, j1 = int(max(fy, 0.0)), min(int(gy), ny - 1)
    turn = 360.0 * ix.inverse_cell
    for part in range(3):
        # The box may begin before the first column or run past the last turn.
        lo, hi = fx + (part - 1) * turn, gx + (part - 1) * turn
        if hi < 0.0 or lo >= nx:
            continue
        i0, i1 = int(max(lo, 0.0)), min(int(hi), nx - 1)
        for j in range(j0, j1 + 1):
            for i in range(i0, i1 + 1):
                cells += 1
                c = j * nx + i
                for q in range(ix.cell_start[c], ix.cell_start[c + 1]):
                    word = ix.entry[q]
                    z = word >> 3
                    if seen[z] != stamp:
                        seen[z] = stamp
                        whole[z] = 0
                        if found == len(rows):
                            more = np.empty(2 * found + 16, np.int64)
                            more[:found] = rows[:found]
                            rows = more
                        rows[found] = z
                        found += 1
                    if word & 3 == WHOLE:
                        whole[z] += 1
    wanted = (math.floor(gx) - math.floor(fx) + 1.0) * (math.floor(gy) - math.floor(fy) + 1.0)
    # Where part of the box lies off the raster no row covers it wholly: -1 makes the caller ask the geometry.
    return found, (cells if cells == wanted else -1), rows

"""Do two shapes on the ellipsoid share a point? Exact tests, without projection, poles or antimeridian.

A polygon's edge is the arc that the plane through both ends and the Earth's centre cuts out of the ellipsoid (the
great ellipse, centimetres from the geodesic up to 200 km; longer and other edges are chains of such arcs). Which
side of an edge a point is on is then one scalar product with the edge's normal. A circle is a circle: geodesic
distance against radius.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from keepclear.detection.kernels.motion import A_M, AXIS_RATIO2, RADIAN, surface_point
from keepclear.detection.kernels.positions import lon_lat
from keepclear.space.kernels.geodesy import distance

__all__ = [
    "BODY",
    "META",
    "bands",
    "circle_body",
    "column_bodies",
    "every_conflict",
    "judge_volumes",
    "meet",
    "polygon_body",
    "volume_discs",
]

BODY = 14
"""columns of a volume's row: 0–2 centre on the surface (in units of the equatorial radius), 3 bounding reach (m),
4 lower (m), 5 upper (m), 6 from (s), 7 to (s), 8–10 a point inside, 11 circle's radius (m, 0 for polygons),
12 longitude and 13 latitude of a circle's centre"""
META = 4
"""0 first edge, 1 edges, 2 datum of the lower, 3 of the upper limit (0: no limit)"""
EDGE = 9
"""0–2 beginning, 3–5 end, 6–8 their vector product"""
SHORT_M = 100_000.0
"""up to here a chord and one radius give the geodesic to centimetres"""
LARGEST_REACH_M = 4_400_000.0
"""A volume lies within 40° of its centre, so that two that meet fit a hemisphere."""


@njit(cache=True, nogil=True, error_model="numpy")
def circle_body(lon_deg: float, lat_deg: float, radius_m: float, body: Any) -> None:
    x, y, z = surface_point(lat_deg, lon_deg)
    body[0], body[1], body[2] = x / A_M, y / A_M, z / A_M
    body[8], body[9], body[10] = body[0], body[1], body[2]
    body[3], body[11], body[12], body[13] = radius_m * 1.005 + 1.0, radius_m, lon_deg, lat_deg


@njit(cache=True, nogil=True, error_model="numpy")
def polygon_body(lon: Any, lat: Any, ring_end: Any, body: Any, edges: Any) -> None:
    """Fill a polygon's row and its edges, one a vertex (rings open, vertex ``ring_end[k] - 1`` the last of ring k)."""
    n = len(lon)
    sx = sy = sz = 0.0
    for k in range(n):
        x, y, z = surface_point(lat[k], lon[k])
        edges[k, 0], edges[k, 1], edges[k, 2] = x / A_M, y / A_M, z / A_M
        sx += x
        sy += y
        sz += z
    begin = 0
    for ring in range(len(ring_end)):
        for k in range(begin, ring_end[ring]):
            following = k + 1 if k + 1 < ring_end[ring] else begin
            for c in range(3):
                edges[k, 3 + c] = edges[following, c]
            edges[k, 6] = edges[k, 1] * edges[k, 5] - edges[k, 2] * edges[k, 4]
            edges[k, 7] = edges[k, 2] * edges[k, 3] - edges[k, 0] * edges[k, 5]
            edges[k, 8] = edges[k, 0] * edges[k, 4] - edges[k, 1] * edges[k, 3]
        begin = ring_end[ring]
    size = math.sqrt(sx * sx + sy * sy + sz * sz * AXIS_RATIO2)
    cx, cy, cz = sx / size, sy / size, sz / size
    far = 0.0
    for k in range(n):
        far = max(far, (edges[k, 0] - cx) ** 2 + (edges[k, 1] - cy) ** 2 + (edges[k, 2] - cz) ** 2)
    body[0], body[1], body[2] = cx, cy, cz
    body[3] = 2.0 * A_M * math.asin(min(1.0, 0.5 * math.sqrt(far))) * 1.005 + 1.0
    body[11] = body[12] = body[13] = 0.0
    # A point inside: on a level between two vertices, in the widest stretch between edges.
    gx, gy, gz = _square_to(cx, cy, cz)
    fx, fy, fz = gy * cz - gz * cy, gz * cx - gx * cz, gx * cy - gy * cx
    level = np.empty(n)
    for k in range(n):
        level[k] = (edges[k, 0] * gx + edges[k, 1] * gy + edges[k, 2] * gz) / (
            edges[k, 0] * cx + edges[k, 1] * cy + edges[k, 2] * cz
        )
    ranked = np.sort(level)
    at, widest = ranked[0], -1.0
    for k in range(n - 1):
        # prefer the middle: thin ends of a shape leave little room beside the level
        room = (ranked[k + 1] - ranked[k]) * min(k + 1, n - 1 - k)
        if room > widest:
            at, widest = 0.5 * (ranked[k] + ranked[k + 1]), room
    crossings = np.empty(n)
    m = 0
    for k in range(n):
        a = edges[k, 0] * cx + edges[k, 1] * cy + edges[k, 2] * cz
        b = edges[k, 3] * cx + edges[k, 4] * cy + edges[k, 5] * cz
        y0 = (edges[k, 0] * gx + edges[k, 1] * gy + edges[k, 2] * gz) / a
        y1 = (edges[k, 3] * gx + edges[k, 4] * gy + edges[k, 5] * gz) / b
        if (y0 > at) != (y1 > at):
            x0 = (edges[k, 0] * fx + edges[k, 1] * fy + edges[k, 2] * fz) / a
            x1 = (edges[k, 3] * fx + edges[k, 4] * fy + edges[k, 5] * fz) / b
            crossings[m] = x0 + (x1 - x0) * (at - y0) / (y1 - y0)
            m += 1
    ordered = np.sort(crossings[:m])
    best, middle = -1.0, 0.0
    for k in range(0, m - 1, 2):
        if ordered[k + 1] - ordered[k] > best:
            best, middle = ordered[k + 1] - ordered[k], 0.5 * (ordered[k] + ordered[k + 1])
    # back from the plane through the centre, whose axes f and g are not of unit length, to the surface
    g2, f2 = gx * gx + gy * gy + gz * gz, fx * fx + fy * fy + fz * fz
    c2 = cx * cx + cy * cy + cz * cz
    body[8] = cx + c2 * (middle * fx / f2 + at * gx / g2)
    body[9] = cy + c2 * (middle * fy / f2 + at * gy / g2)
    body[10] = cz + c2 * (middle * fz / f2 + at * gz / g2)
    scale = 1.0 / math.sqrt(body[8] * body[8] + body[9] * body[9] + body[10] * body[10] * AXIS_RATIO2)
    for c in range(8, 11):
        body[c] *= scale


@njit(cache=True, nogil=True, error_model="numpy")
def column_bodies(
    begin: int, end: int, circle: Any, start: Any, lon: Any, lat: Any, body: Any, meta: Any, edges: Any
) -> None:
    """Fill many rows: circles where ``circle`` (lon, lat, radius) has a number, else one ring of vertices each."""
    one = np.empty(1, np.int64)
    for i in range(begin, end):
        a, b = start[i], start[i + 1]
        meta[i, 0], meta[i, 1] = a, b - a
        if circle[i, 2] == circle[i, 2]:
            circle_body(circle[i, 0], circle[i, 1], circle[i, 2], body[i])
        else:
            one[0] = b - a
            polygon_body(lon[a:b], lat[a:b], one, body[i], edges[a:b])


@njit(cache=True, nogil=True, error_model="numpy")
def _square_to(x: float, y: float, z: float) -> Any:
    """A direction square to (x, y, z)."""
    if abs(z) < 0.9:
        return -x * z, -y * z, x * x + y * y
    return y * y + z * z, -x * y, -x * z


@njit(cache=True, nogil=True, error_model="numpy")
def _inside(
    x: float, y: float, z: float, reach_m: float, cx: float, cy: float, cz: float, edges: Any, begin: int, end: int
) -> bool:
    """Is the direction inside the rings (even-odd)? Counts the edges that a ray along the surface crosses."""
    dx, dy, dz = x - cx, y - cy, z - cz
    if (dx * dx + dy * dy + dz * dz) * (A_M * A_M * 0.98) > reach_m * reach_m:
        return False
    gx, gy, gz = _square_to(x, y, z)
    odd = False
    for k in range(begin, end):
        above0 = edges[k, 0] * gx + edges[k, 1] * gy + edges[k, 2] * gz > 0.0
        above1 = edges[k, 3] * gx + edges[k, 4] * gy + edges[k, 5] * gz > 0.0
        if above0 != above1 and (edges[k, 6] * x + edges[k, 7] * y + edges[k, 8] * z > 0.0) == above1:
            odd = not odd
    return odd


@njit(cache=True, nogil=True, error_model="numpy")
def _crossing(edges: Any, a0: int, a1: int, b0: int, b1: int, cx: float, cy: float, cz: float, reach_m: float) -> bool:
    """Does an edge of a cross one of b? ``c`` and ``reach_m`` bound b, so that far edges of a are skipped."""
    reach = reach_m / (A_M * 0.99)
    for i in range(a0, a1):
        px, py, pz = edges[i, 0], edges[i, 1], edges[i, 2]
        qx, qy, qz = edges[i, 3], edges[i, 4], edges[i, 5]
        nx, ny, nz = edges[i, 6], edges[i, 7], edges[i, 8]
        side = nx * cx + ny * cy + nz * cz
        if side * side > reach * reach * (nx * nx + ny * ny + nz * nz):
            continue
        middle = (px + qx - 2.0 * cx) ** 2 + (py + qy - 2.0 * cy) ** 2 + (pz + qz - 2.0 * cz) ** 2
        length = (px - qx) ** 2 + (py - qy) ** 2 + (pz - qz) ** 2
        if math.sqrt(middle) > 2.0 * reach + 1.02 * math.sqrt(length):
            continue
        for j in range(b0, b1):
            left = nx * edges[j, 0] + ny * edges[j, 1] + nz * edges[j, 2] > 0.0
            right = nx * edges[j, 3] + ny * edges[j, 4] + nz * edges[j, 5] > 0.0
            if left != right:
                mx, my, mz = edges[j, 6], edges[j, 7], edges[j, 8]
                if (mx * px + my * py + mz * pz > 0.0) != (mx * qx + my * qy + mz * qz > 0.0):
                    return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def _geodesic_m(x0: float, y0: float, z0: float, x1: float, y1: float, z1: float) -> float:
    """Metres between two surface points given in equatorial radii."""
    chord = A_M * math.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2 + (z1 - z0) ** 2)
    if chord < SHORT_M:
        return chord * (1.0 + chord * chord / (24.0 * 6.371e6 * 6.371e6))
    lon0, lat0 = lon_lat(x0, y0, z0)
    lon1, lat1 = lon_lat(x1, y1, z1)
    return float(distance(lon0, lat0, lon1, lat1))


@njit(cache=True, nogil=True, error_model="numpy")
def _circle_edges(body: Any, c: int, edges: Any, begin: int, end: int) -> bool:
    """Does the polygon's boundary come within the circle?

    On the plane touching the ellipsoid at the centre, seen from the Earth's centre, the edges are straight: the
    nearest point is found there, and its distance on the ellipsoid.
    """
    lon, lat = body[c, 12] * RADIAN, body[c, 13] * RADIAN
    sl, cl, sp, cp = math.sin(lon), math.cos(lon), math.sin(lat), math.cos(lat)
    cx, cy, cz = body[c, 0], body[c, 1], body[c, 2]
    ux, uy, uz = cp * cl, cp * sl, sp
    height = cx * ux + cy * uy + cz * uz
    # nothing on this plane beyond the radius by a safe margin can be nearer on the surface
    least, east, north = np.inf, 0.0, 0.0
    for k in range(begin, end):
        a = height / (edges[k, 0] * ux + edges[k, 1] * uy + edges[k, 2] * uz)
        b = height / (edges[k, 3] * ux + edges[k, 4] * uy + edges[k, 5] * uz)
        x0, y0, z0 = a * edges[k, 0] - cx, a * edges[k, 1] - cy, a * edges[k, 2] - cz
        x1, y1, z1 = b * edges[k, 3] - cx, b * edges[k, 4] - cy, b * edges[k, 5] - cz
        e0, n0 = -sl * x0 + cl * y0, -sp * cl * x0 - sp * sl * y0 + cp * z0
        e1, n1 = -sl * x1 + cl * y1, -sp * cl * x1 - sp * sl * y1 + cp * z1
        de, dn = e1 - e0, n1 - n0
        square = de * de + dn * dn
        f = 0.0 if square == 0.0 else min(1.0, max(0.0, -(e0 * de + n0 * dn) / square))
        e, n = e0 + f * de, n0 + f * dn
        if e * e + n * n < least:
            least, east, north = e * e + n * n, e, n
    x = cx - sl * east - sp * cl * north
    y = cy + cl * east - sp * sl * north
    z = cz + cp * north
    scale = 1.0 / math.sqrt(x * x + y * y + z * z * AXIS_RATIO2)
    return bool(_geodesic_m(cx, cy, cz, x * scale, y * scale, z * scale) <= body[c, 11])


@njit(cache=True, nogil=True, error_model="numpy")
def _first_vertex_inside(body: Any, edges: Any, k: int, j: int, j0: int, j1: int) -> bool:
    x, y, z = edges[k, 0], edges[k, 1], edges[k, 2]
    return bool(_inside(x, y, z, body[j, 3], body[j, 0], body[j, 1], body[j, 2], edges, j0, j1))


@njit(cache=True, nogil=True, error_model="numpy")
def meet(body: Any, meta: Any, edges: Any, i: int, j: int) -> bool:
    """Do the two outlines share a point of the surface?"""
    if body[i, 11] > 0.0 and body[j, 11] > 0.0:
        together = body[i, 11] + body[j, 11]
        return bool(_geodesic_m(body[i, 0], body[i, 1], body[i, 2], body[j, 0], body[j, 1], body[j, 2]) <= together)
    if body[j, 11] > 0.0:
        i, j = j, i
    j0, j1 = meta[j, 0], meta[j, 0] + meta[j, 1]
    if body[i, 11] > 0.0:
        if _inside(body[i, 8], body[i, 9], body[i, 10], body[j, 3], body[j, 0], body[j, 1], body[j, 2], edges, j0, j1):
            return True
        return bool(_circle_edges(body, i, edges, j0, j1))
    i0, i1 = meta[i, 0], meta[i, 0] + meta[i, 1]
    if _crossing(edges, i0, i1, j0, j1, body[j, 0], body[j, 1], body[j, 2], body[j, 3]):
        return True
    # No edges cross: one holds the other whole, or they are apart. The points inside tell, also where the two
    # outlines are the same and every vertex is a tie.
    return bool(
        _inside(body[i, 8], body[i, 9], body[i, 10], body[j, 3], body[j, 0], body[j, 1], body[j, 2], edges, j0, j1)
        or _inside(body[j, 8], body[j, 9], body[j, 10], body[i, 3], body[i, 0], body[i, 1], body[i, 2], edges, i0, i1)
        or _first_vertex_inside(body, edges, i0, j, j0, j1)
        or _first_vertex_inside(body, edges, j0, i, i0, i1)
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _apart(top: float, bottom: float, thin: bool) -> bool:
    return top < bottom or (top == bottom and not thin)


@njit(cache=True, nogil=True, error_model="numpy")
def bands(body: Any, meta: Any, i: int, j: int) -> int:
    """0: the times or altitude bands do not meet; 1: they do; 2: unlike datums, so that nobody can say.

    Bands that only touch do not meet, except where one of them is a single level or instant.
    """
    thin = body[i, 6] == body[i, 7] or body[j, 6] == body[j, 7]
    if _apart(body[i, 7], body[j, 6], thin) or _apart(body[j, 7], body[i, 6], thin):
        return 0
    doubtful = False
    flat = body[i, 4] == body[i, 5] or body[j, 4] == body[j, 5]
    if meta[i, 3] != 0 and meta[j, 2] != 0:
        if meta[i, 3] != meta[j, 2]:
            doubtful = True
        elif _apart(body[i, 5], body[j, 4], flat):
            return 0
    if meta[j, 3] != 0 and meta[i, 2] != 0:
        if meta[j, 3] != meta[i, 2]:
            doubtful = True
        elif _apart(body[j, 5], body[i, 4], flat):
            return 0
    return 2 if doubtful else 1


@njit(cache=True, nogil=True, error_model="numpy")
def volume_discs(
    begin: int, end: int, body: Any, meta: Any, epoch_s: float, datum: int, discs: Any, angle: Any
) -> None:
    """Discs for the sweep: the middle is of time, the second of altitude where both limits are of ``datum``."""
    for i in range(begin, end):
        for c in range(3):
            discs[i, c] = body[i, c] * A_M
        discs[i, 3] = body[i, 3] + 2.0
        middle, half = 0.5 * (body[i, 6] + body[i, 7]) - epoch_s, 0.5 * (body[i, 7] - body[i, 6])
        known = half < np.inf
        discs[i, 4] = middle if known else np.nan
        # 32 bits keep seven digits
        discs[i, 5] = half + 1e-3 + 1e-6 * (abs(middle) + half) if known else 0.0
        banded = meta[i, 2] == datum and meta[i, 3] == datum
        discs[i, 6] = 0.5 * (body[i, 4] + body[i, 5]) if banded else np.nan
        discs[i, 7] = 0.5 * (body[i, 5] - body[i, 4]) + 1.0 if banded else 0.0
        angle[0, i] = math.atan2(body[i, 2] * AXIS_RATIO2, math.sqrt(body[i, 0] ** 2 + body[i, 1] ** 2))
        angle[1, i] = math.atan2(body[i, 1], body[i, 0])


@njit(cache=True, nogil=True, error_model="numpy")
def judge_volumes(p: Any, q: Any, ids_p: Any, ids_q: Any, body: Any, meta: Any, edges: Any) -> Any:
    """Which candidates meet: (i, j, indeterminate) columns, i < j."""
    n = len(p)
    left, right, doubt = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.bool_)
    k = 0
    for r in range(n):
        i, j = ids_p[p[r]], ids_q[q[r]]
        verdict = bands(body, meta, i, j)
        if verdict != 0 and meet(body, meta, edges, i, j):
            left[k], right[k], doubt[k] = min(i, j), max(i, j), verdict == 2
            k += 1
    return left[:k], right[:k], doubt[:k]


@njit(cache=True, nogil=True, error_model="numpy")
def every_conflict(body: Any, meta: Any, edges: Any) -> Any:
    """All pairs of few volumes that meet: (i, j, indeterminate) columns, ordered."""
    n = len(body)
    cap, k = 64, 0
    left, right, doubt = np.empty(cap, np.int64), np.empty(cap, np.int64), np.empty(cap, np.bool_)
    for i in range(n):
        for j in range(i + 1, n):
            verdict = bands(body, meta, i, j)
            if verdict == 0:
                continue
            dx, dy, dz = body[i, 0] - body[j, 0], body[i, 1] - body[j, 1], body[i, 2] - body[j, 2]
            reach = (body[i, 3] + body[j, 3]) / A_M
            if dx * dx + dy * dy + dz * dz > reach * reach or not meet(body, meta, edges, i, j):
                continue
            if k == cap:
                cap *= 2
                wider = np.empty(cap, np.int64), np.empty(cap, np.int64), np.empty(cap, np.bool_)
                wider[0][:k], wider[1][:k], wider[2][:k] = left, right, doubt
                left, right, doubt = wider
            left[k], right[k], doubt[k] = i, j, verdict == 2
            k += 1
    return left[:k], right[:k], doubt[:k]

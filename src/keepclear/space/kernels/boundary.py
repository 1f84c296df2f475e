"""How far a position is from the boundary of a row of outlines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from keepclear.space.kernels.geodesy import E2, RAD, distance, local_metric, radii, wrap180
from keepclear.space.kernels.raster import Raster, in_outline
from keepclear.space.outlines import CHUNK

Floats = npt.NDArray[np.float64]
EXACT_FROM_M = 2_000.0
"""Nearer than this the local distance is within a millimetre; farther, the geodesic to the nearest point is taken."""
FARTHEST_M = 20_003_932.0
"""From pole to pole; nothing on Earth is farther from anything, and the whole Earth has no boundary at all."""
POLAR_DEG = 80.0
POLAR_STEP_DEG = 0.25


@njit(cache=True, nogil=True, error_model="numpy")
def _ecef(lon: float, lat: float) -> tuple[float, float, float]:
    _, n = radii(lat)
    c = math.cos(lat * RAD)
    return n * c * math.cos(lon * RAD), n * c * math.sin(lon * RAD), n * (1.0 - E2) * math.sin(lat * RAD)


@njit(cache=True, nogil=True, error_model="numpy")
def _polar(ix: Raster, z: int, lon: float, lat: float) -> float:
    """Nearest boundary in space, edges cut into short steps: for the neighbourhood of the poles."""
    x, y, h = _ecef(lon, lat)
    best = np.inf
    best_lon, best_lat = lon, lat
    for k in range(ix.edge_start[z], ix.edge_start[z + 1]):
        if ix.real[k] == 0:
            continue
        x0, y0, x1, y1 = ix.edges[k, 0], ix.edges[k, 1], ix.edges[k, 2], ix.edges[k, 3]
        steps = int(max(abs(x1 - x0), abs(y1 - y0)) / POLAR_STEP_DEG) + 1
        ax, ay, ah = _ecef(x0, min(90.0, max(-90.0, y0)))
        for s in range(steps):
            f = (s + 1.0) / steps
            bx, by, bh = _ecef(x0 + f * (x1 - x0), min(90.0, max(-90.0, y0 + f * (y1 - y0))))
            ux, uy, uh = bx - ax, by - ay, bh - ah
            l2 = ux * ux + uy * uy + uh * uh
            g = 0.0
            if l2 > 0.0:
                g = min(1.0, max(0.0, ((x - ax) * ux + (y - ay) * uy + (h - ah) * uh) / l2))
            dx, dy, dh = ax + g * ux - x, ay + g * uy - y, ah + g * uh - h
            d2 = dx * dx + dy * dy + dh * dh
            if d2 < best:
                best = d2
                f = (s + g) / steps
                best_lon, best_lat = x0 + f * (x1 - x0), min(90.0, max(-90.0, y0 + f * (y1 - y0)))
            ax, ay, ah = bx, by, bh
    return distance(lon, lat, best_lon, best_lat) if best < np.inf else np.inf


@njit(cache=True, nogil=True, error_model="numpy")
def _polygon(ix: Raster, z: int, lon: float, lat: float) -> float:
    m0, m1, k0, k1, k2, k3 = local_metric(lat)
    best = np.inf
    best_dx, best_dy = 0.0, 0.0
    c0, c1 = ix.chunk_start[z], ix.chunk_start[z + 1]
    first = ix.edge_start[z]
    # The chunk whose box is nearest goes first: its edges then rule out most of the others.
    start, least = c0, np.inf
    for turn in range(2):
        for step in range(c1 - c0):
            c = c0 + step
            if turn == 1 and c == start:
                continue
            # Shift the box so that its middle is within half a turn, then measure to its nearest point.
            mid = 0.5 * (ix.chunk_box[c, 0] + ix.chunk_box[c, 2])
            half = 0.5 * (ix.chunk_box[c, 2] - ix.chunk_box[c, 0])
            dx = max(0.0, abs(wrap180(mid - lon)) - half)
            dy = max(0.0, ix.chunk_box[c, 1] - lat, lat - ix.chunk_box[c, 3])
            reach = max(abs(ix.chunk_box[c, 1] - lat), abs(ix.chunk_box[c, 3] - lat))
            # The shortest degree of longitude anywhere between here and the far side of the box.
            scale = k0 + k1 * dy
            if reach > 0.0:
                scale = min(k0, k0 - abs(k1) * reach - abs(k2) * reach * reach - abs(k3) * reach * reach * reach)
            east, north = dx * max(0.0, scale), dy * 110_500.0
            bound = east * east + north * north
            if turn == 0:
                if bound < least:
                    least, start = bound, c
                continue
            if bound >= best:
                continue
            best, best_dx, best_dy = _chunk(
                ix, first, c - c0, z, lon, lat, m0, m1, k0, k1, k2, k3, best, best_dx, best_dy
            )
        if turn == 0 and c1 > c0:
            best, best_dx, best_dy = _chunk(
                ix, first, start - c0, z, lon, lat, m0, m1, k0, k1, k2, k3, best, best_dx, best_dy
            )
    d = math.sqrt(best)
    if d < EXACT_FROM_M:
        return d
    if d == np.inf:
        return d
    return distance(lon, lat, lon + best_dx, min(90.0, max(-90.0, lat + best_dy)))


@njit(cache=True, nogil=True, error_model="numpy")
def _chunk(
    ix: Raster,
    first: int,
    chunk: int,
    z: int,
    lon: float,
    lat: float,
    m0: float,
    m1: float,
    k0: float,
    k1: float,
    k2: float,
    k3: float,
    best: float,
    best_dx: float,
    best_dy: float,
) -> tuple[float, float, float]:
    """The nearest point of one chunk of edges, if it beats the best so far (squared metres, offsets in degrees)."""
    a = first + chunk * CHUNK
    for k in range(a, min(a + CHUNK, ix.edge_start[z + 1])):
        if ix.real[k] == 0:
            continue
        x0 = wrap180(ix.edges[k, 0] - lon)
        x1 = x0 + (ix.edges[k, 2] - ix.edges[k, 0])
        y0, y1 = ix.edges[k, 1] - lat, ix.edges[k, 3] - lat
        # Metres a degree along the edge: at its end nearest in latitude for a first guess, then at the foot found.
        g = 0.0
        y = min(max(0.0, y0), y1)
        for _ in range(3):
            sx = k0 + y * (k1 + y * (k2 + y * k3))
            sy = m0 + m1 * y
            ax, ay, bx, by = x0 * sx, y0 * sy, x1 * sx, y1 * sy
            ux, uy = bx - ax, by - ay
            l2 = ux * ux + uy * uy
            g = 0.0
            if l2 > 0.0:
                g = min(1.0, max(0.0, -(ax * ux + ay * uy) / l2))
            y = y0 + g * (y1 - y0)
        sx = k0 + y * (k1 + y * (k2 + y * k3))
        sy = m0 + m1 * y
        px, py = (x0 + g * (x1 - x0)) * sx, y * sy
        d2 = px * px + py * py
        if d2 < best:
            best, best_dx, best_dy = d2, x0 + g * (x1 - x0), y
    return best, best_dx, best_dy


@njit(cache=True, nogil=True, error_model="numpy")
def boundary_distances(ix: Raster, lon: Floats, lat: Floats, rows: Any) -> Floats:
    """Signed metres from each position to the boundary of its row, positive inside."""
    out = np.empty(len(lon))
    for i in range(len(lon)):
        z = rows[i]
        if lon[i] + lat[i] != lon[i] + lat[i]:
            out[i] = np.nan
            continue
        if ix.is_circle[z] == 1:
            out[i] = ix.disc[z, 2] - distance(lon[i], lat[i], ix.disc[z, 0], ix.disc[z, 1])
            continue
        x = wrap180(lon[i])
        if abs(lat[i]) > POLAR_DEG:
            d = _polar(ix, z, x, lat[i])
        else:
            d = _polygon(ix, z, x, lat[i])
        d = min(d, FARTHEST_M)
        inside = in_outline(ix.box, ix.is_circle, ix.disc, ix.edge_start, ix.edges, ix.slope, z, x, lat[i])
        out[i] = d if inside else -d
    return out

"""What a user would write for encounters with scipy: a k-d tree over the middles, then closest approach in numpy."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from benchmarks.pair_scenes import Aircraft

A_M, E2 = 6378137.0, 0.0066943799901413165


def kd_tree(s: Aircraft, horizontal_m: float, vertical_m: float, look_ahead_s: float) -> np.ndarray:
    """Sorted i * n + j of the pairs that lose separation within the look-ahead, in a plane at mid latitude."""
    place, velocity = _motion(s)
    half = 0.5 * look_ahead_s
    fastest = float(np.sqrt((velocity**2).sum(axis=1)).max())
    tree = cKDTree(place + half * velocity, balanced_tree=False, compact_nodes=False)
    i, j = tree.query_pairs(horizontal_m + fastest * look_ahead_s + 100.0, output_type="ndarray").T
    return _lost(s, place, velocity, i, j, horizontal_m, vertical_m, look_ahead_s)


def every_pair(s: Aircraft, horizontal_m: float, vertical_m: float, look_ahead_s: float) -> np.ndarray:
    """The same on all pairs: what is quickest to write for few."""
    i, j = np.triu_indices(len(s.lat_deg), 1)
    return _lost(s, *_motion(s), i, j, horizontal_m, vertical_m, look_ahead_s)


def _motion(s: Aircraft) -> tuple[np.ndarray, np.ndarray]:
    """Earth-centred places and velocities."""
    lat, lon = np.radians(s.lat_deg), np.radians(s.lon_deg)
    sine = np.sin(lat)
    prime = A_M / np.sqrt(1 - E2 * sine * sine)
    x, y, z = prime * np.cos(lat) * np.cos(lon), prime * np.cos(lat) * np.sin(lon), prime * (1 - E2) * sine
    vx = -s.east_mps * np.sin(lon) - s.north_mps * sine * np.cos(lon)
    vy = s.east_mps * np.cos(lon) - s.north_mps * sine * np.sin(lon)
    vz = s.north_mps * np.cos(lat)
    return np.stack([x, y, z], axis=1), np.stack([vx, vy, vz], axis=1)


def _lost(
    s: Aircraft, place: np.ndarray, velocity: np.ndarray, i: np.ndarray, j: np.ndarray, horizontal_m: float,
    vertical_m: float, look_ahead_s: float,
) -> np.ndarray:  # fmt: skip
    n, half = len(s.lat_deg), 0.5 * look_ahead_s
    dz, dw = s.altitude_m[j] - s.altitude_m[i], s.up_mps[j] - s.up_mps[i]
    near = np.abs(dz + half * dw) < vertical_m + half * np.abs(dw)
    i, j, dz, dw = i[near], j[near], dz[near], dw[near]
    d, v = place[j] - place[i], velocity[j] - velocity[i]
    up = place[i] + place[j]
    up[:, 2] *= 1 / (1 - E2)
    up /= np.sqrt((up**2).sum(axis=1))[:, None]
    d -= (d * up).sum(axis=1)[:, None] * up
    v -= (v * up).sum(axis=1)[:, None] * up
    a, b, c = (v * v).sum(axis=1), (d * v).sum(axis=1), (d * d).sum(axis=1) - horizontal_m**2
    with np.errstate(all="ignore"):
        root = np.sqrt(b * b - a * c)
        t1, t2 = (-vertical_m - dz) / dw, (vertical_m - dz) / dw
        low = np.where(dw == 0, np.where(np.abs(dz) < vertical_m, -np.inf, np.inf), np.minimum(t1, t2))
        high = np.where(dw == 0, np.inf, np.maximum(t1, t2))
        low, high = np.maximum(np.maximum(low, (-b - root) / a), 0.0), np.minimum(high, (root - b) / a)
        lost = low < np.minimum(high, look_ahead_s)
    return np.sort(np.minimum(i, j)[lost] * n + np.maximum(i, j)[lost])

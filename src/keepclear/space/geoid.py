"""The EGM96 geoid, offline: how far mean sea level lies above the WGS84 ellipsoid.

Source: NGA, EGM96 15-minute geoid heights (public domain), values in centimetres, interpolated by bicubic
convolution (R. G. Keys, «Cubic convolution interpolation for digital image processing», 1981). Against the model
itself the interpolation is off by at most 0.2 m, 1 cm in the root mean square; the model is off the true sea level
by 0.5–1 m.
"""

from __future__ import annotations

import functools
import zlib
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from keepclear.errors import UsageError

__all__ = ["INTERPOLATION_ERROR_M", "undulation_m"]

INTERPOLATION_ERROR_M = 0.2
"""Largest difference to the EGM96 model evaluated exactly."""

_ROWS, _COLUMNS = 721, 1440
_STEPS_A_DEGREE = 4


def undulation_m(lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Height of the geoid above the ellipsoid in metres; the arguments (degrees) broadcast. NaN in, NaN out.

    Height above mean sea level = height above the ellipsoid - undulation. Raises :class:`UsageError` where the grid
    is not installed (a source checkout in which ``python build_geoid.py`` has not been run).
    """
    lat, lon = np.broadcast_arrays(np.asarray(lat_deg, dtype=np.float64), np.asarray(lon_deg, dtype=np.float64))
    known = np.isfinite(lat) & np.isfinite(lon)
    grid = _grid()
    y = (90.0 - np.clip(np.where(known, lat, 0.0), -90.0, 90.0)) * _STEPS_A_DEGREE
    x = np.mod(np.where(known, lon, 0.0), 360.0) * _STEPS_A_DEGREE
    j = np.minimum(y.astype(np.int64), _ROWS - 2)
    i = x.astype(np.int64) % _COLUMNS
    wy, wx = _weights(y - j), _weights(x - np.floor(x))
    total = np.zeros(lat.shape)
    for p in range(4):
        row = np.zeros(lat.shape)
        for q in range(4):
            row += wx[q] * grid[j + p, i + q]
        total += wy[p] * row
    return np.where(known, total, np.nan)


def _weights(t: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], ...]:
    """Keys' kernel (a = -1/2) for the four neighbours of a position t between the middle two."""
    t2, t3 = t * t, t * t * t
    return (
        -0.5 * t3 + t2 - 0.5 * t,
        1.5 * t3 - 2.5 * t2 + 1.0,
        -1.5 * t3 + 2.0 * t2 + 0.5 * t,
        0.5 * t3 - 0.5 * t2,
    )


@functools.cache
def _grid() -> npt.NDArray[np.float32]:
    """Metres, with one row beyond each pole and columns repeated past the seam, [723, 1443]."""
    source = files("keepclear.space") / "data" / "egm96-15.bin"
    if not source.is_file():
        raise UsageError("the geoid grid is not installed: run python build_geoid.py once in the checkout")
    raw = np.frombuffer(zlib.decompress(source.read_bytes()), dtype=np.uint8).reshape(2, -1)
    steps = (raw[0].astype(np.uint16) << 8) | raw[1]
    values = np.cumsum(steps, dtype=np.uint16).view(np.int16).reshape(_ROWS, _COLUMNS).astype(np.float32) / 100.0
    # Beyond a pole the grid goes on half a turn away.
    north, south = np.roll(values[1], _COLUMNS // 2), np.roll(values[-2], _COLUMNS // 2)
    tall = np.vstack([north, values, south])
    return np.ascontiguousarray(np.concatenate([tall[:, -1:], tall, tall[:, :2]], axis=1))

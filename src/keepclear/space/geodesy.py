"""Geodesics on WGS84 for arrays: distances, azimuths, destinations.

The inverse problem runs compiled (:mod:`keepclear.space.kernels.geodesy`): within 1 mm of the exact length, also
for nearly antipodal pairs. The direct problem goes to GeographicLib where speed does not matter.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FLATTENING", "MEAN_RADIUS_M", "SEMI_MAJOR_AXIS_M", "destination", "distance_m"]

SEMI_MAJOR_AXIS_M = 6378137.0
"""WGS84 (NGA.STND.0036, table 3.1)"""
FLATTENING = 1.0 / 298.257223563
"""WGS84 (NGA.STND.0036, table 3.1)"""
MEAN_RADIUS_M = 6371008.8
"""(2a + b)/3"""


def distance_m(
    lon1_deg: npt.ArrayLike, lat1_deg: npt.ArrayLike, lon2_deg: npt.ArrayLike, lat2_deg: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Geodesic lengths in metres; the arguments broadcast. NaN in, NaN out. Within 1 mm of the exact length."""
    from keepclear.space.kernels.lines import distances

    arrays: list[npt.NDArray[Any]] = np.broadcast_arrays(lon1_deg, lat1_deg, lon2_deg, lat2_deg)  # type: ignore[assignment]
    flat = [np.ascontiguousarray(a, dtype=np.float64).reshape(-1) for a in arrays]
    result: npt.NDArray[np.float64] = distances(*flat).reshape(arrays[0].shape)
    return result


def destination(lon_deg: float, lat_deg: float, azimuth_deg: float, length_m: float) -> tuple[float, float]:
    """Longitude in [-180, 180) and latitude at the end of a geodesic (GeographicLib, within 15 nm of exact)."""
    from geographiclib.geodesic import Geodesic

    line = Geodesic.WGS84.Direct(lat_deg, lon_deg, azimuth_deg, length_m)
    lon = float(line["lon2"])
    return (math.fmod(lon + 540.0, 360.0) - 180.0 if not -180.0 <= lon < 180.0 else lon, float(line["lat2"]))

"""Is a sensor's frame turned? Its bearings against those of traffic known otherwise (requirement R2.5).

A sensor that was moved and not realigned shows every target at the right range and at a wrong bearing, all by the
same angle. Pairs of reports are found by the target's label where both know it, and otherwise by the range: a
sensor's track and a known one belong together when their ranges agree all the time and their bearings differ by
one constant angle. The angle may be anything from 0° to 360°.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.errors import UsageError
from keepclear.feeds.reports import Floats, Labels, ReportBatch

__all__ = ["BearingBias", "BearingVerdict", "estimate_bearing_bias"]

EARTH_RADIUS_M = 6_371_008.8
SENSOR_REPORTS_MAX = 20_000
"""Sensor reports looked at, evenly thinned: more do not sharpen the answer, and the work stays bounded."""
INLIER_DEG = 5.0
"""Pairs further than this from the most frequent angle are outliers: garbled plots, wrong pairs."""
TRACK_AGREEMENT = 0.8
"""Share of a track's reports whose range must agree with a known one's, where no label says that they are the same."""
TRACK_REPORTS_MIN = 5
UNLABELLED_TRACKS_MIN = 3
"""Without labels one track's ranges may agree by chance; three at the same angle do not."""
FLOOR_DEG = 0.05
"""The interval is never narrower to each side: bearings of plots come in steps of about this size."""
# Student's t, 97.5 %, for 1 … 30 degrees of freedom (any statistical table).
_T975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


class BearingVerdict(StrEnum):
    OK = "OK"
    """the whole interval lies within the tolerance"""
    MISALIGNED = "MISALIGNED"
    """the whole interval lies outside the tolerance"""
    UNDETERMINED = "UNDETERMINED"
    """too few pairs, or the interval straddles the tolerance: never to be read as OK"""


@dataclass(frozen=True, slots=True)
class BearingBias:
    """``bias_deg``: the sensor's bearing minus the true one, (-180, 180]; add its negative to mend the sensor."""

    bias_deg: float
    interval_deg: tuple[float, float]
    """95 %: lower and upper end, not wrapped, so lower ≤ bias ≤ upper; both ``nan`` where nothing was found"""
    pairs: int
    """reports that agree on the angle"""
    targets: int
    """targets that they are of"""
    verdict: BearingVerdict


def estimate_bearing_bias(
    sensor: ReportBatch,
    known: ReportBatch,
    sensor_lat_deg: float,
    sensor_lon_deg: float,
    *,
    tolerance_deg: float = 2.0,
    pairs_min: int = 20,
    range_tolerance_m: float = 1000.0,
    range_min_m: float = 2000.0,
    gap_max_s: float = 30.0,
) -> BearingBias:
    """The angle by which the sensor's frame is turned, with its 95 % interval and a verdict.

    ``sensor`` holds the positions as the sensor computed them from its own place and frame, ``known`` the same
    sky from elsewhere (ADS-B, another radar). A known track is interpolated between reports at most ``gap_max_s``
    apart. Targets nearer than ``range_min_m`` are left out: there a small position error is a large angle.
    Raises :class:`UsageError` for a place not on Earth or limits that are not positive.
    """
    if not (-90.0 <= sensor_lat_deg <= 90.0 and -360.0 <= sensor_lon_deg <= 360.0):
        raise UsageError(f"the sensor's place ({sensor_lat_deg}, {sensor_lon_deg}) is not on Earth")
    if not (0.0 < tolerance_deg < 180.0 and pairs_min >= 1 and min(range_tolerance_m, range_min_m, gap_max_s) > 0.0):
        raise UsageError("tolerance, number of pairs, ranges and gap must be positive")
    if len(sensor) > SENSOR_REPORTS_MAX:
        sensor = sensor.take(np.linspace(0, len(sensor) - 1, SENSOR_REPORTS_MAX).astype(np.int64))
    frame = _Frame(sensor_lat_deg, sensor_lon_deg)
    range_m, bearing_deg = frame.polar(_unit(sensor.lat_deg, sensor.lon_deg))
    far = range_m >= range_min_m
    sensor, range_m, bearing_deg = sensor.take(far), range_m[far], bearing_deg[far]

    names = {name: code for code, name in enumerate(sensor.target.names)}
    angles: list[Floats] = []
    owners: list[npt.NDArray[np.int64]] = []
    guesses: list[tuple[int, float, Floats]] = []  # sensor target, angle, its pairs' angles
    for name, rows in _tracks(known):
        known_range_m, known_bearing_deg = frame.polar(_interpolated(known, rows, sensor.time_s, gap_max_s))
        near = np.abs(known_range_m - range_m) <= range_tolerance_m  # nan: no known position then
        seen = np.isfinite(known_range_m)
        turn = (bearing_deg - known_bearing_deg) % 360.0
        code = names.get(name, -2)
        labelled = near & (sensor.target.codes == code)
        if labelled.any():
            angles.append(turn[labelled])
            owners.append(np.full(np.count_nonzero(labelled), code, dtype=np.int64))
        guesses.extend(_agreeing(sensor.target, near, seen, turn))

    if sum(map(len, angles)) < pairs_min:
        chosen = _most_agreed(guesses)
        angles = [pair[2] for pair in chosen]
        owners = [np.full(len(pair[2]), pair[0], dtype=np.int64) for pair in chosen]
    if not angles:
        return _undetermined(0, 0)
    return _judge(np.concatenate(angles), np.concatenate(owners), tolerance_deg, pairs_min)


class _Frame:
    """Ranges and bearings from one place, on the sphere: the same for both sides, so the flattening cancels."""

    def __init__(self, lat_deg: float, lon_deg: float) -> None:
        lat, lon = math.radians(lat_deg), math.radians(lon_deg)
        self._up = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
        self._east = np.array([-math.sin(lon), math.cos(lon), 0.0])
        self._north = np.cross(self._up, self._east)

    def polar(self, units: Floats) -> tuple[Floats, Floats]:
        """Ground range (m) and bearing (degrees) of unit vectors (n, 3)."""
        east, north, up = units @ self._east, units @ self._north, units @ self._up
        return EARTH_RADIUS_M * np.arctan2(np.hypot(east, north), up), np.degrees(np.arctan2(east, north)) % 360.0


def _unit(lat_deg: Floats, lon_deg: Floats) -> Floats:
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def _tracks(known: ReportBatch) -> list[tuple[str, npt.NDArray[np.int64]]]:
    """The known tracks: name and rows in order of time; targets without a label and single reports are left out."""
    order = np.lexsort((known.time_s, known.target.codes))
    codes = known.target.codes[order]
    starts = np.flatnonzero(np.diff(codes, prepend=np.int32(-9))) if len(codes) else np.empty(0, dtype=np.int64)
    parts = np.split(order, starts[1:])
    return [(known.target.at(int(rows[0])), rows) for rows in parts if len(rows) > 1 and known.target.at(int(rows[0]))]


def _interpolated(known: ReportBatch, rows: npt.NDArray[np.int64], time_s: Floats, gap_max_s: float) -> Floats:
    """Unit vectors (n, 3) of a known track at the given instants; ``nan`` outside it and in its gaps."""
    at = known.time_s[rows]
    after = np.clip(np.searchsorted(at, time_s), 1, len(at) - 1)
    before = after - 1
    span = at[after] - at[before]
    good = (time_s >= at[before]) & (time_s <= at[after]) & (span <= gap_max_s) & (span > 0.0)
    weight = np.where(good, (time_s - at[before]) / np.where(span > 0.0, span, 1.0), np.nan)[:, None]
    units = _unit(known.lat_deg[rows], known.lon_deg[rows])
    mixed: Floats = units[before] * (1.0 - weight) + units[after] * weight
    return mixed


def _agreeing(
    targets: Labels, near: npt.NDArray[np.bool_], seen: npt.NDArray[np.bool_], turn: Floats
) -> list[tuple[int, float, Floats]]:
    """The sensor's tracks whose range agrees with this known track's all along, at one constant angle."""
    named = targets.codes >= 0
    size = len(targets.names)
    together = np.bincount(targets.codes[seen & named], minlength=size)
    agreed = np.bincount(targets.codes[near & named], minlength=size)
    found: list[tuple[int, float, Floats]] = []
    for code in np.flatnonzero((agreed >= TRACK_REPORTS_MIN) & (agreed >= TRACK_AGREEMENT * together)).tolist():
        its = turn[near & (targets.codes == code)]
        middle = _circular_median(its)
        if np.mean(np.abs(_wrapped(its - middle)) <= INLIER_DEG) >= TRACK_AGREEMENT:
            found.append((code, middle, its))
    return found


def _most_agreed(guesses: list[tuple[int, float, Floats]]) -> list[tuple[int, float, Floats]]:
    """The pairs of tracks at the angle that most sensor targets share; none where a second angle is nearly as good."""
    if not guesses:
        return []
    middles = np.array([g[1] for g in guesses])
    codes = np.array([g[0] for g in guesses])
    close = np.abs(_wrapped(middles[:, None] - middles[None, :])) <= INLIER_DEG
    support = np.array([len(set(codes[row].tolist())) for row in close])
    best = int(np.argmax(support))
    apart = np.abs(_wrapped(middles - middles[best])) > 2.0 * INLIER_DEG
    rival = int(support[apart].max()) if apart.any() else 0
    if support[best] < UNLABELLED_TRACKS_MIN or support[best] < 2 * rival:
        return []
    return [guesses[i] for i in np.flatnonzero(close[best]).tolist()]


def _judge(angles: Floats, owners: npt.NDArray[np.int64], tolerance_deg: float, pairs_min: int) -> BearingBias:
    """The centre of the densest stretch of angles, its interval from target to target, and the verdict."""
    centre = _densest(angles)
    rest = _wrapped(angles - centre)
    inside = np.abs(rest) <= INLIER_DEG
    rest, owners = rest[inside], owners[inside]
    codes = np.unique(owners)
    if len(rest) < pairs_min or 2 * len(rest) <= len(angles):
        return _undetermined(len(rest), len(codes))
    # Errors of one target hang together (its own position bias), so targets are what is counted.
    medians = np.array([np.median(rest[owners == code]) for code in codes])
    middle = float(np.median(rest)) if len(codes) < 3 else float(np.mean(medians))
    if len(codes) >= 3:
        freedom = len(codes) - 1
        half = _T975[min(freedom, len(_T975)) - 1] * float(np.std(medians, ddof=1)) / math.sqrt(len(codes))
    else:
        half = 1.96 * 1.4826 * float(np.median(np.abs(rest - middle)))
    half = max(half, FLOOR_DEG)
    bias = float(_wrapped(np.array([centre + middle]))[0])
    if bias == -180.0:
        bias = 180.0
    if abs(bias) + half <= tolerance_deg:
        verdict = BearingVerdict.OK
    elif abs(bias) - half > tolerance_deg:
        verdict = BearingVerdict.MISALIGNED
    else:
        verdict = BearingVerdict.UNDETERMINED
    return BearingBias(bias, (bias - half, bias + half), len(rest), len(codes), verdict)


def _undetermined(pairs: int, targets: int) -> BearingBias:
    return BearingBias(math.nan, (math.nan, math.nan), pairs, targets, BearingVerdict.UNDETERMINED)


def _wrapped(angles_deg: npt.NDArray[Any]) -> Floats:
    """Into [-180, 180)."""
    wrapped: Floats = (np.asarray(angles_deg, dtype=np.float64) + 180.0) % 360.0 - 180.0
    return wrapped


def _densest(angles: Floats) -> float:
    """The angle with most others within half of :data:`INLIER_DEG` to each side, refined to their median."""
    ordered = np.sort(angles % 360.0)
    twice = np.concatenate([ordered, ordered + 360.0])
    ends = np.searchsorted(twice, ordered + INLIER_DEG, side="right")
    first = int(np.argmax(ends - np.arange(len(ordered))))
    return float(np.median(twice[first : ends[first]])) % 360.0


def _circular_median(angles: Floats) -> float:
    """The median around the densest stretch: one angle, whatever the outliers do."""
    centre = _densest(angles)
    return (centre + float(np.median(_wrapped(angles - centre)))) % 360.0

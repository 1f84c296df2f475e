"""Encounters between the tracks of the live picture: who is, or within the look-ahead will be, too close to whom."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from keepclear.detection.situation import SituationBatch, Verdict
from keepclear.detection.thresholds import RADAR_SEPARATION, Thresholds
from keepclear.errors import InputError
from keepclear.feeds.reports import Floats, ReportBatch, TargetDomain, dense_column
from keepclear.tracks.picture import Picture, TrackStatus

__all__ = ["RADIUS_95", "encounters", "loss_probability", "stated_accuracy_m", "velocity"]

LOOK_AHEAD_LIMIT_S = 1800.0
"""Nobody flies straight for half an hour, and the local metric is good to metres up to here only."""
ACCURACY_LIMIT_M = 10.0 * 1852.0
"""NACp 0 of DO-260B: an accuracy of 10 NM and more means «not known»."""
AGE_LIMIT_S = 300.0
"""A position older than this is not carried further forward: it says nothing about now."""
RADIUS_95 = math.sqrt(-2.0 * math.log(0.05))
"""95 % radius of a circular Gaussian, in standard deviations of one axis (2.448)."""


def encounters(
    picture: Picture, thresholds: Thresholds | Sequence[Thresholds] = RADAR_SEPARATION, look_ahead_s: float = 120.0
) -> SituationBatch:
    """Every unordered pair of airborne tracks that loses separation now or within ``look_ahead_s`` seconds.

    Motion is straight ahead at constant speed on WGS84, from each track's newest report carried to ``now_s``;
    the answer is exact for it (no instants are sampled). Vertical distance is taken between barometric altitudes,
    or between geometric ones where a pair has no two barometric; never between the two kinds: a pair with neither
    is INDETERMINATE and its vertical distance nan. INDETERMINATE is also a threshold within the accuracy of the
    distance. ``confidence`` is the probability that the closest approach is inside the horizontal threshold (the
    distance Gaussian); nan where neither track states an accuracy. Rows are ordered by threshold, then pair.
    Stale and ended tracks are not paired: where they are is not known, and carried on they would meet traffic that
    appears where they have landed. Nor are tracks that stand on the ground, of ships or vehicles, or of one target.

    Raises :class:`InputError` for a look-ahead outside [0, 1800] s.
    """
    if not 0.0 <= look_ahead_s <= LOOK_AHEAD_LIMIT_S:
        raise InputError(f"look-ahead {look_ahead_s} s is not between 0 and {LOOK_AHEAD_LIMIT_S:.0f} s")
    wanted = [thresholds] if isinstance(thresholds, Thresholds) else list(thresholds)
    flying = np.flatnonzero(
        (picture.status == TrackStatus.LIVE)
        & (picture.reports.on_ground != 1)
        & (picture.reports.domain != TargetDomain.GROUND)
        & (picture.reports.domain != TargetDomain.SEA)
    )
    if len(flying) < 2 or not wanted:
        return SituationBatch.build(0)
    return _join([_situations(picture, flying, one, look_ahead_s) for one in wanted])


def _situations(
    picture: Picture, rows: npt.NDArray[np.intp], thresholds: Thresholds, look_ahead_s: float
) -> SituationBatch:
    from keepclear.detection.kernels.pairs import UNKNOWN, find_pairs

    reports = picture.reports if len(rows) == len(picture.status) else picture.reports.take(rows)
    east, north = velocity(reports)
    accuracy = stated_accuracy_m(reports)
    age = np.clip(np.nan_to_num(picture.now_s - reports.time_s), 0.0, AGE_LIMIT_S)
    found = find_pairs(
        reports.lat_deg, reports.lon_deg, reports.altitude_baro_m, east, north,
        reports.vertical_rate_mps.astype(np.float64), thresholds.horizontal_m, thresholds.vertical_m, look_ahead_s,
        tau_s=thresholds.tau_s, altitude_geo_m=reports.altitude_geo_m, age_s=age,
        accuracy_m=np.nan_to_num(accuracy), target=reports.target.codes.astype(np.int64),
    )  # fmt: skip
    n = len(found.i)
    doubtful = found.datum == UNKNOWN
    verdict = np.full(n, Verdict.INDETERMINATE, np.uint8)
    verdict[(found.certain == 1.0) & (found.wide_now == 0.0)] = Verdict.PREDICTED
    verdict[found.certain == 2.0] = Verdict.ACTUAL
    only_wide = np.isnan(found.enter_s)
    enter = np.where(only_wide, found.wide_enter_s, found.enter_s)
    leave = np.where(only_wide, found.wide_leave_s, found.leave_s)
    keys = picture.key[rows]
    first, second = keys[found.i], keys[found.j]
    place = np.where(first < second, found.i, found.j)
    lon, lat = _ahead(reports, east, north, place, age[place] + found.cpa_s)
    stated = ~(np.isnan(accuracy[found.i]) & np.isnan(accuracy[found.j]))
    confidence = np.where(
        stated, loss_probability(found.cpa_horizontal_m, found.accuracy_m, thresholds.horizontal_m), np.nan
    )
    return SituationBatch.build(
        n,
        kind=np.uint8(thresholds.kind),
        track=np.minimum(first, second),
        other=np.maximum(first, second),
        verdict=verdict,
        confidence=confidence,
        time_to_s=enter,
        duration_s=leave - enter,
        at_lon_deg=lon,
        at_lat_deg=lat,
        horizontal_m=found.now_horizontal_m,
        vertical_m=np.where(doubtful, np.nan, found.now_vertical_m),
        cpa_s=found.cpa_s,
        cpa_horizontal_m=found.cpa_horizontal_m,
        cpa_vertical_m=np.where(doubtful, np.nan, found.cpa_vertical_m),
    )


def velocity(reports: ReportBatch) -> tuple[Floats, Floats]:
    """(east, north) in m/s; nan where the report gives no motion."""
    from keepclear.detection.kernels.velocity import velocities  # compiled code is loaded on first use only

    east, north = velocities(dense_column(reports.ground_speed_mps), dense_column(reports.track_deg))
    return east, north


def stated_accuracy_m(reports: ReportBatch) -> Floats:
    """95 % radius, nan where not stated or stated as worthless."""
    accuracy = reports.accuracy_m.astype(np.float64)
    usable: Floats = np.where((accuracy >= 0.0) & (accuracy < ACCURACY_LIMIT_M), accuracy, np.nan)
    return usable


def loss_probability(distance_m: Floats, accuracy_m: Floats, threshold_m: float) -> Floats:
    """Probability that a distance with this 95 % radius is below the threshold, Gaussian along the line."""
    from math import erf

    sigma = np.maximum(accuracy_m / RADIUS_95, 1e-9)
    deviations = np.clip((threshold_m - distance_m) / sigma, -40.0, 40.0) / math.sqrt(2.0)
    return np.array([0.5 * (1.0 + erf(d)) for d in deviations.tolist()])


def _ahead(
    reports: ReportBatch, east: Floats, north: Floats, rows: npt.NDArray[np.int64], seconds: Floats
) -> tuple[Floats, Floats]:
    """(lon, lat) of the chosen rows so many seconds later."""
    from keepclear.detection.kernels.positions import carried_positions

    lon, lat = carried_positions(
        reports.lat_deg[rows], reports.lon_deg[rows], np.nan_to_num(east[rows]), np.nan_to_num(north[rows]), seconds
    )
    return lon, lat


def _join(parts: list[SituationBatch]) -> SituationBatch:
    if len(parts) == 1:
        return parts[0]
    n = sum(len(part) for part in parts)
    names = SituationBatch.__slots__
    return SituationBatch.build(n, **{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})

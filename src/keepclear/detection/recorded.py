"""Encounters in an archive: every loss of separation between recorded tracks, with its closest approach."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from keepclear.detection.encounter import loss_probability, stated_accuracy_m
from keepclear.detection.situation import Verdict
from keepclear.detection.thresholds import RADAR_SEPARATION, Thresholds
from keepclear.errors import InputError
from keepclear.feeds.reports import Floats, TargetDomain
from keepclear.tracks.table import ReportFlag, TrackTable

if TYPE_CHECKING:
    import pyarrow as pa

    from keepclear.detection.kernels.scratch import Scratch

__all__ = ["HYSTERESIS", "EncounterTable", "encounters_recorded"]

HYSTERESIS = 1.1
"""An encounter ends only when the distances exceed the thresholds by this factor, so that a dip is one."""
SLAB_S_MIN, SLAB_S_MAX = 5.0, 120.0
"""Shorter slabs cost more than they spare; longer ones make a straight line leave the Earth's curve."""
JOIN_S = 1e-5
"""Two spans of time that meet within rounding (POSIX seconds in 64 bits) are one."""
DATUMS = ("UNKNOWN", "STD", "WGS84")


@dataclass(frozen=True, slots=True)
class EncounterTable:
    """Columns of equal length, ordered by (track_a, track_b, entry); one row is one contiguous loss of separation.

    Times are POSIX seconds. ``entry_time_s`` and ``exit_time_s`` are at the nominal thresholds, or at those widened
    by the accuracies where only these are lost.
    """

    track_a: npt.NDArray[np.int64]
    """row of the track in the track table"""
    track_b: npt.NDArray[np.int64]
    """larger than track_a"""
    track_id_a: tuple[str, ...]
    track_id_b: tuple[str, ...]
    verdict: npt.NDArray[np.uint8]
    """ACTUAL, or INDETERMINATE where the threshold lies within the accuracy or no datum is common to both"""
    confidence: Floats
    """probability that the closest approach was inside the horizontal threshold; nan where no accuracy is stated"""
    entry_time_s: Floats
    exit_time_s: Floats
    entry_observed: npt.NDArray[np.bool_]
    """False where the loss had begun before both were observed (a track's beginning or a gap)"""
    exit_observed: npt.NDArray[np.bool_]
    cpa_time_s: Floats
    """the least horizontal distance while separation was lost"""
    cpa_horizontal_m: Floats
    cpa_vertical_m: Floats
    """nan: no common datum"""
    datum: npt.NDArray[np.uint8]
    """of the vertical distance: index into ("UNKNOWN", "STD", "WGS84")"""
    a_lon_deg: Floats
    a_lat_deg: Floats
    a_altitude_m: Floats
    """of the row's datum"""
    b_lon_deg: Floats
    b_lat_deg: Floats
    b_altitude_m: Floats
    coverage: Floats
    """share of the time common to both tracks in which both were observed"""

    def __len__(self) -> int:
        return len(self.track_a)

    def to_arrow(self) -> pa.Table:
        """As an Arrow table: verdict and datum by name, times as UTC timestamps in microseconds."""
        import pyarrow as pa

        columns: dict[str, Any] = {}
        for f in fields(self):
            column = getattr(self, f.name)
            if f.name in ("track_a", "track_b"):
                continue
            if f.name.endswith("time_s"):
                instants = np.round(column * 1e6).astype(np.int64)
                columns[f.name.removesuffix("_s")] = pa.array(instants, pa.timestamp("us", tz="UTC"))
            elif f.name == "verdict":
                columns[f.name] = pa.array([Verdict(v).name for v in column.tolist()], pa.string())
            elif f.name == "datum":
                columns[f.name] = pa.array([DATUMS[d] for d in column.tolist()], pa.string())
            elif isinstance(column, tuple):
                columns[f.name] = pa.array(column, pa.string())
            else:
                columns[f.name] = pa.array(column, from_pandas=True)
        return pa.table(columns)


def encounters_recorded(
    table: TrackTable, thresholds: Thresholds = RADAR_SEPARATION, *, hysteresis: float = HYSTERESIS
) -> EncounterTable:
    """Every loss of separation between two airborne tracks of the table, one row each.

    Tracks are straight, at constant speed, between reports; nothing is joined across a gap or into an impossible
    jump. The times are exact for these lines, not sampled. Vertical distance is taken between barometric altitudes,
    else between geometric ones, never across. Tracks of one target are not paired. Cost grows as n log n plus the
    close pairs.

    Raises :class:`InputError` for a hysteresis outside [1, 2].
    """
    from keepclear.detection.kernels.scratch import scratch

    if not 1.0 <= hysteresis <= 2.0:
        raise InputError(f"hysteresis {hysteresis} is not a factor between 1 and 2")
    if len(table.reports) < 2 or len(table) < 2:
        return _empty()
    with scratch() as room:
        return _encounters(table, thresholds, hysteresis, room)


def _encounters(table: TrackTable, thresholds: Thresholds, hysteresis: float, room: Scratch) -> EncounterTable:
    from keepclear.detection.kernels.candidates import candidates, gather_discs
    from keepclear.detection.kernels.pairs import GEO, UNKNOWN
    from keepclear.detection.kernels.pool import in_blocks
    from keepclear.detection.kernels.positions import positions_between
    from keepclear.detection.kernels.recorded import (
        ENTRY,
        count_entries,
        earth_centred,
        entries,
        entry_discs,
        judge_recorded,
        number_tracks,
        observed_together,
        stitch,
    )
    from keepclear.detection.kernels.sweep import SPAN

    reports = table.reports
    n = len(reports)
    epoch_s = float(reports.time_s.min())
    time = np.subtract(reports.time_s, epoch_s, out=room.take("time", n, np.float64))
    track = room.take("track", n, np.int64)
    number_tracks(table.start, track)
    usable = _usable(table, track, time)
    xyz = room.take("xyz", (n, 3), np.float64)
    in_blocks(lambda a, b: earth_centred(a, b, reports.lat_deg, reports.lon_deg, xyz), n, 10_000, 1)
    slab_s = _slab(time, xyz, usable, thresholds)
    accuracy = stated_accuracy_m(reports)
    margin = np.nan_to_num(accuracy)
    first = np.minimum(table.start[:-1], n - 1)
    target = reports.target.codes[first].astype(np.int64)
    baro, geo = reports.altitude_baro_m, reports.altitude_geo_m
    separations = (thresholds.horizontal_m, thresholds.vertical_m, thresholds.tau_s, 0.0)
    m = count_entries(track, time, usable, slab_s)
    if m < 2:
        return _empty()
    stretches = room.take("stretches", (m, ENTRY), np.int64)
    entries(track, time, usable, slab_s, stretches)
    disc, reach = room.take("disc", (m, 8), np.float32), room.take("reach", m, np.float64)
    angle = room.take("angle", (2, m), np.float64)
    in_blocks(
        lambda a, b: entry_discs(
            a, b, stretches, time, xyz, usable, baro, margin, slab_s, separations, disc, reach, angle
        ), m, 2_000, 1,
    )  # fmt: skip
    found = candidates(
        partial(gather_discs, disc), SPAN, reach, angle[0], angle[1],
        lambda p, q, a, b: judge_recorded(
            p, q, a.ids, b.ids, stretches, time, xyz, usable, baro, geo, margin, target, slab_s, separations,
            hysteresis,
        ),
        room, disc=disc,
    )  # fmt: skip
    left, right = np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])
    piece = np.concatenate([f[2] for f in found])
    order = np.lexsort((piece[:, 0], right, left))
    left, right, piece = left[order], right[order], piece[order]
    row, entry, leave, certain, entry_seen, exit_seen = stitch(left, right, piece, JOIN_S)
    closest = piece[row]
    a, b = left[row], right[row]
    at_a, at_b = closest[:, 13].astype(np.int64), closest[:, 14].astype(np.int64)
    a_lon, a_lat, a_part = positions_between(xyz, time, at_a, closest[:, 7])
    b_lon, b_lat, b_part = positions_between(xyz, time, at_b, closest[:, 7])
    datum = closest[:, 10].astype(np.uint8)

    def altitude(at: npt.NDArray[np.int64], part: Floats) -> Floats:
        chosen: Floats = np.where(
            datum == GEO, geo[at] + part * (geo[at + 1] - geo[at]), baro[at] + part * (baro[at + 1] - baro[at])
        )
        return chosen

    margin_a, margin_b = np.maximum(margin[at_a], margin[at_a + 1]), np.maximum(margin[at_b], margin[at_b + 1])
    stated = ~(np.isnan(accuracy[at_a]) & np.isnan(accuracy[at_b]))
    probability = loss_probability(closest[:, 8], np.hypot(margin_a, margin_b), thresholds.horizontal_m)
    return EncounterTable(
        track_a=a,
        track_b=b,
        track_id_a=tuple(table.track_id[k] for k in a.tolist()),
        track_id_b=tuple(table.track_id[k] for k in b.tolist()),
        verdict=np.where(certain, np.uint8(Verdict.ACTUAL), np.uint8(Verdict.INDETERMINATE)),
        confidence=np.where(stated, probability, np.nan),
        entry_time_s=entry + epoch_s,
        exit_time_s=leave + epoch_s,
        entry_observed=entry_seen,
        exit_observed=exit_seen,
        cpa_time_s=closest[:, 7] + epoch_s,
        cpa_horizontal_m=closest[:, 8],
        cpa_vertical_m=np.where(datum == UNKNOWN, np.nan, closest[:, 9]),
        datum=datum,
        a_lon_deg=a_lon,
        a_lat_deg=a_lat,
        a_altitude_m=altitude(at_a, a_part),
        b_lon_deg=b_lon,
        b_lat_deg=b_lat,
        b_altitude_m=altitude(at_b, b_part),
        coverage=observed_together(a, b, table.start, time, usable),
    )


def _usable(table: TrackTable, track: npt.NDArray[np.int64], time: Floats) -> npt.NDArray[np.bool_]:
    """Is a report joined to the next one by a line that an aircraft flew?"""
    reports = table.reports
    here, following = slice(None, -1), slice(1, None)
    whole = np.isfinite(reports.lat_deg) & np.isfinite(reports.lon_deg)
    whole &= (reports.domain != TargetDomain.GROUND) & (reports.domain != TargetDomain.SEA)
    broken = (table.flags & (ReportFlag.GAP_BEFORE | ReportFlag.IMPOSSIBLE_JUMP)) != 0
    grounded = reports.on_ground == 1
    usable = np.zeros(len(time), np.bool_)
    usable[here] = (
        (track[here] == track[following])
        & (time[following] > time[here])
        & whole[here]
        & whole[following]
        & ~broken[following]
        & ~(grounded[here] & grounded[following])
    )
    return usable


def _slab(time: Floats, xyz: Floats, usable: npt.NDArray[np.bool_], thresholds: Thresholds) -> float:
    """Seconds a slab: about what an aircraft needs to fly the threshold, where the work is least."""
    rows = np.flatnonzero(usable)
    if not len(rows):
        return SLAB_S_MAX
    rows = rows[:: max(1, len(rows) // 10_000)]
    span = time[rows + 1] - time[rows]
    speed = np.linalg.norm(xyz[rows + 1] - xyz[rows], axis=1) / span
    flown = thresholds.horizontal_m / max(1.0, float(np.percentile(speed, 75)))
    return float(np.clip(max(flown, 2.0 * float(np.median(span))), SLAB_S_MIN, SLAB_S_MAX))


def _empty() -> EncounterTable:
    numbers: dict[str, Any] = {"verdict": np.uint8, "datum": np.uint8, "track_a": np.int64, "track_b": np.int64}
    numbers |= {"entry_observed": np.bool_, "exit_observed": np.bool_}
    columns: dict[str, Any] = {}
    for f in fields(EncounterTable):
        columns[f.name] = () if f.name.startswith("track_id") else np.empty(0, numbers.get(f.name, np.float64))
    return EncounterTable(**columns)

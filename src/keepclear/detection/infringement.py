"""Recorded infringements: which tracks were where they must not be, from when to when, how deep, how surely.

Entry and exit are computed on the segments between reports, never by checking points. One row is one violation: a
short dip out and in again, and a gap in the record while inside, do not make two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.detection.activity import Activity, activity
from keepclear.detection.deepest import Deepest, deepest
from keepclear.detection.exemption import find_exemption
from keepclear.detection.infringement_table import InfringementTable, empty, joined
from keepclear.detection.prepared import PreparedLayer, PreparedZones, prepare
from keepclear.detection.situation import SituationKind, Verdict
from keepclear.detection.stay_reports import (
    altitude_sure,
    callsigns,
    heights,
    nearest_report,
    observed_s,
    paths_of,
    place_at,
)
from keepclear.detection.stays import Stays, cut_to_force, merged, overlapping
from keepclear.detection.subjects import binds
from keepclear.feeds.reports import Floats, ReportBatch
from keepclear.quantities import Datum
from keepclear.space.index import Visits
from keepclear.tracks.altitude import AltitudeAssumptions, altitudes_in
from keepclear.tracks.table import ReportFlag, TrackTable
from keepclear.zones.model import ZoneType
from keepclear.zones.zone_set import ZoneSet

__all__ = ["RAYLEIGH_95", "InfringementTable", "ScanSettings", "find_infringements"]

RAYLEIGH_95 = 2.4477
"""95 % of a circular normal error lies within 2.4477 σ (√(−2 ln 0.05)); stated accuracies are such radii."""
MARGIN_MAX_M = 18_520.0
"""A stated error beyond 10 NM does not widen the search any further: such a position says nothing about a border."""
MERGE_GAP_S = 300.0
"""Out of a zone (or unseen) for less than this is the same violation. Five minutes: a turn at a border, a dip."""


@dataclass(frozen=True, slots=True)
class ScanSettings:
    assume_active: bool = False
    """judge every zone as if it had been in force throughout"""
    unrestricted: bool = False
    """also say who was inside zones that forbid nothing"""
    merge_gap_s: float = MERGE_GAP_S
    assumptions: AltitudeAssumptions = field(default_factory=AltitudeAssumptions)
    parties: Mapping[str, str] | None = None
    """target → party, for zones that bind named parties"""


def find_infringements(table: TrackTable, zones: ZoneSet, settings: ScanSettings | None = None) -> InfringementTable:
    """Every violation of ``zones`` in ``table``."""
    settings = settings or ScanSettings()
    reports = table.reports
    if not len(reports) or not len(zones):
        return joined([])
    in_force = activity(
        zones, float(reports.time_s.min()), float(reports.time_s.max()) + 1.0,
        assume_active=settings.assume_active, unrestricted=settings.unrestricted,
    )  # fmt: skip
    accuracy_m = float(np.nanmax(reports.accuracy_m, initial=0.0))
    prepared = prepare(
        zones,
        assumptions=settings.assumptions,
        margin_m=min(accuracy_m, MARGIN_MAX_M),
        limits_s=in_force.envelope(),
    )
    found = [_in_layer(layer, prepared, table, in_force, settings) for layer in prepared.layers]
    return joined([part for part in found if len(part)])


def _in_layer(
    layer: PreparedLayer, prepared: PreparedZones, table: TrackTable, in_force: Activity, settings: ScanSettings
) -> InfringementTable:
    table, track_number = _bound_reports(layer, table)
    reports = table.reports
    if not len(reports):
        return empty()
    if layer.frame is Datum.UNBOUNDED:
        low = high = np.full(len(reports), np.nan)
    else:
        low, high = altitudes_in(reports, layer.frame, settings.assumptions)
    broken = (table.flags & (ReportFlag.GAP_BEFORE | ReportFlag.IMPOSSIBLE_JUMP)) != 0

    def stays(index: Any, exact_row: npt.NDArray[np.int32] | None) -> Stays:
        visits: Visits = index.visits(reports.lon_deg, reports.lat_deg, low, high, reports.time_s, table.start, broken)
        row = visits.outline_row if exact_row is None else exact_row[visits.outline_row]
        cut = cut_to_force(Stays(
            visits.track.astype(np.int64), row.astype(np.int32), visits.enter_s, visits.exit_s,
            visits.entered.astype(bool), visits.left.astype(bool), visits.inside_s,
        ), layer.zone, in_force)  # fmt: skip
        return merged(cut, layer.zone, settings.merge_gap_s)

    found = stays(layer.exact, None)
    if layer.near is not None:
        close = stays(layer.near, layer.near_row)
        close = close.take(~overlapping(close, found, layer.zone))
        found = Stays(**{
            f.name: np.concatenate([getattr(found, f.name), getattr(close, f.name)]) for f in fields(Stays)
        })  # fmt: skip
    return _judge(found, layer, prepared, table, track_number, (low, high), in_force, settings)


def _bound_reports(layer: PreparedLayer, table: TrackTable) -> tuple[TrackTable, npt.NDArray[np.int32]]:
    """The reports of targets that this layer's zones can bind, as a table, and each track's number in the whole."""
    bound = binds(layer.domains, table.reports)
    tracks = np.arange(len(table), dtype=np.int32)
    if bound is None:
        return table, tracks
    kept = np.concatenate(([0], np.cumsum(bound)))
    start = kept[table.start]
    rows = np.flatnonzero(bound)
    flags = table.flags[rows].copy()
    # Where reports were left out, no line may be drawn across the hole.
    follows = np.diff(rows, prepend=-1) != 1
    flags[follows] |= np.uint8(ReportFlag.GAP_BEFORE)
    used = np.diff(start) > 0
    starts = np.append(start[:-1][used], len(rows))
    ids = tuple(table.track_id[k] for k in np.flatnonzero(used))
    return TrackTable(table.reports.take(rows), starts, ids, flags, table.gap_s), tracks[used]


def _judge(
    stays: Stays,
    layer: PreparedLayer,
    prepared: PreparedZones,
    table: TrackTable,
    track_number: npt.NDArray[np.int32],
    altitude_m: tuple[Floats, Floats],
    in_force: Activity,
    settings: ScanSettings,
) -> InfringementTable:
    if not len(stays.row):
        return empty()
    reports = table.reports
    paths, covered = paths_of(stays, table)

    def depth_at(lon: Floats, lat: Floats, path: npt.NDArray[np.int64]) -> Floats:
        return layer.depth(lon, lat, stays.row[path])

    deep = deepest(paths, depth_at)
    zone = layer.zone[stays.row]
    report = nearest_report(deep, stays, table)
    error_m = np.hypot(
        np.nan_to_num(reports.accuracy_m[report].astype(np.float64)),
        np.array([z.accuracy_m for z in prepared.zones])[zone],
    )
    kept = np.flatnonzero((deep.depth_m >= 0.0) | (deep.depth_m > -error_m))
    stays, zone, report, error_m = stays.take(kept), zone[kept], report[kept], error_m[kept]
    deep = Deepest(*(getattr(deep, f.name)[kept] for f in fields(Deepest)))
    covered = tuple(column[kept] for column in covered)  # type: ignore[assignment]
    if not len(kept):
        return empty()

    sure = altitude_sure(layer, stays, covered, altitude_m)
    with np.errstate(divide="ignore", invalid="ignore"):
        confidence = np.where(error_m > 0.0, _normal_cdf(deep.depth_m * RAYLEIGH_95 / error_m), np.nan)
    subject_doubt = _subject_doubt(zone, report, reports, prepared.zones, settings)
    bound = subject_doubt != "not bound"
    doubt = np.full(len(kept), "", dtype=object)
    doubt[subject_doubt != ""] = subject_doubt[subject_doubt != ""]
    doubt[~sure] = "altitude"
    doubt[deep.depth_m < error_m] = "position"
    verdict = np.where(doubt == "", Verdict.ACTUAL, Verdict.INDETERMINATE).astype(np.uint8)

    lowest, highest, datum = heights(covered, reports)
    duration = stays.exit_s - stays.enter_s
    observed = observed_s(stays, table)
    coverage = np.where(duration > 0.0, np.clip(observed / np.where(duration > 0.0, duration, 1.0), 0.0, 1.0), 1.0)
    enter_lon, enter_lat = place_at(stays.enter_s, stays.track, table)
    exit_lon, exit_lat = place_at(stays.exit_s, stays.track, table)
    target, callsign = reports.target.take(report).strings(), callsigns(covered, reports)
    parties = settings.parties or {}
    finding = [
        find_exemption(prepared.zones[z], t, c, parties.get(t, ""))
        for z, t, c in zip(zone.tolist(), target, callsign, strict=True)
    ]
    kind = [
        SituationKind.SPILL_OVER if prepared.zones[z].type is ZoneType.THIRD_PARTY_TERRITORY else SituationKind.APW
        for z in zone.tolist()
    ]
    past_end = stays.exit_s > in_force.published_end_s[zone]
    rests_on = np.where(in_force.assumed, "assumed active", np.where(past_end, "estimated end", "")).astype(object)
    result = InfringementTable(
        track=track_number[stays.track], zone=zone, kind=np.array(kind, dtype=np.uint8), verdict=verdict,
        confidence=confidence.astype(np.float32), entry_s=stays.enter_s, exit_s=stays.exit_s,
        entry_seen=stays.entered, exit_seen=stays.left, entry_lon_deg=enter_lon, entry_lat_deg=enter_lat,
        exit_lon_deg=exit_lon, exit_lat_deg=exit_lat, lowest_m=lowest, highest_m=highest, altitude_datum=datum,
        depth_m=deep.depth_m, depth_lon_deg=deep.lon_deg, depth_lat_deg=deep.lat_deg, depth_s=deep.time_s,
        coverage=coverage, doubt=doubt, exempt=np.array([f.applies for f in finding], dtype=bool),
        exemption=np.array([f.text for f in finding], dtype=object), rests_on=rests_on,
    )  # fmt: skip
    return result.take(np.flatnonzero(bound))


def _subject_doubt(
    zone: npt.NDArray[np.int32],
    report: npt.NDArray[np.int64],
    reports: ReportBatch,
    zones: ZoneSet,
    settings: ScanSettings,
) -> npt.NDArray[np.object_]:
    from keepclear.detection.subjects import subject_doubt

    parties = settings.parties or {}
    doubts = np.full(len(zone), "", dtype=object)
    for k, number in enumerate(zone.tolist()):
        subject = zones[number].subject
        if subject.parties or subject.categories:
            row = int(report[k])
            party = parties.get(reports.target.at(row), "")
            doubts[k] = subject_doubt(subject, party, int(reports.category[row]))
    return doubts


def _normal_cdf(x: Floats) -> Floats:
    from math import erf, sqrt

    return np.array([0.5 * (1.0 + erf(v / sqrt(2.0))) for v in x.tolist()])

"""Recorded infringements: which tracks were where they must not be, from when to when, how deep, how surely.

Entry and exit are computed on the segments between reports, never by checking points. One row is one violation: a
short dip out and in again, and a gap in the record while inside, do not make two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from keepclear.detection.activity import Activity, activity
from keepclear.detection.deepest import Deepest, Paths, deepest
from keepclear.detection.exemption import find_exemption
from keepclear.detection.prepared import PreparedLayer, PreparedZones, prepare
from keepclear.detection.situation import SituationKind, Verdict
from keepclear.detection.subjects import binds
from keepclear.feeds.reports import Floats, ReportBatch
from keepclear.quantities import Datum
from keepclear.space.index import Visits
from keepclear.tracks.altitude import AltitudeAssumptions, altitudes_in
from keepclear.tracks.table import ReportFlag, TrackTable
from keepclear.zones.model import ZoneType
from keepclear.zones.zone_set import ZoneSet

if TYPE_CHECKING:
    import pyarrow as pa

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


@dataclass(frozen=True, slots=True)
class InfringementTable:
    """Columns of equal length, one row a violation, sorted by entry time."""

    track: npt.NDArray[np.int32]
    zone: npt.NDArray[np.int32]
    kind: npt.NDArray[np.uint8]
    verdict: npt.NDArray[np.uint8]
    confidence: npt.NDArray[np.float32]
    """probability of having been inside at the deepest place, from the stated accuracies; nan where none is stated"""
    entry_s: Floats
    exit_s: Floats
    entry_seen: npt.NDArray[np.bool_]
    """it was seen outside before; otherwise the record begins inside, and the entry is «no later than»"""
    exit_seen: npt.NDArray[np.bool_]
    entry_lon_deg: Floats
    entry_lat_deg: Floats
    exit_lon_deg: Floats
    exit_lat_deg: Floats
    lowest_m: Floats
    highest_m: Floats
    altitude_datum: npt.NDArray[np.uint8]
    """0 none, 1 STD (barometric), 2 WGS84 (geometric): the column the two heights were taken from, unconverted"""
    depth_m: Floats
    depth_lon_deg: Floats
    depth_lat_deg: Floats
    depth_s: Floats
    """the instant at which it was deepest"""
    coverage: Floats
    """share of the violation's duration that was observed"""
    doubt: npt.NDArray[np.object_]
    """what makes it INDETERMINATE: position, altitude, party, category; empty otherwise"""
    exempt: npt.NDArray[np.bool_]
    exemption: npt.NDArray[np.object_]
    rests_on: npt.NDArray[np.object_]
    """«assumed active», «estimated end» or nothing"""

    def __len__(self) -> int:
        return len(self.track)

    def take(self, rows: npt.NDArray[Any]) -> InfringementTable:
        return InfringementTable(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def to_arrow(self, table: TrackTable, zones: ZoneSet) -> pa.Table:
        """The rows as people and programs read them; column meanings in docs/reference/results.md."""
        from keepclear.detection.rows import infringement_rows

        return infringement_rows(self, table, zones)


def find_infringements(table: TrackTable, zones: ZoneSet, settings: ScanSettings | None = None) -> InfringementTable:
    """Every violation of ``zones`` in ``table``."""
    settings = settings or ScanSettings()
    reports = table.reports
    if not len(reports) or not len(zones):
        return _join([])
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
    return _join([part for part in found if len(part)])


def _join(parts: list[InfringementTable]) -> InfringementTable:
    if not parts:
        return _empty()
    columns = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(InfringementTable)}
    whole = InfringementTable(**columns)
    return whole.take(np.lexsort((whole.zone, whole.track, whole.entry_s)))


def _empty() -> InfringementTable:
    types: dict[str, Any] = {
        "track": np.int32, "zone": np.int32, "kind": np.uint8, "verdict": np.uint8, "confidence": np.float32,
        "entry_seen": np.bool_, "exit_seen": np.bool_, "altitude_datum": np.uint8, "exempt": np.bool_,
        "doubt": np.object_, "exemption": np.object_, "rests_on": np.object_,
    }  # fmt: skip
    return InfringementTable(
        **{f.name: np.empty(0, dtype=types.get(f.name, np.float64)) for f in fields(InfringementTable)}
    )


@dataclass(frozen=True, slots=True)
class _Stays:
    """Visits of one layer, cut to the times in force and joined: one row a violation."""

    track: npt.NDArray[np.int64]
    row: npt.NDArray[np.int32]
    enter_s: Floats
    exit_s: Floats
    entered: npt.NDArray[np.bool_]
    left: npt.NDArray[np.bool_]
    inside_s: Floats

    def take(self, rows: npt.NDArray[Any]) -> _Stays:
        return _Stays(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def _in_layer(
    layer: PreparedLayer, prepared: PreparedZones, table: TrackTable, in_force: Activity, settings: ScanSettings
) -> InfringementTable:
    table, track_number = _bound_reports(layer, table)
    reports = table.reports
    if not len(reports):
        return _empty()
    if layer.frame is Datum.UNBOUNDED:
        low = high = np.full(len(reports), np.nan)
    else:
        low, high = altitudes_in(reports, layer.frame, settings.assumptions)
    broken = (table.flags & (ReportFlag.GAP_BEFORE | ReportFlag.IMPOSSIBLE_JUMP)) != 0

    def stays(index: Any, exact_row: npt.NDArray[np.int32] | None) -> _Stays:
        visits: Visits = index.visits(reports.lon_deg, reports.lat_deg, low, high, reports.time_s, table.start, broken)
        row = visits.outline_row if exact_row is None else exact_row[visits.outline_row]
        cut = _cut(_Stays(
            visits.track.astype(np.int64), row.astype(np.int32), visits.enter_s, visits.exit_s,
            visits.entered.astype(bool), visits.left.astype(bool), visits.inside_s,
        ), layer.zone, in_force)  # fmt: skip
        return _merge(cut, layer.zone, settings.merge_gap_s)

    found = stays(layer.exact, None)
    if layer.near is not None:
        close = stays(layer.near, layer.near_row)
        close = close.take(~_overlapping(close, found, layer.zone))
        found = _Stays(**{
            f.name: np.concatenate([getattr(found, f.name), getattr(close, f.name)]) for f in fields(_Stays)
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


def _cut(stays: _Stays, zone_of_row: npt.NDArray[np.int32], in_force: Activity) -> _Stays:
    """Each visit cut to its zone's times in force; one visit may become several or none."""
    zone = zone_of_row[stays.row]
    single = np.array([len(i) == 1 for i in in_force.intervals], dtype=bool)
    envelope = in_force.envelope()
    plain = stays.take(np.flatnonzero(single[zone])) if len(stays.row) else stays
    parts = [_clip(plain, *envelope[zone_of_row[plain.row]].T)] if len(plain.row) else []
    for number in np.unique(zone[~single[zone]]) if len(zone) else ():
        of_zone = stays.take(np.flatnonzero(zone == number))
        for begin, end in in_force.intervals[number]:
            parts.append(_clip(of_zone, np.full(len(of_zone.row), begin), np.full(len(of_zone.row), end)))
    if not parts:
        return stays.take(np.empty(0, dtype=np.int64))
    return _Stays(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(_Stays)})


def _clip(stays: _Stays, begin_s: Floats, end_s: Floats) -> _Stays:
    enter, leave = np.maximum(stays.enter_s, begin_s), np.minimum(stays.exit_s, end_s)
    duration = stays.exit_s - stays.enter_s
    share = np.where(duration > 0.0, (leave - enter) / np.where(duration > 0.0, duration, 1.0), 1.0)
    clipped = _Stays(
        stays.track, stays.row, enter, leave, stays.entered | (enter > stays.enter_s),
        stays.left | (leave < stays.exit_s), stays.inside_s * np.clip(share, 0.0, 1.0),
    )  # fmt: skip
    return clipped.take(np.flatnonzero((leave > enter) | ((leave == enter) & (duration == 0.0) & (enter < end_s))))


def _merge(stays: _Stays, zone_of_row: npt.NDArray[np.int32], gap_s: float) -> _Stays:
    """Visits of one track to one zone no more than ``gap_s`` apart are one violation."""
    if not len(stays.row):
        return stays
    zone = zone_of_row[stays.row]
    order = np.lexsort((stays.enter_s, zone, stays.track))
    stays, zone = stays.take(order), zone[order]
    group_changes = np.append(True, (stays.track[1:] != stays.track[:-1]) | (zone[1:] != zone[:-1]))
    group = np.cumsum(group_changes) - 1
    # The latest exit so far within a group: a running maximum that starts anew with each group.
    span = float(stays.exit_s.max() - stays.enter_s.min()) + 1.0
    latest = np.maximum.accumulate(stays.exit_s + group * span) - group * span
    starts = group_changes.copy()
    starts[1:] |= stays.enter_s[1:] - latest[:-1] > gap_s
    first = np.flatnonzero(starts)
    last_row = np.append(first[1:], len(starts)) - 1
    exit_s = np.maximum.reduceat(stays.exit_s, first)
    at_exit = np.maximum.reduceat(
        np.where(stays.exit_s == np.repeat(exit_s, last_row - first + 1), stays.left, 0), first
    )
    inside = np.add.reduceat(stays.inside_s, first)
    return _Stays(
        stays.track[first], stays.row[first], stays.enter_s[first], exit_s, stays.entered[first],
        at_exit.astype(bool), np.minimum(inside, exit_s - stays.enter_s[first]),
    )  # fmt: skip


def _overlapping(close: _Stays, found: _Stays, zone_of_row: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Which of ``close`` share track, zone and some time with one of ``found``: those are judged there already."""
    if not len(close.row) or not len(found.row):
        return np.zeros(len(close.row), dtype=bool)
    zones = np.int64(int(zone_of_row.max()) + 1)
    key_found = found.track * zones + zone_of_row[found.row]
    key_close = close.track * zones + zone_of_row[close.row]
    order = np.lexsort((found.enter_s, key_found))
    key_found, enter, leave = key_found[order], found.enter_s[order], found.exit_s[order]
    # Stays of one key are disjoint and sorted, so only the last that begins before the end can overlap.
    both = np.concatenate([key_found, key_close])
    when = np.concatenate([enter, close.exit_s])
    is_close = np.concatenate([np.zeros(len(enter), dtype=bool), np.ones(len(close.row), dtype=bool)])
    place = np.lexsort((is_close, when, both))
    before = np.cumsum(~is_close[place]) - 1
    position = np.empty(len(both), dtype=np.int64)
    position[place] = before
    candidate = position[len(enter) :]
    usable = candidate >= 0
    candidate = np.maximum(candidate, 0)
    overlap: npt.NDArray[np.bool_] = usable & (key_found[candidate] == key_close) & (leave[candidate] >= close.enter_s)
    return overlap


def _judge(
    stays: _Stays,
    layer: PreparedLayer,
    prepared: PreparedZones,
    table: TrackTable,
    track_number: npt.NDArray[np.int32],
    altitude_m: tuple[Floats, Floats],
    in_force: Activity,
    settings: ScanSettings,
) -> InfringementTable:
    if not len(stays.row):
        return _empty()
    reports = table.reports
    paths, covered = _paths(stays, table)

    def depth_at(lon: Floats, lat: Floats, path: npt.NDArray[np.int64]) -> Floats:
        return layer.depth(lon, lat, stays.row[path])

    deep = deepest(paths, depth_at)
    zone = layer.zone[stays.row]
    report = _nearest_report(deep, stays, table)
    error_m = np.hypot(
        np.nan_to_num(reports.accuracy_m[report].astype(np.float64)),
        np.array([z.accuracy_m for z in prepared.zones])[zone],
    )
    kept = np.flatnonzero((deep.depth_m >= 0.0) | (deep.depth_m > -error_m))
    stays, zone, report, error_m = stays.take(kept), zone[kept], report[kept], error_m[kept]
    deep = Deepest(*(getattr(deep, f.name)[kept] for f in fields(Deepest)))
    covered = tuple(column[kept] for column in covered)  # type: ignore[assignment]
    if not len(kept):
        return _empty()

    altitude_sure = _altitude_sure(layer, stays, covered, altitude_m)
    with np.errstate(divide="ignore", invalid="ignore"):
        confidence = np.where(error_m > 0.0, _normal_cdf(deep.depth_m * RAYLEIGH_95 / error_m), np.nan)
    subject_doubt = _subject_doubt(zone, report, reports, prepared.zones, settings)
    bound = subject_doubt != "not bound"
    doubt = np.full(len(kept), "", dtype=object)
    doubt[subject_doubt != ""] = subject_doubt[subject_doubt != ""]
    doubt[~altitude_sure] = "altitude"
    doubt[deep.depth_m < error_m] = "position"
    verdict = np.where(doubt == "", Verdict.ACTUAL, Verdict.INDETERMINATE).astype(np.uint8)

    lowest, highest, datum = _heights(covered, reports)
    duration = stays.exit_s - stays.enter_s
    observed = _observed(stays, table)
    coverage = np.where(duration > 0.0, np.clip(observed / np.where(duration > 0.0, duration, 1.0), 0.0, 1.0), 1.0)
    enter_lon, enter_lat = _place_at(stays.enter_s, stays.track, table)
    exit_lon, exit_lat = _place_at(stays.exit_s, stays.track, table)
    target, callsign = reports.target.take(report).strings(), _callsigns(covered, reports)
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


Covered = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""first and one-past-last report row whose time lies within each stay"""


def _paths(stays: _Stays, table: TrackTable) -> tuple[Paths, Covered]:
    """Each stay as a polyline: place of entry, the reports between, place of exit."""
    first, last = _rows_within(stays, table)
    count = np.maximum(last - first, 0)
    start = np.concatenate(([0], np.cumsum(count + 2)))
    points = int(start[-1])
    lon, lat, time = np.empty(points), np.empty(points), np.empty(points)
    inner = np.ones(points, dtype=bool)
    inner[start[:-1]] = inner[start[1:] - 1] = False
    rows = np.repeat(first - (np.cumsum(count) - count), count) + np.arange(int(count.sum()))
    reports = table.reports
    lon[inner], lat[inner], time[inner] = reports.lon_deg[rows], reports.lat_deg[rows], reports.time_s[rows]
    for at, when in ((start[:-1], stays.enter_s), (start[1:] - 1, stays.exit_s)):
        lon[at], lat[at] = _place_at(when, stays.track, table)
        time[at] = when
    return Paths(start, lon, lat, time), (first, np.maximum(first, last))


def _rows_within(stays: _Stays, table: TrackTable) -> Covered:
    """The reports of each stay's track from its entry to its exit, both included."""
    return (
        _search(table, stays.track, stays.enter_s, "left"),
        _search(table, stays.track, stays.exit_s, "right"),
    )


def _search(table: TrackTable, track: npt.NDArray[np.int64], when_s: Floats, side: str) -> npt.NDArray[np.int64]:
    """``searchsorted`` within each track's own rows: bisection, all rows at once."""
    low, high = table.start[:-1][track].copy(), table.start[1:][track].copy()
    time = table.reports.time_s
    while True:
        open_rows = low < high
        if not open_rows.any():
            return low
        middle = (low + high) // 2
        value = time[np.minimum(middle, len(time) - 1)]
        go_right = open_rows & ((value < when_s) if side == "left" else (value <= when_s))
        low = np.where(go_right, middle + 1, low)
        high = np.where(open_rows & ~go_right, middle, high)


def _place_at(when_s: Floats, track: npt.NDArray[np.int64], table: TrackTable) -> tuple[Floats, Floats]:
    """Where each track was at an instant: between its neighbouring reports, the shortest way round in longitude."""
    reports = table.reports
    first, last = table.start[:-1][track], table.start[1:][track] - 1
    right = np.clip(_search(table, track, when_s, "left"), first, last)
    left = np.maximum(right - 1, first)
    step = reports.time_s[right] - reports.time_s[left]
    fraction = np.clip(
        np.where(step > 0.0, (when_s - reports.time_s[left]) / np.where(step > 0.0, step, 1.0), 1.0), 0.0, 1.0
    )
    lon_left = reports.lon_deg[left]
    east = (reports.lon_deg[right] - lon_left + 180.0) % 360.0 - 180.0
    lon = (lon_left + fraction * east + 180.0) % 360.0 - 180.0
    return lon, reports.lat_deg[left] + fraction * (reports.lat_deg[right] - reports.lat_deg[left])


def _observed(stays: _Stays, table: TrackTable) -> Floats:
    """Seconds of each stay that lie between two reports without a gap. Looks at the stays' own rows only."""
    time = table.reports.time_s
    first, last = table.start[:-1][stays.track], table.start[1:][stays.track] - 1
    left = np.clip(_search(table, stays.track, stays.enter_s, "left"), first, last)
    right = np.clip(_search(table, stays.track, stays.exit_s, "left"), first, last)
    count = right - left + 1
    start = np.cumsum(count) - count
    rows = np.repeat(left - start, count) + np.arange(int(count.sum()))
    seen = (table.flags[rows] & ReportFlag.GAP_BEFORE) == 0
    seen &= rows > np.repeat(first, count)
    step = np.where(seen, time[rows] - time[np.maximum(rows - 1, 0)], 0.0)
    # Of the way into the first row only what lies after the entry counts, of that into the last only up to the exit.
    before = step[start] - np.clip(time[left] - stays.enter_s, 0.0, step[start])
    after = np.clip(time[right] - stays.exit_s, 0.0, step[start + count - 1])
    observed: Floats = np.add.reduceat(step, start) - before - after
    return observed


def _nearest_report(deep: Deepest, stays: _Stays, table: TrackTable) -> npt.NDArray[np.int64]:
    row = _search(table, stays.track, deep.time_s, "left")
    return np.clip(row, table.start[:-1][stays.track], table.start[1:][stays.track] - 1)


def _spans(covered: Covered) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows of all spans laid end to end, and where each span begins; an empty span borrows the row before it."""
    first, last = covered
    begin = np.where(last > first, first, np.maximum(first - 1, 0))
    count = np.maximum(last - begin, 1)
    start = np.cumsum(count) - count
    return np.repeat(begin - start, count) + np.arange(int(count.sum())), start


def _altitude_sure(
    layer: PreparedLayer, stays: _Stays, covered: Covered, altitude_m: tuple[Floats, Floats]
) -> npt.NDArray[np.bool_]:
    """Was some report of the stay certainly between the limits, whatever the conversion's uncertainty?"""
    if layer.frame is Datum.UNBOUNDED:
        return np.ones(len(stays.row), dtype=bool)
    rows, start = _spans(covered)
    band = np.repeat(layer.band[stays.row], np.diff(np.append(start, len(rows))), axis=0)
    low, high = altitude_m
    sure = (low[rows] >= band[:, 1]) & (high[rows] <= band[:, 2])
    return np.logical_or.reduceat(sure, start)


def _heights(covered: Covered, reports: ReportBatch) -> tuple[Floats, Floats, npt.NDArray[np.uint8]]:
    rows, start = _spans(covered)
    lowest = np.fmin.reduceat(reports.altitude_baro_m[rows], start)
    highest = np.fmax.reduceat(reports.altitude_baro_m[rows], start)
    datum = np.where(np.isnan(lowest), 0, 1).astype(np.uint8)
    geo_low = np.fmin.reduceat(reports.altitude_geo_m[rows], start)
    geo_high = np.fmax.reduceat(reports.altitude_geo_m[rows], start)
    use_geo = np.isnan(lowest) & ~np.isnan(geo_low)
    datum[use_geo] = 2
    return np.where(use_geo, geo_low, lowest), np.where(use_geo, geo_high, highest), datum


def _callsigns(covered: Covered, reports: ReportBatch) -> list[str]:
    """A callsign worn during the stay (the last one heard)."""
    rows, start = _spans(covered)
    codes = reports.callsign.codes[rows]
    place = np.where(codes >= 0, np.arange(len(rows)), -1)
    latest = np.maximum.reduceat(place, start)
    return [reports.callsign.names[codes[k]] if k >= 0 else "" for k in latest.tolist()]


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

"""What the reports of a track say of each of its stays: the way, the heights, how much of it was observed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from keepclear.detection.deepest import Deepest, Paths
from keepclear.detection.prepared import PreparedLayer
from keepclear.detection.stays import Stays
from keepclear.feeds.reports import Floats, ReportBatch
from keepclear.quantities import Datum
from keepclear.tracks.table import ReportFlag, TrackTable

__all__ = [
    "Covered", "altitude_sure", "callsigns", "heights", "nearest_report", "observed_s", "paths_of", "place_at",
]  # fmt: skip

Covered = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""first and one-past-last report row whose time lies within each stay"""


def paths_of(stays: Stays, table: TrackTable) -> tuple[Paths, Covered]:
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
        lon[at], lat[at] = place_at(when, stays.track, table)
        time[at] = when
    return Paths(start, lon, lat, time), (first, np.maximum(first, last))


def _rows_within(stays: Stays, table: TrackTable) -> Covered:
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


def place_at(when_s: Floats, track: npt.NDArray[np.int64], table: TrackTable) -> tuple[Floats, Floats]:
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


def observed_s(stays: Stays, table: TrackTable) -> Floats:
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


def nearest_report(deep: Deepest, stays: Stays, table: TrackTable) -> npt.NDArray[np.int64]:
    row = _search(table, stays.track, deep.time_s, "left")
    return np.clip(row, table.start[:-1][stays.track], table.start[1:][stays.track] - 1)


def _spans(covered: Covered) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows of all spans laid end to end, and where each span begins; an empty span borrows the row before it."""
    first, last = covered
    begin = np.where(last > first, first, np.maximum(first - 1, 0))
    count = np.maximum(last - begin, 1)
    start = np.cumsum(count) - count
    return np.repeat(begin - start, count) + np.arange(int(count.sum())), start


def altitude_sure(
    layer: PreparedLayer, stays: Stays, covered: Covered, altitude_m: tuple[Floats, Floats]
) -> npt.NDArray[np.bool_]:
    """Was some report of the stay certainly between the limits, whatever the conversion's uncertainty?"""
    if layer.frame is Datum.UNBOUNDED:
        return np.ones(len(stays.row), dtype=bool)
    rows, start = _spans(covered)
    band = np.repeat(layer.band[stays.row], np.diff(np.append(start, len(rows))), axis=0)
    low, high = altitude_m
    sure = (low[rows] >= band[:, 1]) & (high[rows] <= band[:, 2])
    return np.logical_or.reduceat(sure, start)


def heights(covered: Covered, reports: ReportBatch) -> tuple[Floats, Floats, npt.NDArray[np.uint8]]:
    rows, start = _spans(covered)
    lowest = np.fmin.reduceat(reports.altitude_baro_m[rows], start)
    highest = np.fmax.reduceat(reports.altitude_baro_m[rows], start)
    datum = np.where(np.isnan(lowest), 0, 1).astype(np.uint8)
    geo_low = np.fmin.reduceat(reports.altitude_geo_m[rows], start)
    geo_high = np.fmax.reduceat(reports.altitude_geo_m[rows], start)
    use_geo = np.isnan(lowest) & ~np.isnan(geo_low)
    datum[use_geo] = 2
    return np.where(use_geo, geo_low, lowest), np.where(use_geo, geo_high, highest), datum


def callsigns(covered: Covered, reports: ReportBatch) -> list[str]:
    """A callsign worn during the stay (the last one heard)."""
    rows, start = _spans(covered)
    codes = reports.callsign.codes[rows]
    place = np.where(codes >= 0, np.arange(len(rows)), -1)
    latest = np.maximum.reduceat(place, start)
    return [reports.callsign.names[codes[k]] if k >= 0 else "" for k in latest.tolist()]

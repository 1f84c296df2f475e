"""Over what «nothing was found» was said: who was observed for how long, and which areas when (practice R2.8)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepclear.errors import LimitExceeded, UsageError
from keepclear.feeds.reports import Floats
from keepclear.tracks.table import ReportFlag, TrackTable

__all__ = ["BINS_MAX", "BIN_S", "NEAR_DEG", "AreaCoverage", "TrackCoverage", "area_coverage", "track_coverage"]

BIN_S = 300.0
"""Five minutes: an airliner crosses some 70 km in that time, so one that stays unseen was not there, or there was
nobody to see it."""
NEAR_DEG = 0.5
"""How far around an area a report still shows that a sensor was at work there: some 55 km, a fraction of the range
of any receiver of aircraft signals."""
BINS_MAX = 50_000_000
"""Areas times bins, one bit's work and one byte each; beyond it a longer bin is the mending."""


@dataclass(frozen=True, slots=True)
class TrackCoverage:
    """One row per track."""

    observed_s: Floats
    """its duration without the gaps"""
    span_s: Floats
    """from its first to its last report"""
    gaps: npt.NDArray[np.int64]
    gap_longest_s: Floats
    """0 where there is none"""

    @property
    def fraction(self) -> Floats:
        """Observed part of the span; 1 for a track of one report or one instant."""
        fraction: Floats = np.divide(
            self.observed_s, self.span_s, out=np.ones_like(self.span_s), where=self.span_s > 0.0
        )
        return fraction


@dataclass(frozen=True, slots=True)
class AreaCoverage:
    """One row per area, one column per bin of time.

    A bin with a report in or near an area proves that somebody could be seen there. One without proves nothing:
    there may have been no traffic or no sensor. So ``fraction`` is a lower bound of coverage, and «no
    infringement» holds over no more than it.
    """

    from_s: float
    to_s: float
    bin_s: float
    seen: npt.NDArray[np.bool_]
    """shape (areas, bins)"""

    @property
    def fraction(self) -> Floats:
        """Part of the time window in whose bins anything was seen, by area."""
        if not self.seen.shape[1]:
            return np.zeros(len(self.seen))
        weight = np.full(self.seen.shape[1], self.bin_s)
        weight[-1] = (self.to_s - self.from_s) - self.bin_s * (self.seen.shape[1] - 1)
        fraction: Floats = (self.seen @ weight) / weight.sum()
        return fraction

    def unseen(self, area: int) -> list[tuple[float, float]]:
        """The spans of time without a report in or near the area, joined."""
        seen = np.concatenate(([True], self.seen[area], [True]))
        edges = np.flatnonzero(np.diff(seen.astype(np.int8)))
        starts, ends = edges[::2], edges[1::2]
        return [
            (self.from_s + a * self.bin_s, min(self.from_s + b * self.bin_s, self.to_s))
            for a, b in zip(starts.tolist(), ends.tolist())
        ]


def track_coverage(table: TrackTable) -> TrackCoverage:
    """Observed time and gaps of every track."""
    tracks = len(table)
    t = table.reports.time_s
    if not len(t):
        return TrackCoverage(np.zeros(tracks), np.zeros(tracks), np.zeros(tracks, np.int64), np.zeros(tracks))
    step = np.diff(t, prepend=t[:1])
    owned = np.diff(table.start) > 0
    gap = (table.flags & np.uint8(ReportFlag.GAP_BEFORE)) != 0
    gap[table.start[:-1][owned]] = False
    span = np.zeros(tracks)
    span[owned] = t[table.start[1:][owned] - 1] - t[table.start[:-1][owned]]
    rows = np.flatnonzero(gap)
    track = np.searchsorted(table.start, rows, side="right") - 1
    longest = np.zeros(tracks)
    np.maximum.at(longest, track, step[rows])
    return TrackCoverage(table.observed_s, span, np.bincount(track, minlength=tracks).astype(np.int64), longest)


def area_coverage(
    table: TrackTable,
    west_deg: npt.ArrayLike,
    south_deg: npt.ArrayLike,
    east_deg: npt.ArrayLike,
    north_deg: npt.ArrayLike,
    *,
    from_s: float | None = None,
    to_s: float | None = None,
    bin_s: float = BIN_S,
    near_deg: float = NEAR_DEG,
) -> AreaCoverage:
    """In which bins of the window any report lay within ``near_deg`` of each bounding box, shape (areas,).

    A box with west > east crosses the antimeridian. The margin in longitude is widened by the latitude. Without a
    window the table's own first and last report bound it. Flagged impossible reports prove no sensor and do not
    count. Raises :class:`UsageError` for an upside-down window and :class:`LimitExceeded` beyond ``BINS_MAX``.
    """
    west, south, east, north = (np.asarray(v, dtype=np.float64) for v in (west_deg, south_deg, east_deg, north_deg))
    if not len(west) == len(south) == len(east) == len(north):
        raise UsageError("west, south, east and north must be of equal length")
    if not (bin_s > 0.0 and near_deg >= 0.0):
        raise UsageError("a bin is longer than 0 s, a margin 0° or more")
    r = table.reports
    honest = (table.flags & np.uint8(ReportFlag.IMPOSSIBLE_JUMP)) == 0
    honest &= np.isfinite(r.lat_deg) & np.isfinite(r.lon_deg)
    begin = from_s if from_s is not None else float(r.time_s.min(initial=math.inf))
    end = to_s if to_s is not None else float(r.time_s.max(initial=-math.inf))
    if not len(r) and (from_s is None or to_s is None):
        begin = end = 0.0
    if not end >= begin:
        raise UsageError("the window of time ends before it begins")
    bins = math.ceil((end - begin) / bin_s) if end > begin else int(bool(len(r)))
    if bins * max(1, len(west)) > BINS_MAX:
        raise LimitExceeded(
            f"{len(west)} areas × {bins} bins of {bin_s:g} s are more than {BINS_MAX}: choose longer bins"
        )
    honest &= (r.time_s >= begin) & (r.time_s <= end)
    cells, cell_bin = _occupied(r.lon_deg[honest], r.lat_deg[honest], r.time_s[honest], begin, bin_s, bins)
    seen = np.zeros((len(west), bins), dtype=np.bool_)
    for area in range(len(west)):
        row_low = math.floor((south[area] - near_deg + 90.0) / _CELL_DEG)
        row_high = math.floor((north[area] + near_deg + 90.0) / _CELL_DEG)
        widest = min(89.0, max(abs(south[area]), abs(north[area])))
        margin = near_deg / math.cos(math.radians(widest))
        width = (east[area] - west[area]) % 360.0 if east[area] != west[area] + 360.0 else 360.0
        lon, lat = cells % _COLUMNS, cells // _COLUMNS
        inside = (lat >= row_low) & (lat <= row_high)
        if width + 2.0 * margin < 360.0 - _CELL_DEG:
            first = math.floor((west[area] - margin + 180.0) / _CELL_DEG)
            last = math.floor((west[area] + width + margin + 180.0) / _CELL_DEG)
            inside &= (lon - first) % _COLUMNS <= last - first
        seen[area, cell_bin[inside]] = True
    return AreaCoverage(begin, end, bin_s, seen)


_CELL_DEG = 0.1
"""The grid on which reports are first gathered: far below the margin, and a million reports shrink to the cells
and bins that saw any."""
_COLUMNS = round(360.0 / _CELL_DEG)


def _occupied(
    lon_deg: Floats, lat_deg: Floats, time_s: Floats, begin_s: float, bin_s: float, bins: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Each (cell, bin) with a report, once."""
    column = np.floor((lon_deg + 180.0) / _CELL_DEG).astype(np.int64) % _COLUMNS
    row = np.floor((lat_deg + 90.0) / _CELL_DEG).astype(np.int64)
    at = np.minimum(np.floor((time_s - begin_s) / bin_s).astype(np.int64), bins - 1)
    code = np.unique((row * _COLUMNS + column) * max(1, bins) + at)
    return code // max(1, bins), code % max(1, bins)

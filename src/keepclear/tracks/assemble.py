"""Reports become recorded tracks: sorted by target and time, without repeats, and with what is suspect marked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.feeds.reports import Labels, ReportBatch, TargetDomain, dense_column, is_constant
from keepclear.tracks.table import ReportFlag, TrackTable

__all__ = [
    "CLOCK_AHEAD_MAX_S", "GAP_S", "JUMP_SPEED_LIMITS", "STALE_POSITION_S", "SUSTAINED_REPORTS", "UNLABELLED",
    "Assembly", "assemble", "assemble_counted",
]  # fmt: skip

GAP_S = 60.0
"""No report for this long: nothing is said of the time between (F3548 practice: 60 s makes NONCONFORMING)."""
JUMP_SPEED_LIMITS: dict[TargetDomain, float] = {
    TargetDomain.UNKNOWN: 1000.0,
    TargetDomain.AIR: 1000.0,
    TargetDomain.GROUND: 120.0,
    TargetDomain.SEA: 60.0,
}
"""Metres a second that nothing of this kind exceeds over ground: above the fastest aircraft (Mach 2.5 at height
is 740 m/s, and a jet stream), road and rail vehicles, and craft at sea. Unknown kinds get the widest."""
TIME_SLACK_S = 1.0
"""Recordings round times to a second or stamp them on receipt."""
UNKNOWN_ACCURACY_M = 500.0
"""Allowed for a position whose accuracy is not stated: a radar plot at 100 NM is about this good."""
STALE_POSITION_S = 10.0
"""A position older than this on receipt is marked: at 250 m/s it is 2.5 km out."""
CLOCK_AHEAD_MAX_S = 10.0
"""A report dated this much after its receipt was dated by a wrong clock, or on purpose."""
SUSTAINED_REPORTS = 3
"""So many consistent reports make an offset a track of its own; fewer are outliers, flagged where they stand."""
FORGET_GAPS = 5.0
"""A body silent for so many gap limits is only returned to if nothing more recent explains a report."""
UNLABELLED = "(unlabelled)"
"""The track id of reports that name no target: kept together, but with a gap before every one of them."""
PARALLEL_ROWS_MIN = 1_000_000
"""Fewer rows are moved faster than threads are started."""
SAME_INSTANT_LOOK_BACK = 8
"""Repeats are looked for among this many reports of one instant; bounds the work on a source whose clock stands."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """What was found while assembling, as numbers of reports; nothing here is lost silently."""

    undated: int
    """left out: a report without a time belongs nowhere"""
    repeated: int
    """left out: the same in every column but the time of receipt"""
    out_of_order: int
    """put back in their place"""
    jumps: int
    """flagged IMPOSSIBLE_JUMP"""
    separated: int
    """tracks «#2» and up that a shared address or a sustained offset made"""


def assemble(
    batch: ReportBatch,
    *,
    gap_s: float = GAP_S,
    speed_limits: dict[TargetDomain, float] | None = None,
    stale_position_s: float = STALE_POSITION_S,
) -> TrackTable:
    """Tracks from reports in any order. See :func:`assemble_counted` for the rules."""
    return assemble_counted(batch, gap_s=gap_s, speed_limits=speed_limits, stale_position_s=stale_position_s)[0]


def assemble_counted(
    batch: ReportBatch,
    *,
    gap_s: float = GAP_S,
    speed_limits: dict[TargetDomain, float] | None = None,
    stale_position_s: float = STALE_POSITION_S,
) -> tuple[TrackTable, Assembly]:
    """Group by (source, target), order by time, drop exact repeats, flag what cannot be.

    Input already in order is recognised and its columns are used as they are, without a copy. A report that its
    track cannot have reached (speed limit of its domain, plus both accuracies) is flagged IMPOSSIBLE_JUMP; where
    at least ``SUSTAINED_REPORTS`` of them hang together they are a track of their own, «label#2», its first
    report flagged. Several sources that see one target give as many tracks. Flagged reports stay in the table.
    """
    # Compiled code is loaded on first use only.
    from keepclear.tracks.kernels.reach import suspects

    reports, start, undated, out_of_order = _sorted(batch)
    reports, start, repeated = _without_repeats(reports, start)
    limits = _limits(speed_limits)

    def marked(into: npt.NDArray[np.uint8], suspect: npt.NDArray[np.bool_]) -> int:
        seen = reports.dense(_JUDGED)
        scattered = reports.target.codes[start[:-1]] < 0
        return int(
            suspects(
                start, seen.time_s, seen.received_s, seen.lat_deg, seen.lon_deg, seen.accuracy_m, seen.domain,
                scattered, gap_s, stale_position_s, CLOCK_AHEAD_MAX_S, limits, TIME_SLACK_S,
                UNKNOWN_ACCURACY_M, into, suspect,
            )
        )  # fmt: skip

    flags = np.zeros(len(reports), dtype=np.uint8)
    suspect = np.zeros(len(start) - 1, dtype=np.bool_)
    separated = 0
    if marked(flags, suspect):
        jump, order, parts = _separated(reports, start, np.flatnonzero(suspect), limits, gap_s)
        if order is not None:
            separated = len(parts) - len(start)
            reports, start, jump = reports.take(order), parts, jump[order]
            flags = np.zeros(len(reports), dtype=np.uint8)
            marked(flags, np.zeros(len(start) - 1, dtype=np.bool_))
        flags[jump] |= np.uint8(ReportFlag.IMPOSSIBLE_JUMP)
    jumps = int(np.count_nonzero(flags & np.uint8(ReportFlag.IMPOSSIBLE_JUMP)))
    table = TrackTable(reports, start, _track_ids(reports.target, start), flags, gap_s)
    return table, Assembly(undated, repeated, out_of_order, jumps, separated)


_JUDGED = ("time_s", "received_s", "lat_deg", "lon_deg", "accuracy_m", "domain")


def _limits(given: dict[TargetDomain, float] | None) -> npt.NDArray[np.float64]:
    limits = JUMP_SPEED_LIMITS | (given or {})
    return np.array([limits[domain] for domain in sorted(TargetDomain)], dtype=np.float64)


def _sorted(batch: ReportBatch) -> tuple[ReportBatch, npt.NDArray[np.int64], int, int]:
    """Reports by (track, time), the tracks' first rows, how many were undated, how many out of order."""
    from keepclear.tracks.kernels.order import counting_order, counting_places, mend_times, sorted_starts

    if not len(batch):
        return batch, np.zeros(1, dtype=np.int64), 0, 0
    batch = _unique_names(batch)
    targets = len(batch.target.names)
    keys = (len(batch.source.names) + 1) * (targets + 1)
    sparse = keys > 4 * len(batch) + 1_000_000  # mostly unused pairs: not worth a table of them
    if not sparse:
        start = np.empty(keys + 1, dtype=np.int64)
        columns = dense_column(batch.source.codes), dense_column(batch.target.codes)
        count = sorted_starts(*columns, targets, dense_column(batch.time_s), start)
        if count >= 0:
            return batch, start[: count + 1].copy(), 0, 0
        place, start = np.empty(len(batch), dtype=np.int64), np.zeros(keys + 1, dtype=np.int64)
        if counting_places(*columns, targets, dense_column(batch.time_s), place, start) == 0:
            start = np.append(start[:-1][np.diff(start) > 0], len(batch))
            return _placed(batch, place), start, 0, 0
    dated = np.isfinite(batch.time_s)
    undated = len(batch) - int(np.count_nonzero(dated))
    if undated:
        batch = batch.take(dated)
    key = (batch.source.codes.astype(np.int64) + 1) * (targets + 1) + batch.target.codes + 1
    if sparse:
        used, key = np.unique(key, return_inverse=True)
        keys = len(used)
    order, first = counting_order(key, keys)
    out_of_order = int(mend_times(order, first, dense_column(batch.time_s)))
    start = np.append(first[:-1][np.diff(first) > 0], len(order))
    return batch.take(order), start, undated, out_of_order


def _placed(batch: ReportBatch, place: npt.NDArray[np.int64]) -> ReportBatch:
    """The batch with each row at its place, several columns at once: the work is waiting for the memory."""
    from keepclear.tracks.kernels.order import scatter

    def moved(column: Any) -> Any:
        if isinstance(column, Labels):
            return Labels(moved(column.codes), column.names)
        if is_constant(column):
            return column
        out = np.empty_like(column)
        # By width, not by type: fewer kernels to compile.
        width = np.dtype(f"u{column.dtype.itemsize}")
        scatter(dense_column(column).view(width), place, out.view(width))
        return out

    shared = batch.received_s is batch.time_s
    names = [f.name for f in fields(ReportBatch) if not (shared and f.name == "received_s")]
    columns = [getattr(batch, name) for name in names]
    if len(batch) < PARALLEL_ROWS_MIN:
        done = dict(zip(names, map(moved, columns)))
    else:
        with ThreadPoolExecutor() as pool:
            done = dict(zip(names, pool.map(moved, columns)))
    done.setdefault("received_s", done["time_s"])
    return ReportBatch(**done)


def _unique_names(batch: ReportBatch) -> ReportBatch:
    """The batch with one code a name: some columnar files repeat a name in their dictionary."""
    columns: dict[str, Any] = {}
    for name in ("source", "target"):
        labels: Labels = getattr(batch, name)
        if len(set(labels.names)) != len(labels.names):
            index: dict[str, int] = {}
            remap = np.array([*(index.setdefault(n, len(index)) for n in labels.names), -1], dtype=np.int32)
            columns[name] = Labels(remap[labels.codes], tuple(index))
    if not columns:
        return batch
    return ReportBatch(**{f.name: columns.get(f.name, getattr(batch, f.name)) for f in fields(ReportBatch)})


def _without_repeats(
    reports: ReportBatch, start: npt.NDArray[np.int64]
) -> tuple[ReportBatch, npt.NDArray[np.int64], int]:
    """Drop reports equal to an earlier one of the same track and instant in all but the time of receipt."""
    time_s = reports.time_s
    again = np.flatnonzero(time_s[1:] == time_s[:-1]) + 1
    again = again[~np.isin(again, start)]
    if not len(again):
        return reports, start, 0
    first = start[np.searchsorted(start, again, side="right") - 1]
    repeat = np.zeros(len(again), dtype=np.bool_)
    for back in range(1, SAME_INSTANT_LOOK_BACK + 1):
        earlier = again - back
        same = ~repeat & (earlier >= first)
        for f in fields(ReportBatch):
            if f.name == "received_s" or not same.any():
                continue
            column = getattr(reports, f.name)
            values = column.codes if isinstance(column, Labels) else column
            a, b = values[again[same]], values[earlier[same]]
            equal = a == b
            if values.dtype.kind == "f":
                equal |= np.isnan(a) & np.isnan(b)
            same[same] = equal
        repeat |= same
    if not repeat.any():
        return reports, start, 0
    keep = np.ones(len(reports), dtype=np.bool_)
    keep[again[repeat]] = False
    kept_before = np.concatenate(([0], np.cumsum(keep)))
    return reports.take(keep), kept_before[start], int(np.count_nonzero(repeat))


def _separated(
    reports: ReportBatch,
    start: npt.NDArray[np.int64],
    suspect: npt.NDArray[np.int64],
    limits: npt.NDArray[np.float64],
    gap_s: float,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64] | None, npt.NDArray[np.int64]]:
    """Which reports are impossible, the new row order (None: as it is) and the new first rows."""
    from keepclear.tracks.kernels.pieces import separate

    jump = np.zeros(len(reports), dtype=np.bool_)
    order: npt.NDArray[np.int64] | None = None
    extra: list[npt.NDArray[np.int64]] = []
    for k in suspect:
        a, b = int(start[k]), int(start[k + 1])
        part = reports.take(slice(a, b)).dense(_JUDGED)
        piece = np.empty(b - a, dtype=np.int64)
        bodies = separate(
            part.time_s, part.lat_deg, part.lon_deg, part.accuracy_m, part.domain,
            FORGET_GAPS * gap_s, limits, TIME_SLACK_S, UNKNOWN_ACCURACY_M, piece,
        )  # fmt: skip
        if bodies <= 1:
            continue
        home, outlier, firsts = _homes(piece, bodies)
        jump[a:b] = outlier
        if len(firsts) > 1:
            jump[a + firsts[1:]] = True
            if order is None:
                order = np.arange(len(reports), dtype=np.int64)
            by_home = np.argsort(home, kind="stable")
            order[a:b] = a + by_home
            extra.append(a + np.searchsorted(home[by_home], np.unique(home)[1:]))
    starts = np.sort(np.concatenate((start, *extra))) if extra else start
    return jump, order, starts


def _homes(
    piece: npt.NDArray[np.int64], bodies: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """For each report the sustained body that it is filed under, whether it is an outlier there, and the first
    row of each sustained body in order of appearance. Outliers are filed under the body sustained before them."""
    support = np.bincount(piece[piece >= 0], minlength=bodies)
    sustained = np.flatnonzero(support >= SUSTAINED_REPORTS)
    if not len(sustained):
        sustained = np.array([int(np.argmax(support))])
    own = np.isin(piece, sustained)
    rows = np.arange(len(piece))
    nearest = np.maximum.accumulate(np.where(own, rows, -1))
    nearest[nearest < 0] = int(np.argmax(own))
    home = piece[nearest]
    firsts = np.array([int(np.argmax(piece == body)) for body in sustained], dtype=np.int64)
    return home, (piece >= 0) & ~own, firsts


def _track_ids(target: Labels, start: npt.NDArray[np.int64]) -> tuple[str, ...]:
    """Unique: a target's label, then label#2, label#3 … in the order of the tracks."""
    codes = target.codes[start[:-1]].tolist()
    names = target.names
    ids: list[str] = []
    used: set[str] = set()
    count: dict[str, int] = {}
    taken = {names[c] for c in codes if c >= 0}
    for code in codes:
        label = names[code] if code >= 0 else UNLABELLED
        name = label
        if name in used:
            number = count.get(label, 1)
            while name in used or name in taken:
                number += 1
                name = f"{label}#{number}"
            count[label] = number
        used.add(name)
        ids.append(name)
    return tuple(ids)

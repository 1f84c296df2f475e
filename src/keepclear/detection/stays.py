"""Stays of tracks in zones: visits cut to the times in force and joined where they are one violation."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.detection.activity import Activity
from keepclear.feeds.reports import Floats

__all__ = ["Stays", "cut_to_force", "merged", "overlapping"]


@dataclass(frozen=True, slots=True)
class Stays:
    """Visits of one layer, cut to the times in force and joined: one row a violation."""

    track: npt.NDArray[np.int64]
    row: npt.NDArray[np.int32]
    enter_s: Floats
    exit_s: Floats
    entered: npt.NDArray[np.bool_]
    left: npt.NDArray[np.bool_]
    inside_s: Floats

    def take(self, rows: npt.NDArray[Any]) -> Stays:
        return Stays(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def cut_to_force(stays: Stays, zone_of_row: npt.NDArray[np.int32], in_force: Activity) -> Stays:
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
    return Stays(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Stays)})


def _clip(stays: Stays, begin_s: Floats, end_s: Floats) -> Stays:
    enter, leave = np.maximum(stays.enter_s, begin_s), np.minimum(stays.exit_s, end_s)
    duration = stays.exit_s - stays.enter_s
    share = np.where(duration > 0.0, (leave - enter) / np.where(duration > 0.0, duration, 1.0), 1.0)
    clipped = Stays(
        stays.track, stays.row, enter, leave, stays.entered | (enter > stays.enter_s),
        stays.left | (leave < stays.exit_s), stays.inside_s * np.clip(share, 0.0, 1.0),
    )  # fmt: skip
    return clipped.take(np.flatnonzero((leave > enter) | ((leave == enter) & (duration == 0.0) & (enter < end_s))))


def merged(stays: Stays, zone_of_row: npt.NDArray[np.int32], gap_s: float) -> Stays:
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
    return Stays(
        stays.track[first], stays.row[first], stays.enter_s[first], exit_s, stays.entered[first],
        at_exit.astype(bool), np.minimum(inside, exit_s - stays.enter_s[first]),
    )  # fmt: skip


def overlapping(close: Stays, found: Stays, zone_of_row: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
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

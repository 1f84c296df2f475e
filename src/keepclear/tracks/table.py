"""Recorded tracks: reports sorted by track and time, with what is known of each track."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
import numpy.typing as npt

from keepclear.feeds.reports import Floats, ReportBatch

__all__ = ["ReportFlag", "TrackTable"]


class ReportFlag(IntFlag):
    """What a report is suspected of. A flagged report is kept and shown, never silently dropped."""

    NONE = 0
    GAP_BEFORE = 1
    """more than the gap limit since the report before: nothing is known of the time between"""
    IMPOSSIBLE_JUMP = 2
    """no aircraft of this kind can have come from the report before: suspected spoofing or decoding error"""
    STALE_POSITION = 4
    """the position was older than the report when it came"""


@dataclass(frozen=True, slots=True)
class TrackTable:
    """``reports`` ordered by (track, time); track k owns rows ``start[k]:start[k+1]``.

    A track is one target as one source saw it, without a break of identity. Gaps stay inside a track, flagged:
    detection never draws a line across one.
    """

    reports: ReportBatch
    start: npt.NDArray[np.int64]
    """shape (tracks + 1,)"""
    track_id: tuple[str, ...]
    """shape (tracks,): unique; the target's label, with «#2» … where one target has several tracks"""
    flags: npt.NDArray[np.uint8]
    """shape (reports,): :class:`ReportFlag`"""
    gap_s: float
    """the gap limit used"""

    def __len__(self) -> int:
        return len(self.track_id)

    @property
    def observed_s(self) -> Floats:
        """Seconds of coverage of each track: its duration without the gaps."""
        t = self.reports.time_s
        step = np.diff(t, prepend=t[:1])
        step[(self.flags & ReportFlag.GAP_BEFORE) != 0] = 0.0
        step[self.start[:-1][np.diff(self.start) > 0]] = 0.0
        total = np.concatenate(([0.0], np.cumsum(step)))
        observed: Floats = total[self.start[1:]] - total[self.start[:-1]]
        return observed

"""The live picture: the newest state of every track, in columns, as one snapshot between two cycles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np
import numpy.typing as npt

from keepclear.feeds.reports import ReportBatch

__all__ = ["Picture", "TrackFlag", "TrackStatus"]


class TrackStatus(IntEnum):
    LIVE = 1
    STALE = 2
    """not updated within the staleness limit; still shown, marked (practice R2.10)"""
    ENDED = 3
    """not updated within the end limit; shown once as ended, then dropped"""


class TrackFlag(IntFlag):
    NONE = 0
    SPOOFING_SUSPECTED = 1
    """an impossible jump within the last minute"""
    SINGLE_REPORT = 2
    """one report only: no motion known"""


@dataclass(frozen=True, slots=True)
class Picture:
    """One row per track. ``reports`` holds each track's newest report, speed and direction filled in from the
    positions where the feed gave none."""

    now_s: float
    key: npt.NDArray[np.int64]
    """a number of the track, unique within the process, never used again"""
    reports: ReportBatch
    status: npt.NDArray[np.uint8]
    flags: npt.NDArray[np.uint8]
    first_s: npt.NDArray[np.float64]
    """time of the track's first report"""

    def __len__(self) -> int:
        return len(self.key)

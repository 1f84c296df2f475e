"""Is a feed to be believed? Counts in, one state and its reason out; a stalled or lying feed is never silence.

Pure: the edge counts, this judges. Requirement: practice R2.10.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from keepclear.feeds.reports import ReportBatch

__all__ = ["FeedCounts", "FeedHealth", "FeedState", "HealthLimits", "judge"]


class FeedState(StrEnum):
    WAITING = "WAITING"
    """nothing has come yet, and it is too early to worry"""
    UP = "UP"
    DEGRADED = "DEGRADED"
    """stalled, late, ahead of its time, mostly unreadable, frozen, or overrun; the reason says which"""
    DOWN = "DOWN"
    """the connection is lost and being tried again"""
    ENDED = "ENDED"
    """a recording came to its end"""


@dataclass(frozen=True, slots=True)
class HealthLimits:
    stall_s: float = 10.0
    """no report for this long is a stall: the slowest ADS-B position interval is 5 s (DO-260B), twice that"""
    lag_s: float = 30.0
    """measured this long before receipt: the picture is history"""
    ahead_s: float = 5.0
    """measured in the future by more than clocks may differ: the source's clock lies"""
    fault_share: float = 0.5
    """more unreadable pieces than reports"""
    frozen_reports: int = 200
    """this many reports of moving targets in a row without any change of place: the picture is frozen"""


@dataclass(slots=True)
class FeedCounts:
    """What the edge knows of a feed. ``observe`` is called with each batch; memory is constant."""

    name: str
    started_s: float
    connected: bool = False
    ended: bool = False
    last_bytes_s: float = -np.inf
    last_report_s: float = -np.inf
    reports: int = 0
    faults: int = 0
    dropped: int = 0
    dropped_at_s: float = -np.inf
    reconnects: int = 0
    error: str = ""
    lag_s: float = 0.0
    frozen: int = 0
    rate_hz: float = 0.0
    _last_place: float = np.nan
    _recent_reports: float = 0.0
    _recent_faults: float = 0.0
    _recent_from_s: float = 0.0

    def observe(self, batch: ReportBatch, faults_total: int, now_s: float) -> None:
        new_faults = faults_total - self.faults
        self.faults = faults_total
        if now_s - self._recent_from_s > 10.0:
            span = max(now_s - self._recent_from_s, 1e-3)
            if self._recent_from_s:
                self.rate_hz = self._recent_reports / span
            self._recent_reports, self._recent_faults, self._recent_from_s = 0.0, 0.0, now_s
        self._recent_faults += new_faults
        if not len(batch):
            return
        self.reports += len(batch)
        self._recent_reports += len(batch)
        self.last_report_s = now_s
        self.lag_s = float(np.median(batch.received_s - batch.time_s))
        # One number that changes with any movement in the batch; a frozen picture repeats it to the bit.
        place = float(np.sum(batch.lat_deg) + np.sum(batch.lon_deg) * 1.618) / len(batch)
        moving = bool(np.any(batch.ground_speed_mps > 30.0))
        self.frozen = self.frozen + len(batch) if moving and place == self._last_place else 0
        self._last_place = place


@dataclass(frozen=True, slots=True)
class FeedHealth:
    name: str
    state: FeedState
    reason: str
    rate_hz: float
    lag_s: float
    reports: int
    faults: int
    dropped: int
    reconnects: int
    last_report_s: float = -np.inf


def judge(counts: FeedCounts, now_s: float, limits: HealthLimits | None = None) -> FeedHealth:
    """The feed's state now. The first reason that holds is given, the gravest first."""
    limits = limits or HealthLimits()
    quiet_s = now_s - max(counts.last_report_s, counts.started_s)
    recent = counts._recent_reports + counts._recent_faults
    state, reason = FeedState.UP, ""
    if counts.ended and not counts.error:
        state = FeedState.ENDED
    elif not counts.connected:
        waiting = counts.reconnects == 0 and not counts.error and quiet_s <= limits.stall_s
        state = FeedState.WAITING if waiting else FeedState.DOWN
        reason = counts.error or ("" if waiting else "not connected")
    elif now_s - counts.dropped_at_s < limits.stall_s:
        state, reason = FeedState.DEGRADED, f"more comes than can be handled: {counts.dropped} reports dropped so far"
    elif quiet_s > limits.stall_s:
        never = counts.reports == 0
        state = FeedState.DEGRADED
        reason = f"no {'' if never else 'new '}report for {quiet_s:.0f} s" + (
            ", though bytes come" if now_s - counts.last_bytes_s < limits.stall_s else ""
        )
    elif counts.reports == 0:
        state = FeedState.WAITING
    elif recent >= 20 and counts._recent_faults > limits.fault_share * recent:
        share = counts._recent_faults / recent
        state, reason = FeedState.DEGRADED, f"{share:.0%} of what comes is unreadable"
    elif counts.lag_s > limits.lag_s:
        state, reason = FeedState.DEGRADED, f"positions are {counts.lag_s:.0f} s old when they come"
    elif counts.lag_s < -limits.ahead_s:
        state, reason = FeedState.DEGRADED, f"positions are dated {-counts.lag_s:.0f} s in the future: a clock is wrong"
    elif counts.frozen >= limits.frozen_reports:
        state, reason = FeedState.DEGRADED, "the same places are repeated although targets move: the picture is frozen"
    return FeedHealth(
        counts.name, state, reason, counts.rate_hz, counts.lag_s,
        counts.reports, counts.faults, counts.dropped, counts.reconnects, counts.last_report_s,
    )  # fmt: skip

"""What a watch remembers of alerts from cycle to cycle, and what people do with an open one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from keepclear.alerts.drafting import redraft
from keepclear.alerts.memory import SituationMemory
from keepclear.alerts.model import Acknowledgement, Alert, AlertEvent, AlertStatus, EndReason, EventKind, checked_role
from keepclear.errors import UsageError
from keepclear.zones.zone_set import ZoneSet

__all__ = [
    "ACTUAL", "CANDIDATE", "CLOSED", "EXEMPT_INSIDE", "PREDICTED",
    "AlertCounts", "AlertState", "acknowledge", "ended_with_watch", "finish", "open_alerts",
]  # fmt: skip

# Phases of a remembered situation.
CANDIDATE, PREDICTED, ACTUAL, CLOSED, EXEMPT_INSIDE = 0, 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class AlertCounts:
    """Since the start. Targets (labels), tracks and violations of zones are different numbers."""

    targets: int = 0
    """labels seen in actual violation, however many tracks or sources"""
    tracks: int = 0
    violations: int = 0
    encounters: int = 0
    """pairs that came closer than the separation"""
    exempt: int = 0
    """exempt tracks found inside"""
    alerts: int = 0
    overflowed: int = 0
    """situations that found no room: something may have gone untold, and heartbeat says OVERFLOW"""
    at_least: bool = False
    """targets and tracks are lower bounds: COUNTED_MAX was reached"""


@dataclass(slots=True)
class AlertState:
    """Consumed by :func:`step`: use only the one that it returns. ``run_id`` begins every alert's id; where none is
    given it is the instant of the first cycle, so that a recording played again gives the same ids."""

    run_id: str = ""
    memory: SituationMemory = field(default_factory=SituationMemory)
    alerts: list[Alert | None] = field(default_factory=list)
    """by memory row; None for what was never told"""
    zones: ZoneSet = field(default_factory=lambda: ZoneSet(()))
    serial: int = 0
    counts: AlertCounts = field(default_factory=AlertCounts)
    seen_targets: set[str] = field(default_factory=set)
    seen_tracks: set[int] = field(default_factory=set)
    left: dict[tuple[str, str, str], float] = field(default_factory=dict)
    """(zone, source, target) that was inside lately: until when it was seen there"""

    @staticmethod
    def empty(run_id: str = "") -> AlertState:
        return AlertState(run_id)

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        if rows.any():
            self.memory.keep(~rows)
            self.alerts = [alert for alert, gone in zip(self.alerts, rows.tolist(), strict=True) if not gone]


def acknowledge(state: AlertState, alert_id: str, by_role: str, now_s: float) -> tuple[AlertState, AlertEvent]:
    """A person has seen the alert; it stays shown. Raises :class:`UsageError` if no such alert is open."""
    role = checked_role(by_role)
    for row, alert in enumerate(state.alerts):
        if alert is None or alert.id != alert_id or alert.exempt:
            continue
        if alert.status in (AlertStatus.ENDED, AlertStatus.REVIEWED):
            break
        seen = Acknowledgement(role, now_s, alert.status)
        alert = replace(
            alert, status=AlertStatus.ACKNOWLEDGED, changed_s=now_s, acknowledgements=(*alert.acknowledgements, seen)
        )
        state.alerts[row] = alert
        return state, AlertEvent(EventKind.ACKNOWLEDGED, now_s, alert)
    raise UsageError(f"no open alert {alert_id}: see «keepclear alerts list»")


def finish(state: AlertState, now_s: float) -> list[AlertEvent]:
    """The end of every alert that is open when a watch ends: it can be reviewed, and nobody waits for what follows."""
    return [ended_with_watch(alert, now_s) for alert in open_alerts(state) if not alert.exempt]


def ended_with_watch(alert: Alert, at_s: float) -> AlertEvent:
    ended = replace(alert, status=AlertStatus.ENDED, ended_s=at_s, changed_s=at_s, end_reason=EndReason.WATCH_ENDED)
    return AlertEvent(EventKind.ENDED, at_s, ended)


def open_alerts(state: AlertState) -> list[Alert]:
    """Every alert that goes on, with the figures of the latest cycle."""
    phase = state.memory["phase"]
    rows = np.flatnonzero((phase == PREDICTED) | (phase == ACTUAL)).tolist()
    return [redraft(alert, state.memory, row) for row in rows if (alert := state.alerts[row]) is not None]

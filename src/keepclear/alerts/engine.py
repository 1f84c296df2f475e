"""What is news: situations of one cycle against what is remembered of the cycles before.

Everything is decided on whole columns; an object is made only where something has happened that people are
told, so a cycle in which nothing is new makes none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.alerts.cycles import any_hit, count_cycles, in_cycles, take_over, track_status
from keepclear.alerts.drafting import Scene, draft, redraft
from keepclear.alerts.memory import PAIRS
from keepclear.alerts.model import AlertEvent, AlertStatus, EndReason, EventKind
from keepclear.alerts.settings import AlertSettings
from keepclear.alerts.state import ACTUAL, CANDIDATE, CLOSED, EXEMPT_INSIDE, PREDICTED, AlertState
from keepclear.alerts.violations import count, keep_left
from keepclear.detection.situation import SituationBatch, Verdict
from keepclear.quantities import format_instant
from keepclear.tracks.picture import Picture
from keepclear.zones.zone_set import ZoneSet

__all__ = ["step"]

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Told:
    """Which rows get which event in this cycle."""

    kind: EventKind
    rows: Rows
    reason: EndReason = EndReason.NONE


def step(
    state: AlertState,
    situations: SituationBatch,
    picture: Picture,
    zones: ZoneSet,
    now_s: float,
    settings: AlertSettings,
) -> tuple[AlertState, list[AlertEvent]]:
    """One cycle: the events, in the order of what is remembered (oldest first); names never enter into it.

    A prediction or doubt is raised when confirmed in k of n cycles, an actual infringement by its own k of n
    (at once, by default). It ends after ``clear_cycles`` clear ones or beyond the exit margin with reason CLEAR,
    and with TRACK_LOST when its track ends: then nobody knows. A stale track proves nothing: its alert stays,
    marked, and no cycle counts as clear. Exempt tracks are told as EXEMPT_INSIDE and raise no alert.
    """
    if not state.run_id:
        state.run_id = format_instant(now_s).replace(":", "").replace("-", "")
    told: list[Told] = []
    events = _zones_changed(state, zones, now_s)
    memory = state.memory
    room = max(0, settings.situations_max - len(memory))
    situations, rows, overflowed = memory.locate(situations, room)
    if overflowed:
        state.counts = replace(state.counts, overflowed=state.counts.overflowed + overflowed)
    n = len(memory)
    state.alerts.extend([None] * (n - len(state.alerts)))
    if n == 0:
        return state, events

    present = np.zeros(n, dtype=np.bool_)
    present[rows] = True
    was_stale = memory["stale"].copy()
    lost, stale = track_status(memory, picture)
    memory.columns["stale"] = stale
    take_over(memory, situations, rows, present, stale)
    clear, out = count_cycles(memory, present, stale, now_s, settings)

    phase = memory["phase"]
    told_before = (phase == PREDICTED) | (phase == ACTUAL)
    exempt = memory["exempt"]
    over = told_before & (lost | clear | exempt)
    goes_on = ~lost & ~exempt & ~over
    confirmed = in_cycles(memory["hits"], settings.confirm_cycles, settings.of_cycles) & present
    if settings.confirm_cycles > 1:
        confirmed &= now_s - memory["since_s"] >= settings.confirm_s
    actual = in_cycles(memory["actual_hits"], settings.confirm_actual_cycles, settings.of_actual_cycles)
    actual &= present & (memory["verdict"] == Verdict.ACTUAL)

    raised = goes_on & (phase == CANDIDATE) & (confirmed | actual)
    rejoined = goes_on & (phase == CLOSED) & (confirmed | actual)
    stands = goes_on & (told_before | raised | rejoined)
    entered = stands & actual & ~memory["inside"]
    new_violation = entered & ~(now_s - memory["left_s"] <= settings.violation_gap_s)
    returned = told_before & entered & ~new_violation
    memory["violations"][new_violation] += 1
    memory["inside"][entered] = True
    memory["entered_s"][entered & np.isnan(memory["entered_s"])] = now_s
    exited = told_before & ~over & memory["inside"] & out
    worse = np.maximum(memory["worst"], np.where(stands & present & (confirmed | actual), memory["verdict"], 0))
    # A doubt or actual that its own k of n has not confirmed yet is not the worst that was confirmed.
    worse = np.where((worse == Verdict.ACTUAL) & ~actual, np.maximum(memory["worst"], Verdict.PREDICTED), worse)
    soon = memory["time_to_s"] <= settings.high_within_s
    high = memory["high"] | (stands & present & (actual | (confirmed & soon)))
    changed = told_before & ~over & ((worse > memory["worst"]) | (high & ~memory["high"]) | new_violation)
    memory.columns["worst"] = worse.astype(np.uint8)
    memory.columns["high"] = high

    leaving = exited | (over & memory["inside"])
    memory["left_s"][leaving] = now_s
    memory["inside"][leaving] = False
    phase[(raised | rejoined) & ~actual] = PREDICTED
    phase[stands & actual] = ACTUAL
    phase[over] = CLOSED
    memory["closed_s"][over] = now_s

    now_exempt = exempt & actual & (phase == CANDIDATE)
    exempt_left = (phase == EXEMPT_INSIDE) & (lost | out | ~exempt)
    phase[now_exempt] = EXEMPT_INSIDE
    phase[exempt_left] = CANDIDATE
    memory["hits"][over | exempt_left] = 0
    memory["actual_hits"][over | exempt_left] = 0

    told += [
        Told(EventKind.EXEMPT_INSIDE, np.flatnonzero(now_exempt)),
        Told(EventKind.EXEMPT_LEFT, np.flatnonzero(exempt_left & lost), EndReason.TRACK_LOST),
        Told(EventKind.EXEMPT_LEFT, np.flatnonzero(exempt_left & ~lost)),
        Told(EventKind.RAISED, np.flatnonzero(raised)),
        Told(EventKind.REJOINED, np.flatnonzero(rejoined | returned)),
        Told(EventKind.CHANGED, np.flatnonzero(changed)),
        Told(EventKind.EXITED, np.flatnonzero(exited)),
        Told(EventKind.STALE, np.flatnonzero(told_before & ~over & stale & ~was_stale)),
        Told(EventKind.FRESH, np.flatnonzero(told_before & ~over & ~stale & was_stale)),
        Told(EventKind.ENDED, np.flatnonzero(over & lost), EndReason.TRACK_LOST),
        Told(EventKind.ENDED, np.flatnonzero(over & ~lost & exempt), EndReason.EXEMPT),
        Told(EventKind.ENDED, np.flatnonzero(over & ~lost & ~exempt), EndReason.CLEAR),
    ]
    scene = Scene(situations, picture, zones, now_s, settings)
    count(state, new_violation, now_exempt, raised, scene)
    for news in told:
        for row in news.rows.tolist():
            events.append(_tell(state, row, news, scene))
    keep_left(state, leaving, lost, scene)

    forgotten = lost & (phase != CLOSED) | (phase == CANDIDATE) & ~present & ~any_hit(memory, settings)
    forgotten |= (phase == CLOSED) & (lost | (now_s - memory["closed_s"] > settings.rejoin_s))
    state.forget(forgotten)
    return state, events


def _zones_changed(state: AlertState, zones: ZoneSet, now_s: float) -> list[AlertEvent]:
    """Carry what is remembered over to the new zone set's rows; end what was judged against a version no longer
    in it. An old alert is never judged against a new version (practice R2.11)."""
    if zones is state.zones:
        return []
    old, state.zones = state.zones, zones
    current = [(row, zone) for row, zone in enumerate(zones) if row not in zones.superseded]
    row_of = {(zone.id, zone.version): row for row, zone in current}
    ids = {zone.id for _, zone in current}
    new_row = np.array([row_of.get((zone.id, zone.version), -1) for zone in old], dtype=np.int64)
    memory = state.memory
    about_zone = ~np.isin(memory["kind"], PAIRS)
    gone = np.zeros(len(memory), dtype=np.bool_)
    gone[about_zone] = new_row[memory["other"][about_zone]] < 0
    events = []
    for row in np.flatnonzero(gone & np.isin(memory["phase"], (PREDICTED, ACTUAL))).tolist():
        alert = state.alerts[row]
        if alert is not None:
            reason = EndReason.ZONE_SUPERSEDED if alert.zone_id in ids else EndReason.ZONE_WITHDRAWN
            ended = replace(
                redraft(alert, memory, row), status=AlertStatus.ENDED, verdict=Verdict.CLEAR, ended_s=now_s,
                end_reason=reason, changed_s=now_s,
            )  # fmt: skip
            events.append(AlertEvent(EventKind.ENDED, now_s, ended))
    state.forget(gone)
    memory.rename_zones(new_row)
    return events


def _tell(state: AlertState, row: int, news: Told, scene: Scene) -> AlertEvent:
    now_s = scene.now_s
    changes: dict[str, Any] = {}
    if news.kind is EventKind.ENDED:
        changes = {
            "status": AlertStatus.ENDED, "verdict": Verdict.CLEAR, "ended_s": now_s, "end_reason": news.reason,
        }  # fmt: skip
    elif news.kind is EventKind.EXEMPT_LEFT and news.reason is EndReason.TRACK_LOST:
        changes = {"verdict": Verdict.CLEAR, "end_reason": news.reason}
    elif news.kind in (EventKind.RAISED, EventKind.REJOINED, EventKind.CHANGED):
        status = AlertStatus.ACTUAL if state.memory["phase"][row] == ACTUAL else AlertStatus.PREDICTED
        changes = {"status": status, "ended_s": float("nan"), "end_reason": EndReason.NONE}
    alert = state.alerts[row]
    if alert is None:
        state.serial += 1
        alert_id = f"{state.run_id}-{state.serial:06d}"
        exempt = news.kind is EventKind.EXEMPT_INSIDE
        alert = draft(alert_id, state.memory, row, scene, exempt=exempt, changes=changes)
    else:
        alert = redraft(alert, state.memory, row, scene, changes)
    state.alerts[row] = None if news.kind is EventKind.EXEMPT_LEFT else alert
    return AlertEvent(news.kind, now_s, alert)

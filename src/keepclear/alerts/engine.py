"""What is news: situations of one cycle against what is remembered of the cycles before.

Everything is decided on whole columns; an object is made only where something has happened that people are
told, so a cycle in which nothing is new makes none.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.alerts.drafting import Scene, draft, redraft
from keepclear.alerts.memory import PAIRS, SituationMemory
from keepclear.alerts.model import (
    Acknowledgement,
    Alert,
    AlertEvent,
    AlertStatus,
    EndReason,
    EventKind,
    checked_role,
)
from keepclear.alerts.settings import AlertSettings
from keepclear.detection.situation import SituationBatch, SituationKind, Verdict
from keepclear.errors import UsageError
from keepclear.quantities import format_instant
from keepclear.tracks.picture import Picture, TrackStatus
from keepclear.zones.zone_set import ZoneSet

__all__ = ["COUNTED_MAX", "AlertCounts", "AlertSettings", "AlertState", "acknowledge", "open_alerts", "step"]

COUNTED_MAX = 100_000
"""Distinct targets and tracks remembered for counting; beyond it the counts say «at least»."""

LEFT_LOOKED_AT = 64
"""Of who left long ago so many are forgotten a cycle, the earliest first."""

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

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
    lost, stale = _track_status(memory, picture)
    memory.columns["stale"] = stale
    _take_over(memory, situations, rows, present, stale)
    clear, out = _count_cycles(memory, present, stale, now_s, settings)

    phase = memory["phase"]
    told_before = (phase == PREDICTED) | (phase == ACTUAL)
    exempt = memory["exempt"]
    over = told_before & (lost | clear | exempt)
    goes_on = ~lost & ~exempt & ~over
    confirmed = _in_cycles(memory["hits"], settings.confirm_cycles, settings.of_cycles) & present
    if settings.confirm_cycles > 1:
        confirmed &= now_s - memory["since_s"] >= settings.confirm_s
    actual = _in_cycles(memory["actual_hits"], settings.confirm_actual_cycles, settings.of_actual_cycles)
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
        Told(EventKind.EXEMPT_LEFT, np.flatnonzero(exempt_left)),
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
    _count(state, new_violation, now_exempt, raised, scene)
    for news in told:
        for row in news.rows.tolist():
            events.append(_tell(state, row, news, scene))
    _keep_left(state, leaving, lost, scene)

    forgotten = lost & (phase != CLOSED) | (phase == CANDIDATE) & ~present & ~_any_hit(memory, settings)
    forgotten |= (phase == CLOSED) & (lost | (now_s - memory["closed_s"] > settings.rejoin_s))
    _forget(state, forgotten)
    return state, events


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


def open_alerts(state: AlertState) -> list[Alert]:
    """Every alert that goes on, with the figures of the latest cycle."""
    phase = state.memory["phase"]
    rows = np.flatnonzero((phase == PREDICTED) | (phase == ACTUAL)).tolist()
    return [redraft(alert, state.memory, row) for row in rows if (alert := state.alerts[row]) is not None]


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
    _forget(state, gone)
    memory.rename_zones(new_row)
    return events


def _track_status(memory: SituationMemory, picture: Picture) -> tuple[Mask, Mask]:
    """Per remembered situation: is one of its tracks lost, is one of them stale?"""
    order = np.argsort(picture.key, kind="stable")
    keys = picture.key[order]
    lost = np.zeros(len(memory), dtype=np.bool_)
    stale = np.zeros(len(memory), dtype=np.bool_)
    pair = np.isin(memory["kind"], PAIRS)
    for column, concerned in (("track", slice(None)), ("other", pair)):
        asked = memory[column][concerned]
        if not len(keys):
            lost[concerned] = True
            continue
        place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        status = np.where(keys[place] == asked, picture.status[order][place], TrackStatus.ENDED)
        lost[concerned] |= status == TrackStatus.ENDED
        stale[concerned] |= status == TrackStatus.STALE
    return lost, stale & ~lost


def _take_over(memory: SituationMemory, situations: SituationBatch, rows: Rows, present: Mask, stale: Mask) -> None:
    """This cycle's figures. What is absent is clear, unless its track is stale: then it is as it was."""
    memory["verdict"][~present & ~stale] = Verdict.CLEAR
    memory["exempt"][~present & ~stale] = False
    for name in (
        "verdict", "exempt", "confidence", "time_to_s", "duration_s", "at_lon_deg", "at_lat_deg", "depth_m",
        "horizontal_m", "vertical_m", "cpa_s",
    ):  # fmt: skip
        memory[name][rows] = getattr(situations, name)
    memory["depth_max_m"][rows] = np.fmax(memory["depth_max_m"][rows], situations.depth_m)
    for now, least, cpa in (
        ("horizontal_m", "horizontal_min_m", situations.cpa_horizontal_m),
        ("vertical_m", "vertical_min_m", situations.cpa_vertical_m),
    ):
        memory[least][rows] = np.fmin(np.fmin(memory[least][rows], getattr(situations, now)), cpa)


def _count_cycles(
    memory: SituationMemory, present: Mask, stale: Mask, now_s: float, settings: AlertSettings
) -> tuple[Mask, Mask]:
    """Shift the cycle into the histories; returns what is now clear and what is no longer actual, for sure.

    A stale track that detection says nothing of adds no cycle: nothing was seen.
    """
    counted = present | ~stale
    verdict = memory["verdict"]
    hit, actual = verdict > Verdict.CLEAR, verdict == Verdict.ACTUAL
    begins = counted & hit & ~_in_cycles(memory["hits"], 1, settings.of_cycles)
    memory["since_s"][begins] = now_s
    memory["hit_s"][counted & hit] = now_s
    memory["actual_hit_s"][counted & actual] = now_s
    for name, is_hit in (("hits", hit), ("actual_hits", actual)):
        shifted = (memory[name] << np.uint64(1)) | is_hit.astype(np.uint64)
        memory.columns[name] = np.where(counted, shifted, memory[name])
    for name, is_hit in (("misses", hit), ("actual_misses", actual)):
        missed = np.minimum(memory[name] + 1, np.int32(1 << 30))
        memory.columns[name] = np.where(counted, np.where(is_hit, 0, missed), memory[name]).astype(np.int32)
    far = present & ~actual & (memory["depth_m"] < -settings.exit_margin_m)
    over = (memory["misses"] >= settings.clear_cycles) & ~(now_s - memory["hit_s"] < settings.clear_s)
    left = (memory["actual_misses"] >= settings.clear_cycles) & ~(now_s - memory["actual_hit_s"] < settings.clear_s)
    clear, out = over | (far & ~hit), left | far
    return clear, out


def _in_cycles(history: npt.NDArray[np.uint64], k: int, n: int) -> Mask:
    """Whether at least k of the last n cycles were hits."""
    window = np.uint64((1 << n) - 1)
    confirmed: Mask = np.bitwise_count(history & window) >= k
    return confirmed


def _any_hit(memory: SituationMemory, settings: AlertSettings) -> Mask:
    return _in_cycles(memory["hits"], 1, max(settings.of_cycles, settings.of_actual_cycles))


def _count(state: AlertState, entered: Mask, now_exempt: Mask, raised: Mask, scene: Scene) -> None:
    if not (entered.any() or now_exempt.any() or raised.any()):
        return
    c = state.counts
    kind = state.memory["kind"]
    violation = entered & (kind == SituationKind.APW)
    begun = sum(not _is_same_violation(state, row, scene) for row in np.flatnonzero(violation).tolist())
    at_least = c.at_least
    for key in sorted(set(state.memory["track"][violation].tolist())):
        if len(state.seen_tracks) >= COUNTED_MAX:
            at_least = True
            break
        state.seen_tracks.add(key)
        row = scene.row_of(key)
        assert row is not None, "a situation is about a track of the same cycle's picture"
        state.seen_targets.add(scene.picture.reports.target.at(row) or f"track {key}")
    state.counts = replace(
        c,
        targets=len(state.seen_targets),
        tracks=len(state.seen_tracks),
        violations=c.violations + begun,
        encounters=c.encounters + int(np.count_nonzero(entered & (kind == SituationKind.STCA))),
        exempt=c.exempt + int(np.count_nonzero(now_exempt)),
        alerts=c.alerts + int(np.count_nonzero(raised)),
        at_least=at_least,
    )


def _is_same_violation(state: AlertState, row: int, scene: Scene) -> bool:
    """Whether the target was inside so shortly before, maybe as another track: one that was lost and heard again is a
    track and an alert of its own, and no second violation."""
    track = scene.sighting(state.memory["track"].item(row))
    assert track is not None, "a situation is about a track of the same cycle's picture"
    zone = scene.zones[state.memory["other"].item(row)]
    left_s = state.left.pop((zone.id, track.source, track.track_id), -np.inf)
    return bool(track.track_id) and scene.now_s - left_s <= scene.settings.violation_gap_s


def _keep_left(state: AlertState, leaving: Mask, lost: Mask, scene: Scene) -> None:
    for row in np.flatnonzero(leaving & (state.memory["kind"] == SituationKind.APW)).tolist():
        alert = state.alerts[row]
        if alert is not None:
            key = (alert.zone_id, alert.track.source, alert.track.track_id)
            state.left.pop(key, None)
            state.left[key] = alert.track.last.time_s if lost[row] else scene.now_s
    oldest_s = scene.now_s - scene.settings.violation_gap_s
    for key, left_s in list(islice(state.left.items(), max(LEFT_LOOKED_AT, len(state.left) - COUNTED_MAX))):
        if left_s < oldest_s or len(state.left) > COUNTED_MAX:
            del state.left[key]


def _tell(state: AlertState, row: int, news: Told, scene: Scene) -> AlertEvent:
    now_s = scene.now_s
    changes: dict[str, Any] = {}
    if news.kind is EventKind.ENDED:
        changes = {
            "status": AlertStatus.ENDED, "verdict": Verdict.CLEAR, "ended_s": now_s, "end_reason": news.reason,
        }  # fmt: skip
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


def _forget(state: AlertState, rows: Mask) -> None:
    if rows.any():
        state.memory.keep(~rows)
        state.alerts = [alert for alert, gone in zip(state.alerts, rows.tolist(), strict=True) if not gone]

"""The alert record made from the columns: only when there is news to tell or somebody asks."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from keepclear.alerts.memory import PAIRS, SituationMemory
from keepclear.alerts.model import (
    Alert,
    AlertStatus,
    AlertType,
    Fix,
    Infringement,
    Severity,
    Sighting,
    Version,
)
from keepclear.detection.situation import SituationBatch, Verdict
from keepclear.tracks.picture import Picture, TrackStatus
from keepclear.zones.zone_set import ZoneSet

if TYPE_CHECKING:
    from keepclear.alerts.settings import AlertSettings

__all__ = ["draft", "redraft"]

VERSIONS_MAX = 16
"""Other sources' versions kept in one alert: more sensors than see one target anywhere."""


def draft(
    alert_id: str,
    memory: SituationMemory,
    row: int,
    situations: SituationBatch,
    picture: Picture,
    zones: ZoneSet,
    now_s: float,
    settings: AlertSettings,
    *,
    exempt: bool,
) -> Alert:
    """A new alert about memory row ``row``; its tracks must be in the picture."""
    kind, other = int(memory["kind"][row]), int(memory["other"][row])
    about_tracks = kind in PAIRS
    zone = None if about_tracks else zones[other]
    track = _sighting(picture, int(memory["track"][row]))
    alert = Alert(
        id=alert_id,
        judged_by=settings.judged_by,
        type=AlertType.of(kind),
        status=AlertStatus.CANDIDATE,
        verdict=Verdict.CLEAR,
        worst_verdict=Verdict.CLEAR,
        severity=Severity.LOW,
        track=track,
        other=_sighting(picture, other) if about_tracks else None,
        zone_id=zone.id if zone else "",
        zone_version=zone.version if zone else "",
        zone_name=zone.name if zone else "",
        zone_text=zone.text if zone else "",
        raised_s=now_s,
        changed_s=now_s,
        exempt=exempt,
    )
    return redraft(alert, memory, row, situations, picture, now_s, settings)


def redraft(
    alert: Alert,
    memory: SituationMemory,
    row: int,
    situations: SituationBatch | None = None,
    picture: Picture | None = None,
    now_s: float | None = None,
    settings: AlertSettings | None = None,
) -> Alert:
    """The alert with the figures of the latest cycle; with a picture also its tracks' newest fixes."""

    def number(name: str) -> float:
        return float(memory[name][row])

    at_s = alert.changed_s if now_s is None else now_s
    actual = memory["verdict"][row] == Verdict.ACTUAL
    to_cpa = number("cpa_s") if alert.other else number("time_to_s")
    alert = replace(
        alert,
        verdict=Verdict(int(memory["verdict"][row])),
        worst_verdict=Verdict(int(memory["worst"][row])),
        severity=Severity.HIGH if memory["high"][row] else Severity.LOW,
        changed_s=at_s,
        entered_s=number("entered_s"),
        left_s=number("left_s"),
        time_to_conflict_s=number("time_to_s"),
        tca_s=at_s + to_cpa,
        duration_s=number("duration_s"),
        horizontal_m=number("horizontal_m"),
        horizontal_min_m=number("horizontal_min_m"),
        vertical_m=number("vertical_m"),
        vertical_min_m=number("vertical_min_m"),
        depth_m=number("depth_m"),
        depth_max_m=number("depth_max_m"),
        at_lat_deg=number("at_lat_deg"),
        at_lon_deg=number("at_lon_deg"),
        probability_pct=100.0 * number("confidence"),
        violations=int(memory["violations"][row]),
        stale=bool(memory["stale"][row]),
    )
    if settings is not None and alert.other is not None:
        alert = replace(alert, infringement=_infringement(alert, settings, bool(actual)))
    if picture is None or situations is None:
        return alert
    track = _moved(alert.track, picture)
    other = _moved(alert.other, picture) if alert.other else None
    versions = _versions(alert, memory, row, situations, picture) if alert.other is None else ()
    return replace(alert, track=track, other=other, versions=versions or alert.versions)


def _infringement(alert: Alert, settings: AlertSettings, actual: bool) -> Infringement:
    """Major once both distances were below half of the separation, minor once it was infringed at all."""
    if alert.infringement is Infringement.MAJOR or not actual:
        return alert.infringement
    vertical_m = 0.0 if math.isnan(alert.vertical_m) else alert.vertical_m
    half = alert.horizontal_m < settings.separation_horizontal_m / 2 and vertical_m < settings.separation_vertical_m / 2
    return Infringement.MAJOR if half else Infringement.MINOR


def _sighting(picture: Picture, key: int) -> Sighting:
    row = int(np.flatnonzero(picture.key == key)[0])
    reports = picture.reports
    fix = _fix(picture, row)
    return Sighting(key, reports.target.at(row), reports.callsign.at(row), reports.source.at(row), fix, fix)


def _moved(sighting: Sighting, picture: Picture) -> Sighting:
    """With the newest fix; as it was where the track is in the picture no more."""
    rows = np.flatnonzero(picture.key == sighting.key)
    if not len(rows):
        return sighting
    callsign = picture.reports.callsign.at(int(rows[0])) or sighting.callsign
    return replace(sighting, last=_fix(picture, int(rows[0])), callsign=callsign)


def _fix(picture: Picture, row: int) -> Fix:
    r = picture.reports
    return Fix(
        float(r.time_s[row]), float(r.lat_deg[row]), float(r.lon_deg[row]), float(r.altitude_baro_m[row]),
        float(r.altitude_geo_m[row]), float(r.ground_speed_mps[row]), float(r.track_deg[row]), int(r.squawk[row]),
    )  # fmt: skip


def _versions(
    alert: Alert, memory: SituationMemory, row: int, situations: SituationBatch, picture: Picture
) -> tuple[Version, ...]:
    """What the other sources' tracks of the same target give for the same zone in the same cycle (practice R2.1).

    A stale track gives no version: what it last said is no verdict on now.
    """
    target = picture.reports.target
    here = np.flatnonzero(picture.key == alert.track.key)
    if not len(here) or target.codes[here[0]] < 0:
        return ()
    same = (target.codes == target.codes[here[0]]) & (picture.status == TrackStatus.LIVE)
    same[here] = False
    versions = []
    for other in np.flatnonzero(same)[:VERSIONS_MAX].tolist():
        found = np.flatnonzero(
            (situations.track == picture.key[other])
            & (situations.other == memory["other"][row])
            & (situations.kind == memory["kind"][row])
        )
        verdict = Verdict(int(situations.verdict[found[0]])) if len(found) else Verdict.CLEAR
        depth_m = float(situations.depth_m[found[0]]) if len(found) else math.nan
        versions.append(
            Version(picture.reports.source.at(other), verdict, depth_m, float(picture.reports.time_s[other]))
        )
    return tuple(versions)

"""The alert record made from the columns: only when there is news to tell or somebody asks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

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
from keepclear.alerts.settings import AlertSettings
from keepclear.detection.situation import SituationBatch, Verdict
from keepclear.tracks.picture import Picture, TrackStatus
from keepclear.zones.zone_set import ZoneSet

__all__ = ["Scene", "draft", "redraft"]

VERSIONS_MAX = 16
"""Other sources' versions kept in one alert: more sensors than see one target anywhere."""


@dataclass(frozen=True)
class Scene:
    """One cycle as it was given, with the look-ups that news needs, each built once and only if asked for."""

    situations: SituationBatch
    picture: Picture
    zones: ZoneSet
    now_s: float
    settings: AlertSettings
    sightings: dict[int, Sighting] = field(default_factory=dict)
    rows: dict[int, int | None] = field(default_factory=dict)

    @cached_property
    def _sorted_keys(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        order = np.argsort(self.picture.key, kind="stable")
        return self.picture.key[order], order

    def row_of(self, key: int) -> int | None:
        """A track key's row in the picture; None where it is in the picture no more."""
        try:
            return self.rows[key]
        except KeyError:
            keys, order = self._sorted_keys
            place = int(keys.searchsorted(key))
            row = int(order[place]) if place < len(keys) and keys[place] == key else None
            self.rows[key] = row
            return row

    @cached_property
    def situation_of(self) -> dict[tuple[int, int, int], int]:
        """The row of (kind, track, other) in the situations."""
        s = self.situations
        return {k: row for row, k in enumerate(zip(s.kind.tolist(), s.track.tolist(), s.other.tolist()))}

    @cached_property
    def live_rows_of(self) -> dict[int, list[int]]:
        """The live tracks' rows of each target that several tracks bear."""
        codes = self.picture.reports.target.codes
        live = np.flatnonzero((self.picture.status == TrackStatus.LIVE) & (codes >= 0))
        several = np.bincount(codes[live])[codes[live]] > 1 if len(live) else np.zeros(0, dtype=np.bool_)
        rows: dict[int, list[int]] = {}
        for row in live[several].tolist():
            rows.setdefault(int(codes[row]), []).append(row)
        return rows

    def sighting(self, key: int) -> Sighting | None:
        """The track as it is now; None where it is in the picture no more."""
        known = self.sightings.get(key)
        if known is not None:
            return known
        row = self.row_of(key)
        if row is None:
            return None
        r = self.picture.reports
        fix = Fix(
            r.time_s.item(row), r.lat_deg.item(row), r.lon_deg.item(row), r.altitude_baro_m.item(row),
            r.altitude_geo_m.item(row), r.ground_speed_mps.item(row), r.track_deg.item(row), r.squawk.item(row),
        )  # fmt: skip
        found = Sighting(key, r.target.at(row), r.callsign.at(row), r.source.at(row), fix, fix)
        self.sightings[key] = found
        return found


def draft(
    alert_id: str, memory: SituationMemory, row: int, scene: Scene, *, exempt: bool, changes: Mapping[str, Any]
) -> Alert:
    """A new alert about memory row ``row``; its tracks must be in the picture."""
    kind, other = int(memory["kind"][row]), int(memory["other"][row])
    about_tracks = kind in PAIRS
    zone = None if about_tracks else scene.zones[other]
    track = scene.sighting(int(memory["track"][row]))
    assert track is not None, "a situation is about a track of the same cycle's picture"
    alert = Alert(
        id=alert_id,
        judged_by=scene.settings.judged_by,
        type=AlertType.of(kind),
        status=AlertStatus.CANDIDATE,
        verdict=Verdict.CLEAR,
        worst_verdict=Verdict.CLEAR,
        severity=Severity.LOW,
        track=track,
        other=scene.sighting(other) if about_tracks else None,
        zone_id=zone.id if zone else "",
        zone_version=zone.version if zone else "",
        zone_name=zone.name if zone else "",
        zone_text=zone.text if zone else "",
        raised_s=scene.now_s,
        changed_s=scene.now_s,
        exempt=exempt,
    )
    return redraft(alert, memory, row, scene, changes)


def redraft(
    alert: Alert,
    memory: SituationMemory,
    row: int,
    scene: Scene | None = None,
    changes: Mapping[str, Any] = MappingProxyType({}),
) -> Alert:
    """The alert with the figures of the latest cycle and ``changes``; with a scene also its tracks' newest fixes."""

    columns = memory.columns

    def number(name: str) -> float:
        value: float = columns[name].item(row)
        return value

    at_s = alert.changed_s if scene is None else scene.now_s
    verdict = _VERDICTS[columns["verdict"].item(row)]
    worst_verdict = _VERDICTS[columns["worst"].item(row)]
    to_conflict_s = number("time_to_s")
    track, other, versions, infringement = alert.track, alert.other, alert.versions, alert.infringement
    horizontal_m, vertical_m = number("horizontal_m"), number("vertical_m")
    if scene is not None:
        track = _moved(track, scene)
        if other is not None:
            other = _moved(other, scene)
            if verdict is Verdict.ACTUAL and infringement is not Infringement.MAJOR:
                infringement = _infringement(horizontal_m, vertical_m, scene.settings)
        elif verdict >= worst_verdict and verdict is not Verdict.CLEAR:
            # As they were when it was at its worst: after the end there is nothing to differ about.
            versions = _versions(alert, memory, row, scene) or versions
    figures: dict[str, Any] = {
        "verdict": verdict,
        "worst_verdict": worst_verdict,
        "severity": Severity.HIGH if columns["high"].item(row) else Severity.LOW,
        "track": track,
        "other": other,
        "changed_s": at_s,
        "entered_s": number("entered_s"),
        "left_s": number("left_s"),
        "time_to_conflict_s": to_conflict_s,
        "tca_s": at_s + (to_conflict_s if other is None else number("cpa_s")),
        "duration_s": number("duration_s"),
        "horizontal_m": horizontal_m,
        "horizontal_min_m": number("horizontal_min_m"),
        "vertical_m": vertical_m,
        "vertical_min_m": number("vertical_min_m"),
        "depth_m": number("depth_m"),
        "depth_max_m": number("depth_max_m"),
        "at_lat_deg": number("at_lat_deg"),
        "at_lon_deg": number("at_lon_deg"),
        "probability_pct": 100.0 * number("confidence"),
        "infringement": infringement,
        "violations": columns["violations"].item(row),
        "stale": columns["stale"].item(row),
        "versions": versions,
    }
    # dataclasses.replace() takes three times as long, and traffic in a closed region makes a hundred of these a cycle.
    return Alert(**(dict(zip(_FIELDS, _values(alert), strict=True)) | figures | dict(changes)))


_FIELDS = tuple(f.name for f in fields(Alert))
_values = attrgetter(*_FIELDS)
_VERDICTS = {int(verdict): verdict for verdict in Verdict}


def _infringement(horizontal_m: float, vertical_m: float, settings: AlertSettings) -> Infringement:
    """Major while both distances are below half of the separation, an unknown vertical one counting as none."""
    vertical_m = 0.0 if math.isnan(vertical_m) else vertical_m
    half = horizontal_m < settings.separation_horizontal_m / 2 and vertical_m < settings.separation_vertical_m / 2
    return Infringement.MAJOR if half else Infringement.MINOR


def _moved(sighting: Sighting, scene: Scene) -> Sighting:
    now = scene.sighting(sighting.key)
    if now is None or now is sighting:
        return sighting
    return replace(sighting, last=now.last, callsign=now.callsign or sighting.callsign)


def _versions(alert: Alert, memory: SituationMemory, row: int, scene: Scene) -> tuple[Version, ...]:
    """What the other sources' tracks of the same target give for the same zone in the same cycle (practice R2.1).

    A stale track gives no version: what it last said is no verdict on now. Nor does a second track of the same
    source under the same label: that is a suspected spoof or a duplicate address, not another party's view.
    """
    picture, situations = scene.picture, scene.situations
    here = scene.row_of(alert.track.key)
    if here is None:
        return ()
    kind, zone = int(memory["kind"][row]), int(memory["other"][row])
    sources = picture.reports.source.codes
    versions: list[Version] = []
    for other in scene.live_rows_of.get(int(picture.reports.target.codes[here]), ()):
        if len(versions) == VERSIONS_MAX:
            break
        if sources[other] == sources[here]:
            continue
        found = scene.situation_of.get((kind, int(picture.key[other]), zone))
        verdict = Verdict.CLEAR if found is None else Verdict(int(situations.verdict[found]))
        depth_m = math.nan if found is None else float(situations.depth_m[found])
        source, time_s = picture.reports.source.at(other), float(picture.reports.time_s[other])
        versions.append(Version(source, verdict, depth_m, time_s))
    return tuple(versions)

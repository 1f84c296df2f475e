"""Infringements in the live picture: who is inside now, who will be within the look-ahead, and who may be.

Motion is straight from the newest report, as in EUROCONTROL's APW; entry is computed on the path, never by checking
points. A track is judged where it is now, not where it was when it last reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from keepclear.detection.activity import Activity
from keepclear.detection.exemption import named_exemptions
from keepclear.detection.infringement import RAYLEIGH_95
from keepclear.detection.prepared import PreparedLayer, PreparedZones
from keepclear.detection.situation import SituationBatch, SituationKind, Verdict
from keepclear.detection.subjects import binds, subject_doubt
from keepclear.feeds.reports import Floats, ReportBatch
from keepclear.quantities import Datum
from keepclear.space.index import Ahead, OutlineIndex
from keepclear.tracks.altitude import AltitudeAssumptions, altitudes_in
from keepclear.tracks.picture import Picture, TrackStatus
from keepclear.zones.model import ZoneType

__all__ = ["LOOK_AHEAD_S", "DepthMemory", "predict_infringements"]

LOOK_AHEAD_S = 120.0
"""EUROCONTROL APW: straight extrapolation serves up to two minutes (practice §2, parameters)."""
NEAR_M = 5_000.0
"""Within this of a border the depth is measured anew in every cycle."""
KEPT_S = 10.0
"""A depth further from the border is at most this old: what a row says may be off by this much flying."""
SPEED_ALLOWANCE = 1.5
"""Over the reported speed: a track may accelerate, and its speed may be misreported."""
BAND_M = 1.0
"""An altitude known to within this is taken as known."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Motion:
    """The tracks that can be judged, moved on to now."""

    rows: Ints
    """rows of the picture"""
    reports: ReportBatch
    age_s: Floats
    east_mps: Floats
    north_mps: Floats
    up_mps: Floats

    def take(self, keep: npt.NDArray[np.bool_]) -> _Motion:
        if keep.all():
            return self
        return _Motion(self.rows[keep], self.reports.take(np.flatnonzero(keep)), self.age_s[keep],
                       self.east_mps[keep], self.north_mps[keep], self.up_mps[keep])  # fmt: skip


@dataclass(slots=True)
class DepthMemory:
    """Depths measured before, so that who is far inside or outside need not be measured in every cycle.

    A depth changes by no more than the way moved. One that stays further from the border than NEAR_M whatever the
    motion since is kept for up to KEPT_S; nearer ones are measured each time. Consumed: arrays are replaced.
    """

    key: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """sorted: track key and zone row in one number"""
    depth_m: Floats = field(default_factory=lambda: np.empty(0))
    measured_s: Floats = field(default_factory=lambda: np.empty(0))

    def known(self, key: Ints, now_s: float, speed_mps: Floats) -> tuple[npt.NDArray[np.bool_], Floats, Floats]:
        """Which keys need no measuring now, their depths and when these were measured (nan where none is known)."""
        if not len(self.key):
            return np.zeros(len(key), dtype=bool), np.full(len(key), np.nan), np.full(len(key), np.nan)
        at = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        there = self.key[at] == key
        age = now_s - self.measured_s[at]
        # Spread over the cycles by the key, so that not all of them fall due in the same one.
        good = there & (age >= 0.0) & (age < KEPT_S * (0.5 + 0.5 * (key % 97) / 97.0))
        good &= np.abs(self.depth_m[at]) - SPEED_ALLOWANCE * speed_mps * age > NEAR_M
        return good, np.where(good, self.depth_m[at], np.nan), np.where(good, self.measured_s[at], now_s)

    def keep(self, key: Ints, depth_m: Floats, measured_s: Floats) -> None:
        order = np.argsort(key, kind="stable")
        self.key, self.depth_m, self.measured_s = key[order], depth_m[order], measured_s[order]


@dataclass(slots=True)
class _Hits:
    """One row a (track, zone): rows of the motion, the outline judged, seconds from now."""

    track: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    outline: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    enter_s: Floats = field(default_factory=lambda: np.empty(0))
    exit_s: Floats = field(default_factory=lambda: np.empty(0))
    lon_deg: Floats = field(default_factory=lambda: np.empty(0))
    lat_deg: Floats = field(default_factory=lambda: np.empty(0))


def predict_infringements(
    picture: Picture,
    prepared: PreparedZones,
    in_force: Activity,
    *,
    look_ahead_s: float = LOOK_AHEAD_S,
    parties: Mapping[str, str] | None = None,
    memory: DepthMemory | None = None,
) -> SituationBatch:
    """One row for every (track, zone) that is not clear now or within the look-ahead.

    Stale and ended tracks are not judged: where they are is not known, which the picture shows. With a ``memory``
    kept from cycle to cycle, ``depth_m`` far from a border may be up to 10 s old; without, all are measured.
    """
    motion = _motion(picture)
    measured: list[tuple[Ints, Floats, Floats]] = []
    parts = [
        _in_layer(layer, prepared, motion, picture, in_force, look_ahead_s, parties or {}, memory, measured)
        for layer in prepared.layers
    ]
    if memory is not None and measured:
        memory.keep(*(np.concatenate([m[k] for m in measured]) for k in range(3)))
    parts = [part for part in parts if len(part)]
    if not parts:
        return SituationBatch.build(0)
    if len(parts) == 1:
        return parts[0]
    names = SituationBatch.__dataclass_fields__
    return SituationBatch(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})


def _motion(picture: Picture) -> _Motion:
    rows = np.flatnonzero(picture.status == TrackStatus.LIVE)
    reports = picture.reports if len(rows) == len(picture.status) else picture.reports.take(rows)
    speed = np.nan_to_num(reports.ground_speed_mps.astype(np.float64))
    direction = np.radians(np.nan_to_num(reports.track_deg.astype(np.float64)))
    age_s = np.maximum(picture.now_s - reports.time_s, 0.0)
    return _Motion(
        rows, reports, age_s, speed * np.sin(direction), speed * np.cos(direction),
        np.nan_to_num(reports.vertical_rate_mps.astype(np.float64)),
    )  # fmt: skip


def _in_layer(
    layer: PreparedLayer,
    prepared: PreparedZones,
    motion: _Motion,
    picture: Picture,
    in_force: Activity,
    look_ahead_s: float,
    parties: Mapping[str, str],
    memory: DepthMemory | None,
    measured: list[tuple[Ints, Floats, Floats]],
) -> SituationBatch:
    bound = binds(layer.domains, motion.reports)
    if bound is not None:
        motion = motion.take(bound)
    if not len(motion.rows):
        return SituationBatch.build(0)
    low, high = _altitudes(layer, motion, prepared.assumptions)
    hits = _ahead(layer.exact, motion, low, high, look_ahead_s)
    if layer.near is not None:
        hits = _with_close(hits, layer, motion, low, high, picture.now_s, prepared)
    hits = _one_a_zone(_in_force(hits, layer, picture.now_s, in_force), layer)
    if not len(hits.track):
        return SituationBatch.build(0)

    lon_now, lat_now = _moved(motion, hits.track, motion.age_s[hits.track])
    zone = layer.zone[hits.outline]
    depth = _depths(layer, hits, zone, lon_now, lat_now, motion, picture, memory, measured)
    error_m = _error(hits, zone, motion, prepared)
    inside = (hits.enter_s <= 0.0) & (depth >= 0.0)
    now = inside | ((np.abs(depth) < error_m) & (hits.enter_s <= 0.0))
    keep = np.flatnonzero(now | (hits.enter_s > 0.0))

    sure = _altitude_sure(layer, motion, hits, low, high)
    doubtful = (depth < error_m) | ~sure
    doubts = _subject_doubts(zone, hits, motion, prepared, parties)
    verdict = np.where(
        ~now, Verdict.PREDICTED, np.where(doubtful | (doubts == 1), Verdict.INDETERMINATE, Verdict.ACTUAL)
    )
    keep = keep[doubts[keep] != 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        sigmas = np.where(error_m > 0.0, depth * RAYLEIGH_95 / error_m, np.nan)
    confidence = np.where(now, _normal_cdf(sigmas), np.nan)
    types = np.array([z.type is ZoneType.THIRD_PARTY_TERRITORY for z in prepared.zones], dtype=bool)
    batch = SituationBatch.build(
        len(hits.track),
        kind=np.where(types[zone], SituationKind.SPILL_OVER, SituationKind.APW),
        track=picture.key[motion.rows[hits.track]],
        other=zone,
        verdict=verdict,
        confidence=confidence,
        time_to_s=np.where(now, 0.0, hits.enter_s),
        duration_s=hits.exit_s - np.maximum(hits.enter_s, 0.0),
        at_lon_deg=np.where(now, lon_now, hits.lon_deg),
        at_lat_deg=np.where(now, lat_now, hits.lat_deg),
        depth_m=depth,
        exempt=_exempt(zone, hits, motion, prepared, parties),
    )
    return batch.take(keep)


def _altitudes(layer: PreparedLayer, motion: _Motion, assumptions: AltitudeAssumptions) -> tuple[Floats, Floats]:
    if layer.frame is Datum.UNBOUNDED:
        unknown = np.full(len(motion.rows), np.nan)
        return unknown, unknown
    return altitudes_in(motion.reports, layer.frame, assumptions)


def _ahead(index: OutlineIndex, motion: _Motion, low: Floats, high: Floats, look_ahead_s: float) -> _Hits:
    """Paths from each report's own time to the look-ahead, then cut at now."""
    reports = motion.reports
    oldest = float(motion.age_s.max(initial=0.0))
    found: Ahead = index.ahead(
        reports.lon_deg, reports.lat_deg, _sure_altitude(low, high), reports.time_s,
        motion.east_mps, motion.north_mps, motion.up_mps, oldest + look_ahead_s + 0.01,
    )  # fmt: skip
    age = motion.age_s[found.report]
    enter, leave = found.enter_s - age, found.exit_s - age
    keep = np.flatnonzero((leave >= 0.0) & (enter <= look_ahead_s))
    return _Hits(
        found.report[keep].astype(np.int64), found.outline_row[keep].astype(np.int32),
        np.maximum(enter[keep], 0.0), leave[keep], found.enter_lon_deg[keep], found.enter_lat_deg[keep],
    )  # fmt: skip


def _sure_altitude(low: Floats, high: Floats) -> Floats:
    """The altitude where it is known, nan where it is a band: within that anything is possible."""
    sure: Floats = np.where(high - low < BAND_M, 0.5 * (low + high), np.nan)
    return sure


def _depths(
    layer: PreparedLayer, hits: _Hits, zone: npt.NDArray[np.int32], lon: Floats, lat: Floats, motion: _Motion,
    picture: Picture, memory: DepthMemory | None, measured: list[tuple[Ints, Floats, Floats]],
) -> Floats:  # fmt: skip
    if memory is None:
        return layer.depth(lon, lat, hits.outline)
    key = (picture.key[motion.rows[hits.track]] << 20) | zone
    speed = np.hypot(motion.east_mps, motion.north_mps)[hits.track]
    known, depth, when = memory.known(key, picture.now_s, speed)
    fresh = np.flatnonzero(~known)
    depth[fresh] = layer.depth(lon[fresh], lat[fresh], hits.outline[fresh])
    when[fresh] = picture.now_s
    measured.append((key, depth, when))
    return depth


def _error(hits: _Hits, zone: npt.NDArray[np.int32], motion: _Motion, prepared: PreparedZones) -> Floats:
    """The stated 95 % errors of track and zone together, metres; 0 where neither is stated."""
    of_zones = np.array([z.accuracy_m for z in prepared.zones])
    error: Floats = np.hypot(np.nan_to_num(motion.reports.accuracy_m[hits.track].astype(np.float64)), of_zones[zone])
    return error


def _with_close(
    hits: _Hits, layer: PreparedLayer, motion: _Motion, low: Floats, high: Floats, now_s: float,
    prepared: PreparedZones,
) -> _Hits:  # fmt: skip
    """Add who is outside now, but nearer to the border than the stated errors: they may be in."""
    assert layer.near is not None, "asked only where there is a margin"
    everyone = np.arange(len(motion.rows))
    lon, lat = _moved(motion, everyone, motion.age_s)
    altitude = _sure_altitude(low, high) + motion.up_mps * motion.age_s
    track, near_row = layer.near.positions(lon, lat, altitude, np.full(len(lon), now_s))
    outline = layer.near_row[near_row]
    zones = np.int64(int(layer.zone.max()) + 1)
    inside_now = hits.enter_s <= 0.0
    known = hits.track[inside_now] * zones + layer.zone[hits.outline[inside_now]]
    new = np.flatnonzero(~np.isin(track * zones + layer.zone[outline], known))
    track, outline = track[new], outline[new]
    nothing = np.zeros(len(track))
    close = _Hits(track, outline, nothing, nothing, lon[track], lat[track])
    near = np.abs(layer.depth(lon[track], lat[track], outline)) < _error(close, layer.zone[outline], motion, prepared)
    return _Hits(*(np.concatenate([getattr(hits, n), getattr(close, n)[near]]) for n in _Hits.__dataclass_fields__))


def _in_force(hits: _Hits, layer: PreparedLayer, now_s: float, in_force: Activity) -> _Hits:
    """Paths cut to the zones' times in force; a zone that comes into force around a track is entered then."""
    zone = layer.zone[hits.outline]
    begin, end = np.full(len(zone), np.inf), np.full(len(zone), -np.inf)
    for number in np.unique(zone).tolist():
        rows = np.flatnonzero(zone == number)
        intervals = in_force.intervals[number]
        if not len(intervals):
            continue
        first = np.searchsorted(intervals[:, 1], now_s + hits.enter_s[rows], side="right")
        usable = first < len(intervals)
        first = np.minimum(first, len(intervals) - 1)
        begin[rows[usable]], end[rows[usable]] = intervals[first[usable]].T
    enter = np.maximum(hits.enter_s, begin - now_s)
    leave = np.minimum(hits.exit_s, end - now_s)
    keep = np.flatnonzero(enter <= leave)
    return _Hits(hits.track[keep], hits.outline[keep], enter[keep], leave[keep], hits.lon_deg[keep], hits.lat_deg[keep])


def _one_a_zone(hits: _Hits, layer: PreparedLayer) -> _Hits:
    """The earliest entry of each (track, zone)."""
    zone = layer.zone[hits.outline]
    order = np.lexsort((hits.enter_s, zone, hits.track))
    track, zone = hits.track[order], zone[order]
    first = order[np.append(True, (track[1:] != track[:-1]) | (zone[1:] != zone[:-1]))[: len(order)]]
    names = _Hits.__dataclass_fields__
    return _Hits(*(getattr(hits, n)[first] for n in names))


def _moved(motion: _Motion, track: Ints, seconds: Floats) -> tuple[Floats, Floats]:
    """Where tracks are after ``seconds`` of straight motion."""
    from keepclear.detection.kernels.positions import carried_positions  # compiled code is loaded on first use only

    reports = motion.reports
    lon, lat = carried_positions(
        reports.lat_deg[track], reports.lon_deg[track], motion.east_mps[track], motion.north_mps[track], seconds
    )
    return lon, lat


def _altitude_sure(
    layer: PreparedLayer, motion: _Motion, hits: _Hits, low: Floats, high: Floats
) -> npt.NDArray[np.bool_]:
    if layer.frame is Datum.UNBOUNDED:
        return np.ones(len(hits.track), dtype=bool)
    climb = motion.up_mps[hits.track] * (motion.age_s[hits.track] + hits.enter_s)
    band = layer.band[hits.outline]
    sure: npt.NDArray[np.bool_] = (low[hits.track] + climb >= band[:, 1]) & (high[hits.track] + climb <= band[:, 2])
    return sure


def _subject_doubts(
    zone: npt.NDArray[np.int32], hits: _Hits, motion: _Motion, prepared: PreparedZones, parties: Mapping[str, str]
) -> npt.NDArray[np.uint8]:
    """0 bound for sure, 1 in doubt, 2 not bound."""
    doubts = np.zeros(len(zone), dtype=np.uint8)
    for number in np.unique(zone).tolist():
        subject = prepared.zones[number].subject
        if not (subject.parties or subject.categories):
            continue
        for k in np.flatnonzero(zone == number).tolist():
            row = int(hits.track[k])
            party = parties.get(motion.reports.target.at(row), "")
            found = subject_doubt(subject, party, int(motion.reports.category[row]))
            doubts[k] = 2 if found == "not bound" else bool(found)
    return doubts


def _exempt(
    zone: npt.NDArray[np.int32], hits: _Hits, motion: _Motion, prepared: PreparedZones, parties: Mapping[str, str]
) -> npt.NDArray[np.bool_]:
    exempt = np.zeros(len(zone), dtype=bool)
    for number in np.unique(zone).tolist():
        named = named_exemptions(prepared.zones[number])
        if not named:
            continue
        of_zone = np.flatnonzero(zone == number)
        who = hits.track[of_zone]
        targets = motion.reports.target.take(who).strings()
        exempt[of_zone] = named.covered(targets, motion.reports.callsign.take(who).strings(), parties)
    return exempt


def _normal_cdf(x: Floats) -> Floats:
    """Φ by the logistic form of Bowling et al. (2009), error below 1.4e-4: a confidence is not known more finely."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-(0.07056 * x**3 + 1.5976 * x)))

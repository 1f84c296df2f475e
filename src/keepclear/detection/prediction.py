"""Infringements in the live picture: who is inside now, who will be within the look-ahead, and who may be.

Motion is straight from the newest report, as in EUROCONTROL's APW; entry is computed on the path, never by checking
points. A track is judged where it is now, not where it was when it last reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from keepclear.detection.activity import Activity
from keepclear.detection.encounter import velocity
from keepclear.detection.exemption import NamedExemptions
from keepclear.detection.infringement import RAYLEIGH_95
from keepclear.detection.prediction_memory import DepthMemory, PredictionMemory
from keepclear.detection.prepared import PreparedLayer, PreparedZones
from keepclear.detection.situation import SituationBatch, SituationKind, Verdict, concatenate
from keepclear.detection.subjects import binds, subject_doubt
from keepclear.feeds.reports import Floats, ReportBatch
from keepclear.quantities import Datum
from keepclear.space.index import Ahead, OutlineIndex
from keepclear.tracks.altitude import AltitudeAssumptions, altitudes_in
from keepclear.tracks.picture import Picture, TrackStatus

__all__ = ["LOOK_AHEAD_S", "predict_infringements"]

LOOK_AHEAD_S = 120.0
"""EUROCONTROL APW: straight extrapolation serves up to two minutes (practice §2, parameters)."""
BAND_M = 1.0
"""An altitude known to within this is taken as known."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Motion:
    """The tracks that can be judged, moved on to now."""

    rows: Ints
    """rows of the picture"""
    reports: ReportBatch
    age_s: Floats
    east_mps: Floats
    north_mps: Floats
    up_mps: Floats

    @cached_property
    def place_now(self) -> tuple[Floats, Floats]:
        """Longitude and latitude, straight on from the newest report."""
        from keepclear.detection.kernels.positions import carried_positions  # compiled code is loaded on first use only

        r = self.reports
        lon, lat = carried_positions(r.lat_deg, r.lon_deg, self.east_mps, self.north_mps, self.age_s)
        return lon, lat

    def take(self, keep: npt.NDArray[np.bool_]) -> _Motion:
        if keep.all():
            return self
        return _Motion(self.rows[keep], self.reports.take(np.flatnonzero(keep)), self.age_s[keep],
                       self.east_mps[keep], self.north_mps[keep], self.up_mps[keep])  # fmt: skip


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
    memory: PredictionMemory | None = None,
) -> SituationBatch:
    """One row for every (track, zone) that is not clear now or within the look-ahead.

    Stale and ended tracks are not judged: where they are is not known, which the picture shows. With a ``memory``
    kept from cycle to cycle only tracks with news are judged again, and ``depth_m`` far from a border may be up to
    10 s old; without, all are judged and measured.
    """
    rows = np.flatnonzero(picture.status == TrackStatus.LIVE)
    if memory is not None:
        reported_s = picture.reports.time_s[rows]
        rows = rows[memory.due(picture.now_s, picture.key[rows], reported_s, prepared, in_force)]
    motion = _motion(picture, rows)
    first_outline = np.cumsum([0] + [len(layer.zone) for layer in prepared.layers]).tolist()
    parts = [
        _in_layer(layer, prepared, motion, picture, in_force, look_ahead_s, parties or {},
                  None if memory is None else memory.depths, {} if memory is None else memory.exempt, first)
        for layer, first in zip(prepared.layers, first_outline)
    ]  # fmt: skip
    return concatenate(parts) if memory is None else memory.complete(parts)


def _motion(picture: Picture, rows: Ints) -> _Motion:
    """Who does not say how fast and where to is taken to stand still."""
    reports = picture.reports if len(rows) == len(picture.status) else picture.reports.take(rows)
    east, north = velocity(reports)
    return _Motion(
        rows, reports, np.maximum(picture.now_s - reports.time_s, 0.0), np.nan_to_num(east), np.nan_to_num(north),
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
    depths: DepthMemory | None,
    exemptions: dict[int, NamedExemptions],
    first_outline: int,
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

    lon_now, lat_now = (column[hits.track] for column in motion.place_now)
    zone = layer.zone[hits.outline]
    depth = _depths(layer, hits, lon_now, lat_now, motion, picture, depths, first_outline)
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
    batch = SituationBatch.build(
        len(hits.track),
        kind=np.where(prepared.third_party[zone], SituationKind.SPILL_OVER, SituationKind.APW),
        track=picture.key[motion.rows[hits.track]],
        other=zone,
        verdict=verdict,
        confidence=confidence,
        time_to_s=np.where(now, 0.0, hits.enter_s),
        duration_s=hits.exit_s - np.maximum(hits.enter_s, 0.0),
        at_lon_deg=np.where(now, lon_now, hits.lon_deg),
        at_lat_deg=np.where(now, lat_now, hits.lat_deg),
        depth_m=depth,
        exempt=_exempt(zone, hits, motion, prepared, parties, exemptions),
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
    layer: PreparedLayer, hits: _Hits, lon: Floats, lat: Floats, motion: _Motion, picture: Picture,
    depths: DepthMemory | None, first_outline: int,
) -> Floats:  # fmt: skip
    if depths is None:
        return layer.depth(lon, lat, hits.outline)
    key = DepthMemory.keys(picture.key[motion.rows[hits.track]], first_outline + hits.outline)
    speed = np.hypot(motion.east_mps[hits.track], motion.north_mps[hits.track])
    known, depth, when = depths.known(key, picture.now_s, speed)
    fresh = np.flatnonzero(~known)
    depth[fresh] = layer.depth(lon[fresh], lat[fresh], hits.outline[fresh])
    when[fresh] = picture.now_s
    depths.measured(key, depth, when)
    return depth


def _error(hits: _Hits, zone: npt.NDArray[np.int32], motion: _Motion, prepared: PreparedZones) -> Floats:
    """The stated 95 % errors of track and zone together, metres; 0 where neither is stated."""
    of_tracks = np.nan_to_num(motion.reports.accuracy_m[hits.track].astype(np.float64))
    error: Floats = np.hypot(of_tracks, prepared.accuracy_m[zone])
    return error


def _with_close(
    hits: _Hits, layer: PreparedLayer, motion: _Motion, low: Floats, high: Floats, now_s: float,
    prepared: PreparedZones,
) -> _Hits:  # fmt: skip
    """Add who is outside now, but nearer to the border than the stated errors: they may be in."""
    assert layer.near is not None, "asked only where there is a margin"
    # Without a stated error nobody is in doubt.
    asked = np.arange(len(motion.rows))
    if not prepared.accuracy_m.any():
        asked = np.flatnonzero(motion.reports.accuracy_m > 0.0)
    if not len(asked):
        return hits
    lon, lat = motion.place_now
    altitude = _sure_altitude(low, high) + motion.up_mps * motion.age_s
    found, near_row = layer.near.positions(lon[asked], lat[asked], altitude[asked], np.full(len(asked), now_s))
    track = asked[found]
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
    zone: npt.NDArray[np.int32], hits: _Hits, motion: _Motion, prepared: PreparedZones, parties: Mapping[str, str],
    exemptions: dict[int, NamedExemptions],
) -> npt.NDArray[np.bool_]:  # fmt: skip
    exempt = np.zeros(len(zone), dtype=bool)
    for number in np.unique(zone).tolist():
        if number not in exemptions:
            exemptions[number] = NamedExemptions(prepared.zones[number], parties)
        if not exemptions[number].names_anybody:
            continue
        of_zone = np.flatnonzero(zone == number)
        who = hits.track[of_zone]
        reports = motion.reports
        exempt[of_zone] = exemptions[number].covered(reports.target.take(who), reports.callsign.take(who))
    return exempt


def _normal_cdf(x: Floats) -> Floats:
    """Φ by the logistic form of Bowling et al. (2009), error below 1.4e-4: a confidence is not known more finely."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-(0.07056 * x**3 + 1.5976 * x)))

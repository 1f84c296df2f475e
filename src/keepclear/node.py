"""READ FIRST: the flow, wired on one page.

    feeds → tracks → detection → alerts
                       ↑
                     zones

Archive (:func:`scan`, :func:`encounters`) and live (:class:`Watch`) are the same stages: bytes become reports
(``feeds``), reports become tracks (``tracks``), tracks are held against zones and against each other (``detection``),
and what is news becomes an alert (``alerts``). Every stage is pure; files, sockets and clocks stay in ``edge``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keepclear.alerts.engine import step as step_alerts
from keepclear.alerts.heartbeat import Heartbeat, take_heartbeat
from keepclear.alerts.model import AlertEvent
from keepclear.alerts.settings import AlertSettings
from keepclear.alerts.state import AlertState, acknowledge, finish
from keepclear.detection.activity import Activity, activity
from keepclear.detection.conflict import DeclaredVolume
from keepclear.detection.conflict import conflicts as find_conflicts
from keepclear.detection.conflict import prepare as prepare_volumes
from keepclear.detection.encounter import encounters as find_encounters
from keepclear.detection.infringement import ScanSettings, find_infringements
from keepclear.detection.prediction import LOOK_AHEAD_S, predict_infringements
from keepclear.detection.prediction_memory import PredictionMemory
from keepclear.detection.prepared import PreparedZones, prepare
from keepclear.detection.recorded import encounters_recorded
from keepclear.detection.situation import SituationBatch, Verdict
from keepclear.detection.situation import concatenate as join_situations
from keepclear.detection.subjects import domains_bound
from keepclear.detection.thresholds import RADAR_SEPARATION, Thresholds
from keepclear.detection.vertical_gap import GapWarning, find_vertical_gaps
from keepclear.edge.feed_address import parse_feed
from keepclear.edge.recordings import RecordingFaults, read_recordings
from keepclear.edge.volume_files import VolumeLoad, load_volumes
from keepclear.edge.zone_files import ZoneLoad, load_zones
from keepclear.feeds.arrow_table import ArrowColumns, table_reports
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.health import FeedHealth
from keepclear.feeds.reports import ReportBatch, concatenate, is_constant
from keepclear.tracks.altitude import AltitudeAssumptions
from keepclear.tracks.assemble import assemble
from keepclear.tracks.live import LiveLimits, TrackState
from keepclear.tracks.live import step as step_tracks
from keepclear.tracks.picture import Picture
from keepclear.tracks.table import TrackTable
from keepclear.zones.model import Zone
from keepclear.zones.zone_set import ZoneSet

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "ConflictResult", "Cycle", "EncounterResult", "ScanResult", "TrackReading", "Watch", "WatchSettings",
    "conflicts", "encounters", "read_tracks", "read_volumes", "read_zones", "scan",
]  # fmt: skip

GAP_S = 60.0
"""Longer without a report than this, and nothing is known of a track's way between."""
MARGIN_LIVE_M = 3_704.0
"""Live positions are searched this far outside a border for doubt (2 NM); a worse stated error says nothing more."""
IN_FORCE_WINDOW_S = 86_400.0
"""Schedules are expanded this far ahead at a time."""


@dataclass(frozen=True, slots=True)
class TrackReading:
    """Recorded tracks and everything that was refused on the way."""

    table: TrackTable
    faults: tuple[RecordingFaults, ...] = ()

    def __len__(self) -> int:
        return len(self.table)

    @property
    def reports(self) -> ReportBatch:
        return self.table.reports


def read_tracks(
    *sources: str | Path | ArrowColumns,
    format: str | None = None,
    options: DecoderOptions | None = None,
    gap_s: float = GAP_S,
    on_progress: Callable[[int], None] | None = None,
) -> TrackReading:
    """Recorded tracks of files, folders or ``-`` in any feed format (``FILE#FORMAT`` or ``format`` names it), or of
    tables in memory with Arrow columns (pyarrow, polars, pandas, DuckDB) named as in docs/reference/columns.md.

    Raises :class:`~keepclear.errors.InputError` for a file or table that is not what it claims to be; unreadable
    pieces of a readable one are counted in ``faults``.
    """
    batches: list[ReportBatch] = []
    refused: list[RecordingFaults] = []
    for number, table in enumerate((s for s in sources if not isinstance(s, str | Path)), start=1):
        faults = Faults()
        batches.append(table_reports(table, options or DecoderOptions(), faults))
        if faults.total:
            refused.append(RecordingFaults(f"table {number}", faults))
    files = [s for s in sources if isinstance(s, str | Path)]
    addresses = [parse_feed(f"{s}#{format}" if format and "#" not in str(s) else str(s)) for s in files]
    recording = read_recordings(addresses, options)
    recording.on_progress = on_progress
    batches += recording
    return TrackReading(assemble(concatenate(batches), gap_s=gap_s), (*refused, *recording.faults))


def read_zones(
    *sources: str | Path, firs: str | Path | Sequence[str | Path] | None = None, format: str | None = None
) -> ZoneLoad:
    """Zones of files or folders in any zone format; broken blocks are in ``problems``, the rest is loaded.

    ``firs`` names the file whose outlines a NOTAM's references to flight information regions resolve against.
    """
    paths = [firs] if isinstance(firs, str | Path) else list(firs or ())
    return load_zones([Path(s) for s in sources], firs=[Path(p) for p in paths] or None, format=format)


def read_volumes(*sources: str | Path, format: str | None = None) -> VolumeLoad:
    """Declared volumes of files: ASTM F3548 JSON, CSV, Parquet, GeoJSON and the other zone formats; what is broken is
    in ``problems``, the rest is loaded."""
    return load_volumes([Path(s) for s in sources], format=format)


Tracks = TrackReading | TrackTable | ReportBatch
Zones = ZoneLoad | ZoneSet | Iterable[Zone]


def _table(tracks: Tracks) -> TrackTable:
    if isinstance(tracks, TrackReading):
        return tracks.table
    return assemble(tracks, gap_s=GAP_S) if isinstance(tracks, ReportBatch) else tracks


def _zone_set(zones: Zones) -> ZoneSet:
    if isinstance(zones, ZoneLoad):
        return zones.zones
    return zones if isinstance(zones, ZoneSet) else ZoneSet.of(zones)


@dataclass(frozen=True, slots=True)
class ScanResult:
    """``rows`` is an Arrow table, one row a violation (docs/reference/results.md). pandas, polars and DuckDB take it
    without a copy. Counts keep aircraft, tracks and violations apart, and say over what coverage."""

    rows: pa.Table
    targets: int
    tracks: int
    reports: int
    observed_s: float
    targets_inside: int
    tracks_inside: int
    violations: int
    indeterminate: int
    exempt: int
    gaps: tuple[GapWarning, ...]
    zones: int
    zones_judged: int
    """that forbid something and were in force while something was observed: over the others nothing is said"""
    targets_unbound: int = 0
    """of a domain (ships, vehicles, aircraft) that none of these zones binds: nothing is said of them either"""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.rows.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return int(self.rows.num_rows)


def scan(tracks: Tracks, zones: Zones, *, settings: ScanSettings | None = None, **given: Any) -> ScanResult:
    """Which tracks were where they must not be. Keywords are those of :class:`ScanSettings`, for example
    ``assume_active=True``: what if the zones had been in force then."""
    from keepclear.detection.rows import infringement_rows

    table, zone_set = _table(tracks), _zone_set(zones)
    settings = settings or ScanSettings(**given)
    found = find_infringements(table, zone_set, settings)
    targets = np.unique(table.reports.target.codes)
    surely = found.verdict == Verdict.ACTUAL
    judged = _judged(table, zone_set, settings)
    inside = found.track[surely & ~found.exempt]
    first_rows = table.start[:-1][inside]
    return ScanResult(
        rows=infringement_rows(found, table, zone_set),
        targets=int(np.count_nonzero(targets >= 0)),
        tracks=len(table),
        reports=len(table.reports),
        observed_s=float(table.observed_s.sum()),
        targets_inside=len(np.unique(table.reports.target.codes[first_rows])),
        tracks_inside=len(np.unique(inside)),
        violations=len(inside),
        indeterminate=int(np.count_nonzero(found.verdict == Verdict.INDETERMINATE)),
        exempt=int(np.count_nonzero(found.exempt)),
        gaps=tuple(find_vertical_gaps(zone_set)),
        zones=len(zone_set),
        zones_judged=len(judged),
        targets_unbound=_unbound(table.reports, judged),
    )


def _unbound(reports: ReportBatch, judged: Sequence[Zone]) -> int:
    bound = domains_bound(frozenset(domain for zone in judged for domain in zone.subject.domains))
    domain = reports.domain[:1] if is_constant(reports.domain) else reports.domain
    rows = bound[np.minimum(domain, len(bound) - 1)]
    if rows.all():
        return 0
    targets = np.unique(reports.target.codes)
    of_bound = np.unique(reports.target.codes[rows]) if len(rows) == len(reports) else targets[:0]
    return int(np.count_nonzero(targets >= 0)) - int(np.count_nonzero(of_bound >= 0))


def _judged(table: TrackTable, zones: ZoneSet, settings: ScanSettings) -> list[Zone]:
    times = table.reports.time_s
    if not len(times):
        return []
    in_force = activity(
        zones, float(times.min()), float(times.max()) + 1.0, assume_active=settings.assume_active,
        unrestricted=settings.unrestricted,
    )  # fmt: skip
    return [zone for zone, intervals in zip(zones, in_force.intervals) if len(intervals)]


@dataclass(frozen=True, slots=True)
class EncounterResult:
    """``rows`` is an Arrow table, one row an encounter of two tracks."""

    rows: pa.Table
    targets: int
    tracks: int
    reports: int
    observed_s: float

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.rows.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return int(self.rows.num_rows)


def encounters(tracks: Tracks, *, thresholds: Thresholds = RADAR_SEPARATION) -> EncounterResult:
    """Which pairs of tracks came closer than the thresholds, at their closest approach in space and time."""
    from keepclear.detection.rows import encounter_rows

    table = _table(tracks)
    found = encounters_recorded(table, thresholds)
    targets = np.unique(table.reports.target.codes)
    return EncounterResult(
        encounter_rows(found, table), int(np.count_nonzero(targets >= 0)), len(table), len(table.reports),
        float(table.observed_s.sum()),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConflictResult:
    """``rows`` is an Arrow table, one row a pair of volumes of two declarations that intersect."""

    rows: pa.Table
    declarations: int
    volumes: int
    declarations_in_conflict: int
    indeterminate: int

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.rows.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return int(self.rows.num_rows)


def conflicts(volumes: VolumeLoad | Sequence[DeclaredVolume]) -> ConflictResult:
    """Which declared volumes share a place, an altitude and a time. Volumes of one declaration are not compared."""
    from keepclear.detection.rows import conflict_rows

    if isinstance(volumes, VolumeLoad):
        given, source = list(volumes.volumes), volumes.source
        declaration, part = np.array(volumes.declaration, np.int64), np.array(volumes.part, np.int64)
    else:
        given, source = list(volumes), ("",) * len(volumes)
        numbers: dict[str, int] = {}
        declaration = np.array([numbers.setdefault(v.id, len(numbers)) for v in given], np.int64)
        part = np.arange(1, len(given) + 1)
    arrays = prepare_volumes(given)
    found = find_conflicts(arrays)
    apart = declaration[found.i] != declaration[found.j]
    i, j, doubt = found.i[apart], found.j[apart], found.indeterminate[apart]
    rows = conflict_rows(i, j, doubt, arrays, [v.id for v in given], part, source)
    return ConflictResult(
        rows, len(np.unique(declaration)), len(given),
        len(np.unique(np.concatenate([declaration[i], declaration[j]]))), int(np.count_nonzero(doubt)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class WatchSettings:
    look_ahead_s: float = LOOK_AHEAD_S
    thresholds: Thresholds = RADAR_SEPARATION
    pairs: bool = True
    """watch tracks against each other too"""
    cycle_s: float = 1.0
    assume_active: bool = False
    assumptions: AltitudeAssumptions = field(default_factory=AltitudeAssumptions)
    parties: Mapping[str, str] = field(default_factory=dict)
    limits: LiveLimits = field(default_factory=LiveLimits)
    alerts: AlertSettings = field(default_factory=AlertSettings)


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one cycle of the watch saw, found and has to say."""

    now_s: float
    picture: Picture
    situations: SituationBatch
    events: list[AlertEvent]
    heartbeat: Heartbeat
    duration_s: float


@dataclass(slots=True)
class Watch:
    """The live flow, one :meth:`step` a cycle. ``now_s`` comes from outside: a wall clock or a recording's time."""

    zones: ZoneSet
    settings: WatchSettings = field(default_factory=WatchSettings)
    tracks: TrackState = field(default_factory=TrackState.empty)
    alerts: AlertState = field(default_factory=lambda: AlertState.empty("1"))
    """give it a run id of its own where alerts of several runs meet in one store"""
    gaps: tuple[GapWarning, ...] = ()
    zones_outdated: str = ""
    """why the zones are not what their files say now; the heartbeat says so"""
    _heartbeat: Heartbeat | None = None
    _predictions: PredictionMemory = field(default_factory=PredictionMemory)
    _prepared: PreparedZones | None = None
    _in_force: Activity | None = None
    _in_force_until_s: float = -np.inf

    def replace_zones(self, zones: ZoneSet) -> None:
        """An edited set: old alerts keep the version that they were judged against (practice R2.11)."""
        self.zones, self._prepared, self._in_force_until_s = zones, None, -np.inf
        self._predictions = PredictionMemory()

    def prepare_zones(self) -> None:
        """Index the zones and find the steps between their levels; if not asked for, the next cycle does it."""
        if self._prepared is None:
            self._prepared = prepare(self.zones, assumptions=self.settings.assumptions, margin_m=MARGIN_LIVE_M)
            self.gaps = tuple(find_vertical_gaps(self.zones))

    def in_force_now(self, now_s: float) -> tuple[bool, ...]:
        """Per zone: is it in force at this instant?"""
        _, in_force = self._ready(now_s)
        return tuple(bool(len(i) and np.any((i[:, 0] <= now_s) & (now_s < i[:, 1]))) for i in in_force.intervals)

    def step(self, reports: ReportBatch, now_s: float, health: Sequence[FeedHealth] = (), *, dropped: int = 0) -> Cycle:
        """Fold the reports in, look, and say what is news."""
        began = time.perf_counter()
        prepared, in_force = self._ready(now_s)
        self.tracks, picture = step_tracks(self.tracks, reports, now_s, self.settings.limits)
        found = [
            predict_infringements(
                picture, prepared, in_force,
                look_ahead_s=self.settings.look_ahead_s, parties=self.settings.parties, memory=self._predictions,
            )
        ]  # fmt: skip
        if self.settings.pairs:
            found.append(find_encounters(picture, self.settings.thresholds, self.settings.look_ahead_s))
        situations = join_situations(found)
        self.alerts, events = step_alerts(self.alerts, situations, picture, self.zones, now_s, self.settings.alerts)
        duration_s = time.perf_counter() - began
        heartbeat = take_heartbeat(
            now_s, health, cycle_duration_s=duration_s, cycle_period_s=self.settings.cycle_s, dropped=dropped,
            tracks=self.tracks.counts, overflowed=self.alerts.counts.overflowed,
            zones_outdated=self.zones_outdated, previous=self._heartbeat,
        )  # fmt: skip
        self._heartbeat = heartbeat
        return Cycle(now_s, picture, situations, events, heartbeat, duration_s)

    def acknowledge(self, alert_id: str, by_role: str, at_s: float) -> AlertEvent:
        """A person has seen the alert; it stays shown. Raises :class:`UsageError` if no such alert is open."""
        self.alerts, event = acknowledge(self.alerts, alert_id, by_role, at_s)
        return event

    def finish(self, now_s: float) -> list[AlertEvent]:
        """The ends of the alerts that are still open, when nobody will look any more."""
        return finish(self.alerts, now_s)

    @staticmethod
    def warm_up(progress: Callable[[str], None] = lambda _: None) -> None:
        """Compile, or load from the cache, every kernel that a cycle uses, so that the first cycle is as quick as the
        rest. A minute after an installation, about a second later; ``progress`` is told each step before it begins."""
        from keepclear.detection.warmup import warm_up as warm_up_detection
        from keepclear.space.warmup import warm_up as warm_up_space
        from keepclear.tracks.warmup import warm_up as warm_up_tracks

        warm_up_space(progress)
        warm_up_detection(progress, live_only=True)
        progress("the live picture")
        warm_up_tracks()

    def _ready(self, now_s: float) -> tuple[PreparedZones, Activity]:
        self.prepare_zones()
        assert self._prepared is not None, "just made"
        if self._in_force is None or now_s > self._in_force_until_s:
            self._in_force = activity(
                self.zones, now_s - IN_FORCE_WINDOW_S, now_s + 2 * IN_FORCE_WINDOW_S,
                assume_active=self.settings.assume_active,
            )  # fmt: skip
            self._in_force_until_s = now_s + IN_FORCE_WINDOW_S
        return self._prepared, self._in_force

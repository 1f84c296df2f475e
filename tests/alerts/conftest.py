"""A small world for the alert tests: zones, pictures and situations in the fewest words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from keepclear.alerts.engine import step
from keepclear.alerts.model import AlertEvent
from keepclear.alerts.settings import AlertSettings
from keepclear.alerts.state import AlertState
from keepclear.detection.situation import SituationBatch, SituationKind, Verdict
from keepclear.feeds.reports import ReportBatch
from keepclear.quantities import UNBOUNDED
from keepclear.space.geometry import Circle
from keepclear.tracks.picture import Picture, TrackStatus
from keepclear.zones.model import Volume, Zone
from keepclear.zones.zone_set import ZoneSet


def zone(id: str, version: str = "1", text: str = "") -> Zone:
    return Zone(id, (Volume(Circle(30.0, 50.0, 1000.0), UNBOUNDED, UNBOUNDED),), version=version, text=text)


@dataclass
class World:
    """Drives the engine one second a cycle; every track is live unless said otherwise."""

    zones: ZoneSet = field(default_factory=lambda: ZoneSet((zone("Z1", text="KEEP OUT"), zone("Z2"))))
    settings: AlertSettings = field(default_factory=lambda: AlertSettings(judged_by="blue"))
    state: AlertState = field(default_factory=lambda: AlertState.empty("run"))
    now_s: float = 1000.0
    targets: tuple[str, ...] = ("508035", "508036", "508035")
    sources: tuple[str, ...] = ("radar", "radar", "adsb")
    log: list[AlertEvent] = field(default_factory=list)

    def cycle(
        self,
        *rows: tuple[int, int, Verdict],
        kind: SituationKind = SituationKind.APW,
        status: dict[int, TrackStatus] | None = None,
        gone: Sequence[int] = (),
        depth_m: float = 100.0,
        exempt: bool = False,
        time_to_s: float = 90.0,
        horizontal_m: float = np.nan,
        vertical_m: float = np.nan,
        advance_s: float = 1.0,
    ) -> list[str]:
        """One cycle of (track, other, verdict) rows; returns what was told, as «KIND track»."""
        self.now_s += advance_s
        keys = [k for k in range(len(self.targets)) if k not in gone]
        reports = ReportBatch.build(
            time_s=[self.now_s - 0.5] * len(keys), lat_deg=[50.0 + k for k in keys], lon_deg=[30.0] * len(keys),
            target=[self.targets[k] for k in keys], source=[self.sources[k] for k in keys],
            squawk=[7000] * len(keys), ground_speed_mps=[200.0] * len(keys), track_deg=[90.0] * len(keys),
        )  # fmt: skip
        states = np.array([(status or {}).get(k, TrackStatus.LIVE) for k in keys], dtype=np.uint8)
        picture = Picture(
            self.now_s, np.array(keys, dtype=np.int64), reports, states, np.zeros(len(keys), np.uint8),
            np.zeros(len(keys)),
        )  # fmt: skip
        verdicts = [int(v) for *_, v in rows]
        situations = SituationBatch.build(
            len(rows), kind=kind, track=[t for t, *_ in rows], other=[o for _, o, _ in rows], verdict=verdicts,
            confidence=0.9, time_to_s=[0.0 if v >= Verdict.INDETERMINATE else time_to_s for v in verdicts],
            depth_m=depth_m, exempt=exempt, horizontal_m=horizontal_m, vertical_m=vertical_m,
            cpa_horizontal_m=horizontal_m, cpa_vertical_m=vertical_m, cpa_s=0.0,
        )  # fmt: skip
        self.state, events = step(self.state, situations, picture, self.zones, self.now_s, self.settings)
        self.log += events
        return [f"{event.kind} {event.alert.track.key}" for event in events]


@pytest.fixture
def world() -> World:
    return World()

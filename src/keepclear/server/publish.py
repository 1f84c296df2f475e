"""What a cycle of the watch means for the page: picture, alerts, health, coverage, zones in force."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from keepclear.alerts.model import Alert, AlertStatus, EventKind
from keepclear.detection.situation import Verdict
from keepclear.feeds.health import FeedHealth, FeedState
from keepclear.node import Cycle, Watch
from keepclear.quantities import format_instant
from keepclear.server.hub import Hub
from keepclear.server.messages import AlertMessage, HealthMessage
from keepclear.server.messages import FeedHealth as FeedHealthMessage
from keepclear.server.picture import picture_columns
from keepclear.server.serve import ServerHandle, serve
from keepclear.server.zones import zones_message

__all__ = ["Publisher", "alert_message"]

PUBLISH_S = 0.9
"""Pages get a picture about once a second, however often the watch looks."""
COVERAGE_S = 10.0
COVERAGE_CELL_DEG = 0.5
COVERAGE_HELD_S = 600.0
"""A cell not heard from for ten minutes is no longer covered."""
CYCLES_MEASURED = 512


@dataclass(slots=True)
class Publisher:
    """Feeds a hub from the watch loop. The only state is what was last sent."""

    hub: Hub
    server: ServerHandle
    simulated: bool
    recorded: bool = False
    _sent_s: float = -math.inf
    _real_s: float = -math.inf
    _coverage_sent_s: float = -math.inf
    _heard: dict[tuple[int, int], float] = field(default_factory=dict)
    _in_force: tuple[bool, ...] = ()
    _zones: object = None
    _durations_s: deque[float] = field(default_factory=lambda: deque(maxlen=CYCLES_MEASURED))

    @staticmethod
    def start(watch: Watch, *, host: str, port: int, simulated: bool, recorded: bool = False) -> Publisher:
        """Serve the page. Raises :class:`~keepclear.errors.UsageError` where the address cannot be bound."""
        hub = Hub()
        return Publisher(hub, serve(hub, host, port), simulated, recorded)

    @property
    def url(self) -> str:
        return self.server.url

    def __enter__(self) -> Publisher:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def publish(self, cycle: Cycle, watch: Watch, health: Sequence[FeedHealth]) -> None:
        import time

        self._durations_s.append(cycle.duration_s)
        for event in cycle.events:
            if event.kind in (EventKind.EXEMPT_INSIDE, EventKind.EXEMPT_LEFT):
                continue  # in the picture in a colour of its own, not among the alerts (practice R2.4)
            self.hub.publish_alert_event(alert_message(event.alert, assumed=watch.settings.assume_active))
        self._note_heard(cycle)
        real_s = time.monotonic()
        if real_s - self._real_s < PUBLISH_S:
            return
        self._real_s = real_s
        self._publish_zones(cycle, watch)
        self.hub.publish_picture(picture_columns(cycle.picture, cycle.situations, watch.zones))
        self.hub.publish_health(self._health(cycle, health))
        if abs(cycle.now_s - self._coverage_sent_s) >= COVERAGE_S:
            self._coverage_sent_s = cycle.now_s
            self._publish_coverage(cycle.now_s)

    def end(self, cycle: Cycle, watch: Watch, health: Sequence[FeedHealth]) -> None:
        """The last picture stays, and the page says that nothing more will come."""
        self._real_s = -math.inf
        self.publish(replace(cycle, events=[]), watch, health)
        feeds = [replace(h, state=FeedState.ENDED, rate_hz=0.0) for h in health]
        self.hub.publish_health({**self._health(cycle, feeds), "state": "ENDED", "reasons": []})

    def _publish_zones(self, cycle: Cycle, watch: Watch) -> None:
        in_force = watch.in_force_now(cycle.now_s)
        if in_force != self._in_force or watch.zones is not self._zones:
            self._in_force, self._zones = in_force, watch.zones
            shown = [row for row in range(len(watch.zones)) if row not in watch.zones.superseded]
            self.hub.set_zones(
                zones_message(
                    [watch.zones[row] for row in shown],
                    in_force=[in_force[row] for row in shown],
                    assumed=watch.settings.assume_active,
                )
            )

    def _health(self, cycle: Cycle, health: Sequence[FeedHealth]) -> HealthMessage:
        durations = np.array(self._durations_s)
        return {
            "now_s": cycle.now_s,
            "state": cycle.heartbeat.page_state,
            "reasons": list(cycle.heartbeat.reasons),
            "simulated": self.simulated,
            "recorded": self.recorded,
            "feeds": [_feed(h, cycle.now_s) for h in health],
            "cycle_ms": round(cycle.duration_s * 1000.0, 2),
            "cycle_ms_p99": round(float(np.percentile(durations, 99)) * 1000.0, 2),
        }

    def _note_heard(self, cycle: Cycle) -> None:
        reports = cycle.picture.reports
        fresh = cycle.now_s - reports.time_s < COVERAGE_S
        columns = np.floor(reports.lon_deg[fresh] / COVERAGE_CELL_DEG).astype(np.int64)
        rows = np.floor(reports.lat_deg[fresh] / COVERAGE_CELL_DEG).astype(np.int64)
        cells: npt.NDArray[np.int64] = np.unique(np.column_stack([columns, rows]), axis=0)
        for column, row in cells.tolist():
            self._heard[column, row] = cycle.now_s

    def _publish_coverage(self, now_s: float) -> None:
        self._heard = {cell: s for cell, s in self._heard.items() if now_s - s < COVERAGE_HELD_S}
        self.hub.publish_coverage({
            "cell_deg": COVERAGE_CELL_DEG,
            "lon_deg": [c * COVERAGE_CELL_DEG for c, _ in self._heard],
            "lat_deg": [r * COVERAGE_CELL_DEG for _, r in self._heard],
            "heard_s": list(self._heard.values()),
            "text": "Coverage: the half-degree cells from which a position came within the last ten minutes "
            "(a layer of the map). That nothing was seen elsewhere says nothing.",
        })  # fmt: skip


def _feed(health: FeedHealth, now_s: float) -> FeedHealthMessage:
    shown: Literal["UP", "DEGRADED", "DOWN", "ENDED"]
    match health.state:
        case FeedState.UP:
            shown = "UP"
        case FeedState.DOWN:
            shown = "DOWN"
        case FeedState.ENDED:
            shown = "ENDED"
        case FeedState.DEGRADED | FeedState.WAITING:
            shown = "DEGRADED"
    return {
        "name": health.name, "state": shown, "lag_s": health.lag_s, "rate_hz": round(health.rate_hz, 1),
        "last_s": health.last_report_s if math.isfinite(health.last_report_s) else math.nan,
        "reports": health.reports, "faults": health.faults,
        "note": health.reason or ("waiting for the first report" if health.state is FeedState.WAITING else ""),
    }  # fmt: skip


def alert_message(alert: Alert, *, assumed: bool = False) -> AlertMessage:
    """An alert as the page shows it; what is not known is left out."""
    track, other = alert.track, alert.other
    message: AlertMessage = {
        "id": alert.id,
        "kind": alert.type.value,
        "state": alert.status.value.lower(),  # type: ignore[typeddict-item]
        "verdict": Verdict(alert.verdict).name,
        "who": track.callsign.strip() or track.track_id,
        "raised_s": alert.raised_s,
        "updated_s": alert.changed_s,
        "target": track.track_id,
        "track_key": track.key,
        "assumed_active": assumed,
    }
    if other is not None:
        message["other_key"] = other.key
        message["other_who"] = other.callsign.strip() or other.track_id
    else:
        message["zone_id"], message["zone_version"] = alert.zone_id, alert.zone_version
        message["zone_name"] = alert.zone_name
    # Of a pair ``tca_s`` is the closest approach; what is told is when separation is lost.
    entry_s = alert.tca_s if other is None else alert.changed_s + alert.time_to_conflict_s
    numbers = {
        "confidence": alert.probability_pct / 100.0, "entry_s": entry_s, "inside_since_s": alert.entered_s,
        "ended_s": alert.ended_s, "lon_deg": alert.at_lon_deg, "lat_deg": alert.at_lat_deg,
        "horizontal_m": alert.horizontal_m, "horizontal_min_m": alert.horizontal_min_m,
        "vertical_m": alert.vertical_m,
    }  # fmt: skip
    message.update({k: v for k, v in numbers.items() if math.isfinite(v)})  # type: ignore[typeddict-item]
    if alert.acknowledgements:
        last = alert.acknowledgements[-1]
        message["acknowledged_s"], message["acknowledged_by"] = last.at_s, last.by_role
    if alert.review is not None:
        message["review"] = alert.review.verdict.value.lower()
    if alert.status is AlertStatus.ENDED and alert.end_reason:
        message["note"] = alert.end_reason.value.replace("_", " ").lower()
    elif alert.stale:
        message["note"] = f"stale, last heard {format_instant(round(track.last.time_s))[11:]}"
    return message

"""The one place where the watch loop and the pages meet: the newest state, and a bounded ring of what changed.

The watch loop publishes from its thread; every page's stream reads from the server's thread. A page has no queue
of its own, only its place in the shared ring, so a slow page costs no memory: when the ring has passed it, it gets
a snapshot instead of what it missed. Events are numbered ``run-sequence``; a page that comes back says the last
number it saw and gets exactly the rest, or a snapshot where the run is another or the rest is no longer held.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keepclear
from keepclear.server.messages import (
    AlertMessage,
    CoverageMessage,
    HealthMessage,
    PictureColumns,
    SnapshotMessage,
    ZonesMessage,
)
from keepclear.server.picture_delta import TravellingPicture, difference, travelling, whole
from keepclear.server.plain_json import encode

__all__ = ["Event", "Hub"]

EVENTS_MAX = 600
"""Events held for resuming: ten minutes of one-second cycles with nothing else to say."""
RING_BYTES_MAX = 32 * 1024 * 1024
"""Bytes of events held: about a minute of 10,000 tracks that all move every second."""
BACKLOG_BYTES_MAX = 4 * 1024 * 1024
"""A page further behind than this is served faster by a snapshot than by catching up."""
ALERTS_MAX = 2_000
"""Alerts kept for a page that arrives; ended ones make room first. The store keeps all of them."""

_ENDED = ("ended", "reviewed")


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event, already encoded."""

    sequence: int
    kind: str
    data: bytes


class Hub:
    """Thread-safe. ``run`` names this process's numbering (tests give one; otherwise it is drawn at random)."""

    def __init__(self, *, run: str | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.run = run or secrets.token_hex(6)
        self._lock = threading.Lock()
        self._monotonic = monotonic
        self._sequence = 0
        self._ring: deque[Event] = deque()
        self._ring_bytes = 0
        self._picture: TravellingPicture | None = None
        self._picture_at: float | None = None
        self._alerts: OrderedDict[str, AlertMessage] = OrderedDict()
        self._alerts_dropped = 0
        self._health: HealthMessage | None = None
        self._coverage: dict[str, Any] | None = None
        self._zones: bytes = b'{"type":"FeatureCollection","features":[],"drawing_only":"","version":0}'
        self._zones_version = 0
        self._snapshot: tuple[int, bytes] | None = None
        self._wakers: set[Callable[[], None]] = set()
        self._closed = False

    # ---- the watch loop's side

    def publish_picture(self, columns: PictureColumns) -> None:
        """The whole picture of one cycle; pages get the difference. Raises InputError on ragged columns."""
        picture = travelling(columns)
        with self._lock:
            before = self._picture
        # Only one thread publishes pictures, so the difference may be taken outside the lock.
        message = whole(picture) if before is None else difference(before, picture)
        data = encode(message)
        with self._lock:
            self._picture = picture
            self._picture_at = self._monotonic()
            self._append("picture", data)
        self._wake()

    def publish_alert_event(self, alert: AlertMessage) -> None:
        """An alert as it stands now, new or changed."""
        data = encode(alert)
        with self._lock:
            self._alerts[alert["id"]] = alert
            self._alerts.move_to_end(alert["id"])
            if len(self._alerts) > ALERTS_MAX:
                spare = next((i for i, a in self._alerts.items() if a["state"] in _ENDED), None)
                if spare is None:
                    spare = next(iter(self._alerts))
                    self._alerts_dropped += 1
                del self._alerts[spare]
            self._append("alert", data)
        self._wake()

    def publish_health(self, health: HealthMessage) -> None:
        data = encode(health)
        with self._lock:
            self._health = health
            self._append("health", data)
        self._wake()

    def publish_coverage(self, coverage: CoverageMessage) -> None:
        """Where sensors were heard. Send it every ten seconds or so, not every cycle."""
        plain = dict(coverage)
        data = encode(plain)
        with self._lock:
            self._coverage = plain
            self._append("coverage", data)
        self._wake()

    def set_zones(self, zones: ZonesMessage) -> None:
        """The zones to draw. Pages are told the new version and fetch it."""
        with self._lock:
            version = self._zones_version + 1
        data = encode({**zones, "version": version})
        with self._lock:
            self._zones, self._zones_version = data, version
            self._append("zones", encode({"version": version}))
        self._wake()

    def open(self) -> None:
        """Lets streams begin, again where the hub was closed: the same run behind a new server."""
        with self._lock:
            self._closed = False

    def close(self) -> None:
        """Ends every stream; for shutdown."""
        with self._lock:
            self._closed = True
        self._wake()

    # ---- the server's side

    @property
    def closed(self) -> bool:
        return self._closed

    def listen(self, waker: Callable[[], None]) -> Callable[[], None]:
        """Call ``waker`` (from any thread) whenever something was published; returns the way to stop that."""
        with self._lock:
            self._wakers.add(waker)
        return lambda: self._forget(waker)

    def place_of(self, last_event_id: str) -> int | None:
        """The sequence number in a page's ``Last-Event-ID`` if it is of this run and not from the future."""
        run, _, number = last_event_id.rpartition("-")
        if run != self.run or not (number.isascii() and number.isdigit() and len(number) <= 15):
            return None
        return int(number) if int(number) <= self._sequence else None

    def since(self, sequence: int) -> list[Event] | None:
        """What a page at ``sequence`` has missed, or ``None`` where it had better take a snapshot."""
        with self._lock:
            missed = self._sequence - sequence
            if missed <= 0:
                return []
            if missed > len(self._ring):
                return None
            events = [self._ring[i] for i in range(len(self._ring) - missed, len(self._ring))]
        if sum(len(event.data) for event in events) > BACKLOG_BYTES_MAX and len(events) > 1:
            return None
        return events

    def snapshot(self) -> Event:
        """The whole state now, encoded once for all pages that ask between two changes."""
        with self._lock:
            sequence = self._sequence
            if self._snapshot is not None and self._snapshot[0] == sequence:
                return Event(sequence, "snapshot", self._snapshot[1])
            picture, health, coverage = self._picture, self._health, self._coverage
            alerts, dropped, zones_version = list(self._alerts.values()), self._alerts_dropped, self._zones_version
        message: SnapshotMessage = {
            "id": self.event_id(sequence),
            "software": keepclear.__version__,
            "picture": None if picture is None else whole(picture),
            "alerts": alerts,
            "alerts_dropped": dropped,
            "health": health,
            "coverage": coverage,
            "zones_version": zones_version,
        }
        data = encode(message)
        with self._lock:
            self._snapshot = (sequence, data)
        return Event(sequence, "snapshot", data)

    def event_id(self, sequence: int) -> str:
        return f"{self.run}-{sequence}"

    def heartbeat(self) -> bytes:
        """Says that the server lives and how old the picture is, which is not the same."""
        with self._lock:
            age = None if self._picture_at is None else round(self._monotonic() - self._picture_at, 1)
            sequence = self._sequence
        return encode({"server_s": time.time(), "picture_age_s": age, "id": self.event_id(sequence)})

    def picture_age_s(self) -> float | None:
        """Seconds since the last picture was published; ``None`` before the first."""
        with self._lock:
            return None if self._picture_at is None else self._monotonic() - self._picture_at

    def zones(self) -> tuple[int, bytes]:
        """The version and the GeoJSON."""
        with self._lock:
            return self._zones_version, self._zones

    def alerts(self) -> list[AlertMessage]:
        """Those held, oldest change first."""
        with self._lock:
            return list(self._alerts.values())

    def health(self) -> HealthMessage | None:
        with self._lock:
            return self._health

    # ---- inside

    def _append(self, kind: str, data: bytes) -> None:
        """With the lock held."""
        self._sequence += 1
        self._ring.append(Event(self._sequence, kind, data))
        self._ring_bytes += len(data)
        while len(self._ring) > EVENTS_MAX or (self._ring_bytes > RING_BYTES_MAX and len(self._ring) > 1):
            self._ring_bytes -= len(self._ring.popleft().data)

    def _wake(self) -> None:
        with self._lock:
            wakers = tuple(self._wakers)
        for waker in wakers:
            waker()

    def _forget(self, waker: Callable[[], None]) -> None:
        with self._lock:
            self._wakers.discard(waker)

"""Alerts of the watch as messages on the channel: what the other party should know while there is time.

A message says where something is, what it is near and that it is asked to keep clear; it names nobody's intent. What
happens then is for people. Replayed traffic is refused: what is not now must not be told as if it were.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from keepclear.alerts.model import Alert, AlertEvent, AlertType, EventKind, Severity
from keepclear.alerts.model import Sighting as TrackSighting
from keepclear.alerts.warning import draft_warning
from keepclear.channel.entry import Draft, Reference
from keepclear.channel_node import ChannelNode, now_ms
from keepclear.detection.situation import Verdict
from keepclear.messages.bodies import encode_body, kind_of
from keepclear.messages.correspondence import Correspondence
from keepclear.messages.denial import Sighting, draft_query
from keepclear.messages.fields import TEXT_MAX, Addressee, Position
from keepclear.messages.message import Message
from keepclear.messages.vocabulary import Action, Desk, Kind, Precedence
from keepclear.quantities import KNOT_MPS

__all__ = ["AlertSender", "message_of"]

VALID_MS = 600_000
"""A warning of traffic is past after ten minutes; what is still so is told anew."""
AT_ONCE_MAX, WINDOW_MS = 30, 60_000
"""A flood of alerts must not bury the line's other messages: so many a minute, the rest is counted and said."""


def message_of(alert: Alert, message_id: str, by_role: str, at_ms: int) -> Message:
    """The warning for one alert. What is not known of the track is left out, never guessed."""
    inside = alert.verdict is Verdict.ACTUAL and alert.type is AlertType.APW
    fix = alert.track.last
    return Message(
        id=message_id, kind=Kind.WARNING, desk=Desk.AIR, by_role=by_role, valid_until_ms=at_ms + VALID_MS,
        precedence=Precedence.IMMEDIATE if alert.severity is Severity.HIGH else Precedence.PRIORITY,
        zone=alert.zone_id[:200], zone_version=alert.zone_version[:200] if alert.zone_id else "",
        positions=(Position.of(fix.lat_deg, fix.lon_deg),), addressee=_addressee(alert.track),
        action=Action.LEAVE_AREA if inside else Action.KEEP_CLEAR, text=str(draft_warning(alert))[:TEXT_MAX],
        language="en",
    )  # fmt: skip


def _addressee(track: TrackSighting) -> Addressee:
    fix = track.last
    return Addressee(
        call_sign=track.callsign, squawk=f"{fix.squawk:04d}" if fix.squawk >= 0 else None,
        heading_deg=round(fix.track_deg) % 360 if math.isfinite(fix.track_deg) else None,
        speed_kt=min(round(fix.ground_speed_mps / KNOT_MPS), 5_000) if math.isfinite(fix.ground_speed_mps) else None,
        position=Position.of(fix.lat_deg, fix.lon_deg), seen_ms=max(0, round(fix.time_s * 1000.0)),
    )  # fmt: skip


@dataclass(slots=True)
class AlertSender:
    """Puts alerts that are news into the log of a node; the serving process delivers them."""

    node: ChannelNode
    correspondence: Correspondence
    by_role: str
    to: tuple[str, ...] = ()
    sent: int = 0
    held_back: int = 0
    """not sent, because too many came at once"""
    asked: int = 0
    """questions to parties whose denial a sighting contradicts"""
    _asked: set[tuple[str, int]] = field(default_factory=set)
    """the entries of denials that were asked about, by log and number"""
    _recent: deque[int] = field(default_factory=deque)
    _told: dict[str, Verdict] = field(default_factory=dict)

    def take(self, event: AlertEvent) -> str | None:
        """The message's number, if the event is news for the other party and was written."""
        alert = event.alert
        self._ask(alert)
        worse = event.kind is EventKind.CHANGED and alert.verdict is Verdict.ACTUAL
        if event.kind is not EventKind.RAISED and not (worse and self._told.get(alert.id) is not Verdict.ACTUAL):
            return None
        at_ms = now_ms()
        while self._recent and at_ms - self._recent[0] > WINDOW_MS:
            self._recent.popleft()
        if len(self._recent) >= AT_ONCE_MAX:
            self.held_back += 1
            return None
        message = message_of(alert, self._next_id(at_ms), self.by_role, at_ms)
        self._append(message, self.to)
        self._recent.append(at_ms)
        self._told[alert.id] = alert.verdict
        self.sent += 1
        return message.id

    def _next_id(self, at_ms: int) -> str:
        self._read()
        return self.correspondence.next_id(at_ms)

    def _append(self, message: Message, to: tuple[str, ...], about: tuple[Reference, ...] = ()) -> None:
        draft = Draft(kind_of(message), encode_body(message), to=to, re=about, until_ms=message.valid_until_ms)
        self.node.append([draft])

    def _read(self) -> None:
        """What anybody wrote since: our numbers go on from all that this node has sent, and denials may have come."""
        for log in self.correspondence.parties:
            while kept := self.node.store.records(log, self.correspondence.taken.get(log, 0)):
                self.correspondence.take(log, [k.record for k in kept])

    def _ask(self, alert: Alert) -> None:
        """A question, once for each denial, to the party that said none of its forces were there (practice R1.4)."""
        fix, at_ms = alert.track.last, now_ms()
        self._read()
        for filed, denial in self.correspondence.denials(at_ms):
            key = (filed.party, filed.seq)
            if filed.party == self.node.party or key in self._asked:
                continue
            seen = [Sighting(fix.lat_deg, fix.lon_deg, round(fix.time_s * 1000.0), alert.track.track_id)]
            query = draft_query(denial, None, seen, id=self._next_id(at_ms), now_ms=at_ms, by_role=self.by_role)
            if query is not None:
                self._append(query, (filed.party,), (Reference(filed.party, filed.seq, filed.leaf),))
                self._asked.add(key)
                self.asked += 1

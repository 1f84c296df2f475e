"""Alerts and heartbeats as lines: JSON for programs, one short sentence for people."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import cache
from operator import attrgetter
from typing import Any, get_type_hints

import msgspec

from keepclear.alerts.heartbeat import Heartbeat
from keepclear.alerts.model import Alert, AlertEvent, EndReason, EventKind, Sighting
from keepclear.detection.situation import Verdict
from keepclear.quantities import FOOT_M, NAUTICAL_MILE_M, format_instant
from keepclear.zones.zone_set import ZoneSet

_encode = msgspec.json.Encoder().encode  # five times as fast as the standard library's

__all__ = ["alert_document", "event_line", "event_text", "heartbeat_line", "heartbeat_text"]


def alert_document(alert: Alert) -> dict[str, Any]:
    """Plain JSON values: instants as ISO 8601 in UTC under the name without ``_s``, numbers not known as null."""
    return msgspec.json.decode(_encode(_plain(alert)))  # type: ignore[no-any-return]


def event_line(event: AlertEvent, zones: ZoneSet | None = None) -> str:
    """One line of JSON: ``{"event": …, "at": …, "alert": {…}}``. The alert carries its zone's version and words, so
    it needs no zone set to be understood; one that is given changes nothing."""
    document = {"event": event.kind.value, "at": format_instant(event.at_s), "alert": _plain(event.alert)}
    return _encode(document).decode()


def heartbeat_line(heartbeat: Heartbeat) -> str:
    """One line of JSON: ``{"heartbeat": …, "state": …, "functions": {…}, "reasons": […]}``."""
    document = {
        "heartbeat": format_instant(heartbeat.now_s),
        "state": str(heartbeat.state),
        "functions": {function.name: str(function.state) for function in heartbeat.functions},
        "reasons": list(heartbeat.reasons),
    }
    return _encode(document).decode()


def heartbeat_text(heartbeat: Heartbeat) -> str:
    """For people: the state and why."""
    why = "; ".join(heartbeat.reasons)
    return f"{format_instant(heartbeat.now_s)} watch {heartbeat.state}{': ' + why if why else ''}"


def event_text(event: AlertEvent, zones: ZoneSet | None = None) -> str:
    """One line for people, the time first, what happened next, then who and where."""
    alert = event.alert
    who = _who(alert.track)
    about = f"{who} and {_who(alert.other)}" if alert.other else f"{who} and {_zone(alert)}"
    head = f"{format_instant(event.at_s)} {alert.type} {alert.id}"
    return f"{head} {_what(event)}: {about}{_figures(alert)}"


def _what(event: AlertEvent) -> str:
    alert = event.alert
    match event.kind:
        case EventKind.RAISED | EventKind.CHANGED | EventKind.REJOINED:
            again = {EventKind.REJOINED: "again ", EventKind.CHANGED: "now "}.get(event.kind, "")
            return f"{again}{alert.verdict.name} ({alert.severity})"
        case EventKind.ENDED:
            words = {
                EndReason.TRACK_LOST: "ended, track lost: where it is now is not known",
                EndReason.ZONE_WITHDRAWN: "ended, zone withdrawn",
                EndReason.ZONE_SUPERSEDED: "ended, zone has a new version",
                EndReason.EXEMPT: "ended, now exempt",
                EndReason.WATCH_ENDED: f"ended with the watch, last {alert.verdict.name}",
            }
            return words.get(alert.end_reason, "ended, clear")
        case EventKind.STALE:
            return f"stale, last heard {format_instant(alert.track.last.time_s)}"
        case EventKind.FRESH:
            return "heard again"
        case EventKind.EXITED:
            return f"left, still {alert.verdict.name}" if alert.verdict > Verdict.CLEAR else "left"
        case EventKind.ACKNOWLEDGED:
            return f"acknowledged by {alert.acknowledgements[-1].by_role}"
        case EventKind.REVIEWED:
            return f"reviewed as {alert.review.verdict if alert.review else ''}"
        case EventKind.EXEMPT_INSIDE:
            return "exempt and inside, no alert"
        case EventKind.EXEMPT_LEFT:
            lost = alert.end_reason is EndReason.TRACK_LOST
            return "exempt, track lost: where it is now is not known" if lost else "exempt, left"


def _who(sighting: Sighting) -> str:
    label = sighting.track_id or f"track {sighting.key}"
    return f"{sighting.callsign} ({label})" if sighting.callsign else label


def _zone(alert: Alert) -> str:
    # A NOTAM's name begins with its number.
    name = alert.zone_name if alert.zone_name.startswith(alert.zone_id) else f"{alert.zone_id} {alert.zone_name}"
    number = "v" if alert.zone_version[:1].isdigit() else ""  # «v1», but «NOTAMR A0640/22»
    return f"zone {name.strip()} {number}{alert.zone_version}".rstrip()


def _figures(alert: Alert) -> str:
    parts = []
    if alert.verdict is Verdict.PREDICTED and math.isfinite(alert.time_to_conflict_s):
        parts.append(f"in {alert.time_to_conflict_s:.0f} s")
    if alert.other is None and math.isfinite(alert.depth_m) and alert.verdict is not Verdict.PREDICTED:
        parts += _depth(alert)
    if alert.other is not None:
        parts += _separation(alert)
    if math.isfinite(alert.probability_pct) and alert.verdict > Verdict.CLEAR:
        parts.append(f"{alert.probability_pct:.0f} % likely")
    if alert.verdict > Verdict.CLEAR:  # after the end there is nothing to differ about
        parts += [
            f"{v.source or 'another source'} says {v.verdict.name}"
            for v in alert.versions
            if v.verdict != alert.verdict
        ]
    return ", " + ", ".join(parts) if parts else ""


def _depth(alert: Alert) -> list[str]:
    """Where it is now. Of one that is clear the figure is from before; «inside» would be wrong of it."""
    lost = alert.end_reason is EndReason.TRACK_LOST
    if alert.verdict is Verdict.CLEAR and alert.depth_m >= 0.0 and not lost:
        return []
    side = "inside" if alert.depth_m >= 0.0 else "outside"
    return [f"{'last ' if lost else ''}{abs(alert.depth_m) / 1000.0:.1f} km {side}"]


def _separation(alert: Alert) -> list[str]:
    """The least that it was or is predicted to be, and while it goes on what it is now."""
    parts = []
    if math.isfinite(alert.horizontal_min_m):
        parts.append(f"closest {alert.horizontal_min_m / NAUTICAL_MILE_M:.1f} NM")
    if alert.verdict > Verdict.CLEAR and math.isfinite(alert.horizontal_m):
        vertical = f" and {round(alert.vertical_m / FOOT_M, -1):,.0f} ft" if math.isfinite(alert.vertical_m) else ""
        parts.append(f"now {alert.horizontal_m / NAUTICAL_MILE_M:.1f} NM{vertical}")
    return parts


_INSTANTS = frozenset({"raised_s", "changed_s", "entered_s", "left_s", "ended_s", "tca_s", "at_s", "time_s"})


@cache
def _members(kind: Any) -> tuple[tuple[str, ...], Any, tuple[str, ...], tuple[str, ...]]:
    """Of a dataclass: its names in JSON, what gets their values, which are instants, and which the encoder does not
    write as it should: our records and enumerations by number."""
    names = tuple(f.name[:-2] if f.name in _INSTANTS else f.name for f in fields(kind))
    instants = tuple(f.name[:-2] for f in fields(kind) if f.name in _INSTANTS)
    special = tuple(name for name, hint in get_type_hints(kind).items() if not _encodable(hint))
    return names, attrgetter(*(f.name for f in fields(kind))), instants, special


def _encodable(hint: Any) -> bool:
    return hint in (float, int, str, bool) or (isinstance(hint, type) and issubclass(hint, str))


def _plain(value: Any) -> Any:
    """What the encoder writes as we want it; it makes null of a number that is not known."""
    if is_dataclass(value):
        names, values, instants, special = _members(value.__class__)
        document = dict(zip(names, values(value), strict=True))
        for name in instants:
            document[name] = format_instant(document[name]) or None
        for name in special:
            document[name] = _plain(document[name])
        return document
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.name if isinstance(value, IntEnum) else value

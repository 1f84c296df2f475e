"""The draft of a warning, for a person to read, change and send (practice R2.2, R2.3).

It names the addressee by what can be seen of it from outside (position, heading, speed, squawk), so that the right
crew recognises itself, and on a frequency that it can receive. It says nothing of intent and threatens nothing.
Software never sends it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from keepclear.alerts.model import Alert, AlertType, Sighting
from keepclear.detection.situation import Verdict
from keepclear.errors import UsageError
from keepclear.quantities import FOOT_M, KNOT_MPS, NAUTICAL_MILE_M, format_instant

__all__ = ["NO_REPLY", "Warning", "draft_warning"]

NO_REPLY = (
    "No reply is not a refusal: the addressee may not hear this frequency, may not know that it is meant, or may be "
    "busy. It says nothing about who it is or what it intends."
)


@dataclass(frozen=True, slots=True)
class Warning:
    """``call`` is to be spoken or sent, ``notes`` are for the sender."""

    call: str
    frequency_mhz: float | None
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join((self.call, *(f"Note: {note}" for note in self.notes)))


def draft_warning(alert: Alert, *, frequency_mhz: float | None = None, now_s: float | None = None) -> Warning:
    """The warning to ``alert``'s track. ``frequency_mhz`` is one that the addressee can receive: 121.5 for civil
    aircraft, or the unit's in whose sector it flies; none is assumed. What is not known is said not to be known.
    Raises :class:`UsageError` for a frequency outside the airband and the military UHF band (108–400 MHz).
    """
    if frequency_mhz is not None and not 108.0 <= frequency_mhz <= 400.0:
        raise UsageError(f"{frequency_mhz} MHz is no aeronautical voice frequency (108–400 MHz)")
    track = alert.track
    fix = track.last
    call = ", ".join(
        (
            f"Unidentified traffic{_squawk(fix.squawk)}"
            if not track.callsign
            else f"{track.callsign}{_squawk(fix.squawk)}",
            f"position {_position(fix.lat_deg, fix.lon_deg)}",
            _heading(fix.track_deg),
            _speed(fix.ground_speed_mps),
            _altitude(track),
        )
    )
    notes = []
    if frequency_mhz is None:
        notes.append(
            "No frequency is configured: choose one that the addressee can receive, 121.5 MHz for civil traffic."
        )
    else:
        call = f"On {frequency_mhz:.3f} MHz: {call}"
    age_s = (alert.changed_s if now_s is None else now_s) - fix.time_s
    notes.append(f"The position is of {format_instant(fix.time_s)}, {max(age_s, 0.0):.0f} s old.")
    if alert.stale:
        notes.append("The track is stale: it may be elsewhere by now.")
    if alert.verdict is Verdict.INDETERMINATE:
        notes.append("Whether it is inside cannot be told from the stated accuracies.")
    for version in alert.versions:
        if version.verdict is not alert.worst_verdict:
            notes.append(f"Source {version.source or 'unnamed'} sees it differently: {version.verdict.name}.")
    notes.append(NO_REPLY)
    return Warning(f"{call}: {_matter(alert)}", frequency_mhz, tuple(notes))


def _matter(alert: Alert) -> str:
    if alert.other is not None:
        other = alert.other
        name = other.callsign or other.track_id or "unidentified traffic"
        near = (
            f", closest approach {alert.horizontal_min_m / NAUTICAL_MILE_M:.1f} NM"
            if _known(alert.horizontal_min_m)
            else ""
        )
        return f"traffic {name} at {_position(other.last.lat_deg, other.last.lon_deg)}{near}. Keep clear."
    zone = f"{alert.zone_name or alert.zone_id} (version {alert.zone_version})"
    if alert.type is AlertType.SPILL_OVER:
        zone = f"the border of {zone}"
    if alert.verdict is Verdict.ACTUAL:
        return f"you are inside {zone}. Please leave it, or state your authorisation."
    if alert.verdict is Verdict.INDETERMINATE:
        return f"you may be inside {zone}. Please say your position and intentions, and keep clear of it."
    if _known(alert.time_to_conflict_s):
        return (
            f"you will enter {zone} in {alert.time_to_conflict_s:.0f} seconds on this course. Please keep clear of it."
        )
    return f"you are heading towards {zone}. Please keep clear of it."


def _known(number: float) -> bool:
    return math.isfinite(number)


def _squawk(code: int) -> str:
    return f" squawking {code:04d}" if code >= 0 else ", squawk not known"


def _position(lat_deg: float, lon_deg: float) -> str:
    return f"{_angle(lat_deg, 2, 'NS')} {_angle(lon_deg, 3, 'EW')}"


def _angle(degrees: float, digits: int, signs: str) -> str:
    """Degrees and minutes to a tenth, as spoken on the air: N5027.0."""
    tenths = round(abs(degrees) * 600.0)
    whole, rest = divmod(tenths, 600)
    return f"{signs[degrees < 0.0]}{whole:0{digits}d}°{rest / 10.0:04.1f}′"


def _heading(track_deg: float) -> str:
    return f"track {round(track_deg) % 360:03d}° true" if _known(track_deg) else "track not known"


def _speed(speed_mps: float) -> str:
    return f"ground speed {speed_mps / KNOT_MPS:.0f} kt" if _known(speed_mps) else "speed not known"


def _altitude(track: Sighting) -> str:
    fix = track.last
    if _known(fix.altitude_baro_m):
        return f"flight level {fix.altitude_baro_m / FOOT_M / 100.0:03.0f}"
    if _known(fix.altitude_geo_m):
        return f"{fix.altitude_geo_m / FOOT_M:.0f} ft above the WGS84 ellipsoid"
    return "altitude not known"

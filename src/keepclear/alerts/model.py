"""The alert: what people are told, acknowledge, and judge afterwards (practice §2; ASTERIX CAT004 terms).

There is deliberately no field in which software could say that a track is hostile: an identity is never
inferred from an absence (practice R2.3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from keepclear.detection.situation import SituationKind, Verdict
from keepclear.errors import UsageError

__all__ = [
    "ROLE_MAX", "Acknowledgement", "Alert", "AlertEvent", "AlertStatus", "AlertType", "EndReason", "EventKind", "Fix",
    "Infringement", "Review", "ReviewVerdict", "Severity", "Sighting", "Version", "checked_role", "reviewed",
]  # fmt: skip

ROLE_MAX = 200
"""Characters of a role's name: it is printed in lists."""


class AlertType(StrEnum):
    """EUROCONTROL's names where there is one."""

    APW = "APW"
    """area proximity warning"""
    STCA = "STCA"
    """short-term conflict alert"""
    SPILL_OVER = "SPILL_OVER"
    """towards a third party's territory"""
    WELL_CLEAR = "WELL_CLEAR"
    """no longer well clear of another track"""

    @staticmethod
    def of(kind: int) -> AlertType:
        return AlertType(SituationKind(kind).name)


class AlertStatus(StrEnum):
    """The life cycle. It only moves down this list, but for two cases: a worsening takes ACKNOWLEDGED back to
    ACTUAL (there is news to acknowledge), and a return within the rejoin time reopens an ENDED alert."""

    CANDIDATE = "CANDIDATE"
    PREDICTED = "PREDICTED"
    """also while the verdict is INDETERMINATE"""
    ACTUAL = "ACTUAL"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    """a person has seen it; it stays shown"""
    ENDED = "ENDED"
    REVIEWED = "REVIEWED"


class EventKind(StrEnum):
    RAISED = "RAISED"
    CHANGED = "CHANGED"
    """a worse verdict, a higher severity, or one more violation"""
    EXITED = "EXITED"
    """no longer actual, still predicted or in doubt"""
    REJOINED = "REJOINED"
    """back within the rejoin time: the same alert, the same violation (practice R2.9)"""
    STALE = "STALE"
    """its track is not updated: the alert stays, marked (practice R2.10)"""
    FRESH = "FRESH"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    ENDED = "ENDED"
    REVIEWED = "REVIEWED"
    EXEMPT_INSIDE = "EXEMPT_INSIDE"
    """an exempt track is inside: shown, no alert (practice R2.4)"""
    EXEMPT_LEFT = "EXEMPT_LEFT"


class EndReason(StrEnum):
    NONE = ""
    CLEAR = "CLEAR"
    TRACK_LOST = "TRACK_LOST"
    """nothing was heard of it any more: where it is now is not known"""
    ZONE_WITHDRAWN = "ZONE_WITHDRAWN"
    ZONE_SUPERSEDED = "ZONE_SUPERSEDED"
    """a newer version of the zone is in force and judged on its own (practice R2.11)"""
    EXEMPT = "EXEMPT"
    """an exemption came to cover the track"""
    WATCH_ENDED = "WATCH_ENDED"
    """nobody looked any more; the verdict is the last one, and what became of it is not known"""


class Severity(StrEnum):
    LOW = "LOW"
    HIGH = "HIGH"


class Infringement(StrEnum):
    """Of a separation (CAT004): below half of it is major."""

    NONE = ""
    MINOR = "MINOR"
    MAJOR = "MAJOR"


class ReviewVerdict(StrEnum):
    JUSTIFIED = "JUSTIFIED"
    NUISANCE = "NUISANCE"
    FALSE = "FALSE"


@dataclass(frozen=True, slots=True)
class Fix:
    """Where a track was, as its source reported it. Unknown numbers are nan; the altitudes are never mixed."""

    time_s: float
    lat_deg: float
    lon_deg: float
    altitude_baro_m: float = math.nan
    altitude_geo_m: float = math.nan
    ground_speed_mps: float = math.nan
    track_deg: float = math.nan
    squawk: int = -1
    """four digits read as a decimal number, -1 not known"""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One track of an alert: its number in this run, its label, and who sees it."""

    key: int
    track_id: str
    callsign: str
    source: str
    first: Fix
    """when the alert was raised"""
    last: Fix


@dataclass(frozen=True, slots=True)
class Version:
    """What another source makes of the same target and the same zone at the same moment (practice R2.1).

    Two sources' verdicts are kept side by side; nothing here merges them into one.
    """

    source: str
    verdict: Verdict
    depth_m: float
    """metres inside the boundary, nan where that source's track gave no occasion to measure it"""
    time_s: float
    """of that source's newest report"""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    by_role: str
    at_s: float
    status: AlertStatus
    """what was acknowledged"""


@dataclass(frozen=True, slots=True)
class Review:
    verdict: ReviewVerdict
    by_role: str
    at_s: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as it stood at ``changed_s``. Distances are metres, durations seconds, nan where not known."""

    id: str
    """unique with ``judged_by``"""
    judged_by: str
    """whose watch says so: alerts of several parties lie side by side in one store (practice R2.1)"""
    type: AlertType
    status: AlertStatus
    verdict: Verdict
    """now; CLEAR after the end"""
    worst_verdict: Verdict
    severity: Severity
    track: Sighting
    other: Sighting | None
    """the second track of a pair"""
    zone_id: str
    zone_version: str
    """the version that it was and stays judged against (practice R2.11)"""
    zone_name: str
    zone_text: str
    """the published words of that version"""
    raised_s: float
    changed_s: float
    entered_s: float = math.nan
    """first actual"""
    left_s: float = math.nan
    ended_s: float = math.nan
    end_reason: EndReason = EndReason.NONE
    time_to_conflict_s: float = math.nan
    tca_s: float = math.nan
    """the instant of entry or of closest approach, POSIX seconds"""
    duration_s: float = math.nan
    """how long it is predicted to last"""
    horizontal_m: float = math.nan
    horizontal_min_m: float = math.nan
    """pairs: least so far or predicted"""
    vertical_m: float = math.nan
    vertical_min_m: float = math.nan
    depth_m: float = math.nan
    depth_max_m: float = math.nan
    at_lat_deg: float = math.nan
    at_lon_deg: float = math.nan
    """the place of entry or of closest approach"""
    probability_pct: float = math.nan
    infringement: Infringement = Infringement.NONE
    airspace: str = ""
    """«civil» or «military» where it is known"""
    violations: int = 0
    """how often the track went in; a dip and its rejoining count once (practice R2.9)"""
    stale: bool = False
    exempt: bool = False
    versions: tuple[Version, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    review: Review | None = None

    @property
    def disputed(self) -> bool:
        """Whether sources differed on where the target was when this one's verdict was at its worst."""
        return any(version.verdict is not self.worst_verdict for version in self.versions)


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """News: what happened to an alert, and the alert after it."""

    kind: EventKind
    at_s: float
    alert: Alert


def reviewed(alert: Alert, verdict: ReviewVerdict, by_role: str, at_s: float, note: str = "") -> AlertEvent:
    """Judge an ended alert; a later review stands in for an earlier one, which the event history keeps.

    Raises :class:`UsageError` while the alert goes on, and for a review by nobody.
    """
    if alert.status not in (AlertStatus.ENDED, AlertStatus.REVIEWED):
        raise UsageError(f"alert {alert.id} is {alert.status}: it can be reviewed once it has ended")
    review = Review(verdict, checked_role(by_role), at_s, note)
    return AlertEvent(EventKind.REVIEWED, at_s, replace(alert, status=AlertStatus.REVIEWED, review=review))


def checked_role(by_role: str) -> str:
    """The role, trimmed. Raises :class:`UsageError` for none and for one that is too long to print."""
    role = by_role.strip()
    if not role:
        raise UsageError("say which role acknowledges or reviews, for instance --by «duty officer»")
    if len(role) > ROLE_MAX:
        raise UsageError(f"a role's name has at most {ROLE_MAX} characters")
    return role

"""The messages between the watch loop, the hub and the page, as plain JSON-able shapes.

What each field means is said here once; ``docs/reference/http.md`` repeats it for people who write another
client. Numbers that are not known are ``nan`` on this side and ``null`` in the JSON. Instants are POSIX seconds UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NotRequired, TypedDict

import numpy.typing as npt

__all__ = [
    "AlertMessage", "AlertState", "CoverageMessage", "FeedHealth", "FeedState", "HealthMessage", "HealthState",
    "PictureColumns", "SituationColumns", "SnapshotMessage", "ZonesMessage",
]  # fmt: skip

Numbers = Sequence[float] | npt.NDArray[Any]
"""A column of numbers: a list or a one-dimensional NumPy array."""

AlertState = Literal["candidate", "predicted", "actual", "acknowledged", "ended", "reviewed"]
FeedState = Literal["UP", "DEGRADED", "DOWN", "ENDED"]
HealthState = Literal["OK", "DEGRADED", "OVERLOAD", "ENDED"]


class SituationColumns(TypedDict):
    """What is not clear in this cycle, columns of equal length; drawn as lines to the place of entry."""

    kind: Sequence[str]
    """APW, STCA, SPILL_OVER, WELL_CLEAR"""
    key: Numbers
    """the track's key"""
    other: Sequence[str]
    """zone id for APW and SPILL_OVER; the other track's key, written as a number, otherwise"""
    verdict: Sequence[str]
    """PREDICTED, INDETERMINATE, ACTUAL"""
    time_to_s: Numbers
    at_lon_deg: Numbers
    at_lat_deg: Numbers
    exempt: Sequence[bool]


class PictureColumns(TypedDict):
    """One cycle's whole picture, columns of equal length, one row a track. The hub makes deltas of it."""

    now_s: float
    key: Numbers
    """a number of the track, unique within the process"""
    lon_deg: Numbers
    lat_deg: Numbers
    altitude_m: Numbers
    """pressure altitude where there is one, else height above the ellipsoid; ``altitude_datum`` says which"""
    altitude_datum: Sequence[str]
    """STD, WGS84 or "" (none known, or on ground)"""
    ground_speed_mps: Numbers
    track_deg: Numbers
    vertical_rate_mps: Numbers
    time_s: Numbers
    """time of the newest report"""
    status: Numbers
    """tracks.picture.TrackStatus: 1 LIVE, 2 STALE, 3 ENDED"""
    flags: Numbers
    """tracks.picture.TrackFlag bits"""
    exempt: Numbers
    """1 where an exemption of a zone it concerns names this track (practice R2.4)"""
    target: Sequence[str]
    callsign: Sequence[str]
    source: Sequence[str]
    domain: Numbers
    """feeds.reports.TargetDomain"""
    category: Numbers
    """feeds.reports.TargetCategory"""
    squawk: Numbers
    """four octal digits read as decimal, -1 not known"""
    situations: SituationColumns


class AlertMessage(TypedDict):
    """One alert as it stands now. The same ``id`` replaces what was shown before."""

    id: str
    kind: str
    """APW, STCA, SPILL_OVER, WELL_CLEAR"""
    state: AlertState
    verdict: str
    """PREDICTED, INDETERMINATE, ACTUAL, CLEAR"""
    who: str
    """callsign, else the target's identity, as a person would say it"""
    raised_s: float
    updated_s: float
    target: NotRequired[str]
    track_key: NotRequired[int]
    other_key: NotRequired[int]
    other_who: NotRequired[str]
    zone_id: NotRequired[str]
    zone_name: NotRequired[str]
    zone_version: NotRequired[str]
    zone_type: NotRequired[str]
    confidence: NotRequired[float]
    """probability of being inside (of losing separation), [0, 1]"""
    entry_s: NotRequired[float]
    """instant of the predicted entry or loss of separation"""
    inside_since_s: NotRequired[float]
    ended_s: NotRequired[float]
    acknowledged_s: NotRequired[float]
    acknowledged_by: NotRequired[str]
    lon_deg: NotRequired[float]
    lat_deg: NotRequired[float]
    """where to look: the place of entry, or of the track"""
    horizontal_m: NotRequired[float]
    """pairs, and ``vertical_m``: when the alert last changed; the picture has where they are now"""
    horizontal_min_m: NotRequired[float]
    """pairs: the least so far or predicted"""
    vertical_m: NotRequired[float]
    review: NotRequired[str]
    """justified, nuisance, false"""
    assumed_active: NotRequired[bool]
    """the zone was taken to be in force (--assume-active)"""
    note: NotRequired[str]


class FeedHealth(TypedDict):
    name: str
    state: FeedState
    lag_s: float
    """receipt minus measurement of the newest report"""
    rate_hz: float
    """reports a second over the last ten seconds"""
    last_s: float
    """instant of the newest receipt"""
    reports: int
    faults: int
    note: str
    """why it is degraded, in one line; "" otherwise"""


class HealthMessage(TypedDict):
    now_s: float
    state: HealthState
    reasons: Sequence[str]
    """one line each; empty when OK"""
    simulated: bool
    """any of the traffic shown is simulated"""
    recorded: NotRequired[bool]
    """the traffic is played from a recording"""
    feeds: Sequence[FeedHealth]
    cycle_ms: NotRequired[float]
    cycle_ms_p99: NotRequired[float]
    note: NotRequired[str]


class CoverageMessage(TypedDict):
    """Cells of a longitude/latitude grid in which some sensor was heard: where «nothing seen» means something
    (practice R2.8). Columns of equal length."""

    cell_deg: float
    lon_deg: Numbers
    """west edge of the cell"""
    lat_deg: Numbers
    """south edge of the cell"""
    heard_s: Numbers
    """instant of the newest report from the cell"""
    text: NotRequired[str]
    """what «covered» means here, in one line"""


class ZonesMessage(TypedDict):
    """A GeoJSON FeatureCollection for drawing, made by :func:`keepclear.server.zones.zones_message`."""

    type: Literal["FeatureCollection"]
    features: Sequence[dict[str, Any]]
    drawing_only: str
    version: NotRequired[int]
    """set by the hub; grows with every change"""


class SnapshotMessage(TypedDict):
    """Everything a page needs to start or to start again; what follows it are differences."""

    id: str
    software: str
    picture: dict[str, Any] | None
    alerts: list[AlertMessage]
    alerts_dropped: int
    health: HealthMessage | None
    coverage: dict[str, Any] | None
    zones_version: int

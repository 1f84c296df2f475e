"""When a zone is in force: its periods and schedules as explicit intervals within a window.

Sources: ED-318 §2.3 (schedules, solar events), ICAO Annex 15 appendix 3 items B, C, D. All times are UTC.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from keepclear.errors import InputError, LimitExceeded
from keepclear.quantities import parse_instant
from keepclear.space.geometry import Circle, LonLat
from keepclear.zones.model import Period, ScheduleEntry, SolarEvent, TimeOfDay, Weekday, Zone, ZoneStatus
from keepclear.zones.solar import DAY_S, is_morning, solar_event_s

__all__ = ["active_intervals", "centroid", "rests_on_estimate"]

DAYS_MAX = 200_000
"""Days that a schedule is expanded over: five centuries; an archive's window is cut to its tracks."""

_WEEK = tuple(Weekday)
_NEVER_IN_FORCE = frozenset({ZoneStatus.DRAFT, ZoneStatus.SUSPENDED, ZoneStatus.WITHDRAWN})


def active_intervals(zone: Zone, from_s: float, to_s: float, *, assume_active: bool = False) -> npt.NDArray[np.float64]:
    """The disjoint, sorted intervals [begin, end) in POSIX seconds within [from_s, to_s) in which it is in force.

    Shape (k, 2). A period with an estimated end stays in force past it (see :func:`rests_on_estimate`). A draft or
    suspended zone is never in force; a withdrawn one only until its recorded withdrawal (``withdrawn_at`` among its
    extensions), never where none is recorded. ``assume_active`` asks «what if it had been in force»: the whole
    window, whatever the status, the periods and the schedules say.

    Raises :class:`InputError` for a window that is NaN, :class:`LimitExceeded` for one too long for a schedule.
    """
    if math.isnan(from_s) or math.isnan(to_s):
        raise InputError("the window's bounds must be instants")
    if to_s <= from_s:
        return np.empty((0, 2))
    if assume_active:
        return np.array([[from_s, to_s]])
    if zone.status in _NEVER_IN_FORCE:
        withdrawn_s = _withdrawn_at(zone) if zone.status is ZoneStatus.WITHDRAWN else None
        if withdrawn_s is None:
            return np.empty((0, 2))
        to_s = min(to_s, withdrawn_s)
    spans: list[tuple[float, float]] = []
    place: LonLat | None = None
    for period in zone.applicability:
        begin, end = max(from_s, period.from_s), min(to_s, math.inf if period.end_estimated else period.to_s)
        if end <= begin:
            continue
        if not period.schedule:
            spans.append((begin, end))
            continue
        place = place or centroid(zone)
        for start, stop in _scheduled(period, begin, end, place):
            if min(stop, end) > max(start, begin):
                spans.append((max(start, begin), min(stop, end)))
    return _merged(spans)


def rests_on_estimate(zone: Zone, time_s: float) -> bool:
    """Whether at this instant only an estimated end that has passed keeps the zone in force (NOTAM «EST»)."""
    certain = [period for period in zone.applicability if period.from_s <= time_s < period.to_s]
    return not certain and any(p.end_estimated and p.to_s <= time_s for p in zone.applicability)


def centroid(zone: Zone) -> LonLat:
    """A place in the middle of the zone for the sun's sake: the mean of its vertices on the sphere."""
    east = north = up = 0.0
    for volume in zone.volumes:
        shape = volume.shape
        vertices = ((shape.lon_deg, shape.lat_deg),) if isinstance(shape, Circle) else shape.exterior
        for lon_deg, lat_deg in vertices:
            lon, lat = math.radians(lon_deg), math.radians(lat_deg)
            east += math.cos(lat) * math.cos(lon) / len(vertices)
            north += math.cos(lat) * math.sin(lon) / len(vertices)
            up += math.sin(lat) / len(vertices)
    return math.degrees(math.atan2(north, east)), math.degrees(math.atan2(up, math.hypot(east, north)))


def _withdrawn_at(zone: Zone) -> float | None:
    for carried in zone.extensions.values():
        stated = carried.get("withdrawn_at")
        if isinstance(stated, str):
            return parse_instant(stated)
    return None


def _scheduled(period: Period, begin_s: float, end_s: float, place: LonLat) -> Iterator[tuple[float, float]]:
    """Each occurrence of each entry that may touch the window: also of the day before, which may run into it."""
    if not (math.isfinite(begin_s) and math.isfinite(end_s)):
        raise InputError("a schedule needs a window with two ends")
    first, last = math.floor(begin_s / DAY_S) - 2, math.floor(end_s / DAY_S) + 1
    if last - first > DAYS_MAX:
        raise LimitExceeded(f"a schedule is expanded over {DAYS_MAX:,} days at most: narrow the window")
    for day in range(first, last + 1):
        weekday = _WEEK[(day + 3) % 7]  # 1 January 1970 was a Thursday
        for entry in period.schedule:
            if weekday in entry.days:
                yield from _occurrence(entry, day * DAY_S, place)


def _occurrence(entry: ScheduleEntry, day_s: float, place: LonLat) -> Iterator[tuple[float, float]]:
    """The entry's interval on this UTC day; none where the sun makes it empty."""
    start, end = entry.start, entry.end
    if start.event is not None and end.event is not None:
        yield from _between_solar(start, start.event, end, end.event, day_s, place)
        return
    begin = _instant(start, day_s, place)
    stop = _instant(end, day_s, place)
    if stop <= begin:
        stop = _instant(end, day_s + DAY_S, place)
    if stop > begin:
        yield begin, stop


def _between_solar(
    start: TimeOfDay, start_event: SolarEvent, end: TimeOfDay, end_event: SolarEvent, day_s: float, place: LonLat
) -> Iterator[tuple[float, float]]:
    """Both ends by the sun: an evening ends in the next solar day's morning, all else within one solar day."""
    anchor = _anchor(start_event, day_s, place)
    overnight = not is_morning(start_event) and is_morning(end_event)
    begin = solar_event_s(start_event, anchor, *place) + start.seconds
    stop = solar_event_s(end_event, anchor + (DAY_S if overnight else 0.0), *place) + end.seconds
    if stop > begin:
        yield begin, stop


def _instant(time: TimeOfDay, day_s: float, place: LonLat) -> float:
    if time.event is None:
        return day_s + time.seconds
    return solar_event_s(time.event, _anchor(time.event, day_s, place), *place) + time.seconds


def _anchor(event: SolarEvent, day_s: float, place: LonLat) -> float:
    """The day whose solar day holds the event that falls within the UTC day ``day_s``, whatever the longitude.

    Where two or none fall into it (the times drift by minutes from day to day), the nearest to its noon is taken.
    """
    noon = day_s + DAY_S / 2.0
    days = (day_s, day_s - DAY_S, day_s + DAY_S)
    return min(days, key=lambda day: abs(solar_event_s(event, day, *place) - noon))


def _merged(spans: list[tuple[float, float]]) -> npt.NDArray[np.float64]:
    merged: list[list[float]] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([begin, end])
    return np.array(merged, dtype=np.float64).reshape(-1, 2)

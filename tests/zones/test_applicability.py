"""Holds true that a zone's intervals are exactly the instants at which its periods and schedules put it in force."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError, LimitExceeded
from keepclear.quantities import UNBOUNDED, parse_instant
from keepclear.space.geometry import Circle, Polygon
from keepclear.zones.applicability import active_intervals, centroid, rests_on_estimate
from keepclear.zones.model import (
    ANY_DAY,
    Period,
    ScheduleEntry,
    SolarEvent,
    TimeOfDay,
    Volume,
    Weekday,
    Zone,
    ZoneStatus,
)
from keepclear.zones.solar import solar_event_s

MONDAY = parse_instant("2026-03-02T00:00:00Z")
DAY = 86_400.0
WEEK = tuple(Weekday)


def zone(*periods: Period, lon: float = 31.0, lat: float = 50.0, status: ZoneStatus = ZoneStatus.PUBLISHED) -> Zone:
    volume = Volume(Circle(lon, lat, 1000.0), UNBOUNDED, UNBOUNDED)
    return Zone("Z", (volume,), applicability=periods or (Period(),), status=status)


def hours(*days: Weekday, start: float, end: float) -> ScheduleEntry:
    return ScheduleEntry(frozenset(days) or ANY_DAY, TimeOfDay(start * 3600.0), TimeOfDay(end * 3600.0))


def in_force(zone: Zone, time_s: float) -> bool:
    """The twin: asks of one instant whether any entry of today or yesterday covers it, in calendar arithmetic."""
    if zone.status in (ZoneStatus.DRAFT, ZoneStatus.SUSPENDED, ZoneStatus.WITHDRAWN):
        return False
    for period in zone.applicability:
        if time_s < period.from_s or (time_s >= period.to_s and not period.end_estimated):
            continue
        if not period.schedule:
            return True
        today = datetime.fromtimestamp(time_s, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        for day in (today, today - timedelta(days=1)):
            for entry in period.schedule:
                begin = day + timedelta(seconds=entry.start.seconds)
                end = day + timedelta(seconds=entry.end.seconds)
                if entry.end.seconds <= entry.start.seconds:
                    end += timedelta(days=1)
                if WEEK[day.weekday()] in entry.days and begin.timestamp() <= time_s < end.timestamp():
                    return True
    return False


minutes = st.integers(0, 1440).map(lambda m: TimeOfDay(m * 60.0))
entries = st.builds(ScheduleEntry, st.frozensets(st.sampled_from(WEEK), min_size=1), minutes, minutes)
instants = st.integers(-2 * 1440, 5 * 1440).map(lambda m: MONDAY + m * 60.0)
bounds = st.tuples(instants | st.just(-math.inf), instants | st.just(math.inf)).map(lambda pair: sorted(pair))
periods = st.builds(
    lambda b, schedule, estimated: Period(b[0], b[1], tuple(schedule), estimated),
    bounds, st.lists(entries, max_size=3), st.booleans(),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(periods, min_size=1, max_size=3), st.sampled_from(ZoneStatus), st.integers(-1440, 1440))
def test_the_intervals_are_the_minutes_at_which_the_twin_says_in_force(
    given_periods: list[Period], status: ZoneStatus, shift: int
) -> None:
    subject = zone(*given_periods, status=status)
    begin, end = MONDAY + shift * 60.0, MONDAY + shift * 60.0 + 2 * DAY
    found = active_intervals(subject, begin, end)
    assert np.all(found[:, 0] < found[:, 1])
    assert np.all(found[1:, 0] > found[:-1, 1])
    for time_s in np.arange(begin, end, 60.0):
        inside = bool(np.any((found[:, 0] <= time_s) & (time_s < found[:, 1])))
        assert inside == in_force(subject, float(time_s))


def test_days_of_the_week_and_an_entry_past_midnight() -> None:
    subject = zone(Period(schedule=(hours(Weekday.MON, Weekday.FRI, start=22, end=4),)))
    found = active_intervals(subject, MONDAY, MONDAY + 7 * DAY)
    assert ((found - MONDAY) / 3600.0).tolist() == [[22.0, 28.0], [118.0, 124.0]]
    # A window that begins within Monday's entry still sees it.
    tuesday = MONDAY + DAY
    assert active_intervals(subject, tuesday, tuesday + 3600.0).tolist() == [[tuesday, tuesday + 3600.0]]


def test_touching_and_overlapping_intervals_become_one() -> None:
    subject = zone(Period(schedule=(hours(start=0, end=12), hours(start=12, end=24))))
    assert active_intervals(subject, MONDAY, MONDAY + 3 * DAY).tolist() == [[MONDAY, MONDAY + 3 * DAY]]


def test_an_estimated_end_does_not_end_and_is_known_to_be_estimated() -> None:
    subject = zone(Period(MONDAY, MONDAY + DAY, (), True))
    assert active_intervals(subject, MONDAY - DAY, MONDAY + 9 * DAY).tolist() == [[MONDAY, MONDAY + 9 * DAY]]
    assert rests_on_estimate(subject, MONDAY + DAY)
    assert not rests_on_estimate(subject, MONDAY)
    assert not rests_on_estimate(zone(Period(MONDAY, MONDAY + DAY)), MONDAY + 2 * DAY)


@pytest.mark.parametrize("status", [ZoneStatus.DRAFT, ZoneStatus.SUSPENDED, ZoneStatus.WITHDRAWN])
def test_what_is_not_published_is_not_in_force_unless_assumed(status: ZoneStatus) -> None:
    subject = zone(Period(MONDAY + DAY, MONDAY + 2 * DAY), status=status)
    assert len(active_intervals(subject, MONDAY, MONDAY + 9 * DAY)) == 0
    assert active_intervals(subject, MONDAY, MONDAY + DAY, assume_active=True).tolist() == [[MONDAY, MONDAY + DAY]]


def test_the_window_is_half_open_and_may_be_empty() -> None:
    assert active_intervals(zone(), MONDAY, MONDAY).shape == (0, 2)
    assert len(active_intervals(zone(Period(MONDAY - DAY, MONDAY)), MONDAY, MONDAY + DAY)) == 0
    with pytest.raises(InputError):
        active_intervals(zone(), math.nan, MONDAY)


def test_a_schedule_over_centuries_is_refused_and_not_expanded() -> None:
    subject = zone(Period(schedule=(hours(start=1, end=2),)))
    with pytest.raises(LimitExceeded):
        active_intervals(subject, MONDAY - 400_000 * DAY, MONDAY)
    with pytest.raises(InputError):
        active_intervals(subject, MONDAY, math.inf)


@settings(max_examples=80, deadline=None)
@given(st.floats(-30.0, 30.0), st.floats(-55.0, 55.0), st.integers(0, 365 * 6))
def test_sunrise_and_sunset_agree_with_astral(lon: float, lat: float, day: int) -> None:
    """A second opinion: astral's own NOAA implementation, asked near Greenwich, where both mean the same day."""
    astral_sun = pytest.importorskip("astral.sun")
    from astral import Observer, SunDirection

    date = datetime(2022, 1, 1, tzinfo=UTC) + timedelta(days=day)
    for event, zenith, direction in (
        (SolarEvent.SR, 90.833, SunDirection.RISING),
        (SolarEvent.SS, 90.833, SunDirection.SETTING),
        (SolarEvent.BMCT, 96.0, SunDirection.RISING),
        (SolarEvent.EECT, 96.0, SunDirection.SETTING),
    ):
        try:
            transit = astral_sun.time_of_transit(
                Observer(lat, lon), date.date(), zenith, direction, with_refraction=False
            )
        except ValueError:
            continue
        ours = solar_event_s(event, date.timestamp(), lon, lat)
        difference = (ours - transit.timestamp() + DAY / 2) % DAY - DAY / 2
        assert abs(difference) < 60.0


@pytest.mark.parametrize("lon", [0.0, 75.0, 179.0, -179.0, -120.0])
def test_daylight_is_one_interval_a_day_at_every_longitude(lon: float) -> None:
    daylight = ScheduleEntry(ANY_DAY, TimeOfDay(event=SolarEvent.SR), TimeOfDay(event=SolarEvent.SS))
    night = ScheduleEntry(ANY_DAY, TimeOfDay(event=SolarEvent.SS), TimeOfDay(event=SolarEvent.SR))
    window = (MONDAY, MONDAY + 10 * DAY)
    by_day = active_intervals(zone(Period(schedule=(daylight,)), lon=lon, lat=50.0), *window)
    by_night = active_intervals(zone(Period(schedule=(night,)), lon=lon, lat=50.0), *window)
    lengths = (by_day[:, 1] - by_day[:, 0])[1:-1] / 3600.0
    assert len(by_day) in (10, 11)
    assert np.all((lengths > 10.8) & (lengths < 11.8))
    # Day and night together are the whole window, and nowhere both.
    assert (by_day[:, 1] - by_day[:, 0]).sum() + (by_night[:, 1] - by_night[:, 0]).sum() == pytest.approx(
        10 * DAY, abs=1.0
    )


def test_the_polar_day_is_all_daylight_and_the_polar_night_none() -> None:
    daylight = ScheduleEntry(ANY_DAY, TimeOfDay(event=SolarEvent.SR), TimeOfDay(event=SolarEvent.SS))
    polar = zone(Period(schedule=(daylight,)), lon=20.0, lat=78.0)
    june, december = parse_instant("2026-06-20T00:00:00Z"), parse_instant("2026-12-20T00:00:00Z")
    summer = active_intervals(polar, june, june + 2 * DAY)
    assert (summer[:, 1] - summer[:, 0]).sum() == pytest.approx(2 * DAY, abs=60.0)
    assert len(active_intervals(polar, december, december + 2 * DAY)) == 0


def test_an_offset_and_a_clock_time_mix_with_the_sun() -> None:
    early = ScheduleEntry(ANY_DAY, TimeOfDay(-1800.0, SolarEvent.SR), TimeOfDay(12 * 3600.0))
    (interval,) = active_intervals(zone(Period(schedule=(early,)), lon=0.0, lat=0.0), MONDAY, MONDAY + DAY)
    assert interval[0] == pytest.approx(MONDAY + 5.65 * 3600.0, abs=600.0)
    assert interval[1] == MONDAY + 12 * 3600.0


def test_the_middle_of_a_zone_across_the_antimeridian_is_there() -> None:
    across = Volume(Polygon(((179.0, -1.0), (-179.0, -1.0), (-179.0, 1.0), (179.0, 1.0))), UNBOUNDED, UNBOUNDED)
    lon, lat = centroid(Zone("Z", (across,)))
    assert abs(lon) == pytest.approx(180.0)
    assert lat == pytest.approx(0.0, abs=1e-9)

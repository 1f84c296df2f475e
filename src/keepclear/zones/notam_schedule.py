"""Item D) of a NOTAM to periods: DAILY 0600-1800, MON-FRI 0500-1500, 12 14 16 0700-1500, JAN 10-12 H24, SR-SS.

Source: ICAO Doc 8126 and EUROCONTROL OPADD 4 §2.3.21 (the forms in common use, not the whole grammar).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from keepclear.zones.model import ANY_DAY, Period, ScheduleEntry, SolarEvent, TimeOfDay, Weekday

__all__ = ["read_schedule"]

DAYS_MAX = 400
"""Dates of one item D): a year and a little; a NOTAM lasts three months."""

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEK = tuple(Weekday)
_EVENT = {"SR": SolarEvent.SR, "SS": SolarEvent.SS, "SUNRISE": SolarEvent.SR, "SUNSET": SolarEvent.SS}
_TIME = r"(?:\d{4}|(?:SR|SS|SUNRISE|SUNSET)(?:\s?(?:PLUS|MINUS|[+-])\s?\d{1,3})?)"
_SPAN = re.compile(rf"({_TIME})\s?-\s?({_TIME})|\b(H24|HJ|HN|HR24)\b")
_WEEKDAYS = re.compile(r"\b(MON|TUE|WED|THU|FRI|SAT|SUN)[A-Z]*(?:\s?-\s?(MON|TUE|WED|THU|FRI|SAT|SUN)[A-Z]*)?\b")
_DATE = re.compile(
    r"(?P<month>[A-Z]{3})|(?P<day>\d{1,2})(?:\s?-\s?(?:(?P<to_month>[A-Z]{3})\s?)?(?P<to_day>\d{1,2}))?|[\s,]+|AND\b"
)


def read_schedule(text: str, from_s: float, to_s: float, *, end_estimated: bool = False) -> tuple[Period, ...] | None:
    """The periods between items B) and C) in which the text says that the NOTAM holds; ``None``: not understood."""
    words = " ".join(text.upper().replace("–", "-").split()).strip(" .;")
    if words in ("", "H24", "HR24", "CONT", "CONTINUOUS", "DAILY H24", "DAILY"):
        return (Period(from_s, to_s, (), end_estimated),)
    groups = _groups(words)
    if groups is None:
        return None
    entries: list[ScheduleEntry] = []
    dated: list[Period] = []
    latest = datetime.fromtimestamp(from_s, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for days, spans in groups:
        weekdays = _weekdays(days)
        if weekdays is not None:
            entries.extend(ScheduleEntry(weekdays, start, end) for start, end in spans)
            continue
        dates = _dates(days, latest)
        if dates is None:
            return None
        for day in dates:
            latest = day
            dated.extend(_on_date(day, spans, from_s, to_s))
        if len(dated) > DAYS_MAX:
            return None
    if entries and dated:
        return None
    if entries:
        return (Period(from_s, to_s, tuple(entries), end_estimated),)
    if not dated:
        return None
    if end_estimated:
        # No date is given beyond the estimated end, and nothing says that it is over: in force until replaced.
        dated.append(Period(to_s, to_s, (), True))
    return tuple(dated)


def _groups(words: str) -> list[tuple[str, list[tuple[TimeOfDay, TimeOfDay]]]] | None:
    """Each «on these days, at these times» of the text; ``None`` where something is left over."""
    groups: list[tuple[str, list[tuple[TimeOfDay, TimeOfDay]]]] = []
    position = 0
    for match in _SPAN.finditer(words):
        days = words[position : match.start()].strip(" ,;:.&")
        position = match.end()
        span = _span(match)
        if span is None:
            return None
        if groups and days in ("", "AND"):
            groups[-1][1].append(span)
        else:
            groups.append((days.removeprefix("AND ").strip(), [span]))
    return groups if groups and not words[position:].strip(" ,;:.") else None


def _span(match: re.Match[str]) -> tuple[TimeOfDay, TimeOfDay] | None:
    sunrise, sunset = TimeOfDay(event=SolarEvent.SR), TimeOfDay(event=SolarEvent.SS)
    if match[3]:
        return {"HJ": (sunrise, sunset), "HN": (sunset, sunrise)}.get(match[3], (TimeOfDay(0.0), TimeOfDay(86400.0)))
    start, end = _time(match[1]), _time(match[2])
    return (start, end) if start is not None and end is not None else None


def _time(text: str) -> TimeOfDay | None:
    if text.isdigit():
        hour, minute = int(text[:2]), int(text[2:])
        return TimeOfDay(hour * 3600.0 + minute * 60.0) if minute < 60 and hour * 60 + minute <= 1440 else None
    match = re.fullmatch(r"(SR|SS|SUNRISE|SUNSET)(?:\s?(PLUS|MINUS|[+-])\s?(\d{1,3}))?", text)
    if not match:
        return None
    minutes = float(match[3] or 0) * (-1.0 if match[2] in ("MINUS", "-") else 1.0)
    return TimeOfDay(minutes * 60.0, _EVENT[match[1]])


def _weekdays(days: str) -> frozenset[Weekday] | None:
    """The days of the week that the words name; ``None`` where they name dates or anything else."""
    included, _, excluded = days.partition("EXC")
    included = re.sub(r"\b(?:DAILY|DLY|EVERY DAY|EV DAY)\b", "", included).strip(" ,;:")
    named = _named(included) if included else ANY_DAY
    without = _named(excluded.removeprefix("EPT").strip(" ,;:")) if excluded else frozenset[Weekday]()
    return None if named is None or without is None else (named - without) or None


def _named(words: str) -> frozenset[Weekday] | None:
    if _WEEKDAYS.sub("", words).replace("AND", "").strip(" ,;:&"):
        return None
    days: set[Weekday] = set()
    for match in _WEEKDAYS.finditer(words):
        first = _WEEK.index(Weekday(match[1]))
        last = _WEEK.index(Weekday(match[2])) if match[2] else first
        days.update(_WEEK[(first + i) % 7] for i in range((last - first) % 7 + 1))
    return frozenset(days)


def _dates(words: str, earliest: datetime) -> list[datetime] | None:
    """The dates named, at or after ``earliest``; a day without a month belongs to the month last spoken of."""
    dates: list[datetime] = []
    position, year, month, latest = 0, earliest.year, earliest.month, earliest
    words = words.strip(" ,;:")
    while position < len(words):
        match = _DATE.match(words, position)
        if not match or match.end() == position:
            return None
        position = match.end()
        if match["month"]:
            if match["month"] not in _MONTHS:
                return None
            month = _MONTHS.index(match["month"]) + 1
            year = latest.year + (month < latest.month)
        elif match["day"]:
            first = _date(year, month, int(match["day"]))
            if first is not None and first < latest:  # the numbers went round: the next month
                year, month = (year + month // 12, month % 12 + 1)
                first = _date(year, month, int(match["day"]))
            if match["to_month"]:
                if match["to_month"] not in _MONTHS:
                    return None
                to_month = _MONTHS.index(match["to_month"]) + 1
                year, month = year + (to_month < month), to_month
            last = _date(year, month, int(match["to_day"])) if match["to_day"] else first
            if first is not None and last is not None and last < first and not match["to_month"]:
                year, month = (year + month // 12, month % 12 + 1)
                last = _date(year, month, int(match["to_day"]))
            if first is None or last is None or not 0 <= (last - first).days <= DAYS_MAX:
                return None
            dates.extend(first + timedelta(days=i) for i in range((last - first).days + 1))
            latest = last
    return dates or None


def _date(year: int, month: int, day: int) -> datetime | None:
    try:
        return datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None


def _on_date(day: datetime, spans: list[tuple[TimeOfDay, TimeOfDay]], from_s: float, to_s: float) -> list[Period]:
    """One period a span of this date, cut to items B) and C)."""
    periods: list[Period] = []
    schedule: tuple[ScheduleEntry, ...]
    for start, end in spans:
        midnight = day.timestamp()
        if start.event is None and end.event is None:
            over = 0.0 if end.seconds > start.seconds else 86400.0
            begin, stop, schedule = midnight + start.seconds, midnight + end.seconds + over, ()
        else:
            # Two days hold this day of the week once, so an evening's end after midnight is not cut off.
            begin, stop = midnight, midnight + 2 * 86400.0
            schedule = (ScheduleEntry(frozenset({_WEEK[day.weekday()]}), start, end),)
        if max(begin, from_s) < min(stop, to_s):
            periods.append(Period(max(begin, from_s), min(stop, to_s), schedule))
    return periods

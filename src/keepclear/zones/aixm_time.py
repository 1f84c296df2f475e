"""AIXM timesheets to periods: activation of an airspace on days of the week at times of the day, in UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator

from keepclear.zones.model import ANY_DAY, Period, ScheduleEntry, SolarEvent, TimeOfDay, Weekday
from keepclear.zones.xml_tree import Element

__all__ = ["read_activations"]

_DAYS: dict[str, frozenset[Weekday]] = {"ANY": ANY_DAY, **{day.value: frozenset({day}) for day in Weekday}}
_EVENTS = {"SR": SolarEvent.SR, "SS": SolarEvent.SS}
_ORDER = tuple(Weekday)


def read_activations(part: Element, validity: Period, warnings: list[str]) -> tuple[Period, ...]:
    """The time slice's validity with its activations' timesheets as a schedule.

    A timesheet that needs more than days, times and the sun (holidays, dates, local time) is not guessed: the
    airspace is then taken as active throughout, and a warning says so.
    """
    entries: list[ScheduleEntry] = []
    for activation in _children(part, "activation", "AirspaceActivation"):
        if activation.word("status").upper() in ("INACTIVE", "AVBL_FOR_ACTIVATION"):
            continue
        for sheet in _children(activation, "timeInterval", "Timesheet"):
            entry = _entry(sheet)
            if entry is None:
                warnings.append(f"timesheet of line {sheet.line} not understood: treated as in force throughout")
                return (validity,)
            entries.append(entry)
    return (Period(validity.from_s, validity.to_s, tuple(entries)),)


def _children(element: Element, *names: str) -> Iterator[Element]:
    found = [element]
    for name in names:
        found = [child for parent in found for child in parent.all(name)]
    return iter(found)


def _entry(sheet: Element) -> ScheduleEntry | None:
    if sheet.word("timeReference").upper() not in ("UTC", "") or sheet.word("excluded").upper() == "YES":
        return None
    if sheet.word("startDate") or sheet.word("endDate"):
        return None
    day, until = sheet.word("day").upper() or "ANY", sheet.word("dayTil").upper()
    days = _DAYS.get(day)
    if days is not None and until and until != day:
        if day not in Weekday.__members__ or until not in Weekday.__members__:
            return None
        first, last = _ORDER.index(Weekday(day)), _ORDER.index(Weekday(until))
        days = frozenset(_ORDER[(first + i) % 7] for i in range((last - first) % 7 + 1))
    start, end = _time(sheet, "start", 0.0), _time(sheet, "end", 86_400.0)
    return ScheduleEntry(days, start, end) if days and start and end else None


def _time(sheet: Element, side: str, missing: float) -> TimeOfDay | None:
    event, clock = sheet.word(f"{side}Event").upper(), sheet.word(f"{side}Time")
    if event:
        offset = sheet.child(f"{side}TimeRelativeEvent")
        minutes = offset.text.strip() if offset is not None else "0"
        if event not in _EVENTS or not re.fullmatch(r"-?\d{1,3}(?:\.\d+)?", minutes):
            return None
        hours = offset is not None and offset.attributes.get("uom", "MIN").upper() == "HR"
        return TimeOfDay(float(minutes) * (3600.0 if hours else 60.0), _EVENTS[event])
    if not clock:
        return TimeOfDay(missing)
    match = re.fullmatch(r"(\d{2}):?(\d{2})", clock)
    if not match or int(match[2]) > 59 or int(match[1]) * 60 + int(match[2]) > 1440:
        return None
    return TimeOfDay(int(match[1]) * 3600.0 + int(match[2]) * 60.0)

"""Deadlines, meetings and due stages as iCalendar (RFC 5545), for the calendars that people already look at.

A date keeps its UID for ever; SEQUENCE grows with every change, so that a calendar which takes the file again moves the
date and does not add a second one. What was taken back stays as CANCELLED (RFC 5546, 2.1.4). There is no METHOD: nobody
is invited, and a published event would need an organizer with an address (3.2.1). Extra ``documents``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING

from keepclear.errors import MissingExtra

if TYPE_CHECKING:
    from keepclear.decisions.documents.deadlines import Deadline

__all__ = ["write_calendar"]

PRODUCT = "-//Keepclear//decisions//EN"
REMIND_BEFORE = timedelta(hours=1)
"""An alarm so long before; the duty ladder does the rest."""


def write_calendar(name: str, deadlines: Iterable[Deadline]) -> bytes:
    """The same deadlines give the same bytes. Raises :class:`MissingExtra`."""
    if find_spec("icalendar") is None:
        raise MissingExtra("a calendar", "documents")
    from icalendar import Alarm, Calendar, Event, vText

    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", vText(name))  # else commas in it are not escaped
    for one in deadlines:
        event = Event()
        event.add("uid", one.uid)
        event.add("sequence", one.sequence)
        event.add("dtstamp", _instant(one.stated_ms))
        event.add("dtstart", _instant(one.at_ms))
        event.add("summary", one.title)
        event.add("description", one.text)
        if one.place:
            event.add("location", one.place)
        event.add("categories", [one.kind.value])
        event.add("status", "CANCELLED" if one.cancelled else "CONFIRMED")
        event.add("transp", "TRANSPARENT")  # a deadline takes nobody's time
        if not one.cancelled:
            alarm = Alarm()
            alarm.add("action", "DISPLAY")
            alarm.add("description", one.title)
            alarm.add("trigger", -REMIND_BEFORE)
            event.add_component(alarm)
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _instant(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1_000, UTC)

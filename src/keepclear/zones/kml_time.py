"""KML's times (OGC 12-007r2 §16.4): instants, days, months and years, as spans of applicability."""

from __future__ import annotations

import calendar
import math
import re

from keepclear.errors import InputError
from keepclear.quantities import parse_instant
from keepclear.zones.model import Period
from keepclear.zones.xml_tree import Element

__all__ = ["read_time"]

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


def read_time(element: Element) -> Period:
    """The period of a TimeSpan or TimeStamp; raises :class:`InputError` with the line.

    A TimeStamp of an instant says since when, and no end.
    """
    where = f"line {element.line}"
    try:
        if element.name == "TimeStamp":
            first, last = _span(element.word("when"))
            return Period(first, last if last > first else math.inf)
        begin, end = element.word("begin"), element.word("end")
        return Period(_span(begin)[0] if begin else -math.inf, _span(end)[1] if end else math.inf)
    except InputError as error:
        raise InputError(error.message, where=where) from None


def _span(text: str) -> tuple[float, float]:
    """First and last instant of a date in UTC; an instant is both."""
    match = _DATE.fullmatch(text)
    if not match:
        instant = parse_instant(text)
        return instant, instant
    year, month, day = int(match[1]), match[2], match[3]
    if day:
        begin = parse_instant(f"{text}T00:00:00Z")
        return begin, begin + 86_400.0
    begin = parse_instant(f"{text}-01T00:00:00Z" if month else f"{text}-01-01T00:00:00Z")
    days = calendar.monthrange(year, int(month))[1] if month else 365 + calendar.isleap(year)
    return begin, begin + 86_400.0 * days

"""Positions as aeronautical texts write them, found anywhere in a text: 482500N 0310000E, N48°25'00" E031°00'00",
4825.5N 03100.5E, 48.4167N 31.0000E, 48:25:00 N 031:00:00 E (ICAO Doc 8126; OpenAir)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from keepclear.errors import InputError
from keepclear.space.geometry import LonLat, check_position

__all__ = ["Found", "find_positions", "read_position"]

_ANGLE = (
    r"\d{1,3}\s?[°:º]\s?\d{1,2}(?:[.,]\d{1,12})?(?:\s?['′’:´]\s?(?:\d{1,2}(?:[.,]\d{1,12})?)?)?\s?(?:[\"″”]|'')?['′]?"
    r"|\d{1,3}[ ]\d{2}[ ]\d{2}(?:[.,]\d{1,12})?"
    r"|\d{1,7}(?:[.,]\d{1,12})?°?"
)
_LAT_FIRST = rf"(?<![\d.])(?P<lat>{_ANGLE})\s?(?P<ns>[NS])(?![A-Z])"
_GAP = r"\s*[/,;\-–]?\s*"
_PAIR = re.compile(
    rf"{_LAT_FIRST}{_GAP}(?P<lon>{_ANGLE})\s?(?P<ew>[EW])(?![A-Z])"
    rf"|(?<![A-Z])(?P<ns2>[NS])\s?(?P<lat2>{_ANGLE}){_GAP}(?P<ew2>[EW])\s?(?P<lon2>{_ANGLE})(?![\d.])"
    rf"|{_LAT_FIRST.replace('<lat>', '<lat3>').replace('<ns>', '<ns3>')}(?=(?P<lon3>\d{{5,7}})(?P<ew3>[EW]))",
    re.IGNORECASE,
)
_PART = re.compile(r"\d{1,7}(?:[.,]\d{1,12})?")
_BROKEN = re.compile(r"(?<!\d)(\d{1,7})\n[ \t]{0,20}(\d{1,7}(?:\.\d{1,12})?[NSEW])")


@dataclass(frozen=True, slots=True)
class Found:
    """One position and where it stands in the text."""

    position: LonLat
    start: int
    end: int


def join_broken_lines(text: str) -> str:
    """Joins a number that a line break cut in two («4825⏎00N»), where only the whole is a position's half."""

    def whole(match: re.Match[str]) -> str:
        first, second = match[1], match[2]
        digits = len(second[:-1].split(".")[0])
        full = (4, 6) if second[-1] in "NS" else (5, 7)
        return first + second if digits not in full and len(first) + digits in full else match[0]

    return _BROKEN.sub(whole, text)


def find_positions(text: str) -> Iterator[Found]:
    """Every position in the text, in order. One that is not on Earth raises :class:`InputError`."""
    for match in _PAIR.finditer(text):
        if match["lon3"]:
            continue
        lat, ns = match["lat"] or match["lat2"], (match["ns"] or match["ns2"]).upper()
        lon, ew = match["lon"] or match["lon2"], (match["ew"] or match["ew2"]).upper()
        shown = " ".join(match.group().split())
        lat_deg = _degrees(lat, 2, shown) * (1.0 if ns == "N" else -1.0)
        lon_deg = _degrees(lon, 3, shown) * (1.0 if ew == "E" else -1.0)
        if abs(lon_deg) > 180.0:
            raise InputError(f"longitude of {shown!r} is beyond 180°")
        yield Found(check_position(lon_deg, lat_deg), match.start(), match.end())


def read_position(text: str) -> LonLat:
    """The one position that the text consists of. Raises :class:`InputError`."""
    found = list(find_positions(text))
    rest = text[: found[0].start] + text[found[0].end :] if len(found) == 1 else text
    if len(found) != 1 or rest.strip(" \t,;"):
        raise InputError(f"{text.strip()[:60]!r} is no position; 48:25:00 N 031:00:00 E is meant")
    return found[0].position


def _degrees(text: str, degree_digits: int, shown: str) -> float:
    parts = [part.replace(",", ".") for part in _PART.findall(text)]
    if len(parts) == 1:
        digits = len(parts[0].split(".")[0])
        # DD[MM[SS]] with two (latitude) or three (longitude) digits of degrees; a lost leading zero is mended.
        if digits > 3 or (digits == 3 and degree_digits == 2):
            minutes = (digits - degree_digits + 1) // 2
            cut = digits - 2 * minutes
            parts = [parts[0][:cut], *(
                [parts[0][cut : cut + 2], parts[0][cut + 2 :]] if minutes == 2 else [parts[0][cut:]]
            )]  # fmt: skip
    values = [float(part) for part in parts]
    if len(values) > 3 or any(value >= 60.0 for value in values[1:]):
        raise InputError(f"{shown!r}: minutes and seconds are below 60")
    return sum(value / 60.0**power for power, value in enumerate(values))

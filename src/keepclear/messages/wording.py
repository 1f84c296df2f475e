"""Values in words: the same digits in every language, what surrounds them in the reader's own.

Coordinates, altitudes, frequencies and codes are never localised: Western digits, a decimal point, no grouping, and
N S E W as ICAO writes them, because «В» is east where «W» is west. Every word out of a closed list has its code beside.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum

from keepclear.messages.catalogue import Language, count, pieces, say
from keepclear.messages.document import Part, Quote, Value
from keepclear.messages.fields import DEGREE, AltitudeLimit, Position
from keepclear.quantities import Datum, LengthUnit

__all__ = [
    "codes", "coordinates", "duration", "instant", "joined", "language_name", "limit", "place", "sentence", "word",
    "words",
]  # fmt: skip

_LOCALES = {Language.ENGLISH: "en_GB"}
"""Day before month, as everywhere else here."""


def word(language: Language, group: str, member: StrEnum) -> tuple[Part, ...]:
    """A member of a closed list: the reader's word, and the code that is the same for all."""
    return (say(language, f"{group}.{member.value}"), " ", Value(f"[{member.value}]"))


def words(language: Language, group: str, members: tuple[StrEnum, ...]) -> tuple[Part, ...]:
    return joined(language, (word(language, group, member) for member in members))


def sentence(language: Language, key: str, **values: Part | tuple[Part, ...]) -> tuple[Part, ...]:
    """A phrase with its placeholders filled in."""
    parts: list[Part] = []
    for text, name in pieces(language, key):
        parts += [text] if text else []
        if name:
            value = values[name]
            parts += value if isinstance(value, tuple) else (value,)
    return tuple(parts)


def instant(language: Language, at_ms: int) -> tuple[Part, ...]:
    """The date in words, then the instant in ISO 8601, UTC; milliseconds only where there are any."""
    from babel.dates import format_date

    at = datetime.fromtimestamp(at_ms // 1_000, UTC)
    date = format_date(at.date(), format="long", locale=_LOCALES.get(language, language.value))
    millis = f".{at_ms % 1_000:03d}" if at_ms % 1_000 else ""
    # Babel's Arabic dates carry marks of direction of their own; the isolate around the value does their work.
    date = "".join(character for character in date if character not in "\u200e\u200f\u061c")
    clock = f"{at:%H:%M:%S}{millis}"
    return (date, " ", Value(f"{clock} UTC [{at.year:04d}-{at:%m-%d}T{clock}Z]"))


def duration(language: Language, span_ms: int) -> tuple[Part, ...]:
    """A length of time in its two largest units, cut off below; at least a second."""
    seconds = max(0, span_ms // 1_000)
    units = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))
    for number, (name, length) in enumerate(units):
        if seconds >= length or name == "seconds":
            parts: list[Part] = [count(language, f"count.{name}", seconds // length)]
            rest = seconds % length
            if number + 1 < len(units) and rest >= units[number + 1][1]:
                smaller, unit = units[number + 1]
                parts += [" ", count(language, f"count.{smaller}", rest // unit)]
            return tuple(parts)
    raise AssertionError("seconds end the list")


def coordinates(position: Position) -> Value:
    """Degrees, minutes and hundredths of seconds, then decimal degrees in full: WGS84."""
    lat, lon = position.lat_deg_e7, position.lon_deg_e7
    return Value(f"{_sexagesimal(lat, 2, 'NS')} {_sexagesimal(lon, 3, 'EW')} ({_decimal(lat)}, {_decimal(lon)})")


def place(language: Language, position: Position) -> tuple[Part, ...]:
    """A position with everything that is said of it."""
    parts: list[Part] = [coordinates(position)]
    semicolon, colon = say(language, "mark.semicolon"), say(language, "mark.colon")
    for key, value in (("label.place", position.place_name), ("label.as_given", position.as_given)):
        if value:
            parts += [semicolon, say(language, key), colon, Quote(value)]
    if position.uncertainty_m is not None:
        parts += [semicolon, say(language, "label.uncertainty"), colon, Value(f"{position.uncertainty_m} m")]
    return tuple(parts)


def limit(language: Language, level: AltitudeLimit) -> tuple[Part, ...]:
    """The number as published, its unit, and its datum in words."""
    datum = word(language, "datum", level.datum)
    if level.datum is Datum.UNBOUNDED:
        return datum
    if level.unit is LengthUnit.FLIGHT_LEVEL:
        return (Value(f"FL{level.value:03d}"), " ", *datum)
    return (Value(f"{level.value} {level.unit.value}"), " ", *datum)


def language_name(language: Language, tag: str) -> tuple[Part, ...]:
    """The name of a language in the reader's, with its tag; the tag alone where CLDR has no name."""
    from babel import Locale, UnknownLocaleError

    try:
        name = Locale.parse(tag, sep="-").get_display_name(_LOCALES.get(language, language.value))
    except (UnknownLocaleError, ValueError):
        name = None
    return (name, " ", Value(f"[{tag}]")) if name else (Value(f"[{tag}]"),)


def codes(language: Language, items: Iterable[str]) -> tuple[Part, ...]:
    """Identifiers, separated by commas."""
    return joined(language, ((Value(item),) for item in items))


def joined(language: Language, items: Iterable[tuple[Part, ...]]) -> tuple[Part, ...]:
    """The items with the language's comma between them."""
    parts: list[Part] = []
    for number, item in enumerate(items):
        parts += [say(language, "mark.comma")] if number else []
        parts += item
    return tuple(parts)


def _sexagesimal(angle_e7: int, digits: int, signs: str) -> str:
    hundredths = (abs(angle_e7) * 360_000 + DEGREE // 2) // DEGREE
    minutes, rest = divmod(hundredths, 6_000)
    degrees, minutes = divmod(minutes, 60)
    return f"{degrees:0{digits}d}°{minutes:02d}′{rest // 100:02d}.{rest % 100:02d}″{signs[angle_e7 < 0]}"


def _decimal(angle_e7: int) -> str:
    whole, rest = divmod(abs(angle_e7), DEGREE)
    return f"{'-' if angle_e7 < 0 else ''}{whole}.{rest:07d}"

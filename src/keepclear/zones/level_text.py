"""Vertical limits as people write them: «FL195», «2500 ft AMSL», «GND», «UNL», or a number beside its unit.

One reading for all formats whose limits are words. Nothing stated about the datum means mean sea level for feet and
metres, the standard atmosphere for flight levels; nothing about the unit means feet, as ICAO and OpenAir have it. The
surface as a lower limit is no limit: «below everything».
"""

from __future__ import annotations

import math
import re

from keepclear.errors import InputError
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level

__all__ = ["SENTINEL_FL", "SENTINEL_LIMIT", "ceiling_or_unbounded", "level_of", "read_limit", "write_limit"]

SENTINEL_LIMIT = 99_999.0
"""Ceilings from 99,999 up, in feet or metres, mean «no limit» in the published files (practice R2.7)."""
SENTINEL_FL = 999.0
LIMIT_CHARACTERS_MAX = 60
"""«ALTITUDE 2000 FEET (FL 20) ABOVE MEAN SEA LEVEL» has 47; longer text is not a limit."""
_GROUND = Level(0.0, LengthUnit.FOOT, Datum.AGL)

_UNITS = {
    **dict.fromkeys(("M", "MT", "MTR", "METER", "METERS", "METRE", "METRES", "0"), LengthUnit.METRE),
    **dict.fromkeys(("F", "FT", "FEET", "FOOT", "'", "1"), LengthUnit.FOOT),
    **dict.fromkeys(("FL", "6"), LengthUnit.FLIGHT_LEVEL),
}
"""In words, and in the codes of openAIP."""
_DATUMS = {
    **dict.fromkeys(("AGL", "GND", "SFC", "GROUND", "AG", "ASFC", "HEI", "QFE", "AAL", "0"), Datum.AGL),
    **dict.fromkeys(("MSL", "AMSL", "ASL", "ALT", "QNH", "1"), Datum.AMSL),
    **dict.fromkeys(("STD", "QNE", "2"), Datum.STD),
    **dict.fromkeys(("WGS84", "HAE", "W84"), Datum.WGS84),
}
_NONE = frozenset({"UNL", "UNLIM", "UNLIMITED", "UNLTD", "NONE", "INF"})
_SURFACE = re.compile(r"SFC|SURFACE|GND|GROUND|GL|MSL|SEA LEVEL|0+\s*(?:FT|M|F)?\s*(?:AGL|GND|SFC|ASFC|AMSL|MSL)")
_FLIGHT_LEVEL = re.compile(r"FL\s*(\d{1,3})(?:\.0)?(?:\s*(?:STD|MSL|AMSL))?")
_DATUM_WORDS = sorted((word for word in (*_DATUMS, "FL") if not word.isdigit()), key=len, reverse=True)
_HEIGHT = re.compile(
    r"(?:ALT(?:ITUDE)?|HGT|HEIGHT)?\s*(?P<value>[+-]?\d{1,7}(?:[.,]\d{1,9})?)\s*"
    r"(?P<unit>FT|FEET|FOOT|F|MTR|MT|METERS?|METRES?|M|')?\.?"
    r"\s*(?:\(\s*(?:FL\s*)?\d+(?:[.,]\d+)?\s*(?:FT|M|F)?[^()]{0,12}\))?"  # the same again in another unit
    rf"\s*(?:ABOVE\s+)?(?P<datum>{'|'.join(_DATUM_WORDS)})?"
)
_MEAN_SEA_LEVEL = re.compile(r"\b(?:A(?:BOVE )?)?MEAN SEA LEVEL\b")


def read_limit(text: str, *, upper: bool) -> Level:
    """The limit that a text alone states, as OpenAir and NOTAM have it; raises :class:`InputError` for none."""
    words = _plain(text)
    if re.fullmatch(r"0+\s*(?:FT|M|F)?", words):  # with no property beside it, zero means the surface
        return _GROUND if upper else UNBOUNDED
    return level_of(text or " ", upper=upper)


def level_of(value: object, unit: object = None, datum: object = None, *, upper: bool) -> Level:
    """The level that a published value, unit and datum mean; raises :class:`InputError` where it means none.

    ``value`` is a number or a text; what the text says itself goes before ``unit`` and ``datum``.
    """
    if value is None or value == "":
        return UNBOUNDED
    unit_word, datum_word = _word(unit), _word(datum)
    if isinstance(value, str):
        words = _plain(value)
        if _SURFACE.fullmatch(words):
            return _GROUND if upper else UNBOUNDED
        if words in _NONE:
            return UNBOUNDED
        if found := _FLIGHT_LEVEL.fullmatch(words):
            return _flight_level(float(found[1]))
        found = _HEIGHT.fullmatch(words) if len(words) <= LIMIT_CHARACTERS_MAX else None
        if not found:
            raise InputError(
                f"{value.strip()[:LIMIT_CHARACTERS_MAX]!r} is no vertical limit; SFC, UNL, FL195, 2000FT AMSL or 150M "
                "AGL is meant"
            )
        number = float(found["value"].replace(",", "."))
        if found["datum"] == "FL":
            unit_word = "FL"
        else:
            unit_word, datum_word = found["unit"] or unit_word, found["datum"] or datum_word
        if number < 0.0 and _DATUMS.get(datum_word) not in (Datum.AMSL, Datum.WGS84):
            raise InputError(f"{value.strip()!r} is below nothing that it names; write -50 FT AMSL")
    elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError("a vertical limit is a number or a text")
    else:
        number = float(value)
    if unit_word and unit_word not in _UNITS:
        raise InputError(f"the unit {unit_word[:20]!r} of a vertical limit is not understood")
    if datum_word in _NONE:
        return UNBOUNDED
    if datum_word and datum_word not in _DATUMS:
        raise InputError(f"the datum {datum_word[:20]!r} of a vertical limit is not understood")
    length = _UNITS.get(unit_word, LengthUnit.FOOT)
    if length is LengthUnit.FLIGHT_LEVEL:
        return _flight_level(number)
    if number == 0.0 and not upper and _DATUMS.get(datum_word, Datum.AGL) is Datum.AGL:
        return UNBOUNDED
    return ceiling_or_unbounded(Level(number, length, _DATUMS.get(datum_word, Datum.AMSL)), upper=upper)


def ceiling_or_unbounded(level: Level, *, upper: bool) -> Level:
    """Sentinel ceilings as ``UNBOUNDED`` (practice R2.7)."""
    if upper and level.datum is not Datum.UNBOUNDED and level.value >= SENTINEL_LIMIT:
        return UNBOUNDED
    if upper and level.unit is LengthUnit.FLIGHT_LEVEL and level.value >= SENTINEL_FL:
        return UNBOUNDED
    return level


def write_limit(level: Level, *, upper: bool) -> str:
    """The limit in OpenAir's words. WGS84 heights have none there: the caller says so as a loss."""
    if level.datum is Datum.UNBOUNDED:
        return "UNL" if upper else "SFC"
    if level.datum is Datum.AGL and level.value == 0:
        return "SFC"
    value, unit = level.value, level.unit
    if unit is LengthUnit.FLIGHT_LEVEL:
        if value.is_integer() and 0.0 <= value < SENTINEL_FL:
            return f"FL{value:.0f}"
        value, unit = value * 100.0, LengthUnit.FOOT
    datum = {Datum.AGL: "AGL", Datum.STD: "STD"}.get(level.datum, "MSL")
    return f"{f'{value:.9f}'.rstrip('0').rstrip('.')}{unit} {datum}"


def _flight_level(number: float) -> Level:
    """FL999 is the sentinel on either side: as a lower limit it would leave nothing of the zone."""
    return UNBOUNDED if number >= SENTINEL_FL else Level(number, LengthUnit.FLIGHT_LEVEL, Datum.STD)


def _plain(text: str) -> str:
    words = " ".join(text[: 4 * LIMIT_CHARACTERS_MAX].upper().replace("\u2032", "'").split())
    return _MEAN_SEA_LEVEL.sub("AMSL", words).strip(" .;,")


def _word(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value).strip().upper() if len(str(value)) <= 40 else str(value)[:40]
    raise InputError("a unit or datum is a word")

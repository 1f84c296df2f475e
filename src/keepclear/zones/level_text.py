"""Vertical limits as people write them: «FL195», «2500 ft AMSL», «GND», «UNL», or a number beside its unit.

One reading for all formats that leave it to the publisher. Nothing stated about the datum means mean sea level for
feet and metres, the standard atmosphere for flight levels. The surface as a lower limit is no limit: «below
everything», as OpenAir and NOTAM readers here have it.
"""

from __future__ import annotations

import math
import re

from keepclear.errors import InputError
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level

__all__ = ["SENTINEL_FL", "SENTINEL_LIMIT", "ceiling_or_unbounded", "level_of"]

_GROUND = Level(0.0, LengthUnit.FOOT, Datum.AGL)
SENTINEL_LIMIT = 99_999.0
"""Ceilings from 99,999 up, in feet or metres, mean «no limit» in the published files (practice R2.7)."""
SENTINEL_FL = 999.0

_UNITS = {
    "M": LengthUnit.METRE, "MT": LengthUnit.METRE, "MTR": LengthUnit.METRE, "METER": LengthUnit.METRE,
    "METERS": LengthUnit.METRE, "METRE": LengthUnit.METRE, "METRES": LengthUnit.METRE, "0": LengthUnit.METRE,
    "FT": LengthUnit.FOOT, "FEET": LengthUnit.FOOT, "FOOT": LengthUnit.FOOT, "1": LengthUnit.FOOT,
    "FL": LengthUnit.FLIGHT_LEVEL, "6": LengthUnit.FLIGHT_LEVEL,
}  # fmt: skip
_DATUMS = {
    "AGL": Datum.AGL, "GND": Datum.AGL, "SFC": Datum.AGL, "GROUND": Datum.AGL, "AG": Datum.AGL, "ASFC": Datum.AGL,
    "HEI": Datum.AGL, "0": Datum.AGL, "MSL": Datum.AMSL, "AMSL": Datum.AMSL, "ALT": Datum.AMSL, "1": Datum.AMSL,
    "STD": Datum.STD, "2": Datum.STD, "WGS84": Datum.WGS84, "HAE": Datum.WGS84, "W84": Datum.WGS84,
}  # fmt: skip
_SURFACE = {"SFC", "GND", "SURFACE", "MSL"}
_UNLIMITED = {"UNL", "UNLIM", "UNLIMITED", "UNLTD", "NONE", "INF"}
_FLIGHT_LEVEL = re.compile(r"FL\s*(\d{1,3})")
_NUMBER = re.compile(r"([+-]?\d{1,7}(?:\.\d{1,9})?)\s*(?:([A-Z]+)\.?)?\s*([A-Z0-9]*)")


def level_of(value: object, unit: object = None, datum: object = None, *, upper: bool) -> Level:
    """The level that a published value, unit and datum mean; raises :class:`InputError` where it means none."""
    if value is None or value == "":
        return UNBOUNDED
    unit_word, datum_word = _word(unit), _word(datum)
    if isinstance(value, str):
        text = " ".join(value.upper().split())
        if text in _SURFACE:
            return _GROUND if upper else UNBOUNDED
        if text in _UNLIMITED:
            return UNBOUNDED
        if found := _FLIGHT_LEVEL.fullmatch(text):
            return _flight_level(float(found[1]), upper=upper)
        found = _NUMBER.fullmatch(text)
        if not found or len(text) > 40:
            raise InputError(f"the limit {value[:40]!r} is not understood")
        number = float(found[1])
        words = [word for word in (found[2], found[3]) if word]
        for word in words:
            if word in _UNITS and not word.isdigit():
                unit_word = word
            elif word in _DATUMS and not word.isdigit():
                datum_word = word
            else:
                raise InputError(f"the limit {value[:40]!r} is not understood")
    elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError("a vertical limit is a number or a text")
    else:
        number = float(value)
    if unit_word not in _UNITS and unit_word:
        raise InputError(f"the unit {unit_word[:20]!r} of a vertical limit is not understood")
    if datum_word in _UNLIMITED:
        return UNBOUNDED
    if datum_word not in _DATUMS and datum_word:
        raise InputError(f"the datum {datum_word[:20]!r} of a vertical limit is not understood")
    length = _UNITS.get(unit_word, LengthUnit.FOOT)
    if length is LengthUnit.FLIGHT_LEVEL:
        return _flight_level(number, upper=upper)
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


def _flight_level(number: float, *, upper: bool) -> Level:
    return ceiling_or_unbounded(Level(number, LengthUnit.FLIGHT_LEVEL, Datum.STD), upper=upper)


def _word(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value).strip().upper() if len(str(value)) <= 40 else str(value)[:40]
    raise InputError("a unit or datum is a word")

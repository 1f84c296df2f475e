"""Vertical limits as aeronautical texts write them: SFC, UNL, FL195, 2000FT AMSL, 150 M AGL, 450M (1500FT) AGL."""

from __future__ import annotations

import re

from keepclear.errors import InputError
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level

__all__ = ["read_limit", "write_limit"]

_SURFACE = re.compile(r"(?:SFC|SURFACE|GND|GROUND|GL|MSL|SEA LEVEL|0+\s*(?:FT|M|F)?\s*(?:AGL|GND|SFC|ASFC|AMSL|MSL)?)")
_UNLIMITED = re.compile(r"(?:UNL|UNLTD|UNLIM|UNLIMITED|FL\s*999|FL\s*9999*|9{4,6}\s*(?:FT|M)?\s*(?:MSL|AMSL|AGL|STD)?)")
_FLIGHT_LEVEL = re.compile(r"FL\s*(\d{1,3})(?:\.0)?(?:\s*(?:STD|MSL|AMSL))?")
_HEIGHT = re.compile(
    r"(?:ALT(?:ITUDE)?|HGT|HEIGHT)?\s*(?P<value>\d+(?:[.,]\d+)?)\s*(?P<unit>FT|FEET|F|M|MTR|METERS|METRES|')?"
    r"\s*(?:\(\s*(?:FL\s*)?\d+(?:[.,]\d+)?\s*(?:FT|M|F)?[^()]{0,12}\))?"
    r"\s*(?:ABOVE\s+)?(?P<datum>AGL|ASFC|SFC|GND|GROUND|QFE|AAL|MSL|AMSL|ASL|ALT|QNH|MEAN SEA LEVEL|STD|QNE)?"
)
_FEET = frozenset({"FT", "FEET", "F", "'", None})
_ABOVE_GROUND = frozenset({"AGL", "ASFC", "SFC", "GND", "GROUND", "QFE", "AAL"})


def read_limit(text: str, *, upper: bool) -> Level:
    """The limit. The surface as a lower limit and «unlimited» as an upper one are UNBOUNDED (practice R2.7).

    A number without a datum is above mean sea level, one without a unit in feet, as ICAO and OpenAir have it.
    Raises :class:`InputError` for what is none of the known forms.
    """
    words = re.sub(r"\bA(BOVE )?MEAN SEA LEVEL\b", "AMSL", " ".join(text.upper().replace("\u2032", "'").split()))
    words = words.strip(" .;,")
    if _UNLIMITED.fullmatch(words):
        return UNBOUNDED
    if _SURFACE.fullmatch(words):
        return Level(0.0, LengthUnit.FOOT, Datum.AGL) if upper else UNBOUNDED
    if match := _FLIGHT_LEVEL.fullmatch(words):
        return Level(float(match[1]), LengthUnit.FLIGHT_LEVEL, Datum.STD)
    match = _HEIGHT.fullmatch(words)
    if not match:
        raise InputError(f"{text.strip()!r} is no vertical limit; SFC, UNL, FL195, 2000FT AMSL or 150M AGL is meant")
    value = float(match["value"].replace(",", "."))
    unit = LengthUnit.FOOT if match["unit"] in _FEET else LengthUnit.METRE
    if match["datum"] in _ABOVE_GROUND:
        datum = Datum.AGL
    elif match["datum"] in ("STD", "QNE"):
        datum = Datum.STD
    else:
        datum = Datum.AMSL
    return Level(value, unit, datum)


def write_limit(level: Level, *, upper: bool) -> str:
    """The limit in OpenAir's words. WGS84 heights have none there: the caller says so as a loss."""
    if level.datum is Datum.UNBOUNDED:
        return "UNL" if upper else "SFC"
    if level.unit is LengthUnit.FLIGHT_LEVEL:
        return f"FL{level.value:g}"
    if level.datum is Datum.AGL and level.value == 0:
        return "SFC"
    datum = {Datum.AGL: "AGL", Datum.STD: "STD"}.get(level.datum, "MSL")
    return f"{level.value:g}{level.unit} {datum}"

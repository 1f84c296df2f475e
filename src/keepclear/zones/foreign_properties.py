"""What other people's property names mean: the id, name, limits and kind of a zone in a file with no schema.

Names are compared without case and punctuation (``LOWER_LIMIT``, ``lowerLimit`` and ``lower limit`` are one). Seen in
use: EUROCONTROL's FIR files, the FAA's special-use airspace, openAIP, the InterUSS and national UAS files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from keepclear.errors import InputError
from keepclear.quantities import UNBOUNDED, LengthUnit, Level
from keepclear.space.geometry import EdgeType
from keepclear.zones.level_text import level_of
from keepclear.zones.model import Restriction, Zone, ZoneType

__all__ = ["ForeignProperties", "recognise", "with_unused_id"]

_ID = ("id", "identifier", "ident", "designator", "zoneid", "designation", "gid", "uuid", "code", "globalid", "fid",
       "objectid")  # fmt: skip
_NAME = ("name", "title", "label", "zonename", "localname", "designation", "designator")
_COUNTRY = ("country", "countrycode", "iso3", "iso", "state")
_TEXT = ("text", "description", "message", "remarks", "remark", "notes")
_EDGE = ("edgetype", "edges", "interpolation")
_RADIUS_M = ("radiusm", "radiusmetres", "radiusmeters", "radius")
_TYPE = ("zonetype", "typecode", "type", "category", "kind", "class", "airspaceclass", "restriction")
_LIMIT = {
    "lower": ("lowerlimit", "lower", "floor", "bottom", "lowerval", "lowervalue", "lowerceiling", "minalt",
              "minaltitude", "altitudelower", "base", "altlow", "fl lower", "lowerm", "lowerft"),
    "upper": ("upperlimit", "upper", "ceiling", "top", "upperval", "uppervalue", "upperceiling", "maxalt",
              "maxaltitude", "altitudeupper", "roof", "althigh", "upperm", "upperft"),
}  # fmt: skip
_UNIT_ENDINGS = ("unit", "uom", "limitunit", "limituom")
_DATUM_ENDINGS = ("reference", "datum", "ref", "code", "verticalreference", "limitreference", "limitdatum",
                  "limitref")  # fmt: skip
_FAA_NO_LIMIT = {-9998, "-9998", -9999, "-9999"}

_KINDS: dict[str, tuple[ZoneType, Restriction]] = {
    **dict.fromkeys(("NFZ", "NOFLYZONE", "NOFLY"), (ZoneType.NFZ, Restriction.PROHIBITED)),
    **dict.fromkeys(("P", "PROHIBITED", "PROHIBITEDAREA"), (ZoneType.PROHIBITED, Restriction.PROHIBITED)),
    **dict.fromkeys(
        ("R", "RESTRICTED", "RESTRICTEDAREA", "REQAUTHORISATION", "REQAUTHORIZATION"),
        (ZoneType.RESTRICTED, Restriction.REQ_AUTHORISATION),
    ),
    "CONDITIONAL": (ZoneType.RESTRICTED, Restriction.CONDITIONAL),
    **dict.fromkeys(("DANGER", "DANGERAREA"), (ZoneType.DANGER, Restriction.CONDITIONAL)),
    "ADIZ": (ZoneType.ADIZ, Restriction.REQ_AUTHORISATION),
    "HUMANITARIAN": (ZoneType.HUMANITARIAN, Restriction.PROHIBITED),
    **dict.fromkeys(
        ("FIR", "UIR", "CTA", "CTR", "TMA", "FIRUIR", "NORESTRICTION", "A", "B", "C", "D", "E", "F", "G"),
        (ZoneType.AIRSPACE, Restriction.NO_RESTRICTION),
    ),
}
_DANGER_WHEN_TYPE = {"D", "Q"}
"""«D» is class D under a class name, and a danger area under a type name (FAA TYPE_CODE)."""


@dataclass(frozen=True, slots=True)
class ForeignProperties:
    """What was understood; empty or None where nothing was."""

    id: str
    name: str
    country: str
    text: str
    kind: tuple[ZoneType, Restriction] | None
    lower: Level
    upper: Level
    edge_type: EdgeType | None
    radius_m: float | None


def recognise(properties: Mapping[str, object]) -> ForeignProperties:
    """Reads the properties that are understood; raises :class:`InputError` for a limit that is not."""
    known: dict[str, object] = {}
    for key, value in properties.items():
        known.setdefault(_plain(key), value)
    edge = _first_text(known, _EDGE).upper()
    radius = next((known[key] for key in _RADIUS_M if key in known), None)
    return ForeignProperties(
        id=_first_text(known, _ID),
        name=_first_text(known, _NAME),
        country=_first_text(known, _COUNTRY),
        text=_first_text(known, _TEXT),
        kind=_kind(known),
        lower=_limit(known, "lower"),
        upper=_limit(known, "upper"),
        edge_type=EdgeType(edge) if edge in EdgeType.__members__ else None,
        radius_m=float(radius) if isinstance(radius, int | float) and not isinstance(radius, bool) else None,
    )


def with_unused_id(zone: Zone, used: set[str], index: int, warnings: list[str]) -> Zone:
    """The zone under an id that no earlier one of the file has; names and codes of other people's files repeat."""
    if zone.id in used:
        warnings.append(
            f"the id {zone.id[:60]!r} is used before in this file: this zone is called {zone.id[:60]}#{index}"
        )
        zone = replace(zone, id=f"{zone.id}#{index}")
    used.add(zone.id)
    return zone


def _plain(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())


def _first_text(known: Mapping[str, object], keys: tuple[str, ...]) -> str:
    for key in keys:
        value = known.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    return ""


def _kind(known: Mapping[str, object]) -> tuple[ZoneType, Restriction] | None:
    for key in _TYPE:
        value = known.get(key)
        if not isinstance(value, str):
            continue
        word = re.sub(r"[^A-Z]", "", value.upper())
        if word in _DANGER_WHEN_TYPE and "class" not in key:
            return _KINDS["DANGER"]
        if word in _KINDS:
            return _KINDS[word]
    return None


def _limit(known: Mapping[str, object], side: str) -> Level:
    upper = side == "upper"
    for key in _LIMIT[side]:
        if key not in known or known[key] is None:
            continue
        value: Any = known[key]
        if not isinstance(value, list) and not isinstance(value, dict) and value in _FAA_NO_LIMIT:
            return UNBOUNDED
        unit: object = next(
            (known[side + end] for end in _UNIT_ENDINGS if side + end in known), known.get("uomdimensions")
        )
        datum: object = next((known[side + end] for end in _DATUM_ENDINGS if side + end in known), None)
        if isinstance(value, dict):
            inner = {_plain(name): item for name, item in value.items()}
            value, unit = inner.get("value"), inner.get("unit", inner.get("uom"))
            datum = inner.get("referencedatum", inner.get("datum", inner.get("reference")))
        elif unit is None and datum is None and key.endswith("ft"):
            unit = LengthUnit.FOOT.value
        elif unit is None and key == f"{side}m":
            unit = LengthUnit.METRE.value
        try:
            return level_of(value, unit, datum, upper=upper)
        except InputError as error:
            raise InputError(f"{side} limit: {error.message}") from None
    return UNBOUNDED

"""Flight information regions by their ICAO code, from any zone file: the outlines that NOTAMs cite by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from keepclear.errors import InputError
from keepclear.space.geometry import Shape
from keepclear.zones.model import Zone

__all__ = ["Fir", "FirIndex"]

_CODE = re.compile(r"[A-Z]{4}")
_CODE_KEYS = ("ident", "designator", "icao_code", "icaocode", "icao", "code", "fir", "id", "codeid", "fir_code")
"""Where files keep the code, in the order in which they are believed (compared without case)."""


@dataclass(frozen=True, slots=True)
class Fir:
    """One region: its code, its name as the file has it, and its outline (several shapes where it has islands)."""

    code: str
    name: str
    shapes: tuple[Shape, ...]
    source: str


class FirIndex:
    """Outlines by code. Shapes of several features with one code (a FIR and its upper region) are all kept."""

    def __init__(self, firs: Mapping[str, Fir]) -> None:
        self._firs = dict(firs)

    @staticmethod
    def of(zones: Iterable[Zone]) -> FirIndex:
        """Raises :class:`InputError` where not one of the zones carries a four-letter code."""
        firs: dict[str, Fir] = {}
        any_zone = None
        for zone in zones:
            any_zone = zone
            code = _code_of(zone)
            if not code:
                continue
            known = firs.get(code)
            shapes = dict.fromkeys((*(known.shapes if known else ()), *(volume.shape for volume in zone.volumes)))
            firs[code] = Fir(code, known.name if known else zone.name, tuple(shapes), zone.origin.source)
        if not firs:
            raise InputError(
                "no flight information region here carries a four-letter ICAO code (a property IDENT, ICAO or id)",
                source=any_zone.origin.source if any_zone else "",
            )
        return FirIndex(firs)

    def __contains__(self, code: object) -> bool:
        return code in self._firs

    def __len__(self) -> int:
        return len(self._firs)

    def get(self, code: str) -> Fir | None:
        return self._firs.get(code)

    def missing(self, codes: Iterable[str]) -> list[str]:
        """Which of the codes have no outline here."""
        return [code for code in codes if code not in self._firs]


def _code_of(zone: Zone) -> str:
    properties: dict[str, object] = {}
    for carried in zone.extensions.values():
        _collect(carried, properties, 3)
    for key in _CODE_KEYS:
        value = properties.get(key)
        if isinstance(value, str) and _CODE.fullmatch(value.strip().upper()):
            return value.strip().upper()
    for text in (zone.id, zone.name):
        if _CODE.fullmatch(text.strip()):
            return text.strip()
        if match := re.match(r"([A-Z]{4})(?:[ _-]+(?:FIR|UIR)\b|[#/ _-]\d+$)", text.strip()):
            return match[1]
    return ""


def _collect(carried: Mapping[str, object], into: dict[str, object], depth: int) -> None:
    for key, value in carried.items():
        if isinstance(value, Mapping) and depth:
            _collect(value, into, depth - 1)
        else:
            into.setdefault(str(key).lower(), value)

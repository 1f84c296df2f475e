"""Named places, to hold coordinates against (practice R1.2). Which list is used is the operator's to choose.

File format: CSV in UTF-8 with the head ``name,lat,lon,radius_km``; other names of the place after ``|`` in the first
column (``Kyiv|Київ|Киев``). The radius is how far the place itself reaches. Several places may share a name.
"""

from __future__ import annotations

import csv
import io
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from keepclear.errors import InputError, LimitExceeded
from keepclear.space.geometry import check_position

__all__ = ["Gazetteer", "Place", "PlaceList", "PlaceLoad", "normal_name", "read_gazetteer"]

GAZETTEER_MAX_BYTES = 256 << 20
"""The largest free list of populated places has some 13 million lines; a country's has 10 MB at most."""
PLACES_MAX = 2_000_000
NAMES_A_PLACE_MAX = 50
PROBLEMS_MAX = 100
HEAD = ("name", "lat", "lon", "radius_km")
_ALIKE = str.maketrans({"’": "'", "ʼ": "'", "‘": "'", "`": "'", "-": " ", "–": " ", "‑": " ", ".": " ", "ـ": None})


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    """the first of its names"""
    lat_deg: float
    lon_deg: float
    radius_m: float


class Gazetteer(Protocol):
    """Whatever knows places by name."""

    def find(self, name: str) -> Sequence[Place]:
        """Every place of that name, none where it is not known."""


@dataclass(frozen=True, slots=True)
class PlaceList:
    """A gazetteer in memory."""

    places: dict[str, tuple[Place, ...]] = field(default_factory=dict)
    """by normal name"""

    def find(self, name: str) -> Sequence[Place]:
        return self.places.get(normal_name(name), ())

    def __len__(self) -> int:
        return len({place for places in self.places.values() for place in places})


@dataclass(frozen=True, slots=True)
class PlaceLoad:
    """What was read, and the lines that were not, each with its reason."""

    places: PlaceList
    problems: tuple[str, ...]
    refused: int


def normal_name(name: str) -> str:
    """Names that people write for one another are one: case, spaces, hyphens, apostrophes and points do not count."""
    return " ".join(unicodedata.normalize("NFKC", name).translate(_ALIKE).casefold().split())


def read_gazetteer(data: bytes) -> PlaceLoad:
    """The places of a file. Broken lines are counted and named, the rest is used.

    Raises :class:`InputError` where it is no such file, or no line of it is good.
    """
    if len(data) > GAZETTEER_MAX_BYTES:
        raise LimitExceeded(f"the gazetteer has {len(data):,} bytes, more than {GAZETTEER_MAX_BYTES:,}")
    try:
        rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        head = next(rows, [])
        if tuple(cell.strip().lower() for cell in head) != HEAD:
            raise InputError(f"the first line is not {','.join(HEAD)}", where="line 1")
        return _read(rows)
    except UnicodeDecodeError as error:
        raise InputError("the gazetteer is not UTF-8 text", where=f"byte {error.start}") from None
    except csv.Error as error:
        raise InputError(f"the gazetteer is not CSV ({error})", where="line 1") from None


def _read(rows: csv._reader) -> PlaceLoad:  # type: ignore[name-defined, unused-ignore]
    found: dict[str, list[Place]] = {}
    problems: list[str] = []
    refused = count = 0
    while True:
        try:
            row = next(rows, None)
            if row is None:
                break
            if not row:
                continue
            names, place = _place(row)
        except (InputError, csv.Error) as error:
            refused += 1
            if len(problems) < PROBLEMS_MAX:
                problems.append(f"line {rows.line_num}: {error}")
            continue
        count += 1
        if count > PLACES_MAX:
            raise LimitExceeded(f"the gazetteer has more than {PLACES_MAX:,} places: split it by country")
        for name in names:
            same = found.setdefault(name, [])
            if place not in same:
                same.append(place)
    if not found:
        raise InputError(problems[0] if problems else "the gazetteer names no place")
    return PlaceLoad(PlaceList({name: tuple(places) for name, places in found.items()}), tuple(problems), refused)


def _place(row: list[str]) -> tuple[list[str], Place]:
    if len(row) != len(HEAD):
        raise InputError(f"{len(row)} columns instead of {len(HEAD)}")
    shown = [part.strip() for part in row[0].split("|") if part.strip()]
    names = list(dict.fromkeys(normal_name(name) for name in shown))
    if not names or not all(names) or len(names) > NAMES_A_PLACE_MAX:
        raise InputError(f"a place has 1 to {NAMES_A_PLACE_MAX} names")
    try:
        lat, lon, radius_km = (float(cell) for cell in row[1:])
    except ValueError:
        raise InputError("lat, lon and radius_km are not numbers") from None
    lon, lat = check_position(lon, lat)
    if not (math.isfinite(radius_km) and 0.0 <= radius_km <= 1_000.0):
        raise InputError("radius_km is not between 0 and 1,000")
    return names, Place(shown[0], lat, lon, radius_km * 1_000.0)

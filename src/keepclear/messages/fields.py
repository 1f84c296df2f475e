"""The structured fields that messages share: they are authoritative, the words around them are not.

Whole numbers only, so that every reader finds the same bytes: angles in 10⁻⁷ degree, instants in milliseconds since
1970 UTC, frequencies in kilohertz. Fields that say nothing are left out of the bytes.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

import msgspec

from keepclear.channel.canonical import PartyId
from keepclear.errors import InputError
from keepclear.quantities import Datum, LengthUnit

__all__ = [
    "AREA_POSITIONS_MAX", "DEGREE", "LANGUAGE_PATTERN", "NAME_MAX", "TEXT_MAX", "Addressee", "AltitudeLimit", "Area",
    "Body", "Instant", "LanguageTag", "MessageId", "Name", "Position", "Text", "Translation", "check_free_text",
    "check_interval", "check_text",
]  # fmt: skip

NAME_MAX = 200
"""Characters of a name, a role or a place: one line of a list."""
TEXT_MAX = 4_000
"""Characters of a free text: a page and a half; translations share the body's 65,535 bytes with it."""
AREA_POSITIONS_MAX = 100
"""Corners of an area or positions of a message: a NOTAM's polygon has some 30."""
DEGREE = 10_000_000
"""Units of a position's angles in one degree: 1.1 cm at most."""

Instant = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)]
"""Milliseconds since 1970, POSIX, UTC; to the end of the year 9999, beyond which no calendar here can print it."""
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_MAX)]
OptionalName = Annotated[str, msgspec.Meta(max_length=NAME_MAX)]
Text = Annotated[str, msgspec.Meta(max_length=TEXT_MAX)]
LANGUAGE_PATTERN = r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?\Z"
LanguageTag = Annotated[str, msgspec.Meta(pattern=LANGUAGE_PATTERN)]
"""BCP 47: language, script, region; of a free text, any language there is."""
MessageId = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]([A-Z0-9.\-]{0,61}[A-Z0-9])?-[0-9]{4}-[0-9]{4,9}\Z")]
"""«ORIG-YYYY-serial»: the originator (its party id in capitals), the year in UTC, and its running number there."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
"""Controls, and the bidirectional controls that reach beyond the text they stand in: they could reorder a position or
a time that stands beside it. The marks LRM, RLM and ALM reach nowhere and are ordinary in Arabic texts."""


class Body(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The base of all bodies and their parts: immutable, strict, and canonical with what says nothing left out."""


class Position(Body, frozen=True, kw_only=True):
    """A place, as a number and as it was given; WGS84."""

    lat_deg_e7: Annotated[int, msgspec.Meta(ge=-90 * DEGREE, le=90 * DEGREE)]
    lon_deg_e7: Annotated[int, msgspec.Meta(ge=-180 * DEGREE, lt=180 * DEGREE)]
    as_given: OptionalName = ""
    """the coordinates in the form in which the originator had them (a grid, degrees and minutes …)"""
    place_name: OptionalName = ""
    """the named place that the coordinates are said to be at or near; checked before sending (practice R1.2)"""
    uncertainty_m: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None

    def __post_init__(self) -> None:
        check_text(self.as_given, "as_given", lines=False)
        check_text(self.place_name, "place_name", lines=False)

    @staticmethod
    def of(lat_deg: float, lon_deg: float, **given: object) -> Position:
        """From degrees; the longitude is brought into [-180, 180). Raises :class:`InputError` off the Earth."""
        from keepclear.space.geometry import check_position

        lon_deg, lat_deg = check_position(lon_deg, lat_deg)
        lon = round(lon_deg * DEGREE)
        return Position(
            lat_deg_e7=round(lat_deg * DEGREE), lon_deg_e7=lon if lon < 180 * DEGREE else lon - 360 * DEGREE,
            **given,  # type: ignore[arg-type]
        )  # fmt: skip

    @property
    def lat_deg(self) -> float:
        return self.lat_deg_e7 / DEGREE

    @property
    def lon_deg(self) -> float:
        return self.lon_deg_e7 / DEGREE


class Area(Body, frozen=True, kw_only=True):
    """A circle (one position and a radius), or a polygon (three positions or more, joined by geodesics in order)."""

    positions: Annotated[tuple[Position, ...], msgspec.Meta(min_length=1, max_length=AREA_POSITIONS_MAX)]
    radius_m: Annotated[int, msgspec.Meta(ge=1, le=5_000_000)] | None = None
    name: OptionalName = ""

    def __post_init__(self) -> None:
        check_text(self.name, "name", lines=False)
        if self.radius_m is None and len(self.positions) < 3:
            raise InputError("an area is one position with radius_m, or three positions or more without", where="area")
        if self.radius_m is not None and len(self.positions) != 1:
            raise InputError("an area with radius_m has exactly one position, its centre", where="area")
        if len({(p.lat_deg_e7, p.lon_deg_e7) for p in self.positions}) < len(self.positions):
            raise InputError("an area names one corner twice (a polygon is not closed here)", where="area")


class AltitudeLimit(Body, frozen=True, kw_only=True):
    """One vertical limit with its unit and its datum, as published; never converted."""

    datum: Datum
    value: Annotated[int, msgspec.Meta(ge=-2_000, le=1_000_000)] = 0
    unit: LengthUnit = LengthUnit.METRE

    def __post_init__(self) -> None:
        if self.unit is LengthUnit.FLIGHT_LEVEL and self.datum is not Datum.STD:
            raise InputError(f"a flight level is a pressure altitude (STD), not {self.datum.value}", where="unit")
        if self.datum is Datum.UNBOUNDED and (self.value or self.unit is not LengthUnit.METRE):
            raise InputError("an unbounded limit has neither value nor unit", where="datum")


class Addressee(Body, frozen=True, kw_only=True):
    """The aircraft, vehicle or ship that a warning means, as it can recognise itself (practice R2.2)."""

    call_sign: OptionalName = ""
    frequency_khz: Annotated[int, msgspec.Meta(ge=1_500, le=470_000)] | None = None
    """one that the addressee can receive: 121500 for civil aircraft, 156800 for ships"""
    squawk: Annotated[str, msgspec.Meta(pattern=r"^[0-7]{4}\Z")] | None = None
    heading_deg: Annotated[int, msgspec.Meta(ge=0, le=359)] | None = None
    """true"""
    speed_kt: Annotated[int, msgspec.Meta(ge=0, le=5_000)] | None = None
    """over ground"""
    position: Position | None = None
    seen_ms: Instant | None = None
    """when it was there"""

    def __post_init__(self) -> None:
        check_text(self.call_sign, "call_sign", lines=False)


class Translation(Body, frozen=True, kw_only=True):
    """A labelled help, never a substitute: the original text is authoritative (practice R1.8)."""

    language: LanguageTag
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_MAX)]
    translator: Name
    """the role or the person, or the program by name"""

    def __post_init__(self) -> None:
        check_text(self.text, "translations")
        check_text(self.translator, "translator", lines=False)


def check_text(text: str, where: str, *, lines: bool = True) -> None:
    """Refuses text that could show as something else: controls, unassigned ends, bidirectional overrides.

    Raises :class:`InputError`. Line feeds and tabs are allowed with ``lines``.
    """
    found = _FORBIDDEN.search(text)
    if found or (not lines and ("\n" in text or "\t" in text)):
        code = ord(found.group()) if found else ord("\n" if "\n" in text else "\t")
        raise InputError(f"the character U+{code:04X} is not allowed in it: take it out", where=where)
    if text != text.strip():
        raise InputError("it begins or ends with a space: take it out", where=where)
    if not unicodedata.is_normalized("NFC", text):
        raise InputError("it is not in Unicode's composed form: normalise it (NFC)", where=where)


def check_free_text(
    text: str, language: str | None, translations: tuple[Translation, ...] = (), *, where: str = "text"
) -> None:
    """A text with its language, and at most one translation into each other. Raises :class:`InputError`."""
    check_text(text, where)
    if bool(text) != (language is not None):
        raise InputError(f"a {where} states its language, and only a {where} does", where="language")
    if translations and not text:
        raise InputError(f"there is no {where} that could have been translated", where="translations")
    languages = [translation.language for translation in translations]
    if len(set(languages)) < len(languages) or language in languages:
        raise InputError("one language is given twice: the original and one translation each", where="translations")


def check_interval(from_ms: int | None, to_ms: int | None, where: str) -> None:
    """Raises :class:`InputError` where the end is before the beginning."""
    if from_ms is not None and to_ms is not None and to_ms < from_ms:
        raise InputError("it ends before it begins", where=where)


PartyIds = Annotated[tuple[PartyId, ...], msgspec.Meta(max_length=32)]
Names = Annotated[tuple[Name, ...], msgspec.Meta(max_length=32)]

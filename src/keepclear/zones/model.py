"""A zone: where one must not be, who, when, and who says so. One model for every file format (practice §2)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from keepclear.errors import InputError
from keepclear.quantities import Level, check_band
from keepclear.space.geometry import Shape

__all__ = [
    "ANY_DAY", "Authority", "Category", "Domain", "Exemption", "Period", "Recognition", "Restriction",
    "ScheduleEntry", "SolarEvent", "Subject", "TimeOfDay", "Volume", "Weekday", "Zone", "ZoneOrigin",
    "ZoneStatus", "ZoneType",
]  # fmt: skip


class ZoneType(StrEnum):
    NFZ = "NFZ"
    PROHIBITED = "PROHIBITED"
    RESTRICTED = "RESTRICTED"
    DANGER = "DANGER"
    ADIZ = "ADIZ"
    NO_ENTRY_TERRITORY = "NO_ENTRY_TERRITORY"
    SPECIAL_CAUTION = "SPECIAL_CAUTION"
    HUMANITARIAN = "HUMANITARIAN"
    THIRD_PARTY_TERRITORY = "THIRD_PARTY_TERRITORY"
    """not forbidden as such: a border whose crossing is a spill-over to be told in time"""
    AIRSPACE = "AIRSPACE"
    """a controlled or information airspace that is read but forbids nothing (OpenAir C, D, FIR outlines)"""


class Restriction(StrEnum):
    PROHIBITED = "PROHIBITED"
    REQ_AUTHORISATION = "REQ_AUTHORISATION"
    CONDITIONAL = "CONDITIONAL"
    NO_RESTRICTION = "NO_RESTRICTION"


class Recognition(StrEnum):
    RECOGNISED = "RECOGNISED"
    DISPUTED = "DISPUTED"
    UNKNOWN = "UNKNOWN"


class ZoneStatus(StrEnum):
    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"


class Domain(StrEnum):
    AIR = "AIR"
    GROUND = "GROUND"
    SEA = "SEA"


class Category(StrEnum):
    FIXED = "FIXED"
    ROTARY = "ROTARY"
    UAS = "UAS"
    CIVIL = "CIVIL"
    STATE = "STATE"


class Weekday(StrEnum):
    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"
    SUN = "SUN"


ANY_DAY = frozenset(Weekday)


class SolarEvent(StrEnum):
    """ED-318 names: begin of morning civil twilight, sunrise, sunset, end of evening civil twilight."""

    BMCT = "BMCT"
    SR = "SR"
    SS = "SS"
    EECT = "EECT"


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A time within a UTC day: seconds after midnight, or a solar event at the zone plus an offset."""

    seconds: float = 0.0
    event: SolarEvent | None = None


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """On these days from ``start`` to ``end`` (UTC); an end at or before the start runs into the next day."""

    days: frozenset[Weekday]
    start: TimeOfDay
    end: TimeOfDay


@dataclass(frozen=True, slots=True)
class Period:
    """One span of applicability. ``-inf``/``inf`` bounds mean «since always» and «permanent».

    ``end_estimated`` is the NOTAM's EST: the end is not an end until a later NOTAM says so, so the zone stays
    in force past it, and a verdict past it says that it rests on an estimate.
    """

    from_s: float = -math.inf
    to_s: float = math.inf
    schedule: tuple[ScheduleEntry, ...] = ()
    end_estimated: bool = False

    def __post_init__(self) -> None:
        if math.isnan(self.from_s) or math.isnan(self.to_s) or self.to_s < self.from_s:
            raise InputError("a period must end after it begins")


@dataclass(frozen=True, slots=True)
class Volume:
    """One shape between two levels."""

    shape: Shape
    lower: Level
    upper: Level

    def __post_init__(self) -> None:
        check_band(self.lower, self.upper)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom the zone binds. An empty set binds everybody."""

    parties: frozenset[str] = frozenset()
    domains: frozenset[Domain] = frozenset({Domain.AIR})
    categories: frozenset[Category] = frozenset()


@dataclass(frozen=True, slots=True)
class Exemption:
    """Who may be inside all the same. ``clause`` keeps the published words, which rule (practice R1.8)."""

    callsign: str = ""
    party: str = ""
    notice_id: str = ""
    target: str = ""
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Authority:
    """Who declares the zone, and how to reach them (ED-269 zoneAuthority, ED-318 authority)."""

    name: str = ""
    service: str = ""
    contact_name: str = ""
    email: str = ""
    phone: str = ""
    site_url: str = ""
    purpose: str = ""
    interval_before: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ZoneOrigin:
    """Where it was read: file, line (or feature number) and format."""

    source: str = ""
    where: str = ""
    format: str = ""


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone. ``extensions`` holds what a format carried and this model has no word for, by format name, as
    plain JSON values, so that writing the same format again loses nothing."""

    id: str
    volumes: tuple[Volume, ...]
    version: str = "1"
    name: str = ""
    country: str = ""
    authorities: tuple[Authority, ...] = ()
    decision_ref: str = ""
    recognition: tuple[tuple[str, Recognition], ...] = ()
    type: ZoneType = ZoneType.PROHIBITED
    restriction: Restriction = Restriction.PROHIBITED
    restriction_conditions: str = ""
    reasons: tuple[str, ...] = ()
    other_reason: str = ""
    subject: Subject = Subject()
    exemptions: tuple[Exemption, ...] = ()
    buffer_lateral_m: float = 0.0
    buffer_vertical_m: float = 0.0
    accuracy_m: float = 0.0
    """95 % lateral accuracy of the published outline, 0 where unstated"""
    applicability: tuple[Period, ...] = (Period(),)
    status: ZoneStatus = ZoneStatus.PUBLISHED
    supersedes: str = ""
    text: str = ""
    """the published words (a NOTAM's whole text, a message), authoritative"""
    origin: ZoneOrigin = ZoneOrigin()
    extensions: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.id:
            raise InputError("a zone needs an id")
        if not self.volumes:
            raise InputError(f"zone {self.id} has no geometry")
        for metres in (self.buffer_lateral_m, self.buffer_vertical_m, self.accuracy_m):
            if not (math.isfinite(metres) and metres >= 0.0):
                raise InputError(f"zone {self.id}: buffers and accuracies are metres from 0 up")

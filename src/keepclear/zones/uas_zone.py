"""What ED-269 and ED-318 share: restrictions, time periods, vertical limits, and texts of bounded length.

Both are EUROCAE's data models for UAS geographical zones (ED-269 of 2020, ED-318 of 2024). A zone read from either
binds unmanned aircraft. What they have no place for is told as a loss, never hidden in private members.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Callable
from dataclasses import replace

from keepclear.errors import InputError
from keepclear.quantities import FOOT_M, UNBOUNDED, Datum, LengthUnit, Level, format_instant, parse_instant
from keepclear.space.geometry import EdgeType, Polygon
from keepclear.zones.level_text import SENTINEL_LIMIT, ceiling_or_unbounded
from keepclear.zones.model import (
    ANY_DAY,
    Category,
    Period,
    Restriction,
    ScheduleEntry,
    SolarEvent,
    Subject,
    TimeOfDay,
    Volume,
    Weekday,
    Zone,
    ZoneStatus,
    ZoneType,
)
from keepclear.zones.reading import Loss
from keepclear.zones.redraw import redrawn
from keepclear.zones.strict_json import Node

__all__ = [
    "MAX_IDENTIFIER", "SUBJECT", "UNSTATED_COUNTRY", "Losses", "collected", "read_level", "read_period",
    "straightened", "type_of", "unheld_fields", "write_country", "write_identifier", "write_limits",
    "write_period", "write_text",
]  # fmt: skip

MAX_IDENTIFIER = 7
"""ED-318 UASZoneVersion.identifier: maxLength 7; ED-269 the same."""
UNSTATED_COUNTRY = "XXX"
"""ISO 3166-1 alpha-3, reserved for use by agreement: here «no state named», since both formats demand one."""
SUBJECT = Subject(categories=frozenset({Category.UAS}))
_TYPE = {
    Restriction.PROHIBITED: ZoneType.PROHIBITED,
    Restriction.REQ_AUTHORISATION: ZoneType.RESTRICTED,
    Restriction.CONDITIONAL: ZoneType.RESTRICTED,
    Restriction.NO_RESTRICTION: ZoneType.AIRSPACE,
}
_DAYS = tuple(Weekday)
_DAY_S = 86_400.0
_CLOCK = re.compile(r"(\d{2}):(\d{2})(?::(\d{2}(?:\.\d{1,12})?))?\s*(Z|[+-]\d{2}:?\d{2})?", re.ASCII)

Losses = Callable[[str, str], None]
"""Takes a field and what is lost of it."""


def type_of(restriction: Restriction) -> ZoneType:
    """The kind of zone that a restriction means where no kind is stated."""
    return _TYPE[restriction]


def unheld_fields(zone: Zone, lose: Losses, extension: str) -> None:
    """Tells the losses of everything for which neither format has a place."""
    if zone.type is not type_of(zone.restriction):
        lose("type", f"{zone.type} is not held; readers see the restriction {zone.restriction} only")
    if zone.subject != SUBJECT:
        lose("subject", "the format is for unmanned aircraft: readers apply the zone to them only")
    plain = Zone("x", zone.volumes)
    for name in ("version", "decision_ref", "recognition", "exemptions", "supersedes", "accuracy_m"):
        if getattr(zone, name) != getattr(plain, name):
            lose(name, "no place for it")
    for name in ("buffer_lateral_m", "buffer_vertical_m"):
        if getattr(zone, name):
            lose(name, "no place for it; the outline is written without the buffer")
    if zone.status is not ZoneStatus.PUBLISHED:
        lose("status", f"{zone.status} is not held; a reader takes the zone as published")
    for name in zone.extensions:
        if name != extension:
            lose(f"extensions.{name}", "what another format carried has no place here")


def straightened(zone: Zone, lose: Losses) -> Zone:
    """The zone with edges straight in longitude and latitude, as readers of both formats draw them."""
    volumes = []
    for volume in zone.volumes:
        shape = volume.shape
        if isinstance(shape, Polygon) and shape.edge_type is not EdgeType.STRAIGHT:
            again, more = redrawn(shape, EdgeType.STRAIGHT)
            drawn = f"edges are {shape.edge_type}; they are written straight in longitude and latitude, within a metre"
            lose("volumes.shape" if more else "volumes.shape.edge_type", f"{drawn}, {more:,} vertices more")
            volume = replace(volume, shape=again)
        volumes.append(volume)
    return replace(zone, volumes=tuple(volumes))


def write_identifier(zone: Zone, lose: Losses) -> str:
    """The id where it fits; else a short one made from it, the same every time."""
    if len(zone.id) <= MAX_IDENTIFIER:
        return zone.id
    digest = base64.b32encode(hashlib.sha256(zone.id.encode()).digest()).decode()
    short = "K" + digest[: MAX_IDENTIFIER - 1]
    lose("id", f"an identifier has at most {MAX_IDENTIFIER} characters: written as {short}")
    return short


def write_country(zone: Zone, lose: Losses) -> str:
    """Three letters, as both formats demand."""
    if not zone.country:
        return UNSTATED_COUNTRY
    if len(zone.country) == 3 and zone.country != UNSTATED_COUNTRY:
        return zone.country
    lose("country", f"{zone.country!r} is not an ISO 3166-1 alpha-3 code: written as {UNSTATED_COUNTRY}")
    return UNSTATED_COUNTRY


def write_text(text: str, limit: int, field: str, lose: Losses) -> str:
    """The text, cut at the format's limit."""
    if len(text) <= limit:
        return text
    lose(field, f"cut to {limit} of {len(text)} characters")
    return text[:limit]


def read_level(value: Node, reference: Node, metres: bool, *, upper: bool) -> Level:
    """A limit; an absent one and the sentinel ceilings are ``UNBOUNDED``."""
    if value.value is None or value.value == "":
        return UNBOUNDED
    datum = Datum(reference.one_of("AGL", "AMSL", "WGS84"))
    unit = LengthUnit.METRE if metres else LengthUnit.FOOT
    return ceiling_or_unbounded(Level(value.number(), unit, datum), upper=upper)


def write_limits(volume: Volume, lose: Losses) -> tuple[bool, tuple[float, str] | None, tuple[float, str] | None]:
    """Whether in metres, and the lower and the upper value with their references; None for no limit.

    One unit serves both limits, so a second unit is converted; there is no flight level, so one is written as feet
    above mean sea level. Both are losses.
    """
    limits = (volume.lower, volume.upper)
    units = {level.unit for level in limits if level.datum is not Datum.UNBOUNDED}
    metres = LengthUnit.METRE in units or not units
    written: list[tuple[float, str] | None] = []
    for name, level in zip(("lower", "upper"), limits, strict=True):
        if level.datum is Datum.UNBOUNDED:
            written.append(None)
            continue
        wanted = LengthUnit.METRE if metres else LengthUnit.FOOT
        value = _converted(level, wanted)
        reference = level.datum.value
        if level.datum is Datum.STD:
            reference = Datum.AMSL.value
            lose(
                f"volumes.{name}",
                f"{level} is a pressure altitude, for which there is no place: written as {value:g} "
                f"{wanted} above mean sea level, off by 8 m for every hPa the day differs from 1013.25",
            )
        elif level.unit is not wanted:
            lose(f"volumes.{name}", f"{level} is written as {value:g} {wanted}: both limits share one unit")
        elif name == "upper" and value >= SENTINEL_LIMIT:
            lose(f"volumes.{name}", f"{level} reads as no limit, as every ceiling from {SENTINEL_LIMIT:,.0f} up")
        written.append((_plain(value), reference))
    lower, upper = written
    if lower is not None and upper is not None and lower[1] == upper[1] and lower[0] > upper[0]:
        # A pressure altitude and a true one can look upside down: the zone is then left open on that side,
        # rather than made smaller.
        if volume.lower.datum is not volume.upper.datum:
            side = "lower" if volume.lower.datum is Datum.STD else "upper"
            lose(f"volumes.{side}", f"{getattr(volume, side)} would lie beyond the other limit: left open")
            return metres, None if side == "lower" else lower, None if side == "upper" else upper
        upper = lower
    return metres, lower, upper


def _converted(level: Level, wanted: LengthUnit) -> float:
    if level.unit is wanted:
        return level.value
    if wanted is LengthUnit.METRE:
        return level.metres
    return level.value * 100.0 if level.unit is LengthUnit.FLIGHT_LEVEL else level.value / FOOT_M


def _plain(value: float) -> float:
    """Whole numbers without a point, as the published files have them."""
    return int(value) if value.is_integer() else value


def read_period(node: Node, schedule_key: str) -> Period:
    """startDateTime, endDateTime and a schedule; absent and null bounds are open."""
    node.members()
    schedule = [
        entry for item in (node[schedule_key].items() if node.has(schedule_key) else ()) for entry in _read_entry(item)
    ]
    try:
        return Period(
            _read_instant(node["startDateTime"], -math.inf), _read_instant(node["endDateTime"], math.inf),
            tuple(schedule),
        )  # fmt: skip
    except InputError as error:
        raise InputError(error.message, where=error.where or node.path) from None


def _read_instant(node: Node, default: float) -> float:
    if node.value is None or node.value == "":
        return default
    try:
        return parse_instant(node.text())
    except InputError as error:
        raise InputError(error.message, where=node.path) from None


def _read_entry(node: Node) -> list[ScheduleEntry]:
    """One daily period; none where it states neither a day nor a time, as some published files have it."""
    words = [day.one_of(*Weekday, "ANY") for day in node["day"].items()] if node.has("day") else []
    stated = [key for key in ("startTime", "startEvent", "endTime", "endEvent") if node.has(key)]
    if not words and not stated:
        return []
    days = ANY_DAY if not words or "ANY" in words else frozenset(Weekday(word) for word in words)
    start, shift = _read_time(node, "start")
    end, _ = _read_time(node, "end")
    moved = frozenset(_DAYS[(_DAYS.index(day) + shift) % 7] for day in days)
    return [ScheduleEntry(moved, start, end)]


def _read_time(node: Node, side: str) -> tuple[TimeOfDay, int]:
    """The UTC time of day, and by how many days the conversion moved it; midnight where nothing is stated."""
    if node.has(f"{side}Event"):
        return TimeOfDay(0.0, SolarEvent(node[f"{side}Event"].one_of(*SolarEvent))), 0
    time = node[f"{side}Time"]
    if time.value is None:
        return TimeOfDay(0.0), 0
    match = _CLOCK.fullmatch(time.text())
    if not match:
        time.refuse(f"{time.text()[:30]!r} is not a time of day such as 16:00:00Z")
    hours, minutes, seconds = int(match[1]), int(match[2]), float(match[3] or 0.0)
    total = 3600.0 * hours + 60.0 * minutes + seconds
    if minutes > 59 or seconds >= 61.0 or total > _DAY_S:
        time.refuse(f"{time.text()[:30]!r} is not a time of day such as 16:00:00Z")
    if match[4] is None:
        time.refuse(f"time {time.text()!r} has no zone: write it in UTC, ending in Z")
    if match[4] == "Z" or (total == _DAY_S and match[4][1:].strip(":0") == ""):
        return TimeOfDay(total), 0
    sign = -1.0 if match[4][0] == "-" else 1.0
    utc = total - sign * (3600.0 * int(match[4][1:3]) + 60.0 * int(match[4][-2:]))
    shift = math.floor(utc / _DAY_S)
    return TimeOfDay(utc - shift * _DAY_S), shift


def write_period(period: Period, schedule_key: str, lose: Losses, *, events: bool) -> dict[str, object]:
    """The period's members; open bounds are left out. ``events``: whether the format has sunrise and sunset."""
    written: dict[str, object] = {}
    for key, time_s in (("startDateTime", period.from_s), ("endDateTime", period.to_s)):
        if math.isfinite(time_s):
            text = _instant(time_s, lose)
            if text:
                written[key] = text
        elif time_s == (math.inf if key == "startDateTime" else -math.inf):
            lose("applicability", "a period that is never in force has no place")
    if period.end_estimated:
        lose("applicability.end_estimated", "the end is written as if it were certain")
    if period.schedule:
        written[schedule_key] = [_write_entry(entry, lose, events) for entry in period.schedule]
    return written


def _instant(time_s: float, lose: Losses) -> str:
    try:
        text = format_instant(time_s)
        back = parse_instant(text)
    except (InputError, ValueError, OverflowError, OSError):
        lose("applicability", "an instant outside the years 1 to 9999 is written as an open end")
        return ""
    if back != time_s:
        lose("applicability", f"an instant is rounded to the millisecond: {text}")
    return text


def _write_entry(entry: ScheduleEntry, lose: Losses, events: bool) -> dict[str, object]:
    if not entry.days:
        lose("applicability.schedule", "an entry for no day reads as one for every day")
    days = ["ANY"] if entry.days == ANY_DAY else [day.value for day in _DAYS if day in entry.days]
    written: dict[str, object] = {"day": days}
    for side, time in (("start", entry.start), ("end", entry.end)):
        if time.event is not None and events:
            written[f"{side}Event"] = time.event.value
            if time.seconds:
                lose("applicability.schedule", f"{time.event} with an offset of {time.seconds:g} s is written without")
        elif time.event is not None:
            written[f"{side}Time"] = "00:00:00Z"
            lose("applicability.schedule", f"{time.event} has no place: the {side} is written as midnight")
        else:
            written[f"{side}Time"] = _write_time(time.seconds, lose)
    return written


def _write_time(seconds: float, lose: Losses) -> str:
    if not 0.0 <= seconds < _DAY_S:
        lose("applicability.schedule", f"the time of day {seconds:g} s is written within the day")
        seconds %= _DAY_S
    micros = min(round(seconds * 1e6), 86_400_000_000 - 1)
    whole, rest = divmod(micros, 1_000_000)
    text = f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    fraction = f".{rest:06d}".rstrip("0") if rest else ""
    if 3600.0 * (whole // 3600) + 60.0 * (whole // 60 % 60) + float(f"{whole % 60:02d}{fraction}") != seconds:
        lose("applicability.schedule", f"a time of day is rounded to the microsecond: {text}{fraction}")
    return f"{text}{fraction}Z"


def collected(zone_id: str, losses: list[Loss]) -> Losses:
    """A recorder of one zone's losses, each told once."""
    known: set[tuple[str, str]] = set()

    def lose(field: str, detail: str) -> None:
        if (field, detail) not in known:
            known.add((field, detail))
            losses.append(Loss(zone_id, field, detail))

    return lose

"""A zone as plain JSON values and back, every field of it: the property schema of our GeoJSON and KML.

The keys are the model's field names. A field at its default is left out, so that a simple zone stays readable.
Shapes' coordinates stand in the format's own geometry; :func:`volume_record` holds what no geometry can.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from keepclear.errors import InputError
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level, format_instant, parse_instant
from keepclear.space.geometry import Circle, EdgeType, Shape
from keepclear.zones.model import (
    Authority,
    Category,
    Domain,
    Exemption,
    Period,
    Recognition,
    Restriction,
    ScheduleEntry,
    SolarEvent,
    Subject,
    TimeOfDay,
    Volume,
    Weekday,
    Zone,
    ZoneOrigin,
    ZoneStatus,
    ZoneType,
)
from keepclear.zones.strict_json import Node

__all__ = ["FIELDS", "SCHEMA", "exact_instant", "read_record", "read_volume_record", "volume_record", "write_record"]

_YEAR_1_S, _YEAR_9999_S = -62_135_596_800.0, 253_402_300_799.0
"""No clock, calendar or other format goes further."""

SCHEMA = "keepclear/zone/1"
"""Stands in the property ``schema`` and says that the other properties are these."""

FIELDS = (
    "schema", "id", "version", "name", "country", "authorities", "decision_ref", "recognition", "type", "restriction",
    "restriction_conditions", "reasons", "other_reason", "subject", "exemptions", "buffer_lateral_m",
    "buffer_vertical_m", "accuracy_m", "applicability", "status", "supersedes", "text", "volumes", "extensions",
)  # fmt: skip

_TEXTS = (
    "version", "name", "country", "decision_ref", "restriction_conditions", "other_reason", "supersedes", "text",
)  # fmt: skip
_METRES = ("buffer_lateral_m", "buffer_vertical_m", "accuracy_m")
_AUTHORITY = (
    "name", "service", "contact_name", "email", "phone", "site_url", "purpose", "interval_before",
)  # fmt: skip
_EXEMPTION = ("callsign", "party", "notice_id", "target", "clause")
_DAYS = tuple(Weekday)


def write_record(zone: Zone) -> dict[str, Any]:
    """The zone's fields without its shapes' coordinates; ``volumes`` holds each one's limits and kind."""
    record: dict[str, Any] = {"schema": SCHEMA, "id": zone.id, "version": zone.version}
    for key in _TEXTS:
        if value := getattr(zone, key):
            record[key] = value
    record["type"], record["restriction"] = zone.type.value, zone.restriction.value
    for key in _METRES:
        if value := getattr(zone, key):
            record[key] = value
    if zone.authorities:
        record["authorities"] = [_authority_record(authority) for authority in zone.authorities]
    if zone.recognition:
        record["recognition"] = [[party, recognition.value] for party, recognition in zone.recognition]
    if zone.reasons:
        record["reasons"] = list(zone.reasons)
    if zone.subject != Subject():
        record["subject"] = {
            "parties": sorted(zone.subject.parties),
            "domains": sorted(zone.subject.domains),
            "categories": sorted(zone.subject.categories),
        }
    if zone.exemptions:
        record["exemptions"] = [_filled(exemption, _EXEMPTION) for exemption in zone.exemptions]
    if zone.applicability != (Period(),):
        record["applicability"] = [_period_record(period) for period in zone.applicability]
    record["status"] = zone.status.value
    if zone.extensions:
        record["extensions"] = {key: dict(value) for key, value in zone.extensions.items()}
    record["volumes"] = [volume_record(volume) for volume in zone.volumes]
    return record


def volume_record(volume: Volume) -> dict[str, Any]:
    """The volume's limits as published, and its edges' kind or its circle."""
    record: dict[str, Any] = {"lower": _level_record(volume.lower), "upper": _level_record(volume.upper)}
    if isinstance(volume.shape, Circle):
        record["centre"] = [volume.shape.lon_deg, volume.shape.lat_deg]
        record["radius_m"] = volume.shape.radius_m
    else:
        record["edge_type"] = volume.shape.edge_type.value
    return record


def read_record(node: Node, volumes: tuple[Volume, ...], origin: ZoneOrigin) -> Zone:
    """The zone of a record; raises :class:`InputError` with the member's path."""
    fields: dict[str, Any] = {"id": node["id"].text(), "volumes": volumes, "origin": origin}
    for key in _TEXTS:
        if node.has(key):
            fields[key] = node[key].text()
    for key in _METRES:
        if node.has(key):
            fields[key] = node[key].number()
    words: tuple[tuple[str, Any], ...] = (("type", ZoneType), ("restriction", Restriction), ("status", ZoneStatus))
    for key, enumeration in words:
        if node.has(key):
            fields[key] = enumeration(node[key].one_of(*enumeration))
    lists: dict[str, Callable[[Node], Any]] = {
        "authorities": _read_authority,
        "recognition": _read_recognition,
        "reasons": Node.text,
        "exemptions": lambda item: Exemption(**_read_texts(item, _EXEMPTION)),
        "applicability": _read_period,
    }
    for key, read_item in lists.items():
        if node.has(key):
            fields[key] = tuple(read_item(item) for item in node[key].items())
    if node.has("subject"):
        fields["subject"] = _read_subject(node["subject"])
    if node.has("extensions"):
        extensions = node["extensions"]
        fields["extensions"] = {key: extensions[key].members() for key in extensions.members()}
    try:
        return Zone(**fields)
    except InputError as error:
        raise InputError(error.message, where=node.path) from None


def read_volume_record(node: Node, shape_of: Callable[[EdgeType], Shape]) -> Volume:
    """The volume of a record; ``shape_of`` makes the polygon, given how its edges run."""
    lower, upper = _read_level(node["lower"]), _read_level(node["upper"])
    if node.has("radius_m"):
        from keepclear.zones.outline_checks import check_circle

        centre = [item.number() for item in node["centre"].items()]
        if len(centre) != 2:
            node["centre"].refuse("a centre is [longitude, latitude]")
        shape: Shape = check_circle(centre[0], centre[1], node["radius_m"].number(), where=node.path)
    else:
        edge = node["edge_type"].one_of(*EdgeType) if node.has("edge_type") else EdgeType.STRAIGHT
        shape = shape_of(EdgeType(edge))
    try:
        return Volume(shape, lower, upper)
    except InputError as error:
        raise InputError(error.message, where=node.path) from None


def exact_instant(time_s: float) -> str | float:
    """ISO 8601 where it gives the instant back exactly, else its POSIX seconds."""
    try:
        text = format_instant(time_s)
        return text if text and parse_instant(text) == time_s else time_s
    except (InputError, ValueError, OverflowError, OSError):
        return time_s


def _filled(thing: object, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key in keys if (value := getattr(thing, key))}


def _read_texts(node: Node, keys: tuple[str, ...]) -> dict[str, str]:
    node.members()
    return {key: node[key].text() for key in keys if node.has(key)}


def _authority_record(authority: Authority) -> dict[str, Any]:
    record = _filled(authority, _AUTHORITY)
    if authority.extra:
        record["extra"] = dict(authority.extra)
    return record


def _read_authority(node: Node) -> Authority:
    extra: Mapping[str, object] = node["extra"].members() if node.has("extra") else {}
    return Authority(**_read_texts(node, _AUTHORITY), extra=extra)


def _read_recognition(node: Node) -> tuple[str, Recognition]:
    pair = list(node.items())
    if len(pair) != 2:
        node.refuse("recognition is a list of [party, word]")
    return pair[0].text(), Recognition(pair[1].one_of(*Recognition))


def _read_subject(node: Node) -> Subject:
    def words(key: str) -> list[Node]:
        return list(node[key].items()) if node.has(key) else []

    node.members()
    domains = frozenset(Domain(item.one_of(*Domain)) for item in words("domains"))
    return Subject(
        frozenset(item.text() for item in words("parties")),
        domains if node.has("domains") else Subject().domains,
        frozenset(Category(item.one_of(*Category)) for item in words("categories")),
    )


def _level_record(level: Level) -> dict[str, Any]:
    if level == UNBOUNDED or (level.datum is Datum.UNBOUNDED and not math.isfinite(level.value)):
        return {"datum": Datum.UNBOUNDED.value}
    return {"value": level.value, "unit": level.unit.value, "datum": level.datum.value}


def _read_level(node: Node) -> Level:
    datum = Datum(node["datum"].one_of(*Datum))
    if datum is Datum.UNBOUNDED and not node.has("value"):
        return UNBOUNDED
    try:
        return Level(node["value"].number(), LengthUnit(node["unit"].one_of(*LengthUnit)), datum)
    except InputError as error:
        raise InputError(error.message, where=error.where or node.path) from None


def _period_record(period: Period) -> dict[str, Any]:
    record: dict[str, Any] = {}
    if period.from_s != -math.inf:
        record["from"] = exact_instant(period.from_s) if math.isfinite(period.from_s) else "+inf"
    if period.to_s != math.inf:
        record["to"] = exact_instant(period.to_s) if math.isfinite(period.to_s) else "-inf"
    if period.end_estimated:
        record["end_estimated"] = True
    if period.schedule:
        record["schedule"] = [
            {
                "days": [day.value for day in _DAYS if day in entry.days],
                "start": _time_record(entry.start),
                "end": _time_record(entry.end),
            }
            for entry in period.schedule
        ]
    return record


def _read_period(node: Node) -> Period:
    node.members()
    schedule = tuple(
        ScheduleEntry(
            frozenset(Weekday(day.one_of(*Weekday)) for day in entry["days"].items()),
            _read_time(entry["start"]),
            _read_time(entry["end"]),
        )
        for entry in (node["schedule"].items() if node.has("schedule") else ())
    )
    estimated = node["end_estimated"].value is True
    begin = _read_instant(node["from"]) if node.has("from") else -math.inf
    end = _read_instant(node["to"]) if node.has("to") else math.inf
    try:
        return Period(begin, end, schedule, estimated)
    except InputError as error:
        raise InputError(error.message, where=node.path) from None


def _read_instant(node: Node) -> float:
    if not isinstance(node.value, str):
        time_s = node.number()
        if not _YEAR_1_S <= time_s <= _YEAR_9999_S:
            node.refuse(f"the instant {time_s:g} lies outside the years 1 to 9999; leave it out for an open end")
        return time_s
    if node.value in {"+inf", "-inf"}:
        return float(node.value)
    try:
        return parse_instant(node.value)
    except InputError as error:
        raise InputError(error.message, where=node.path) from None


def _time_record(time: TimeOfDay) -> dict[str, Any]:
    """Seconds after 00:00 UTC, or after the named solar event."""
    if time.event is None:
        return {"seconds": time.seconds}
    return {"event": time.event.value, "seconds": time.seconds} if time.seconds else {"event": time.event.value}


def _read_time(node: Node) -> TimeOfDay:
    event = SolarEvent(node["event"].one_of(*SolarEvent)) if node.has("event") else None
    return TimeOfDay(node["seconds"].number() if node.has("seconds") else 0.0, event)

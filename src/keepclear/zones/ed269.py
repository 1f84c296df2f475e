"""ED-269 (EUROCAE 2020), the JSON of UAS geographical zones, in the forms that states and test suites publish.

The list of zones stands under ``features``, under ``UASZoneList`` (Switzerland), inside a wrapper object, or alone.
Positions are [longitude, latitude] as in GeoJSON, so edges run straight in longitude and latitude. A circle's radius
is in the volume's own unit (``uomDimensions``). Field names as in the public transcriptions of the standard.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from keepclear.errors import InputError
from keepclear.quantities import FOOT_M
from keepclear.space.geometry import Circle, EdgeType, Polygon, Shape
from keepclear.zones.json_positions import read_position, read_rings
from keepclear.zones.model import Authority, Period, Restriction, Volume, Zone, ZoneOrigin
from keepclear.zones.outline_checks import check_circle, check_polygon
from keepclear.zones.reading import Loss, Problem, Severity, ZoneReading, ZoneWriting
from keepclear.zones.strict_json import Node, load, within
from keepclear.zones.uas_zone import (
    SUBJECT,
    UNSTATED_COUNTRY,
    Losses,
    collected,
    read_level,
    read_period,
    straightened,
    type_of,
    unheld_fields,
    write_country,
    write_identifier,
    write_limits,
    write_period,
    write_text,
)
from keepclear.zones.wide_edges import keep_direction

__all__ = ["FORMAT", "looks_like", "read", "write"]

FORMAT = "ed269"
MAX_WRAPPERS = 3
_LISTS = ("features", "UASZoneList")
_RESTRICTIONS = {**{word.value: word for word in Restriction}, "REQ_AUTHORIZATION": Restriction.REQ_AUTHORISATION}
_REASONS = (
    "AIR_TRAFFIC", "SENSITIVE", "PRIVACY", "POPULATION", "NATURE", "NOISE", "FOREIGN_TERRITORY", "EMERGENCY", "OTHER",
)  # fmt: skip
MAX_REASONS = 9
_MODELLED = {
    "identifier", "country", "name", "restriction", "reason", "otherReasonInfo", "message", "applicability",
    "zoneAuthority", "geometry",
}  # fmt: skip
_AUTHORITY = {
    "name": "name", "service": "service", "email": "email", "contactName": "contact_name", "siteURL": "site_url",
    "phone": "phone", "purpose": "purpose", "intervalBefore": "interval_before",
}  # fmt: skip
_LIMIT = {"name": 200, "otherReasonInfo": 30, "message": 200, "service": 200, "contactName": 200, "phone": 200}
"""Longest texts, in characters (CharacterStringType of the standard's data dictionary)."""


def looks_like(head: bytes) -> bool:
    """Whether a file that begins so may be ED-269."""
    if b'"horizontalProjection"' in head:
        return True
    if b'"FeatureCollection"' in head:
        return False
    return b'"UASZoneList"' in head or (
        b'"identifier"' in head and any(word in head for word in (b'"restriction"', b'"zoneAuthority"', b'"uomDim'))
    )


def read(data: bytes, source: str) -> ZoneReading:
    """The zones of an ED-269 text; raises :class:`InputError` where it is none."""
    document = load(data, source=source)
    listed, members, key = _find_list(Node(document.value), source)
    collection: dict[str, object] = {"list": key, "members": members} if members or key == _LISTS[1] else {}
    zones: list[Zone] = []
    problems: list[Problem] = []
    for index, item in enumerate(listed.items()):
        place = document.place(key, index) if listed.path == key else item.path
        warnings: list[str] = []
        try:
            zones.append(_read_zone(item, collection, ZoneOrigin(source, place, FORMAT), warnings))
        except InputError as error:
            problems.append(Problem(source, within(place, item, error.where), error.message))
            continue
        problems.extend(Problem(source, place, warning, Severity.WARNING) for warning in warnings)
    return ZoneReading(tuple(zones), tuple(problems))


def write(zones: Sequence[Zone]) -> ZoneWriting:
    """The zones as ``{"features": […]}``, or under the list name that they were read from."""
    losses: list[Loss] = []
    key, members = _collection_to_write(zones, losses)
    features = [_write_zone(zone, collected(zone.id, losses)) for zone in zones]
    text = json.dumps({**members, key: features}, ensure_ascii=False, allow_nan=False, indent=1)
    return ZoneWriting(text.encode() + b"\n", tuple(losses))


def _find_list(root: Node, source: str) -> tuple[Node, dict[str, object], str]:
    """The node of the list, the members beside it, and its key (empty for a bare list)."""
    waiting = [(root, 0)]
    while waiting:
        node, wrappers = waiting.pop(0)
        value = node.value
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return node, {}, ""
        if not isinstance(value, dict):
            continue
        if value.get("type") == "FeatureCollection" and _is_geojson(value.get("features")):
            break
        for key in _LISTS:
            if isinstance(value.get(key), list):
                members = {name: item for name, item in value.items() if name not in (key, "type") and item is not None}
                return node[key], members, key
        if "identifier" in value and "geometry" in value:
            return Node([value], ""), {}, ""
        if wrappers < MAX_WRAPPERS:
            waiting.extend((node[name], wrappers + 1) for name, item in value.items() if isinstance(item, dict))
    raise InputError("this is not ED-269: no list of zones under «features» or «UASZoneList»", source=source)


def _is_geojson(features: object) -> bool:
    """Whether the list holds GeoJSON features; some publishers put the collection's type over ED-269 zones."""
    items = features if isinstance(features, list) else []
    return not items or any(isinstance(item, dict) and "properties" in item for item in items)


def _read_zone(node: Node, collection: dict[str, object], origin: ZoneOrigin, warnings: list[str]) -> Zone:
    identifier = node["identifier"].text()
    word = node["restriction"].text().upper()
    if word not in _RESTRICTIONS:
        node["restriction"].one_of(*Restriction)
    restriction = _RESTRICTIONS[word]
    country = node["country"].text("")
    extension = {key: value for key, value in node.members().items() if key not in _MODELLED and value is not None}
    if extension.get("type") == "COMMON":
        del extension["type"]
    conditions = extension.pop("restrictionConditions", "")
    if isinstance(conditions, list) and all(isinstance(item, str) for item in conditions):
        extension["restrictionConditions"] = conditions
        conditions = "; ".join(conditions)
    elif not isinstance(conditions, str):
        node["restrictionConditions"].refuse("a text or a list of texts is expected")
    if collection:
        extension["collection"] = collection
    volumes = tuple(_read_volume(item, warnings) for item in _listed(node["geometry"]))
    try:
        return Zone(
            id=identifier,
            volumes=volumes,
            name=node["name"].text(""),
            country="" if country == UNSTATED_COUNTRY else country,
            authorities=tuple(_read_authority(item) for item in _listed(node["zoneAuthority"])),
            type=type_of(restriction),
            restriction=restriction,
            restriction_conditions=conditions,
            reasons=tuple(item.text() for item in _listed(node["reason"])),
            other_reason=node["otherReasonInfo"].text(""),
            subject=SUBJECT,
            applicability=_read_applicability(node["applicability"], warnings),
            text=node["message"].text(""),
            origin=origin,
            extensions={FORMAT: extension} if extension else {},
        )
    except InputError as error:
        raise InputError(error.message, where=error.where or node.path) from None


def _listed(node: Node) -> list[Node]:
    """A list, or one thing that stands where a list should, or nothing."""
    if node.value is None:
        return []
    return list(node.items()) if isinstance(node.value, list) else [node]


def _read_volume(node: Node, warnings: list[str]) -> Volume:
    metres = node["uomDimensions"].text("M").upper()
    if metres not in ("M", "FT"):
        node["uomDimensions"].one_of("M", "FT")
    lower = read_level(node["lowerLimit"], node["lowerVerticalReference"], metres == "M", upper=False)
    upper = read_level(node["upperLimit"], node["upperVerticalReference"], metres == "M", upper=True)
    shape = _read_shape(node["horizontalProjection"], metres == "M", warnings)
    try:
        return Volume(shape, lower, upper)
    except InputError as error:
        raise InputError(error.message, where=node.path) from None


def _read_shape(node: Node, metres: bool, warnings: list[str]) -> Shape:
    if node["type"].one_of("Polygon", "Circle") == "Circle":
        centre = read_position(node["center"])
        radius = node["radius"].number() * (1.0 if metres else FOOT_M)
        return check_circle(centre[0], centre[1], radius, where=node.path)
    coordinates = node["coordinates"]
    rings = keep_direction(read_rings(coordinates), EdgeType.STRAIGHT, warnings)
    return check_polygon(rings, EdgeType.STRAIGHT, where=coordinates.path, warnings=warnings)


def _read_authority(node: Node) -> Authority:
    members = node.members()
    texts = {ours: node[theirs].text("") for theirs, ours in _AUTHORITY.items()}
    extra = {key: value for key, value in members.items() if key not in _AUTHORITY and value is not None}
    return Authority(**texts, extra=extra)


def _read_applicability(node: Node, warnings: list[str]) -> tuple[Period, ...]:
    periods: list[Period] = []
    for item in _listed(node):
        key = "dailyPeriod" if item.has("dailyPeriod") else "schedule"
        period = read_period(item, key)
        permanent = item["permanent"].value
        if permanent not in (None, "YES", "NO", True, False):
            item["permanent"].one_of("YES", "NO")
        if permanent in ("YES", True) and period != Period(schedule=period.schedule):
            warnings.append(f"{item.path}: permanent, yet with dates; read as permanent")
            period = Period(schedule=period.schedule)
        periods.append(period)
    if not periods:
        warnings.append("no applicability is stated; read as permanent")
    return tuple(periods) or (Period(),)


def _collection_to_write(zones: Sequence[Zone], losses: list[Loss]) -> tuple[str, dict[str, Any]]:
    """The list's name and the members beside it, where all the zones carry the same."""
    carried = [zone.extensions.get(FORMAT, {}).get("collection") for zone in zones]
    first = carried[0] if carried else None
    key = first.get("list") if isinstance(first, dict) else None
    members = first.get("members") if isinstance(first, dict) else None
    if (
        all(item == first for item in carried)
        and key in ("", *_LISTS)
        and isinstance(key, str)
        and isinstance(members, dict)
        and not {*_LISTS, "identifier", "geometry", "type"} & set(members)
        and all(value is not None for value in members.values())
        and (members or key == _LISTS[1])
        and isinstance(first, dict)
        and set(first) == {"list", "members"}
        and key
    ):
        return key, members
    for zone, item in zip(zones, carried, strict=True):
        if item is not None:
            losses.append(Loss(zone.id, f"extensions.{FORMAT}.collection", "the zones do not share one collection"))
    return _LISTS[0], {}


def _write_zone(zone: Zone, lose: Losses) -> dict[str, Any]:
    unheld_fields(zone, lose, FORMAT)
    zone = straightened(zone, lose)
    extension = dict(zone.extensions.get(FORMAT, {}))
    extension.pop("collection", None)
    written: dict[str, Any] = {
        "identifier": write_identifier(zone, lose),
        "country": write_country(zone, lose),
    }
    if zone.name:
        written["name"] = write_text(zone.name, _LIMIT["name"], "name", lose)
    kind = extension.pop("type", "COMMON")
    if not isinstance(kind, str) or not kind:
        lose(f"extensions.{FORMAT}.type", "not a word: written as COMMON")
        kind = "COMMON"
    written["type"] = kind
    written["restriction"] = zone.restriction.value
    conditions = extension.pop("restrictionConditions", None)
    if isinstance(conditions, list) and all(isinstance(item, str) for item in conditions):
        if "; ".join(conditions) == zone.restriction_conditions:
            written["restrictionConditions"] = conditions
    elif conditions is not None:
        lose(f"extensions.{FORMAT}.restrictionConditions", "not a list of texts")
    if zone.restriction_conditions:
        written.setdefault("restrictionConditions", zone.restriction_conditions)
    held = [reason for reason in zone.reasons if reason in _REASONS][:MAX_REASONS]
    if len(held) != len(zone.reasons):
        lose("reasons", f"of {', '.join(zone.reasons)} the format knows {', '.join(held) or 'none'}")
    if held:
        written["reason"] = held
    for key, field, value in (
        ("otherReasonInfo", "other_reason", zone.other_reason),
        ("message", "text", zone.text),
    ):
        if value:
            written[key] = write_text(value, _LIMIT[key], field, lose)
    written["applicability"] = [_write_period(period, lose) for period in zone.applicability]
    if not zone.applicability:
        lose("applicability", "a zone with no period is written as permanent")
        written["applicability"] = [{"permanent": "YES"}]
    written["zoneAuthority"] = [_write_authority(authority, lose) for authority in zone.authorities]
    written["geometry"] = [_write_volume(volume, lose) for volume in zone.volumes]
    for key, member in extension.items():
        if key in _MODELLED or member is None:
            lose(f"extensions.{FORMAT}.{key}", "not a member of its own in this format")
        else:
            written[key] = member
    return written


def _write_period(period: Period, lose: Losses) -> dict[str, Any]:
    written = write_period(period, "schedule", lose, events=False)
    dated = "startDateTime" in written or "endDateTime" in written
    return {"permanent": "NO" if dated else "YES", **written}


def _write_authority(authority: Authority, lose: Losses) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for theirs, ours in _AUTHORITY.items():
        if value := getattr(authority, ours):
            written[theirs] = write_text(value, _LIMIT.get(theirs, len(value)), f"authorities.{ours}", lose)
    for key, member in authority.extra.items():
        if key in _AUTHORITY or member is None:
            lose(f"authorities.extra.{key}", "not a member of its own in this format")
        else:
            written[key] = member
    return written


def _write_volume(volume: Volume, lose: Losses) -> dict[str, Any]:
    metres, lower, upper = write_limits(volume, lose)
    written: dict[str, Any] = {"uomDimensions": "M" if metres else "FT"}
    for side, limit in (("lower", lower), ("upper", upper)):
        if limit is not None:
            written[f"{side}Limit"] = limit[0]
            if limit[1] == "WGS84":
                lose(f"volumes.{side}", "WGS84 heights are outside the list of the standard: a reader may refuse")
        written[f"{side}VerticalReference"] = limit[1] if limit is not None else "AGL"
    written["horizontalProjection"] = _write_shape(volume.shape, metres, lose)
    return written


def _write_shape(shape: Shape, metres: bool, lose: Losses) -> dict[str, Any]:
    if isinstance(shape, Polygon):
        rings = [[[lon, lat] for lon, lat in (*ring, ring[0])] for ring in (shape.exterior, *shape.holes)]
        return {"type": "Polygon", "coordinates": rings}
    radius = shape.radius_m if metres else _feet(shape, lose)
    return {"type": "Circle", "center": [shape.lon_deg, shape.lat_deg], "radius": radius}


def _feet(circle: Circle, lose: Losses) -> float:
    """The radius in feet; a loss where no double gives the same metres back."""
    feet = circle.radius_m / FOOT_M
    if feet * FOOT_M != circle.radius_m:
        lose("volumes.shape.radius_m", "rounded in feet, by less than a nanometre a kilometre")
    return feet

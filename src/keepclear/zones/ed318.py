"""ED-318 (EUROCAE 2024), GeoJSON-based UAS geographical zones, after the official JSON Schemas.

A feature is a zone; ``layer`` holds a geometry's limits, and a Point with an ``extent`` is a circle, its radius in
metres. Edges run straight in longitude and latitude (RFC 7946 §3.1.1). Texts come in several languages: the English
one, else the first, becomes the zone's; all of them are kept and written back while it stays unchanged. Words of the
schema's lists are taken strictly: a feature with another restriction is refused, not guessed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from keepclear.errors import InputError
from keepclear.quantities import parse_instant
from keepclear.space.geometry import Circle, EdgeType, Shape
from keepclear.zones.antimeridian import crosses_antimeridian
from keepclear.zones.json_positions import read_position, read_rings
from keepclear.zones.model import Authority, Period, Restriction, Volume, Zone, ZoneOrigin
from keepclear.zones.outline_checks import check_circle, check_polygon
from keepclear.zones.reading import Loss, Problem, Severity, ZoneReading, ZoneWriting
from keepclear.zones.strict_json import Node, load, within
from keepclear.zones.uas_zone import (
    MAX_IDENTIFIER,
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

FORMAT = "ed318"
LANGUAGE = "en-GB"
"""Of texts that come from elsewhere, where none is stated."""
MAX_TEXT = 200
"""textShortType.text: maxLength 200."""
MAX_PARTS = 10_000
_TYPES = {
    "PROHIBITED": Restriction.PROHIBITED,
    "REQ_AUTHORIZATION": Restriction.REQ_AUTHORISATION,
    "CONDITIONAL": Restriction.CONDITIONAL,
    "NO_RESTRICTION": Restriction.NO_RESTRICTION,
    "USPACE": Restriction.CONDITIONAL,
}
_WORDS = {restriction: word for word, restriction in _TYPES.items() if word != "USPACE"}
_REASONS = (
    "AIR_TRAFFIC", "SENSITIVE", "PRIVACY", "POPULATION", "NATURE", "NOISE", "EMERGENCY", "DAR", "OTHER",
)  # fmt: skip
MAX_REASONS = 9
_ROLES = ("AUTHORIZATION", "NOTIFICATION", "INFORMATION")
_TEXTS = {"name": "name", "otherReasonInfo": "other_reason", "message": "text"}
_KEPT = ("region", "regulationExemption", "dataSource", "extendedProperties")
_PROPERTIES = {
    "identifier", "country", "type", "variant", "restrictionConditions", "reason", "zoneAuthority",
    "limitedApplicability", *_TEXTS, *_KEPT,
}  # fmt: skip
_AUTHORITY_TEXTS = {"name": "name", "service": "service", "contactName": "contact_name"}
_AUTHORITY_WORDS = {
    "siteURL": "site_url",
    "email": "email",
    "phone": "phone",
    "purpose": "purpose",
    "intervalBefore": "interval_before",
}


def looks_like(head: bytes) -> bool:
    """Whether a file that begins so may be ED-318."""
    marks = (b'"zoneAuthority"', b'"limitedApplicability"', b'"upperReference"', b'"lowerReference"', b'"otherGeoid"')
    stated = b'"metadata"' in head and (b'"validFrom"' in head or b'"issued"' in head)
    return (
        b'"FeatureCollection"' in head and b'"keepclear/zone/' not in head and (stated or any(m in head for m in marks))
    )


def read(data: bytes, source: str) -> ZoneReading:
    """The zones of an ED-318 text; raises :class:`InputError` where it is none."""
    document = load(data, source=source)
    root = Node(document.value)
    if not isinstance(document.value, dict) or document.value.get("type") != "FeatureCollection":
        raise InputError("this is not ED-318: no FeatureCollection at the top", source=source)
    if not isinstance(document.value.get("features"), list):
        raise InputError("a FeatureCollection needs a list of features", where="features", source=source)
    problems = [Problem(source, error.where, error.message) for error in _metadata_errors(root)]
    collection = {
        key: value
        for key, value in document.value.items()
        if key not in ("type", "features", "bbox") and value is not None
    }
    zones: list[Zone] = []
    for index, feature in enumerate(root["features"].items()):
        place = document.place("features", index)
        warnings: list[str] = []
        try:
            zones.append(_read_zone(feature, collection, ZoneOrigin(source, place, FORMAT), warnings))
        except InputError as error:
            problems.append(Problem(source, within(place, feature, error.where), error.message))
            continue
        problems.extend(Problem(source, place, warning, Severity.WARNING) for warning in warnings)
    return ZoneReading(tuple(zones), tuple(problems))


def write(zones: Sequence[Zone]) -> ZoneWriting:
    """A FeatureCollection that the official schemas accept."""
    losses: list[Loss] = []
    collection = _collection_to_write(zones, losses)
    features = [_write_feature(zone, collected(zone.id, losses)) for zone in zones]
    members = {"type": "FeatureCollection", **collection, "features": features}
    text = json.dumps(members, ensure_ascii=False, allow_nan=False, indent=1)
    return ZoneWriting(text.encode() + b"\n", tuple(losses))


def _metadata_errors(root: Node) -> list[InputError]:
    """What is wrong with the collection's metadata; the zones do not depend on it."""
    errors: list[InputError] = []
    if not root.has("metadata"):
        return errors
    if not isinstance(root["metadata"].value, dict):
        return [InputError("an object is expected here", where="metadata")]
    for key in ("validFrom", "validTo", "issued"):
        try:
            if root["metadata"].has(key):
                node = root["metadata"][key]
                parse_instant(node.text())
        except InputError as error:
            errors.append(InputError(error.message, where=error.where or f"metadata.{key}"))
    return errors


def _read_zone(feature: Node, collection: dict[str, object], origin: ZoneOrigin, warnings: list[str]) -> Zone:
    feature["type"].one_of("Feature")
    node = feature["properties"]
    members = node.members()
    word = node["type"].one_of(*_TYPES)
    identifier = node["identifier"].text()
    if len(identifier) > MAX_IDENTIFIER:
        warnings.append(f"the identifier {identifier[:40]!r} is longer than {MAX_IDENTIFIER} characters")
    extension: dict[str, object] = {key: members[key] for key in _KEPT if members.get(key) is not None}
    texts: dict[str, str] = {}
    for key, ours in _TEXTS.items():
        if node.has(key):
            texts[ours] = _read_texts(node[key])
            if not _says_only(members[key], texts[ours]):
                extension[key] = members[key]
    unknown = sorted(key for key in members if key not in _PROPERTIES)
    if unknown:
        extension["unknown"] = {key: members[key] for key in unknown}
        warnings.append(f"properties outside the standard are kept, not understood: {', '.join(unknown)[:200]}")
    if node["variant"].one_of("COMMON", "CUSTOMIZED") == "CUSTOMIZED":
        extension["variant"] = "CUSTOMIZED"
    if word == "USPACE":
        extension["type"] = word
    if collection:
        extension["collection"] = collection
    reasons = tuple(item.text() for item in node["reason"].items()) if node.has("reason") else ()
    if strange := [reason for reason in reasons if reason not in _REASONS]:
        warnings.append(f"reasons outside the standard's list: {', '.join(strange)[:200]}")
    country = node["country"].text()
    periods = tuple(
        read_period(item, "schedule")
        for item in (node["limitedApplicability"].items() if node.has("limitedApplicability") else ())
    )
    authorities = [_read_authority(item) for item in node["zoneAuthority"].items()]
    if any(extra for _, extra in authorities):
        extension["zoneAuthority"] = [extra for _, extra in authorities]
    volumes = _read_volumes(feature["geometry"], warnings)
    restriction = _TYPES[word]
    try:
        return Zone(
            id=identifier, volumes=volumes, country="" if country == UNSTATED_COUNTRY else country,
            authorities=tuple(authority for authority, _ in authorities), type=type_of(restriction),
            restriction=restriction, restriction_conditions=node["restrictionConditions"].text(""), reasons=reasons,
            subject=SUBJECT, applicability=periods or (Period(),), origin=origin, name=texts.get("name", ""),
            other_reason=texts.get("other_reason", ""), text=texts.get("text", ""),
            extensions={FORMAT: extension} if extension else {},
        )  # fmt: skip
    except InputError as error:
        raise InputError(error.message, where=error.where or node.path) from None


def _read_texts(node: Node) -> str:
    """The English text, else the first; every one must name its language."""
    texts: list[tuple[str, str]] = []
    for item in node.items():
        language = item["lang"]
        if not item.has("lang"):
            language.refuse("a text must name its language")
        texts.append((language.text(), item["text"].text("")))
    return next((text for language, text in texts if language.startswith("en")), texts[0][1] if texts else "")


def _says_only(languages: object, text: str) -> bool:
    """Whether the list says no more than the text in our own default language, so that it need not be kept."""
    return bool(text) and languages == [{"text": text, "lang": LANGUAGE}]


def _read_authority(node: Node) -> tuple[Authority, dict[str, object]]:
    """The authority, and its texts in all their languages."""
    members = node.members()
    node["purpose"].one_of(*_ROLES)
    fields = {ours: node[theirs].text("") for theirs, ours in _AUTHORITY_WORDS.items()}
    languages: dict[str, object] = {}
    for theirs, ours in _AUTHORITY_TEXTS.items():
        if node.has(theirs):
            fields[ours] = _read_texts(node[theirs])
            if not _says_only(members[theirs], fields[ours]):
                languages[theirs] = members[theirs]
    known = {*_AUTHORITY_TEXTS, *_AUTHORITY_WORDS}
    extra = {key: value for key, value in members.items() if key not in known and value is not None}
    return Authority(**fields, extra=extra), languages


def _read_volumes(geometry: Node, warnings: list[str]) -> tuple[Volume, ...]:
    if geometry.value is None:
        geometry.refuse("the feature has no geometry")
    if geometry["type"].text() != "GeometryCollection":
        return tuple(_read_part(geometry, geometry, warnings))
    volumes: list[Volume] = []
    for part in geometry["geometries"].items():
        layered = part if part.has("layer") else geometry
        volumes.extend(_read_part(part, layered, warnings))
        if len(volumes) > MAX_PARTS:
            geometry.refuse(f"the zone has more than {MAX_PARTS:,} parts")
    if not volumes:
        geometry.refuse("the geometry has no part")
    return tuple(volumes)


def _read_part(part: Node, layered: Node, warnings: list[str]) -> list[Volume]:
    kind = part["type"].text()
    shapes: list[Shape]
    if kind == "Point":
        if not part.has("extent"):
            part.refuse("a point encloses nothing: a circle has an extent with a radius")
        extent = part["extent"]
        extent["subType"].one_of("Circle")
        centre = read_position(part["coordinates"])
        shapes = [check_circle(centre[0], centre[1], extent["radius"].number(), where=part.path)]
    elif kind in ("Polygon", "MultiPolygon"):
        coordinates = part["coordinates"]
        polygons = [coordinates] if kind == "Polygon" else list(coordinates.items())
        shapes = [
            check_polygon(
                keep_direction(read_rings(rings), EdgeType.STRAIGHT, warnings),
                EdgeType.STRAIGHT,
                where=rings.path,
                warnings=warnings,
            )
            for rings in polygons
        ]
    else:
        part["type"].one_of("Point", "Polygon", "MultiPolygon", "GeometryCollection")
        return []
    layer = layered["layer"] if layered.has("layer") else Node({}, f"{layered.path}.layer")
    metres = layer["uom"].one_of("m", "ft") == "m" if layer.has("uom") else True
    lower = read_level(layer["lower"], layer["lowerReference"], metres, upper=False)
    upper = read_level(layer["upper"], layer["upperReference"], metres, upper=True)
    try:
        return [Volume(shape, lower, upper) for shape in shapes]
    except InputError as error:
        raise InputError(error.message, where=layer.path) from None


def _collection_to_write(zones: Sequence[Zone], losses: list[Loss]) -> dict[str, Any]:
    carried = [zone.extensions.get(FORMAT, {}).get("collection") for zone in zones]
    first = carried[0] if carried else None
    if (
        isinstance(first, dict)
        and first
        and all(item == first for item in carried)
        and not {"type", "features", "bbox"} & set(first)
        and all(value is not None for value in first.values())
        and _sound_collection(first)
    ):
        return first
    for zone, item in zip(zones, carried, strict=True):
        if item is not None:
            losses.append(
                Loss(zone.id, f"extensions.{FORMAT}.collection", "the zones do not share one sound collection")
            )
    return {}


def _sound_collection(members: dict[str, Any]) -> bool:
    name = members.get("name", "")
    if not isinstance(name, str) or len(name) > MAX_TEXT:
        return False
    metadata = members.get("metadata", {})
    if not isinstance(metadata, dict) or _metadata_errors(Node(members)):
        return False
    if not isinstance(metadata.get("otherGeoid", ""), str):
        return False
    return all(_sound_texts(metadata.get(key, [])) for key in ("provider", "description", "technicalLimitations"))


def _sound_texts(value: object) -> bool:
    """Whether this is a list of textShortType."""
    return isinstance(value, list) and all(
        isinstance(item, dict)
        and isinstance(item.get("lang"), str)
        and len(item["lang"]) <= 5
        and isinstance(item.get("text", ""), str)
        and len(item.get("text", "")) <= MAX_TEXT
        for item in value
    )


def _write_feature(zone: Zone, lose: Losses) -> dict[str, Any]:
    unheld_fields(zone, lose, FORMAT)
    zone = straightened(zone, lose)
    extension = dict(zone.extensions.get(FORMAT, {}))
    extension.pop("collection", None)
    properties: dict[str, Any] = {
        "identifier": write_identifier(zone, lose),
        "country": write_country(zone, lose),
        "type": _WORDS[zone.restriction],
        "variant": "COMMON",
    }
    if extension.get("type") == "USPACE" and zone.restriction is Restriction.CONDITIONAL:
        properties["type"] = extension.pop("type")
    if extension.get("variant") == "CUSTOMIZED":
        properties["variant"] = extension.pop("variant")
    for key, field in _TEXTS.items():
        texts = _write_texts(getattr(zone, field), extension.pop(key, None), field, lose)
        if texts is not None:
            properties[key] = texts
    if zone.restriction_conditions:
        properties["restrictionConditions"] = zone.restriction_conditions
    held = [reason for reason in zone.reasons if reason in _REASONS][:MAX_REASONS]
    if len(held) != len(zone.reasons):
        lose("reasons", f"of {', '.join(zone.reasons)} the format knows {', '.join(held) or 'none'}")
    if held:
        properties["reason"] = held
    properties["zoneAuthority"] = _write_authorities(zone, extension.pop("zoneAuthority", None), lose)
    if zone.applicability != (Period(),):
        if not zone.applicability:
            lose("applicability", "a zone with no period is written as permanent")
        periods = [write_period(period, "schedule", lose, events=True) for period in zone.applicability]
        properties["limitedApplicability"] = periods
    for key in list(extension):
        value = extension.pop(key)
        if key in _KEPT and _sound_member(key, value):
            properties[key] = value
        else:
            lose(f"extensions.{FORMAT}.{key}", "the schema has no place for it")
    return {"type": "Feature", "properties": properties, "geometry": _write_geometry(zone, lose)}


def _sound_member(key: str, value: object) -> bool:
    if key == "region":
        return isinstance(value, int) and not isinstance(value, bool)
    if key == "regulationExemption":
        return value in ("YES", "NO")
    if key == "dataSource" and isinstance(value, dict):
        originator = value.get("originator", {"lang": ""})
        dates = (value.get("creationDate", ""), value.get("updateDateTime", ""))
        return _sound_texts([originator]) and all(isinstance(date, str) for date in dates)
    return key == "extendedProperties" and isinstance(value, dict)


def _write_texts(text: str, languages: object, field: str, lose: Losses) -> list[Any] | None:
    """All the languages where the text is still theirs, else the text alone."""
    if isinstance(languages, list) and _sound_texts(languages) and _read_texts(Node(languages)) == text:
        return languages
    if languages is not None:
        lose(f"extensions.{FORMAT}.{field}", "the texts in other languages no longer match, and are left out")
    if not text:
        return None
    return [{"text": write_text(text, MAX_TEXT, field, lose), "lang": LANGUAGE}]


def _write_authorities(zone: Zone, languages: object, lose: Losses) -> list[dict[str, Any]]:
    if not zone.authorities:
        lose("authorities", "one is demanded: an unnamed one for information is written")
        return [{"purpose": "INFORMATION"}]
    many = languages if isinstance(languages, list) and len(languages) == len(zone.authorities) else None
    if languages is not None and many is None:
        lose(f"extensions.{FORMAT}.zoneAuthority", "the texts in other languages no longer match, and are left out")
    written = []
    for index, authority in enumerate(zone.authorities):
        spoken = many[index] if many is not None and isinstance(many[index], dict) else {}
        members: dict[str, Any] = {}
        for theirs, ours in _AUTHORITY_TEXTS.items():
            texts = _write_texts(getattr(authority, ours), spoken.get(theirs), f"authorities.{ours}", lose)
            if texts is not None:
                members[theirs] = texts
        for theirs, ours in _AUTHORITY_WORDS.items():
            if value := getattr(authority, ours):
                members[theirs] = write_text(
                    value, MAX_TEXT if theirs == "phone" else len(value), f"authorities.{ours}", lose
                )
        if members.get("purpose") not in _ROLES:
            lose(
                "authorities.purpose",
                f"{authority.purpose!r} is not one of {', '.join(_ROLES)}: written as INFORMATION",
            )
            members["purpose"] = "INFORMATION"
        for key, member in authority.extra.items():
            if key in members or key in {*_AUTHORITY_TEXTS, *_AUTHORITY_WORDS} or member is None:
                lose(f"authorities.extra.{key}", "not a member of its own in this format")
            else:
                members[key] = member
        written.append(members)
    return written


def _write_geometry(zone: Zone, lose: Losses) -> dict[str, Any]:
    parts = [_write_part(volume, lose) for volume in zone.volumes]
    return parts[0] if len(parts) == 1 else {"type": "GeometryCollection", "geometries": parts}


def _write_part(volume: Volume, lose: Losses) -> dict[str, Any]:
    metres, lower, upper = write_limits(volume, lose)
    layer: dict[str, Any] = {}
    for side, limit in (("upper", upper), ("lower", lower)):
        if limit is not None:
            layer[side], layer[f"{side}Reference"] = limit
    if layer:
        layer["uom"] = "m" if metres else "ft"
    shape = volume.shape
    if isinstance(shape, Circle):
        part: dict[str, Any] = {
            "type": "Point",
            "coordinates": [shape.lon_deg, shape.lat_deg],
            "extent": {"subType": "Circle", "radius": shape.radius_m},
        }
    else:
        rings = [[[lon, lat] for lon, lat in (*ring, ring[0])] for ring in (shape.exterior, *shape.holes)]
        part = {"type": "Polygon", "coordinates": rings}
        if crosses_antimeridian(shape):
            lose("volumes.shape", "written uncut over the antimeridian, since a cut would change the outline")
    if layer:
        part["layer"] = layer
    return part

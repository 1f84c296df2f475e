"""GeoJSON (RFC 7946), read and written without loss under our own property schema, and read under any other.

Edges run straight in longitude and latitude (RFC 7946 §3.1.1) unless the property ``edge_type`` says otherwise. One
feature is one zone. Several volumes are a GeometryCollection, one member a volume; a circle is a Point whose radius
stands in the properties, as RFC 7946 has no circle. A polygon over the antimeridian is cut there (§3.1.9), and its
uncut outline kept in ``volumes[].outline``, since the cut adds vertices.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from keepclear.errors import InputError
from keepclear.space.geometry import Circle, EdgeType, Polygon, Ring, Shape
from keepclear.zones.antimeridian import crosses_antimeridian, cut_polygon
from keepclear.zones.foreign_properties import ForeignProperties, recognise, with_unused_id
from keepclear.zones.hand_written import with_stated_fields
from keepclear.zones.json_positions import read_position, read_rings
from keepclear.zones.model import Restriction, Volume, Zone, ZoneOrigin, ZoneType
from keepclear.zones.outline_checks import check_circle, check_polygon
from keepclear.zones.reading import Problem, Severity, ZoneReading, ZoneWriting
from keepclear.zones.strict_json import MAX_DEPTH, MAX_OWN_DEPTH, Document, Node, load, within
from keepclear.zones.wide_edges import keep_direction
from keepclear.zones.zone_record import FIELDS, SCHEMA, read_record, read_volume_record, write_record

__all__ = ["FORMAT", "looks_like", "read", "write"]

FORMAT = "geojson"
MAX_PARTS = 10_000
"""Parts of one zone: the most broken coastline in use has some 2,000 islands."""
_GEOMETRIES = ("Point", "Polygon", "MultiPolygon", "GeometryCollection")
_TYPES = ("FeatureCollection", "Feature", *_GEOMETRIES, "MultiPoint", "LineString", "MultiLineString")
_WGS84_CRS = ("CRS84", "EPSG::4326", "EPSG:4326", "EPSG:4979", "EPSG::4979", "CRS84H")
_COLLECTION_WORDS = {"type", "features", "bbox", "crs"}


def looks_like(head: bytes) -> bool:
    """Whether a file that begins so may be GeoJSON."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return text.startswith(b"{") and (
        b'"FeatureCollection"' in text or b'"Feature"' in text or (b'"type"' in text and b'"coordinates"' in text)
    )


def read(data: bytes, source: str) -> ZoneReading:
    """The zones of a GeoJSON text; raises :class:`InputError` where it is none."""
    document = load(data, source=source, max_depth=MAX_OWN_DEPTH)
    root = Node(document.value)
    if not isinstance(document.value, dict) or document.value.get("type") not in _TYPES:
        raise InputError("this is not GeoJSON: no object with a GeoJSON «type» at the top", source=source)
    _refuse_other_frames(root, source)
    if document.value["type"] == "FeatureCollection":
        if not isinstance(document.value.get("features"), list):
            raise InputError("a FeatureCollection needs a list of features", where="features", source=source)
        features = list(root["features"].items())
    elif document.value["type"] == "Feature":
        features = [root]
    else:
        features = [Node({"type": "Feature", "geometry": document.value, "properties": {}}, "")]
    collection = {key: value for key, value in document.value.items() if key not in _COLLECTION_WORDS}
    if document.value["type"] != "FeatureCollection":
        collection = {}
    zones: list[Zone] = []
    problems: list[Problem] = []
    used: set[str] = set()
    for index, feature in enumerate(features):
        place = _place(document, feature, index)
        try:
            if document.depth > MAX_DEPTH and not _is_own(feature):
                feature.refuse(f"the file nests more than {MAX_DEPTH} deep")
            zone, warnings = _read_feature(feature, index, collection, ZoneOrigin(source, place, FORMAT))
            if not _is_own(feature):
                zone = with_unused_id(zone, used, index, warnings)
        except InputError as error:
            problems.append(Problem(source, within(place, feature, error.where), error.message))
            continue
        zones.append(zone)
        problems.extend(Problem(source, place, warning, Severity.WARNING) for warning in warnings)
    return ZoneReading(tuple(zones), tuple(problems))


def write(zones: Sequence[Zone]) -> ZoneWriting:
    """A FeatureCollection that reads back to the same zones; there are no losses but where they were read from."""
    collections = [_collection_of(zone) for zone in zones]
    shared = collections[0] if collections and all(item == collections[0] for item in collections) else {}
    if not isinstance(shared, dict) or any(key in _COLLECTION_WORDS for key in shared):
        shared = {}
    members = {
        "type": "FeatureCollection",
        **shared,
        "features": [_feature(zone, hoisted=bool(shared)) for zone in zones],
    }
    return ZoneWriting(json.dumps(members, ensure_ascii=False, allow_nan=False, indent=1).encode() + b"\n")


def _place(document: Document, feature: Node, index: int) -> str:
    return document.place("features", index) if feature.path else ""


def _refuse_other_frames(root: Node, source: str) -> None:
    """GeoJSON of 2008 could name another coordinate system; RFC 7946 §4 removed that."""
    if not root.has("crs"):
        return
    name = json.dumps(root["crs"].value)[:200].upper()
    if not any(word in name for word in _WGS84_CRS):
        raise InputError(
            "the file names a coordinate system other than WGS84 longitude and latitude; convert it first",
            where="crs", source=source,
        )  # fmt: skip


def _read_feature(
    feature: Node, index: int, collection: dict[str, object], origin: ZoneOrigin
) -> tuple[Zone, list[str]]:
    feature["type"].one_of("Feature")
    properties = feature["properties"]
    members = properties.members() if feature.has("properties") else {}
    if not feature.has("geometry"):
        feature["geometry"].refuse("the feature has no geometry")
    if members.get("schema") == SCHEMA:
        warnings: list[str] = []
        return _read_own(feature, collection, origin, warnings), warnings
    return _read_foreign(feature, members, index, collection, origin)


def _read_own(feature: Node, collection: dict[str, object], origin: ZoneOrigin, warnings: list[str]) -> Zone:
    properties = feature["properties"]
    geometry = feature["geometry"]
    records = list(properties["volumes"].items())
    parts = [geometry]
    if len(records) != 1:
        geometry["type"].one_of("GeometryCollection")
        parts = list(geometry["geometries"].items())
    if len(parts) != len(records) or not records:
        geometry.refuse(f"the geometry has {len(parts)} parts and the properties describe {len(records)} volumes")
    volumes = tuple(_own_volume(record, part, warnings) for record, part in zip(records, parts, strict=True))
    zone = read_record(properties, volumes, origin)
    unknown = {key: value for key, value in properties.members().items() if key not in FIELDS}
    extension = dict(zone.extensions.get(FORMAT, {}))
    if unknown:
        known = extension.get("properties")
        extension["properties"] = {**(known if isinstance(known, dict) else {}), **unknown}
    if collection:
        extension["collection"] = collection
    if not unknown and not collection:
        return zone
    return _with_extension(zone, extension)


def _own_volume(record: Node, part: Node, warnings: list[str]) -> Volume:
    def polygon(edge_type: EdgeType) -> Shape:
        if record.has("outline"):
            rings = record["outline"]
            return check_polygon(read_rings(rings), edge_type, where=rings.path, warnings=warnings)
        part["type"].one_of("Polygon")
        return check_polygon(
            read_rings(part["coordinates"]), edge_type, where=part["coordinates"].path, warnings=warnings
        )

    if record.has("radius_m"):
        part["type"].one_of("Point")
        centre = [item.number() for item in part["coordinates"].items()]
        if len(centre) < 2:
            part["coordinates"].refuse("a position needs a longitude and a latitude")
        members = {**record.members(), "centre": centre[:2]}
        return read_volume_record(Node(members, record.path), polygon)
    return read_volume_record(record, polygon)


def _is_own(feature: Node) -> bool:
    properties = feature.value.get("properties") if isinstance(feature.value, dict) else None
    return isinstance(properties, dict) and properties.get("schema") == SCHEMA


def _with_extension(zone: Zone, extension: dict[str, object]) -> Zone:
    return replace(zone, extensions={**zone.extensions, FORMAT: extension})


def _read_foreign(
    feature: Node, members: dict[str, object], index: int, collection: dict[str, object], origin: ZoneOrigin
) -> tuple[Zone, list[str]]:
    warnings: list[str] = []
    if "zoneAuthority" in members and "variant" in members:
        warnings.append("this is an ED-318 feature: read the file as ed318, else its limits and periods are missed")
    try:
        known = recognise(members)
    except InputError as error:
        raise InputError(error.message, where=feature["properties"].path) from None
    shapes = _shapes(feature["geometry"], known, warnings)
    if not shapes:
        feature["geometry"].refuse("the geometry has no part")
    try:
        volumes = tuple(Volume(shape, known.lower, known.upper) for shape in shapes)
    except InputError as error:
        raise InputError(error.message, where=feature["properties"].path) from None
    identifier = known.id or _feature_id(feature) or known.name or f"feature-{index}"
    kind = known.kind or (ZoneType.PROHIBITED, Restriction.PROHIBITED)
    extension: dict[str, object] = {}
    if members:
        extension["properties"] = members
    if feature.has("id"):
        extension["id"] = feature["id"].value
    if collection:
        extension["collection"] = collection
    zone = Zone(
        id=identifier, volumes=volumes, name=known.name, country=known.country, type=kind[0], restriction=kind[1],
        text=known.text, origin=origin, extensions={FORMAT: extension} if extension else {},
    )  # fmt: skip
    if members:
        zone = with_stated_fields(zone, feature["properties"], warnings)
    return zone, sorted(set(warnings))


def _feature_id(feature: Node) -> str:
    value = feature["id"].value
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _shapes(geometry: Node, known: ForeignProperties, warnings: list[str]) -> list[Shape]:
    """The shapes of a geometry, collections opened, without recursion."""
    edge_type = known.edge_type or EdgeType.STRAIGHT
    shapes: list[Shape] = []
    waiting = [geometry]
    while waiting:
        part = waiting.pop()
        kind = part["type"].one_of(*_TYPES)
        if kind == "GeometryCollection":
            waiting.extend(reversed(list(part["geometries"].items())))
        elif kind == "Polygon":
            shapes.append(_polygon(part["coordinates"], edge_type, warnings))
        elif kind == "MultiPolygon":
            shapes.extend(_polygon(rings, edge_type, warnings) for rings in part["coordinates"].items())
        elif kind == "Point" and known.radius_m is not None:
            position = read_position(part["coordinates"])
            shapes.append(check_circle(position[0], position[1], known.radius_m, where=part.path))
        elif kind == "Point":
            part.refuse("a point encloses nothing: give it a radius_m to make it a circle")
        else:
            part.refuse(f"a {kind} encloses nothing")
        if len(shapes) > MAX_PARTS:
            part.refuse(f"the zone has more than {MAX_PARTS:,} parts")
    return shapes


def _polygon(coordinates: Node, edge_type: EdgeType, warnings: list[str]) -> Polygon:
    rings = read_rings(coordinates)
    if any(len(position) > 2 for ring in rings for position in ring):
        warnings.append("heights within positions are not used; vertical limits are read from the properties")
    rings_drawn = keep_direction(rings, edge_type, warnings)
    return check_polygon(rings_drawn, edge_type, where=coordinates.path, warnings=warnings)


def _collection_of(zone: Zone) -> object:
    return zone.extensions.get(FORMAT, {}).get("collection", {})


def _feature(zone: Zone, *, hoisted: bool) -> dict[str, Any]:
    record = write_record(zone)
    foreign: dict[str, object] = {}
    extension = record.get("extensions", {}).get(FORMAT)
    if extension is not None:
        properties = extension.get("properties")
        if isinstance(properties, dict):
            foreign = {key: value for key, value in properties.items() if key not in FIELDS}
            extension["properties"] = {key: value for key, value in properties.items() if key in FIELDS}
        if hoisted:
            del extension["collection"]
    parts = []
    for volume, volume_record in zip(zone.volumes, record["volumes"], strict=True):
        parts.append(_geometry(volume.shape, volume_record))
    geometry = parts[0] if len(parts) == 1 else {"type": "GeometryCollection", "geometries": parts}
    return {"type": "Feature", "id": zone.id, "properties": {**record, **foreign}, "geometry": geometry}


def _geometry(shape: Shape, record: dict[str, Any]) -> dict[str, Any]:
    if isinstance(shape, Circle):
        del record["centre"]
        return {"type": "Point", "coordinates": [shape.lon_deg, shape.lat_deg]}
    rings = [_closed(ring) for ring in (shape.exterior, *shape.holes)]
    if not crosses_antimeridian(shape):
        return {"type": "Polygon", "coordinates": rings}
    record["outline"] = rings
    parts = [[_closed(ring) for ring in part] for part in cut_polygon(shape)]
    if len(parts) == 1:
        return {"type": "Polygon", "coordinates": parts[0]}
    return {"type": "MultiPolygon", "coordinates": parts}


def _closed(ring: Ring) -> list[list[float]]:
    return [[lon, lat] for lon, lat in (*ring, ring[0])]

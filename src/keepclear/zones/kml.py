"""KML 2.3 (OGC 12-007r2) and KMZ: zones for map viewers, with our whole model in ExtendedData.

A Placemark is a zone: its polygons are the volumes, in order, and the ExtendedData value ``keepclear`` holds
everything else as the JSON record of :mod:`keepclear.zones.zone_record`, so that our own files come back whole. A
circle is drawn as a polygon for the viewers and stays a circle in the record. Other people's files: the altitude of
the outline is the upper limit, TimeSpan the applicability. KML does not say how edges run; viewers draw them along
the ground by the shortest way, so they are read as geodesic.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from keepclear.errors import InputError
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level
from keepclear.space.geometry import Circle, EdgeType, Polygon, Shape
from keepclear.zones.foreign_properties import recognise, with_unused_id
from keepclear.zones.kml_time import read_time
from keepclear.zones.kmz import pack, unpack
from keepclear.zones.model import Period, Restriction, Volume, Zone, ZoneOrigin, ZoneType
from keepclear.zones.outline_checks import MAX_RING_VERTICES, check_polygon
from keepclear.zones.reading import Problem, Severity, ZoneReading, ZoneWriting
from keepclear.zones.strict_json import MAX_OWN_DEPTH, Node, load
from keepclear.zones.xml_tree import Element, parse_xml
from keepclear.zones.zone_record import SCHEMA, exact_instant, read_record, read_volume_record, write_record

__all__ = ["FORMAT", "looks_like", "read", "write", "write_kmz"]

FORMAT = "kml"
RECORD = "keepclear"
"""The name of the ExtendedData value that holds our record."""
CIRCLE_VERTICES = 72
"""A vertex every 5°: the drawn polygon lies within 0.1 % of the radius inside the circle."""
MAX_PARTS = 10_000
_GEOMETRIES = ("Polygon", "MultiGeometry", "Point", "LineString", "LinearRing", "Model", "Track", "MultiTrack")
_DATUM = {"relativeToGround": Datum.AGL, "absolute": Datum.AMSL}
_MODE = {Datum.AGL: "relativeToGround"}
_UNPRINTABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COMMA = re.compile(r"\s*,\s*")

Position = tuple[float, float, float]


def looks_like(head: bytes) -> bool:
    """Whether a file that begins so may be KML or KMZ."""
    if head.startswith(b"PK\x03\x04"):
        return b".kml" in head.lower()
    return b"<kml" in head or b":kml" in head


@dataclass(frozen=True, slots=True)
class _Context:
    """What a Placemark inherits from the folders around it."""

    folders: tuple[str, ...] = ()
    time: Element | None = None


def read(data: bytes, source: str) -> ZoneReading:
    """The zones of a KML text or KMZ archive; raises :class:`InputError` where it is neither."""
    root = parse_xml(unpack(data, source=source) if data.startswith(b"PK") else data, source=source)
    if root.name not in ("kml", "Document", "Folder", "Placemark"):
        raise InputError(f"this is not KML: its first element is {root.name[:40]}", source=source)
    zones: list[Zone] = []
    problems: list[Problem] = []
    used: set[str] = set()
    for index, (placemark, context) in enumerate(_placemarks(root, source, problems)):
        name = placemark.word("name")
        place = f"Placemark {index + 1}{f' «{name[:40]}»' if name else ''} (line {placemark.line})"
        warnings: list[str] = []
        origin = ZoneOrigin(source, place, FORMAT)
        try:
            data_of = _extended_data(placemark)
            if RECORD in data_of:
                zones.append(_read_own(placemark, data_of[RECORD], origin, warnings))
            else:
                zone = _read_foreign(placemark, context, data_of, index, origin, warnings)
                zones.append(with_unused_id(zone, used, index + 1, warnings))
        except InputError as error:
            where = f"{place}, {error.where}" if error.where else place
            problems.append(Problem(source, where, error.message))
            continue
        problems.extend(Problem(source, place, warning, Severity.WARNING) for warning in dict.fromkeys(warnings))
    return ZoneReading(tuple(zones), tuple(problems))


def write(zones: Sequence[Zone]) -> ZoneWriting:
    """A KML text; our reader gets everything back, so there are no losses."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<kml xmlns="http://www.opengis.net/kml/2.2">',
        "<Document>",
        '<Style id="zone"><LineStyle><color>ff2020d0</color><width>2</width></LineStyle>'
        "<PolyStyle><color>402020d0</color></PolyStyle></Style>",
    ]
    for zone in zones:
        lines.extend(_placemark(zone))
    lines += ["</Document>", "</kml>", ""]
    return ZoneWriting("\n".join(lines).encode())


def write_kmz(zones: Sequence[Zone]) -> ZoneWriting:
    """The same, packed; the same zones give the same bytes."""
    writing = write(zones)
    return ZoneWriting(pack(writing.data), writing.losses)


def _placemarks(root: Element, source: str, problems: list[Problem]) -> Iterator[tuple[Element, _Context]]:
    """The Placemarks in document order, with what they inherit."""
    waiting: list[tuple[Element, _Context]] = [(root, _Context())]
    while waiting:
        element, context = waiting.pop()
        if element.name == "Placemark":
            yield element, context
        elif element.name == "NetworkLink":
            reason = "a network link is not followed: the zones behind it are missing here"
            problems.append(Problem(source, f"line {element.line}", reason, Severity.WARNING))
        elif element.name in ("kml", "Document", "Folder"):
            name = element.word("name")
            inner = _Context((*context.folders, name) if name else context.folders, _time_of(element) or context.time)
            waiting.extend((child, inner) for child in reversed(element.children))


def _time_of(element: Element) -> Element | None:
    return element.child("TimeSpan") or element.child("TimeStamp")


def _extended_data(placemark: Element) -> dict[str, str]:
    """Data and SimpleData values by name."""
    values: dict[str, str] = {}
    for extended in placemark.all("ExtendedData"):
        for data in extended.all("Data"):
            values.setdefault(data.attributes.get("name", ""), data.word("value"))
        for schema in extended.all("SchemaData"):
            for simple in schema.all("SimpleData"):
                values.setdefault(simple.attributes.get("name", ""), simple.text.strip())
    values.pop("", None)
    return values


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A polygon as drawn: its rings, closed, with heights."""

    rings: list[list[Position]]
    mode: str
    extruded: bool
    line: int


def _polygons(placemark: Element) -> list[_Drawn]:
    """The drawn polygons, MultiGeometry opened, without recursion."""
    found: list[_Drawn] = []
    waiting = [child for child in reversed(placemark.children) if child.name in _GEOMETRIES]
    while waiting:
        element = waiting.pop()
        if element.name == "MultiGeometry":
            waiting.extend(child for child in reversed(element.children) if child.name in _GEOMETRIES)
        elif element.name == "Polygon":
            found.append(_polygon(element))
        else:
            raise InputError(f"a {element.name} encloses nothing", where=f"line {element.line}")
        if len(found) > MAX_PARTS:
            raise InputError(f"the placemark has more than {MAX_PARTS:,} parts")
    if not found:
        raise InputError("the placemark has no polygon")
    return found


def _polygon(element: Element) -> _Drawn:
    boundaries = [*element.all("outerBoundaryIs"), *element.all("innerBoundaryIs")]
    if not boundaries or boundaries[0].name != "outerBoundaryIs":
        raise InputError("the polygon has no outer boundary", where=f"line {element.line}")
    rings = [_ring(ring) for boundary in boundaries for ring in boundary.all("LinearRing")]
    mode = element.word("altitudeMode") or "clampToGround"
    return _Drawn(rings, mode, element.word("extrude") in ("1", "true"), element.line)


def _ring(element: Element) -> list[Position]:
    where = f"line {element.line}"
    tuples = _COMMA.sub(",", element.word("coordinates")).split()
    if len(tuples) > MAX_RING_VERTICES:
        raise InputError(f"the ring has {len(tuples):,} vertices, more than {MAX_RING_VERTICES:,}", where=where)
    positions: list[Position] = []
    for text in tuples:
        try:
            numbers = [float(number) for number in text.split(",")]
        except ValueError:
            raise InputError(f"{text[:40]!r} is not longitude,latitude[,height]", where=where) from None
        if len(numbers) not in (2, 3) or not all(math.isfinite(number) for number in numbers):
            raise InputError(f"{text[:40]!r} is not longitude,latitude[,height]", where=where)
        positions.append((numbers[0], numbers[1], numbers[2] if len(numbers) == 3 else 0.0))
    return positions


def _outline(drawn: _Drawn, edge_type: EdgeType, warnings: list[str]) -> Polygon:
    rings = [[(lon, lat) for lon, lat, _ in ring] for ring in drawn.rings]
    return check_polygon(rings, edge_type, where=f"line {drawn.line}", warnings=warnings)


def _read_own(placemark: Element, record: str, origin: ZoneOrigin, warnings: list[str]) -> Zone:
    node = Node(load(record.encode(), max_depth=MAX_OWN_DEPTH).value, RECORD)
    if node["schema"].text() != SCHEMA:
        node["schema"].refuse(f"only {SCHEMA} is known here; a newer version wrote this")
    polygons = _polygons(placemark)
    records = list(node["volumes"].items())
    if len(records) != len(polygons):
        node["volumes"].refuse(f"{len(records)} volumes are described and {len(polygons)} drawn")
    volumes: list[Volume] = []
    for item, drawn in zip(records, polygons, strict=True):
        volume = read_volume_record(item, lambda edge_type, d=drawn: _outline(d, edge_type, warnings))  # type: ignore[misc]
        if isinstance(volume.shape, Circle) and not _draws(drawn, volume.shape):
            warnings.append("the outline was redrawn: it is taken in place of the circle that the record holds")
            volume = replace(volume, shape=_outline(drawn, EdgeType.GEODESIC, warnings))
        volumes.append(volume)
    return read_record(node, tuple(volumes), origin)


def _draws(drawn: _Drawn, circle: Circle) -> bool:
    """Whether the polygon is the one we draw for the circle, to a ten-millionth of a degree (1 cm)."""
    expected = _circle_ring(circle)
    ring = drawn.rings[0] if len(drawn.rings) == 1 else []
    return len(ring) == len(expected) and all(
        abs((lon - x + 180.0) % 360.0 - 180.0) < 1e-7 and abs(lat - y) < 1e-7
        for (lon, lat, _), (x, y) in zip(ring, expected, strict=True)
    )


def _read_foreign(
    placemark: Element,
    context: _Context,
    data_of: dict[str, str],
    index: int,
    origin: ZoneOrigin,
    warnings: list[str],
) -> Zone:
    known = recognise(data_of)
    volumes: list[Volume] = []
    for drawn in _polygons(placemark):
        lower, upper = known.lower, known.upper
        if lower == UNBOUNDED and upper == UNBOUNDED:
            upper = _upper_limit(drawn, warnings)
        volumes.append(Volume(_outline(drawn, known.edge_type or EdgeType.GEODESIC, warnings), lower, upper))
    name = placemark.word("name") or known.name
    kind = known.kind or (ZoneType.PROHIBITED, Restriction.PROHIBITED)
    time = _time_of(placemark) or context.time
    extension: dict[str, object] = {}
    if data_of:
        extension["data"] = dict(data_of)
    if context.folders:
        extension["folders"] = list(context.folders)
    return Zone(
        id=known.id or placemark.attributes.get("id", "") or name or f"placemark-{index + 1}",
        volumes=tuple(volumes),
        name=name,
        country=known.country,
        type=kind[0],
        restriction=kind[1],
        applicability=(read_time(time) if time is not None else Period(),),
        text=placemark.word("description") or known.text,
        origin=origin,
        extensions={FORMAT: extension} if extension else {},
    )


def _upper_limit(drawn: _Drawn, warnings: list[str]) -> Level:
    """The outline's height as the upper limit; none where it lies on the ground."""
    datum = _DATUM.get(drawn.mode)
    heights = [height for ring in drawn.rings for _, _, height in ring]
    if datum is None or not any(heights):
        return UNBOUNDED
    if max(heights) - min(heights) > 0.0:
        warnings.append("the outline's height varies: the highest is taken as the upper limit")
    if not drawn.extruded:
        warnings.append("the outline hangs in the air: it is read as reaching from the ground up to it")
    return Level(max(heights), LengthUnit.METRE, datum)


def _placemark(zone: Zone) -> list[str]:
    record = write_record(zone)
    lines = ["<Placemark>", f"<name>{_text(zone.name or zone.id)}</name>"]
    if zone.text:
        lines.append(f"<description>{_text(zone.text)}</description>")
    lines += _time_span(zone)
    lines += ["<styleUrl>#zone</styleUrl>", "<ExtendedData>"]
    shown = {
        "id": zone.id,
        "type": zone.type.value,
        "restriction": zone.restriction.value,
        "lower": "; ".join(dict.fromkeys(str(volume.lower) for volume in zone.volumes)),
        "upper": "; ".join(dict.fromkeys(str(volume.upper) for volume in zone.volumes)),
        RECORD: json.dumps(record, ensure_ascii=True, allow_nan=False),
    }
    lines += [f"<Data name={quoteattr(name)}><value>{_text(value)}</value></Data>" for name, value in shown.items()]
    lines.append("</ExtendedData>")
    polygons = [_polygon_text(volume) for volume in zone.volumes]
    lines += polygons if len(polygons) == 1 else ["<MultiGeometry>", *polygons, "</MultiGeometry>"]
    lines.append("</Placemark>")
    return lines


def _time_span(zone: Zone) -> list[str]:
    """For the viewers' time slider; the record holds the periods exactly."""
    begins = {period.from_s for period in zone.applicability}
    ends = {period.to_s for period in zone.applicability}
    begin = exact_instant(min(begins)) if begins and math.isfinite(min(begins)) else ""
    end = exact_instant(max(ends)) if ends and math.isfinite(max(ends)) else ""
    parts = [
        f"<{tag}>{value}</{tag}>" for tag, value in (("begin", begin), ("end", end)) if isinstance(value, str) and value
    ]
    return [f"<TimeSpan>{''.join(parts)}</TimeSpan>"] if parts else []


def _polygon_text(volume: Volume) -> str:
    upper = volume.upper
    bounded = upper.datum is not Datum.UNBOUNDED
    mode = _MODE.get(upper.datum, "absolute") if bounded else "clampToGround"
    height = f",{upper.metres!r}" if bounded else ""
    boundaries = []
    for index, ring in enumerate(_rings(volume.shape)):
        tag = "innerBoundaryIs" if index else "outerBoundaryIs"
        points = " ".join(f"{lon!r},{lat!r}{height}" for lon, lat in ring)
        boundaries.append(f"<{tag}><LinearRing><coordinates>{points}</coordinates></LinearRing></{tag}>")
    extrude = "<extrude>1</extrude>" if bounded else ""
    return f"<Polygon>{extrude}<altitudeMode>{mode}</altitudeMode>{''.join(boundaries)}</Polygon>"


def _rings(shape: Shape) -> list[list[tuple[float, float]]]:
    if isinstance(shape, Circle):
        return [_circle_ring(shape)]
    return [[*ring, ring[0]] for ring in (shape.exterior, *shape.holes)]


def _circle_ring(circle: Circle) -> list[tuple[float, float]]:
    """Points on the circle, counter-clockwise, closed."""
    from geographiclib.geodesic import Geodesic

    ring = []
    for k in range(CIRCLE_VERTICES):
        point: dict[str, Any] = Geodesic.WGS84.Direct(
            circle.lat_deg, circle.lon_deg, -k * 360.0 / CIRCLE_VERTICES, circle.radius_m
        )
        ring.append((float(point["lon2"]), float(point["lat2"])))
    return [*ring, ring[0]]


def _text(text: str) -> str:
    """Escaped; characters that XML cannot hold are shown as U+FFFD (the record holds them all)."""
    return escape(_UNPRINTABLE.sub("\ufffd", text))

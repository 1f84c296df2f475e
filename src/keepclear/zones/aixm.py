"""AIXM 5.1 airspaces, read only.

Read here and not through GDAL: GDAL's GML driver keeps the outline but loses which limit belongs to which volume,
turns circles into polygons and knows no edge type, and it would make AIXM need the gis extra.

An Airspace's BASELINE or SNAPSHOT time slice is one zone; each of its geometry components one volume. Edges of a
GeodesicString are geodesics, those of a LineStringSegment and of a LinearRing under EPSG:4326 too unless the file
says otherwise (OGC 12-028r1 §7.3 leaves it to the publisher), those under CRS84 straight in longitude/latitude.
Sources: AIXM 5.1 (aixm.aero), OGC 12-028r1 «Use of GML for aviation data», GML 3.2.1 (ISO 19136).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from keepclear.errors import InputError, LimitExceeded, UsageError
from keepclear.quantities import FOOT_M, NAUTICAL_MILE_M, UNBOUNDED, Datum, Level, parse_instant
from keepclear.space.geometry import Circle, EdgeType, LonLat, Polygon, Shape, check_position
from keepclear.zones.aixm_time import read_activations
from keepclear.zones.arcs import arc_by_bearings
from keepclear.zones.level_text import level_of
from keepclear.zones.model import Period, Restriction, Volume, Zone, ZoneOrigin, ZoneType
from keepclear.zones.outline_checks import check_polygon
from keepclear.zones.reading import Problem, Severity, ZoneReading, ZoneWriting
from keepclear.zones.xml_tree import Element, parse_xml

__all__ = ["looks_like", "read", "write"]

NESTING_MAX = 8
"""Airspaces made of airspaces made of airspaces: a FIR of its parts is two deep."""
REFERENCES_MAX = 10_000
"""Airspaces followed in one file for the outlines of others; bounds the time for those that refer in all directions."""

_KINDS: dict[str, tuple[ZoneType, Restriction]] = {
    "P": (ZoneType.PROHIBITED, Restriction.PROHIBITED),
    "R": (ZoneType.RESTRICTED, Restriction.REQ_AUTHORISATION),
    "TRA": (ZoneType.RESTRICTED, Restriction.REQ_AUTHORISATION),
    "TSA": (ZoneType.RESTRICTED, Restriction.REQ_AUTHORISATION),
    "CBA": (ZoneType.RESTRICTED, Restriction.REQ_AUTHORISATION),
    "D": (ZoneType.DANGER, Restriction.CONDITIONAL),
    "D_OTHER": (ZoneType.DANGER, Restriction.CONDITIONAL),
    "W": (ZoneType.SPECIAL_CAUTION, Restriction.CONDITIONAL),
    "A": (ZoneType.SPECIAL_CAUTION, Restriction.CONDITIONAL),
    "ADIZ": (ZoneType.ADIZ, Restriction.CONDITIONAL),
    "NO_FIR": (ZoneType.AIRSPACE, Restriction.NO_RESTRICTION),
}
_UNIT_M = {
    "NM": NAUTICAL_MILE_M, "[NMI_I]": NAUTICAL_MILE_M, "NMI": NAUTICAL_MILE_M, "KM": 1000.0, "M": 1.0, "FT": FOOT_M,
    "[FT_I]": FOOT_M, "MI": 1609.344,
}  # fmt: skip
ARC_VERTICES_MAX = 3_000_000
"""All arcs of a file together, some 300 MB: one can have 5,000, so the file's size bounds nothing."""


@dataclass(slots=True)
class _File:
    """The airspaces of a file by their identifiers, for those that are made of others."""

    source: str
    by_id: dict[str, Element]
    points: dict[str, Element]
    followed: list[str]
    arc_vertices: int = 0


def looks_like(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"aixm" in head.lower()


def write(zones: object) -> ZoneWriting:
    """Refused: AIXM is published by aeronautical information services."""
    raise UsageError("AIXM is read, not written")


def read(data: bytes, source: str) -> ZoneReading:
    """The airspaces of an AIXM 5.1 message. Raises :class:`InputError` where the XML is broken or holds none."""
    root = parse_xml(data, source=source)
    airspaces = [element for element in _descendants(root) if element.name == "Airspace"]
    if not airspaces:
        raise InputError("no aixm:Airspace in the file", source=source)
    by_id = {identifier: airspace for airspace in airspaces if (identifier := airspace.word("identifier"))}
    points = {
        element.attributes["id"]: element
        for element in _descendants(root)
        if element.name in ("Point", "ElevatedPoint") and "id" in element.attributes
    }
    file = _File(source, by_id, points, [])
    zones: list[Zone] = []
    problems: list[Problem] = []
    taken: dict[str, int] = {}
    for airspace in airspaces:
        warnings: list[str] = []
        place = f"line {airspace.line}"
        try:
            zone = _zone(airspace, file, taken, warnings)
        except InputError as error:
            place = error.where or place
            problems.append(Problem(source, f"{place}, airspace {_named(airspace)}", error.message))
            continue
        zones.append(zone)
        problems.extend(Problem(source, f"{place}, airspace {zone.id}", said, Severity.WARNING) for said in warnings)
    return ZoneReading(tuple(zones), tuple(problems))


def _descendants(element: Element) -> Iterator[Element]:
    waiting = [element]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(reversed(here.children))


def _path(element: Element, *names: str) -> list[Element]:
    """All descendants reached by these names, one step each."""
    found = [element]
    for name in names:
        found = [child for parent in found for child in parent.all(name)]
    return found


def _slice(airspace: Element) -> Element:
    """The time slice that says what the airspace is: the last baseline or snapshot, else the last of all."""
    slices = _path(airspace, "timeSlice", "AirspaceTimeSlice")
    if not slices:
        raise InputError("the airspace has no time slice", where=f"line {airspace.line}")
    whole = [part for part in slices if part.word("interpretation") in ("BASELINE", "SNAPSHOT")]
    return max(whole or slices, key=lambda part: (_number(part, "sequenceNumber"), _number(part, "correctionNumber")))


def _number(element: Element, name: str) -> int:
    word = element.word(name)
    return int(word) if word.isdigit() and len(word) < 10 else 0


def _named(airspace: Element) -> str:
    for part in _path(airspace, "timeSlice", "AirspaceTimeSlice"):
        if name := part.word("designator") or part.word("name"):
            return name
    return airspace.word("identifier") or "without a name"


def _zone(airspace: Element, file: _File, taken: dict[str, int], warnings: list[str]) -> Zone:
    part = _slice(airspace)
    designator, name, kind = part.word("designator"), part.word("name"), part.word("type").upper()
    identifier = designator or airspace.word("identifier") or name or f"line {airspace.line}"
    taken[identifier] = taken.get(identifier, 0) + 1
    if taken[identifier] > 1:
        identifier = f"{identifier} #{taken[identifier]}"
    volumes = tuple(_volumes(part, file, warnings, UNBOUNDED, UNBOUNDED, 0))
    if not volumes:
        raise InputError("the airspace has no outline of its own or through another", where=f"line {part.line}")
    zone_type, restriction = _KINDS.get(kind, (ZoneType.AIRSPACE, Restriction.NO_RESTRICTION))
    kept = {
        "identifier": airspace.word("identifier"), "type": kind, "localType": part.word("localType"),
        "interpretation": part.word("interpretation"), "sequenceNumber": part.word("sequenceNumber"),
        "correctionNumber": part.word("correctionNumber"),
    }  # fmt: skip
    version = "-".join(word for word in (part.word("sequenceNumber"), part.word("correctionNumber")) if word)
    return Zone(
        id=identifier, version=version or "1", name=name or designator, volumes=volumes, type=zone_type,
        restriction=restriction, applicability=read_activations(part, _validity(part, warnings), warnings),
        text=" ".join(_notes(part)), origin=ZoneOrigin(file.source, f"line {airspace.line}", "aixm"),
        extensions={"aixm": {key: value for key, value in kept.items() if value}},
    )  # fmt: skip


def _notes(part: Element) -> Iterator[str]:
    for note in _descendants(part):
        if note.name == "note" and note.text.strip():
            yield " ".join(note.text.split())


def _validity(part: Element, warnings: list[str]) -> Period:
    bounds = [-math.inf, math.inf]
    for time in _path(part, "validTime", "TimePeriod"):
        for index, name in enumerate(("beginPosition", "endPosition")):
            word = time.word(name)
            if not word:
                continue
            try:
                bounds[index] = parse_instant(word if len(word) > 10 else f"{word}T00:00:00Z")
            except InputError as error:
                warnings.append(f"{name}: {error.message}; taken as open")
    return Period(bounds[0], bounds[1]) if bounds[0] <= bounds[1] else Period()


def _volumes(
    part: Element, file: _File, warnings: list[str], lower: Level, upper: Level, depth: int
) -> Iterator[Volume]:
    """Each component's volumes. An outline that a component takes from another airspace keeps this one's limits."""
    if depth > NESTING_MAX:
        raise InputError(f"airspaces made of airspaces more than {NESTING_MAX} deep", where=f"line {part.line}")
    for component in _path(part, "geometryComponent", "AirspaceGeometryComponent"):
        operation = component.word("operation").upper()
        if operation in ("SUBTR", "INTERS"):
            # The whole is then larger than the airspace: never smaller, and said.
            said = "taken away from" if operation == "SUBTR" else "intersected with"
            warnings.append(f"a part {said} the airspace is not used: the zone is larger than the airspace")
            continue
        for volume in _path(component, "theAirspaceVolume", "AirspaceVolume"):
            low, high = _limit(volume, "lower", lower), _limit(volume, "upper", upper)
            for projection in volume.all("horizontalProjection"):
                for shape in _surface(projection, file, warnings):
                    yield Volume(shape, low, high)
            for dependency in _path(volume, "contributorAirspace", "AirspaceVolumeDependency", "theAirspace"):
                reference = dependency.attributes.get("href", "").rpartition(":")[2].lstrip("#")
                other = file.by_id.get(reference)
                if other is None:
                    raise InputError(
                        f"it takes its outline from airspace {reference or '?'}, which is not in this file",
                        where=f"line {dependency.line}",
                    )
                file.followed.append(reference)
                if len(file.followed) > REFERENCES_MAX:
                    raise LimitExceeded(
                        f"more than {REFERENCES_MAX:,} outlines taken from other airspaces", where=f"line {part.line}"
                    )
                yield from _volumes(_slice(other), file, warnings, low, high, depth + 1)


def _limit(volume: Element, side: str, missing: Level) -> Level:
    element = volume.child(f"{side}Limit")
    if element is None or not element.text.strip() or element.attributes.get("nilReason"):
        return missing
    upper = side == "upper"
    value, unit = element.text.strip(), element.attributes.get("uom", "")
    if value.upper() in ("GND", "SFC", "FLOOR") and not upper:
        return UNBOUNDED
    if value.upper() in ("UNL", "CEILING") and upper:
        return UNBOUNDED
    try:
        number: object = float(value)
    except ValueError:
        number = value
    datum = {"SFC": "AGL", "W84": "WGS84"}.get(volume.word(f"{side}LimitReference").upper())
    try:
        level = level_of(number, unit, datum or volume.word(f"{side}LimitReference"), upper=upper)
    except InputError as error:
        raise InputError(f"{side} limit: {error.message}", where=f"line {element.line}") from None
    return UNBOUNDED if not upper and level.datum is Datum.AGL and level.value == 0.0 else level


def _surface(projection: Element, file: _File, warnings: list[str]) -> Iterator[Shape]:
    for surface in projection.children:
        axes = _axes(surface)
        for patch in _path(surface, "patches", "PolygonPatch"):
            yield _polygon(patch, axes, file, warnings)
        if surface.name == "Polygon":
            yield _polygon(surface, axes, file, warnings)


@dataclass(frozen=True, slots=True)
class _Axes:
    """What the coordinate reference system says: which axis comes first, and how vertices are joined."""

    latitude_first: bool

    @property
    def edge_type(self) -> EdgeType:
        return EdgeType.GEODESIC if self.latitude_first else EdgeType.STRAIGHT

    def bearing(self, angle_deg: float) -> float:
        """GML angles run from the first axis to the second: from north clockwise, or from east anticlockwise."""
        return angle_deg if self.latitude_first else 90.0 - angle_deg


def _axes(surface: Element) -> _Axes:
    name = next((e.attributes["srsName"] for e in _descendants(surface) if "srsName" in e.attributes), "")
    if not name or name.endswith(("4326", "4979")):
        return _Axes(latitude_first=True)
    if "CRS84" in name.upper():
        return _Axes(latitude_first=False)
    raise InputError(f"coordinates in {name[:60]!r}: only EPSG:4326 and CRS84 are read", where=f"line {surface.line}")


def _polygon(patch: Element, axes: _Axes, file: _File, warnings: list[str]) -> Shape:
    rings: list[list[LonLat]] = []
    edges = {axes.edge_type}
    for boundary in (*patch.all("exterior"), *patch.all("interior")):
        for ring in boundary.children:
            drawn = _ring(ring, axes, file, edges)
            if isinstance(drawn, Circle):
                if len(_path(patch, "interior")):
                    raise InputError("a circle with holes is not read", where=f"line {ring.line}")
                return drawn
            rings.append(drawn)
    edge_type = EdgeType.GEODESIC if EdgeType.GEODESIC in edges else axes.edge_type
    said: list[str] = []
    polygon = check_polygon(rings, edge_type, where=f"line {patch.line}", closed=False, warnings=said)
    warnings.extend(said)
    return Polygon(polygon.exterior, polygon.holes, edge_type)


def _ring(ring: Element, axes: _Axes, file: _File, edges: set[EdgeType]) -> list[LonLat] | Circle:
    """A LinearRing, or a Ring of curves; a ring that is one circle stays one."""
    if ring.name == "LinearRing":
        return list(_positions(ring, axes, file))
    vertices: list[LonLat] = []
    for curve in _path(ring, "curveMember"):
        for segment in _segments(curve):
            if segment.name == "CircleByCenterPoint":
                return _circle(segment, axes, file)
            if segment.name == "GeodesicString":
                edges.add(EdgeType.GEODESIC)
            if segment.name == "ArcByCenterPoint":
                arc = _arc(segment, axes, file)
                file.arc_vertices += len(arc)
                if file.arc_vertices > ARC_VERTICES_MAX:
                    raise LimitExceeded(
                        f"the file's arcs have more than {ARC_VERTICES_MAX:,} vertices: split it",
                        where=f"line {segment.line}",
                    )
                vertices.extend(arc)
            elif segment.name in ("ArcString", "Arc", "Circle"):
                raise InputError(f"a {segment.name} through three points is not read", where=f"line {segment.line}")
            else:
                vertices.extend(_positions(segment, axes, file))
    return vertices


def _segments(curve: Element) -> Iterator[Element]:
    for inner in curve.children:
        if inner.name in ("Curve", "OrientableCurve"):
            for segments in inner.all("segments"):
                yield from segments.children
            for base in inner.all("baseCurve"):
                yield from _segments(base)
        elif inner.name == "LineString":
            yield inner
        elif inner.name:
            raise InputError(f"a {inner.name} as part of an outline is not read", where=f"line {inner.line}")
    if not curve.children and "href" in curve.attributes:
        raise InputError("the outline refers to a border kept elsewhere", where=f"line {curve.line}")


def _positions(element: Element, axes: _Axes, file: _File) -> Iterator[LonLat]:
    for child in element.children:
        where = f"line {child.line}"
        if child.name in ("pos", "posList"):
            words = child.text.split()
            size = 3 if child.attributes.get("srsDimension", element.attributes.get("srsDimension")) == "3" else 2
            if len(words) % size or (child.name == "pos" and len(words) not in (2, 3)):
                raise InputError(f"{len(words)} numbers make no positions", where=where)
            step = len(words) if child.name == "pos" else size
            for i in range(0, len(words), step):
                try:
                    first, second = float(words[i]), float(words[i + 1])
                except ValueError:
                    raise InputError(f"{' '.join(words[i : i + 2])[:40]!r} is no position", where=where) from None
                yield (
                    check_position(second, first, where=where)
                    if axes.latitude_first
                    else check_position(first, second, where=where)
                )
        elif child.name in ("pointProperty", "pointRep"):
            reference = child.attributes.get("href", "").rpartition("#")[2]
            point = child.children[0] if child.children else file.points.get(reference)
            if point is None:
                raise InputError(f"the point {reference[:60]!r} is not in this file", where=where)
            yield from _positions(point, axes, file)


def _centre_and_radius(segment: Element, axes: _Axes, file: _File) -> tuple[LonLat, float]:
    where = f"line {segment.line}"
    centres = list(_positions(segment, axes, file))
    radius = segment.child("radius")
    if len(centres) != 1 or radius is None:
        raise InputError("an arc or circle needs one centre and a radius", where=where)
    unit = radius.attributes.get("uom", "M").upper()
    try:
        return centres[0], float(radius.text) * _UNIT_M[unit]
    except ValueError:
        raise InputError(f"the radius {radius.text[:20]!r} is no number", where=where) from None
    except KeyError:
        raise InputError(f"the radius's unit {unit[:20]!r} is not known", where=where) from None


def _circle(segment: Element, axes: _Axes, file: _File) -> Circle:
    (lon, lat), radius_m = _centre_and_radius(segment, axes, file)
    return Circle(lon, lat, radius_m)


def _arc(segment: Element, axes: _Axes, file: _File) -> list[LonLat]:
    """From the start angle to the end angle, in the sense in which the angle grows or falls (OGC 12-028r1 §7.10)."""
    centre, radius_m = _centre_and_radius(segment, axes, file)
    angles: list[float] = []
    for name in ("startAngle", "endAngle"):
        child = segment.child(name)
        try:
            value = float(child.text) if child is not None else math.nan
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(f"{name} is missing or no number", where=f"line {segment.line}")
        radians = child is not None and child.attributes.get("uom", "deg").lower() == "rad"
        angles.append(axes.bearing(math.degrees(value) if radians else value))
    return arc_by_bearings(centre, radius_m, angles[0], angles[1], clockwise=angles[1] > angles[0])

"""Declared volumes in the JSON of ASTM F3548-21: ``Volume4D``, alone, in lists, in operational intents, in lines.

Source: F3548-21 Annex A4 (``Volume4D``, ``Volume3D``, ``Polygon``, ``Circle``, ``Altitude``, ``Time``). Edges are
shortest lines, altitudes metres above the WGS84 ellipsoid, a missing limit or time is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from keepclear.edge.volume_reading import VolumeReading
from keepclear.errors import InputError, LimitExceeded
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level, parse_instant
from keepclear.space.geometry import EdgeType, Shape
from keepclear.zones.outline_checks import check_circle, check_polygon
from keepclear.zones.strict_json import Node, load, within

__all__ = ["looks_like_lines", "read"]

_LISTS = ("volumes", "off_nominal_volumes", "extents", "volumes_of_interest")
"""Members that hold lists of Volume4D, in F3548's operational intents, constraints and requests."""
_HOLDERS = ("operational_intent", "constraint", "details", "flight_plan", "basic_information")
_COLLECTIONS = ("operational_intents", "constraints", "declarations")


def looks_like_lines(data: bytes) -> bool:
    """Is it one object a line?"""
    lines = data.lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n", 2)
    return len(lines) > 1 and lines[0].rstrip().endswith(b"}") and lines[1].lstrip()[:1] in (b"{", b"")


def read(data: bytes, source: str) -> VolumeReading:
    """The volumes of a JSON text or of JSON lines; raises :class:`InputError` where it is neither."""
    reading = VolumeReading(source)
    if not looks_like_lines(data):
        document = load(data, source=source)
        root = Node(document.value)
        elements = list(root.items()) if isinstance(document.value, list) else [root]
        for index, element in enumerate(elements):
            place = document.place("", index) if element.path else ""
            _read_declaration(element, f"{index + 1}", place, reading)
        return reading
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            try:
                element = Node(load(line).value)
            except LimitExceeded:
                raise
            except InputError as error:
                reading.refuse(f"line {number}", error.message)
                continue
            _read_declaration(element, f"{number}", f"line {number}", reading)
    return reading


def _read_declaration(element: Node, number: str, place: str, reading: VolumeReading) -> None:
    """Everything in one element; what is broken is refused and the rest of it kept."""
    before = len(reading.volumes) + len(reading.problems)
    try:
        for name, volume in _volumes_of(element, number):
            where = within(place, element, volume.path) or place
            try:
                _add(volume, name, where, reading)
            except LimitExceeded:
                raise
            except InputError as error:
                reading.refuse(within(place, element, error.where) or where, error.message)
    except LimitExceeded:
        raise
    except InputError as error:
        reading.refuse(within(place, element, error.where), error.message)
        return
    if len(reading.volumes) + len(reading.problems) == before:
        reading.refuse(place, "no volume in it: a Volume4D has a member «volume», an operational intent «volumes»")


def _volumes_of(element: Node, number: str) -> Iterator[tuple[str, Node]]:
    """(id of the declaration, Volume4D) of an element, however the exchange wraps them; no recursion, few levels."""
    waiting = [(element, number)]
    while waiting:
        node, name = waiting.pop()
        name = _id(node, name)
        if node.has("volume"):
            yield name, node
            continue
        for key in _COLLECTIONS:
            if node.has(key):
                inside = list(node[key].items())
                waiting.extend((item, f"{name}.{k + 1}") for k, item in reversed(list(enumerate(inside))))
        waiting.extend((node[key], name) for key in reversed(_HOLDERS) if node.has(key))
        for key in _LISTS:
            if node.has(key):
                for item in node[key].items():
                    if not item.has("volume"):
                        item.refuse("a Volume4D with a member «volume» is expected here")
                    yield name, item


def _id(node: Node, name: str) -> str:
    for holder in (node, node["reference"]) if node.has("reference") else (node,):
        value = holder["id"].value if holder.has("id") else None
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return name


def _add(node: Node, name: str, place: str, reading: VolumeReading) -> None:
    volume = node["volume"]
    lower, upper = _altitude(volume, "altitude_lower"), _altitude(volume, "altitude_upper")
    from_s, to_s = _time(node, "time_start", -math.inf), _time(node, "time_end", math.inf)
    warnings: list[str] = []
    shape = _outline(volume, warnings)
    reading.add(name, shape, lower=lower, upper=upper, from_s=from_s, to_s=to_s, place=place)
    for warning in warnings:
        reading.warn(place, warning)


def _outline(volume: Node, warnings: list[str]) -> Shape:
    if volume.has("outline_circle") == volume.has("outline_polygon"):
        volume.refuse("exactly one of outline_circle and outline_polygon is needed")
    if volume.has("outline_circle"):
        circle = volume["outline_circle"]
        radius = circle["radius"]
        if radius.has("units"):
            radius["units"].one_of("M")
        lon, lat = _position(circle["center"])
        return check_circle(lon, lat, radius["value"].number(), where=circle.path)
    vertices = volume["outline_polygon"]["vertices"]
    ring = [_position(vertex) for vertex in vertices.items()]
    return check_polygon([ring], EdgeType.GEODESIC, where=vertices.path, closed=False, warnings=warnings)


def _position(node: Node) -> tuple[float, float]:
    return node["lng"].number(), node["lat"].number()


def _altitude(volume: Node, key: str) -> Level:
    if not volume.has(key):
        return UNBOUNDED
    altitude = volume[key]
    altitude["reference"].one_of("W84")
    altitude["units"].one_of("M")
    return Level(altitude["value"].number(), LengthUnit.METRE, Datum.WGS84)


def _time(node: Node, key: str, missing: float) -> float:
    if not node.has(key):
        return missing
    time = node[key]
    if isinstance(time.value, dict):
        if time.has("format"):
            time["format"].one_of("RFC3339")
        time = time["value"]
    try:
        return parse_instant(time.text())
    except InputError as error:
        raise InputError(error.message, where=time.path) from None

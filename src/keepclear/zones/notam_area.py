"""Shapes that the text of a NOTAM (item E) describes: polygons, circles, arcs; and why it could not be understood.

Edges between published vertices are geodesics, as AIXM and EUROCONTROL's encoding guidelines read them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from keepclear.errors import InputError
from keepclear.quantities import FOOT_M, NAUTICAL_MILE_M
from keepclear.space.geometry import Circle, EdgeType, LonLat, Shape
from keepclear.zones.arcs import arc_between
from keepclear.zones.coordinates import Found, find_positions, join_broken_lines
from keepclear.zones.corridor import corridor
from keepclear.zones.outline_checks import check_polygon

__all__ = ["AreaReading", "read_area"]

POSITIONS_MAX, ARCS_MAX = 1_000, 100
"""One NOTAM; the 1,800 characters of an AFTN message hold 130 positions, and few NOTAMs have more than two parts."""

_UNIT_M = {"NM": NAUTICAL_MILE_M, "NMR": NAUTICAL_MILE_M, "KM": 1000.0, "M": 1.0, "MTR": 1.0, "METERS": 1.0,
           "METRES": 1.0, "FT": FOOT_M, "SM": 1609.344, "KILOMETRES": 1000.0,
           "NAUTICAL MILES": NAUTICAL_MILE_M}  # fmt: skip
_LENGTH = (
    r"(?<![\d.,])(?P<value>\d{1,6}(?:[.,]\d{1,6})?)\s*-?"
    r"(?P<unit>NAUTICAL MILES|KILOMETRES|NMR|NM|KM|METERS|METRES|MTR|M|FT|SM)\b"
)
_RADIUS = re.compile(
    rf"\b(?:RADIUS|RAD|WITHIN|WI|CIRCLE)\b[\s:=,]*(?:(?:A|AN|OF|IS|THE|WITH|RADIUS|RAD|CIRCLE|AREA)\b[\s:=,]*){{0,5}}{_LENGTH}"
    rf"|{_LENGTH.replace('<value>', '<value2>').replace('<unit>', '<unit2>')}\s*(?:RADIUS|RAD\b|CIRCLE)"
    r"|(?<![\d.,])(?P<value4>\d{1,6}(?:[.,]\d{1,6})?)\s*(?P<unit4>NMR)\b"
    rf"|\bR(?:AD|ADIUS)?\s*=?\s*{_LENGTH.replace('<value>', '<value3>').replace('<unit>', '<unit3>')}"
)
_CORRIDOR = re.compile(
    r"\b(?:EITHER SIDE|EACH SIDE|BOTH SIDES|CENTRE ?LINE|CENTER ?LINE|CORRIDOR|OF (?:A |THE )?(?:LINE|TRACK|ROUTE))\b"
)
_EITHER_SIDE = re.compile(r"\b(?:EITHER|EACH|BOTH) SIDES?\b|^\s*OF (?:A |THE )?(?:LINE|TRACK|ROUTE)\b")
_BORDER = re.compile(r"\b(?:BOUNDARY|BOUNDARIES|BORDER|BORDERS|COAST|COASTLINE|SHORE|SHORELINE|RIVER|FRONTIER|ALONG)\b")
_ARC = re.compile(
    r"\b(?:ARC|CLOCKWISE|ANTI-?\s?CLOCKWISE|COUNTER-?\s?CLOCKWISE|CW|CCW|CENTRED|CENTERED|CENTRE|CENTER)\b"
)
_ANTICLOCKWISE = re.compile(r"\b(?:ANTI-?\s?CLOCKWISE|COUNTER-?\s?CLOCKWISE|CCW)\b")
_CLOCKWISE = re.compile(r"\b(?:CLOCKWISE|CW)\b")
_JOINT = re.compile(
    r"(?:[\s\-–—,;:./()>+\"'°*]|\d{1,3}[.):]|\b(?:TO|THEN|THENCE|AND|POINT|POINTS|PT|PSN|POSITION|VIA|NEXT|LINE|STRAIGHT|BY|A"
    r"|UNTIL|WITH|GEODESIC|GREAT CIRCLE|[A-Z]|\d{1,2})\b)*"
)
_LABEL = re.compile(r"(?<!\S)\d{1,2}[.):](?!\d)")
_LINK = re.compile(
    r"\s*(?:\([^)]*\)\s*)?(?:(?:RADIUS|CIRCLE)\s*)?"
    r"(?:CENTRED|CENTERED|CENTRE|CENTER|OF|AROUND|ROUND|FROM|FM|ON|ABOUT|AT|BTN)\b"
)
_ARC_OF = re.compile(r"\b(?:ARC|(?:(?:ANTI|COUNTER)-?\s?)?CLOCKWISE|C?CW)\b")
_CIRCLE_JOINT_MAX = 90
"""Characters between a radius and its centre: «RADIUS CENTRED ON AERODROME REFERENCE POINT (ARP) …»."""


@dataclass(frozen=True, slots=True)
class AreaReading:
    """``shapes`` may be empty. ``trouble`` says why the shapes are not the whole truth: then they must not be used."""

    shapes: tuple[Shape, ...] = ()
    positions: int = 0
    trouble: str = ""


def read_area(text: str) -> AreaReading:
    """All shapes which the text gives by coordinates. Raises :class:`InputError` for a position not on Earth."""
    text = " ".join(join_broken_lines(text.upper()).split())
    found = list(find_positions(text))
    if not found:
        return AreaReading()
    if len(found) > POSITIONS_MAX or len(_ARC_OF.findall(text)) > ARCS_MAX:
        return AreaReading((), len(found), f"item E) gives more than {POSITIONS_MAX} positions or {ARCS_MAX} arcs")
    shapes: list[Shape] = []
    used: set[int] = set()
    try:
        trouble = _circles(text, found, shapes, used) or _polygons(text, found, shapes, used)
    except InputError as error:
        trouble = error.message
    if not trouble and not shapes and len(found) == 2:
        trouble = "item E) gives two positions, which make a line and no area"
    return AreaReading(() if trouble else tuple(shapes), len(found), trouble)


def _circles(text: str, found: list[Found], shapes: list[Shape], used: set[int]) -> str:
    previous_end = -1_000
    for match in _RADIUS.finditer(text):
        after = next((i for i, f in enumerate(found) if f.start >= match.end()), None)
        before = max((i for i, f in enumerate(found) if f.end <= match.start()), default=None)
        following = text[match.end() : found[after].start] if after is not None else ""
        if _CORRIDOR.search(following[:120]) or _CORRIDOR.search(text[match.end() : match.end() + 60]):
            if after is None or not _EITHER_SIDE.search(following[:120]):
                return "item E) describes a strip without saying how wide it is to either side"
            last = after
            while last + 1 < len(found) and _JOINT.fullmatch(text[found[last].end : found[last + 1].start]):
                last += 1
            if last == after:
                return "item E) describes a strip along a line that it does not give by coordinates"
            line = [here.position for here in found[after : last + 1]]
            half_width_m = _length_m(match)
            shapes.extend(corridor(line, half_width_m))
            # «Within» a distance of the line is also beyond its two ends.
            shapes.extend(Circle(lon, lat, half_width_m) for lon, lat in (line[0], line[-1]))
            used.update(range(after, last + 1))
            continue
        if _ARC_OF.search(text[found[before].end if before is not None else 0 : match.end()] + following):
            continue  # the radius of an arc, which belongs to a polygon
        linked = _LINK.match(text, match.end())  # «… of», «… centred on»: the centre comes after the radius
        closely = (
            before is not None
            and before not in used
            and not linked
            and _JOINT.fullmatch(text[found[before].end : match.start()])
        )
        free = after is not None and after not in used and len(following) <= _CIRCLE_JOINT_MAX and ". " not in following
        if closely and before is not None:
            centre = before
        elif free and after is not None:
            centre = after
        elif match.start() - previous_end <= 20:
            previous_end = match.end()  # the same radius in another unit: «5KM (2.7NM RADIUS)»
            continue
        else:
            return "item E) speaks of a radius around something that it does not give by coordinates"
        previous_end = match.end()
        lon, lat = found[centre].position
        shapes.append(Circle(lon, lat, _length_m(match)))
        used.add(centre)
    return ""


def _length_m(match: re.Match[str]) -> float:
    value = match["value"] or match["value2"] or match["value3"] or match["value4"]
    unit = match["unit"] or match["unit2"] or match["unit3"] or match["unit4"]
    return float(value.replace(",", ".")) * _UNIT_M[unit]


def _arc_direction(words: str) -> bool | None:
    """True clockwise, False anticlockwise, None where the words say neither."""
    if _ANTICLOCKWISE.search(words):
        return False
    return True if _CLOCKWISE.search(words) else None


def _polygons(text: str, found: list[Found], shapes: list[Shape], used: set[int]) -> str:
    ring: list[LonLat] = []
    previous: Found | None = None
    index = 0
    joints = [text[a.end : b.start] for a, b in pairwise(found)]
    # «1.» before every position numbers the vertices, before some of them it numbers the areas.
    numbers_areas = not all(_LABEL.search(joint) for joint in joints)
    while index < len(found):
        if index in used:
            _close(ring, shapes)
            ring, previous = [], None
            index += 1
            continue
        here = found[index]
        joint = text[previous.end : here.start] if previous else ""
        if previous and ring and _BORDER.search(joint):
            return "item E) follows a boundary, a border or a coast that it does not give by coordinates"
        if previous and ring and _ARC.search(joint):
            clockwise = _arc_direction(joint)
            if index + 1 < len(found) and clockwise is None:
                clockwise = _arc_direction(text[here.end : found[index + 1].start])
            if clockwise is None or (index + 1 >= len(found) and len(ring) < 2):
                return "item E) describes an arc without saying which way round it goes or where it ends"
            end = found[index + 1] if index + 1 < len(found) else None
            target = end.position if end else ring[0]
            ring.extend(arc_between(here.position, ring[-1], target, clockwise=clockwise)[1:])
            previous = end or here
            index += 2
            continue
        if previous and (not _JOINT.fullmatch(joint) or (numbers_areas and _LABEL.search(joint))):
            _close(ring, shapes)
            ring = []
        if len(ring) >= 3 and here.position == ring[0]:
            _close(ring, shapes)
            ring, previous = [], None
        else:
            ring.append(here.position)
            previous = here
        index += 1
    if previous and len(ring) >= 2 and _BORDER.search(text[previous.end : previous.end + 80]) and re.search(
        r"\bALONG\b", text[previous.end : previous.end + 80]
    ):  # fmt: skip
        return "item E) follows a boundary, a border or a coast that it does not give by coordinates"
    _close(ring, shapes)
    return ""


def _close(ring: list[LonLat], shapes: list[Shape]) -> None:
    distinct = [position for i, position in enumerate(ring) if i == 0 or position != ring[i - 1]]
    if len(distinct) > 1 and distinct[0] == distinct[-1]:
        distinct.pop()
    if len(distinct) >= 3:
        shapes.append(check_polygon([distinct], EdgeType.GEODESIC, closed=False))

"""OpenAir airspace files, the classic and the extended records, read and written.

One block, from an AC record to the next, is one zone; a block with a broken line is reported and left out, the rest
loads. Edges are geodesics; arcs become vertices within a metre of the arc; a DC is a true circle.

Sources: WinPilot's OpenAir description (records AC AN AH AL AF AG AT TO SP SB V DP DA DB DC DY) and Naviter's
extension (AI AY AX AA), as they are used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from keepclear.errors import InputError, LimitExceeded
from keepclear.quantities import NAUTICAL_MILE_M, UNBOUNDED, Datum, Level, format_instant, parse_instant
from keepclear.space.geometry import Circle, EdgeType, LonLat, Polygon, Shape
from keepclear.zones.arcs import arc_between, arc_by_bearings
from keepclear.zones.coordinates import find_positions, read_position
from keepclear.zones.corridor import corridor
from keepclear.zones.level_text import read_limit, write_limit
from keepclear.zones.model import Period, Restriction, Volume, Zone, ZoneOrigin, ZoneType
from keepclear.zones.outline_checks import check_polygon
from keepclear.zones.plain_text import decoded
from keepclear.zones.reading import Loss, Problem, Severity, ZoneReading, ZoneWriting
from keepclear.zones.redraw import redrawn

__all__ = ["looks_like", "read", "write"]

VERTICES_MAX = 200_000
"""One block; the largest seen in national files has some 5,000."""
FILE_VERTICES_MAX = 3_000_000
"""All blocks together, some 300 MB: one line can ask for an arc of 5,000 vertices, so no file's size bounds them."""
LINE_MAX = 2_000
"""One line: a record is a name or a coordinate; longer is no OpenAir."""

_RECORD = re.compile(r"[ \t]*([A-Z]{2}|V)(?:[ \t]+|(?=[XDWZ]\s*=)|$)(.*)")
_KEPT = ("AC", "AY", "AF", "AG", "AX", "AA", "AT", "AI", "SP", "SB", "TO", "TC", "TW")
"""Records kept word for word, so that writing OpenAir again loses nothing."""
_VARIABLE = re.compile(r"([XDWZ])\s*=\s*(.+)", re.IGNORECASE)
_KINDS: dict[str, tuple[ZoneType, Restriction]] = {
    "P": (ZoneType.PROHIBITED, Restriction.PROHIBITED),
    "R": (ZoneType.RESTRICTED, Restriction.REQ_AUTHORISATION),
    "Q": (ZoneType.DANGER, Restriction.CONDITIONAL),
    "GP": (ZoneType.RESTRICTED, Restriction.CONDITIONAL),
    "NFZ": (ZoneType.NFZ, Restriction.PROHIBITED),
    "TRA": (ZoneType.RESTRICTED, Restriction.REQ_AUTHORISATION),
    "TSA": (ZoneType.RESTRICTED, Restriction.REQ_AUTHORISATION),
    "ADIZ": (ZoneType.ADIZ, Restriction.CONDITIONAL),
    "ASRA": (ZoneType.SPECIAL_CAUTION, Restriction.CONDITIONAL),
}
_OF_AIRSPACE = (ZoneType.AIRSPACE, Restriction.NO_RESTRICTION)
_WRITTEN: dict[ZoneType, str] = {
    ZoneType.PROHIBITED: "P", ZoneType.NFZ: "P", ZoneType.NO_ENTRY_TERRITORY: "P", ZoneType.HUMANITARIAN: "P",
    ZoneType.RESTRICTED: "R", ZoneType.ADIZ: "R", ZoneType.DANGER: "Q", ZoneType.SPECIAL_CAUTION: "Q",
    ZoneType.THIRD_PARTY_TERRITORY: "UNC", ZoneType.AIRSPACE: "UNC",
}  # fmt: skip
_UNHELD = (
    "version", "country", "authorities", "decision_ref", "recognition", "restriction_conditions", "reasons",
    "other_reason", "subject", "exemptions", "buffer_lateral_m", "buffer_vertical_m", "accuracy_m", "status",
    "supersedes", "text",
)  # fmt: skip


@dataclass(slots=True)
class _Block:
    """What has been read of one airspace so far."""

    line: int
    kind: str
    name: str = ""
    lower: Level = UNBOUNDED
    upper: Level = UNBOUNDED
    limits: set[str] = field(default_factory=set)
    centre: LonLat | None = None
    clockwise: bool = True
    width_m: float = 0.0
    vertices: list[LonLat] = field(default_factory=list)
    airway: list[LonLat] = field(default_factory=list)
    circle: Circle | None = None
    whole_turn: tuple[LonLat, float] | None = None
    kept: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    warnings: list[tuple[int, str]] = field(default_factory=list)
    broken: tuple[int, str] | None = None


def looks_like(head: bytes) -> bool:
    lines = [line.strip() for line in head.splitlines() if line.strip()]
    records = [line for line in lines if not line.startswith(b"*")]
    if not records:
        return len(lines) > 2  # nothing but OpenAir's comments so far
    return bool(re.match(rb"AC[ \t]+[A-Za-z]+", records[0])) or bool(
        re.search(
            rb"^[ \t]*AC[ \t]+[A-Z]{1,4}\b[^\n]*\n(?:\*[^\n]*\n|[ \t\r]*\n)*[ \t]*A[A-Z][ \t]", head, re.MULTILINE
        )
    )


def read(data: bytes, source: str) -> ZoneReading:
    """The zones of an OpenAir file, one a block. Raises :class:`InputError` where there is no AC record at all."""
    blocks: list[_Block] = []
    problems: list[Problem] = []
    vertices = 0
    for number, raw in enumerate(decoded(data).split("\n"), 1):
        line = raw.split("*", 1)[0].rstrip() if not raw.lstrip().startswith("*") else ""
        if not line.strip():
            continue
        record = _RECORD.match(line) if len(line) <= LINE_MAX else None
        if record and record[1] == "AC":
            blocks.append(_Block(number, record[2].strip(), kept={"AC": record[2].strip()}))
        elif blocks and blocks[-1].broken is None:
            before = len(blocks[-1].vertices)
            try:
                _take(blocks[-1], number, record, line)
            except InputError as error:
                blocks[-1].broken = (number, error.message)
            vertices += len(blocks[-1].vertices) - before
            if vertices > FILE_VERTICES_MAX:
                raise LimitExceeded(
                    f"the outlines have more than {FILE_VERTICES_MAX:,} vertices: split the file",
                    where=f"line {number}", source=source,
                )  # fmt: skip
        elif not blocks and (not record or record[1] not in ("TO", "SP", "SB", "TC", "TW")):
            problems.append(Problem(source, f"line {number}", f"{line.strip()[:40]!r} before the first AC: not used",
                                    Severity.WARNING))  # fmt: skip
    if not blocks:
        raise InputError("no airspace found: a block begins with a line like «AC R»", source=source)
    zones: list[Zone] = []
    taken: dict[str, int] = {}
    for block in blocks:
        try:
            if block.broken:
                raise InputError(block.broken[1], where=f"line {block.broken[0]}")
            zones.append(_zone(block, source, taken))
        except InputError as error:
            place = error.where if error.where.startswith("line") else f"line {block.line}"
            named = f" ({block.name})" if block.name else ""
            problems.append(Problem(source, f"{place}, airspace of line {block.line}{named}", error.message))
            continue
        problems.extend(Problem(source, f"line {n}", said, Severity.WARNING) for n, said in block.warnings)
        if block.unknown:
            said = f"records {', '.join(dict.fromkeys(block.unknown))} are not known here and not used"
            problems.append(Problem(source, f"line {block.line}", said, Severity.WARNING))
    return ZoneReading(tuple(zones), tuple(problems))


def _take(block: _Block, number: int, record: re.Match[str] | None, line: str) -> None:
    """One record into the block."""
    if record is None:
        raise InputError(f"{line.strip()[:60]!r} is no OpenAir record")
    code, rest = record[1], record[2].strip()
    if code == "AN":
        block.name = rest
    elif code in ("AL", "AH"):
        level = read_limit(rest, upper=code == "AH")
        block.limits.add(code)
        if code == "AL":
            block.lower = level
        else:
            block.upper = level
    elif code == "V":
        _variable(block, rest)
    elif code == "DP":
        block.vertices.append(read_position(rest))
    elif code == "DA":
        _arc_by_bearings(block, rest)
    elif code == "DB":
        _arc_between(block, rest)
    elif code == "DC":
        block.circle = Circle(*_centre(block), _number(rest, "DC") * NAUTICAL_MILE_M)
    elif code == "DY":
        block.airway.append(read_position(rest))
    elif code in _KEPT:
        block.kept[code] = rest
        if code == "AA" and rest.upper() != "NONE" and _activation(rest) is None:
            block.warnings.append((number, f"activation {rest[:60]!r} is not understood: taken as always in force"))
    else:
        block.unknown.append(code)
    if len(block.vertices) > VERTICES_MAX:
        raise InputError(f"more than {VERTICES_MAX:,} vertices in one airspace")


def _variable(block: _Block, text: str) -> None:
    match = _VARIABLE.fullmatch(text)
    if not match:
        raise InputError(f"{text!r} is no variable: X=, D=, W= or Z= is meant")
    name, value = match[1].upper(), match[2].strip()
    if name == "X":
        block.centre = read_position(value)
    elif name == "D":
        if value[:1] not in "+-":
            raise InputError(f"V D={value!r}: + (clockwise) or - is meant")
        block.clockwise = value[:1] == "+"
    elif name == "W":
        block.width_m = _number(value, "V W=") * NAUTICAL_MILE_M


def _arc_by_bearings(block: _Block, text: str) -> None:
    parts = text.split(",")
    if len(parts) != 3:
        raise InputError(f"DA {text!r}: radius, start and end bearing are meant")
    radius_m = _number(parts[0], "DA") * NAUTICAL_MILE_M
    start, end = _number(parts[1], "DA"), _number(parts[2], "DA")
    centre = _centre(block)
    if abs(end - start) >= 360.0 or (start - end) % 360.0 == 0.0:
        block.whole_turn = (centre, radius_m)
        end = start
    block.vertices.extend(arc_by_bearings(centre, radius_m, start, end, clockwise=block.clockwise))


def _arc_between(block: _Block, text: str) -> None:
    found = list(find_positions(text))
    if len(found) != 2:
        raise InputError(f"DB {text[:60]!r}: two positions, separated by a comma, are meant")
    start, end = found[0].position, found[1].position
    block.vertices.extend(arc_between(_centre(block), start, end, clockwise=block.clockwise))


def _centre(block: _Block) -> LonLat:
    if block.centre is None:
        raise InputError("an arc or a circle without a centre: «V X=…» must stand before it")
    return block.centre


def _number(text: str, where: str) -> float:
    match = re.fullmatch(r"\s*([+-]?\d+(?:\.\d*)?|\.\d+)\s*(?:NM|nm)?\s*", text)
    if not match:
        raise InputError(f"{where} {text.strip()[:40]!r} is no number")
    return float(match[1])


def _zone(block: _Block, source: str, taken: dict[str, int]) -> Zone:
    shapes = _shapes(block)
    if block.limits != {"AL", "AH"}:
        missing = " and ".join(sorted({"AL", "AH"} - block.limits))
        block.warnings.append((block.line, f"{missing} is missing: taken as unlimited on that side"))
    volumes = tuple(Volume(shape, block.lower, block.upper) for shape in shapes)
    identity = block.kept.get("AI") or block.name or f"line {block.line}"
    taken[identity] = taken.get(identity, 0) + 1
    # Several sectors of one airspace often share one name; an id must not.
    zone_id = identity if taken[identity] == 1 else f"{identity} #{taken[identity]}"
    kind = _KINDS.get(block.kept.get("AY", "").upper()) or _KINDS.get(block.kind.upper(), _OF_AIRSPACE)
    period = _activation(block.kept.get("AA", "NONE"))
    return Zone(
        id=zone_id, name=block.name, volumes=volumes, type=kind[0], restriction=kind[1],
        applicability=(period,) if period else (Period(),),
        origin=ZoneOrigin(source, f"line {block.line}", "openair"), extensions={"openair": dict(block.kept)},
    )  # fmt: skip


def _shapes(block: _Block) -> tuple[Shape, ...]:
    kinds = [bool(block.circle), bool(block.vertices), bool(block.airway)]
    if sum(kinds) > 1:
        raise InputError("a circle, an outline and an airway in one airspace: which is meant?")
    if block.circle:
        return (block.circle,)
    if block.whole_turn and len(block.vertices) and block.vertices[0] == block.vertices[-1]:
        return (Circle(*block.whole_turn[0], block.whole_turn[1]),)
    if block.airway:
        if block.width_m <= 0.0:
            raise InputError("an airway (DY) without its width: «V W=…» in nautical miles must stand before it")
        return corridor(block.airway, block.width_m / 2.0)
    if not block.vertices:
        raise InputError("the airspace has no outline")
    return (check_polygon([block.vertices], EdgeType.GEODESIC, closed=False),)


def _activation(text: str) -> Period | None:
    """Naviter's AA record: two instants with a slash between them; NONE at either side leaves it open."""
    if text.upper() == "NONE" or text.count("/") != 1:
        return None
    try:
        begin, end = (None if part.strip().upper() == "NONE" else parse_instant(part) for part in text.split("/"))
        return Period(-math.inf if begin is None else begin, math.inf if end is None else end)
    except InputError:
        return None


def write(zones: Iterable[Zone]) -> ZoneWriting:
    """One block a volume. What OpenAir has no record for is listed as lost; nothing is left out silently."""
    lines = ["* OpenAir, written by Keepclear. Positions are WGS84, edges geodesic.", ""]
    losses: list[Loss] = []
    for zone in zones:
        kept = {str(k): str(v) for k, v in zone.extensions.get("openair", {}).items()}
        _losses(zone, losses)
        zone = _as_geodesics(zone, losses)
        for volume in zone.volumes:
            code = _class_of(zone, kept)
            lines.append(f"AC {code}")
            lines.append(f"AN {_one_line(zone.name or zone.id)}")
            if _needs_id(zone, kept):
                lines.append(f"AI {_one_line(kept.get('AI') or zone.id)}")
            lines.extend(f"{k} {_one_line(v)}" for k, v in kept.items() if k not in ("AC", "AI", "AA") and k in _KEPT)
            period = _hull(zone)
            if "AA" in kept and period == (_activation(kept["AA"]) or Period()):
                lines.append(f"AA {_one_line(kept['AA'])}")
            elif period != Period():
                lines.append(f"AA {_instant(period.from_s)}/{_instant(period.to_s)}")
            lower, upper = _limits(volume)
            lines.append(f"AL {lower}")
            lines.append(f"AH {upper}")
            lines.extend(_outline(volume.shape))
            lines.append("")
    return ZoneWriting(("\n".join(lines) + "\n").encode(), tuple(losses))


def _instant(time_s: float) -> str:
    """To the millisecond; open where ISO 8601 has no such year."""
    try:
        return format_instant(time_s) or "NONE"
    except (ValueError, OverflowError, OSError):
        return "NONE"


def _limits(volume: Volume) -> tuple[str, str]:
    """The limits in words that can be read again; open on a side that has none, rather than no zone at all."""
    lower, upper = write_limit(volume.lower, upper=False), write_limit(volume.upper, upper=True)
    try:
        low = read_limit(lower, upper=False)
    except InputError:
        lower, low = "SFC", UNBOUNDED
    try:
        high = read_limit(upper, upper=True)
    except InputError:
        upper, high = "UNL", UNBOUNDED
    try:
        Volume(volume.shape, low, high)
    except InputError:  # a height above the ellipsoid, written as one above the sea, has come past the other limit
        return (lower, "UNL") if volume.upper.datum is Datum.WGS84 else ("SFC", upper)
    return lower, upper


def _hull(zone: Zone) -> Period:
    """From the first begin to the last end: rather in force too long than not at all."""
    return Period(min(p.from_s for p in zone.applicability), max(p.to_s for p in zone.applicability))


def _needs_id(zone: Zone, kept: dict[str, str]) -> bool:
    return "AI" in kept or re.sub(r" #\d+$", "", zone.id) != (zone.name or zone.id)


def _class_of(zone: Zone, kept: dict[str, str]) -> str:
    known = kept.get("AC")
    read_as = _KINDS.get(kept.get("AY", "").upper()) or _KINDS.get((known or "").upper(), _OF_AIRSPACE)
    return known if known and read_as[0] is zone.type else _WRITTEN[zone.type]


def _outline(shape: Shape) -> list[str]:
    if isinstance(shape, Circle):
        radius = _miles(shape.radius_m)
        return [f"V X={_position((shape.lon_deg, shape.lat_deg))}", f"DC {radius}"]
    return [f"DP {_position(vertex)}" for vertex in shape.exterior]


def _miles(metres: float) -> str:
    """Nautical miles with as many decimals as bring the metres back."""
    for decimals in range(7, 18):
        text = f"{metres / NAUTICAL_MILE_M:.{decimals}f}"
        if float(text) * NAUTICAL_MILE_M == metres:
            break
    return text.rstrip("0").rstrip(".")


def _position(position: LonLat) -> str:
    lon, lat = position
    return f"{_angle(lat, 2)} {'N' if lat >= 0 else 'S'} {_angle(lon, 3)} {'E' if lon >= 0 else 'W'}"


def _angle(degrees: float, width: int) -> str:
    """DD:MM:SS with as many decimals of a second as are needed, 0.3 mm at most."""
    hundred_thousandths = round(abs(degrees) * 3600.0 * 1e5)
    seconds, fraction = divmod(hundred_thousandths, 100_000)
    decimals = f".{fraction:05d}".rstrip("0").rstrip(".")
    return f"{seconds // 3600:0{width}d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{decimals}"


def _as_geodesics(zone: Zone, losses: list[Loss]) -> Zone:
    volumes = []
    for volume in zone.volumes:
        shape = volume.shape
        if isinstance(shape, Polygon) and shape.edge_type is not EdgeType.GEODESIC:
            again, more = redrawn(shape, EdgeType.GEODESIC)
            drawn = f"{shape.edge_type} edges are written as geodesics within a metre of them, {more:,} vertices more"
            losses.append(Loss(zone.id, "edge_type", drawn))
            volume = replace(volume, shape=again)
        volumes.append(volume)
    return replace(zone, volumes=tuple(volumes))


def _losses(zone: Zone, losses: list[Loss]) -> None:
    plain = Zone(id=zone.id, volumes=zone.volumes)
    for name in _UNHELD:
        if getattr(zone, name) != getattr(plain, name):
            losses.append(Loss(zone.id, name, "OpenAir has no record for it"))
    kept = {str(k): str(v) for k, v in zone.extensions.get("openair", {}).items()}
    code = _class_of(zone, kept)
    as_read = _KINDS.get(kept.get("AY", "").upper()) or _KINDS.get(code.upper(), _OF_AIRSPACE)
    if as_read != (zone.type, zone.restriction):
        losses.append(Loss(zone.id, "type", f"{zone.type}, {zone.restriction} is written as class {code}"))
    if len(zone.volumes) > 1:
        losses.append(Loss(zone.id, "volumes", f"{len(zone.volumes)} volumes become as many airspaces"))
    if len(zone.applicability) > 1 or zone.applicability[0].schedule or zone.applicability[0].end_estimated:
        losses.append(Loss(zone.id, "applicability", "one period over all of them, without schedule and estimate"))
    for time_s in (_hull(zone).from_s, _hull(zone).to_s):
        if math.isfinite(time_s) and ((text := _instant(time_s)) == "NONE" or parse_instant(text) != time_s):
            losses.append(Loss(zone.id, "applicability", f"an instant is written as {text}"))
    for name, text in (("name", zone.name or zone.id), ("id", zone.id)):
        if _one_line(text) != text:
            losses.append(
                Loss(zone.id, name, f"line breaks, asterisks and doubled blanks go: {_one_line(text)[:60]!r}")
            )
    for volume in zone.volumes:
        for level, text, upper in zip((volume.lower, volume.upper), _limits(volume), (False, True), strict=True):
            back = read_limit(text, upper=upper)
            ground = level.datum is Datum.AGL and level.value == 0.0
            if level != back and (level.datum, level.metres) != (back.datum, back.metres) and not ground:
                losses.append(Loss(zone.id, "limits", f"{level} is written as {text}"))
    for shape in dict.fromkeys(volume.shape for volume in zone.volumes):
        if isinstance(shape, Circle):
            continue
        if shape.holes:
            losses.append(Loss(zone.id, "holes", f"{len(shape.holes)} holes are left out: the zone becomes larger"))
    for name in zone.extensions:
        if name != "openair":
            losses.append(Loss(zone.id, f"extensions.{name}", "what another format carried is not written"))


def _one_line(text: str) -> str:
    return " ".join(text.replace("*", " ").split())

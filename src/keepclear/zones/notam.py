"""NOTAMs to zones: what is closed, where, how high, from when until when, and for whom not (read only).

One NOTAM is one zone. Where its area comes from is decided in this order and always said, in the zone's
``extensions["notam"]["geometry"]`` and as a warning wherever it is second best:

1. coordinates in item E), unless they follow a boundary that is not given;
2. the outlines of the flight information regions in item A) (from ``firs``), where E) speaks of them as a
   whole or the Q line's radius is 999;
3. the circle of the Q line, which is a search aid drawn around the area and so too large rather than too small.

Sources: ICAO Annex 15 (16th ed.) §6.3 and appendix 3, Doc 8126 ch. 6, Doc 8400 (NOTAM code), EUROCONTROL OPADD.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from keepclear.errors import InputError, UsageError
from keepclear.quantities import NAUTICAL_MILE_M, UNBOUNDED, Datum, LengthUnit, Level, format_instant
from keepclear.space.geometry import Circle, Shape
from keepclear.zones.fir import FirIndex
from keepclear.zones.level_text import read_limit
from keepclear.zones.model import (
    Category,
    Domain,
    Exemption,
    Period,
    Restriction,
    Subject,
    Volume,
    Zone,
    ZoneOrigin,
    ZoneStatus,
    ZoneType,
)  # fmt: skip
from keepclear.zones.notam_area import read_area
from keepclear.zones.notam_message import NotamMessage, QLine, read_instant, split_messages
from keepclear.zones.notam_schedule import read_schedule
from keepclear.zones.plain_text import decoded
from keepclear.zones.reading import Problem, Severity, Supersession, ZoneReading, ZoneWriting

__all__ = ["looks_like", "read", "superseded", "write"]

_LOOKS = re.compile(
    rb"[A-Z]\d{4}/\d{2}\s+NOTAM\s?[NRC]\b|\bQ\)\s*[A-Z]{4}\s*/\s*Q[A-Z]{4}|^!FDC\s+\d/\d{4}", re.MULTILINE
)
_FIR_WORDS = re.compile(r"\b(?:FIR|UIR|FIRS|UIRS|FLIGHT INFORMATION REGIONS?)\b")
_FIR_CODE = re.compile(r"\b([A-Z]{4})\s+(?:FIR|UIR)\b|\b(?:FIR|UIR)S?\s+([A-Z]{4})\b")
_CLOSED = re.compile(
    r"\b(?:CLSD|CLOSED|PROHIBITED|PROHIBITION|NO[- ]FLY|NOT (?:PERMITTED|ALLOWED)|FORBIDDEN|NOT AVBL|BANNED)\b"
)
_PERMISSION = re.compile(r"\b(?:PPR|PRIOR PERMISSION|AUTHORI[SZ]ATION|CLEARANCE REQUIRED|SUBJECT TO|WITH PERMISSION)\b")
_EXCEPTION = re.compile(
    r"(?:WITH THE EXCEPTION OF|\bEXCEPT(?:ION|IONS)?\b|\bEXEMPT(?:ED|ION|IONS)?\b|\bEXCLUDING\b|\bEXC\b"
    r"|(?:DOES|DO|SHALL) NOT APPLY|\bNOT APPLICABLE (?:TO|FOR)\b|\bOTHER THAN\b)"
)
_SENTENCE_END = re.compile(r"\.(?=\s+[A-Z0-9(]|\s*$)|\n\s*\n")
_CALLSIGN = re.compile(r"\b(?:CALL ?SIGNS?|C/S)\s+([A-Z]{2,3}\d{1,4}[A-Z]{0,2})\b")

_AIRSPACE_SUBJECTS: dict[str, tuple[ZoneType, str]] = {
    "AF": (ZoneType.NFZ, "flight information region"),
    "AT": (ZoneType.AIRSPACE, "terminal control area"), "AC": (ZoneType.AIRSPACE, "control zone"),
    "AE": (ZoneType.AIRSPACE, "control area"), "AH": (ZoneType.AIRSPACE, "upper control area"),
    "AU": (ZoneType.AIRSPACE, "upper flight information region"),
    "AO": (ZoneType.AIRSPACE, "oceanic control area"), "AZ": (ZoneType.AIRSPACE, "aerodrome traffic zone"),
    "AV": (ZoneType.AIRSPACE, "upper advisory area"), "AD": (ZoneType.ADIZ, "air defence identification zone"),
    "RA": (ZoneType.RESTRICTED, "airspace reservation"), "RD": (ZoneType.DANGER, "danger area"),
    "RM": (ZoneType.RESTRICTED, "military operating area"), "RO": (ZoneType.PROHIBITED, "overflying"),
    "RP": (ZoneType.PROHIBITED, "prohibited area"), "RR": (ZoneType.RESTRICTED, "restricted area"),
    "RT": (ZoneType.RESTRICTED, "temporary restricted area"),
}  # fmt: skip
_WARNINGS: dict[str, tuple[ZoneType, str]] = {
    "WA": (ZoneType.SPECIAL_CAUTION, "air display"), "WB": (ZoneType.SPECIAL_CAUTION, "aerobatics"),
    "WC": (ZoneType.DANGER, "captive balloon or kite"), "WD": (ZoneType.DANGER, "demolition of explosives"),
    "WE": (ZoneType.DANGER, "exercises"), "WF": (ZoneType.SPECIAL_CAUTION, "air refuelling"),
    "WG": (ZoneType.SPECIAL_CAUTION, "glider flying"), "WH": (ZoneType.DANGER, "blasting"),
    "WJ": (ZoneType.SPECIAL_CAUTION, "banner or target towing"),
    "WL": (ZoneType.SPECIAL_CAUTION, "ascent of free balloon"),
    "WM": (ZoneType.DANGER, "missile, gun or rocket firing"), "WP": (ZoneType.DANGER, "parachute jumping"),
    "WR": (ZoneType.DANGER, "radioactive materials or toxic chemicals"),
    "WS": (ZoneType.DANGER, "burning or blowing gas"), "WT": (ZoneType.SPECIAL_CAUTION, "mass movement of aircraft"),
    "WU": (ZoneType.DANGER, "unmanned aircraft"), "WV": (ZoneType.SPECIAL_CAUTION, "formation flight"),
    "WW": (ZoneType.DANGER, "significant volcanic activity"), "WY": (ZoneType.SPECIAL_CAUTION, "aerial survey"),
    "WZ": (ZoneType.SPECIAL_CAUTION, "model flying"),
}  # fmt: skip
_SUBJECTS = {**_AIRSPACE_SUBJECTS, **_WARNINGS}
"""Second and third letter of the NOTAM code (Doc 8400) for all that is airspace; the rest is no zone."""
_NO_LONGER = frozenset({"CD", "CN", "AW", "AK", "AL"})
"""Conditions: deactivated, cancelled, withdrawn, resumed normal operation, operative again: nothing is forbidden."""
_RADIUS_EVERYWHERE = 999
CLAUSES_MAX = 100
"""Exemption clauses taken out of one NOTAM; its whole text is kept all the same."""


def looks_like(head: bytes) -> bool:
    return bool(_LOOKS.search(head.upper()))


def write(zones: Iterable[Zone]) -> ZoneWriting:
    """Refused: a NOTAM is issued by a NOTAM office, and a text that looks like one must not come from here."""
    raise UsageError("NOTAMs are read, never written: only a NOTAM office issues them")


def read(data: bytes, source: str, firs: FirIndex | None = None) -> ZoneReading:
    """The zones of all NOTAMs in a text file; replacements and cancellations within it carried out.

    ``firs``: outlines for NOTAMs that close whole flight information regions; without it, these come back as
    errors that name the missing codes. Raises :class:`InputError` where the bytes hold no NOTAM at all.
    """
    messages = split_messages(decoded(data))
    if not messages:
        raise InputError("no NOTAM found: a message begins like «A0003/23 NOTAMN»", source=source)
    zones: list[Zone] = []
    problems: list[Problem] = []
    for message in messages:
        where = f"line {message.line}, {message.number}"
        if message.problem:
            problems.append(Problem(source, where, message.problem))
            continue
        if message.kind == "C":
            continue
        warnings: list[str] = []
        try:
            zone = _zone(message, source, firs, warnings)
        except InputError as error:
            problems.append(Problem(source, where, error.message))
            continue
        if zone is not None:
            zones.append(zone)
        problems.extend(Problem(source, where, warning, Severity.WARNING) for warning in warnings)
    ends = tuple(_supersessions(messages, source, problems))
    return ZoneReading(superseded(zones, ends), tuple(problems), ends)


def _zone(message: NotamMessage, source: str, firs: FirIndex | None, warnings: list[str]) -> Zone | None:
    q = message.q
    subject = q.code[1:3] if q else "RT" if message.domestic else "XX"
    known = _SUBJECTS.get(subject)
    shapes, basis, note = _shapes(message, firs)
    if known is None and not (subject == "XX" and shapes and basis == "coordinates in item E"):
        warnings.append(f"not about airspace ({q.code if q else 'no Q line'}): no zone")
        return None
    if not shapes:
        raise InputError(note)
    if basis == "circle of the Q line":
        warnings.append(note)
    kind, meaning = known or (ZoneType.SPECIAL_CAUTION, "see text")
    lower, upper, limits_from = _limits(message)
    periods, said = _periods(message, warnings)
    zone_type, restriction = _restriction(kind, q, message.e)
    about = {
        "number": message.number, "kind": f"NOTAM{message.kind}", "refers_to": message.refers,
        "q_code": q.code if q else "", "subject": meaning, "fir": q.fir if q else "",
        "traffic": q.traffic if q else "", "purpose": q.purpose if q else "", "scope": q.scope if q else "",
        "location": message.a, "from": message.b, "to": message.c, "schedule": message.d, "schedule_read": said,
        "geometry": basis, "geometry_note": note, "limits_from": limits_from,
    }  # fmt: skip
    return Zone(
        id=message.number,
        version=" ".join(part for part in (f"NOTAM{message.kind}", message.refers, q.fir if q else "") if part),
        name=f"{message.number} {meaning} {message.a}".strip(),
        volumes=tuple(Volume(shape, lower, upper) for shape in shapes),
        type=zone_type,
        restriction=restriction,
        reasons=(meaning,),
        subject=_subject(message.e),
        exemptions=_exemptions(message.e),
        applicability=periods,
        supersedes=message.refers if message.kind == "R" else "",
        text=message.text,
        origin=ZoneOrigin(source, f"line {message.line}", "notam"),
        extensions={"notam": {key: value for key, value in about.items() if value}},
    )


def _shapes(message: NotamMessage, firs: FirIndex | None) -> tuple[tuple[Shape, ...], str, str]:
    """The shapes, what they rest on, and a sentence that says so (or why there are none)."""
    q = message.q
    area = read_area(message.e)
    if area.shapes:
        count = len(area.shapes)
        return area.shapes, "coordinates in item E", f"{count} area{'s' * (count > 1)} by coordinates in item E)"
    everywhere = q is not None and q.radius_nm == _RADIUS_EVERYWHERE
    whole = _FIR_WORDS.search(message.e.upper()) is not None and not area.positions
    about_fir = q is not None and q.code[1:3] in ("AF", "AU")
    if (everywhere or whole or about_fir) and not area.trouble:
        codes = _fir_codes(message, firs)
        if codes:
            missing = firs.missing(codes) if firs is not None else codes
            if missing:
                given = "give their outlines" if firs is None else "the file given does not hold them; give another"
                return (
                    (),
                    "",
                    f"it closes {', '.join(missing)}, whose outline is not known here: {given} with --firs FILE",
                )
            found = [fir for fir in (firs.get(code) if firs else None for code in codes) if fir is not None]
            why = "the Q line's radius is 999" if everywhere else "item E) speaks of the region as a whole"
            outlines = ", ".join(codes)
            return tuple(s for fir in found for s in fir.shapes), "FIR outline", f"outlines of {outlines}: {why}"
    why = area.trouble or "item E) gives no coordinates of an area"
    if q is None or q.centre is None or q.radius_nm is None or not 0 < q.radius_nm < _RADIUS_EVERYWHERE:
        return (), "", f"no area can be made of it: {why}, and the Q line gives no circle"
    lon, lat = q.centre
    note = (
        f"{why}; the circle of the Q line is taken instead ({q.radius_nm} NM), which is too large rather than too small"
    )
    return (Circle(lon, lat, q.radius_nm * NAUTICAL_MILE_M),), "circle of the Q line", note


def _fir_codes(message: NotamMessage, firs: FirIndex | None) -> list[str]:
    """The regions concerned: item A), where it lists regions, else those that item E) names by code."""
    listed = [word for word in re.findall(r"\b[A-Z]{4}\b", message.a) if not word.endswith("XX")]
    aerodrome = message.q is not None and "A" in message.q.scope and message.q.code[1] != "A"
    if listed and not aerodrome:
        return list(dict.fromkeys(listed))
    named = [a or b for a, b in _FIR_CODE.findall(message.e.upper())]
    if firs is not None:
        named = [code for code in named if code in firs]
    return list(dict.fromkeys(named)) or [] if aerodrome else list(dict.fromkeys(listed or named))


def _limits(message: NotamMessage) -> tuple[Level, Level, str]:
    q = message.q
    if message.f or message.g:
        lower = read_limit(message.f, upper=False) if message.f else UNBOUNDED
        upper = read_limit(message.g, upper=True) if message.g else UNBOUNDED
        return lower, upper, "items F) and G)"
    if q is None:
        return UNBOUNDED, UNBOUNDED, "none given"
    lower = UNBOUNDED if q.lower_fl == 0 else Level(float(q.lower_fl), LengthUnit.FLIGHT_LEVEL, Datum.STD)
    upper = UNBOUNDED if q.upper_fl == 999 else Level(float(q.upper_fl), LengthUnit.FLIGHT_LEVEL, Datum.STD)
    return lower, upper, "Q line"


def _periods(message: NotamMessage, warnings: list[str]) -> tuple[tuple[Period, ...], str]:
    begin = read_instant(message.b)
    if begin is None:
        raise InputError(f"item B) {message.b!r} is no instant")
    end = read_instant(message.c) if message.c else None
    from_s, (to_s, estimated) = begin[0], end or (math.inf, False)
    if to_s < from_s:
        raise InputError(f"it ends ({message.c}) before it begins ({message.b})")
    periods = read_schedule(message.d, from_s, to_s, end_estimated=estimated)
    if periods is not None:
        return periods, "as periods" if message.d else ""
    warnings.append(f"schedule not understood: treated as in force throughout ({message.d[:60]!r})")
    return (Period(from_s, to_s, (), estimated),), "not understood: in force throughout"


def _restriction(kind: ZoneType, q: QLine | None, text: str) -> tuple[ZoneType, Restriction]:
    condition = q.code[3:5] if q else "XX"
    words = text.upper()
    if condition in _NO_LONGER:
        return ZoneType.AIRSPACE, Restriction.NO_RESTRICTION
    closed = condition in ("LC", "LP") or _CLOSED.search(words) is not None
    if kind in (ZoneType.NFZ, ZoneType.AIRSPACE):
        if closed:
            return ZoneType.NFZ, Restriction.PROHIBITED
        return ZoneType.SPECIAL_CAUTION, Restriction.CONDITIONAL
    if kind is ZoneType.PROHIBITED or (closed and kind is ZoneType.RESTRICTED):
        return kind, Restriction.PROHIBITED
    if kind is ZoneType.RESTRICTED:
        return kind, Restriction.REQ_AUTHORISATION
    if _PERMISSION.search(words):
        return kind, Restriction.REQ_AUTHORISATION
    return kind, Restriction.PROHIBITED if closed else Restriction.CONDITIONAL


def _subject(text: str) -> Subject:
    """Whom it binds: all aircraft, unless the text limits it to a category in so many words."""
    words = " ".join(text.upper().split())
    categories: set[Category] = set()
    if re.search(r"\b(?:PROHIBITED|CLSD|CLOSED|RESTRICTED|FORBIDDEN) (?:FOR|TO) (?:ALL )?(?:CIVIL|CIV)\b", words):
        categories.add(Category.CIVIL)
    if re.search(
        r"\b(?:PROHIBITED|CLSD|CLOSED|RESTRICTED|FORBIDDEN) (?:FOR|TO) (?:ALL )?(?:UAS|UAV|DRONES?|UNMANNED|RPAS)\b"
        r"|\b(?:UAS|UAV|DRONE|RPAS) (?:FLIGHTS|OPERATIONS|FLT|OPS) (?:ARE |IS )?(?:PROHIBITED|FORBIDDEN)",
        words,
    ):
        categories.add(Category.UAS)
    return Subject(frozenset(), frozenset({Domain.AIR}), frozenset(categories))


def _exemptions(text: str) -> tuple[Exemption, ...]:
    """Every clause that lets somebody in, in its own words. Only a call sign spelt out is taken as a name: who
    «state aircraft of …» are, or who holds a permission, is for people to say."""
    one_line = " ".join(text.split())
    clauses: list[Exemption] = []
    position = 0
    while len(clauses) < CLAUSES_MAX and (match := _EXCEPTION.search(one_line.upper(), position)):
        begin = match.start()
        if re.match(r"EXEMPT|(?:DOES|DO|SHALL) NOT", match.group()):
            # «… ARE EXEMPTED»: the clause is the sentence before the word, too.
            begin = max((end.end() for end in _SENTENCE_END.finditer(one_line, 0, begin)), default=0)
            begin = max(begin, position)
        stop = _SENTENCE_END.search(one_line, match.end())
        end = stop.start() if stop else len(one_line)
        clause = one_line[begin:end].strip(" ,.;")
        callsign = _CALLSIGN.search(clause.upper())
        clauses.append(Exemption(callsign=callsign[1] if callsign else "", clause=clause))
        position = max(end, match.end())
    return tuple(clauses)


def _supersessions(messages: list[NotamMessage], source: str, problems: list[Problem]) -> Iterator[Supersession]:
    for message in messages:
        if message.kind not in "RC" or not message.refers or message.problem:
            continue
        try:
            begin = read_instant(message.b)
        except InputError as error:
            if message.kind == "C":
                problems.append(Problem(source, f"line {message.line}, {message.number}", error.message))
            continue
        if begin is not None:
            office = _office(message.q.fir if message.q else message.a)
            yield Supersession(message.refers, office, begin[0], message.number, message.kind == "C")


def superseded(zones: Iterable[Zone], ends: Iterable[Supersession]) -> tuple[Zone, ...]:
    """The zones, each whose NOTAM another one replaces or cancels ended at the instant at which that begins."""
    by_number = {(end.zone_id, end.issuer): end for end in ends}
    done = []
    for zone in zones:
        about = zone.extensions.get("notam")
        end = None
        if about is not None:
            end = by_number.get((zone.id, _office(str(about.get("fir") or about.get("location") or ""))))
        done.append(zone if end is None else _ended(zone, end))
    return tuple(done)


def _office(location: str) -> str:
    """NOTAM numbers are unique within an issuing state, whose first two letters its locations share."""
    return location[:2]


def _ended(zone: Zone, end: Supersession) -> Zone:
    """In force until the instant and not after: the archive before it is still judged against this zone."""
    instant_s = end.at_s
    periods = []
    for period in zone.applicability:
        if period.from_s < instant_s:
            cut = instant_s < period.to_s or period.end_estimated
            periods.append(replace(period, to_s=instant_s, end_estimated=False) if cut else period)
    about = {
        **zone.extensions["notam"],
        "cancelled_by" if end.is_cancellation else "replaced_by": end.by,
        "withdrawn_at": format_instant(instant_s),
    }
    return replace(
        zone,
        status=ZoneStatus.WITHDRAWN if end.is_cancellation else ZoneStatus.EXPIRED,
        # A zone that never came into force still needs a period: an empty one.
        applicability=tuple(periods) or (Period(instant_s, instant_s),),
        extensions={**zone.extensions, "notam": about},
    )

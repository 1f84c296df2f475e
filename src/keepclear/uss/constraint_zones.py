"""Others' constraints as zones, for ``scan`` and ``watch``. Whose they are stays in the zone's fields.

Volumes with the same times become one zone; a constraint whose volumes differ in time becomes several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from keepclear.errors import InputError
from keepclear.quantities import format_instant, parse_instant
from keepclear.uss.entities import Entity, Reference
from keepclear.uss.volume4d import levels_of, shape_of, times_of
from keepclear.uss.zone_constraints import FOREIGN, NOT_STATED, RECORD
from keepclear.zones.model import Authority, Period, Restriction, Volume, Zone, ZoneOrigin, ZoneStatus, ZoneType
from keepclear.zones.strict_json import Node
from keepclear.zones.uas_zone import UNSTATED_COUNTRY, type_of
from keepclear.zones.zone_record import SCHEMA, read_record

__all__ = ["reference_times", "withdrawn", "zones_of"]

FORMAT = "f3548"
_AUTHORITY = ("name", "service", "contact_name", "email", "phone", "site_url", "purpose", "interval_before")


def zones_of(entity: Entity, source: str) -> tuple[list[Zone], list[str]]:
    """The zones of a constraint and what is doubtful in it. Raises :class:`InputError` where it has no volume."""
    reference, details = entity.reference, entity.details
    origin = ZoneOrigin(source, f"constraint {reference.id}", FORMAT)
    warnings: list[str] = []
    times = reference_times(reference)
    groups: dict[tuple[float, float], list[Volume]] = {}
    for number, given in enumerate(details.volumes, 1):
        where, doubts = f"constraint {reference.id}, volume {number}", list[str]()
        try:
            volume = Volume(shape_of(given.volume, doubts), *levels_of(given.volume))
        except InputError as error:
            warnings.append(f"{where}: {error.message}")
            continue
        warnings += [f"{where}: {doubt}" for doubt in doubts]
        start, end = times_of(given)
        period = (max(start, times[0]) if given.time_start is None else start, end if given.time_end else times[1])
        groups.setdefault(period, []).append(volume)
    if not groups:
        raise InputError("the constraint has no volume that can be read", where=f"constraint {reference.id}")
    zones: list[Zone] = []
    for number, (period, volumes) in enumerate(sorted(groups.items(), key=lambda item: item[0])):
        if period[1] < period[0]:
            warnings.append(f"constraint {reference.id}: a volume ends before it begins")
            continue
        name = reference.id if len(groups) == 1 else f"{reference.id}/{number + 1}"
        base = _described(entity, tuple(volumes), origin, warnings)
        zones.append(replace(
            base, id=name, version=str(reference.version), volumes=tuple(volumes), status=ZoneStatus.PUBLISHED,
            applicability=(Period(*period),), supersedes="", origin=origin, extensions={FOREIGN: _ownership(reference)},
        ))  # fmt: skip
    return zones, warnings


def withdrawn(zones: Sequence[Zone], at_s: float) -> list[Zone]:
    """The zones of a constraint that its manager took back: as of now no longer in force, and still listed, since a
    zone that is simply missing might have been lost."""
    stamp = format_instant(at_s)
    return [
        replace(
            zone, status=ZoneStatus.WITHDRAWN,
            extensions={**zone.extensions, FOREIGN: {**zone.extensions.get(FOREIGN, {}), "withdrawn_at": stamp}},
        )
        for zone in zones
    ]  # fmt: skip


def reference_times(reference: Reference) -> tuple[float, float]:
    """POSIX seconds."""
    return _instant(reference.time_start), _instant(reference.time_end)


def _instant(time: Any) -> float:
    value = time.get("value") if isinstance(time, Mapping) else time
    if not isinstance(value, str):
        raise InputError("the reference has no times")
    return parse_instant(value)


def _ownership(reference: Reference) -> dict[str, object]:
    held: dict[str, object] = {
        "constraint": reference.id, "manager": reference.manager, "uss_base_url": reference.uss_base_url,
        "uss_availability": reference.uss_availability,
    }  # fmt: skip
    if reference.known_ovn:
        held["ovn"] = reference.known_ovn
    return held


def _described(entity: Entity, volumes: tuple[Volume, ...], origin: ZoneOrigin, warnings: list[str]) -> Zone:
    """Name, kind, authorities: of the record that a Keepclear sent along, else of the geozone, else of the type."""
    reference, geozone = entity.reference, entity.details.geozone or {}
    additional = geozone.get("additional_properties")
    record = additional.get(RECORD) if isinstance(additional, dict) else None
    publisher = Authority(name=reference.manager, site_url=reference.uss_base_url)
    if isinstance(record, dict) and record.get("schema") == SCHEMA:
        try:
            zone = read_record(Node(record), volumes, origin)
            return replace(
                zone, name=zone.name or zone.id, authorities=zone.authorities or (publisher,), buffer_lateral_m=0.0,
                buffer_vertical_m=0.0,
            )  # fmt: skip
        except InputError as error:
            warnings.append(f"constraint {reference.id}: its record of a zone is not used ({error})")
    if not geozone:
        return Zone(
            reference.id, volumes, name=entity.details.type or "", authorities=(publisher,), type=ZoneType.RESTRICTED,
            restriction=Restriction.CONDITIONAL,
        )  # fmt: skip
    word = geozone.get("restriction")
    restriction = Restriction(word) if word in list(Restriction) else Restriction.CONDITIONAL
    if word not in list(Restriction):
        warnings.append(f"constraint {reference.id}: the restriction {str(word)[:40]!r} is taken as CONDITIONAL")
    conditions, reasons = geozone.get("restriction_conditions"), geozone.get("reason")
    country = _text(geozone, "country")
    return Zone(
        reference.id, volumes, name=_text(geozone, "name") or _text(geozone, "identifier"),
        country="" if country == UNSTATED_COUNTRY else country,
        authorities=_authorities(geozone.get("zone_authority")) or (publisher,), type=type_of(restriction),
        restriction=restriction, restriction_conditions="; ".join(_texts(conditions)), reasons=tuple(_texts(reasons)),
        other_reason=_text(geozone, "other_reason_info"), text=_text(geozone, "message"),
    )  # fmt: skip


def _authorities(given: object) -> tuple[Authority, ...]:
    found = []
    for item in given if isinstance(given, list) else ():
        if isinstance(item, dict):
            texts: dict[str, Any] = {name: _text(item, name) for name in _AUTHORITY}
            authority = Authority(**texts)
            if authority not in (Authority(), Authority(name=NOT_STATED)):
                found.append(authority)
    return tuple(found)


def _text(holder: Mapping[str, object], name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""


def _texts(given: object) -> list[str]:
    return [item for item in given if isinstance(item, str)] if isinstance(given, list) else []

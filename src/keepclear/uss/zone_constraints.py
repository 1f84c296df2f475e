"""Zones as constraints: each time a zone is in force is a constraint, of at most a day (F3548-21 CstrMaxDuration).

A constraint contains its zone: buffers are part of it, altitudes are the outermost that the limits allow. What a
constraint has no words for is said as a loss; a whole record of the zone travels in the geozone's additional
properties, so that another Keepclear reads the same zone again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from keepclear.errors import InputError, UsageError
from keepclear.space.widening import widen
from keepclear.tracks.altitude import AltitudeAssumptions
from keepclear.uss.entities import EntityKind, Planned, entity_id
from keepclear.uss.volume4d import Lose, limits_w84, outline, volume4d
from keepclear.zones.applicability import active_intervals
from keepclear.zones.model import Domain, Restriction, Zone, ZoneType
from keepclear.zones.reading import Loss, Problem
from keepclear.zones.uas_zone import collected, write_country, write_identifier, write_text
from keepclear.zones.zone_record import write_record

__all__ = ["AHEAD_MAX_S", "DAY_S", "FOREIGN", "RECORD", "ConstraintPlan", "plan_constraints"]

DAY_S = 86_400.0
"""CstrMaxDurationHours = 24."""
AHEAD_MAX_S = 55 * DAY_S
"""CstrMaxPlanningHorizonDays = 56, less the day whose end the last one may reach."""
VERTICES_MAX = 1_000
"""CstrMaxVertices."""
FOREIGN = "f3548"
"""The extension in which a zone keeps whose constraint it is; such a zone is never published as ours."""
RECORD = "keepclear_zone"
TYPE = "keepclear.zone."
NOT_STATED = "not stated"
_TEXT_MAX, _OTHER_MAX, _CONDITION_MAX = 200, 30, 10_000
_REASONS = frozenset({
    "AIR_TRAFFIC", "SENSITIVE", "PRIVACY", "POPULATION", "NATURE", "NOISE", "FOREIGN_TERRITORY", "EMERGENCY", "OTHER",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConstraintPlan:
    """What is to be published, what each zone loses by it, and the zones that no constraint can stand for."""

    planned: tuple[Planned, ...]
    losses: tuple[Loss, ...]
    refused: tuple[Problem, ...]


def plan_constraints(
    zones: Iterable[Zone], manager: str, now_s: float, ahead_s: float, assumptions: AltitudeAssumptions | None = None
) -> ConstraintPlan:
    """Constraints for every time from now to ``ahead_s`` seconds ahead in which a zone is in force."""
    if not 0.0 < ahead_s <= AHEAD_MAX_S:
        raise UsageError(f"constraints are planned up to {AHEAD_MAX_S / DAY_S:.0f} days ahead")
    planned: list[Planned] = []
    losses: list[Loss] = []
    refused: list[Problem] = []
    for zone in zones:
        lose = collected(zone.id, losses)
        try:
            times = _pieces(zone, now_s, ahead_s)
            _check_ours(zone, manager)
            if times:
                _said(zone, lose)
                volumes = _volumes(zone, assumptions or AltitudeAssumptions(), lose)
                geozone = _geozone(zone, manager, lose)
        except InputError as error:
            refused.append(Problem(zone.origin.source, zone.origin.where, f"zone {zone.id}: {error.message}"))
            continue
        for begin, end in times:
            details = {
                "volumes": [volume4d(shape, low, high, begin, end) for shape, low, high in volumes],
                "type": TYPE + zone.type.value, "geozone": geozone,
            }  # fmt: skip
            name = entity_id(manager, "zone", zone.id, f"{begin:.3f}")
            planned.append(Planned(name, EntityKind.CONSTRAINT, zone.id, details, begin, end))
    return ConstraintPlan(tuple(planned), tuple(losses), tuple(refused))


def _check_ours(zone: Zone, manager: str) -> None:
    owner = zone.extensions.get(FOREIGN, {}).get("manager")
    if owner is not None and owner != manager:
        raise InputError(f"it is a constraint of {owner}, who alone publishes it")
    if zone.restriction is Restriction.NO_RESTRICTION or zone.type is ZoneType.AIRSPACE:
        raise InputError("it restricts nothing")
    if Domain.AIR not in zone.subject.domains:
        raise InputError("it does not bind aircraft")


def _pieces(zone: Zone, now_s: float, ahead_s: float) -> list[tuple[float, float]]:
    """Times in force that have not ended. Cut at midnights UTC where longer than a day; the same whenever asked on one
    day: the window ends at a midnight, and begins so early that whatever is not longer begins within it."""
    today = math.floor(now_s / DAY_S) * DAY_S
    until = math.ceil((now_s + ahead_s) / DAY_S) * DAY_S
    pieces: list[tuple[float, float]] = []
    for begin, end in active_intervals(zone, today - DAY_S, until).tolist():
        while end - begin > DAY_S:
            cut = (math.floor(begin / DAY_S) + 1) * DAY_S
            pieces.append((begin, cut))
            begin = cut
        pieces.append((begin, end))
    return [(begin, end) for begin, end in pieces if end > now_s]


def _volumes(zone: Zone, assumptions: AltitudeAssumptions, lose: Lose) -> list[tuple[Any, float | None, float | None]]:
    held = []
    for volume in zone.volumes:
        for part in widen(volume.shape, zone.buffer_lateral_m):
            shape = outline(part, lose)
            low, high = limits_w84(volume.lower, volume.upper, shape, assumptions, lose)
            buffer_m = zone.buffer_vertical_m
            held.append((shape, None if low is None else low - buffer_m, None if high is None else high + buffer_m))
    vertices = sum(len(shape) for shape, _, _ in held if isinstance(shape, tuple))
    if vertices > VERTICES_MAX:
        raise InputError(f"it has {vertices:,} vertices as a constraint, which may have {VERTICES_MAX:,}: simplify it")
    return held


def _said(zone: Zone, lose: Lose) -> None:
    """What other software does not see."""
    if zone.buffer_lateral_m or zone.buffer_vertical_m:
        lose("buffer", "the buffer is part of the constraint, and no longer told apart from the zone")
    if zone.subject.parties or zone.subject.categories or zone.subject.domains != {Domain.AIR}:
        lose("subject", "a constraint binds every aircraft; only Keepclear reads whom the zone binds")
    for name in ("exemptions", "recognition", "decision_ref", "supersedes", "accuracy_m"):
        if getattr(zone, name):
            lose(name, "only Keepclear reads it")
    if any(period.end_estimated for period in zone.applicability):
        lose("applicability", "that the end is estimated is not said")
    for name in zone.extensions:
        lose(f"extensions.{name}", "what a format carried is not published")


def _geozone(zone: Zone, manager: str, lose: Lose) -> dict[str, Any]:
    authorities = []
    for authority in zone.authorities:
        names = ("name", "service", "contact_name", "site_url", "email", "phone")
        written = {
            name: write_text(value, _TEXT_MAX, f"authorities.{name}", lose)
            for name in names
            if (value := getattr(authority, name))
        }
        if authority.purpose in ("AUTHORIZATION", "NOTIFICATION", "INFORMATION"):
            written["purpose"] = authority.purpose
        if authority.interval_before:
            written["interval_before"] = authority.interval_before
        authorities.append(written or {"name": NOT_STATED})
    geozone: dict[str, Any] = {
        "identifier": write_identifier(zone, lose), "country": write_country(zone, lose),
        "zone_authority": authorities or [{"name": NOT_STATED}], "type": "COMMON",
        "restriction": zone.restriction.value,
    }  # fmt: skip
    if zone.name:
        geozone["name"] = write_text(zone.name, _TEXT_MAX, "name", lose)
    if zone.restriction_conditions:
        conditions = write_text(zone.restriction_conditions, _CONDITION_MAX, "restriction_conditions", lose)
        geozone["restriction_conditions"] = [conditions]
    if reasons := [reason for reason in zone.reasons if reason in _REASONS][:9]:
        geozone["reason"] = reasons
    if zone.other_reason:
        geozone["other_reason_info"] = write_text(zone.other_reason, _OTHER_MAX, "other_reason", lose)
    if zone.text:
        geozone["message"] = write_text(zone.text, _TEXT_MAX, "text", lose)
    geozone["additional_properties"] = {RECORD: _record(zone)}
    return geozone


def _record(zone: Zone) -> dict[str, Any]:
    """All fields but the geometry and the times, which the constraint has, and what other formats carried."""
    record = write_record(replace(zone, extensions={}, buffer_lateral_m=0.0, buffer_vertical_m=0.0))
    return {key: value for key, value in record.items() if key not in ("applicability", "volumes")}

"""Declared volumes as operational intents: one declaration (one id in one file) is one intent, Accepted."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from keepclear.detection.conflict import DeclaredVolume, conflicts, prepare
from keepclear.errors import InputError
from keepclear.quantities import Datum
from keepclear.tracks.altitude import AltitudeAssumptions
from keepclear.uss.constraint_zones import reference_times
from keepclear.uss.entities import Entity, EntityKind, Planned, entity_id
from keepclear.uss.volume4d import (
    HIGHEST_W84_M,
    LOWEST_W84_M,
    levels_of,
    limits_w84,
    outline,
    shape_of,
    times_of,
    volume4d,
)
from keepclear.zones.reading import Loss, Problem
from keepclear.zones.uas_zone import collected

__all__ = ["IntentPlan", "clashes", "declared", "plan_intents"]

HORIZON_S = 30 * 86_400.0
"""OiMaxPlanHorizonDays = 30."""
VERTICES_MAX = 10_000
"""OiMaxVertices."""
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class IntentPlan:
    planned: tuple[Planned, ...]
    losses: tuple[Loss, ...]
    refused: tuple[Problem, ...]


def plan_intents(
    volumes: Sequence[DeclaredVolume],
    declaration: Sequence[int],
    source: Sequence[str],
    manager: str,
    now_s: float,
    assumptions: AltitudeAssumptions | None = None,
) -> IntentPlan:
    """``declaration`` numbers what belongs together, ``source`` says where each volume stood.

    A declaration is refused whole where one of its volumes cannot be held: half an intent protects nobody.
    """
    groups: dict[int, list[int]] = {}
    for row, number in enumerate(declaration):
        groups.setdefault(number, []).append(row)
    planned: list[Planned] = []
    losses: list[Loss] = []
    refused: list[Problem] = []
    taken: dict[str, str] = {}
    for rows in groups.values():
        label = volumes[rows[0]].id
        try:
            made = _plan(label, [volumes[row] for row in rows], manager, now_s, assumptions, losses)
            if made.id in taken:
                raise InputError(f"the same id is declared in {taken[made.id]} too")
        except InputError as error:
            refused.append(Problem(source[rows[0]], "", f"declaration {label}: {error.message}"))
            continue
        taken[made.id] = source[rows[0]]
        planned.append(made)
    return IntentPlan(tuple(planned), tuple(losses), tuple(refused))


def declared(entity: Entity) -> list[DeclaredVolume]:
    """An operational intent's volumes, to be compared. Raises :class:`InputError` where one cannot be read."""
    reference, details = entity.reference, entity.details
    times = reference_times(reference)
    found = []
    for given in (*details.volumes, *details.off_nominal_volumes):
        start, end = times_of(given)
        begin, until = (start if math.isfinite(start) else times[0]), (end if math.isfinite(end) else times[1])
        found.append(DeclaredVolume(reference.id, shape_of(given.volume), *levels_of(given.volume), begin, until))
    if not found:
        raise InputError("the operational intent has no volume", where=f"operational intent {reference.id}")
    return found


def clashes(ours: Sequence[DeclaredVolume], theirs: Sequence[DeclaredVolume]) -> list[str]:
    """Ids of theirs that share a place, an altitude and an instant with ours."""
    if not ours or not theirs:
        return []
    pairs = conflicts(prepare([*ours, *theirs]))
    count = len(ours)
    return sorted({theirs[j - count].id for i, j in zip(pairs.i.tolist(), pairs.j.tolist()) if i < count <= j})


def _plan(
    label: str, volumes: Sequence[DeclaredVolume], manager: str, now_s: float,
    assumptions: AltitudeAssumptions | None, losses: list[Loss],
) -> Planned:  # fmt: skip
    lose = collected(label, losses)
    held = []
    vertices = 0
    for volume in volumes:
        if not (math.isfinite(volume.from_s) and math.isfinite(volume.to_s)):
            raise InputError("an operational intent needs a beginning and an end")
        shape = outline(volume.shape, lose)
        low, high = limits_w84(volume.lower, volume.upper, shape, assumptions or AltitudeAssumptions(), lose)
        if low is None and volume.lower.datum is Datum.AGL:
            raise InputError(f"the lower limit {volume.lower} needs the ground: write it as an altitude")
        if low is None or high is None:
            raise InputError("an operational intent needs a lower and an upper altitude")
        if low < LOWEST_W84_M or high > HIGHEST_W84_M:
            raise InputError(f"altitudes reach from {LOWEST_W84_M:,.0f} to {HIGHEST_W84_M:,.0f} m; it does beyond")
        vertices += len(shape) if isinstance(shape, tuple) else 0
        held.append(volume4d(shape, low, high, volume.from_s, volume.to_s))
    begin, end = min(volume.from_s for volume in volumes), max(volume.to_s for volume in volumes)
    if end <= now_s:
        raise InputError("it has ended")
    if begin > now_s + HORIZON_S:
        raise InputError("it begins more than 30 days ahead")
    if vertices > VERTICES_MAX:
        raise InputError(f"it has {vertices:,} vertices; at most {VERTICES_MAX:,}")
    name = label.lower() if _UUID.fullmatch(label.lower()) else entity_id(manager, "intent", label)
    details = {"volumes": held, "off_nominal_volumes": [], "priority": 0}
    return Planned(name, EntityKind.INTENT, label, details, begin, end)

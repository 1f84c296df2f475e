"""Neighbouring zones whose vertical limits differ: a level closed on one side of a border and open on the other.

Practice R2.6: in July 2014 one side had closed its airspace to FL320 and the other to FL530.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepclear.feeds.reports import Floats
from keepclear.quantities import EARTH_RADIUS_M, Datum, Level, limits_text
from keepclear.space.index import OutlineIndex
from keepclear.space.outlines import Outlines, build_outlines
from keepclear.zones.model import Restriction, Volume, Zone
from keepclear.zones.zone_set import ZoneSet

__all__ = ["GapWarning", "find_vertical_gaps"]

NEIGHBOUR_M = 1_852.0
"""Borders closer than one nautical mile are one border: published outlines of neighbours differ by that much."""
SAMPLES_MAX = 512
"""Points looked at along an outline; an outline of a thousand kilometres is then seen every two."""


@dataclass(frozen=True, slots=True)
class GapWarning:
    zone_id: str
    other_id: str
    lon_deg: float
    lat_deg: float
    """a place on the common border"""
    text: str


def find_vertical_gaps(zones: ZoneSet) -> list[GapWarning]:
    """One warning for every pair of neighbouring zones that forbid different levels. Pairs in the set's order."""
    volumes = [
        (zone, volume)
        for zone in zones
        if zone.restriction is not Restriction.NO_RESTRICTION
        for volume in zone.volumes
    ]
    if len(volumes) < 2:
        return []
    outlines = build_outlines([volume.shape for _, volume in volumes])
    limits = np.tile([-np.inf, np.inf, -np.inf, np.inf], (len(volumes), 1))
    index = OutlineIndex(outlines, limits)
    samples = [_boundary(outlines, row) for row in range(len(volumes))]
    boxes = np.array([(s[0].min(), s[1].min(), s[0].max(), s[1].max()) for s in samples])
    warnings: list[GapWarning] = []
    seen: set[tuple[str, str]] = set()
    for a in range(len(volumes)):
        near = _boxes_meet(boxes, a)
        for b in near[near > a].tolist():
            (zone_a, volume_a), (zone_b, volume_b) = volumes[a], volumes[b]
            if zone_a is zone_b or (zone_a.id, zone_b.id) in seen or not _binds_alike(zone_a, zone_b):
                continue
            differs = _difference(volume_a, volume_b)
            if not differs:
                continue
            lon, lat = samples[a]
            distance = np.abs(index.boundary_distance(lon, lat, np.full(len(lon), b, dtype=np.int32)))
            closest = int(np.argmin(distance))
            if distance[closest] > NEIGHBOUR_M:
                continue
            seen.add((zone_a.id, zone_b.id))
            warnings.append(
                GapWarning(
                    zone_a.id,
                    zone_b.id,
                    float((lon[closest] + 180.0) % 360.0 - 180.0),
                    float(lat[closest]),
                    f"{zone_a.id} ({limits_text(volume_a.lower, volume_a.upper)}) meets {zone_b.id} "
                    f"({limits_text(volume_b.lower, volume_b.upper)}): {differs}",
                )
            )
    return warnings


def _boundary(outlines: Outlines, row: int) -> tuple[Floats, Floats]:
    """Up to SAMPLES_MAX places spread evenly along the boundary of one row, longitudes and latitudes."""
    fraction = np.linspace(0.0, 1.0, SAMPLES_MAX, endpoint=False)
    if outlines.is_circle[row]:
        lon, lat, radius_m = outlines.circle[row]
        angle = 2.0 * np.pi * fraction
        distance = radius_m / EARTH_RADIUS_M
        phi = math.radians(lat)
        there = np.arcsin(math.sin(phi) * math.cos(distance) + math.cos(phi) * math.sin(distance) * np.cos(angle))
        east = np.arctan2(
            np.sin(angle) * math.sin(distance) * math.cos(phi), math.cos(distance) - math.sin(phi) * np.sin(there)
        )
        return lon + np.degrees(east), np.degrees(there)
    first, last = outlines.edge_start[row], outlines.edge_start[row + 1]
    edges = outlines.edges[first:last][outlines.real[first:last] != 0]
    middle = np.radians(0.5 * (edges[:, 1] + edges[:, 3]))
    length = np.hypot((edges[:, 2] - edges[:, 0]) * np.cos(middle), edges[:, 3] - edges[:, 1])
    along = np.concatenate(([0.0], np.cumsum(length)))
    place = fraction * along[-1]
    edge = np.clip(np.searchsorted(along, place, side="right") - 1, 0, len(edges) - 1)
    part = (place - along[edge]) / np.maximum(length[edge], 1e-300)
    start, end = edges[edge, :2], edges[edge, 2:]
    found: Floats = start + np.clip(part, 0.0, 1.0)[:, None] * (end - start)
    return found[:, 0], found[:, 1]


def _boxes_meet(boxes: Floats, a: int) -> npt.NDArray[np.int64]:
    slack = NEIGHBOUR_M / 111_000.0 * 4.0  # a degree of longitude is shorter: generous up to 75° of latitude
    west, south, east, north = boxes[a]
    meet = (boxes[:, 1] <= north + slack) & (boxes[:, 3] >= south - slack)
    lon = np.zeros(len(boxes), dtype=bool)
    for shift in (-360.0, 0.0, 360.0):
        lon |= (boxes[:, 0] + shift <= east + slack) & (boxes[:, 2] + shift >= west - slack)
    return np.flatnonzero(meet & (lon | (abs(north) > 75.0) | (abs(south) > 75.0)))


def _binds_alike(a: Zone, b: Zone) -> bool:
    return bool(a.subject.domains & b.subject.domains)


def _difference(a: Volume, b: Volume) -> str:
    parts = []
    for name, one, other in (("lower", a.lower, b.lower), ("upper", a.upper, b.upper)):
        if _same(one, other, is_lower=name == "lower"):
            continue
        # No limit is beyond every limit, whatever that one is measured from.
        comparable = one.datum is other.datum or Datum.UNBOUNDED in (one.datum, other.datum)
        beyond = "the surface" if name == "lower" else "unlimited"
        one_text, other_text = (beyond if level.datum is Datum.UNBOUNDED else str(level) for level in (one, other))
        parts.append(f"between {one_text} and {other_text} only one side is restricted" if comparable
                     else f"the {name} limits {one} and {other} are in different datums")  # fmt: skip
    return "; ".join(parts)


def _same(one: Level, other: Level, *, is_lower: bool) -> bool:
    def surface(level: Level) -> bool:
        return level.datum is Datum.UNBOUNDED or (is_lower and level.datum is Datum.AGL and level.value <= 0.0)

    if surface(one) and surface(other):
        return True
    return one.datum is other.datum and abs(one.metres - other.metres) < 1.0

"""Cuts polygons at the antimeridian for formats which ask for it (RFC 7946 §3.1.9).

Works in longitudes unwrapped from the first vertex, so that a polygon is one piece of a plane; there the meridians
180° + k·360° cut it. On such a line the places where the rings cross it, sorted by latitude, enter and leave the
polygon in turn: neighbouring pairs are joined along the line, and both sides become closed rings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from keepclear.space.geometry import LonLat, Polygon, Ring

__all__ = ["crosses_antimeridian", "cut_polygon"]


def crosses_antimeridian(polygon: Polygon) -> bool:
    """Whether some edge, taken the short way round, passes from one side of ±180° to the other."""
    outline = _unwrapped(polygon.exterior)
    if _winds(polygon.exterior):
        return True
    west = _window(outline)
    return any(not west <= x <= west + 360.0 for x, _ in outline)


def cut_polygon(polygon: Polygon) -> list[list[Ring]]:
    """The parts of the polygon, each [outer ring, holes…] with longitudes in [-180, 180], rings open.

    A polygon round a pole is closed along the antimeridian over the pole that is nearer to its mean latitude. Cuts
    are interpolated straight in longitude and latitude.
    """
    outer = _unwrapped(polygon.exterior)
    if _winds(polygon.exterior):
        pole = math.copysign(90.0, sum(y for _, y in outer))
        turn = 360.0 if outer[-1][0] + _short(outer[0][0] - outer[-1][0]) > outer[0][0] else -360.0
        outer = [*outer, (outer[0][0] + turn, outer[0][1]), (outer[0][0] + turn, pole), (outer[0][0], pole)]
    middle = (min(x for x, _ in outer) + max(x for x, _ in outer)) / 2.0
    rings = [outer, *(_beside(_unwrapped(hole), middle) for hole in polygon.holes)]
    west = math.floor((min(x for x, _ in outer) + 180.0) / 360.0) * 360.0 - 180.0
    east = max(x for x, _ in outer)
    parts: list[list[Ring]] = []
    rest = [rings]
    while rest and west < east:
        following: list[list[list[LonLat]]] = []
        for group in rest:
            inside, outside = _cut_at(group, west + 360.0)
            parts.extend([tuple((x - west - 180.0, y) for x, y in ring) for ring in part] for part in inside)
            following.extend(outside)
        rest = following
        west += 360.0
    return parts


def _short(step: float) -> float:
    return (step + 180.0) % 360.0 - 180.0


def _winds(ring: Ring) -> bool:
    total = sum(_short(ring[i][0] - ring[i - 1][0]) for i in range(len(ring)))
    return abs(total) > 180.0


def _unwrapped(ring: Sequence[LonLat]) -> list[LonLat]:
    points = [ring[0]]
    for lon, lat in ring[1:]:
        x = points[-1][0]
        turns = round((x - lon) / 360.0)
        while lon + turns * 360.0 - x > 180.0:
            turns -= 1
        while lon + turns * 360.0 - x < -180.0:
            turns += 1
        points.append((lon + turns * 360.0, lat))
    return points


def _window(points: Sequence[LonLat]) -> float:
    """The western meridian 180° + k·360° of the window in which the ring's least longitude lies."""
    return math.floor((min(x for x, _ in points) + 180.0) / 360.0) * 360.0 - 180.0


def _beside(hole: list[LonLat], middle: float) -> list[LonLat]:
    """The hole moved by whole turns to where its outer ring is."""
    centre = (min(x for x, _ in hole) + max(x for x, _ in hole)) / 2.0
    shift = round((middle - centre) / 360.0) * 360.0
    return [(x + shift, y) for x, y in hole] if shift else hole


def _cut_at(rings: list[list[LonLat]], line: float) -> tuple[list[list[list[LonLat]]], list[list[list[LonLat]]]]:
    """The parts at or west of the meridian ``line``, and those east of it, each [outer ring, holes…]."""
    chains: list[list[LonLat]] = []
    whole: list[list[LonLat]] = []
    for ring in rings:
        sides = [x <= line for x, _ in ring]
        changes = [i for i in range(len(ring)) if sides[i] != sides[i - 1]]
        if not changes:
            whole.append(ring)
            continue
        for k, begin in enumerate(changes):
            end = changes[(k + 1) % len(changes)]
            span = (end - begin) % len(ring) or len(ring)
            middle = [ring[(begin + j) % len(ring)] for j in range(span)]
            first = _meeting(ring[begin - 1], ring[begin], line)
            last = _meeting(middle[-1], ring[end], line)
            chains.append([first, *middle, last])
    if not chains:
        return ([rings], []) if rings[0][0][0] <= line else ([], [rings])
    ends = sorted(
        ((chain[at][1], k, at) for k, chain in enumerate(chains) for at in (0, -1)),
        key=lambda end: (end[0], end[1], end[2]),
    )
    outers: dict[bool, list[list[LonLat]]] = {True: [], False: []}
    for west_side in (True, False):
        mine = [end for end in ends if (chains[end[1]][1][0] <= line) is west_side]
        partner: dict[tuple[int, int], tuple[int, int]] = {}
        for low, high in zip(mine[::2], mine[1::2], strict=True):
            partner[low[1:]] = high[1:]
            partner[high[1:]] = low[1:]
        unused = {end[1] for end in mine}
        while unused:
            k, at = min(unused), 0
            ring = []
            while k in unused:
                unused.discard(k)
                ring.extend(chains[k] if at == 0 else chains[k][::-1])
                k, at = partner[(k, -1 if at == 0 else 0)]
            cleaned = _cleaned(ring)
            if len(cleaned) >= 3:
                outers[west_side].append(cleaned)
    result: dict[bool, list[list[list[LonLat]]]] = {side: [[ring] for ring in outers[side]] for side in outers}
    for ring in whole:
        side = ring[0][0] <= line
        for part in result[side]:
            if len(result[side]) == 1 or _inside(ring[0], part[0]):
                part.append(ring)
                break
    return result[True], result[False]


def _meeting(a: LonLat, b: LonLat, line: float) -> LonLat:
    share = (line - a[0]) / (b[0] - a[0])
    return (line, a[1] + share * (b[1] - a[1]))


def _cleaned(ring: list[LonLat]) -> list[LonLat]:
    return [point for i, point in enumerate(ring) if point != ring[i - 1]]


def _inside(point: LonLat, ring: list[LonLat]) -> bool:
    px, py = point
    inside = False
    for i in range(len(ring)):
        (ax, ay), (bx, by) = ring[i - 1], ring[i]
        if (ay > py) != (by > py) and px < ax + (py - ay) / (by - ay) * (bx - ax):
            inside = not inside
    return inside

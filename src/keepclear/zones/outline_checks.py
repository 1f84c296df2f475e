"""The readers' door for outlines: a ring is checked whole before it becomes part of a zone.

Each check names the ring and says how to mend it. Source of the rules: RFC 7946 §3.1.6 (linear rings), OGC 06-103r4
§6.1.11 (simple rings).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keepclear.errors import InputError, LimitExceeded
from keepclear.space.geometry import Circle, EdgeType, LonLat, Polygon, Ring, check_position

__all__ = ["MAX_RING_VERTICES", "check_circle", "check_polygon", "check_ring", "crossing_of", "opposite_of"]

MAX_RING_VERTICES = 200_000
"""The largest published outline seen is a state border of 9,700 vertices; a coastline in full detail has some
100,000. More would make one zone cost what a thousand do."""
MAX_EDGE_PAIRS = 50_000_000
"""Pairs of edges whose boxes overlap on one axis; the worst of the European regions has 46,000 (Wien, 9,694 edges)."""
_PAIRS_AT_ONCE = 1_000_000


def check_ring(vertices: Sequence[Sequence[float]], *, where: str = "", closed: bool = True) -> Ring:
    """The ring stored open, its longitudes in [-180, 180), repeated vertices dropped, checked.

    ``vertices`` are (longitude, latitude) in degrees. ``closed`` says that the format wants the first vertex
    repeated at the end. Raises :class:`InputError` naming ``where``.
    """
    if len(vertices) > MAX_RING_VERTICES:
        raise LimitExceeded(f"the ring has {len(vertices):,} vertices, more than {MAX_RING_VERTICES:,}", where=where)
    ring: list[LonLat] = []
    for vertex in vertices:
        if len(vertex) < 2:
            raise InputError("a position needs a longitude and a latitude", where=where)
        position = check_position(float(vertex[0]), float(vertex[1]), where=where)
        if not ring or position != ring[-1]:
            ring.append(position)
    if closed and vertices and (len(ring) < 2 or ring[0] != ring[-1]):
        if len(ring) < 2:
            raise InputError("the ring is a single point", where=where)
        raise InputError(
            f"the ring is not closed: it begins at {_shown(ring[0])} and ends at {_shown(ring[-1])}; "
            "repeat the first position at the end",
            where=where,
        )
    while len(ring) > 1 and ring[0] == ring[-1]:
        ring.pop()
    if len(set(ring)) < 3:
        raise InputError(f"the ring has {len(set(ring))} distinct vertices and needs three", where=where)
    return tuple(ring)


def check_polygon(
    rings: Sequence[Sequence[Sequence[float]]],
    edge_type: EdgeType,
    *,
    where: str = "",
    closed: bool = True,
    warnings: list[str] | None = None,
) -> Polygon:
    """An outer ring and its holes, each checked.

    A ring that crosses itself is refused, unless ``warnings`` is given: then it is read as drawn (inside is where
    an odd number of edges lies between a point and the outside) and the crossing is told there: a closure whose
    published outline crosses itself by some metres must not vanish from the picture.
    """
    if not rings:
        raise InputError("the polygon has no ring", where=where)
    checked: list[Ring] = []
    for index, vertices in enumerate(rings):
        place = f"{where}[{index}]" if len(rings) > 1 else where
        ring = check_ring(vertices, where=place, closed=closed)
        opposite = opposite_of(ring, edge_type)
        if opposite is not None:
            raise InputError(
                f"the edge from {_shown(ring[opposite])} to {_shown(ring[(opposite + 1) % len(ring)])} joins places "
                "opposite each other on Earth: no one shortest line joins them; add a vertex between them",
                where=place,
            )
        if _encloses_nothing(ring):
            raise InputError("the ring's vertices lie on one line: it encloses nothing", where=place)
        crossing = crossing_of(ring)
        if crossing is not None:
            first, second = crossing
            message = (
                f"the ring crosses itself: its edge from {_shown(ring[first])} meets its edge from "
                f"{_shown(ring[second])}; are the vertices in order?"
            )
            if warnings is None:
                raise InputError(message, where=place)
            warnings.append(f"{place}: {message} It is read as drawn" if place else f"{message} It is read as drawn")
        checked.append(ring)
    return Polygon(checked[0], tuple(checked[1:]), edge_type)


def check_circle(lon_deg: float, lat_deg: float, radius_m: float, *, where: str = "") -> Circle:
    """A circle whose centre is on Earth."""
    lon_deg, lat_deg = check_position(lon_deg, lat_deg, where=where)
    try:
        return Circle(lon_deg, lat_deg, radius_m)
    except InputError as error:
        raise InputError(error.message, where=where) from None


def opposite_of(ring: Ring, edge_type: EdgeType) -> int | None:
    """The first vertex of an open ring opposite the one after it, where no one line of the kind joins the two."""
    import numpy as np

    from keepclear.space.outlines import KIND, opposite_vertices

    if edge_type is EdgeType.STRAIGHT or all(abs(a[1] + b[1]) > 1.0 for a, b in zip(ring, (*ring[1:], ring[0]))):
        return None
    lon, lat = np.array(ring, dtype=np.float64).T
    following = np.roll(np.arange(len(ring)), -1)
    bad = opposite_vertices(lon, lat, following, np.full(len(ring), KIND[edge_type], np.int64))
    return int(np.argmax(bad)) if bad.any() else None


def crossing_of(ring: Ring) -> tuple[int, int] | None:
    """Two edges of an open ring that cross, by the numbers of their first vertices; None for a simple ring.

    Judged as drawn straight in longitude and latitude, unwrapped over the antimeridian. Touching (a vertex on
    another edge, a repeated vertex) is no crossing: real outlines touch themselves at pinch points. Edges are
    compared only with those whose boxes overlap along the axis on which fewer do. Raises
    :class:`LimitExceeded` for an outline whose edges overlap more than any real one.
    """
    import numpy as np

    lon = np.array([vertex[0] for vertex in ring], dtype=np.float64)
    lat = np.array([vertex[1] for vertex in ring], dtype=np.float64)
    # Whole turns are added to the vertices themselves, so that neighbouring edges share theirs exactly.
    turns = -np.cumsum(np.round(np.diff(lon, append=lon[0]) / 360.0))
    x0 = lon + 360.0 * np.concatenate(([0.0], turns[:-1]))
    x1 = np.append(x0[1:], lon[0] + 360.0 * turns[-1])
    y0, y1 = lat, np.roll(lat, -1)
    sweeps = [_sweep(np.minimum(p, q), np.maximum(p, q)) for p, q in ((x0, x1), (y0, y1))]
    order, later = min(sweeps, key=lambda sweep: int(sweep[1].sum()))
    if int(later.sum()) > MAX_EDGE_PAIRS:
        raise LimitExceeded(f"the ring's edges overlap in more than {MAX_EDGE_PAIRS:,} pairs")
    low, high = np.minimum(y0, y1), np.maximum(y0, y1)
    left, right = np.minimum(x0, x1), np.maximum(x0, x1)
    total = np.cumsum(later)
    begin = 0
    while begin < len(ring):
        done = int(total[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(total, done + _PAIRS_AT_ONCE, side="right")))
        rows = np.arange(begin, end)
        counts = later[begin:end]
        begin = end
        first = np.repeat(rows, counts)
        behind = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
        a, b = order[first], order[first + 1 + behind]
        meet = (low[a] <= high[b]) & (low[b] <= high[a]) & (left[a] <= right[b]) & (left[b] <= right[a])
        a, b = a[meet], b[meet]
        hits = np.flatnonzero(_cross(x0, y0, x1, y1, a, b))
        if len(hits):
            return min((int(min(a[k], b[k])), int(max(a[k], b[k]))) for k in hits)
    return None


def _sweep(least: Any, greatest: Any) -> tuple[Any, Any]:
    """Edges in order of where they begin on one axis, and how many later ones begin before each ends."""
    import numpy as np

    order = np.argsort(least, kind="stable")
    ends = np.searchsorted(least[order], greatest[order], side="right")
    return order, np.maximum(ends - np.arange(len(order)) - 1, 0)


def _cross(x0: Any, y0: Any, x1: Any, y1: Any, a: Any, b: Any) -> Any:
    """Whether edges a and b cross properly: each one's ends lie strictly on both sides of the other."""
    import numpy as np

    def side(p: Any, rx: Any, ry: Any) -> Any:
        return np.sign((x1[p] - x0[p]) * (ry - y0[p]) - (y1[p] - y0[p]) * (rx - x0[p]))

    return (side(a, x0[b], y0[b]) * side(a, x1[b], y1[b]) < 0) & (side(b, x0[a], y0[a]) * side(b, x1[a], y1[a]) < 0)


def _encloses_nothing(ring: Ring) -> bool:
    """Whether all vertices lie on one line, unwrapped; a ring round a pole always encloses something."""
    x, wide = 0.0, [(0.0, 0.0)]
    for (lon_a, _), (lon_b, lat_b) in zip(ring, (*ring[1:], ring[0])):
        x -= 360.0 * round((lon_b - lon_a) / 360.0)
        wide.append((lon_b - ring[0][0] + x, lat_b - ring[0][1]))
    if wide.pop() != (0.0, 0.0):
        return False
    u = next((v for v in wide if v != (0.0, 0.0)), (0.0, 0.0))
    return all(u[0] * v[1] - u[1] * v[0] == 0.0 for v in wide)


def _shown(position: LonLat) -> str:
    return f"({position[0]:g}, {position[1]:g})"

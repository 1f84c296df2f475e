"""Conflicts between declared volumes in space and time: flights, areas and movements before anybody moves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.errors import InputError
from keepclear.feeds.reports import Floats
from keepclear.quantities import Datum, Level, check_band
from keepclear.space.geometry import Circle, EdgeType, Polygon, Shape

__all__ = ["ConflictPairs", "DeclaredVolume", "Meeting", "ResidentVolumes", "VolumeArrays", "conflicts", "prepare"]

_DATUM = {Datum.UNBOUNDED: 0, Datum.AGL: 1, Datum.AMSL: 2, Datum.STD: 3, Datum.WGS84: 4}
_KIND = {EdgeType.GEODESIC: 0, EdgeType.RHUMB: 1, EdgeType.STRAIGHT: 2}
EDGE_TOLERANCE_M = 1.0
"""How far a rhumb line or an edge straight in longitude/latitude may be from the chain that stands for it."""
SMALL = 192
"""Up to here every pair is looked at: sorting would cost more than it saves."""
ARC_LIMIT_M = 200_000.0
"""Up to here the great ellipse is the geodesic to centimetres."""


@dataclass(frozen=True, slots=True)
class DeclaredVolume:
    """A shape between two levels and two instants (POSIX seconds; infinite: open-ended)."""

    id: str
    shape: Shape
    lower: Level
    upper: Level
    from_s: float = -math.inf
    to_s: float = math.inf

    def __post_init__(self) -> None:
        if not self.from_s <= self.to_s:
            raise InputError(f"volume {self.id}: it must end after it begins")
        try:
            check_band(self.lower, self.upper)
        except InputError as error:
            raise InputError(f"volume {self.id}: {error.message}") from None


@dataclass(frozen=True, slots=True)
class VolumeArrays:
    """Volumes as the kernels take them (columns explained in ``kernels/volumes.py``)."""

    body: Floats
    meta: npt.NDArray[np.int64]
    edges: Floats

    def __len__(self) -> int:
        return len(self.body)

    @staticmethod
    def of_columns(
        *,
        circle: Floats,
        vertex_start: npt.NDArray[np.int64],
        vertex_lon_deg: Floats,
        vertex_lat_deg: Floats,
        lower_m: Floats,
        upper_m: Floats,
        datum: Datum,
        from_s: Floats,
        to_s: Floats,
        edge_type: EdgeType = EdgeType.GEODESIC,
    ) -> VolumeArrays:
        """Many volumes without holes, all limits of one datum, from columns of n rows.

        ``circle`` is (n, 3): longitude, latitude, radius in metres, nan for polygons; row i's ring is the vertices
        ``vertex_start[i]:vertex_start[i + 1]``, open, none for circles. Infinite limits mean no limit.

        Raises :class:`InputError` for a row that reaches too far or is not on Earth, naming it.
        """
        from keepclear.detection.kernels.outline import dense_rows
        from keepclear.detection.kernels.pool import in_blocks
        from keepclear.detection.kernels.volumes import LARGEST_REACH_M, column_bodies

        n = len(circle)
        start, lon, lat = dense_rows(
            vertex_start, vertex_lon_deg, vertex_lat_deg, _KIND[edge_type], EDGE_TOLERANCE_M, ARC_LIMIT_M
        )
        body, meta, edges = np.empty((n, 14)), np.zeros((n, 4), np.int64), np.empty((len(lon), 9))
        in_blocks(lambda a, b: column_bodies(a, b, circle, start, lon, lat, body, meta, edges), n, 5_000, 1)
        bad = np.flatnonzero(~(body[:, 3] <= LARGEST_REACH_M) | ~(lower_m <= upper_m) | ~(from_s <= to_s))
        if len(bad):
            raise InputError("too large, not on Earth, or its limits upside down", where=f"volume {bad[0]}")
        meta[:, 2] = np.where(np.isfinite(lower_m), _DATUM[datum], 0)
        meta[:, 3] = np.where(np.isfinite(upper_m), _DATUM[datum], 0)
        body[:, 4], body[:, 5], body[:, 6], body[:, 7] = lower_m, upper_m, from_s, to_s
        return VolumeArrays(body, meta, edges)


class ConflictPairs(NamedTuple):
    """Row numbers i < j, ordered; ``indeterminate`` where datums differ, so that the bands may or may not meet."""

    i: npt.NDArray[np.int64]
    j: npt.NDArray[np.int64]
    indeterminate: npt.NDArray[np.bool_]


class Meeting(NamedTuple):
    """A resident volume that the one asked about meets."""

    id: str
    indeterminate: bool


def prepare(volumes: Sequence[DeclaredVolume]) -> VolumeArrays:
    """The volumes as arrays, in their order.

    Raises :class:`InputError` for a volume that reaches more than 4,400 km from its centre.
    """
    body = np.empty((len(volumes), 14))
    meta = np.zeros((len(volumes), 4), np.int64)
    parts: list[Floats] = []
    at = 0
    for row, volume in enumerate(volumes):
        edges = _fill(volume, body[row], meta[row], at)
        at += len(edges)
        parts.append(edges)
    return VolumeArrays(body, meta, np.concatenate(parts) if at else np.empty((0, 9)))


def conflicts(volumes: Sequence[DeclaredVolume] | VolumeArrays) -> ConflictPairs:
    """Every unordered pair of volumes that share a point of the surface, a time and an altitude.

    Exact on WGS84: circles by geodesic distance, polygons with holes and any edge type (rhumb and
    longitude/latitude edges to 1 m). Bands and intervals that only touch do not meet. Limits of unlike datums are
    never compared: such a pair is reported, ``indeterminate``. Cost grows as n log n plus the pairs found.
    """
    from keepclear.detection.kernels.candidates import candidates, gather_discs
    from keepclear.detection.kernels.pool import in_blocks
    from keepclear.detection.kernels.scratch import scratch
    from keepclear.detection.kernels.sweep import SPAN
    from keepclear.detection.kernels.volumes import every_conflict, judge_volumes, volume_discs

    arrays = volumes if isinstance(volumes, VolumeArrays) else prepare(volumes)
    body, meta, edges = arrays.body, arrays.meta, arrays.edges
    n = len(body)
    if n <= SMALL:
        return ConflictPairs(*every_conflict(body, meta, edges))
    discs, angle = np.empty((n, 8), np.float32), np.empty((2, n))
    begins = body[:, 6][np.isfinite(body[:, 6])]
    epoch_s = float(begins.min()) if len(begins) else 0.0
    datum = int(np.bincount(meta[:, 3], minlength=5)[1:].argmax()) + 1
    in_blocks(lambda a, b: volume_discs(a, b, body, meta, epoch_s, datum, discs, angle), n, 5_000, 1)
    with scratch() as room:
        found = candidates(
            partial(gather_discs, discs), SPAN, body[:, 3] + 2.0, angle[0], angle[1],
            lambda p, q, a, b: judge_volumes(p, q, a.ids, b.ids, body, meta, edges), room, disc=discs,
        )  # fmt: skip
    i, j = np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])
    order = np.argsort(i * n + j, kind="stable")
    return ConflictPairs(i[order], j[order], np.concatenate([f[2] for f in found])[order])


class ResidentVolumes:
    """Many volumes kept ready, so that one more is checked against them in microseconds. Not thread-safe."""

    _n: int
    _gone: int
    _taken: int
    _epoch_s: float
    _edges_used: int
    _body: Floats
    _edges: Floats
    _meta: npt.NDArray[np.int64]
    _links: npt.NDArray[np.int64]
    _cells: npt.NDArray[np.int64]
    _counts: npt.NDArray[np.int64]

    def __init__(self, volumes: Iterable[DeclaredVolume] = ()) -> None:
        given = list(volumes)
        self._load([v.id for v in given], prepare(given))

    @classmethod
    def of_arrays(cls, ids: Sequence[str], arrays: VolumeArrays) -> ResidentVolumes:
        """Take prepared volumes in bulk (the arrays are copied)."""
        resident = cls()
        resident._load(list(ids), arrays)
        return resident

    def __len__(self) -> int:
        return len(self._row)

    def __contains__(self, volume_id: str) -> bool:
        return volume_id in self._row

    def insert_and_check(self, volume: DeclaredVolume) -> list[Meeting]:
        """Add the volume and return the residents it meets, the longest resident first.

        Raises :class:`InputError`, adding nothing, if its id is already resident or its shape is not acceptable.
        """
        from keepclear.detection.kernels.resident import insert_volume

        if volume.id in self._row:
            raise InputError(f"volume {volume.id} is already resident: remove it first")
        row = self._n
        if row == len(self._body):
            self._widen()
        if 2 * (self._taken + 1) > len(self._cells):
            self._rehash()
        shape, lower, upper = volume.shape, volume.lower, volume.upper
        low, high = _DATUM[lower.datum], _DATUM[upper.datum]
        limits = (
            float(lower.metres) if low else -math.inf, float(upper.metres) if high else math.inf,
            float(volume.from_s), float(volume.to_s),
        )  # fmt: skip
        if isinstance(shape, Circle):
            ring, kind = _NO_RING, 0
            circle = (float(shape.lon_deg), float(shape.lat_deg), float(shape.radius_m))
        else:
            ring, kind, circle = np.array(shape.exterior, np.float64), _KIND[shape.edge_type], _NO_CIRCLE
        self._make_room(len(ring))
        state = 1
        if isinstance(shape, Circle) or not shape.holes:
            state, taken, met, doubt = insert_volume(
                row, self._edges_used, ring, circle, limits, (low, high), kind, EDGE_TOLERANCE_M, ARC_LIMIT_M,
                self._body, self._meta, self._edges, self._epoch_s, self._cells, self._links, self._counts,
            )  # fmt: skip
        if state == 0:
            self._edges_used += len(ring)
        else:
            taken, met, doubt = self._insert_filled(volume, row)
        self._taken += taken
        self._n += 1
        self._row[volume.id] = row
        ids = self._ids
        ids.append(volume.id)
        if not len(met):
            return []
        return [Meeting(ids[r], d) for r, d in sorted(zip(met.tolist(), doubt.tolist()))]

    def _insert_filled(
        self, volume: DeclaredVolume, row: int
    ) -> tuple[int, npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """The longer way: holes, and edges that need more vertices. Says what is wrong with a shape."""
        from keepclear.detection.kernels.resident import add_volumes, query_volume

        edges = _fill(volume, self._body[row], self._meta[row], self._edges_used)
        self._make_room(len(edges))
        self._edges[self._edges_used : self._edges_used + len(edges)] = edges
        self._edges_used += len(edges)
        table = (self._epoch_s, self._cells, self._links, self._counts)
        met, doubt = query_volume(row, self._body, self._meta, self._edges, *table)
        return add_volumes(row, row + 1, self._body, *table), met, doubt

    def _make_room(self, edges: int) -> None:
        if self._edges_used + edges > len(self._edges):
            wider = np.empty((2 * (len(self._edges) + edges), 9))
            wider[: self._edges_used] = self._edges[: self._edges_used]
            self._edges = wider

    def remove(self, volume_id: str) -> None:
        """Take a volume out. Raises :class:`InputError` if it is not resident."""
        from keepclear.detection.kernels.resident import drop_volume

        row = self._row.pop(volume_id, None)
        if row is None:
            raise InputError(f"volume {volume_id} is not resident")
        drop_volume(row, self._cells, self._links, self._counts)
        self._gone += 1
        if self._gone > 1024 and 2 * self._gone > self._n:
            self._compact()

    def _load(self, ids: list[str], arrays: VolumeArrays) -> None:
        from keepclear.detection.kernels.resident import LEVELS, add_volumes

        n = len(arrays)
        if len(set(ids)) != n:
            raise InputError("volumes need one id each, all different")
        room = max(1024, n + n // 2)
        self._n, self._gone = n, 0
        self._ids = ids
        self._row = {name: row for row, name in enumerate(ids)}
        self._body, self._meta = np.empty((room, 14)), np.zeros((room, 4), np.int64)
        self._body[:n], self._meta[:n] = arrays.body, arrays.meta
        self._edges_used = len(arrays.edges)
        self._edges = np.empty((max(4096, self._edges_used + self._edges_used // 2), 9))
        self._edges[: self._edges_used] = arrays.edges
        begins = arrays.body[:, 6][np.isfinite(arrays.body[:, 6])]
        self._epoch_s = float(begins.min()) if len(begins) else 0.0
        self._links = np.full((room, 4), -1, np.int64)
        self._counts = np.zeros(LEVELS, np.int64)
        slots = 1 << max(12, (4 * n).bit_length())
        self._cells = np.full((slots, 2), -1, np.int64)
        self._taken = int(add_volumes(0, n, self._body, self._epoch_s, self._cells, self._links, self._counts))

    def _widen(self) -> None:
        for name in ("_body", "_meta", "_links"):
            old = getattr(self, name)
            wider = np.full((2 * len(old), old.shape[1]), -1, old.dtype)
            wider[: len(old)] = old
            setattr(self, name, wider)

    def _rehash(self) -> None:
        from keepclear.detection.kernels.resident import rehash

        cells = np.full((2 * len(self._cells), 2), -1, np.int64)
        self._taken = int(rehash(self._cells, cells, self._links))
        self._cells = cells

    def _compact(self) -> None:
        """Forget the rows that were removed."""
        rows = np.flatnonzero(self._links[: self._n, 3] >= 0)
        meta = self._meta[rows].copy()
        count = meta[:, 1]
        total = int(count.sum())
        begin = np.cumsum(count) - count
        source = np.repeat(meta[:, 0] - begin, count) + np.arange(total)
        edges = self._edges[source]
        meta[:, 0] = begin
        self._load([self._ids[r] for r in rows.tolist()], VolumeArrays(self._body[rows].copy(), meta, edges))


def _fill(volume: DeclaredVolume, body: Floats, meta: npt.NDArray[np.int64], first_edge: int) -> Floats:
    """Fill one volume's row and return its edges."""
    from keepclear.detection.kernels.volumes import LARGEST_REACH_M, circle_body, polygon_body

    shape = volume.shape
    if isinstance(shape, Circle):
        circle_body(shape.lon_deg, shape.lat_deg, shape.radius_m, body)
        edges = _NO_EDGES
    else:
        lon, lat, ring_end = _vertices(shape, volume.id)
        edges = np.empty((len(lon), 9))
        polygon_body(lon, lat, ring_end, body, edges)
    if not body[3] <= LARGEST_REACH_M:
        raise InputError(f"volume {volume.id} reaches {body[3] / 1000.0:.0f} km from its centre; at most 4,400 km")
    lower, upper = volume.lower, volume.upper
    meta[0], meta[1], meta[2], meta[3] = first_edge, len(edges), _DATUM[lower.datum], _DATUM[upper.datum]
    body[4] = lower.metres if meta[2] else -math.inf
    body[5] = upper.metres if meta[3] else math.inf
    body[6], body[7] = volume.from_s, volume.to_s
    return edges


_NO_EDGES: Floats = np.empty((0, 9))
_NO_RING: Floats = np.empty((0, 2))
_NO_CIRCLE = (0.0, 0.0, 0.0)


def _vertices(shape: Polygon, volume_id: str) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """(lon, lat, ring ends) with vertices added until every edge is a great ellipse arc within tolerance."""
    from keepclear.detection.kernels.outline import dense_ring, plain_ring

    rings = (shape.exterior, *shape.holes)
    lons: list[Floats] = []
    lats: list[Floats] = []
    ends = np.empty(len(rings), np.int64)
    total = 0
    kind = _KIND[shape.edge_type]
    for k, ring in enumerate(rings):
        given = np.array(ring, dtype=np.float64)
        lon, lat = given[:, 0], given[:, 1]
        if not plain_ring(lon, lat, kind, EDGE_TOLERANCE_M, ARC_LIMIT_M):
            lon, lat = dense_ring(lon, lat, kind, EDGE_TOLERANCE_M, ARC_LIMIT_M)
        if not np.isfinite(lon).all():
            raise InputError(f"volume {volume_id}: two neighbouring vertices lie opposite each other on Earth")
        total += len(lon)
        ends[k] = total
        lons.append(lon)
        lats.append(lat)
    if len(rings) == 1:
        return np.ascontiguousarray(lons[0]), np.ascontiguousarray(lats[0]), ends
    return np.concatenate(lons), np.concatenate(lats), ends

"""A zone set made ready for detection: outlines indexed once, grouped by whom they bind and in which altitude frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepclear.detection.vertical import VerticalBand, vertical_band
from keepclear.errors import InputError
from keepclear.feeds.reports import Floats
from keepclear.quantities import Datum
from keepclear.space.geometry import Shape
from keepclear.space.index import OutlineIndex
from keepclear.space.outlines import build_outlines
from keepclear.space.widening import widen
from keepclear.tracks.altitude import AltitudeAssumptions
from keepclear.zones.model import Domain, ZoneType
from keepclear.zones.zone_set import ZoneSet

__all__ = ["PreparedLayer", "PreparedZones", "prepare"]


@dataclass(frozen=True, slots=True)
class PreparedLayer:
    """Volumes that bind the same domains and are judged in the same altitude frame; one row an outline."""

    frame: Datum
    domains: frozenset[Domain]
    zone: npt.NDArray[np.int32]
    """shape (rows,): the zone's row in the set"""
    band: Floats
    """shape (rows, 4): outer low, inner low, inner high, outer high, metres in ``frame``"""
    exact: OutlineIndex
    """the outlines with their own buffers: what counts"""
    near: OutlineIndex | None
    """the same widened by the margin: who may be inside for all that is known; ``None`` without a margin"""
    near_row: npt.NDArray[np.int32]
    """near's outline row → the first exact row of the same volume"""
    volume: npt.NDArray[np.int32]
    """shape (rows,): rows with the same number are parts of one volume"""

    def depth(self, lon_deg: Floats, lat_deg: Floats, row: npt.NDArray[np.int32]) -> Floats:
        """Signed metres inside the volume that ``row`` is a part of; negative outside."""
        depth = self.exact.boundary_distance(lon_deg, lat_deg, row)
        step = 1
        while True:  # a buffered polygon may have several parts: the depth is that of the nearest
            other = row + step
            same = (other < len(self.volume)) & (
                self.volume[np.minimum(other, len(self.volume) - 1)] == self.volume[row]
            )
            if not same.any():
                return depth
            rows = np.flatnonzero(same)
            more = self.exact.boundary_distance(lon_deg[rows], lat_deg[rows], other[rows].astype(np.int32))
            depth[rows] = np.maximum(depth[rows], more)
            step += 1


@dataclass(frozen=True, slots=True)
class PreparedZones:
    zones: ZoneSet
    layers: tuple[PreparedLayer, ...]
    margin_m: float
    assumptions: AltitudeAssumptions
    accuracy_m: Floats
    """shape (zones,)"""
    third_party: npt.NDArray[np.bool_]
    """shape (zones,): a third party's territory, of which a crossing is spill-over"""


def prepare(
    zones: ZoneSet,
    *,
    assumptions: AltitudeAssumptions | None = None,
    margin_m: float = 0.0,
    limits_s: Floats | None = None,
) -> PreparedZones:
    """Index ``zones``. ``limits_s`` (zones, 2) bounds each zone in time (its envelope in force).

    ``margin_m`` is how far outside a track may be and still be in doubt: the largest stated 95 % error. Zones that
    state an accuracy of their own add it.

    Raises :class:`InputError` naming the zone whose outline cannot be used.
    """
    assumptions = assumptions or AltitudeAssumptions()
    margin_m += max((z.accuracy_m for z in zones), default=0.0)
    groups: dict[tuple[Datum, frozenset[Domain]], list[tuple[int, int, VerticalBand, Shape]]] = {}
    volume_number = 0
    for row, zone in enumerate(zones):
        for volume in zone.volumes:
            band = vertical_band(volume.lower, volume.upper, zone.buffer_vertical_m, assumptions)
            key = (band.frame, zone.subject.domains)
            try:
                parts = widen(volume.shape, zone.buffer_lateral_m)
            except InputError as error:
                raise InputError(
                    f"zone {zone.id}: {error.message}", source=zone.origin.source, where=zone.origin.where
                ) from None
            for part in parts:
                groups.setdefault(key, []).append((row, volume_number, band, part))
            volume_number += 1
    layers = [_layer(key, members, margin_m, limits_s) for key, members in groups.items()]
    accuracy_m = np.array([z.accuracy_m for z in zones], dtype=np.float64)
    third_party = np.array([z.type is ZoneType.THIRD_PARTY_TERRITORY for z in zones], dtype=np.bool_)
    return PreparedZones(zones, tuple(layers), margin_m, assumptions, accuracy_m, third_party)


def _layer(
    key: tuple[Datum, frozenset[Domain]],
    members: list[tuple[int, int, VerticalBand, Shape]],
    margin_m: float,
    limits_s: Floats | None,
) -> PreparedLayer:
    zone = np.array([m[0] for m in members], dtype=np.int32)
    volume = np.array([m[1] for m in members], dtype=np.int32)
    band = np.array(
        [(b.outer_low_m, b.inner_low_m, b.inner_high_m, b.outer_high_m) for _, _, b, _ in members], dtype=np.float64
    ).reshape(-1, 4)
    limits = np.empty((len(members), 4))
    limits[:, 0], limits[:, 1] = band[:, 0], band[:, 3]
    limits[:, 2:] = (-np.inf, np.inf) if limits_s is None else limits_s[zone]
    exact = OutlineIndex(build_outlines([m[3] for m in members]), limits)
    near, near_row = None, np.empty(0, dtype=np.int32)
    if margin_m > 0.0:
        first_row = {number: row for row, number in reversed(list(enumerate(volume.tolist())))}
        wide: list[Shape] = []
        rows: list[int] = []
        for row, (_, number, _, shape) in enumerate(members):
            try:
                parts = widen(shape, margin_m, at_least=True)
            except InputError:  # too large for the plane: doubt at its border cannot be screened, only judged inside
                parts = (shape,)
            wide.extend(parts)
            rows.extend([first_row[number]] * len(parts))
            del row
        near_row = np.array(rows, dtype=np.int32)
        near = OutlineIndex(build_outlines(wide), limits[near_row])
    return PreparedLayer(key[0], key[1], zone, band, exact, near, near_row, volume)

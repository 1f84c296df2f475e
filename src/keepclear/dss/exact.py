"""Strict mode: things meet where their volumes truly intersect on WGS84, not wherever they share a cell.

The standard's answer (cells, altitudes, times) stays the outer bound: strictness only takes away from it.
"""

from __future__ import annotations

from keepclear.detection.conflict import DeclaredVolume, ResidentVolumes
from keepclear.dss.airspace import Airspace, R, Table
from keepclear.dss.extent import HIGHEST_M, LOWEST_M, Extent
from keepclear.dss.instants import FOREVER_US, NEVER_US, SECOND_US
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level

__all__ = ["ExactTable", "strict_airspace"]

ASKED = "?"
"""The id under which a question's own volume is resident for a moment; entities have UUIDs."""


class ExactTable(Table[R]):
    """A table that also knows the volumes. An entity without volumes is matched by its cells."""

    def __init__(self) -> None:
        super().__init__()
        self._resident = ResidentVolumes()
        self._parts: dict[str, list[str]] = {}

    def put(self, record_id: str, record: R) -> None:
        self._forget(record_id)
        super().put(record_id, record)
        parts = _declared(record.extent, record_id)
        for part in parts:
            self._resident.insert_and_check(part)
        if parts:
            self._parts[record_id] = [part.id for part in parts]

    def drop(self, record_id: str) -> None:
        self._forget(record_id)
        super().drop(record_id)

    def meeting(self, extent: Extent) -> list[R]:
        near = super().meeting(extent)
        if not near or not extent.volumes:
            return near
        met: set[str] = set()
        for asked in _declared(extent, ASKED):
            met.update(found.id.partition("#")[0] for found in self._resident.insert_and_check(asked))
            self._resident.remove(asked.id)
        return [record for record in near if record.id in met or record.id not in self._parts]

    def _forget(self, record_id: str) -> None:
        for part in self._parts.pop(record_id, ()):
            self._resident.remove(part)


def strict_airspace() -> Airspace:
    """An airspace whose intents, constraints and subscriptions meet exactly."""
    return Airspace(exact=ExactTable)


def _declared(extent: Extent, name: str) -> list[DeclaredVolume]:
    """The extent's volumes, each within the extent's own bounds."""
    declared: list[DeclaredVolume] = []
    for number, volume in enumerate(extent.volumes):
        lower_m, upper_m = max(volume.lower_m, extent.lower_m), min(volume.upper_m, extent.upper_m)
        start_us, end_us = max(volume.start_us, extent.start_us), min(volume.end_us, extent.end_us)
        if lower_m <= upper_m and start_us <= end_us:
            declared.append(
                DeclaredVolume(
                    f"{name}#{number}", volume.shape, _level(lower_m), _level(upper_m), _seconds(start_us),
                    _seconds(end_us),
                )
            )  # fmt: skip
    return declared


def _level(altitude_m: float) -> Level:
    return UNBOUNDED if altitude_m in (LOWEST_M, HIGHEST_M) else Level(altitude_m, LengthUnit.METRE, Datum.WGS84)


def _seconds(time_us: int) -> float:
    if time_us in (NEVER_US, FOREVER_US):
        return float("-inf") if time_us == NEVER_US else float("inf")
    return time_us / SECOND_US

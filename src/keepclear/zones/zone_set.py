"""Zones made ready for detection: a fixed tuple, one row number a zone, looked up by id and version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from keepclear.errors import InputError
from keepclear.zones.model import Zone

__all__ = ["ZoneSet"]


@dataclass(frozen=True, slots=True)
class ZoneSet:
    """The zones in force in one run. Row numbers are stable for the life of the set; an edit makes a new set
    with the edited zone's new version as a new row (practice R2.11)."""

    zones: tuple[Zone, ...]

    @staticmethod
    def of(zones: Iterable[Zone]) -> ZoneSet:
        """Refuses two zones with the same id and version but different content."""
        seen: dict[tuple[str, str], Zone] = {}
        for zone in zones:
            known = seen.setdefault((zone.id, zone.version), zone)
            if known is not zone and known != zone:
                raise InputError(
                    f"zone {zone.id} version {zone.version} is given twice with different content",
                    source=zone.origin.source, where=zone.origin.where,
                )  # fmt: skip
        return ZoneSet(tuple(seen.values()))

    superseded: frozenset[int] = frozenset()
    """rows of versions that an edit has replaced or removed: kept for the alerts judged against them"""

    def edited(self, current: ZoneSet) -> ZoneSet:
        """The set after an edit: every row keeps its number, new versions get new rows (practice R2.11).

        A zone whose content changed under the same version number is given one: «1» becomes «1+», then «1++».
        """
        kept = list(self.zones)
        in_use: set[int] = set()
        rows = {(zone.id, zone.version): row for row, zone in enumerate(kept)}
        for zone in current:
            while (zone.id, zone.version) in rows and kept[rows[zone.id, zone.version]] != zone:
                zone = replace(zone, version=f"{zone.version}+")
            row = rows.setdefault((zone.id, zone.version), len(kept))
            if row == len(kept):
                kept.append(zone)
            in_use.add(row)
        return ZoneSet(tuple(kept), frozenset(range(len(kept))) - in_use)

    def __len__(self) -> int:
        return len(self.zones)

    def __iter__(self) -> Iterator[Zone]:
        return iter(self.zones)

    def __getitem__(self, row: int) -> Zone:
        return self.zones[row]

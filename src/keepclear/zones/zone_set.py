"""Zones made ready for detection: a fixed tuple, one row number a zone, looked up by id and version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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

    def __len__(self) -> int:
        return len(self.zones)

    def __iter__(self) -> Iterator[Zone]:
        return iter(self.zones)

    def __getitem__(self, row: int) -> Zone:
        return self.zones[row]

"""What the rules need to know of a 4-D volume: its cells, its band of altitude, its interval of time."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from keepclear.dss.cells import Cells
from keepclear.dss.instants import FOREVER_US, NEVER_US
from keepclear.space.geometry import Circle, LonLat, Polygon, Shape

__all__ = ["HIGHEST_M", "LOWEST_M", "Extent", "Volume", "union"]

LOWEST_M = -1e9
"""Below every altitude: no lower limit. Finite, because JSON knows no infinity."""
HIGHEST_M = 1e9


class Volume(msgspec.Struct, frozen=True, omit_defaults=True):
    """One shape between two altitudes (metres above the WGS84 ellipsoid) and two instants, as it was given."""

    ring: tuple[LonLat, ...] = ()
    circle: Circle | None = None
    lower_m: float = LOWEST_M
    upper_m: float = HIGHEST_M
    start_us: int = NEVER_US
    end_us: int = FOREVER_US

    @property
    def shape(self) -> Shape:
        return self.circle or Polygon(self.ring)


class Extent(msgspec.Struct, frozen=True, omit_defaults=True):
    """The box around one or more volumes. Intervals are closed: what touches meets."""

    cells: Cells
    lower_m: float = LOWEST_M
    upper_m: float = HIGHEST_M
    start_us: int = NEVER_US
    end_us: int = FOREVER_US
    volumes: tuple[Volume, ...] = ()
    """the volumes themselves, kept only where matching is strict"""

    def meets(self, other: Extent) -> bool:
        return (
            self.start_us <= other.end_us
            and other.start_us <= self.end_us
            and self.lower_m <= other.upper_m
            and other.lower_m <= self.upper_m
            and self.cells.meets(other.cells)
        )

    def from_now(self, now_us: int) -> Extent:
        """Only what is still to come: nobody can be told of the past, or keep clear of it."""
        return self if self.start_us >= now_us else msgspec.structs.replace(self, start_us=now_us)


def union(extents: Sequence[Extent]) -> Extent:
    """One extent around all (rule 6)."""
    if len(extents) == 1:
        return extents[0]
    return Extent(
        Cells.union(e.cells for e in extents),
        min(e.lower_m for e in extents),
        max(e.upper_m for e in extents),
        min(e.start_us for e in extents),
        max(e.end_us for e in extents),
        tuple(volume for e in extents for volume in e.volumes),
    )

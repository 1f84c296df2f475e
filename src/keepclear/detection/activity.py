"""When each zone of a set is in force within a window, as arrays that detection can cut with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepclear.zones.applicability import active_intervals
from keepclear.zones.model import Restriction, Zone, ZoneType
from keepclear.zones.zone_set import ZoneSet

__all__ = ["Activity", "activity", "forbids"]


@dataclass(frozen=True, slots=True)
class Activity:
    """``intervals[zone]`` has shape (k, 2): [from, to) in POSIX seconds, sorted, not touching."""

    intervals: tuple[npt.NDArray[np.float64], ...]
    published_end_s: npt.NDArray[np.float64]
    """per zone: the estimated end (NOTAM EST) after which «in force» rests on an estimate; inf where there is none"""
    assumed: bool

    def envelope(self) -> npt.NDArray[np.float64]:
        """Shape (zones, 2): first start and last end; (inf, -inf) where never in force."""
        rows = [(i[0, 0], i[-1, 1]) if len(i) else (np.inf, -np.inf) for i in self.intervals]
        return np.array(rows, dtype=np.float64).reshape(-1, 2)


def forbids(zone: Zone) -> bool:
    """Whether being inside is anybody's business: an outline that restricts nothing (a FIR, a CTR) is not watched."""
    return zone.restriction is not Restriction.NO_RESTRICTION or zone.type is ZoneType.THIRD_PARTY_TERRITORY


def activity(
    zones: ZoneSet, from_s: float, to_s: float, *, assume_active: bool = False, unrestricted: bool = False
) -> Activity:
    """The zones' times in force between ``from_s`` and ``to_s``. ``assume_active`` asks «what if it had been»;
    ``unrestricted`` takes in the zones that forbid nothing, for whoever asks who was there."""
    never = np.empty((0, 2))
    intervals = tuple(
        never
        if row in zones.superseded or not (unrestricted or forbids(zone))
        else active_intervals(zone, from_s, to_s, assume_active=assume_active)
        for row, zone in enumerate(zones)
    )
    ends = np.array([min((p.to_s for p in z.applicability if p.end_estimated), default=np.inf) for z in zones])
    return Activity(intervals, ends, assume_active)

"""How close is too close: the separations that an encounter is judged by."""

from __future__ import annotations

import math
from dataclasses import dataclass

from keepclear.detection.situation import SituationKind
from keepclear.errors import InputError
from keepclear.quantities import FOOT_M, NAUTICAL_MILE_M

__all__ = ["NEAR_MIDAIR", "RADAR_SEPARATION", "WELL_CLEAR", "Thresholds"]

HORIZONTAL_LIMIT_M = 500_000.0
"""Beyond this the local metric's error grows past a metre, and no separation is that large."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Separation is lost while the horizontal distance is below ``horizontal_m`` and, at the same time, the
    vertical distance below ``vertical_m``. With ``tau_s`` above 0 the horizontal half is also lost while the
    modified tau is at most ``tau_s`` and the projected miss distance below ``horizontal_m`` (DO-365 §2.2.4.3:
    DMOD and HMD are equal there)."""

    horizontal_m: float
    vertical_m: float
    tau_s: float = 0.0
    name: str = "free"
    kind: SituationKind = SituationKind.STCA

    def __post_init__(self) -> None:
        if not 0.0 < self.horizontal_m <= HORIZONTAL_LIMIT_M:
            raise InputError(f"horizontal separation {self.horizontal_m} m is not between 0 and 500 km")
        if not 0.0 < self.vertical_m < math.inf:
            raise InputError(f"vertical separation {self.vertical_m} m is not above 0")
        if not 0.0 <= self.tau_s <= 600.0:
            raise InputError(f"modified tau {self.tau_s} s is not between 0 and 600 s")


RADAR_SEPARATION = Thresholds(5.0 * NAUTICAL_MILE_M, 1000.0 * FOOT_M, name="radar separation")
"""5 NM and 1,000 ft (ICAO Doc 4444 §5.3.2 and §8.7.3)."""

WELL_CLEAR = Thresholds(4000.0 * FOOT_M, 450.0 * FOOT_M, tau_s=35.0, name="well clear", kind=SituationKind.WELL_CLEAR)
"""4,000 ft, 450 ft and 35 s (RTCA DO-365, en-route non-cooperative and cooperative alike)."""

NEAR_MIDAIR = Thresholds(500.0 * FOOT_M, 100.0 * FOOT_M, name="near mid-air collision")
"""500 ft and 100 ft (the NMAC of RTCA DO-185 and DO-365)."""

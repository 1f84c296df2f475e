"""When a situation becomes news, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass

from keepclear.detection.infringement import MERGE_GAP_S
from keepclear.errors import UsageError
from keepclear.quantities import FOOT_M, NAUTICAL_MILE_M

__all__ = ["CYCLES_MAX", "SITUATIONS_MAX", "AlertSettings"]

CYCLES_MAX = 64
"""The history of a situation is one bit a cycle in one 64-bit word."""
SITUATIONS_MAX = 100_000
"""Situations remembered at once, some 20 MB. Beyond it the worst are kept and the rest counted as OVERFLOW."""


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """Operational values; the defaults are starting points, not a rule from anywhere."""

    judged_by: str = ""
    """whose watch this is; kept in every alert"""
    confirm_cycles: int = 2
    of_cycles: int = 3
    """a prediction or a doubt is news when it stands in k of the last n cycles"""
    confirm_actual_cycles: int = 1
    of_actual_cycles: int = 1
    """the same for an actual infringement: at once"""
    clear_cycles: int = 3
    """so many cycles clear in a row end an alert, so many not actual end a violation (practice R2.9)"""
    confirm_s: float = 0.5
    clear_s: float = 2.0
    """and both for so long at least: a fast feed makes many cycles a second, all on one report. Half a second outlasts
    one report of motion of ADS-B, two seconds a position that was missed"""
    exit_margin_m: float = 1_000.0
    """further outside than this there is no doubt: clear at once"""
    rejoin_s: float = 60.0
    """an alert that has ended goes on if its track is back within this time"""
    violation_gap_s: float = MERGE_GAP_S
    """a target that was out, or not heard of, for less than this is in the same violation (practice R2.9), as in an
    archive"""
    high_within_s: float = 60.0
    """severity HIGH from here on"""
    separation_horizontal_m: float = 5.0 * NAUTICAL_MILE_M
    separation_vertical_m: float = 1_000.0 * FOOT_M
    """against which an infringed separation is minor or, below half of both, major"""
    situations_max: int = SITUATIONS_MAX

    def __post_init__(self) -> None:
        for k, n in ((self.confirm_cycles, self.of_cycles), (self.confirm_actual_cycles, self.of_actual_cycles)):
            if not 1 <= k <= n <= CYCLES_MAX:
                raise UsageError(f"confirmation in {k} of {n} cycles: choose 1 ≤ k ≤ n ≤ {CYCLES_MAX}")
        if self.clear_cycles < 1 or self.situations_max < 1:
            raise UsageError("clear cycles and situations are counted from 1")
        least = (
            self.confirm_s,
            self.clear_s,
            self.exit_margin_m,
            self.rejoin_s,
            self.violation_gap_s,
            self.high_within_s,
        )
        if not all(value >= 0.0 for value in least):
            raise UsageError("margins and times are 0 or more")

"""The table of recorded infringements, one row a violation."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.feeds.reports import Floats

__all__ = ["InfringementTable", "empty", "joined"]


@dataclass(frozen=True, slots=True)
class InfringementTable:
    """Columns of equal length, one row a violation, sorted by entry time."""

    track: npt.NDArray[np.int32]
    zone: npt.NDArray[np.int32]
    kind: npt.NDArray[np.uint8]
    verdict: npt.NDArray[np.uint8]
    confidence: npt.NDArray[np.float32]
    """probability of having been inside at the deepest place, from the stated accuracies; nan where none is stated"""
    entry_s: Floats
    exit_s: Floats
    entry_seen: npt.NDArray[np.bool_]
    """it was seen outside before; otherwise the record begins inside, and the entry is «no later than»"""
    exit_seen: npt.NDArray[np.bool_]
    entry_lon_deg: Floats
    entry_lat_deg: Floats
    exit_lon_deg: Floats
    exit_lat_deg: Floats
    lowest_m: Floats
    highest_m: Floats
    altitude_datum: npt.NDArray[np.uint8]
    """0 none, 1 STD (barometric), 2 WGS84 (geometric): the column the two heights were taken from, unconverted"""
    depth_m: Floats
    depth_lon_deg: Floats
    depth_lat_deg: Floats
    depth_s: Floats
    """the instant at which it was deepest"""
    coverage: Floats
    """share of the violation's duration that was observed"""
    doubt: npt.NDArray[np.object_]
    """what makes it INDETERMINATE: position, altitude, party, category; empty otherwise"""
    exempt: npt.NDArray[np.bool_]
    exemption: npt.NDArray[np.object_]
    rests_on: npt.NDArray[np.object_]
    """«assumed active», «estimated end» or nothing"""

    def __len__(self) -> int:
        return len(self.track)

    def take(self, rows: npt.NDArray[Any]) -> InfringementTable:
        return InfringementTable(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def joined(parts: list[InfringementTable]) -> InfringementTable:
    """The rows of all parts, by entry time, then track and zone."""
    if not parts:
        return empty()
    columns = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(InfringementTable)}
    whole = InfringementTable(**columns)
    return whole.take(np.lexsort((whole.zone, whole.track, whole.entry_s)))


def empty() -> InfringementTable:
    types: dict[str, Any] = {
        "track": np.int32, "zone": np.int32, "kind": np.uint8, "verdict": np.uint8, "confidence": np.float32,
        "entry_seen": np.bool_, "exit_seen": np.bool_, "altitude_datum": np.uint8, "exempt": np.bool_,
        "doubt": np.object_, "exemption": np.object_, "rests_on": np.object_,
    }  # fmt: skip
    return InfringementTable(
        **{f.name: np.empty(0, dtype=types.get(f.name, np.float64)) for f in fields(InfringementTable)}
    )

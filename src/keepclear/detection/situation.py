"""What detection finds in one cycle of the live picture, in columns; and the words for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["SituationBatch", "SituationKind", "Verdict", "concatenate"]


class Verdict(IntEnum):
    """In this order, so that a larger number is worse, and doubt stands above a prediction."""

    CLEAR = 0
    PREDICTED = 1
    INDETERMINATE = 2
    """the accuracies of track and zone do not allow a verdict (practice R2.1)"""
    ACTUAL = 3


class SituationKind(IntEnum):
    """EUROCONTROL's names where there is one (ASTERIX CAT004)."""

    APW = 1
    """area proximity warning: a track and a zone"""
    STCA = 2
    """short-term conflict alert: two tracks"""
    SPILL_OVER = 3
    """a track towards a third party's territory"""
    WELL_CLEAR = 4
    """two tracks no longer well clear of each other (DO-365 volume), weaker than STCA"""


@dataclass(frozen=True, slots=True)
class SituationBatch:
    """Columns of equal length; one row is one pair (track, zone) or (track, track) that is not clear."""

    kind: npt.NDArray[np.uint8]
    track: npt.NDArray[np.int64]
    """:attr:`Picture.key`"""
    other: npt.NDArray[np.int64]
    """the zone's row in the zone set for APW and SPILL_OVER, the other track's key otherwise (larger than track)"""
    verdict: npt.NDArray[np.uint8]
    confidence: npt.NDArray[np.float32]
    """probability of being inside (of losing separation), from the stated accuracies; [0, 1]"""
    time_to_s: npt.NDArray[np.float64]
    """seconds from now to entry (to loss of separation); 0 if it is so now"""
    duration_s: npt.NDArray[np.float64]
    """seconds it is predicted to last within the look-ahead"""
    at_lon_deg: npt.NDArray[np.float64]
    at_lat_deg: npt.NDArray[np.float64]
    """where: the place of entry, or the track's place at closest approach"""
    depth_m: npt.NDArray[np.float64]
    """APW: metres inside the boundary now (negative: outside)"""
    horizontal_m: npt.NDArray[np.float64]
    """pairs: horizontal distance now"""
    vertical_m: npt.NDArray[np.float64]
    """pairs: vertical distance now (nan: not known)"""
    cpa_s: npt.NDArray[np.float64]
    """pairs: seconds to the closest approach"""
    cpa_horizontal_m: npt.NDArray[np.float64]
    cpa_vertical_m: npt.NDArray[np.float64]
    exempt: npt.NDArray[np.bool_]
    """an exemption of the zone names this track: shown in the picture, no alert raised (practice R2.4)"""

    def __len__(self) -> int:
        return len(self.kind)

    @staticmethod
    def build(n: int, **given: npt.ArrayLike) -> SituationBatch:
        """A batch of n rows; columns not given are nan, 0 or False by their type."""
        columns: dict[str, Any] = {}
        for name, (dtype, missing) in _COLUMNS.items():
            column = np.asarray(given.get(name, missing), dtype=dtype)
            columns[name] = column if column.shape == (n,) else np.full(n, column)
        return SituationBatch(**columns)

    def take(self, rows: npt.NDArray[Any] | slice) -> SituationBatch:
        return SituationBatch(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


_DEFAULTS: dict[str, tuple[Any, Any]] = {
    "kind": (np.uint8, 0), "track": (np.int64, -1), "other": (np.int64, -1), "verdict": (np.uint8, 0),
    "confidence": (np.float32, np.nan), "exempt": (np.bool_, False),
}  # fmt: skip
_COLUMNS = {f.name: _DEFAULTS.get(f.name, (np.float64, np.nan)) for f in fields(SituationBatch)}


def concatenate(batches: Sequence[SituationBatch]) -> SituationBatch:
    """One batch of all rows in order."""
    filled = [batch for batch in batches if len(batch)]
    if len(filled) < 2:
        return filled[0] if filled else SituationBatch.build(0)
    return SituationBatch(
        **{f.name: np.concatenate([getattr(b, f.name) for b in filled]) for f in fields(SituationBatch)}
    )

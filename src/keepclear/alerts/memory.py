"""What the engine remembers of each (kind, track, other), in columns: found again by sorted keys, bounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.detection.situation import SituationBatch, SituationKind
from keepclear.errors import LimitExceeded

__all__ = ["PAIRS", "SituationMemory"]

PAIRS = (SituationKind.STCA, SituationKind.WELL_CLEAR)
_KEY_BITS = 30
"""A kind, a track and an other share 64 bits. Track keys count up from a base that follows the oldest one held,
so a billion tracks may pass while one of them stays."""

_COLUMNS: dict[str, tuple[Any, Any]] = {
    "kind": (np.uint8, 0), "track": (np.int64, -1), "other": (np.int64, -1),
    "phase": (np.uint8, 0), "verdict": (np.uint8, 0), "worst": (np.uint8, 0),
    "hits": (np.uint64, 0), "actual_hits": (np.uint64, 0), "misses": (np.int32, 0), "actual_misses": (np.int32, 0),
    "since_s": (np.float64, np.nan), "hit_s": (np.float64, np.nan), "actual_hit_s": (np.float64, np.nan),
    "high": (np.bool_, False), "inside": (np.bool_, False), "stale": (np.bool_, False), "exempt": (np.bool_, False),
    "violations": (np.int32, 0), "entered_s": (np.float64, np.nan), "left_s": (np.float64, np.nan),
    "closed_s": (np.float64, np.nan),
    "confidence": (np.float32, np.nan), "time_to_s": (np.float64, np.nan), "duration_s": (np.float64, np.nan),
    "at_lon_deg": (np.float64, np.nan), "at_lat_deg": (np.float64, np.nan),
    "depth_m": (np.float64, np.nan), "depth_max_m": (np.float64, np.nan),
    "horizontal_m": (np.float64, np.nan), "horizontal_min_m": (np.float64, np.nan),
    "vertical_m": (np.float64, np.nan), "vertical_min_m": (np.float64, np.nan), "cpa_s": (np.float64, np.nan),
}  # fmt: skip


class SituationMemory:
    """Columns of equal length, one row for each (kind, track, other) that is or lately was not clear."""

    def __init__(self) -> None:
        self.columns: dict[str, npt.NDArray[Any]] = {n: np.zeros(0, dtype=d) for n, (d, _) in _COLUMNS.items()}
        self._base = 0
        self._sorted: npt.NDArray[np.uint64] = np.zeros(0, dtype=np.uint64)
        self._rows: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._asked: npt.NDArray[np.uint64] = np.zeros(0, dtype=np.uint64)
        self._answer: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.columns["kind"])

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self.columns[name]

    def locate(self, batch: SituationBatch, room: int) -> tuple[SituationBatch, npt.NDArray[np.int64], int]:
        """Each situation's row here, new ones entered: the situations kept, their rows, how many found no room.

        A pair given twice counts once, with its worse verdict. With too little room the worst go in first.
        """
        asked = self._packed(batch.kind, batch.track, batch.other)
        if len(asked) == len(self._asked) and np.array_equal(asked, self._asked):
            return batch, self._answer, 0
        once = np.lexsort((batch.verdict, asked))
        ordered = asked[once]
        last = np.append(ordered[1:] != ordered[:-1], True) if len(ordered) else np.zeros(0, dtype=np.bool_)
        if not last.all():
            kept = np.sort(once[last])
            batch, asked = batch.take(kept), asked[kept]
        rows = self._find(asked)
        new = np.flatnonzero(rows < 0)
        turned_away = max(0, len(new) - room)
        if turned_away:
            worst_first = new[np.argsort(-batch.verdict[new].astype(np.int16), kind="stable")]
            dropped = np.zeros(len(asked), dtype=np.bool_)
            dropped[worst_first[room:]] = True
            batch, asked, rows = batch.take(~dropped), asked[~dropped], rows[~dropped]
            new = np.flatnonzero(rows < 0)
        if len(new):
            rows[new] = np.arange(len(self), len(self) + len(new))
            self._append(batch, new)
        if not turned_away:
            self._asked, self._answer = asked, rows
        return batch, rows, turned_away

    def keep(self, rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Forget the other rows; returns each old row's new number, -1 where forgotten."""
        new = np.full(len(self), -1, dtype=np.int64)
        new[rows] = np.arange(int(np.count_nonzero(rows)))
        self.columns = {name: column[rows] for name, column in self.columns.items()}
        self._index()
        return new

    def rename_zones(self, new_row: npt.NDArray[np.int64]) -> None:
        """Zone row r is now ``new_row[r]``; every remembered zone must still exist."""
        zones = ~np.isin(self["kind"], PAIRS)
        self.columns["other"][zones] = new_row[self["other"][zones]]
        self._index()

    def _append(self, batch: SituationBatch, new: npt.NDArray[np.int64]) -> None:
        for name, (dtype, missing) in _COLUMNS.items():
            given = (
                getattr(batch, name)[new] if name in ("kind", "track", "other") else np.full(len(new), missing, dtype)
            )
            self.columns[name] = np.concatenate((self.columns[name], given))
        self._index()

    def _index(self) -> None:
        key = self._packed(self["kind"], self["track"], self["other"])
        self._rows = np.argsort(key)
        self._sorted = key[self._rows]
        self._asked = np.zeros(0, dtype=np.uint64)
        self._answer = np.zeros(0, dtype=np.int64)

    def _find(self, asked: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        if not len(self._sorted):
            return np.full(len(asked), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self._sorted, asked), len(self._sorted) - 1)
        return np.where(self._sorted[place] == asked, self._rows[place], -1)

    def _packed(
        self, kind: npt.NDArray[np.uint8], track: npt.NDArray[np.int64], other: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.uint64]:
        if not len(track):
            return np.zeros(0, dtype=np.uint64)
        pair = np.isin(kind, PAIRS)
        if not self._fits(track, other, pair):
            known = self["track"]
            self._base = int(min(track.min(), known.min(initial=np.iinfo(np.int64).max)))
            if not self._fits(track, other, pair):
                raise LimitExceeded(f"track keys more than 2^{_KEY_BITS} apart: restart the watch")
            if known is not track and len(known):
                self._index()
        shifted = other - np.where(pair, self._base, 0)
        key = (kind.astype(np.int64) << (2 * _KEY_BITS)) | ((track - self._base) << _KEY_BITS) | shifted
        return key.view(np.uint64)

    def _fits(self, track: npt.NDArray[np.int64], other: npt.NDArray[np.int64], pair: npt.NDArray[np.bool_]) -> bool:
        limit = 1 << _KEY_BITS
        shifted = track - self._base, other - np.where(pair, self._base, 0)
        return all(int(s.min()) >= 0 and int(s.max()) < limit for s in shifted)

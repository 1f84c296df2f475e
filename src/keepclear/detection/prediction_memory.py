"""What the cycles before found in the live picture, so that only tracks with news are judged again.

A report changes what is known of its track, and of no other. Between two reports a track goes straight on as
predicted: what was found of it then holds now, so much time later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from keepclear.detection.activity import Activity
from keepclear.detection.exemption import NamedExemptions
from keepclear.detection.prepared import PreparedZones
from keepclear.detection.situation import SituationBatch, concatenate
from keepclear.feeds.reports import Floats

__all__ = ["JUDGED_EVERY_S", "DepthMemory", "PredictionMemory"]

JUDGED_EVERY_S = 0.5
"""A track without news is judged again after this: so late at most comes what only the look-ahead's end brings in."""
NEAR_M = 5_000.0
"""Within this of a border the depth is measured anew in every cycle."""
KEPT_S = 10.0
"""A depth further from the border is at most this old: what a row says may be off by this much flying."""
SPEED_ALLOWANCE = 1.5
"""Over the reported speed: a track may accelerate, and its speed may be misreported."""
_OUTLINE_BITS = 24
"""A track and an outline share 64 bits: sixteen million outlines, and 5 × 10¹¹ tracks before the numbers run out."""

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(slots=True)
class DepthMemory:
    """Depths measured before, so that who is far inside or outside need not be measured in every cycle.

    A depth changes by no more than the way moved. One that stays further from the border than NEAR_M whatever the
    motion since is kept for up to KEPT_S; nearer ones are measured each time. Consumed: arrays are replaced.
    """

    key: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """sorted: track key and outline in one number; another part of the same zone has another depth"""
    depth_m: Floats = field(default_factory=lambda: np.empty(0))
    measured_s: Floats = field(default_factory=lambda: np.empty(0))
    _new: list[tuple[Ints, Floats, Floats]] = field(default_factory=list)

    @staticmethod
    def keys(track: Ints, outline: npt.NDArray[np.integer]) -> Ints:
        keys: Ints = (track << _OUTLINE_BITS) | outline
        return keys

    def known(self, key: Ints, now_s: float, speed_mps: Floats) -> tuple[Mask, Floats, Floats]:
        """Which keys need no measuring now, their depths and when these were measured (nan where none is known)."""
        if not len(self.key):
            return np.zeros(len(key), dtype=bool), np.full(len(key), np.nan), np.full(len(key), np.nan)
        at = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        there = self.key[at] == key
        age = now_s - self.measured_s[at]
        # Spread over the cycles by the key, so that not all of them fall due in the same one.
        good = there & (age >= 0.0) & (age < KEPT_S * (0.5 + 0.5 * (key % 97) / 97.0))
        good &= np.abs(self.depth_m[at]) - SPEED_ALLOWANCE * speed_mps * age > NEAR_M
        return good, np.where(good, self.depth_m[at], np.nan), np.where(good, self.measured_s[at], now_s)

    def measured(self, key: Ints, depth_m: Floats, measured_s: Floats) -> None:
        self._new.append((key, depth_m, measured_s))

    def keep(self, not_judged: Ints) -> None:
        """What was measured since the last call, and what is known of the tracks (sorted keys) not judged since."""
        parts, self._new = self._new, []
        if len(not_judged) and len(self.key):
            kept = np.flatnonzero(_places(not_judged, self.key >> _OUTLINE_BITS) >= 0)
            parts.append((self.key[kept], self.depth_m[kept], self.measured_s[kept]))
        if not parts:
            parts = [(self.key[:0], self.depth_m[:0], self.measured_s[:0])]
        key, depth_m, measured_s = (np.concatenate([part[k] for part in parts]) for k in range(3))
        order = np.argsort(key, kind="stable")
        self.key, self.depth_m, self.measured_s = key[order], depth_m[order], measured_s[order]


@dataclass(slots=True)
class PredictionMemory:
    """The tracks judged and the situations found of them. One call of :meth:`due` and one of :meth:`complete` a cycle.

    A track is judged when it has a newer report, when an entry or exit that was predicted falls due (of the track, or
    of the zone into force or out of it), and after JUDGED_EVERY_S in any case.
    """

    depths: DepthMemory = field(default_factory=DepthMemory)
    exempt: dict[int, NamedExemptions] = field(default_factory=dict)
    """by number of the zone, of those that somebody was found in"""
    _now_s: float = -np.inf
    _zones: PreparedZones | None = None
    _in_force: Activity | None = None
    _key: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """sorted, one a track that was live"""
    _reported_s: Floats = field(default_factory=lambda: np.empty(0))
    _judged_s: Floats = field(default_factory=lambda: np.empty(0))
    _found: SituationBatch = field(default_factory=lambda: SituationBatch.build(0))
    _layer: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """of each situation found"""
    _place: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """of each track, by key: its row among the live"""
    _not_due: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def due(self, now_s: float, key: Ints, reported_s: Floats, zones: PreparedZones, in_force: Activity) -> Mask:
        """Which of the live tracks are to be judged now. The others' situations are kept, moved on in time."""
        usable = self._stands(now_s, zones, in_force)
        order = np.argsort(key, kind="stable")
        now_key, now_reported_s = key[order], reported_s[order]
        at = _places(self._key, now_key) if usable else np.full(len(key), -1, dtype=np.int64)
        judged_s = np.where(at >= 0, self._judged_s[at], -np.inf) if len(self._key) else np.full(len(key), -np.inf)
        due = (at < 0) | (now_s - judged_s >= JUDGED_EVERY_S)
        if len(self._key):
            due |= self._reported_s[at] != now_reported_s
        kept, layer = SituationBatch.build(0), self._layer[:0]
        if usable and len(self._found) and len(key):
            moved = self._moved(now_s - self._now_s)
            row = _places(now_key, moved.track)
            over = (moved.time_to_s < 0.0) | (moved.duration_s < 0.0)
            due[row[over & (row >= 0)]] = True
            stays = np.flatnonzero((row >= 0) & ~due[row])
            kept, layer = moved.take(stays), self._layer[stays]
        judged_s[due] = now_s
        self._found, self._layer, self._now_s = kept, layer, now_s
        self._key, self._reported_s, self._judged_s, self._place = now_key, now_reported_s, judged_s, order
        self._not_due = now_key[~due]
        by_row = np.empty(len(key), dtype=np.bool_)
        by_row[order] = due
        return by_row

    def complete(self, found: Sequence[SituationBatch]) -> SituationBatch:
        """What was found of the tracks due, a batch a layer, and what stands of the others: ordered by layer, track
        and zone, whoever was due."""
        self.depths.keep(self._not_due)
        layer = np.repeat(np.arange(len(found)), [len(batch) for batch in found])
        if not len(self._found) and len(found) == 1:
            self._found, self._layer = found[0], layer
            return found[0]
        whole, layer = concatenate([self._found, *found]), np.concatenate([self._layer, layer])
        if len(whole):
            row = self._place[_places(self._key, whole.track)]
            order = np.lexsort((whole.other, row + layer * len(self._key)))
            whole, layer = whole.take(order), layer[order]
        self._found, self._layer = whole, layer
        return whole

    def _stands(self, now_s: float, zones: PreparedZones, in_force: Activity) -> bool:
        """Whether what was found before holds at all."""
        same = zones is self._zones and in_force is self._in_force
        if zones is not self._zones:
            self.exempt.clear()
        self._zones, self._in_force = zones, in_force
        return same and now_s >= self._now_s

    def _moved(self, seconds: float) -> SituationBatch:
        """The situations so much later; an entry or exit that is due meanwhile shows as a negative time."""
        found = self._found
        inside = found.time_to_s <= 0.0
        return replace(
            found,
            time_to_s=np.where(inside, 0.0, found.time_to_s - seconds),
            duration_s=np.where(inside, found.duration_s - seconds, found.duration_s),
        )


def _places(among: Ints, asked: Ints) -> Ints:
    """Where the asked stand among the sorted, -1 where they do not."""
    if not len(among):
        return np.full(len(asked), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(among, asked), len(among) - 1)
    places: Ints = np.where(among[at] == asked, at, -1)
    return places

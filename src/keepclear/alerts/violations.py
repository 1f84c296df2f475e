"""Targets, tracks and violations, counted apart; who left and is inside again shortly after is one violation."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import numpy.typing as npt

from keepclear.alerts.drafting import Scene
from keepclear.alerts.state import AlertState
from keepclear.detection.situation import SituationKind

__all__ = ["COUNTED_MAX", "count", "keep_left"]

COUNTED_MAX = 100_000
"""Distinct targets and tracks remembered for counting; beyond it the counts say «at least»."""

LEFT_LOOKED_AT = 64
"""Of who left long ago so many are forgotten a cycle, the earliest first."""

Mask = npt.NDArray[np.bool_]


def count(state: AlertState, entered: Mask, now_exempt: Mask, raised: Mask, scene: Scene) -> None:
    if not (entered.any() or now_exempt.any() or raised.any()):
        return
    c = state.counts
    kind = state.memory["kind"]
    violation = entered & (kind == SituationKind.APW)
    begun = sum(not _is_same_violation(state, row, scene) for row in np.flatnonzero(violation).tolist())
    at_least = c.at_least
    for key in sorted(set(state.memory["track"][violation].tolist())):
        if len(state.seen_tracks) >= COUNTED_MAX:
            at_least = True
            break
        state.seen_tracks.add(key)
        row = scene.row_of(key)
        assert row is not None, "a situation is about a track of the same cycle's picture"
        state.seen_targets.add(scene.picture.reports.target.at(row) or f"track {key}")
    state.counts = replace(
        c,
        targets=len(state.seen_targets),
        tracks=len(state.seen_tracks),
        violations=c.violations + begun,
        encounters=c.encounters + int(np.count_nonzero(entered & (kind == SituationKind.STCA))),
        exempt=c.exempt + int(np.count_nonzero(now_exempt)),
        alerts=c.alerts + int(np.count_nonzero(raised)),
        at_least=at_least,
    )


def _is_same_violation(state: AlertState, row: int, scene: Scene) -> bool:
    """Whether the target was inside so shortly before, maybe as another track: one that was lost and heard again is a
    track and an alert of its own, and no second violation."""
    track = scene.sighting(state.memory["track"].item(row))
    assert track is not None, "a situation is about a track of the same cycle's picture"
    zone = scene.zones[state.memory["other"].item(row)]
    left_s = state.left.pop((zone.id, track.source, track.track_id), -np.inf)
    return bool(track.track_id) and scene.now_s - left_s <= scene.settings.violation_gap_s


def keep_left(state: AlertState, leaving: Mask, lost: Mask, scene: Scene) -> None:
    for row in np.flatnonzero(leaving & (state.memory["kind"] == SituationKind.APW)).tolist():
        alert = state.alerts[row]
        if alert is not None:
            key = (alert.zone_id, alert.track.source, alert.track.track_id)
            state.left.pop(key, None)
            state.left[key] = alert.track.last.time_s if lost[row] else scene.now_s
    oldest_s = scene.now_s - scene.settings.violation_gap_s
    for key, left_s in list(islice(state.left.items(), max(LEFT_LOOKED_AT, len(state.left) - COUNTED_MAX))):
        if left_s < oldest_s or len(state.left) > COUNTED_MAX:
            del state.left[key]

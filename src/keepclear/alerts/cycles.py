"""The cycles of each remembered situation: this one's figures, and the histories of hits and misses (k of n)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from keepclear.alerts.memory import PAIRS, SituationMemory
from keepclear.alerts.settings import AlertSettings
from keepclear.detection.situation import SituationBatch, Verdict
from keepclear.tracks.picture import Picture, TrackStatus

__all__ = ["any_hit", "count_cycles", "in_cycles", "take_over", "track_status"]

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def track_status(memory: SituationMemory, picture: Picture) -> tuple[Mask, Mask]:
    """Per remembered situation: is one of its tracks lost, is one of them stale?"""
    order = np.argsort(picture.key, kind="stable")
    keys = picture.key[order]
    lost = np.zeros(len(memory), dtype=np.bool_)
    stale = np.zeros(len(memory), dtype=np.bool_)
    pair = np.isin(memory["kind"], PAIRS)
    for column, concerned in (("track", slice(None)), ("other", pair)):
        asked = memory[column][concerned]
        if not len(keys):
            lost[concerned] = True
            continue
        place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        status = np.where(keys[place] == asked, picture.status[order][place], TrackStatus.ENDED)
        lost[concerned] |= status == TrackStatus.ENDED
        stale[concerned] |= status == TrackStatus.STALE
    return lost, stale & ~lost


def take_over(memory: SituationMemory, situations: SituationBatch, rows: Rows, present: Mask, stale: Mask) -> None:
    """This cycle's figures. What is absent is clear, unless its track is stale: then it is as it was."""
    memory["verdict"][~present & ~stale] = Verdict.CLEAR
    memory["exempt"][~present & ~stale] = False
    for name in (
        "verdict", "exempt", "confidence", "time_to_s", "duration_s", "at_lon_deg", "at_lat_deg", "depth_m",
        "horizontal_m", "vertical_m", "cpa_s",
    ):  # fmt: skip
        memory[name][rows] = getattr(situations, name)
    memory["depth_max_m"][rows] = np.fmax(memory["depth_max_m"][rows], situations.depth_m)
    for now, least, cpa in (
        ("horizontal_m", "horizontal_min_m", situations.cpa_horizontal_m),
        ("vertical_m", "vertical_min_m", situations.cpa_vertical_m),
    ):
        memory[least][rows] = np.fmin(np.fmin(memory[least][rows], getattr(situations, now)), cpa)


def count_cycles(
    memory: SituationMemory, present: Mask, stale: Mask, now_s: float, settings: AlertSettings
) -> tuple[Mask, Mask]:
    """Shift the cycle into the histories; returns what is now clear and what is no longer actual, for sure.

    A stale track that detection says nothing of adds no cycle: nothing was seen.
    """
    counted = present | ~stale
    verdict = memory["verdict"]
    hit, actual = verdict > Verdict.CLEAR, verdict == Verdict.ACTUAL
    begins = counted & hit & ~in_cycles(memory["hits"], 1, settings.of_cycles)
    memory["since_s"][begins] = now_s
    memory["hit_s"][counted & hit] = now_s
    memory["actual_hit_s"][counted & actual] = now_s
    for name, is_hit in (("hits", hit), ("actual_hits", actual)):
        shifted = (memory[name] << np.uint64(1)) | is_hit.astype(np.uint64)
        memory.columns[name] = np.where(counted, shifted, memory[name])
    for name, is_hit in (("misses", hit), ("actual_misses", actual)):
        missed = np.minimum(memory[name] + 1, np.int32(1 << 30))
        memory.columns[name] = np.where(counted, np.where(is_hit, 0, missed), memory[name]).astype(np.int32)
    far = present & ~actual & (memory["depth_m"] < -settings.exit_margin_m)
    over = (memory["misses"] >= settings.clear_cycles) & ~(now_s - memory["hit_s"] < settings.clear_s)
    left = (memory["actual_misses"] >= settings.clear_cycles) & ~(now_s - memory["actual_hit_s"] < settings.clear_s)
    clear, out = over | (far & ~hit), left | far
    return clear, out


def in_cycles(history: npt.NDArray[np.uint64], k: int, n: int) -> Mask:
    """Whether at least k of the last n cycles were hits."""
    window = np.uint64((1 << n) - 1)
    confirmed: Mask = np.bitwise_count(history & window) >= k
    return confirmed


def any_hit(memory: SituationMemory, settings: AlertSettings) -> Mask:
    return in_cycles(memory["hits"], 1, max(settings.of_cycles, settings.of_actual_cycles))

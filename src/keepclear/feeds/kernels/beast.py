"""Beast frames out of a stream of bytes, and instants out of a receiver's counter."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["MLAT_TICKS", "cut_frames", "instants"]

_ESCAPE = 0x1A
_TICKS_A_SECOND = 12_000_000.0
MLAT_TICKS = 0xFF004D4C4154
"""dump1090's mark for «a position computed by multilateration»: no time in it."""
_JUMP_MAX_S = 3600.0
"""A silence longer than this, or a step back of a second, is a receiver that was restarted."""
_DRIFT_MAX_S = 2.0
"""A live receiver's own clock may run away from ours by so much before it is set again."""
_GPS_NEAR_S = 5.0


@njit(cache=True, nogil=True, error_model="numpy")
def cut_frames(
    stream: np.ndarray,
    ticks: np.ndarray,
    is_long: np.ndarray,
    frames: np.ndarray,
    lost_at: np.ndarray,
    tally: np.ndarray,
) -> int:
    """Mode S frames of ``stream`` (bytes) in its order; returns how many.

    A frame is 0x1a, its type, then 6 bytes of time, 1 of signal and the message; 0x1a inside is doubled. Writes
    ``ticks``, ``is_long`` and ``frames`` (n, 14; short ones padded with zeros) of types 2 and 3; 1, 4 and 0xe3 are
    passed over. ``lost_at`` receives where runs of bytes begin that belong to no frame. ``tally`` is [bytes taken,
    the rest being a frame that is cut off; runs in lost_at; whether the stream stood in a lost run, on both sides].
    """
    n = len(stream)
    count = 0
    lost = 0
    is_lost = tally[2] != 0
    end = 0
    at = 0
    while True:
        while at < n and stream[at] != _ESCAPE:
            at += 1
        if at >= n:
            if end < n and not is_lost:
                lost_at[lost] = end
                lost += 1
                is_lost = True
            tally[0] = n
            break
        kind = stream[at + 1] if at + 1 < n else 0
        wanted = 0
        if kind == 0x31:
            wanted = 9
        elif kind == 0x32:
            wanted = 14
        elif kind == 0x33 or kind == 0x34:
            wanted = 21
        elif kind == 0xE3:
            wanted = 8
        cut_off = at + 1 >= n
        broken = wanted == 0 and not cut_off
        place = at + 2
        took = 0
        time = np.int64(0)
        while took < wanted:
            if place >= n:
                cut_off = True
                break
            byte = stream[place]
            place += 1
            if byte == _ESCAPE:
                if place >= n:
                    cut_off = True
                    break
                if stream[place] != _ESCAPE:
                    broken = True
                    break
                place += 1
            if took < 6:
                time = time << 8 | byte
            elif took > 6 and wanted >= 14:
                frames[count, took - 7] = byte
            took += 1
        if broken:
            at += 1
            continue
        if at > end and not is_lost:
            lost_at[lost] = end
            lost += 1
            is_lost = True  # until a whole frame comes, however the bytes are cut
        if cut_off:
            tally[0] = at
            break
        is_lost = False
        if kind == 0x32 or kind == 0x33:
            ticks[count] = time
            is_long[count] = kind == 0x33
            for k in range(wanted - 7, 14):
                frames[count, k] = 0
            count += 1
        at = end = place
    tally[1] = lost
    tally[2] = 1 if is_lost else 0
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def instants(
    ticks: np.ndarray, received_s: float, start_s: float, is_live: bool, whole: np.ndarray, real: np.ndarray,
    instant_s: np.ndarray,
) -> None:  # fmt: skip
    """The instant of each counter value; see :class:`~keepclear.feeds.receiver_clock.ReceiverClock`.

    ``whole`` is [whether it was anchored, whether it is GPS time, the anchor's ticks, the last ticks], ``real`` [the
    anchor's instant, the time of receipt then, the last instant]; both are kept from call to call.
    """
    for i in range(len(ticks)):
        now = ticks[i]
        if now == 0 or now == MLAT_TICKS:
            instant_s[i] = received_s if is_live or whole[0] == 0 else real[2]
            continue
        if whole[0] == 0:
            first_s = received_s if is_live else start_s
            whole[0], whole[1], whole[2] = 1, _is_gps_near(now, first_s), now
            real[0], real[1], real[2] = first_s, received_s, first_s
        elif whole[1] == 0:
            step_s = (now - whole[3]) / _TICKS_A_SECOND
            if not -1.0 <= step_s <= _JUMP_MAX_S:
                resumed_s = received_s if is_live and received_s > real[2] else real[2]
                whole[2], real[0], real[1] = now, resumed_s, received_s
            elif is_live and received_s != real[1]:
                counted_s = real[0] + (now - whole[2]) / _TICKS_A_SECOND
                if abs(counted_s - received_s) > _DRIFT_MAX_S:
                    whole[2], real[0], real[1] = now, received_s, received_s
        whole[3] = now
        if whole[1] != 0:
            real[2] = _gps_instant(now, real[2])
        else:
            real[2] = real[0] + (now - whole[2]) / _TICKS_A_SECOND
        instant_s[i] = real[2]


@njit(cache=True, nogil=True, error_model="numpy")
def _is_gps_near(ticks: int, near_s: float) -> int:
    if not math.isfinite(near_s):
        return 0
    second, nanosecond = ticks >> 30, ticks & 0x3FFFFFFF
    apart_s = abs((second - near_s % 86400.0 + 43200.0) % 86400.0 - 43200.0)
    return 1 if second < 86400 and nanosecond < 1_000_000_000 and apart_s <= _GPS_NEAR_S else 0


@njit(cache=True, nogil=True, error_model="numpy")
def _gps_instant(ticks: int, near_s: float) -> float:
    of_day_s = (ticks >> 30) + (ticks & 0x3FFFFFFF) * 1e-9
    return near_s + (of_day_s - near_s % 86400.0 + 43200.0) % 86400.0 - 43200.0

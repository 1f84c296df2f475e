"""The fields of Mode S frames, frame by frame; bit numbers are those of the ME field, 1–56."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from keepclear.feeds.kernels.mode_s import (
    ACCURACY,
    BARO,
    GNSS,
    REPLY_SQUAWK,
    STATUS_SQUAWK,
    SURFACE,
    VELOCITY,
)  # fmt: skip

__all__ = ["ABOVE_FT", "ADDRESS", "ALTITUDE_FT", "CLIMB_FPM", "CONTENT", "CPR_LAT", "CPR_LON", "ME", "NAC_P", "NIC",
           "ODD", "PARITY_FAILED", "REALS", "SPEED_KT", "SQUAWK", "TRACK_DEG", "WHOLES", "read"]  # fmt: skip

# Rows of the table of whole numbers, and of that of real ones: a column each.
CONTENT, ADDRESS, PARITY_FAILED, ME, ODD, NIC, NAC_P, SQUAWK = 0, 1, 2, 3, 4, 5, 6, 7
WHOLES = 8
CPR_LAT, CPR_LON, ALTITUDE_FT, SPEED_KT, TRACK_DEG, CLIMB_FPM, ABOVE_FT = 0, 1, 2, 3, 4, 5, 6
REALS = 7

_NAN = math.nan


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _bits(me: Any, first: int, last: int) -> Any:
    return (me >> (56 - last)) & ((1 << (last - first + 1)) - 1)


@njit(cache=True, nogil=True, error_model="numpy")
def _remainder(frame: np.ndarray, width: int, parity: np.ndarray) -> Any:
    crc = 0
    for i in range(width - 3):
        crc = ((crc << 8) & 0xFFFFFF) ^ parity[(crc >> 16) ^ frame[i]]
    return crc ^ (np.int64(frame[width - 3]) << 16 | np.int64(frame[width - 2]) << 8 | frame[width - 1])


@njit(cache=True, nogil=True, error_model="numpy")
def _velocity(me: Any, real: np.ndarray, i: int) -> None:
    """Speed, track, climb and height difference of type 19 (Doc 9871 tables C-9, C-10).

    Subtypes 3 and 4 carry airspeed and heading, which say nothing of motion over ground: left ``nan``.
    """
    subtype, east, north = _bits(me, 6, 8), _bits(me, 15, 24), _bits(me, 26, 35)
    if (subtype == 1 or subtype == 2) and east > 0 and north > 0:
        factor = 4.0 if subtype == 2 else 1.0  # supersonic
        east_kt = (1.0 - east if _bits(me, 14, 14) else east - 1.0) * factor
        north_kt = (1.0 - north if _bits(me, 25, 25) else north - 1.0) * factor
        real[SPEED_KT, i] = math.hypot(east_kt, north_kt)
        if real[SPEED_KT, i] > 0.0:
            real[TRACK_DEG, i] = math.degrees(math.atan2(east_kt, north_kt)) % 360.0
    if not 1 <= subtype <= 4:
        return
    rate, difference = _bits(me, 38, 46), _bits(me, 50, 56)
    if rate > 0:
        real[CLIMB_FPM, i] = (1.0 - rate if _bits(me, 37, 37) else rate - 1.0) * 64.0
    if 0 < difference < 127:  # 127 is «more than 3,137.5 ft»
        real[ABOVE_FT, i] = (1.0 - difference if _bits(me, 49, 49) else difference - 1.0) * 25.0


@njit(cache=True, nogil=True, error_model="numpy")
def read(
    frames: np.ndarray,
    is_long: np.ndarray,
    parity: np.ndarray,
    content_of: np.ndarray,
    nic_of: np.ndarray,
    altitude_ft: np.ndarray,
    squawk: np.ndarray,
    movement_kt: np.ndarray,
    whole: np.ndarray,
    real: np.ndarray,
) -> int:
    """Reads ``frames`` (n, 14) into ``whole`` (WHOLES, n) and ``real`` (REALS, n); returns how many squitters failed
    the parity. What a frame does not say is 0, or ``nan``. The rest are the tables by type code, altitude code,
    identity code and movement code."""
    failed = 0
    for i in range(len(frames)):
        frame = frames[i]
        whole[:, i] = 0
        whole[NIC, i] = whole[NAC_P, i] = -1
        real[:, i] = _NAN
        df, control = frame[0] >> 3, frame[0] & 7
        if is_long[i] and (df == 17 or (df == 18 and (control == 0 or control == 1 or control == 6))):
            if _remainder(frame, 14, parity) != 0:
                whole[PARITY_FAILED, i] = 1
                failed += 1
                continue
        elif df == (21 if is_long[i] else 5):
            whole[CONTENT, i] = REPLY_SQUAWK
            whole[ADDRESS, i] = _remainder(frame, 14 if is_long[i] else 7, parity)
            whole[SQUAWK, i] = squawk[np.int64(frame[2] & 0x1F) << 8 | frame[3]]
            continue
        else:
            continue
        me = np.int64(0)
        for k in range(4, 11):
            me = me << 8 | frame[k]
        type_code, subtype = _bits(me, 1, 5), _bits(me, 6, 8)
        content = content_of[type_code]
        if content == 0 or (content == STATUS_SQUAWK and subtype != 1):
            continue
        if content == ACCURACY:
            if type_code == 29 and _bits(me, 6, 7) != 1:
                continue
            # Version 0 operational status (bits 41–43) has no NACp: those bits mean something else there.
            if type_code == 31 and (subtype > 1 or _bits(me, 41, 43) == 0):
                continue
            whole[NAC_P, i] = _bits(me, 45, 48) if type_code == 31 else _bits(me, 40, 43)
        address = np.int64(frame[1]) << 16 | np.int64(frame[2]) << 8 | frame[3]
        if df == 18 and control == 1:  # not an ICAO address
            address += 1 << 24
        whole[CONTENT, i], whole[ADDRESS, i], whole[ME, i] = content, address, me
        if content == VELOCITY:
            _velocity(me, real, i)
        elif content == STATUS_SQUAWK:
            whole[SQUAWK, i] = squawk[_bits(me, 12, 24)]
        elif content in (SURFACE, BARO, GNSS):
            whole[ODD, i], whole[NIC, i] = _bits(me, 22, 22), nic_of[type_code]
            real[CPR_LAT, i], real[CPR_LON, i] = _bits(me, 23, 39) / 131072.0, _bits(me, 40, 56) / 131072.0
            if content == SURFACE:
                real[SPEED_KT, i] = movement_kt[_bits(me, 6, 12)]
                if _bits(me, 13, 13):
                    real[TRACK_DEG, i] = _bits(me, 14, 20) * (360.0 / 128.0)
            else:
                twelve = _bits(me, 9, 20)
                # The M bit is left out in squitters.
                real[ALTITUDE_FT, i] = altitude_ft[(twelve & 0xFC0) << 1 | (twelve & 0x3F)]
    return failed

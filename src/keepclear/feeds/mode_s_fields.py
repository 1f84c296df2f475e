"""Mode S frames as columns: parity over a whole batch and the fields of extended squitters, by bit masks.

Sources: ICAO Annex 10 vol. IV 3.1.2.3.3 (parity), 3.1.2.6 (identity and altitude codes); Doc 9871 (2nd ed.)
appendix C, tables C-1 to C-46 (extended squitter registers). Bit numbers in comments are those of the ME field, 1–56.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from keepclear.feeds.reports import Floats
from keepclear.quantities import FT_PER_MIN_MPS, KNOT_MPS

__all__ = [
    "CALLSIGN_LETTERS",
    "Content",
    "FrameColumns",
    "callsign_of",
    "emitter_of",
    "parity_remainders",
    "read_fields",
]

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]
_NAN = np.nan


class Content(IntEnum):
    """What a frame is good for here."""

    NOTHING = 0
    IDENTIFICATION = 1
    SURFACE_POSITION = 2
    BARO_POSITION = 3
    GNSS_POSITION = 4
    VELOCITY = 5
    STATUS_SQUAWK = 6
    ACCURACY = 7
    REPLY_SQUAWK = 8
    """DF5 or DF21: the address is laid over the parity, so it counts only if it is known otherwise"""


@dataclass(frozen=True, slots=True)
class FrameColumns:
    """One row a frame. A column means something only where ``content`` says so."""

    content: Integers
    address: Integers
    """24 bits; 2²⁴ added where it is not an ICAO address (DF18, CF 1)"""
    parity_failed: Integers
    """the rows of extended squitters whose remainder is not zero"""
    me: Integers
    odd: Integers
    cpr_lat: Floats
    cpr_lon: Floats
    """fractions of a zone, [0, 1)"""
    altitude_ft: Floats
    nic: Integers
    nac_p: Integers
    squawk: Integers
    speed_mps: Floats
    track_deg: Floats
    climb_mps: Floats
    geo_minus_baro_ft: Floats


def _parity_table() -> npt.NDArray[np.uint32]:
    """The remainder of each byte by the generator 1FFF409 (Annex 10 vol. IV 3.1.2.3.3.1.2)."""
    table = np.arange(256, dtype=np.uint32) << 16
    for _ in range(8):
        table = np.where(table & 0x800000, (table << 1) ^ 0xFFF409, table << 1) & 0xFFFFFF
    return table.astype(np.uint32)


_PARITY = _parity_table()


def parity_remainders(frames: Bytes) -> Integers:
    """Remainder of each row of (n, 7) or (n, 14) bytes: 0 is a clean squitter, else what lies over the parity."""
    crc = np.zeros(len(frames), dtype=np.uint32)
    width = frames.shape[1] - 3
    for i in range(width):
        crc = ((crc << 8) & 0xFFFFFF) ^ _PARITY[(crc >> 16) ^ frames[:, i]]
    tail = frames[:, width:].astype(np.uint32)
    return (crc ^ (tail[:, 0] << 16 | tail[:, 1] << 8 | tail[:, 2])).astype(np.int64)


def _altitude_table() -> Floats:
    """Feet by the 13-bit altitude code with M = 0 (Annex 10 vol. IV 3.1.2.6.5.4); ``nan``: no altitude in it."""
    table = np.full(8192, _NAN)
    for code in range(1, 8192):
        if code & 0x0040:  # M: metric, reserved
            continue
        if code & 0x0010:  # Q: 25 ft steps
            steps = (code & 0x1F80) >> 2 | (code & 0x0020) >> 1 | code & 0x000F
            table[code] = 25.0 * steps - 1000.0
        else:
            table[code] = _gillham_ft(code)
    return table


def _gillham_ft(code: int) -> float:
    """100 ft Gillham code, bits C1 A1 C2 A2 C4 A4 M B1 Q B2 D2 B4 D4 from the top."""
    c1, a1, c2, a2, c4, a4, _, b1, _, b2, d2, b4, d4 = ((code >> shift) & 1 for shift in range(12, -1, -1))

    def binary(bits: tuple[int, ...]) -> int:
        value = last = 0
        for bit in bits:
            last ^= bit
            value = value << 1 | last
        return value

    hundreds = binary((c1, c2, c4))
    if hundreds in (0, 5, 6):
        return _NAN
    if hundreds == 7:
        hundreds = 5
    five_hundreds = binary((d2, d4, a1, a2, a4, b1, b2, b4))
    if five_hundreds % 2:
        hundreds = 6 - hundreds
    altitude_ft = 500.0 * five_hundreds + 100.0 * hundreds - 1300.0
    return altitude_ft if altitude_ft >= -1200.0 else _NAN


def _squawk_table() -> Integers:
    """Four octal digits as a decimal number, by the 13-bit identity code C1 A1 C2 A2 C4 A4 X B1 D1 B2 D2 B4 D4."""
    codes = np.arange(8192)

    def digit(*shifts: int) -> Integers:
        return sum(((codes >> shift) & 1) << place for place, shift in enumerate(shifts))  # type: ignore[return-value]

    return digit(11, 9, 7) * 1000 + digit(5, 3, 1) * 100 + digit(12, 10, 8) * 10 + digit(4, 2, 0)


def _movement_table() -> Floats:
    """Ground speed (kt) by the 7-bit movement code: Doc 9871 table C-3, lower end of each step; ``nan`` none."""
    knots = np.full(128, _NAN)
    knots[1] = 0.0
    for first, last, start, step in (
        (2, 8, 0.125, 0.125), (9, 12, 1.0, 0.25), (13, 38, 2.0, 0.5), (39, 93, 15.0, 1.0),
        (94, 108, 70.0, 2.0), (109, 123, 100.0, 5.0), (124, 124, 175.0, 0.0),
    ):  # fmt: skip
        knots[first : last + 1] = start + step * np.arange(last - first + 1)
    return knots


_ALTITUDE_FT = _altitude_table()
_SQUAWK = _squawk_table()
_MOVEMENT_KT = _movement_table()
_CONTENT_BY_TYPE = np.zeros(32, dtype=np.int64)
_CONTENT_BY_TYPE[1:5] = Content.IDENTIFICATION
_CONTENT_BY_TYPE[5:9] = Content.SURFACE_POSITION
_CONTENT_BY_TYPE[9:19] = Content.BARO_POSITION
_CONTENT_BY_TYPE[19] = Content.VELOCITY
_CONTENT_BY_TYPE[20:23] = Content.GNSS_POSITION
_CONTENT_BY_TYPE[28] = Content.STATUS_SQUAWK
_CONTENT_BY_TYPE[29] = _CONTENT_BY_TYPE[31] = Content.ACCURACY
_NIC_BY_TYPE = np.full(32, -1, dtype=np.int64)
_NIC_BY_TYPE[5:23] = [11, 10, 8, 0, 11, 10, 8, 7, 6, 5, 4, 2, 1, 0, -1, 11, 10, 0]
"""The lowest NIC that the type code allows (Doc 9871 table C-2): its supplement bits are not waited for."""

_NONE = np.zeros(0, dtype=np.int64)

_CALLSIGN = "#ABCDEFGHIJKLMNOPQRSTUVWXYZ##### ###############0123456789######"
CALLSIGN_LETTERS = np.array([0 if c == "#" else 1 if c == " " else 2 for c in _CALLSIGN], dtype=np.uint8)
"""By 6-bit code: 0 no character, 1 a space, 2 a letter or a digit."""


def callsign_of(me: int) -> str:
    """The eight characters of an identification squitter (bits 9–56) without trailing spaces; "" if not valid."""
    text = "".join(_CALLSIGN[(me >> shift) & 0x3F] for shift in range(42, -1, -6)).strip()
    return "" if "#" in text else text


def emitter_of(me: int) -> str:
    """Emitter category «A3» from an identification squitter's type code and bits 6–8; "" where it says nothing."""
    type_code, number = me >> 51, (me >> 48) & 7
    return f"{'DCBA'[type_code - 1]}{number}" if 1 <= type_code <= 4 and number else ""


def read_fields(frames: Bytes, is_long: npt.NDArray[np.bool_]) -> FrameColumns:
    """All fields of ``frames`` (n, 14), short frames padded with zeros. Never raises, whatever the bits."""
    from keepclear.feeds.kernels import mode_s_fields as kernel  # compiled code is loaded on first use only

    n = len(frames)
    whole, real = np.empty((kernel.WHOLES, n), dtype=np.int64), np.empty((kernel.REALS, n))
    failed = kernel.read(
        frames, is_long, _PARITY, _CONTENT_BY_TYPE, _NIC_BY_TYPE, _ALTITUDE_FT, _SQUAWK, _MOVEMENT_KT, whole, real
    )
    return FrameColumns(
        content=whole[kernel.CONTENT],
        address=whole[kernel.ADDRESS],
        parity_failed=np.flatnonzero(whole[kernel.PARITY_FAILED]) if failed else _NONE,
        me=whole[kernel.ME],
        odd=whole[kernel.ODD],
        cpr_lat=real[kernel.CPR_LAT],
        cpr_lon=real[kernel.CPR_LON],
        altitude_ft=real[kernel.ALTITUDE_FT],
        nic=whole[kernel.NIC],
        nac_p=whole[kernel.NAC_P],
        squawk=whole[kernel.SQUAWK],
        speed_mps=real[kernel.SPEED_KT] * KNOT_MPS,
        track_deg=real[kernel.TRACK_DEG],
        climb_mps=real[kernel.CLIMB_FPM] * FT_PER_MIN_MPS,
        geo_minus_baro_ft=real[kernel.ABOVE_FT],
    )

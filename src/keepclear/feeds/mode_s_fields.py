"""Mode S frames as columns: parity over a whole batch and the fields of extended squitters, by bit masks.

Sources: ICAO Annex 10 vol. IV 3.1.2.3.3 (parity), 3.1.2.6 (identity and altitude codes); Doc 9871 (2nd ed.)
appendix C, tables C-1 to C-46 (extended squitter registers). Bit numbers in comments are those of the ME field, 1–56.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

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
    parity_failed: npt.NDArray[np.bool_]
    """extended squitters whose remainder is not zero"""
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
    """Ground speed (m/s) by the 7-bit movement code: Doc 9871 table C-3, lower end of each step; ``nan`` none."""
    knots = np.full(128, _NAN)
    knots[1] = 0.0
    for first, last, start, step in (
        (2, 8, 0.125, 0.125), (9, 12, 1.0, 0.25), (13, 38, 2.0, 0.5), (39, 93, 15.0, 1.0),
        (94, 108, 70.0, 2.0), (109, 123, 100.0, 5.0), (124, 124, 175.0, 0.0),
    ):  # fmt: skip
        knots[first : last + 1] = start + step * np.arange(last - first + 1)
    return knots * KNOT_MPS


_ALTITUDE_FT = _altitude_table()
_SQUAWK = _squawk_table()
_MOVEMENT_MPS = _movement_table()
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
    n = len(frames)
    wide = frames.astype(np.int64)
    df = wide[:, 0] >> 3
    extended = is_long & ((df == 17) | ((df == 18) & np.isin(wide[:, 0] & 7, (0, 1, 6))))
    overlaid = (~is_long & (df == 5)) | (is_long & (df == 21))
    remainder = np.zeros(n, dtype=np.int64)
    for rows, width in ((extended | (overlaid & is_long), 14), (overlaid & ~is_long, 7)):
        if rows.any():
            remainder[rows] = parity_remainders(frames[rows, :width])
    clean = extended & (remainder == 0)
    address = wide[:, 1] << 16 | wide[:, 2] << 8 | wide[:, 3]
    address += np.where((df == 18) & ((wide[:, 0] & 7) == 1), 1 << 24, 0)

    me = np.zeros(n, dtype=np.int64)
    for i in range(4, 11):
        me = me << 8 | wide[:, i]

    def bits(first: int, last: int) -> Integers:
        return (me >> (56 - last)) & ((1 << (last - first + 1)) - 1)

    type_code = bits(1, 5)
    content = np.where(clean, _CONTENT_BY_TYPE[type_code], 0)
    subtype = bits(6, 8)
    content[(content == Content.STATUS_SQUAWK) & (subtype != 1)] = 0
    content[(content == Content.ACCURACY) & (type_code == 29) & (bits(6, 7) != 1)] = 0
    # Version 0 operational status (bits 41–43) has no NACp: those bits mean something else there.
    content[(content == Content.ACCURACY) & (type_code == 31) & ((subtype > 1) | (bits(41, 43) == 0))] = 0
    content[overlaid] = Content.REPLY_SQUAWK

    velocity = _velocity(bits, subtype)
    surface = content == Content.SURFACE_POSITION
    surface_track = np.where(bits(13, 13) == 1, bits(14, 20) * (360.0 / 128.0), _NAN)
    twelve = bits(9, 20)
    identity = np.where(overlaid, (wide[:, 2] & 0x1F) << 8 | wide[:, 3], bits(12, 24))
    return FrameColumns(
        content=content,
        address=np.where(overlaid, remainder, address),
        parity_failed=extended & (remainder != 0),
        me=me,
        odd=bits(22, 22),
        cpr_lat=bits(23, 39) / 131072.0,
        cpr_lon=bits(40, 56) / 131072.0,
        altitude_ft=_ALTITUDE_FT[(twelve & 0xFC0) << 1 | twelve & 0x3F],  # the M bit is left out in squitters
        nic=_NIC_BY_TYPE[type_code],
        nac_p=np.where(type_code == 31, bits(45, 48), bits(40, 43)),
        squawk=_SQUAWK[identity],
        speed_mps=np.where(surface, _MOVEMENT_MPS[bits(6, 12)], velocity[0]),
        track_deg=np.where(surface, surface_track, velocity[1]),
        climb_mps=velocity[2],
        geo_minus_baro_ft=velocity[3],
    )


def _velocity(bits: Any, subtype: Integers) -> tuple[Floats, Floats, Floats, Floats]:
    """Speed, track, climb and height difference of type 19 (Doc 9871 tables C-9, C-10).

    Subtypes 3 and 4 carry airspeed and heading, which say nothing of motion over ground: left ``nan``.
    """
    factor = np.where(subtype == 2, 4.0, 1.0)  # supersonic
    east, north = bits(15, 24), bits(26, 35)
    over_ground = ((subtype == 1) | (subtype == 2)) & (east > 0) & (north > 0)
    east_kt = np.where(bits(14, 14) == 1, 1.0 - east, east - 1.0) * factor
    north_kt = np.where(bits(25, 25) == 1, 1.0 - north, north - 1.0) * factor
    speed_kt = np.where(over_ground, np.hypot(east_kt, north_kt), _NAN)
    track_deg = np.where(over_ground & (speed_kt > 0.0), np.degrees(np.arctan2(east_kt, north_kt)) % 360.0, _NAN)
    rate, difference = bits(38, 46), bits(50, 56)
    valid = (subtype >= 1) & (subtype <= 4)
    climb = np.where(valid & (rate > 0), np.where(bits(37, 37) == 1, 1.0 - rate, rate - 1.0) * 64.0, _NAN)
    usable = valid & (difference > 0) & (difference < 127)  # 127 is «more than 3,137.5 ft»
    above_ft = np.where(usable, np.where(bits(49, 49) == 1, 1.0 - difference, difference - 1.0) * 25.0, _NAN)
    return speed_kt * KNOT_MPS, track_deg, climb * FT_PER_MIN_MPS, above_ft

"""An ``aircraft.json`` read from its bytes into columns in one pass, where it is as plain as receivers write it.

What is not plain (an escape in a name, a key named twice, a number of more digits than doubles hold, anything that is
not JSON) is not judged here: the caller reads such a document the long way, which also says what is wrong with it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from keepclear.feeds.kernels.json_text import (
    NOT_PLAIN,
    after,
    field_of,
    is_null,
    key,
    number,
    packed,
    packed_keys,
    skip,
    space,
    word,
)

__all__ = ["NOT_PLAIN", "NUMBERS", "ROOM_WANTED", "read_aircraft"]

ROOM_WANTED = -2
_KEYS = packed_keys(
    b"lat", b"lon", b"nic", b"rc", b"seen_pos", b"alt_baro", b"alt_geom", b"gs", b"track", b"baro_rate", b"geom_rate",
    b"nac_p", b"hex", b"flight", b"squawk", b"category", b"lastPosition",
)  # fmt: skip
NUMBERS = 12
"""The first twelve are numbers, the first five of them also those of a ``lastPosition``."""
_HELD = 5
_LAT, _LON, _ALT_BARO, _NAC_P, _HEX, _FLIGHT, _SQUAWK, _CATEGORY, _LAST_POSITION = 0, 1, 5, 11, 12, 13, 14, 15, 16
_NOW, _AIRCRAFT, _GROUND = (np.uint64(int.from_bytes(name, "little")) for name in (b"now", b"aircraft", b"ground"))


@njit(cache=True, nogil=True, error_model="numpy")
def _held(text: np.ndarray, at: int, values: np.ndarray) -> int:
    """The object of a ``lastPosition`` into the first five values."""
    values[:] = np.nan
    seen = 0
    at = space(text, at + 1)
    if at < len(text) and text[at] == 0x7D:
        return at + 1
    while True:
        at, length, low, high = key(text, at)
        if at < 0:
            return NOT_PLAIN
        field = field_of(_KEYS, length, low, high)
        if field >= _HELD:
            return NOT_PLAIN
        if field >= 0:
            if (seen >> field) & 1:
                return NOT_PLAIN
            seen |= 1 << field
            if is_null(text, at):
                at = word(text, at)
            else:
                at, values[field], exact = number(text, at)
                if not exact:
                    return NOT_PLAIN
        else:
            at = skip(text, at, _KEYS)
        if at < 0:
            return NOT_PLAIN
        at, over = after(text, at, 0x7D)
        if over:
            return at


@njit(cache=True, nogil=True, error_model="numpy")
def _squawk(length: int, low: int) -> int:
    """The four digits as a decimal number, -1 for anything else."""
    code = 0
    for k in range(4):
        c = (low >> np.uint64(8 * k)) & np.uint64(0xFF)
        if length != 4 or not 0x30 <= c <= 0x39:
            return -1
        code = code * 10 + int(c) - 0x30
    return code


@njit(cache=True, nogil=True, error_model="numpy")
def _entry(
    text: np.ndarray, at: int, row: int, numbers: np.ndarray, names: np.ndarray, emitter: np.ndarray,
    squawk: np.ndarray, on_ground: np.ndarray, values: np.ndarray, held: np.ndarray,
) -> tuple[int, bool]:  # fmt: skip
    """One aircraft into the row; behind it, and whether it has a position."""
    values[:] = np.nan
    names[0, row] = names[1, row] = emitter[row] = 0
    squawk[row], on_ground[row] = -1, 0
    seen, address = 0, 0
    last = False
    at = space(text, at + 1)
    if at < len(text) and text[at] == 0x7D:
        return NOT_PLAIN, False
    while True:
        at, length, low, high = key(text, at)
        if at < 0:
            return NOT_PLAIN, False
        field = field_of(_KEYS, length, low, high)
        if field < 0:
            at = skip(text, at, _KEYS)
        else:
            if (seen >> field) & 1:
                return NOT_PLAIN, False
            seen |= 1 << field
            if is_null(text, at):
                if field == _HEX:
                    return NOT_PLAIN, False
                at = word(text, at)
            elif field == _LAST_POSITION:
                if at >= len(text) or text[at] != 0x7B:
                    return NOT_PLAIN, False
                at, last = _held(text, at, held), True
            elif field < NUMBERS and not (field == _ALT_BARO and at < len(text) and text[at] == 0x22):
                at, values[field], exact = number(text, at)
                if not exact:
                    return NOT_PLAIN, False
            else:
                if at >= len(text) or text[at] != 0x22:
                    return NOT_PLAIN, False
                at, length, low, high = packed(text, at + 1)
                if field == _HEX:
                    names[0, row], address = low, length
                elif field == _FLIGHT:
                    names[1, row] = low
                    if length > 8:
                        return NOT_PLAIN, False
                elif field == _SQUAWK:
                    squawk[row] = _squawk(length, low)
                elif field == _CATEGORY:
                    emitter[row] = low if length == 2 else 0
                else:
                    on_ground[row] = length == 6 and low == _GROUND
        if at < 0:
            return NOT_PLAIN, False
        at, over = after(text, at, 0x7D)
        if over:
            break
    if last and np.isnan(values[_LAT]):
        values[:_HELD] = held
        values[_NAC_P] = np.nan
    located = not (np.isnan(values[_LAT]) or np.isnan(values[_LON]))
    if not (seen >> _HEX) & 1 or (located and not 6 <= address <= 8):
        return NOT_PLAIN, False
    for k in range(NUMBERS):
        numbers[k, row] = values[k]
    return at, located


@njit(cache=True, nogil=True, error_model="numpy")
def read_aircraft(
    text: np.ndarray, now: np.ndarray, numbers: np.ndarray, names: np.ndarray, emitter: np.ndarray, squawk: np.ndarray,
    on_ground: np.ndarray,
) -> int:  # fmt: skip
    """The number of aircraft with a position, or NOT_PLAIN, or ROOM_WANTED where the columns are too short.

    ``now`` takes the document's instant; ``numbers`` [NUMBERS, rows] the fields in the format's own units, nan where
    not given; ``names`` [2, rows] address and flight as eight characters in a little-endian number; ``emitter`` the
    category's two characters the same way, 0 without; ``on_ground`` 1 where the altitude is «ground».
    """
    n, rows, room = len(text), 0, numbers.shape[1]
    values, held = np.empty(NUMBERS), np.empty(_HELD)
    seen_now, seen_aircraft = False, False
    at = space(text, 0)
    if at >= n or text[at] != 0x7B:
        return NOT_PLAIN
    at = space(text, at + 1)
    while True:
        at, length, low, _ = key(text, at)
        if at < 0:
            return NOT_PLAIN
        if length == 3 and low == _NOW:
            at, now[0], exact = number(text, at)
            if seen_now or not exact:
                return NOT_PLAIN
            seen_now = True
        elif length == 8 and low == _AIRCRAFT:
            if seen_aircraft or at >= n or text[at] != 0x5B:
                return NOT_PLAIN
            seen_aircraft = True
            at = space(text, at + 1)
            over = at < n and text[at] == 0x5D
            at += over
            while not over:
                if at >= n or text[at] != 0x7B:
                    return NOT_PLAIN
                if rows == room:
                    return ROOM_WANTED
                at, located = _entry(text, at, rows, numbers, names, emitter, squawk, on_ground, values, held)
                if at < 0:
                    return NOT_PLAIN
                rows += located
                at, over = after(text, at, 0x5D)
                if at < 0:
                    return NOT_PLAIN
        else:
            at = skip(text, at, _KEYS)
            if at < 0:
                return NOT_PLAIN
        at, over = after(text, at, 0x7D)
        if over:
            break
    if at < 0 or space(text, at) < n or not (seen_now and seen_aircraft):
        return NOT_PLAIN
    return rows

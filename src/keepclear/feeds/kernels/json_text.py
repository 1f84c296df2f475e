"""Reading JSON text (RFC 8259) from its bytes, value by value, for kernels that know what they look for.

Every function takes the place where to begin and gives the place behind what it read, or NOT_PLAIN where that is no
JSON or not plain enough; the caller then reads the text the long way.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

__all__ = [
    "NOT_PLAIN",
    "after",
    "field_of",
    "is_null",
    "key",
    "number",
    "packed",
    "packed_keys",
    "skip",
    "space",
    "word",
]

NOT_PLAIN = -1
_DEPTH_MAX = 32
_EXACT = 1 << 53
_POWER_MAX = 22
"""Whole numbers up to 2^53 and powers of ten up to 22 are doubles, so one operation on them rounds but once (Clinger
1990, How to read floating point numbers accurately)."""
_POWERS = 10.0 ** np.arange(_POWER_MAX + 1)
_WHOLE_MAX = 10**17
"""One digit more still fits in 64 bits: every number that a program writes in full has at most 17 (0.1 + 0.2 does)."""
_SPLIT = 134_217_729.0
"""2^27 + 1 (Dekker 1971): cuts a double into two halves whose products are exact."""
_TRUE, _FALSE, _NULL = (np.uint64(int.from_bytes(word, "little")) for word in (b"true", b"false", b"null"))


def packed_keys(*names: bytes) -> np.ndarray:
    """A row a name of at most 16 characters, for :func:`field_of`."""
    rows = [[int.from_bytes(name[:8], "little"), int.from_bytes(name[8:], "little")] for name in names]
    return np.array(rows, dtype=np.uint64)


@njit(cache=True, nogil=True, error_model="numpy")
def space(text: np.ndarray, at: int) -> int:
    while at < len(text) and (text[at] == 0x20 or text[at] == 0x0A or text[at] == 0x0D or text[at] == 0x09):
        at += 1
    return at


@njit(cache=True, nogil=True, error_model="numpy")
def _string(text: np.ndarray, at: int) -> int:
    """Behind the string whose first character stands at ``at``."""
    n = len(text)
    while at < n:
        c = text[at]
        at += 1
        if c == 0x22:
            return at
        if c < 0x20 or (c == 0x5C and at == n):
            return NOT_PLAIN
        if c == 0x5C:
            c = text[at]
            at += 1
            if c == 0x75:
                for _ in range(4):
                    if at == n:
                        return NOT_PLAIN
                    d = text[at] | 0x20
                    if not (0x30 <= text[at] <= 0x39 or 0x61 <= d <= 0x66):
                        return NOT_PLAIN
                    at += 1
            elif not (c == 0x22 or c == 0x5C or c == 0x2F or c == 0x62 or c == 0x66 or c == 0x6E or c == 0x72
                      or c == 0x74):  # fmt: skip
                return NOT_PLAIN
    return NOT_PLAIN


@njit(cache=True, nogil=True, error_model="numpy")
def packed(text: np.ndarray, at: int) -> tuple[int, int, Any, Any]:
    """Behind the string, its length, and its first 16 characters as two little-endian numbers. Printable ASCII without
    an escape only."""
    low, high, length = np.uint64(0), np.uint64(0), 0
    while at < len(text):
        c = text[at]
        at += 1
        if c == 0x22:
            return at, length, low, high
        if c < 0x20 or c > 0x7E or c == 0x5C:
            return NOT_PLAIN, 0, low, high
        if length < 8:
            low |= np.uint64(c) << np.uint64(8 * length)
        elif length < 16:
            high |= np.uint64(c) << np.uint64(8 * (length - 8))
        length += 1
    return NOT_PLAIN, 0, low, high


@njit(cache=True, nogil=True, error_model="numpy")
def _quotient(whole: int, divisor: float) -> tuple[float, bool]:
    """``whole / divisor`` rounded once, from twice the digits of a double; and whether the rounding is beyond doubt."""
    high = float(whole)
    low = float(whole - int(high))
    first = high / divisor
    product = first * divisor
    a = _SPLIT * first - (_SPLIT * first - first)
    b = _SPLIT * divisor - (_SPLIT * divisor - divisor)
    rest = ((a * b - product) + a * (divisor - b) + (first - a) * b) + (first - a) * (divisor - b)
    second = ((high - product) - rest + low) / divisor
    value = first + second
    mantissa, exponent = math.frexp(value)
    half = math.ldexp(0.5, exponent - 53)
    return value, abs(abs(second - (value - first)) - half) > 1e-6 * half and mantissa != 0.5


@njit(cache=True, nogil=True, error_model="numpy")
def number(text: np.ndarray, at: int) -> tuple[int, float, bool]:
    """Behind the number, its value, and whether this is the double nearest to it."""
    n = len(text)
    negative = at < n and text[at] == 0x2D
    at += negative
    if at >= n or not 0x30 <= text[at] <= 0x39:
        return NOT_PLAIN, 0.0, False
    if text[at] == 0x30 and at + 1 < n and 0x30 <= text[at + 1] <= 0x39:
        return NOT_PLAIN, 0.0, False
    whole, power, exact, real = 0, 0, True, False
    while at < n and 0x30 <= text[at] <= 0x39:
        exact &= whole < _WHOLE_MAX
        whole = whole * 10 + (text[at] - 0x30) if exact else whole
        at += 1
    if at < n and text[at] == 0x2E:
        at, real = at + 1, True
        if at >= n or not 0x30 <= text[at] <= 0x39:
            return NOT_PLAIN, 0.0, False
        while at < n and 0x30 <= text[at] <= 0x39:
            exact &= whole < _WHOLE_MAX
            whole = whole * 10 + (text[at] - 0x30) if exact else whole
            power -= 1
            at += 1
    if at < n and (text[at] == 0x65 or text[at] == 0x45):
        at, real = at + 1, True
        falling = at < n and text[at] == 0x2D
        if at < n and (text[at] == 0x2D or text[at] == 0x2B):
            at += 1
        if at >= n or not 0x30 <= text[at] <= 0x39:
            return NOT_PLAIN, 0.0, False
        said = 0
        while at < n and 0x30 <= text[at] <= 0x39:
            said = min(said * 10 + (text[at] - 0x30), 1_000_000)
            at += 1
        power += -said if falling else said
    if not (exact and -_POWER_MAX <= power <= _POWER_MAX):
        return at, 0.0, False
    if whole > _EXACT:
        if power >= 0:
            return at, 0.0, False
        value, exact = _quotient(whole, _POWERS[-power])
    else:
        value = float(whole)
        value = value * _POWERS[power] if power >= 0 else value / _POWERS[-power]
    return at, -value if negative and (real or whole) else value, exact


@njit(cache=True, nogil=True, error_model="numpy")
def word(text: np.ndarray, at: int) -> int:
    """Behind true, false or null."""
    bits, length = np.uint64(0), 5 if at < len(text) and text[at] == 0x66 else 4
    if at + length > len(text):
        return NOT_PLAIN
    for k in range(length):
        bits |= np.uint64(text[at + k]) << np.uint64(8 * k)
    return at + length if bits in (_TRUE, _FALSE, _NULL) else NOT_PLAIN


@njit(cache=True, nogil=True, error_model="numpy")
def _scalar(text: np.ndarray, at: int) -> int:
    """Behind a string, a number or a word."""
    if at >= len(text):
        return NOT_PLAIN
    if text[at] == 0x22:
        return _string(text, at + 1)
    if text[at] == 0x2D or 0x30 <= text[at] <= 0x39:
        return number(text, at)[0]
    return word(text, at)


@njit(cache=True, nogil=True, error_model="numpy")
def field_of(keys: np.ndarray, length: int, low: Any, high: Any) -> int:
    """Which of the ``keys`` (a row each: its first eight characters, the next eight) this one is; -1 for none."""
    if length <= 16:
        for k in range(len(keys)):
            if low == keys[k, 0] and high == keys[k, 1]:
                return k
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def key(text: np.ndarray, at: int) -> tuple[int, int, Any, Any]:
    """Behind a key and its colon, its length, and its first 16 characters. Not even an unknown key may hold an
    escape: it might spell one that is known."""
    if at >= len(text) or text[at] != 0x22:
        return NOT_PLAIN, 0, np.uint64(0), np.uint64(0)
    at, length, low, high = packed(text, at + 1)
    if at < 0:
        return NOT_PLAIN, 0, low, high
    at = space(text, at)
    if at >= len(text) or text[at] != 0x3A:
        return NOT_PLAIN, 0, low, high
    return space(text, at + 1), length, low, high


@njit(cache=True, nogil=True, error_model="numpy")
def skip(text: np.ndarray, at: int, known: np.ndarray) -> int:
    """Behind any value, unless an object in it has one of the ``known`` keys: that is for others to judge."""
    n, depth, objects = len(text), 0, 0  # bit d of ``objects``: the bracket at depth d is a brace
    while True:
        at = space(text, at)
        if at >= n:
            return NOT_PLAIN
        opened = text[at] == 0x7B or text[at] == 0x5B
        if opened:
            if depth == _DEPTH_MAX:
                return NOT_PLAIN
            is_object = text[at] == 0x7B
            objects = (objects & ~(1 << depth)) | (is_object << depth)
            depth += 1
            at = space(text, at + 1)
            if at < n and text[at] == (0x7D if is_object else 0x5D):
                depth -= 1
                at += 1
                opened = False
        else:
            at = _scalar(text, at)
            if at < 0:
                return NOT_PLAIN
        while not opened:  # a value is over: what comes after it closes brackets or leads to the next
            if depth == 0:
                return at
            at = space(text, at)
            if at >= n:
                return NOT_PLAIN
            is_object = (objects >> (depth - 1)) & 1 == 1
            if text[at] == 0x2C:
                at = space(text, at + 1)
                break
            if text[at] != (0x7D if is_object else 0x5D):
                return NOT_PLAIN
            depth -= 1
            at += 1
        if depth and (objects >> (depth - 1)) & 1:
            at, length, low, high = key(text, at)
            if at < 0 or field_of(known, length, low, high) >= 0:
                return NOT_PLAIN


@njit(cache=True, nogil=True, error_model="numpy")
def is_null(text: np.ndarray, at: int) -> bool:
    return at < len(text) and text[at] == 0x6E


@njit(cache=True, nogil=True, error_model="numpy")
def after(text: np.ndarray, at: int, end: int) -> tuple[int, bool]:
    """Behind the comma or the closing bracket ``end`` that follows a value; whether it was the bracket."""
    at = space(text, at)
    if at >= len(text) or (text[at] != 0x2C and text[at] != end):
        return NOT_PLAIN, True
    return (at + 1, True) if text[at] == end else (space(text, at + 1), False)

"""Where a JSON document ends, in one pass over its bytes."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["find_end"]

_QUOTE, _BACKSLASH, _OPEN, _CLOSE = 0x22, 0x5C, 0x7B, 0x7D


@njit(cache=True, nogil=True, error_model="numpy")
def find_end(text: np.ndarray, begin: int, stop: int, depth: int, in_string: bool) -> tuple[int, int, bool]:
    """Reads ``text[begin:stop]``, at ``depth`` braces and perhaps in a string: the place after the outermost brace's
    close (-1 where it does not close here), and depth and string as they are there. What a backslash stands before is
    passed over."""
    at = begin
    while at < stop:
        byte = text[at]
        if byte == _BACKSLASH:
            at += 1
        elif byte == _QUOTE:
            in_string = not in_string
        elif not in_string:
            if byte == _OPEN:
                depth += 1
            elif byte == _CLOSE:
                depth -= 1
                if depth == 0:
                    return at + 1, depth, in_string
        at += 1
    return -1, depth, in_string

"""Messages as JSON bytes: NumPy columns and numbers as plain ones, what is not a number as null."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

__all__ = ["encode"]


def encode(message: object) -> bytes:
    """UTF-8 JSON. ``nan`` and infinities become ``null`` (RFC 8259 has no word for them)."""
    return _ENCODER.encode(message)


def _plain(value: object) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} does not belong in a message")


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)

"""Canonical JSON: one value, one sequence of bytes.

Source: RFC 8785 (JCS), limited to objects, arrays, strings, booleans, null and integers below 2^53, with ASCII keys; so
a verifier in any language finds the same bytes without a number formatter.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, TypeVar

import msgspec

from keepclear.errors import InputError

__all__ = ["Count", "Hash", "Milliseconds", "PartyId", "decode", "encode"]

T = TypeVar("T")

Count = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
"""A size or an index."""
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)]
"""An instant: milliseconds since 1970, POSIX, UTC; to the end of the year 9999, beyond which no calendar prints it."""
Hash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""SHA-256 in lower-case hexadecimal."""
PartyId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9.\-]{0,61}[a-z0-9])?\Z")]
"""Also a witness's: fit for a file name, a note's key name and a log's origin."""

_encoder = msgspec.json.Encoder(order="sorted")


@cache
def _decoder(type: Any) -> msgspec.json.Decoder[Any]:
    """Made once: for a union of structs it takes longer than most decoding."""
    return msgspec.json.Decoder(type)


def encode(value: Any) -> bytes:
    """The canonical bytes of a struct, a mapping or a list. Floats are the caller's error, not looked for here."""
    return _encoder.encode(value)


def decode(data: bytes, type: type[T], *, what: str) -> T:
    """The value, if ``data`` are exactly its canonical bytes; raises :class:`InputError` naming the place otherwise.

    Printing the value again must give the same bytes: that refuses spaces, other orders, duplicate and unknown keys,
    other escapes, ``1.0`` for 1 and whatever else two readers might read differently.
    """
    try:
        value: T = _decoder(type).decode(data)  # type: ignore[arg-type]  # a type is hashable
        if _encoder.encode(value) == data:
            return value
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at ")
        raise InputError(f"{what}: {message[:1].lower()}{message[1:]}", where=place.strip("`")) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise InputError(f"{what}: this is not JSON") from None
    raise InputError(f"{what}: not in canonical form (RFC 8785); it may have been edited by hand")

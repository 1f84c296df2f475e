"""A gzip file read as far as it is good: a recording that was cut off is still a recording up to there."""

from __future__ import annotations

import zlib
from typing import IO

__all__ = ["Gunzip"]

PACKED_BYTES = 1 << 14
"""Unpacked at once: where the stream is damaged, what was good in so much is lost too."""
LINE_BYTES_MAX = 1 << 22
"""A line longer than this is none: it is passed on unfinished, and the decoder bounds it."""
_GZIP = 31
"""zlib's window argument for gzip framing with its checksum"""


class Gunzip:
    """Unpacks one gzip member after the other. Where the stream ends early or is damaged, reading ends and ``damage``
    says why. Raises nothing but what reading the file does."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = packed
        self._inflater = zlib.decompressobj(_GZIP)
        self._input = b""
        self._held = b""
        self._members = 0
        self._begun = False
        self._ended = False
        self._whole_lines = False
        self.damage = ""

    def whole_lines_from(self, head: bytes) -> None:
        """Take back the ``head`` and give out whole lines only from there on, so that of a stream that was cut no half
        of a number is read as a number."""
        self._held, self._whole_lines = head, True

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes (more by a held back line), ``b""`` at the end."""
        while True:
            data = self._held + self._unpack(size)
            self._held = b""
            if not self._whole_lines or (self._ended and not self.damage):
                return data
            end = data.rfind(b"\n") + 1
            if self.damage:
                return data[:end]
            if end or len(data) > LINE_BYTES_MAX:
                data, self._held = (data[:end], data[end:]) if end else (data, b"")
                return data
            self._held = data

    def _unpack(self, size: int) -> bytes:
        while not self._ended:
            if not self._input and not self._inflater.unconsumed_tail:
                self._input = self._packed.read(PACKED_BYTES)
                if not self._input:
                    self._end("is cut off" if self._begun or not self._members else "")
                    break
            given, self._input = self._inflater.unconsumed_tail + self._input, b""
            if self._members and not self._begun:
                given = given.lstrip(b"\0")  # padding, as tapes leave it
                if not given:
                    continue
                if given[:1] != b"\x1f":
                    self._end("is followed by something else")
                    break
            try:
                data = self._inflater.decompress(given, size)
            except zlib.error as error:
                self._end(f"is damaged ({error})")
                break
            self._begun = not self._inflater.eof
            if self._inflater.eof:
                self._input = self._inflater.unused_data
                self._inflater = zlib.decompressobj(_GZIP)
                self._members += 1
            if data:
                return data
        return b""

    def _end(self, damage: str) -> None:
        self._ended, self.damage = True, damage

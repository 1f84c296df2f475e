"""Cuts a byte stream into whole JSON objects: newline-delimited, concatenated or pretty-printed, in any chunks."""

from __future__ import annotations

import re
from collections import Counter

import msgspec
import numpy as np

from keepclear.feeds.decoder import Faults

__all__ = ["DOCUMENT_BYTES_MAX", "UNREADABLE", "DocumentCutter", "first_repeated_key", "named_twice", "repeated_member"]

DOCUMENT_BYTES_MAX = 64 * 1024 * 1024
"""An aircraft.json of 100,000 aircraft takes some 40 MB; more than this is a stream without an end."""
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding strange bytes raises: bad JSON or types, bad UTF-8, brackets nested without end."""
START_BYTES_MAX = 96
"""No start pattern is longer, so this much before a chunk is looked at again."""


class DocumentCutter:
    """Yields the bytes of each outermost ``{…}``.

    ``start`` is a pattern that can only open a document (``{"now":``): where it turns up inside an unfinished
    one, that one was cut off and a new one begins. So one truncated answer of a polled server never
    swallows those after it.
    """

    def __init__(self, start: str, faults: Faults, limit_bytes: int = DOCUMENT_BYTES_MAX) -> None:
        self._start = re.compile(start.encode())
        self._faults = faults
        self._limit_bytes = limit_bytes
        self._pending = bytearray()
        self._scanned = 0
        self._depth = 0
        self._in_string = False
        self._garbage = False
        self.documents_seen = 0

    @property
    def idle(self) -> bool:
        """Nothing is kept: the next byte begins afresh."""
        return not self._pending

    def feed(self, data: bytes) -> list[bytes]:
        """The documents that ``data`` completes, also those which a later one's start shows to be cut off."""
        self._pending += data
        documents: list[bytes] = []
        while self._next(documents):
            pass
        if len(self._pending) > self._limit_bytes:
            self._faults.add(f"JSON document larger than {self._limit_bytes} bytes", self._where())
            self._reset(len(self._pending))
        self.documents_seen += len(documents)
        return documents

    def finish(self) -> list[bytes]:
        """What is left, if it has begun a document."""
        rest = bytes(self._pending)
        self._reset(len(rest))
        if not rest.strip():
            return []
        self.documents_seen += 1
        return [rest]

    def _next(self, documents: list[bytes]) -> bool:
        """Cuts one document off; False when more bytes are needed."""
        if self._depth == 0 and not self._open():
            return False
        cut = self._start.search(self._pending, max(1, self._scanned - START_BYTES_MAX))
        stop = cut.start() if cut else len(self._pending)
        end = self._scan(stop) if stop > self._scanned else None
        if end is None and cut is None:
            return False
        documents.append(bytes(self._pending[: end if end is not None else stop]))
        self._reset(end if end is not None else stop)
        return True

    def _open(self) -> bool:
        """Drops what stands before the first brace; anything but white space and commas there is a fault."""
        brace = self._pending.find(b"{")
        before = self._pending if brace < 0 else self._pending[:brace]
        if before.strip(b" \t\r\n,\x00") and not self._garbage:
            self._faults.add("bytes between JSON documents", self._where())
            self._garbage = True  # one fault for one run of garbage, however it is chunked
        if brace < 0:
            self._pending.clear()
            return False
        del self._pending[:brace]
        self._garbage = False
        return True

    def _scan(self, stop: int) -> int | None:
        """The end of the document if it closes before ``stop``; carries depth and string state on otherwise."""
        from keepclear.feeds.kernels.json_cut import find_end  # compiled code is loaded on first use only

        begin = self._scanned
        escaped = self._in_odd_escape(begin)
        text = np.frombuffer(self._pending, dtype=np.uint8)
        end, depth, in_string = find_end(text, begin + escaped, stop, self._depth, self._in_string)
        if end >= 0:
            return int(end)
        self._in_string, self._depth = bool(in_string), int(depth)
        self._scanned = stop
        return None

    def _in_odd_escape(self, position: int) -> bool:
        """Whether the byte at ``position`` is escaped by the backslashes before it."""
        first = position
        while first > 0 and self._pending[first - 1] == 0x5C:
            first -= 1
        return (position - first) % 2 == 1

    def _reset(self, upto: int) -> None:
        del self._pending[:upto]
        self._scanned = self._depth = 0
        self._in_string = False

    def _where(self) -> str:
        return f"document {self.documents_seen + 1}"


def first_repeated_key(document: bytes) -> str | None:
    """The first key that an object of the document names twice (RFC 8259 §4 leaves its meaning open: refused).

    Slow; for documents already suspected. ``None`` also where the bytes are not JSON.
    """
    import json

    found: list[str] = []

    def pairs(items: list[tuple[str, object]]) -> None:
        counts = Counter(key for key, _ in items)  # in the order of first occurrence
        if not found and len(counts) != len(items):
            found.append(next(key for key, count in counts.items() if count > 1))

    try:
        json.loads(document, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return None
    return found[0] if found else None


def repeated_member(document: bytes, *keys: str) -> str | None:
    """The first of ``keys`` that the document itself, not an object in it, names twice.

    Two counts in the bytes where none does; the document is read only where one may.
    """
    if all(document.count(f'"{key}"'.encode()) <= 1 for key in keys):
        return None
    return named_twice(document, *keys)


def named_twice(document: bytes, *keys: str) -> str | None:
    """As :func:`repeated_member`, without counting first. Slow; for documents already suspected."""
    import json

    outermost: list[str] = []

    def pairs(items: list[tuple[str, object]]) -> None:
        outermost[:] = [key for key, _ in items]  # the outermost object is complete last

    try:
        json.loads(document, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return None
    return next((key for key in keys if outermost.count(key) > 1), None)

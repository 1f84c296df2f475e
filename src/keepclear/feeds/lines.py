"""Cuts a byte stream into text lines, whatever the chunks, within a bounded memory."""

from __future__ import annotations

from keepclear.feeds.decoder import Faults

__all__ = ["LINE_BYTES_MAX", "LineCutter"]

LINE_BYTES_MAX = 65_536
"""No line format here has longer lines (SBS 200 bytes, a Mode S CSV row 100); the rest is a stream without newlines."""


class LineCutter:
    """Complete lines without their end (LF or CR LF); the cut end of a chunk is kept for the next one."""

    def __init__(self, faults: Faults, limit_bytes: int = LINE_BYTES_MAX) -> None:
        self.lines_seen = 0
        """lines already handed out: the next one's number is one more"""
        self._faults = faults
        self._limit_bytes = limit_bytes
        self._parts: list[bytes] = []
        self._kept_bytes = 0
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that ``data`` completes. An overlong line is a fault and comes out empty (numbers stay right)."""
        head, newline, rest = data.partition(b"\n")
        if not newline:
            self._keep(head)
            return []
        self._keep(head)
        lines = [self._take(), *rest.split(b"\n")]
        last = lines.pop()
        for i, line in enumerate(lines):
            if len(line) > self._limit_bytes:
                self._refuse(self.lines_seen + i + 1)
                lines[i] = b""
        self.lines_seen += len(lines)
        self._keep(last)
        return [line[:-1] if line.endswith(b"\r") else line for line in lines]

    def finish(self) -> list[bytes]:
        """The last line, if the stream did not end in a newline."""
        if not self._parts and not self._skipping:
            return []
        line = self._take()
        self.lines_seen += 1
        return [line]

    def _keep(self, part: bytes) -> None:
        if self._skipping or not part:
            return
        self._kept_bytes += len(part)
        if self._kept_bytes > self._limit_bytes:
            self._refuse(self.lines_seen + 1)
            self._parts.clear()
            self._kept_bytes = 0
            self._skipping = True
            return
        self._parts.append(part)

    def _take(self) -> bytes:
        line = b"".join(self._parts)
        self._parts.clear()
        self._kept_bytes = 0
        self._skipping = False
        return line

    def _refuse(self, number: int) -> None:
        self._faults.add(f"line longer than {self._limit_bytes} bytes", f"line {number}")

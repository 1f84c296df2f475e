"""Bytes of a text format that names no encoding: UTF-8 where it is valid, else Windows-1252 (OpenAir, NOTAM)."""

from __future__ import annotations

__all__ = ["decoded"]


def decoded(data: bytes) -> str:
    """The text, without a byte order mark, its line ends all ``\\n``. UTF-16 is told by its mark."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")

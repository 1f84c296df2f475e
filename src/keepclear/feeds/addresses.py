"""24-bit addresses and callsigns as text: one spelling for all feeds, and nothing that a screen cannot show."""

from __future__ import annotations

from keepclear.feeds.report_rows import clean_label

__all__ = ["ADDRESS_CHARACTERS_MAX", "clean_address", "clean_callsign"]

ADDRESS_CHARACTERS_MAX = 16
"""Six hex digits, a «~» before those that are no ICAO address, and room for the track numbers of some feeds."""


def clean_address(text: str) -> str:
    """Lower case, trimmed; «~2b3c4d» keeps its mark, so that it never meets a real address."""
    trimmed = text.strip().lower()
    return trimmed if trimmed.isalnum() and trimmed.isascii() else clean_label(trimmed)


def clean_callsign(text: str | None) -> str:
    """Without the padding; unprintable characters become spaces, overlong text is cut."""
    trimmed = text.strip() if text else ""
    return trimmed if trimmed.isalnum() and trimmed.isascii() and len(trimmed) <= 16 else clean_label(trimmed)

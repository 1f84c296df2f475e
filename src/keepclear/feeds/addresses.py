"""24-bit addresses and callsigns as text: one spelling for all feeds, and nothing that a screen cannot show."""

from __future__ import annotations

from collections.abc import Callable

from keepclear.feeds.report_rows import clean_label

__all__ = ["ADDRESS_CHARACTERS_MAX", "CleanTexts", "clean_address", "clean_callsign"]

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


class CleanTexts(dict[str | None, str]):
    """What each text became: a polled feed repeats its addresses every second. Begun anew when full."""

    LIMIT = 200_000

    def __init__(self, clean: Callable[[str], str]) -> None:
        super().__init__()
        self._clean = clean

    def __missing__(self, text: str | None) -> str:
        if len(self) >= self.LIMIT:
            self.clear()
        cleaned = self[text] = self._clean(text or "")
        return cleaned

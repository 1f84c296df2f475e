"""24-bit addresses and callsigns as text: one spelling for all feeds, and nothing that a screen cannot show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keepclear.feeds.report_rows import clean_label
from keepclear.feeds.reports import Labels

__all__ = ["ADDRESS_CHARACTERS_MAX", "CleanLabels", "clean_address", "clean_callsign"]

ADDRESS_CHARACTERS_MAX = 16
"""Six hex digits, a «~» before those that are no ICAO address, and room for the track numbers of some feeds."""


def clean_address(text: str | None) -> str:
    """Lower case, trimmed; «~2b3c4d» keeps its mark, so that it never meets a real address."""
    trimmed = (text or "").strip().lower()
    return trimmed if trimmed.isalnum() and trimmed.isascii() else clean_label(trimmed)


def clean_callsign(text: str | None) -> str:
    """Without the padding; unprintable characters become spaces, overlong text is cut."""
    trimmed = text.strip() if text else ""
    return trimmed if trimmed.isalnum() and trimmed.isascii() and len(trimmed) <= 16 else clean_label(trimmed)


class CleanLabels(dict[Any, int]):
    """The code of what each text became: a polled feed repeats its addresses every second, and later stages know a
    dictionary of names again that they have seen. Begun anew when full."""

    LIMIT = 50_000

    def __init__(self, clean: Callable[[Any], str]) -> None:
        super().__init__()
        self._clean = clean
        self._codes: dict[str, int] = {}
        self._names: tuple[str, ...] = ()

    def labels(self, texts: Sequence[Any]) -> Labels:
        """The texts (or numbers that stand for them), cleaned, as a column."""
        if len(self) + len(texts) > self.LIMIT:
            self.clear()
            self._codes.clear()
            self._names = ()
        codes = np.fromiter(map(self.__getitem__, texts), dtype=np.int32, count=len(texts))
        if len(self._names) != len(self._codes):
            self._names = tuple(self._codes)
        return Labels(codes, self._names)

    def __missing__(self, text: Any) -> int:
        cleaned = self._clean(text)
        code = self[text] = self._codes.setdefault(cleaned, len(self._codes)) if cleaned else -1
        return code

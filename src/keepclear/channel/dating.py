"""Whether an entry's date can be true. Its writer's clock is its own; it is kept whatever it says, and shown."""

from __future__ import annotations

from enum import StrEnum

from keepclear.channel.entry import Entry

__all__ = ["Misdated", "misdated"]


class Misdated(StrEnum):
    AHEAD = "AHEAD"
    """further in the future of its receiver than the charter allows"""
    BEFORE_WHAT_IT_SAW = "BEFORE_WHAT_IT_SAW"
    """dated before an entry of ours that it says it has seen: back-dated, or a clock is wrong"""


def misdated(entry: Entry, received_ms: int, ahead_max_ms: int, seen_ms: int | None = None) -> Misdated | None:
    """``seen_ms``: the date of the newest entry of our own log that the entry says it has seen."""
    if entry.at_ms > received_ms + ahead_max_ms:
        return Misdated.AHEAD
    if seen_ms is not None and entry.at_ms + ahead_max_ms < seen_ms:
        return Misdated.BEFORE_WHAT_IT_SAW
    return None

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
    BEFORE_ITS_OWN_LAST = "BEFORE_ITS_OWN_LAST"
    """dated before the entry ahead of it in its own log"""


def misdated(
    entry: Entry, received_ms: int, ahead_max_ms: int, seen_ms: int | None = None, last_ms: int | None = None
) -> Misdated | None:
    """``seen_ms``: the date of the newest entry of our own log that the entry says it has seen; ``last_ms``: of the
    entry ahead of it."""
    if entry.at_ms > received_ms + ahead_max_ms:
        return Misdated.AHEAD
    if seen_ms is not None and entry.at_ms + ahead_max_ms < seen_ms:
        return Misdated.BEFORE_WHAT_IT_SAW
    if last_ms is not None and entry.at_ms + ahead_max_ms < last_ms:
        return Misdated.BEFORE_ITS_OWN_LAST
    return None

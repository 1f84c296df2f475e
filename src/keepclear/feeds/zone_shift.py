"""The zone of times that a format writes without one, as the user states it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from keepclear.errors import UsageError

__all__ = ["shift_of", "zone_shift_s"]


def zone_shift_s(text: str) -> float:
    """Seconds to take from a local time to get UTC: «Z», «UTC» or an offset as «+02:00»."""
    if text in ("Z", "UTC"):
        return 0.0
    try:
        offset = datetime.strptime(text, "%z").utcoffset()
    except ValueError:
        raise UsageError(f"time_zone={text!r} is not a zone: write Z or an offset as in +02:00") from None
    return (offset or timedelta(0)).total_seconds()


def shift_of(columns: Mapping[str, str]) -> float | None:
    """As the column map's ``time_zone`` says; ``None`` where it says nothing."""
    text = columns.get("time_zone")
    return None if text is None else zone_shift_s(text)

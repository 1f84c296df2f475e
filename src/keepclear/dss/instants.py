"""Instants as whole microseconds since 1970, UTC: exact, ordered, and what RFC 3339 text of the standards keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from keepclear.dss.refusal import bad

__all__ = ["FOREVER_US", "HOUR_US", "MINUTE_US", "NEVER_US", "SECOND_US", "Instant", "microseconds", "rfc3339"]

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""RFC 3339 text with a zone, checked while decoding."""
SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 3_600 * SECOND_US
NEVER_US = -(1 << 62)
"""Before every instant: a volume open towards the past."""
FOREVER_US = 1 << 62
"""After every instant: a volume open towards the future."""
CLOCK_SKEW_US = 5 * MINUTE_US
"""A beginning this far back may be a clock that is late, not a wish for the past (InterUSS DSS, maxClockSkew)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def microseconds(instant: datetime) -> int:
    """Of an instant with a zone."""
    return (instant - _EPOCH) // _TICK


def rfc3339(time_us: int) -> str:
    """With a Z, and as many decimals as there are."""
    text = (_EPOCH + time_us * _TICK).isoformat()
    return text[:-6] + "Z"


def parse_instant(text: str, what: str) -> int:
    """Microseconds of RFC 3339 text from a URL. Raises :class:`~keepclear.dss.refusal.Refusal`."""
    try:
        return microseconds(msgspec.convert(text, Instant))
    except msgspec.ValidationError:
        raise bad(f"{what}: {text[:40]!r} is no RFC 3339 time with a zone") from None

"""One good message, to be changed field by field, and entries as logs show them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from keepclear.messages.bodies import AnyBody
from keepclear.messages.delivery import Filed
from keepclear.messages.fields import AltitudeLimit, Area, Position
from keepclear.messages.message import Message
from keepclear.messages.vocabulary import Action, Desk, Kind, Precedence
from keepclear.quantities import Datum, LengthUnit

NOW_MS = 1_795_860_000_000
"""2026-11-28T10:00:00Z"""
MINUTE_MS = 60_000


def _message(**changes: Any) -> Message:
    fields: dict[str, Any] = {
        "id": "ALPHA-2026-0007", "kind": Kind.WARNING, "precedence": Precedence.FLASH, "desk": Desk.AIR,
        "valid_until_ms": NOW_MS + 60 * MINUTE_MS, "from_ms": NOW_MS + 30 * MINUTE_MS,
        "to_ms": NOW_MS + 90 * MINUTE_MS, "positions": (Position.of(35.2833, 40.05),),
        "area": Area(positions=(Position.of(50.0, 30.0),), radius_m=5_000),
        "lower": AltitudeLimit(datum=Datum.AGL, unit=LengthUnit.FOOT),
        "upper": AltitudeLimit(datum=Datum.STD, value=320, unit=LengthUnit.FLIGHT_LEVEL),
        "action": Action.KEEP_CLEAR, "affected": (), "text": "Please keep clear.", "language": "en",
        "by_role": "duty officer air",
    }  # fmt: skip
    return Message(**{**fields, **changes})


@pytest.fixture
def make_message() -> Callable[..., Message]:
    return _message


@pytest.fixture
def message() -> Message:
    return _message()


@pytest.fixture
def file() -> Callable[..., Filed]:
    """``file("bravo", 3, body, re=…)``: the entry number 3 of bravo's log."""

    def make(
        party: str,
        seq: int,
        body: AnyBody,
        *,
        re: tuple[Filed, ...] = (),
        at_ms: int = NOW_MS,
        to: tuple[str, ...] = (),
    ) -> Filed:
        return Filed(party, seq, f"{party}{seq}".encode().hex(), to, frozenset(r.leaf for r in re), at_ms, body)

    return make

"""The read-back: every critical field is compared, and what differs alarms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from keepclear.messages.fields import Addressee, AltitudeLimit, Area, Position
from keepclear.messages.message import Message
from keepclear.messages.read_back import CriticalField, ReadBack, compare_read_back, draft_read_back
from keepclear.messages.vocabulary import Action, Kind
from keepclear.quantities import Datum

MakeMessage = Callable[..., Message]


def changed(read_back: ReadBack, **changes: Any) -> ReadBack:
    return msgspec.structs.replace(read_back, **changes)


def test_a_message_that_came_as_it_was_sent_agrees(make_message: MakeMessage) -> None:
    given = Position.of(35.2833, 40.05, place_name="Dayr az-Zawr", as_given="3517N 04003E", uncertainty_m=500)
    addressee = Addressee(call_sign="X1", position=given)
    message = make_message(positions=(given,), addressee=addressee, area=Area(positions=(given,), radius_m=9, name="A"))
    assert compare_read_back(message, draft_read_back(message, "duty officer")) == ()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"message": "ALPHA-2026-0008"}, CriticalField.MESSAGE),
        ({"kind": Kind.NOTIFICATION}, CriticalField.KIND),
        ({"zone": "R-18"}, CriticalField.ZONE),
        ({"zone_version": "2"}, CriticalField.ZONE),
        ({"positions": ()}, CriticalField.POSITIONS),
        ({"area": None}, CriticalField.AREA),
        ({"area": Area(positions=(Position.of(50.0, 30.0),), radius_m=50_000)}, CriticalField.AREA),
        ({"from_ms": 0}, CriticalField.TIMES),
        ({"to_ms": None}, CriticalField.TIMES),
        ({"lower": None}, CriticalField.LIMITS),
        ({"upper": AltitudeLimit(datum=Datum.UNBOUNDED)}, CriticalField.LIMITS),
        ({"action": Action.LEAVE_AREA}, CriticalField.ACTION),
        ({"addressee": Addressee(call_sign="Y")}, CriticalField.ADDRESSEE),
    ],
)
def test_each_critical_field_that_differs_is_named(
    message: Message, changes: dict[str, Any], field: CriticalField
) -> None:
    found = compare_read_back(message, changed(draft_read_back(message, "duty officer"), **changes))
    assert [mismatch.field for mismatch in found] == [field]


def test_every_field_of_a_read_back_is_compared() -> None:
    compared = {"message", "kind", "zone", "zone_version", "positions", "area", "from_ms", "to_ms", "lower", "upper",
                "action", "addressee"}  # fmt: skip
    assert set(ReadBack.__struct_fields__) - {"by_role"} == compared


def test_r1_2_nine_kilometres_between_said_and_understood_alarm(message: Message) -> None:
    heard = Position.of(35.3643, 40.05)  # 0.081° of latitude: 9 km
    (mismatch,) = compare_read_back(message, changed(draft_read_back(message, "duty officer"), positions=(heard,)))
    assert mismatch.field is CriticalField.POSITIONS
    assert mismatch.apart_m == pytest.approx(8_985, abs=20)


def test_a_tolerance_lets_rounding_pass_and_no_more(message: Message) -> None:
    heard = changed(draft_read_back(message, "duty officer"), positions=(Position.of(35.28333, 40.05),))
    assert compare_read_back(message, heard)
    assert compare_read_back(message, heard, tolerance_m=5.0) == ()
    assert compare_read_back(message, heard, tolerance_m=3.0)

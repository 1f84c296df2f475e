"""The message: what contradicts itself is refused, with the field named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from keepclear.errors import InputError
from keepclear.messages.fields import Addressee, AltitudeLimit, Area, Position, Translation
from keepclear.messages.message import Message, format_id, parse_id
from keepclear.messages.vocabulary import Action, Kind, TestText
from keepclear.quantities import Datum, LengthUnit

NOW_MS = 1_795_860_000_000
MakeMessage = Callable[..., Message]


@pytest.mark.parametrize(
    ("changes", "where", "said"),
    [
        ({"format": 2}, "format", "format 2 is not known"),
        ({"id": "ALPHA-2026-00007"}, "id", "ALPHA-2026-00007"),
        ({"id": "ALPHA-2026-0000"}, "id", "0000"),
        ({"from_ms": 2, "to_ms": 1}, "to_ms", "ends before it begins"),
        ({"language": None}, "language", "states its language"),
        ({"text": ""}, "language", "states its language"),
        ({"text": "a\u202eb"}, "text", r"U\+202E"),
        ({"text": "a\u2069b"}, "text", r"U\+2069"),
        ({"text": "a\x1bb"}, "text", r"U\+001B"),
        ({"text": " a"}, "text", "space"),
        ({"text": "и\u0306"}, "text", "NFC"),
        ({"by_role": "a\nb"}, "by_role", r"U\+000A"),
        ({"affected": ("X", "X")}, "affected", "twice"),
        ({"refs": ("ALPHA-2026-0007",)}, "refs", "itself"),
        ({"kind": Kind.REPLY}, "refs", "what it is about"),
        ({"kind": Kind.CORRECTION}, "refs", "what it is about"),
        ({"kind": Kind.CEASE_REQUEST, "action": Action.NONE}, "action", "what is asked for"),
        ({"action": Action.CONTACT_ON_FREQUENCY}, "addressee", "frequency"),
        (
            {"lower": AltitudeLimit(datum=Datum.AMSL, value=9, unit=LengthUnit.FOOT),
             "upper": AltitudeLimit(datum=Datum.AMSL, value=8, unit=LengthUnit.FOOT)}, "lower", "above the upper",
        ),
    ],
)  # fmt: skip
def test_fields_that_contradict_each_other_are_refused(
    make_message: MakeMessage, changes: dict[str, Any], where: str, said: str
) -> None:
    with pytest.raises(InputError, match=said) as caught:
        make_message(**changes)
    assert caught.value.where == where


def test_limits_of_different_datums_are_not_compared(make_message: MakeMessage) -> None:
    low = AltitudeLimit(datum=Datum.AGL, value=9_000, unit=LengthUnit.FOOT)
    high = AltitudeLimit(datum=Datum.AMSL, value=100, unit=LengthUnit.METRE)
    assert make_message(lower=low, upper=high).lower == low


def test_a_flight_level_is_of_the_standard_atmosphere() -> None:
    with pytest.raises(InputError, match="pressure altitude"):
        AltitudeLimit(datum=Datum.AMSL, value=100, unit=LengthUnit.FLIGHT_LEVEL)
    with pytest.raises(InputError, match="unbounded"):
        AltitudeLimit(datum=Datum.UNBOUNDED, value=1)


def test_an_area_is_a_circle_or_a_polygon_of_different_corners() -> None:
    a, b, c = (Position.of(50.0, lon) for lon in (30.0, 31.0, 32.0))
    assert Area(positions=(a, b, c))
    for positions, radius_m, said in (
        ((a, b), None, "three positions"),
        ((a, b), 5, "exactly one"),
        ((a, b, a), None, "twice"),
    ):
        with pytest.raises(InputError, match=said):
            Area(positions=positions, radius_m=radius_m)


def test_positions_are_kept_to_a_centimetre_and_the_antimeridian_is_one_line() -> None:
    position = Position.of(-33.9461, 151.1772)
    assert (position.lat_deg, position.lon_deg) == (-33.9461, 151.1772)
    assert Position.of(0.0, 180.0) == Position.of(0.0, -180.0)
    assert Position.of(0.0, 179.99999999).lon_deg == -180.0
    with pytest.raises(InputError, match="swapped"):
        Position.of(151.1772, -33.9461)


def test_numbers_are_written_in_one_way_only() -> None:
    assert format_id("alpha.forces", NOW_MS, 42) == "ALPHA.FORCES-2026-0042"
    assert parse_id("ALPHA-AIR-2026-12345") == ("alpha-air", 2026, 12345)
    for text in (
        "ALPHA-2026-042",
        "ALPHA-2026-00042",
        "alpha-2026-0042",
        "ALPHA-26-0042",
        "-2026-0042",
        "ALPHA-2026-٠٠٤٢",
    ):
        with pytest.raises(InputError, match="ORIG-YYYY-0001"):
            parse_id(text)
    with pytest.raises(InputError, match="serial"):
        format_id("alpha", NOW_MS, 0)


def test_r1_8_the_original_stands_first_and_a_translation_says_who_made_it(make_message: MakeMessage) -> None:
    translation = Translation(language="en", text="Keep clear.", translator="staff linguist")
    message = make_message(text="Не наближатися.", language="uk", translations=(translation,))
    assert (message.text, message.translations[0].translator) == ("Не наближатися.", "staff linguist")
    with pytest.raises(InputError, match="could have been translated"):
        make_message(text="", language=None, translations=(translation,))
    with pytest.raises(InputError, match="one language is given twice"):
        make_message(text="Keep clear!", language="en", translations=(translation,))


def test_r1_9_a_test_says_nothing_but_an_approved_text(make_message: MakeMessage) -> None:
    bare: dict[str, Any] = {
        "kind": Kind.TEST, "positions": (), "area": None, "lower": None, "upper": None, "from_ms": None, "to_ms": None,
        "action": Action.NONE, "text": "", "language": None, "affected": None,
    }  # fmt: skip
    assert make_message(**bare, test_text=TestText.T03).test_text is TestText.T03
    with pytest.raises(InputError, match="approved text"):
        make_message(**bare)
    with pytest.raises(InputError, match="approved text"):
        make_message(test_text=TestText.T01)
    for said in ({"text": "Is anybody there?", "language": "en"}, {"positions": (Position.of(1.0, 1.0),)},
                 {"addressee": Addressee(call_sign="X")}, {"zone": "R-17"}, {"action": Action.KEEP_CLEAR}):  # fmt: skip
        with pytest.raises(InputError, match="says nothing but its approved text"):
            make_message(**{**bare, "test_text": TestText.T01, **said})


def test_r2_2_a_warning_can_name_its_addressee_as_it_recognises_itself(make_message: MakeMessage) -> None:
    addressee = Addressee(
        call_sign="RYR03G", frequency_khz=121_500, squawk="7700", heading_deg=91, speed_kt=450,
        position=Position.of(50.0, 30.0), seen_ms=NOW_MS,
    )  # fmt: skip
    message = make_message(action=Action.CONTACT_ON_FREQUENCY, addressee=addressee)
    assert message.addressee == addressee

"""A band that nothing can be in is refused; one that some weather or ground makes possible is not."""

from __future__ import annotations

import pytest

from keepclear.errors import InputError
from keepclear.quantities import Datum, LengthUnit, Level, check_band


def feet(value: float, datum: Datum) -> Level:
    return Level(value, LengthUnit.FOOT, datum)


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        (feet(19_500, Datum.STD), feet(2_500, Datum.AMSL)),
        (feet(8_000, Datum.AMSL), feet(-2_000, Datum.STD)),
        (feet(3_000, Datum.WGS84), feet(2_500, Datum.AMSL)),
        (feet(60_000, Datum.STD), feet(1_000, Datum.AGL)),
        (feet(0, Datum.AGL), feet(-2_000, Datum.AMSL)),
        (feet(1, Datum.AGL), feet(0, Datum.AGL)),
    ],
)
def test_nothing_can_be_between_them(lower: Level, upper: Level) -> None:
    with pytest.raises(InputError, match="is above the upper limit"):
        check_band(lower, upper)


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        (feet(6_500, Datum.STD), feet(5_000, Datum.AMSL)),
        (feet(2_700, Datum.WGS84), feet(2_500, Datum.AMSL)),
        (feet(20_000, Datum.AMSL), feet(1_000, Datum.AGL)),
        (feet(0, Datum.AGL), feet(-1_000, Datum.AMSL)),
        (feet(500, Datum.AGL), feet(500, Datum.AGL)),
    ],
)
def test_some_weather_ground_or_geoid_makes_room(lower: Level, upper: Level) -> None:
    check_band(lower, upper)

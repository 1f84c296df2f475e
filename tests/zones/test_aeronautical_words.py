"""Holds true that positions and vertical limits in aeronautical notation mean what ICAO says they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level
from keepclear.zones.coordinates import find_positions, join_broken_lines, read_position
from keepclear.zones.level_text import read_limit, write_limit

FOOT, METRE = LengthUnit.FOOT, LengthUnit.METRE


@given(
    st.integers(0, 89 * 3600 + 3599), st.integers(0, 179 * 3600 + 3599), st.sampled_from("NS"), st.sampled_from("EW")
)
def test_a_position_in_seconds_is_the_same_in_every_notation(lat: int, lon: int, ns: str, ew: str) -> None:
    a, b, c = lat // 3600, lat // 60 % 60, lat % 60
    d, e, f = lon // 3600, lon // 60 % 60, lon % 60
    expected = (lon / 3600 * (1 if ew == "E" else -1), lat / 3600 * (1 if ns == "N" else -1))
    for text in (
        f"{a:02d}{b:02d}{c:02d}{ns} {d:03d}{e:02d}{f:02d}{ew}",
        f"{a:02d}{b:02d}{c:02d}{ns}{d:03d}{e:02d}{f:02d}{ew}",
        f"{ns}{a:02d}{b:02d}{c:02d} {ew}{d:03d}{e:02d}{f:02d}",
        f"{a:02d}:{b:02d}:{c:02d} {ns} {d:03d}:{e:02d}:{f:02d} {ew}",
        f"{a}°{b:02d}'{c:02d}\"{ns}, {d}°{e:02d}'{f:02d}\"{ew}",
        f"{a:02d} {b:02d} {c:02d} {ns} {d:03d} {e:02d} {f:02d} {ew}",
        f"{a:02d}:{b + c / 60:09.6f} {ns} {d:03d}:{e + f / 60:09.6f} {ew}",
        f"{lat / 3600:.9f}{ns} {lon / 3600:.9f}{ew}",
    ):
        found = read_position(text)
        assert found[0] % 360 == pytest.approx(expected[0] % 360, abs=1e-7)
        assert found[1] == pytest.approx(expected[1], abs=1e-7)


def test_only_a_number_that_the_line_break_cut_is_joined() -> None:
    assert join_broken_lines("4825\n00N 0310000E") == "482500N 0310000E"
    assert join_broken_lines("UNTIL 1200\n4825N 03100E") == "UNTIL 1200\n4825N 03100E"
    assert len(list(find_positions("FM 2300 4825N 03100E TO 4830N 03100E"))) == 2


@pytest.mark.parametrize("text", ["", "4825N", "9100N 00000E", "4860N 00000E", "4800N 18100E", "4800N 00000E X", "N E"])
def test_no_position_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_position(text)


@pytest.mark.parametrize(
    ("text", "lower", "upper"),
    [
        ("SFC", UNBOUNDED, Level(0.0, FOOT, Datum.AGL)),
        ("GND", UNBOUNDED, Level(0.0, FOOT, Datum.AGL)),
        ("UNL", UNBOUNDED, UNBOUNDED),
        ("FL999", UNBOUNDED, UNBOUNDED),
        ("FL050", *[Level(50.0, LengthUnit.FLIGHT_LEVEL, Datum.STD)] * 2),
        ("3500FT AMSL", *[Level(3500.0, FOOT, Datum.AMSL)] * 2),
        ("1000M AGL", *[Level(1000.0, METRE, Datum.AGL)] * 2),
        ("450M (1500FT) AGL", *[Level(450.0, METRE, Datum.AGL)] * 2),
        ("2000 FT", *[Level(2000.0, FOOT, Datum.AMSL)] * 2),
        ("1500FT ABOVE MEAN SEA LEVEL", *[Level(1500.0, FOOT, Datum.AMSL)] * 2),
        ("150 M ASFC", *[Level(150.0, METRE, Datum.AGL)] * 2),
        ("9999FT AMSL", *[Level(9999.0, FOOT, Datum.AMSL)] * 2),
        ("ALTITUDE 2000 FEET (FL 20) ABOVE MEAN SEA LEVEL", *[Level(2000.0, FOOT, Datum.AMSL)] * 2),
        ("-50 FT AMSL", *[Level(-50.0, FOOT, Datum.AMSL)] * 2),
        ("1200.5 m HAE", *[Level(1200.5, METRE, Datum.WGS84)] * 2),
        ("0 FT", UNBOUNDED, Level(0.0, FOOT, Datum.AGL)),
    ],
)
def test_limits_by_the_side_they_are_on(text: str, lower: Level, upper: Level) -> None:
    assert read_limit(text, upper=False) == lower
    assert read_limit(text, upper=True) == upper


@pytest.mark.parametrize(
    "text", ["", " ", "BANANA", "FL", "1500 BANANAS", "FL1234", "-5FT", "-50 FT AGL", "1500 FT MOON", "1" * 99]
)
def test_no_limit_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_limit(text, upper=True)


@given(st.floats(1, 50_000).map(lambda v: round(v, 2)), st.sampled_from([FOOT, METRE]),
       st.sampled_from([Datum.AGL, Datum.AMSL, Datum.STD]))  # fmt: skip
def test_a_limit_written_is_read_as_itself(value: float, unit: LengthUnit, datum: Datum) -> None:
    level = Level(float(f"{value:g}"), unit, datum)
    assert read_limit(write_limit(level, upper=True), upper=True) == level

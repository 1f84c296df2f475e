"""Vertical limits as other people write them become the level they mean, or are refused."""

from __future__ import annotations

import pytest

from keepclear.errors import InputError
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level
from keepclear.zones.foreign_properties import recognise
from keepclear.zones.level_text import level_of
from keepclear.zones.model import Restriction, ZoneType

FT, M, FL = LengthUnit.FOOT, LengthUnit.METRE, LengthUnit.FLIGHT_LEVEL


@pytest.mark.parametrize(
    ("value", "unit", "datum", "upper", "level"),
    [
        ("FL 245", None, None, True, Level(245, FL, Datum.STD)),
        ("245", "FL", None, True, Level(245, FL, Datum.STD)),
        (245, 6, 2, True, Level(245, FL, Datum.STD)),
        ("1000m AGL", None, None, True, Level(1000, M, Datum.AGL)),
        ("1000", "M", "MSL", False, Level(1000, M, Datum.AMSL)),
        ("2500.5 ft", None, None, True, Level(2500.5, FT, Datum.AMSL)),
        ("-50 ft amsl", None, None, False, Level(-50, FT, Datum.AMSL)),
        ("sfc", None, None, False, UNBOUNDED),
        ("GND", None, None, True, Level(0, FT, Datum.AGL)),
        ("0", "FT", None, False, UNBOUNDED),
        ("0", "FT", "AMSL", False, Level(0, FT, Datum.AMSL)),
        (300, "m", "WGS84", True, Level(300, M, Datum.WGS84)),
        (None, "ft", None, True, UNBOUNDED),
        ("", None, None, False, UNBOUNDED),
    ],
)
def test_levels(value: object, unit: object, datum: object, upper: bool, level: Level) -> None:
    assert level_of(value, unit, datum, upper=upper) == level


@pytest.mark.parametrize(("value", "unit"), [("UNL", None), (999, "FL"), ("FL999", None), (99999, "FT"), (99999, "m")])
def test_r2_7_sentinel_ceilings_are_unbounded(value: object, unit: object) -> None:
    assert level_of(value, unit, upper=True) == UNBOUNDED


@pytest.mark.parametrize(
    ("value", "unit", "datum"),
    [("high", None, None), ("12 parsec", None, None), (12, "parsec", None), (12, "ft", "moon"), (True, None, None),
     ([1], None, None), ("1 2 3", None, None), ("FL12345", None, None), ("9" * 60, None, None), (1, {}, None)],
)  # fmt: skip
def test_what_means_nothing_is_refused(value: object, unit: object, datum: object) -> None:
    with pytest.raises(InputError):
        level_of(value, unit, datum, upper=True)


@pytest.mark.parametrize(
    ("properties", "kind"),
    [
        ({"TYPE_CODE": "D"}, (ZoneType.DANGER, Restriction.CONDITIONAL)),
        ({"class": "D"}, (ZoneType.AIRSPACE, Restriction.NO_RESTRICTION)),
        ({"Type": "Restricted Area"}, (ZoneType.RESTRICTED, Restriction.REQ_AUTHORISATION)),
        ({"type": "no-fly zone"}, (ZoneType.NFZ, Restriction.PROHIBITED)),
        ({"type": "UIR"}, (ZoneType.AIRSPACE, Restriction.NO_RESTRICTION)),
        ({"type": "lake"}, None),
        ({}, None),
    ],
)
def test_kinds(properties: dict[str, object], kind: object) -> None:
    assert recognise(properties).kind == kind


def test_an_ed_269_volume_flattened_into_properties() -> None:
    known = recognise({"lowerLimit": 0, "upperLimit": 120, "uomDimensions": "M", "upperVerticalReference": "AGL"})
    assert known.upper == Level(120, M, Datum.AGL)
    assert known.lower == UNBOUNDED

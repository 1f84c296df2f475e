"""Altitudes of different datums are compared through a stated conversion, as bands as wide as what is not known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import UsageError
from keepclear.feeds.reports import ReportBatch
from keepclear.quantities import FOOT_M, UNBOUNDED, Datum, LengthUnit, Level
from keepclear.space.geoid import undulation_m
from keepclear.tracks.altitude import (
    WORLD_GROUND_M,
    AltitudeAssumptions,
    altitudes_in,
    level_in,
    pressure_altitude_m,
)

STATED = AltitudeAssumptions(qnh_hpa=1013.25, ground_elevation_m=(100.0, 200.0))


def reports(baro_m: float = math.nan, geo_m: float = math.nan, on_ground: int = -1) -> ReportBatch:
    return ReportBatch.build(
        time_s=[0.0], lat_deg=[50.45], lon_deg=[30.5], target=["a"], altitude_baro_m=[baro_m], altitude_geo_m=[geo_m],
        on_ground=[on_ground],
    )  # fmt: skip


def band(given_: ReportBatch, datum: Datum, assumptions: AltitudeAssumptions | None = None) -> tuple[float, float]:
    low, high = altitudes_in(given_, datum, assumptions)
    return float(low[0]), float(high[0])


def test_one_hectopascal_is_27_feet_near_sea_level() -> None:
    assert (pressure_altitude_m(1012.25) - pressure_altitude_m(1013.25)) / FOOT_M == pytest.approx(27.3, abs=0.1)
    assert pressure_altitude_m(1013.25) == pytest.approx(0.0)
    # ICAO standard atmosphere (Doc 7488): 900 hPa at 988.5 m.
    assert pressure_altitude_m(900.0) == pytest.approx(988.5, abs=0.3)


def test_r2_7_flight_level_and_altitude_are_equal_only_at_standard_pressure() -> None:
    assert band(reports(baro_m=3000.0), Datum.AMSL, STATED) == pytest.approx((3000.0, 3000.0))
    low, high = band(reports(baro_m=3000.0), Datum.AMSL, AltitudeAssumptions(qnh_hpa=983.25))
    assert low == high == pytest.approx(3000.0 - pressure_altitude_m(983.25))
    assert low < 2750.0  # a low means that the aircraft is lower than its flight level says


def test_r2_7_without_a_qnh_the_band_holds_every_plausible_pressure() -> None:
    low, high = band(reports(baro_m=3000.0), Datum.AMSL)
    for qnh in (960.0, 985.0, 1013.25, 1030.0, 1050.0):
        exact, _ = band(reports(baro_m=3000.0), Datum.AMSL, AltitudeAssumptions(qnh_hpa=qnh))
        assert low - 1e-6 <= exact <= high + 1e-6
    assert high - low > 700.0


def test_r2_7_gnss_height_and_sea_level_differ_by_the_geoid() -> None:
    low, high = band(reports(geo_m=1000.0), Datum.AMSL)
    assert low == high == pytest.approx(1000.0 - float(undulation_m(50.45, 30.5)))
    assert abs(low - 1000.0) > 15.0  # some 25 m at Kyiv: not the same thing


def test_r2_7_above_ground_needs_the_ground() -> None:
    assert band(reports(baro_m=1000.0), Datum.AGL, STATED) == pytest.approx((800.0, 900.0))
    low, high = band(reports(baro_m=1000.0), Datum.AGL, AltitudeAssumptions(qnh_hpa=1013.25))
    assert (low, high) == pytest.approx((1000.0 - WORLD_GROUND_M[1], 1000.0 - WORLD_GROUND_M[0]))
    assert band(reports(on_ground=1), Datum.AGL) == (0.0, 0.0)
    assert band(reports(on_ground=1), Datum.AMSL, STATED) == (100.0, 200.0)


def test_r2_7_pressure_and_gnss_are_never_silently_equal() -> None:
    low, high = band(reports(baro_m=10_000.0), Datum.WGS84, STATED)
    assert high - low > 1000.0  # the temperature error
    low, high = band(reports(geo_m=10_000.0), Datum.STD, STATED)
    assert high - low > 1000.0


@pytest.mark.parametrize("datum", [Datum.AGL, Datum.AMSL, Datum.STD, Datum.WGS84])
def test_what_states_no_altitude_has_none(datum: Datum) -> None:
    assert all(math.isnan(v) for v in band(reports(), datum))


def test_the_altitude_measured_in_the_datum_wins() -> None:
    both = reports(baro_m=3000.0, geo_m=3300.0)
    assert band(both, Datum.STD) == (3000.0, 3000.0)
    assert band(both, Datum.WGS84) == (3300.0, 3300.0)
    assert band(both, Datum.AMSL, STATED) == pytest.approx((3000.0, 3000.0))
    assert band(both, Datum.AMSL)[0] == pytest.approx(3300.0 - float(undulation_m(50.45, 30.5)))


@given(
    st.sampled_from([Datum.AGL, Datum.AMSL, Datum.STD, Datum.WGS84]),
    st.sampled_from([Datum.AGL, Datum.AMSL, Datum.STD, Datum.WGS84]),
    st.floats(0, 15_000),
    st.sampled_from([AltitudeAssumptions(), STATED, AltitudeAssumptions(qnh_hpa=990.0)]),
)
def test_r2_7_a_limit_carried_there_and_back_is_within_its_band(
    published: Datum, asked: Datum, metres: float, assumptions: AltitudeAssumptions
) -> None:
    low, high = level_in(Level(metres, LengthUnit.METRE, published), asked, assumptions)
    assert low <= high
    back_low, _ = level_in(Level(low, LengthUnit.METRE, asked), published, assumptions)
    _, back_high = level_in(Level(high, LengthUnit.METRE, asked), published, assumptions)
    assert back_low - 1e-6 <= metres <= back_high + 1e-6
    if published is asked:
        assert low == high == metres


@given(st.floats(-200, 15_000), st.floats(960, 1050), st.floats(960, 1050))
def test_what_is_known_to_be_above_is_above_at_every_pressure(baro_m: float, qnh: float, other: float) -> None:
    unknown = band(reports(baro_m=baro_m), Datum.AMSL)
    for hpa in (qnh, other):
        exact = band(reports(baro_m=baro_m), Datum.AMSL, AltitudeAssumptions(qnh_hpa=hpa))
        assert unknown[0] - 1e-6 <= exact[0] <= unknown[1] + 1e-6


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(UsageError, match="inHg"):
        AltitudeAssumptions(qnh_hpa=29.92)
    with pytest.raises(UsageError, match="lower one first"):
        AltitudeAssumptions(ground_elevation_m=(300.0, 100.0))
    with pytest.raises(UsageError, match="UNBOUNDED"):
        altitudes_in(reports(baro_m=1.0), Datum.UNBOUNDED)
    with pytest.raises(UsageError, match="UNBOUNDED"):
        level_in(UNBOUNDED, Datum.AMSL)


def test_columns_stay_columns() -> None:
    many = ReportBatch.build(
        time_s=[0, 1, 2], lat_deg=[50, 50, 50], lon_deg=[30, 30, 30], target=["a"] * 3,
        altitude_baro_m=[1000, np.nan, np.nan], altitude_geo_m=[np.nan, 1000, np.nan],
    )  # fmt: skip
    low, high = altitudes_in(many, Datum.AMSL, STATED)
    assert np.isfinite(low).tolist() == np.isfinite(high).tolist() == [True, True, False]

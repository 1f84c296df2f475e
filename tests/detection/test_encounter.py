"""Encounters of the live picture carry the right verdict, place and doubt."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from keepclear.detection.encounter import encounters
from keepclear.detection.situation import SituationBatch, SituationKind, Verdict
from keepclear.detection.thresholds import NEAR_MIDAIR, RADAR_SEPARATION, WELL_CLEAR, Thresholds
from keepclear.errors import InputError
from keepclear.feeds.reports import ReportBatch, TargetDomain
from keepclear.tracks.picture import Picture, TrackStatus

NOW_S = 1_700_000_000.0
DEGREE_M = 111_319.49
"""of longitude on the equator"""


def picture(**columns: Any) -> Picture:
    """Tracks on the equator: ``east_m`` places them, the rest is ReportBatch.build's."""
    east = np.asarray(columns.pop("east_m"), dtype=np.float64)
    n = len(east)
    status = np.asarray(columns.pop("status", [TrackStatus.LIVE] * n), np.uint8)
    key = np.asarray(columns.pop("key", np.arange(n) + 10), np.int64)
    columns.setdefault("time_s", np.full(n, NOW_S))
    columns.setdefault("target", [f"{k:06x}" for k in range(n)])
    columns.setdefault("altitude_baro_m", np.full(n, 3000.0))
    columns.setdefault("ground_speed_mps", np.full(n, 100.0))
    columns.setdefault("track_deg", np.where(np.arange(n) % 2 == 0, 90.0, 270.0))
    columns.setdefault("vertical_rate_mps", np.zeros(n))
    reports = ReportBatch.build(lat_deg=np.zeros(n), lon_deg=east / DEGREE_M, **columns)
    return Picture(NOW_S, key, reports, status, np.zeros(n, np.uint8), np.full(n, NOW_S - 60.0))


def only(batch: SituationBatch) -> dict[str, Any]:
    assert len(batch) == 1
    return {name: getattr(batch, name)[0].item() for name in SituationBatch.__slots__}


def test_a_head_on_pair_is_predicted_with_its_times_and_place() -> None:
    row = only(encounters(picture(east_m=[0.0, 20_000.0], accuracy_m=[30.0, 40.0])))
    assert row["kind"] == SituationKind.STCA
    assert row["verdict"] == Verdict.PREDICTED
    assert (row["track"], row["other"]) == (10, 11)
    assert row["time_to_s"] == pytest.approx((20_000.0 - 9260.0) / 200.0, abs=0.01)
    assert row["time_to_s"] + row["duration_s"] == pytest.approx(120.0)
    assert row["cpa_s"] == pytest.approx(100.0, abs=0.01)
    assert row["cpa_horizontal_m"] == pytest.approx(0.0, abs=0.1)
    assert row["horizontal_m"] == pytest.approx(20_000.0, abs=0.5)
    assert row["vertical_m"] == 0.0
    assert row["at_lon_deg"] == pytest.approx(10_000.0 / DEGREE_M, abs=1e-6)
    assert row["confidence"] == pytest.approx(1.0)
    assert row["exempt"] is False


def test_the_loss_ends_with_the_look_ahead() -> None:
    row = only(encounters(picture(east_m=[0.0, 20_000.0]), look_ahead_s=60.0))
    assert row["time_to_s"] + row["duration_s"] == pytest.approx(60.0)
    assert len(encounters(picture(east_m=[0.0, 20_000.0]), look_ahead_s=50.0)) == 0


def test_a_pair_inside_now_is_actual() -> None:
    row = only(encounters(picture(east_m=[0.0, 5_000.0], accuracy_m=[50.0, 50.0])))
    assert (row["verdict"], row["time_to_s"]) == (Verdict.ACTUAL, 0.0)


def test_without_stated_accuracy_there_is_a_verdict_and_no_confidence() -> None:
    row = only(encounters(picture(east_m=[0.0, 5_000.0])))
    assert row["verdict"] == Verdict.ACTUAL
    assert math.isnan(row["confidence"])


@pytest.mark.parametrize(("apart_m", "below"), [(9_200.0, False), (9_300.0, True)])
def test_r2_1_a_threshold_within_the_accuracy_is_indeterminate(apart_m: float, below: bool) -> None:
    still = picture(east_m=[0.0, apart_m], ground_speed_mps=[0.0, 0.0], accuracy_m=[100.0, 100.0])
    row = only(encounters(still))
    assert row["verdict"] == Verdict.INDETERMINATE
    sigma = math.hypot(100.0, 100.0) / 2.4477
    expected = 0.5 * (1.0 + math.erf((9260.0 - apart_m) / sigma / math.sqrt(2.0)))
    assert row["confidence"] == pytest.approx(expected, abs=1e-3)
    assert (row["confidence"] < 0.5) is below
    assert len(encounters(picture(east_m=[0.0, 9_500.0], ground_speed_mps=[0, 0], accuracy_m=[100.0, 100.0]))) == 0


def test_an_accuracy_of_ten_miles_means_not_stated() -> None:
    row = only(encounters(picture(east_m=[0.0, 5_000.0], accuracy_m=[20_000.0, 37_000.0])))
    assert row["verdict"] == Verdict.ACTUAL
    assert math.isnan(row["confidence"])


def test_r2_7_barometric_is_never_compared_with_geometric() -> None:
    # the numbers are equal, but they are not of one datum: nobody knows the vertical distance
    mixed = picture(east_m=[0.0, 5_000.0], altitude_baro_m=[3000.0, np.nan], altitude_geo_m=[np.nan, 3000.0])
    row = only(encounters(mixed))
    assert row["verdict"] == Verdict.INDETERMINATE
    assert math.isnan(row["vertical_m"])
    assert math.isnan(row["cpa_vertical_m"])
    # and a large difference of numbers clears nobody either
    far = picture(east_m=[0.0, 5_000.0], altitude_baro_m=[3000.0, np.nan], altitude_geo_m=[np.nan, 9000.0])
    assert only(encounters(far))["verdict"] == Verdict.INDETERMINATE


def test_geometric_altitudes_serve_where_a_pair_lacks_barometric_ones() -> None:
    geo = picture(east_m=[0.0, 5_000.0], altitude_baro_m=[3000.0, np.nan], altitude_geo_m=[3100.0, 3200.0])
    row = only(encounters(geo))
    assert (row["verdict"], row["vertical_m"]) == (Verdict.ACTUAL, 100.0)
    apart = picture(east_m=[0.0, 5_000.0], altitude_baro_m=[3000.0, np.nan], altitude_geo_m=[3100.0, 4200.0])
    assert len(encounters(apart)) == 0


def test_vertical_separation_is_separation_until_a_climb_ends_it() -> None:
    level = {"east_m": [0.0, 5_000.0], "altitude_baro_m": [3000.0, 3400.0], "ground_speed_mps": [0.0, 0.0]}
    assert len(encounters(picture(**level))) == 0
    row = only(encounters(picture(**level, vertical_rate_mps=[2.0, 0.0])))
    assert row["verdict"] == Verdict.PREDICTED
    assert row["time_to_s"] == pytest.approx((400.0 - 304.8) / 2.0)


def test_who_is_not_paired() -> None:
    near = {"east_m": [0.0, 1_000.0]}
    assert len(encounters(picture(**near))) == 1
    assert len(encounters(picture(**near, on_ground=[1, 0]))) == 0
    assert len(encounters(picture(**near, domain=[TargetDomain.AIR, TargetDomain.SEA]))) == 0
    assert len(encounters(picture(**near, status=[TrackStatus.ENDED, TrackStatus.LIVE]))) == 0
    assert len(encounters(picture(**near, status=[TrackStatus.STALE, TrackStatus.LIVE]))) == 0
    assert len(encounters(picture(**near, target=["4b1617", "4b1617"]))) == 0
    # two that nobody names are two
    assert len(encounters(picture(**near, target=[None, None]))) == 1


def test_an_older_report_is_carried_to_now() -> None:
    row = only(encounters(picture(east_m=[0.0, 20_000.0], time_s=[NOW_S - 10.0, NOW_S])))
    assert row["horizontal_m"] == pytest.approx(19_000.0, abs=0.5)
    assert row["cpa_s"] == pytest.approx(95.0, abs=0.01)


def test_well_clear_is_lost_by_tau_before_the_distance() -> None:
    # 200 m/s closing on a collision course: tau_mod is 35 s where r² - DMOD² = 35·200·r
    pair = picture(east_m=[0.0, 12_000.0])
    row = only(encounters(pair, WELL_CLEAR))
    dmod = 1219.2
    r = 0.5 * (7000.0 + math.sqrt(7000.0**2 + 4 * dmod**2))
    assert row["kind"] == SituationKind.WELL_CLEAR
    assert row["time_to_s"] == pytest.approx((12_000.0 - r) / 200.0, abs=0.01)
    # passing 2 km abeam the projected miss distance keeps them well clear
    assert len(encounters(picture(east_m=[0.0, 4_000.0], track_deg=[0.0, 0.0]), WELL_CLEAR)) == 0


def test_several_thresholds_in_one_call_and_rows_name_the_smaller_key_first() -> None:
    batch = encounters(picture(east_m=[0.0, 100.0], key=[99, 7]), [RADAR_SEPARATION, WELL_CLEAR, NEAR_MIDAIR])
    assert batch.kind.tolist() == [SituationKind.STCA, SituationKind.WELL_CLEAR, SituationKind.STCA]
    assert batch.track.tolist() == [7] * 3
    assert batch.other.tolist() == [99] * 3


def test_nothing_to_pair_is_no_rows() -> None:
    assert len(encounters(picture(east_m=[]))) == 0
    assert len(encounters(picture(east_m=[0.0]))) == 0
    assert len(encounters(picture(east_m=[0.0, 1.0]), [])) == 0


def test_broken_numbers_harm_nobody_else() -> None:
    bad = picture(
        east_m=[0.0, 5_000.0, np.nan, 2_000.0], ground_speed_mps=[100.0, 100.0, 100.0, np.inf],
        vertical_rate_mps=[0.0, 0.0, 0.0, np.nan],
    )  # fmt: skip
    pairs = encounters(bad)
    assert list(zip(pairs.track.tolist(), pairs.other.tolist())) == [(10, 11), (10, 13), (11, 13)]


@pytest.mark.parametrize("look_ahead_s", [-1.0, math.nan, math.inf, 1e6])
def test_a_senseless_look_ahead_is_refused(look_ahead_s: float) -> None:
    with pytest.raises(InputError, match="look-ahead"):
        encounters(picture(east_m=[0.0, 1.0]), look_ahead_s=look_ahead_s)


@pytest.mark.parametrize("given", [(0.0, 1.0, 0.0), (math.nan, 1.0, 0.0), (1.0, -1.0, 0.0), (1.0, 1.0, math.nan)])
def test_senseless_thresholds_are_refused(given: tuple[float, float, float]) -> None:
    with pytest.raises(InputError):
        Thresholds(*given)

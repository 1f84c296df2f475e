"""The live picture and its situations become the columns that the page is sent."""

from __future__ import annotations

import numpy as np

from keepclear.detection.situation import SituationBatch, SituationKind, Verdict
from keepclear.feeds.reports import ReportBatch
from keepclear.quantities import UNBOUNDED
from keepclear.server.picture import picture_columns
from keepclear.server.picture_delta import travelling, whole
from keepclear.server.plain_json import encode
from keepclear.space.geometry import Circle
from keepclear.tracks.picture import Picture
from keepclear.zones.model import Volume, Zone
from keepclear.zones.zone_set import ZoneSet

ZONES = ZoneSet.of(
    Zone(id=name, volumes=(Volume(Circle(10.0, 50.0, 1000.0), UNBOUNDED, UNBOUNDED),)) for name in ("A", "B")
)


def live(n: int) -> Picture:
    reports = ReportBatch.build(
        time_s=[5.0] * n, lat_deg=[50.0] * n, lon_deg=np.arange(n), target=[f"{i:06x}" for i in range(n)],
        altitude_baro_m=[1000.0, np.nan, np.nan][:n], altitude_geo_m=[1040.0, 2000.0, np.nan][:n],
        callsign=["AB1 ", None, ""][:n],
    )  # fmt: skip
    return Picture(
        now_s=6.0, key=np.arange(n) + 7, reports=reports, status=np.ones(n, np.uint8), flags=np.zeros(n, np.uint8),
        first_s=np.zeros(n),
    )  # fmt: skip


def test_altitude_says_which_surface_it_is_measured_from() -> None:
    columns = picture_columns(live(3), SituationBatch.build(0), ZONES)
    assert list(columns["altitude_datum"]) == ["STD", "WGS84", ""]
    assert np.array_equal(columns["altitude_m"], [1000.0, 2000.0, np.nan], equal_nan=True)
    assert columns["callsign"] == ["AB1", "", ""]


def test_r2_4_an_exempt_track_is_in_the_picture_and_marked_unless_it_breaches_another_zone() -> None:
    found = SituationBatch.build(
        3, kind=[SituationKind.APW] * 3, track=[7, 8, 8], other=[0, 0, 1], verdict=[Verdict.ACTUAL] * 3, time_to_s=0.0,
        exempt=[True, True, False],
    )  # fmt: skip
    columns = picture_columns(live(3), found, ZONES)
    assert list(columns["exempt"]) == [True, False, False]
    assert columns["situations"]["other"] == ["A", "A", "B"]
    assert encode(whole(travelling(columns)))


def test_a_pair_names_the_other_track_by_its_key() -> None:
    found = SituationBatch.build(
        1, kind=SituationKind.STCA, track=7, other=9, verdict=Verdict.PREDICTED, time_to_s=40.0
    )
    situations = picture_columns(live(3), found, ZONES)["situations"]
    assert situations["other"] == ["9"]
    assert situations["verdict"] == ["PREDICTED"]

"""Numbers that cannot be are «not known», and directions stay in [0, 360), in double and in single precision."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from keepclear.feeds.formats import DecoderOptions, make_decoder
from keepclear.feeds.reports import ReportBatch
from keepclear.feeds.screening import directions, within

ALMOST_NORTH = -1e-320
"""Its remainder by 360 is 360."""


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_directions_are_at_least_0_and_below_360(dtype: type[np.floating]) -> None:
    with np.errstate(under="ignore"):
        given = np.array([-90.0, 0.0, 359.99999999, 360.0, 450.0, ALMOST_NORTH, np.inf, 1e30, np.nan]).astype(dtype)
    turned = directions(given)
    assert turned.dtype == np.float32
    np.testing.assert_array_equal(turned, [270, 0, 0, 0, 90, 0, np.nan, np.nan, np.nan])


def test_what_needs_no_change_is_not_copied() -> None:
    good = np.array([0.0, 359.9, np.nan], dtype=np.float32)
    assert directions(good) is good
    assert within(good, 0.0, 360.0) is good


def test_out_of_bounds_is_not_known() -> None:
    np.testing.assert_array_equal(
        within(np.array([-1.0, 0.0, 5.0, np.inf, np.nan]), 0.0, 5.0), [np.nan, 0, 5, np.nan, np.nan]
    )


ENTRY = {"hex": "508035", "lat": 50.25, "lon": 30.5, "alt_baro": 1e308, "alt_geom": -1e308, "gs": 1e308,
         "track": ALMOST_NORTH, "baro_rate": 1e308, "rc": 1e308}  # fmt: skip
INPUTS = {
    "readsb": json.dumps({"now": 1.7e9, "aircraft": [ENTRY]}),
    "readsb-trace": json.dumps(
        {
            "icao": "508035", "timestamp": 1.7e9,
            "trace": [[0.0, 50.25, 30.5, 1e308, 1e308, ALMOST_NORTH, 0, -1e308, {"rc": 1e308}, "adsb_icao", 1e308]],
        }
    ),
    "opensky": json.dumps(
        {
            "time": 1.7e9,
            "states": [["508035", "", "", 1.7e9, 1.7e9, 30.5, 50.25, 1e308, False, 1e308, ALMOST_NORTH, -1e308, None,
                        1e308, None, False, 0]],
        }
    ),
    "sbs": "MSG,4,1,1,508035,1,2023/11/14,22:13:20.500,2023/11/14,22:13:20.600,,,1e308,-1e-320,,,1e308,,,,,\n"
    "MSG,3,1,1,508035,1,2023/11/14,22:13:20.500,2023/11/14,22:13:20.600,,1e308,,,50.25,30.5,,,0,0,0,0\n",
    "csv": "time_s,lat_deg,lon_deg,target,altitude_baro_m,altitude_geo_m,ground_speed_mps,track_deg,"
    "vertical_rate_mps,accuracy_m\n"
    "1700000000.0,50.25,30.5,508035,1e308,-1e308,1e308,-1e-320,1e308,1e308\n",
    "gpx": '<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><name>508035</name><trkseg>'
    '<trkpt lat="50.25" lon="30.5"><ele>1e308</ele><time>2023-11-14T22:13:20Z</time></trkpt></trkseg></trk></gpx>',
}  # fmt: skip


@pytest.mark.parametrize("name", INPUTS)
def test_numbers_that_cannot_be_are_not_known_in_any_format(name: str) -> None:
    decoder = make_decoder(name, DecoderOptions())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = [decoder.decode(INPUTS[name].encode(), 1.7e9), decoder.finish()]
    (batch,) = [part for part in parts if len(part)]
    assert isinstance(batch, ReportBatch)
    for column in ("altitude_baro_m", "altitude_geo_m", "ground_speed_mps", "vertical_rate_mps", "accuracy_m"):
        assert np.isnan(getattr(batch, column)[0]), column
    assert name == "gpx" or batch.track_deg[0] == 0.0

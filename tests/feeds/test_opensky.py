"""OpenSky state vectors are read by position, in SI units, each state on its own."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.opensky import StatesDecoder
from keepclear.feeds.reports import ReportBatch, TargetCategory, TargetDomain

NOW_S = 1_700_000_010


def state(icao24: Any = "508035", lat: Any = 50.4, lon: Any = 30.5, category: list[int] | None = None) -> list[Any]:
    place = [NOW_S - 4, NOW_S, lon, lat, 3048.0, False, 51.4, 90.0, -3.0]
    return [icao24, "AUI101  ", "Ukraine", *place, None, 3100.0, "0412", False, 0, *(category or [])]


def answer(*states: Any) -> bytes:
    return json.dumps({"time": NOW_S, "states": list(states) or None}).encode()


def decoded(data: bytes) -> tuple[ReportBatch, StatesDecoder]:
    decoder = StatesDecoder(DecoderOptions())
    batch = decoder.decode(data, math.nan)
    assert len(decoder.finish()) == 0
    return batch, decoder


def test_every_field_lands_in_its_column() -> None:
    batch, decoder = decoded(answer(state(category=[8])))
    assert decoder.faults.total == 0
    assert batch.time_s[0] == NOW_S - 4
    assert (batch.lat_deg[0], batch.lon_deg[0]) == (50.4, 30.5)
    assert (batch.altitude_baro_m[0], batch.altitude_geo_m[0]) == (3048.0, 3100.0)
    assert batch.ground_speed_mps[0] == pytest.approx(51.4)
    assert (batch.track_deg[0], batch.vertical_rate_mps[0]) == (90.0, -3.0)
    assert (batch.on_ground[0], batch.squawk[0]) == (0, 412)
    assert (batch.category[0], batch.domain[0]) == (TargetCategory.ROTARY, TargetDomain.AIR)
    assert (batch.target.at(0), batch.callsign.at(0)) == ("508035", "AUI101")


def test_states_without_position_are_left_out_and_an_empty_answer_is_no_fault() -> None:
    batch, decoder = decoded(answer(state(lat=None, lon=None), state("508036")) + b"\n" + answer())
    assert batch.target.strings() == ["508036"]
    assert decoder.faults.total == 0


def test_surface_vehicles_are_ground_traffic() -> None:
    batch, _ = decoded(answer(state(category=[17])))
    assert batch.domain[0] == TargetDomain.GROUND


@pytest.mark.parametrize(
    "bad", [["508099"], {"icao24": "508099"}, state(17), state("508099", "fifty"), state("508099", 130.0)]
)
def test_a_bad_state_is_one_fault_and_loses_no_other(bad: Any) -> None:
    batch, decoder = decoded(answer(state(), bad, state("508036")))
    assert batch.target.strings() == ["508035", "508036"]
    assert decoder.faults.total == 1


def test_several_answers_as_json_lines_come_in_order() -> None:
    batch, decoder = decoded(answer(state()) + b"\n" + b'{"time": 1, "error": "x"}\n' + answer(state("508036")))
    assert batch.target.strings() == ["508035", "508036"]
    assert decoder.faults.counts == {"JSON object without states": 1}


def test_a_held_over_position_keeps_its_own_time() -> None:
    held = state()
    held[3] = NOW_S - 300
    batch, _ = decoded(answer(held))
    assert np.array_equal(batch.time_s, [NOW_S - 300])

"""Remote ID flights of both editions give the same reports; «no value» numbers and repeated states do not count."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.remote_id import HORIZONTAL_ACCURACY_M, looks_like_flights
from keepclear.feeds.reports import ReportBatch, TargetCategory, TargetDomain

Rows = Callable[[ReportBatch], list[tuple[object, ...]]]


def flight(name: str = "F-1", second: int = 20, **state: Any) -> dict[str, Any]:
    """F3411-22a."""
    position = {"lat": 50.25, "lng": 30.5, "alt": 320.5, "pressure_altitude": 290.0, "accuracy_h": "HA10m"}
    position.update(state.pop("position", {}))
    return {
        "id": name,
        "aircraft_type": "Helicopter",
        "current_state": {
            "timestamp": {"value": f"2023-11-14T22:13:{second:02}.5Z", "format": "RFC3339"},
            "timestamp_accuracy": 0.1,
            "operational_status": "Airborne",
            "position": position,
            "track": 271.5,
            "speed": 12.25,
            "speed_accuracy": "SA3mps",
            "vertical_speed": -1.5,
            **state,
        },
    }


def answer(*flights: Any, **more: Any) -> bytes:
    time = {"value": "2023-11-14T22:13:21Z", "format": "RFC3339"}
    return json.dumps({"timestamp": time, "flights": list(flights), **more}).encode()


def test_every_value_of_a_flight(decode_all: Any) -> None:
    batch, decoder = decode_all("remote-id", answer(flight()), options=DecoderOptions(source="uss1"))
    assert decoder.faults.total == 0
    assert batch.time_s.tolist() == [1_700_000_000.5]
    assert (batch.lat_deg[0], batch.lon_deg[0]) == (50.25, 30.5)
    assert (batch.altitude_geo_m[0], batch.altitude_baro_m[0]) == (320.5, 290.0)
    assert (batch.ground_speed_mps[0], batch.track_deg[0], batch.vertical_rate_mps[0]) == (12.25, 271.5, -1.5)
    assert (batch.accuracy_m[0], batch.on_ground[0]) == (10.0, 0)
    assert (batch.domain[0], batch.category[0]) == (TargetDomain.AIR, TargetCategory.UAS)
    assert (batch.target.at(0), batch.source.at(0)) == ("F-1", "uss1")


def test_the_2019_edition_reads_alike(decode_all: Any, rows_of: Rows) -> None:
    old = flight()
    state = old["current_state"]
    state["timestamp"] = state["timestamp"]["value"]
    state["accuracy_h"] = state["position"].pop("accuracy_h")
    state["height"] = {"distance": 100, "reference": "TakeoffLocation"}
    data = json.dumps({"timestamp": "2023-11-14T22:13:21Z", "flights": [old]}).encode()
    assert rows_of(decode_all("remote-id", data)[0]) == rows_of(decode_all("remote-id", answer(flight()))[0])


def test_no_value_numbers_are_not_known(decode_all: Any) -> None:
    nothing = flight(
        track=361,
        speed=255,
        vertical_speed=63,
        position={"alt": -1000, "pressure_altitude": -1000, "accuracy_h": "HAUnknown"},
    )
    del nothing["current_state"]["operational_status"]
    batch, decoder = decode_all("remote-id", answer(nothing, flight("F-2", position={"lat": 0, "lng": 0})))
    assert len(batch) == 1
    for column in (
        batch.altitude_geo_m, batch.altitude_baro_m, batch.track_deg, batch.ground_speed_mps, batch.vertical_rate_mps,
        batch.accuracy_m,
    ):  # fmt: skip
        assert np.isnan(column).all()
    assert batch.on_ground.tolist() == [-1]
    assert decoder.skipped == {"position unknown": 1}


@pytest.mark.shared
def test_the_accuracy_classes_are_the_standards(shared_data: Path) -> None:
    text = (shared_data / "openapi" / "f3411-22a_remoteid.yaml").read_text()
    said = dict(re.findall(r"`(HA\w+)`: < ([^\n]+)", text))
    metres = {}
    for name, bound in said.items():
        found = re.search(r"([\d.]+) ?(km|m)\b(?!.*\dm)", bound)
        assert found
        metres[name] = float(found.group(1)) * (1000 if found.group(2) == "km" else 1)
    assert metres == pytest.approx(HORIZONTAL_ACCURACY_M)


def test_simulated_flights_say_so(decode_all: Any) -> None:
    one = {**flight(), "simulated": True}
    batch, _ = decode_all("remote-id", answer(one, flight("F-2")), options=DecoderOptions(source="uss1"))
    assert batch.source.strings() == ["uss1 (simulated)", "uss1"]


def test_recent_positions_come_first_and_once(decode_all: Any) -> None:
    def recent(second: int) -> dict[str, Any]:
        return {
            "time": {"value": f"2023-11-14T22:13:{second:02}Z", "format": "RFC3339"},
            "position": {"lat": 50.0, "lng": 30.0},
        }

    first = {**flight(second=20), "recent_positions": [recent(18), recent(16)]}
    second = {**flight(second=22), "recent_positions": [recent(20), recent(21), recent(18)]}
    batch, decoder = decode_all("remote-id", answer(first) + b"\n" + answer(second) + answer(second))
    assert (batch.time_s - 1_700_000_000).tolist() == [-4.0, -2.0, 0.5, 1.0, 2.5]
    assert decoder.skipped == {"position already reported": 6}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({**flight(), "id": 7}, "flight is malformed"),
        ("text", "flight is malformed"),
        (flight(position={"lat": 95.0}), "position is missing or not on Earth"),
        (flight(timestamp="2023-11-14T22:13:20"), "time is not RFC 3339 with a zone"),
        (flight(position={"lat": "50"}), "flight is malformed"),
    ],
)
def test_a_bad_flight_costs_only_itself(decode_all: Any, bad: Any, reason: str) -> None:
    batch, decoder = decode_all("remote-id", answer(flight("A"), bad, flight("B")))
    assert batch.target.strings() == ["A", "B"]
    assert decoder.faults.counts == {reason: 1}


def test_repeated_keys_nan_and_cut_answers_are_refused(decode_all: Any) -> None:
    twice = answer(flight("A")).replace(b'"lat": 50.25', b'"lat": 50.25, "lat": 51.0')
    batch, decoder = decode_all("remote-id", twice + answer(flight("B")))
    assert batch.target.strings() == ["B"]
    assert decoder.faults.counts == {"flight names a key twice": 1}
    nan = answer(flight("A")).replace(b"50.25", b"NaN")
    assert decode_all("remote-id", nan)[1].faults.total == 1
    batch, decoder = decode_all("remote-id", answer(flight("A"))[:-30] + answer(flight("B")))
    assert batch.target.strings() == ["B"]
    assert decoder.faults.total == 1
    large = answer({**flight("A"), "id": "x" * 70_000}, flight("B"))
    assert decode_all("remote-id", large)[1].faults.counts == {"flight larger than 65536 bytes": 1}
    deep = b'{"flights": [' + b"[" * 100_000
    assert decode_all("remote-id", deep)[1].faults.total == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 1500), max_size=12), st.binary(max_size=30))
def test_any_split_gives_the_same(decode_all: Any, rows_of: Rows, cuts: list[int], noise: bytes) -> None:
    data = answer(flight("A"), flight("B")) + noise + answer(flight("C")) + answer(flight("D"))[:-9]
    whole, first = decode_all("remote-id", data)
    pieces, second = decode_all("remote-id", data, cuts)
    assert rows_of(whole) == rows_of(pieces)
    assert (first.faults.counts, first.skipped) == (second.faults.counts, second.skipped)


def test_recognised_by_its_head() -> None:
    assert looks_like_flights(answer(flight()))
    assert looks_like_flights(answer(no_isas_present=True))
    assert not looks_like_flights(b'{"now": 1, "aircraft": []}')
    assert not looks_like_flights(b"")

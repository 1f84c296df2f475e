"""readsb's aircraft.json and trace files give the positions, units and instants that their documentation says."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keepclear.errors import InputError
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.readsb import AircraftJsonDecoder
from keepclear.feeds.readsb_trace import TraceDecoder
from keepclear.feeds.reports import ReportBatch, TargetCategory, TargetDomain

NOW_S = 1_700_000_000.5


def entry(**fields: Any) -> dict[str, Any]:
    return {"hex": "508035", "lat": 50.4, "lon": 30.5, "seen_pos": 0.5, **fields}


def document(*aircraft: dict[str, Any], **fields: Any) -> bytes:
    return json.dumps({"now": NOW_S, "messages": 12, **fields, "aircraft": list(aircraft)}).encode()


def decoded(*data: bytes) -> tuple[ReportBatch, AircraftJsonDecoder]:
    decoder = AircraftJsonDecoder(DecoderOptions(source="roof"))
    rows = [decoder.decode(piece, NOW_S + 0.1) for piece in data]
    rows.append(decoder.finish())
    full = [batch for batch in rows if len(batch)]
    assert len(full) <= 1
    return (full[0] if full else ReportBatch.empty()), decoder


def test_every_field_is_in_si_units_and_its_own_datum() -> None:
    batch, decoder = decoded(
        document(
            entry(hex="508035 ", flight="AUI101  ", alt_baro=10000, alt_geom=10500, gs=100.0, track=360.0,
                  baro_rate=-600, squawk="0412", category="A7", nic=8, rc=186, nac_p=9)
        )
    )  # fmt: skip
    assert decoder.faults.total == 0
    assert batch.time_s[0] == NOW_S - 0.5
    assert batch.received_s[0] == NOW_S + 0.1
    assert batch.altitude_baro_m[0] == pytest.approx(3048.0)
    assert batch.altitude_geo_m[0] == pytest.approx(3200.4)
    assert batch.ground_speed_mps[0] == pytest.approx(51.444, abs=1e-3)
    assert batch.track_deg[0] == 0.0
    assert batch.vertical_rate_mps[0] == pytest.approx(-3.048)
    assert batch.accuracy_m[0] == 30.0
    assert batch.squawk[0] == 412
    assert batch.category[0] == TargetCategory.ROTARY
    assert batch.domain[0] == TargetDomain.AIR
    assert (batch.target.at(0), batch.callsign.at(0), batch.source.at(0)) == ("508035", "AUI101", "roof")


def test_r2_7_ground_is_not_an_altitude_and_the_datums_stay_apart() -> None:
    batch, _ = decoded(document(entry(alt_baro="ground"), entry(hex="508036", alt_geom=1000)))
    assert batch.on_ground.tolist() == [1, 0]
    assert np.isnan(batch.altitude_baro_m).all()
    assert np.isnan(batch.altitude_geo_m[0])
    assert batch.altitude_geo_m[1] == pytest.approx(304.8)


def test_r2_10_a_position_held_over_carries_its_older_time() -> None:
    held = {"hex": "508035", "lastPosition": {"lat": 50.0, "lon": 30.0, "nic": 8, "rc": 186, "seen_pos": 75.0}}
    batch, _ = decoded(document(held))
    assert batch.time_s[0] == NOW_S - 75.0
    assert batch.accuracy_m[0] == 186.0


def test_an_address_that_is_not_icao_keeps_its_mark() -> None:
    batch, _ = decoded(document(entry(hex="~2B3C4D")))
    assert batch.target.at(0) == "~2b3c4d"


def test_surface_vehicles_are_ground_traffic() -> None:
    batch, _ = decoded(document(entry(category="C2", alt_baro="ground")))
    assert batch.domain[0] == TargetDomain.GROUND


def test_unknown_fields_and_aircraft_without_position_do_no_harm() -> None:
    batch, decoder = decoded(document(entry(novelty={"a": [1]}, mlat=[]), {"hex": "aaaaaa"}, future=True))
    assert len(batch) == 1
    assert decoder.faults.total == 0


@pytest.mark.parametrize(
    "bad",
    [
        {"hex": 17, "lat": 50.0, "lon": 30.0},
        {"hex": "508099", "lat": "fifty", "lon": 30.0},
        {"lat": 50.0, "lon": 30.0},
        {"hex": "508099", "lat": 130.0, "lon": 50.0},
        {"hex": "508099", "lat": 50.0, "lon": 230.0},
        {"hex": "x", "lat": 50.0, "lon": 30.0},
        ["not", "an", "object"],
    ],
)
def test_one_malformed_aircraft_is_one_fault_and_loses_no_other(bad: Any) -> None:
    batch, decoder = decoded(document(entry(), bad, entry(hex="508036")))
    assert batch.target.strings() == ["508035", "508036"]
    assert decoder.faults.total == 1


def test_a_document_with_broken_syntax_gives_its_whole_entries() -> None:
    raw = document(entry(), entry(hex="508036"), entry(hex="508037")).replace(
        b'"508036", "lat": 50.4', b'"508036", "lat": ,'
    )
    batch, decoder = decoded(raw)
    assert batch.target.strings() == ["508035", "508037"]
    assert batch.time_s[0] == NOW_S - 0.5
    assert decoder.faults.counts.keys() == {"JSON document is malformed", "malformed aircraft entry"}


def test_nan_is_not_json_and_a_key_named_twice_is_refused() -> None:
    raw = document(entry(), entry(hex="508036"))
    batch, decoder = decoded(raw.replace(b'"hex": "508036"', b'"hex": "508036", "lat": 1.0'))
    assert batch.target.strings() == ["508035"]
    assert decoder.faults.counts == {"aircraft entry names a key twice": 1}
    batch, decoder = decoded(raw.replace(b'"508036", "lat": 50.4', b'"508036", "lat": NaN'))
    assert batch.target.strings() == ["508035"]
    assert decoder.faults.total >= 1


def test_documents_follow_one_another_in_any_layout() -> None:
    one, two = document(entry()), document(entry(hex="508036"))
    pretty = json.dumps(json.loads(two), indent=1).encode()
    for stream in (
        one + two,
        one + b"\n" + two + b"\n",
        one + b"\r\n\r\n" + pretty,
        b"\x00garbage " + one + b"," + two,
    ):
        batch, _ = decoded(stream)
        assert batch.target.strings() == ["508035", "508036"]


def test_a_cut_document_does_not_swallow_the_next() -> None:
    whole = document(entry(), entry(hex="508036"))
    decoder = AircraftJsonDecoder(DecoderOptions())
    first = decoder.decode(whole[: len(whole) // 2 + 20], NOW_S)
    then = decoder.decode(document(entry(hex="508040")), NOW_S + 1)
    assert len(first) == 0
    assert "508040" in then.target.strings()
    assert decoder.faults.counts["JSON document is malformed"] == 1


def test_braces_and_quotes_inside_strings_do_not_end_a_document() -> None:
    odd = document(entry(flight='A}{"\\'), entry(hex="508036"))
    decoder = AircraftJsonDecoder(DecoderOptions())
    rows = [decoder.decode(odd[i : i + 1], NOW_S) for i in range(len(odd))]
    assert sum(map(len, rows)) == 2
    assert decoder.faults.total == 0


@pytest.mark.shared
def test_a_real_trace_file_gives_all_its_positions(shared_data: Path) -> None:
    decoder = TraceDecoder(DecoderOptions())
    data = (shared_data / "adsb" / "readsb_trace_ac671b.json").read_bytes()
    assert len(decoder.decode(data[:1000], math.nan)) == 0
    decoder.decode(data[1000:], math.nan)
    batch = decoder.finish()
    trace = json.loads(data)
    assert len(batch) == len(trace["trace"]) == 2500
    assert decoder.faults.total == 0
    assert batch.target.at(0) == "ac671b"
    assert set(batch.callsign.strings()) == {"", "DAL1812", "DAL2418", "DAL1615", "DAL2927"}
    assert batch.time_s[0] == trace["timestamp"]
    assert np.array_equal(batch.lat_deg, [row[1] for row in trace["trace"]])
    ground = [row[3] == "ground" for row in trace["trace"]]
    assert np.array_equal(batch.on_ground == 1, ground)
    assert np.isnan(batch.altitude_baro_m[ground]).all()


@pytest.mark.parametrize("damage", [b"", b",[50.0,\x00\xff", b',[50.0, 50.4, {"nav_modes": ["althold"], "x'])
def test_a_trace_that_is_cut_off_or_damaged_keeps_the_rows_before(damage: bytes) -> None:
    rows = [[float(k), 50.4 + 0.01 * k, 30.5, 30_000, 400.0, 90.0, 0] for k in range(3)]
    whole = json.dumps({"icao": "ac671b", "timestamp": NOW_S, "trace": rows}).encode()
    decoder = TraceDecoder(DecoderOptions())
    decoder.decode(whole[:-2] + damage, math.nan)
    assert decoder.finish().time_s.tolist() == [NOW_S, NOW_S + 1.0, NOW_S + 2.0]
    assert decoder.faults.counts == {"the trace is cut off or damaged: its rows before are kept": 1}


def test_a_trace_row_that_is_none_is_a_fault_and_a_file_that_is_none_is_refused() -> None:
    decoder = TraceDecoder(DecoderOptions())
    rows = [
        [0.0, 50.0, 30.0, 1000, 100, 90, 0, 64],
        [1.0, 50.0],
        [2.0, "x", 30.0, 1, 1, 1, 0],
        [3.0, 50.1, 30.0, 1000, 1, 1, 9],
    ]
    decoder.decode(json.dumps({"icao": "AC671B", "timestamp": NOW_S, "trace": rows}).encode(), math.nan)
    batch = decoder.finish()
    assert decoder.faults.counts == {"malformed trace row": 2}
    assert batch.target.strings() == ["ac671b"] * 2
    assert np.isnan(batch.altitude_baro_m[1])  # its flag says that the altitude is geometric
    assert batch.altitude_geo_m[1] == pytest.approx(304.8)
    decoder.decode(b'{"icao": 1}', math.nan)
    with pytest.raises(InputError, match="not a readsb trace file"):
        decoder.finish()

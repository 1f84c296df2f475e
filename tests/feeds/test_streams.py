"""Every decoder of this group gives the same reports however the bytes are cut, and only faults for garbage."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.feeds.decoder import FAULT_EXAMPLES_MAX
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.lines import LineCutter
from keepclear.feeds.reports import ReportBatch

FRAMES = [
    "8D40621D58C386435CC412692AD6", "8D40621D58C382D690C8AC2863A7", "8D4840D6202CC371C32CE0576098",
    "8D485020994409940838175B284F", "8C4841753A8A35323FAEBDAC702D", "8D40621D58C386435CC412692AD7",
]  # fmt: skip
OPTIONS = DecoderOptions(source="s", start_s=1_700_000_000.0, receiver_lat_deg=52.0, receiver_lon_deg=4.4)
STREAMS = ("readsb", "sbs", "beast", "avr", "mode-s", "opensky", "csv", "arrow")
TEXTS = ("csv",)


@cache
def sample(name: str) -> bytes:
    """A short stream with good and bad parts of everything the format has."""
    if name == "readsb":
        aircraft = [{"hex": f"50803{i}", "lat": 50 + i, "lon": 30, "seen_pos": 1, "flight": 'A"}{\\'} for i in range(3)]
        good = json.dumps({"now": 1.7e9, "aircraft": aircraft}).encode()
        bad = json.dumps({"now": 1.7e9, "aircraft": [*aircraft, {"hex": 5}]}, indent=1).encode()
        return good + b"\n" + bad + b" junk " + good[:60] + good + b"{}\n" + good[:40]
    if name == "opensky":
        state = [
            "508035",
            "AUI101",
            "X",
            1.7e9,
            1.7e9,
            30.0,
            50.0,
            1e3,
            False,
            1.0,
            9.0,
            0.0,
            None,
            1e3,
            None,
            False,
            0,
        ]
        answer = json.dumps({"time": 1_700_000_000, "states": [state, ["x"], state]}).encode()
        return answer + b"\n" + answer[:50] + answer + b"\nnothing\n" + answer
    if name == "sbs":
        head = "MSG,{},1,1,508035,1,2021/08/24,08:54:39.193,2021/08/24,08:54:39.193,"
        return (
            head.format(1) + "AUI101,,,,,,,,,,,\r\n" + head.format(4) + ",,100,90,,,64,,,,,0\r\nbad\r\n\r\n"
            + head.format(3) + ",1000,,,50.4,30.5,,,0,0,0,0\r\n" + head.format(3) + ",1000,,,150.4,30.5,,,0,0,0,0\n"
            + head.format(2) + ",,5,90,50.4,30.5,,,0,0,0,0"
        ).encode()  # fmt: skip
    if name == "avr":
        return "".join(f"@{12_000_000 * i:012X}{f};\r\n*{f};\n{f}\nxx;" for i, f in enumerate(FRAMES * 3)).encode()
    if name == "beast":
        body = b"".join(
            b"\x1a3"
            + ((26 * 2**20 * i + 0x1A).to_bytes(6, "big") + b"\x1a" + bytes.fromhex(f)).replace(b"\x1a", b"\x1a\x1a")
            for i, f in enumerate(FRAMES * 4)
        )
        return body + b"\x1a1" + bytes(9) + b"noise\x1a" + body + b"\x1a2\x1a\x1a" + bytes(5) + b"\x1a3abc" + body[:40]
    if name == "mode-s":
        rows = [f"{1_700_000_000_000 + 500 * i},{f},x\r\n" for i, f in enumerate(FRAMES * 4)]
        return ("t,frame,kind\n" + "".join(rows[:10]) + "bad,line\n" + "".join(rows[10:])).encode()
    if name == "csv":
        rows = [f"{1_700_000_000 + i},{50 + i},30.5,t{i % 3},{i * 10}\n" for i in range(30)]
        return (
            "time,lat,lon,target,altitude_baro_ft\n" + "".join(rows[:9]) + "bad\n\n" + "".join(rows[9:]) + "9"
        ).encode()
    sink = io.BytesIO()
    table = pa.table({"time": np.arange(9) + 1.7e9, "lat": np.arange(9.0), "lon": np.arange(9.0),
                      "target": pa.array(list("abcabcabc")).dictionary_encode()})  # fmt: skip
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=4)
    return sink.getvalue()


@pytest.mark.parametrize("name", STREAMS)
@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_cutting_of_the_bytes_gives_the_same_reports(
    decode_all: Callable[..., Any], rows_of: Callable[[ReportBatch], list[Any]], name: str, data: st.DataObject
) -> None:
    stream = sample(name)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))
    whole, one = decode_all(name, stream, options=OPTIONS)
    pieces, many = decode_all(name, stream, cuts, options=OPTIONS)
    assert len(whole) > 0
    assert rows_of(pieces) == rows_of(whole)
    assert many.faults.counts == one.faults.counts


@pytest.mark.parametrize("name", STREAMS)
def test_one_byte_at_a_time_is_also_a_cutting(
    decode_all: Callable[..., Any], rows_of: Callable[[ReportBatch], list[Any]], name: str
) -> None:
    stream = sample(name)
    whole, _ = decode_all(name, stream, options=OPTIONS)
    pieces, _ = decode_all(name, stream, range(len(stream)), options=OPTIONS)
    assert rows_of(pieces) == rows_of(whole)


@pytest.mark.parametrize("name", [*STREAMS, "readsb-trace", "parquet"])
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_mutated_bytes_give_faults_or_one_typed_refusal_and_nothing_impossible(
    decode_all: Callable[..., Any], name: str, data: st.DataObject
) -> None:
    stream = bytearray(sample(name if name in STREAMS else "readsb"))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, max(len(stream) - 1, 0)))
        piece = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"\x1a", b"{", b'"', b"\n", b"nan", b"1e999", b",,"])
        )
        stream[at : at + data.draw(st.integers(0, 12))] = piece
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=3))
    try:
        batch, decoder = decode_all(name, bytes(stream), cuts, options=OPTIONS)
    except InputError:
        assert name in ("csv", "arrow", "parquet", "readsb-trace")  # the head of a file: its whole is unreadable
        return
    assert len(decoder.faults.examples) <= FAULT_EXAMPLES_MAX
    assert np.isfinite(batch.time_s).all()
    assert (np.abs(batch.lat_deg) <= 90.0).all()
    assert ((batch.lon_deg >= -180.0) & (batch.lon_deg < 180.0)).all()
    tracks = batch.track_deg[~np.isnan(batch.track_deg)]
    assert ((tracks >= 0.0) & (tracks < 360.0)).all()


@pytest.mark.parametrize("name", [n for n in STREAMS if n not in ("csv", "arrow")])
def test_good_reports_come_again_after_a_run_of_garbage(decode_all: Callable[..., Any], name: str) -> None:
    good, _ = decode_all(name, sample(name), options=OPTIONS)
    garbage = bytes(np.random.default_rng(7).integers(0, 256, 20_000, dtype=np.uint8))
    again, decoder = decode_all(name, garbage + b"\n" + sample(name), options=OPTIONS)
    assert set(again.target.strings()) >= set(good.target.strings())
    assert decoder.faults.total > 0


def test_a_stream_without_newlines_does_not_fill_the_memory() -> None:
    from keepclear.feeds.decoder import Faults

    faults = Faults()
    cutter = LineCutter(faults, limit_bytes=1000)
    for _ in range(100):
        assert cutter.feed(b"x" * 500) == []
        assert cutter._kept_bytes <= 1000
    assert cutter.feed(b"\nnext\nlast") == [b"", b"next"]
    assert cutter.finish() == [b"last"]
    assert faults.total == 1


def test_a_document_without_an_end_does_not_fill_the_memory() -> None:
    from keepclear.feeds.decoder import Faults
    from keepclear.feeds.json_documents import DocumentCutter

    faults = Faults()
    cutter = DocumentCutter(r'\{"now":', faults, limit_bytes=10_000)
    for _ in range(100):
        assert cutter.feed(b'{"a":[' * 100) == []
        assert len(cutter._pending) <= 10_000
    assert cutter.feed(b'{"now":1}')[-1] == b'{"now":1}'
    assert faults.total >= 1

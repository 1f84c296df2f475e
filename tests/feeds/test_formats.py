"""A file's first bytes and its suffix tell its format; the decoders load only when they are asked for."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from keepclear.errors import UsageError
from keepclear.feeds.formats import SNIFF_BYTES, DecoderOptions, make_decoder, recognise

FRAME = "8D40621D58C386435CC412692AD6"
SBS = b"MSG,3,1,1,508035,1,2021/08/24,08:54:39.193,2021/08/24,08:54:39.193,,1000,,,50.4,30.5,,,0,0,0,0\r\n"


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"time": [1.7e9]}), sink)
    return sink.getvalue()


def arrow(file: bool) -> bytes:
    sink = io.BytesIO()
    table = pa.table({"time": [1.7e9]})
    with (pa.ipc.new_file if file else pa.ipc.new_stream)(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def beast() -> bytes:
    frame = (bytes(6) + b"\x40" + bytes.fromhex(FRAME)).replace(b"\x1a", b"\x1a\x1a")
    return (b"\x1a3" + frame) * 4


HEADS = [
    ("readsb", b'{ "now" : 1700000000.1,\n  "messages" : 5,\n  "aircraft" : [', (".json", "")),
    ("readsb-trace", b'{"icao":"ac671b",\n"timestamp": 1.0,\n"trace":[', (".json", "")),
    ("opensky", b'{"time":1700000000,"states":[["508035"', (".json", "")),
    ("sbs", SBS, (".sbs", ".csv", ".txt", "")),
    ("beast", beast(), (".bin", ".beast", "")),
    ("avr", f"*{FRAME};\n*7700;\n".encode(), (".avr", "")),
    ("avr", f"@000000000000{FRAME};\n".encode(), (".raw", "")),
    ("mode-s", f"1629795279193,{FRAME},ADSB,40621d,,\n".encode(), (".csv", "")),
    ("mode-s", f"time,frame\n1629795279.193,{FRAME}\n".encode(), (".csv", "")),
    ("mode-s", json.dumps({"timestamp": 1629795279.1, "frame": FRAME}).encode() + b"\n", (".jsonl", "")),
    ("parquet", parquet(), (".parquet", "")),
    ("arrow", arrow(False), (".arrows", "")),
    ("arrow", arrow(True), (".feather", "")),
    ("csv", b"time,lat,lon,altitude,target\n1700000000,50,30,1000,a\n", (".csv", "")),
    ("csv", b"timestamp;icao24;latitude;longitude\n", (".txt", "")),
]


@pytest.mark.parametrize(("name", "head", "suffixes"), HEADS)
def test_a_head_is_recognised_with_and_without_its_suffix(name: str, head: bytes, suffixes: tuple[str, ...]) -> None:
    for suffix in suffixes:
        assert recognise(head, suffix) == name, suffix


@pytest.mark.parametrize(
    "head", [b"", b"\x00" * 100, b"hello, world\n", b"{}", b'{"type":"FeatureCollection"}', b"a,b,c\n1,2,3\n"]
)
def test_what_is_no_feed_is_not_taken_for_one(head: bytes) -> None:
    assert recognise(head, ".csv") is None


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("mode-s", "kyiv_airshow_2021-08-24_modes.csv"),
        ("readsb-trace", "readsb_trace_ac671b.json"),
        ("beast", "beast_sample.bin"),
    ],
)
def test_the_real_files_are_recognised(shared_data: Path, name: str, file: str) -> None:
    path = shared_data / "adsb" / file
    head = path.read_bytes()[:SNIFF_BYTES]
    assert recognise(head, path.suffix) == name
    assert recognise(head) == name


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="known: readsb, readsb-trace"):
        make_decoder("radar", DecoderOptions())


def test_naming_the_formats_loads_no_heavy_library() -> None:
    heavy = ("pyarrow", "numba", "msgspec", "rs1090")
    code = f"import sys, keepclear.feeds.formats; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""Recordings are read from files, folders and gzip, and what cannot be read is one line with its file."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from keepclear.edge.feed_address import FeedKind, parse_feed
from keepclear.edge.recordings import read_recordings, recording_files
from keepclear.errors import InputError, UsageError
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.reports import ReportBatch, concatenate

CSV = "time_s,lat_deg,lon_deg,target\n1700000000,50.0,30.0,abc123\n1700000001,50.1,30.0,abc123\n"


def read(*texts: object) -> ReportBatch:
    return concatenate(list(read_recordings([parse_feed(str(t)) for t in texts])))


def test_a_file_and_the_same_gzipped_give_the_same_reports(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    plain, packed = read(tmp_path / "a.csv"), read(tmp_path / "a.csv.gz")
    assert plain.lat_deg.tolist() == packed.lat_deg.tolist() == [50.0, 50.1]
    assert plain.received_s.tolist() == plain.time_s.tolist()


def test_a_folder_is_read_in_the_order_of_names_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", ".hidden.csv"):
        (tmp_path / name).write_text(CSV)
    assert [p.name for p in recording_files(parse_feed(str(tmp_path)))] == ["a.csv", "b.csv"]
    assert len(read(tmp_path)) == 4


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no files"):
        read(tmp_path)


def long_csv(rows: int) -> bytes:
    rng = np.random.default_rng(3)  # random, so that the packed file is long too
    lines = [f"{1_700_000_000 + k},{lat:.9f},30.0,abc123" for k, lat in enumerate(rng.uniform(50.0, 51.0, rows))]
    return "\n".join(["time_s,lat_deg,lon_deg,target", *lines, ""]).encode()


@pytest.mark.parametrize("rows", [100, 300_000])
@pytest.mark.parametrize("kept", [0.3, 0.9, 0.9999])
def test_of_a_gzip_that_was_cut_the_good_lines_are_kept_and_the_cut_is_said(
    tmp_path: Path, rows: int, kept: float
) -> None:
    whole = long_csv(rows)
    packed = gzip.compress(whole, 1)
    (tmp_path / "a.csv").write_bytes(whole)
    (tmp_path / "a.csv.gz").write_bytes(packed[: int(len(packed) * kept)])
    recording = read_recordings([parse_feed(str(tmp_path / "a.csv.gz"))])
    got, all_of_it = concatenate(list(recording)), read(tmp_path / "a.csv")
    assert 0.2 * kept * rows < len(got) <= rows
    assert got.lat_deg.tolist() == all_of_it.lat_deg[: len(got)].tolist(), "no half of a number"
    assert list(recording.faults[0].faults.counts) == ["the gzip stream is cut off: what came before is kept"]


def test_a_gzip_damaged_in_the_middle_is_read_up_to_there(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(long_csv(100_000), 1))
    packed[len(packed) // 2 : len(packed) // 2 + 64] = b"\xff" * 64
    (tmp_path / "a.csv.gz").write_bytes(packed)
    recording = read_recordings([parse_feed(str(tmp_path / "a.csv.gz"))])
    assert 30_000 < len(concatenate(list(recording))) < 70_000
    assert any("the gzip stream is damaged" in reason for reason in recording.faults[0].faults.counts)


def test_gzip_members_one_after_the_other_are_one_stream(tmp_path: Path) -> None:
    first, second = CSV.encode().split(b"\n", 2)[0] + b"\n", b"\n".join(CSV.encode().split(b"\n")[1:])
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(first) + gzip.compress(second) + b"\0" * 512)
    recording = read_recordings([parse_feed(str(tmp_path / "a.csv.gz"))])
    assert concatenate(list(recording)).lat_deg.tolist() == [50.0, 50.1]
    assert recording.faults[0].faults.total == 0


@pytest.mark.parametrize("kept", [2, 10])
def test_a_gzip_with_nothing_good_in_it_names_the_file(tmp_path: Path, kept: int) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(CSV.encode())[:kept])
    with pytest.raises(InputError, match=r"a\.csv\.gz.*the gzip stream is cut off"):
        read(tmp_path / "a.csv.gz")


def test_a_table_that_lacks_a_column_says_which(tmp_path: Path) -> None:
    path = tmp_path / "flights.csv"
    path.write_text("target,lon,lat\na,30.5,50.5\n")
    with pytest.raises(InputError, match="no column is known to be time_s"):
        list(read_recordings([parse_feed(str(path))]))


def test_what_no_format_recognises_asks_for_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_bytes(b"\x00\x01\x02nothing known" * 40)
    with pytest.raises(InputError, match="name it: FILE#FORMAT"):
        read(tmp_path / "a.dat")


def test_parquet_is_read_through_a_memory_map(tmp_path: Path) -> None:
    table = pa.table({"time_s": [1.7e9], "lat_deg": [50.0], "lon_deg": [30.0], "target": ["abc123"]})
    pq.write_table(table, tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet").target.strings() == ["abc123"]
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-9])
    with pytest.raises(InputError, match=r"b\.parquet"):
        read(tmp_path / "b.parquet")


def test_faults_are_kept_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV + "1700000002,not a number,30.0,abc123\n")
    recording = read_recordings([parse_feed(str(tmp_path / "a.csv"))])
    assert sum(len(batch) for batch in recording) == 2
    assert [(f.source, f.faults.total) for f in recording.faults] == [(str(tmp_path / "a.csv"), 1)]


def test_a_live_feed_is_no_recording() -> None:
    with pytest.raises(UsageError, match="is a live feed"):
        read("tcp://127.0.0.1:1")


@pytest.mark.parametrize(
    ("text", "kind", "format"),
    [("-", FeedKind.STDIN, None), ("-#sbs", FeedKind.STDIN, "sbs"),
     ("stdin#sbs", FeedKind.STDIN, "sbs"), ("tcp://h:30005#beast", FeedKind.TCP, "beast"),
     ("udp://0.0.0.0:8600", FeedKind.UDP, None), ("http://h/data/aircraft.json", FeedKind.HTTP, None),
     ("poll:/run/x.json#readsb", FeedKind.POLL, "readsb"), ("tcp://[::1]:99", FeedKind.TCP, None)],
)  # fmt: skip
def test_addresses(text: str, kind: FeedKind, format: str | None) -> None:
    address = parse_feed(text)
    assert (address.kind, address.format) == (kind, format)


@pytest.mark.parametrize(
    ("text", "message"),
    [("tcp://host", "HOST:PORT"), ("tcp://host:99999", "HOST:PORT"), ("ftp://host/x", "feeds come from"),
     ("/no/such/file", "no such file"), ("/no/such/file#sbx", "no feed format is called 'sbx'")],
)  # fmt: skip
def test_wrong_addresses_say_how_to_write_them(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_feed(text)


def test_a_recording_whose_format_holds_no_date_says_that_the_files_own_time_stands_in(tmp_path: Path) -> None:
    path = tmp_path / "frames.avr"
    path.write_bytes(b"*8D40621D58C382D690C8AC2863A7;\n" * 3)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    for options, dated_s in ((None, 1_700_000_000.0), (DecoderOptions(start_s=5.0), None)):
        recording = read_recordings([parse_feed(str(path))], options)
        list(recording)
        assert [file.dated_by_file_s for file in recording.faults] == [dated_s]

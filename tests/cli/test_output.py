"""Holds true that the same rows come out in every format, and that a file is whole or absent."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from keepclear.cli.output import FORMATS, format_of, write_rows
from keepclear.edge.whole_file import write_whole
from keepclear.errors import InputError, UsageError

TABLE = pa.table(
    {
        "track_id": ["abc", 'd,"e'],
        "lon_deg": [30.5, math.nan],
        "lat_deg": [50.25, 1.0],
        "entry_time": pa.array([datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None], pa.timestamp("ms", tz="UTC")),
        "exempt": [True, None],
        "clauses": pa.array([["a", "b"], []], pa.list_(pa.string())),
    }
)


def written(format: str, tmp_path: Path) -> bytes:
    out = tmp_path / f"out.{format}"
    write_rows(TABLE, format, out)
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    return out.read_bytes()


def test_json_is_one_object_a_line_without_nan(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in written("json", tmp_path).splitlines()]
    assert rows == [
        {"track_id": "abc", "lon_deg": 30.5, "lat_deg": 50.25, "entry_time": "2026-01-02T03:04:05Z", "exempt": True,
         "clauses": ["a", "b"]},
        {"track_id": 'd,"e', "lon_deg": None, "lat_deg": 1.0, "entry_time": None, "exempt": None, "clauses": []},
    ]  # fmt: skip


def test_csv_has_a_header_and_quotes_what_needs_it(tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(written("csv", tmp_path).decode())))
    assert rows == [
        list(TABLE.column_names),
        ["abc", "30.5", "50.25", "2026-01-02T03:04:05Z", "true", "a; b"],
        ['d,"e', "", "1.0", "", "", ""],
    ]


def test_geojson_places_rows_by_their_position_columns(tmp_path: Path) -> None:
    features = json.loads(written("geojson", tmp_path))["features"]
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [30.5, 50.25]}
    assert features[1]["geometry"] is None
    assert features[0]["properties"]["track_id"] == "abc"
    with pytest.raises(UsageError, match="no place on the map"):
        write_rows(TABLE.select(["track_id"]), "geojson", tmp_path / "x.geojson")
    assert not (tmp_path / "x.geojson").exists()


def test_geojson_takes_a_geometry_column(tmp_path: Path) -> None:
    geometry = {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}
    table = pa.table({"id": ["a"], "geometry": [json.dumps(geometry)]})
    write_rows(table, None, tmp_path / "x.geojson")
    (feature,) = json.loads((tmp_path / "x.geojson").read_text())["features"]
    assert feature == {"type": "Feature", "geometry": geometry, "properties": {"id": "a"}}


def test_parquet_and_arrow_keep_every_type(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "a").mkdir()
    assert pq.read_table(io.BytesIO(written("parquet", tmp_path / "p"))).schema == TABLE.schema
    assert pa.ipc.open_file(written("arrow", tmp_path / "a")).read_all().schema == TABLE.schema


def test_piped_text_is_aligned_and_whole(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_rows(TABLE, None, None)
    header, first, second = capfdbinary.readouterr().out.decode().splitlines()
    assert header.split() == TABLE.column_names
    assert first.index("abc") == header.index("track_id")
    assert "–" in second


def test_control_characters_in_foreign_text_do_not_reach_the_terminal(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    write_rows(pa.table({"name": ["\x1b[2Jgone\nnext"]}), "table", None)
    assert b"\x1b" not in (out := capfdbinary.readouterr().out)
    assert out.count(b"\n") == 2


def test_the_suffix_says_the_format() -> None:
    for name, format in {"x.json": "json", "x.CSV": "csv", "x.geojson": "geojson", "x.pq": "parquet"}.items():
        assert format_of(None, Path(name)) == format
    assert format_of("csv", Path("x.json")) == "csv"
    assert format_of(None, None) == "table"
    for bad in (("xml", None), (None, Path("x.xyz")), (None, Path("x"))):
        with pytest.raises(UsageError):
            format_of(*bad)


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_result_is_an_empty_file_and_no_error(format: str, tmp_path: Path) -> None:
    write_rows(TABLE.slice(0, 0), format, tmp_path / "x")
    assert (tmp_path / "x").exists()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    out.write_text("old")

    def broken(file: IO[bytes]) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(out, broken)

    def full(file: IO[bytes]) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match="No space left on device"):
        write_whole(out, full)
    assert out.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # open, but not yet in the with
def test_an_interrupt_at_any_instant_of_a_write_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    instants = 0
    while True:
        out.write_text("old")
        left = instants

        def interrupt(frame: object, event: str, what: object) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                sys.setprofile(None)
                raise KeyboardInterrupt

        try:
            sys.setprofile(interrupt)
            write_whole(out, lambda file: _say_new(file))
            sys.setprofile(None)
            break
        except KeyboardInterrupt:
            assert out.read_text() in ("old", "new")
            assert [path.name for path in tmp_path.iterdir()] == ["x.csv"], f"after {instants} events"
        instants += 1
    assert instants > 20
    assert out.read_text() == "new"


def _say_new(file: IO[bytes]) -> None:
    file.write(b"new")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_disk_that_is_really_full_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No space left on device"):
        write_whole(tmp_path / "x", lambda file: _fill(file))


def _fill(file: IO[bytes]) -> None:
    with open("/dev/full", "wb", buffering=0) as full:
        full.write(b"x")
    file.write(b"never")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_rows(TABLE, "csv", tmp_path / "no" / "x.csv")

"""CSV, Parquet and Arrow tables are read by the documented map; an open unit is refused, a bad row is a fault."""

from __future__ import annotations

import io
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from keepclear.errors import InputError, UsageError
from keepclear.feeds.csv_table import CsvDecoder
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions, make_decoder
from keepclear.feeds.parquet import parquet_batches
from keepclear.feeds.reports import ReportBatch, TargetCategory, TargetDomain, concatenate
from keepclear.feeds.table_columns import _OPEN, _PLAIN, SCHEMAS, UNITS

T0 = 1_700_000_000.0
HEAD = "time,lat,lon,target\n"
ROOT = Path(__file__).resolve().parents[2]


def read(name: str, data: bytes, **columns: str) -> tuple[ReportBatch, Faults]:
    decoder = make_decoder(name, DecoderOptions(source="file", columns=columns))
    batch = concatenate([decoder.decode(data, math.nan), decoder.finish()])
    return batch, decoder.faults


def csv(text: str, **columns: str) -> ReportBatch:
    batch, faults = read("csv", text.encode(), **columns)
    assert faults.total == 0, faults
    return batch


def parquet_bytes(table: Any, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def arrow_bytes(table: Any, rows: int = 2, file: bool = False) -> bytes:
    sink = io.BytesIO()
    with (pa.ipc.new_file if file else pa.ipc.new_stream)(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)
    return sink.getvalue()


def own_table(n: int = 5) -> Any:
    return pa.table(
        {
            "time_s": T0 + np.arange(n),
            "lat_deg": np.linspace(50.0, 51.0, n),
            "lon_deg": np.linspace(30.0, 31.0, n),
            "altitude_baro_m": np.linspace(1000.0, 2000.0, n),
            "altitude_geo_m": np.linspace(1100.0, 2100.0, n),
            "ground_speed_mps": pa.array(np.full(n, 100.0), pa.float32()),
            "track_deg": np.full(n, 90.0),
            "on_ground": pa.array([False] * n),
            "squawk": pa.array(["0412"] * n),
            "domain": pa.array(["AIR"] * n),
            "category": pa.array(["ROTARY"] * n),
            "target": pa.array([f"50803{i % 3}" for i in range(n)]),
            "callsign": pa.array([None if i == 0 else "AUI101 " for i in range(n)]),
            "extra": pa.array([{"ignored": 1}] * n),
        }
    )


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow", "arrow file"])
def test_our_own_column_names_are_read_from_every_kind_of_table(kind: str) -> None:
    table = own_table()
    if kind == "csv":
        sink = io.BytesIO()
        pyarrow.csv.write_csv(table.drop_columns(["extra"]), sink)
        batch, faults = read("csv", sink.getvalue())
    elif kind == "parquet":
        batch, faults = read("parquet", parquet_bytes(table, row_group_size=2))
    else:
        batch, faults = read("arrow", arrow_bytes(table, file=kind == "arrow file"))
    assert faults.total == 0
    assert len(batch) == 5
    for name in ("time_s", "lat_deg", "lon_deg", "altitude_baro_m", "altitude_geo_m", "ground_speed_mps", "track_deg"):
        assert np.allclose(getattr(batch, name), table[name].to_numpy(), rtol=1e-6), name
    assert np.array_equal(batch.received_s, batch.time_s)
    assert batch.on_ground.tolist() == [0] * 5
    assert batch.squawk.tolist() == [412] * 5
    assert batch.domain.tolist() == [TargetDomain.AIR] * 5
    assert batch.category.tolist() == [TargetCategory.ROTARY] * 5
    assert batch.target.strings() == ["508030", "508031", "508032", "508030", "508031"]
    assert batch.callsign.strings() == ["", *["AUI101"] * 4]
    assert batch.source.strings() == ["file"] * 5
    assert np.isnan(batch.vertical_rate_mps).all()


def test_opensky_history_is_in_si_units_and_an_old_position_keeps_its_time() -> None:
    text = (
        "time,icao24,lat,lon,velocity,heading,vertrate,callsign,onground,squawk,baroaltitude,geoaltitude,lastposupdate\n"
        "1700000010,ABC123,50.4,30.5,100,270,-3,AUI101  ,False,0412,3048,3100,1700000002.5\n"
    )
    batch = csv(text)
    assert batch.time_s[0] == 1_700_000_002.5
    assert (batch.ground_speed_mps[0], batch.track_deg[0], batch.vertical_rate_mps[0]) == (100.0, 270.0, -3.0)
    assert (batch.altitude_baro_m[0], batch.altitude_geo_m[0]) == (3048.0, 3100.0)
    assert (batch.target.at(0), batch.callsign.at(0), batch.squawk[0], batch.on_ground[0]) == (
        "abc123",
        "AUI101",
        412,
        0,
    )


def test_traffic_tables_are_in_feet_and_knots() -> None:
    text = (
        "timestamp,icao24,latitude,longitude,altitude,groundspeed,track,vertical_rate,callsign\n"
        "2021-08-24 08:54:39+00:00,abc123,50.4,30.5,10000,100,-90,-600,AUI101\n"
    )
    batch = csv(text)
    assert batch.time_s[0] == 1_629_795_279.0
    assert batch.altitude_baro_m[0] == pytest.approx(3048.0)
    assert batch.ground_speed_mps[0] == pytest.approx(51.444, abs=1e-3)
    assert batch.vertical_rate_mps[0] == pytest.approx(-3.048)
    assert batch.track_deg[0] == 270.0


@pytest.mark.parametrize("name", ["altitude", "alt_ft", "geoaltitude", "speed", "vrate"])
def test_r2_7_a_column_that_leaves_unit_or_datum_open_is_refused_with_the_way_to_state_it(name: str) -> None:
    text = f"time,lat,lon,target,{name}\n{T0},50.4,30.5,a,1000\n"
    with pytest.raises(InputError, match=f"{name!r} does not say its unit") as refused:
        csv(text)
    said = re.search(r"--column (\w+)=([^ ,]+)", str(refused.value))
    assert said is not None
    batch = csv(text, **{said[1]: said[2]})  # what the message says to write does work
    assert not np.isnan(getattr(batch, said[1])[0])
    assert np.isnan(getattr(csv(text, **{said[1]: ""}), said[1])[0])


def test_stated_columns_and_units_win() -> None:
    text = "t_ms,y,x,who,h,lat\n1700000000000,50.4,30.5,a,100,99\n"
    batch = csv(text, time_s="t_ms:ms", lat_deg="y", lon_deg="x", target="who", altitude_geo_m="h:FL")
    assert batch.time_s[0] == T0
    assert batch.lat_deg[0] == 50.4
    assert batch.altitude_geo_m[0] == pytest.approx(3048.0)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"height": "h"}, "no such column"),
        ({"altitude_geo_m": "nowhere:ft"}, "no column 'nowhere'"),
        ({"altitude_geo_m": "h:furlong"}, "not a unit"),
        ({"target": "h:ft"}, "takes no unit"),
    ],
)
def test_what_is_stated_wrongly_is_refused(columns: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        csv("time,lat,lon,target,h\n", **columns)


def test_a_table_without_a_place_or_a_name_is_refused() -> None:
    with pytest.raises(InputError, match="no column is known to be target"):
        csv("time,lat,lon\n")
    with pytest.raises(InputError, match="stands twice"):
        csv("time,lat,lat,lon,target\n")


@pytest.mark.parametrize("stamp", ["1700000000.25", "1700000000250", "1700000000250000", "1700000000250000000",
                                   "2023-11-14T22:13:20.250Z", "2023-11-15 00:13:20.25+02:00"])  # fmt: skip
def test_times_are_told_by_their_size_or_read_with_their_zone(stamp: str) -> None:
    assert csv(f"{HEAD}{stamp},50.4,30.5,a\n").time_s[0] == pytest.approx(T0 + 0.25, abs=1e-6)


def test_times_without_a_zone_are_refused_until_one_is_stated() -> None:
    text = HEAD + "2023-11-14T22:13:20,50.4,30.5,a\n"
    with pytest.raises(InputError, match="without a zone"):
        csv(text)
    assert csv(text, time_zone="Z").time_s[0] == T0
    assert csv(text, time_zone="+02:00").time_s[0] == T0 - 7200.0
    naive = pa.table(
        {"time": pa.array([1_700_000_000], pa.timestamp("s")), "lat": [50.4], "lon": [30.5], "target": ["a"]}
    )
    with pytest.raises(InputError, match="without a zone"):
        read("parquet", parquet_bytes(naive))
    assert read("parquet", parquet_bytes(naive), time_zone="Z")[0].time_s[0] == T0
    zoned = naive.set_column(0, "time", naive["time"].cast(pa.timestamp("us", "UTC")))
    assert read("parquet", parquet_bytes(zoned))[0].time_s[0] == T0


def test_one_time_without_a_zone_costs_its_row_where_the_times_before_have_one() -> None:
    rows = ["2023-11-14T22:13:20Z,50.4,30.5,a", "2023-11-14T22:13:21,50.4,30.5,a", "1700000002,50.4,30.5,a"]
    decoder = CsvDecoder(DecoderOptions())
    parts = [decoder.decode(f"{row}\n".encode(), 0.0) for row in (HEAD.strip(), *rows)]
    assert [float(t) for part in parts for t in part.time_s] == [T0, T0 + 2.0]
    assert decoder.faults.counts == {"time has no zone, though earlier ones have": 1}
    assert decoder.faults.examples[0].where == "line 3"
    at_once = CsvDecoder(DecoderOptions())
    assert at_once.decode((HEAD + "\n".join(rows) + "\n").encode(), 0.0).time_s.tolist() == [T0, T0 + 2.0]
    assert at_once.faults == decoder.faults
    with pytest.raises(InputError, match="without a zone"):
        csv(HEAD + "\n".join([rows[1], rows[0]]) + "\n")


BAD_ROWS = [
    ("1700000001,50.4,30.5", "row has not as many fields as the header"),
    ("1700000001,fifty,30.5,b", "a field is not a number"),
    ('1700000001,"50,4",30.5,b', "a number has a decimal comma: write a point"),
    ("1700000001,nan,30.5,b", "position is not a number"),
    ("1700000001,,,b", "position is not a number"),
    ("1700000001,130.4,50.5,b", "latitude outside ±90° (latitude and longitude swapped?)"),
    ("1700000001,50.4,230.5,b", "longitude outside ±180°"),
    ("1700000001,1e999,30.5,b", "position is not a number"),
    ("12,50.4,30.5,b", "time is not a number"),
    ("soon,50.4,30.5,b", "time is not a number"),
    ('1700000001,50.4,30.5,"b', "row is not CSV"),
    ("\xff\x00,50.4,30.5,b,", "row is not CSV"),
]


@pytest.mark.parametrize(("row", "reason"), BAD_ROWS)
def test_a_bad_row_is_one_fault_with_its_line_and_the_rest_is_kept(row: str, reason: str) -> None:
    data = f"{HEAD}1700000000,50.4,30.5,a\n".encode() + row.encode("latin-1") + b"\n\n1700000002,50.4,30.5,c\n"
    batch, faults = read("csv", data)
    assert batch.target.strings() == ["a", "c"]
    assert faults.counts == {reason: 1}
    assert faults.examples[0].where == "line 3"


def test_an_overlong_line_costs_only_itself() -> None:
    data = f"{HEAD}1700000000,50.4,30.5,a\n{'x' * 200_000}\n1700000002,50.4,30.5,c\n".encode()
    for step in (len(data), 4096):
        decoder = make_decoder("csv", DecoderOptions())
        rows = [decoder.decode(data[i : i + step], math.nan) for i in range(0, len(data), step)]
        assert concatenate([*rows, decoder.finish()]).target.strings() == ["a", "c"]
        assert decoder.faults.total == 1
        assert decoder.faults.examples[0].where == "line 3"


def test_other_delimiters_quotes_a_byte_order_mark_and_no_last_newline() -> None:
    batch = csv('\ufeff"time";"lat";"lon";"target"\r\n1700000000;50.4;30.5;"a b"\r\n1700000001;50.5;30.5;c')
    assert batch.target.strings() == ["a b", "c"]


def test_parquet_columns_are_the_files_own_memory_and_only_the_mapped_ones_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(own_table(10), path, row_group_size=4)
    faults = Faults()
    batches = list(parquet_batches(path, DecoderOptions(), faults))
    assert [len(b) for b in batches] == [4, 4, 2]
    assert batches[0].lat_deg.base is not None  # a view of Arrow's buffer, not a copy
    for batch in batches:
        for name in ("time_s", "lat_deg", "lon_deg", "altitude_baro_m"):
            column = getattr(batch, name)
            assert column.flags.c_contiguous
            assert column.flags.writeable  # a read-only array is another type to compiled kernels
        assert batch.target.codes.dtype == np.int32
    assert concatenate(batches).target.strings() == own_table(10)["target"].to_pylist()
    assert faults.total == 0


def test_parquet_rows_that_are_no_position_are_faults_with_their_row() -> None:
    table = pa.table(
        {"time": [T0, T0, T0], "lat": [50.0, None, 95.0], "lon": [30.0, 30.0, 120.0], "target": ["a", "b", None]}
    )
    batch, faults = read("parquet", parquet_bytes(table))
    assert batch.target.strings() == ["a"]
    assert [f.where for f in faults.examples] == ["row 2", "row 3"]


def test_labels_that_differ_only_in_spelling_are_one_target() -> None:
    batch = csv("time,lat,lon,icao24\n1700000000,50,30,ABC123\n1700000001,50,30, abc123\n1700000002,50,30,\n")
    assert batch.target.strings() == ["abc123", "abc123", ""]
    assert batch.target.codes.tolist() == [0, 0, -1]


def test_integer_targets_and_other_types_are_read() -> None:
    table = pa.table({"time": pa.array([1_700_000_000_000], pa.int64()), "lat": pa.array([50], pa.int32()),
                      "lon": pa.array(["30.5"]), "mmsi": pa.array([257_000_001]), "on_ground": pa.array([1]),
                      "squawk": pa.array([7700.0])})  # fmt: skip
    batch, faults = read("arrow", arrow_bytes(table))
    assert faults.total == 0
    assert (batch.time_s[0], batch.lon_deg[0], batch.target.at(0)) == (T0, 30.5, "257000001")
    assert (batch.on_ground[0], batch.squawk[0]) == (1, 7700)


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_what_is_not_the_format_is_refused_as_a_whole(name: str) -> None:
    for data in (
        b"garbage that is long enough",
        b"PAR1 and then nothing of the kind PAR1",
        b"\xff\xff\xff\xff\x10\0\0\0" + b"z" * 64,
    ):
        with pytest.raises(InputError):
            read(name, data)


def test_an_arrow_stream_that_breaks_off_keeps_what_came_before() -> None:
    data = arrow_bytes(own_table(6))
    whole, _ = read("arrow", data)
    cut, faults = read("arrow", data[: len(data) * 2 // 3])
    assert 0 < len(cut) < len(whole) == 6
    assert faults.counts == {"Arrow stream cut off": 1}


def test_the_reference_page_names_every_column_alias_and_unit() -> None:
    page = (ROOT / "docs" / "reference" / "columns.md").read_text(encoding="utf-8")
    words = set(re.findall(r"`([^`\s]+)`", page))
    wanted = {*_PLAIN, *_OPEN, *UNITS, *(unit for units in UNITS.values() for unit in units)}
    wanted |= {name for schema in SCHEMAS for name in schema.columns}
    assert wanted - words == set()

"""A table in memory is read as the same table in a file would be."""

from __future__ import annotations

import duckdb
import polars as pl
import pyarrow as pa
import pytest

import keepclear as kc
from keepclear.errors import InputError
from keepclear.feeds.arrow_table import table_reports
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions

FRAME = pl.DataFrame({
    "icao24": ["ABC123", "ABC123", "DEF456"], "timestamp_s": [1_767_268_800.0, 1_767_268_830.0, 1_767_268_800.0],
    "latitude": [50.0, 50.1, 95.0], "longitude": [24.0, 24.1, 24.0], "alt_baro_ft": [30_000, 30_000, 100],
})  # fmt: skip


@pytest.mark.parametrize("table", [FRAME, FRAME.to_arrow(), duckdb.from_arrow(FRAME.to_arrow())])
def test_whoever_has_arrow_columns_is_read_without_a_file(table: object) -> None:
    reading = kc.read_tracks(table)  # type: ignore[arg-type]
    assert (len(reading), reading.reports.target.at(0), len(reading.reports)) == (1, "abc123", 2)
    assert reading.reports.altitude_baro_m[0] == pytest.approx(9144.0)
    assert reading.faults[0].source == "table 1"
    assert reading.faults[0].faults.examples[0].where == "row 3"


def test_a_name_that_leaves_the_datum_open_is_refused_until_it_is_stated() -> None:
    table = FRAME.rename({"alt_baro_ft": "alt"})
    with pytest.raises(InputError, match="altitude_baro_m=alt:ft"):
        kc.read_tracks(table)
    stated = DecoderOptions(columns={"altitude_baro_m": "alt:ft"})
    assert len(kc.read_tracks(table, options=stated).reports) == 2


def test_what_is_no_table_is_refused_in_one_line() -> None:
    with pytest.raises(InputError, match="not a readable table"):
        table_reports(object(), DecoderOptions(), Faults())  # type: ignore[arg-type]
    with pytest.raises(InputError):
        kc.read_tracks(pa.table({"x": [1]}))

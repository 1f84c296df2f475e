"""Rows to people and machines: a table on a terminal, JSON lines, CSV, GeoJSON, Parquet or Arrow for the rest."""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from keepclear.edge.whole_file import write_whole
from keepclear.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FORMATS", "format_of", "write_data", "write_rows"]

FORMATS = ("table", "json", "csv", "geojson", "parquet", "arrow")
"""What ``--format`` takes. ``json`` is one object a line, so that a long result can be read as it comes."""

_SUFFIXES = {
    ".json": "json", ".jsonl": "json", ".ndjson": "json", ".csv": "csv", ".geojson": "geojson",
    ".parquet": "parquet", ".pq": "parquet", ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow", ".txt": "table",
}  # fmt: skip
_BINARY = frozenset({"parquet", "arrow"})
_ROWS_A_BATCH = 20_000
"""Rows turned into Python objects at once when text is written: bounds memory on a result of millions."""


def format_of(format: str | None, out: Path | None) -> str:
    """The format asked for, else the one that the file's suffix says, else the table.

    Raises :class:`UsageError` for an unknown format or suffix.
    """
    if format is not None:
        if format not in FORMATS:
            raise UsageError(f"no format {format!r}; there are: {', '.join(FORMATS)}")
        return format
    if out is None:
        return "table"
    try:
        return _SUFFIXES[out.suffix.lower()]
    except KeyError:
        raise UsageError(f"{out}: the suffix says no format; add --format with one of {', '.join(FORMATS)}") from None


def write_rows(table: pa.Table, format: str | None, out: Path | None) -> None:
    """Writes the table in the format to the file, or to stdout where there is none.

    A file is whole or absent. ``geojson`` needs a ``geometry`` column (GeoJSON text or objects) or a pair of
    columns ``…lon_deg``/``…lat_deg``. Times are written as ISO 8601 in UTC, missing values and NaN as null.
    Raises :class:`UsageError` for what cannot be done, :class:`InputError` where the disk refuses.
    """
    chosen = format_of(format, out)
    if chosen == "table" and out is None and sys.stdout.isatty():
        _print_rich(table)
        return
    write_data(lambda file: _WRITERS[chosen](table, file), out, binary=chosen in _BINARY)


def write_data(write: Callable[[IO[bytes]], None], out: Path | None, *, binary: bool = False) -> None:
    """Runs ``write`` on the file (whole or absent) or on stdout; binary is refused where a person would see it."""
    if out is not None:
        write_whole(out, write)
        return
    if binary and sys.stdout.isatty():
        raise UsageError("this format is binary: give --out FILE, or pipe it")
    sys.stdout.flush()
    stdout: Any = sys.stdout.buffer
    write(cast("IO[bytes]", _Whole(stdout)) if isinstance(stdout, io.RawIOBase) else stdout)
    stdout.flush()


class _Whole(io.RawIOBase):
    """stdout as it is with PYTHONUNBUFFERED, but all of each write: by itself it takes as much as the disk has room
    for, and nobody learns of the rest."""

    def __init__(self, stdout: io.RawIOBase) -> None:
        self._stdout = stdout

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        size = len(rest)
        while rest:
            rest = rest[self._stdout.write(rest) or 0 :]
        return size


def _plain(value: Any) -> Any:
    """A value as JSON has it: no NaN, times as ISO 8601 with a Z, sets of bytes as hex."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds").replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=_ROWS_A_BATCH):
        for row in batch.to_pylist():
            yield _plain(row)


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def _write_json(table: pa.Table, file: IO[bytes]) -> None:
    for row in _rows(table):
        file.write(_dump(row) + b"\n")


def _write_csv(table: pa.Table, file: IO[bytes]) -> None:
    import csv

    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.column_names)
    for row in _rows(table):
        writer.writerow(["" if value is None else _cell(value) for value in row.values()])
    text.detach()


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "; ".join(_cell(item) for item in value)
    if isinstance(value, dict):
        return _dump(value).decode()
    return str(value)


def _write_geojson(table: pa.Table, file: IO[bytes]) -> None:
    names = table.column_names
    lon = next((name for name in ("lon_deg", *names) if name in names and name.endswith("lon_deg")), "")
    lat = lon[: -len("lon_deg")] + "lat_deg"
    if "geometry" not in names and (not lon or lat not in names):
        raise UsageError("these rows have no place on the map: GeoJSON needs lon_deg and lat_deg columns")
    file.write(b'{"type":"FeatureCollection","features":[')
    for number, row in enumerate(_rows(table)):
        if "geometry" in names:
            geometry = row.pop("geometry")
            geometry = json.loads(geometry) if isinstance(geometry, str) else geometry
        elif row[lon] is None or row[lat] is None:
            geometry = None
        else:
            geometry = {"type": "Point", "coordinates": [row[lon], row[lat]]}
        separator = b",\n" if number else b"\n"
        file.write(separator + _dump({"type": "Feature", "geometry": geometry, "properties": row}))
    file.write(b"\n]}\n")


def _write_parquet(table: pa.Table, file: IO[bytes]) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, file, compression="zstd")


def _write_arrow(table: pa.Table, file: IO[bytes]) -> None:
    import pyarrow as pa

    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def _write_text(table: pa.Table, file: IO[bytes]) -> None:
    """Aligned text without a frame, for a pipe: every value whole, numbers to the right."""
    names = [name for name in table.column_names if name != "geometry"]
    rows = [[_shown(row[name]) for name in names] for row in _rows(table.select(names))]
    widths = [max(len(name), *(len(row[i]) for row in rows)) if rows else len(name) for i, name in enumerate(names)]
    right = [_is_number(table.schema.field(name).type) for name in names]
    for cells in [names, *rows]:
        line = "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right))
        file.write(line.rstrip().encode() + b"\n")


def _print_rich(table: pa.Table) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    names = [name for name in table.column_names if name != "geometry"]
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        number = _is_number(table.schema.field(name).type)
        shown.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in _rows(table.select(names)):
        shown.add_row(*(Text(_shown(row[name])) for name in names))
    Console().print(shown)


def _is_number(type: Any) -> bool:
    import pyarrow.types as types

    return bool(types.is_integer(type) or types.is_floating(type) or types.is_decimal(type))


def _shown(value: Any) -> str:
    """A value as a person reads it: at most one decimal beyond 100, four significant ones below."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 10_000 else f"{value:.1f}" if abs(value) >= 100 else f"{value:.4g}"
    if isinstance(value, str):
        # Control characters in foreign text must not steer the reader's terminal.
        return "".join(c if c.isprintable() else " " for c in value)
    return _cell(value)


_WRITERS: dict[str, Callable[[Any, IO[bytes]], None]] = {
    "table": _write_text,
    "json": _write_json,
    "csv": _write_csv,
    "geojson": _write_geojson,
    "parquet": _write_parquet,
    "arrow": _write_arrow,
}
